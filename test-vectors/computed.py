"""Signed texts that are computed from the request instead of standing in it, and digests beside the signature."""

import hashlib
import re

from verdicts import Refusal

MUST_BE_SIGNED = {"x-contentful-timestamp", "x-contentful-signed-headers"}
PORTS = {"https": ":443", "http": ":80"}
# What JavaScript's encodeURIComponent and encodeURI leave as it is.
UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()"
URI_CHARACTERS = UNRESERVED + b";,/?:@&=+$#"


# ------------------------------------------------------------------------- Twilio and Mandrill: URL and form


def twilio_messages(request):
    urls = [url.encode("utf-8") for url in twilio_urls(request.url)]
    if body_sha256(request.url) is not None:
        return urls
    form = b"".join(name + value for name, value in sorted(set(parse_form(request.body))))
    return [url + form for url in urls]


def twilio_urls(url):
    """The URL as it is, without its port, and with the default port where it has none; each also with %27 for '."""
    scheme, user, host, port, rest = re.fullmatch(r"([a-z]+)://([^/?#]*@)?(\[[^\]]*\]|[^/?#:]*)(:[0-9]+)?(.*)", url).groups()
    start = f"{scheme}://{user or ''}{host}"
    with_default = [] if port else [start + PORTS.get(scheme, "") + rest]
    ports = [url, start + rest, *with_default]
    return list(dict.fromkeys(ports + [escape_apostrophes(other) for other in ports]))


def escape_apostrophes(url):
    before, mark, query = url.partition("?")
    return before + mark + query.replace("'", "%27")


def body_sha256(url):
    """The first value of the URL's parameter, None when there is none."""
    query = url.partition("#")[0].partition("?")[2]
    pairs = [piece.partition("=") for piece in query.split("&")]
    return next((value for name, _, value in pairs if name == "bodySHA256"), None)


def check_twilio_digest(request):
    wanted = body_sha256(request.url)
    if wanted is not None and wanted != hashlib.sha256(request.body).hexdigest():
        raise Refusal("digest_mismatch")


def mandrill_messages(request):
    pairs = sorted(parse_form(request.body), key=lambda pair: pair[0])  # stable: in order of arrival within a name
    return [request.url.encode("utf-8") + b"".join(name + value for name, value in pairs)]


def parse_form(body):
    pairs = [piece.partition(b"=") for piece in body.split(b"&") if piece]
    return [(decode_form_text(name), decode_form_text(value)) for name, _, value in pairs]


def decode_form_text(text):
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes.fromhex(match[1].decode()), text.replace(b"+", b" "))


# ------------------------------------------------------------------------- Contentful: a canonical request


def contentful_messages(request):
    path = encoded_path(request.url)
    headers = [name + b":" + request.value(name.decode()).strip(b" \t") for name in signed_names(request)]
    return [b"\n".join([request.method.encode(), path, b";".join(headers), request.body])]


def check_signed_headers(request):
    """What the list of signed headers must name, and that each of them is there once."""
    value = request.value("x-contentful-signed-headers")
    if value is None:
        raise Refusal("missing_header")
    names = [name.decode("latin-1") for name in signed_names(request)]
    if not all(0x20 <= byte <= 0x7E for byte in value) or not MUST_BE_SIGNED <= set(names) or len(set(names)) < len(names):
        raise Refusal("malformed_header")
    for name in names:
        if not request.values(name):
            raise Refusal("missing_header")
        if len(request.values(name)) > 1:
            raise Refusal("duplicate_header")


def signed_names(request):
    value = request.value("x-contentful-signed-headers")
    return sorted(name.strip(b" \t").lower() for name in value.split(b","))


def encoded_path(url):
    """The query is encoded as one component, and then all of it once more."""
    path, mark, query = re.sub(r"^[a-z]+://[^/?#]*", "", url).encode("utf-8").partition(b"?")
    encoded = b"?" + percent_encode(query, UNRESERVED) if mark and query else b""
    return percent_encode(path + encoded, URI_CHARACTERS)


def percent_encode(text, kept):
    return b"".join(bytes([byte]) if byte in kept else b"%%%02X" % byte for byte in text)


MESSAGES = {"twilio": twilio_messages, "mandrill": mandrill_messages, "contentful": contentful_messages}
