"""The oracle: given keys, a request and the time, what a correct receiver must answer.

A second statement of the rules, independent of any other implementation, in the order of the README's
"verdict rules". `judge()` is the entrance; each rule is one small function below it.
"""

import hashlib
import hmac
import json
import re
import zlib

import computed
import ed25519
import reading
from presets import BODY, CRC, ID, METHOD, TS, URL, WEBHOOK_ID
from verdicts import Key, Refusal, Verdict, check_window

MAX_ELEMENTS = 32
MAX_SIGNATURES = 8
MAX_TYPE_BYTES = 256
EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
TAG_LENGTHS = {
    "hmac": range(32, 33),
    "hmac-sha1": range(20, 21),
    "ed25519": range(64, 65),
    "ecdsa": range(8, 73),
    "rsa": range(1, 513),
    "token": range(1, 1025),
}


# ---------------------------------------------------------------------------------------------- verdicts


def judge(preset, keys, request):
    """The verdict on one request. The option tolerance_seconds replaces both sides of the preset's window."""
    tolerance = request.options.get("tolerance_seconds")
    past, future = (preset.past, preset.future) if tolerance is None else (tolerance, tolerance)
    try:
        refuse_content_encoding(request)
        preset = choose_family(preset, request)
        refuse_duplicate_headers(preset, request)
        check_required_headers(preset, request)
        key, signed_id, timestamp = STEPS[preset.steps](preset, keys, request, past, future)
    except Refusal as refusal:
        return Verdict(reason=refusal.args[0])
    event_id = signed_id or find_event_id(preset, request)
    is_signed = event_id is not None and (preset.signs_id or (preset.signs_body and preset.id_pointer is not None))
    return Verdict(None, key.id, event_id, is_signed, find_event_type(preset, request), timestamp)


def judge_header(preset, keys, request, past, future):
    """Rules 3 to 8: the matching key, the signed id and the time."""
    candidates, timestamp_text = read_signatures(preset, request)
    if preset.lists_headers:
        computed.check_signed_headers(request)
    signed_id = read_signed_id(preset, request)
    if preset.timestamp_header:
        timestamp_text = request.value(preset.timestamp_header)
    timestamp = read_signed_timestamp(preset, timestamp_text, request.now, past, future)
    key = find_matching_key(keys, candidates, signed_messages(preset, request, timestamp_text))
    if preset.message == "twilio":
        computed.check_twilio_digest(request)
    if preset.event_time:
        timestamp = read_event_time(preset, request, past, future)
    return key, signed_id, timestamp


def judge_plaid(_preset, keys, request, past, future):
    import documents

    key, timestamp = documents.judge_plaid(keys, request, past, future)
    return key, None, timestamp


def judge_adyen(_preset, keys, request, _past, _future):
    import documents

    return documents.judge_adyen(keys, request), None, None


def judge_message_signatures(_preset, keys, request, past, future):
    import message_signatures

    key, timestamp = message_signatures.judge(keys, request, past, future)
    return key, None, timestamp


STEPS = {"header": judge_header, "plaid": judge_plaid, "adyen": judge_adyen, "message-signatures": judge_message_signatures}


# ------------------------------------------------------------------------- rules 1 to 3: which headers


def refuse_content_encoding(request):
    for value in request.values("content-encoding"):
        if value.lower() != b"identity":
            raise Refusal("unsupported_content_encoding")


def choose_family(preset, request):
    """One header of the first family is enough to read that family, and nothing of the other."""
    first = preset.first_family
    return first if first and any(request.values(name) for name in first.headers_read) else preset


def refuse_duplicate_headers(preset, request):
    for name in {*preset.headers_read, *signature_headers(preset, request)}:
        if len(request.values(name)) > 1:
            raise Refusal("duplicate_header")


def check_required_headers(preset, request):
    for name, allowed in preset.required:
        value = request.value(name)
        if value is None:
            raise Refusal("missing_header")
        if value != allowed:
            raise Refusal("malformed_header")


def signature_headers(preset, request):
    if not preset.numbered_headers:
        return preset.signature_headers
    number = re.compile(re.escape(preset.numbered_headers) + "([1-9][0-9]?|100)", re.ASCII)
    return list(dict.fromkeys(name for name, _ in request.headers if number.fullmatch(name)))


def is_visible_ascii(value):
    return all(0x20 <= byte <= 0x7E for byte in value)


# ------------------------------------------------------------------------- rule 4: signature syntax


def read_signatures(preset, request):
    """Candidates as (header, kind, bytes), and the timestamp text when the signature header carries it.

    Every alternative header is read by itself, so that a malformed one cannot mask a good one.
    """
    present = [name for name in signature_headers(preset, request) if request.values(name)]
    if not present:
        raise Refusal("missing_header")
    refuse_too_many(0, len(present))
    candidates, timestamp_text = [], None
    for name in present:
        value = request.value(name)
        if not is_visible_ascii(value):
            continue
        found, timestamp_text = READERS[preset.syntax](preset, value.decode("ascii"))
        candidates += [(name, kind, data) for kind, data in found]
    if not candidates:
        raise Refusal("malformed_header")
    return candidates, timestamp_text


def read_plain(preset, text):
    if not text.startswith(preset.prefix):
        return [], None
    return decode_candidates(preset, [text[len(preset.prefix) :]]), None


def read_token(preset, text):
    data = text.encode("ascii")
    return ([(preset.algorithm, data)] if len(data) in TAG_LENGTHS[preset.algorithm] else []), None


def decode_candidates(preset, texts):
    tags = [reading.decode_tag(preset.encoding, text, TAG_LENGTHS[preset.algorithm]) for text in texts]
    return [(preset.algorithm, tag) for tag in tags if tag is not None]


def read_list(preset, text):
    """`t=<seconds>,v1=<hex>[,v1=<hex>]`, or with another separator and other names."""
    pairs = [element.split("=", 1) for element in text.split(preset.separator)]
    signatures = [pair[1] for pair in pairs if len(pair) == 2 and pair[0] in preset.versions]
    timestamps = [pair[1] for pair in pairs if len(pair) == 2 and pair[0] == preset.timestamp_name]
    refuse_too_many(len(pairs), len(signatures))
    if len(timestamps) > 1:
        raise Refusal("malformed_header")
    timestamp_text = timestamps[0].encode("ascii") if timestamps else None
    return decode_candidates(preset, signatures), timestamp_text


def read_space_list(preset, text):
    """`v1,<base64> v1a,<base64>`"""
    pairs = [element.split(",", 1) for element in text.split(" ")]
    known = [pair for pair in pairs if len(pair) == 2 and pair[0] in preset.versions]
    refuse_too_many(len(pairs), len(known))
    candidates = []
    for version, encoded in known:
        kind = "hmac" if version == "v1" else "ed25519"
        data = reading.decode_tag("base64", encoded, TAG_LENGTHS[kind])
        if data is not None:
            candidates.append((kind, data))
    return candidates, None


READERS = {"plain": read_plain, "list": read_list, "space-list": read_space_list, "token": read_token}


def refuse_too_many(elements, signatures):
    if elements > MAX_ELEMENTS or signatures > MAX_SIGNATURES:
        raise Refusal("too_many_signatures")


# ------------------------------------------------------------------------- rules 5 and 6: id and timestamp


def read_signed_id(preset, request):
    if not preset.signs_id:
        return None
    value = request.value(preset.id_header)
    if value is None:
        raise Refusal("missing_header")
    text = value.decode("latin-1")
    if not EVENT_ID.fullmatch(text):
        raise Refusal("malformed_id")
    return text


def read_signed_timestamp(preset, value, now, past, future):
    if not preset.signs_timestamp:
        return None
    if value is None:
        raise Refusal("missing_timestamp")
    timestamp_ms = reading.parse_time(preset.timestamp_form, value.decode("latin-1"))
    if timestamp_ms is None:
        raise Refusal("malformed_timestamp")
    check_window(timestamp_ms, now, past, future)
    return timestamp_ms // 1000


# ------------------------------------------------------------------------- rule 7: the signature itself


def signed_messages(preset, request, timestamp_text):
    """What may have been signed: one text, unless a provider writes its URL in several ways."""
    if preset.message:
        return computed.MESSAGES[preset.message](request)
    values = {
        ID: request.value(preset.id_header),
        TS: timestamp_text,
        BODY: request.body,
        URL: request.url.encode("utf-8"),
        METHOD: request.method.encode("ascii"),
        WEBHOOK_ID: (request.options.get("webhook_id") or "").encode("utf-8"),
        CRC: b"%d" % zlib.crc32(request.body),
    }
    return [b"".join(part if isinstance(part, bytes) else values[part] for part in preset.parts)]


def find_matching_key(keys, candidates, messages):
    for key in keys:
        for header, kind, data in candidates:
            if kind == key.kind and key.header in (None, header) and any(key_matches(key, text, data) for text in messages):
                return key
    raise Refusal("signature_mismatch")


def key_matches(key, message, presented):
    if key.kind == "token":
        return tags_equal(key.data, presented)
    if key.kind == "ed25519":
        return ed25519.verify(key.data, message, presented)
    if key.kind in ("ecdsa", "rsa"):
        import public_keys

        return public_keys.verifies(key.kind, key.data, message, presented)
    digest = hashlib.sha1 if key.kind == "hmac-sha1" else hashlib.sha256
    return tags_equal(hmac.new(key.data, message, digest).digest(), presented)


def tags_equal(expected, presented):
    return hmac.compare_digest(expected, presented)


def read_key(preset, key_id, material):
    """The key of a configured text. Raises ValueError when the text is no key of this preset."""
    kind, data = KEY_TEXTS[preset.key_text](preset, material)
    if not data or (kind == "ed25519" and len(data) != 32):
        raise ValueError(f"key {key_id!r} is not a key of this scheme")
    return Key(key_id, kind, data, bound_header(preset, key_id), key_name(preset, key_id, material))


def key_name(preset, key_id, material):
    """A JSON Web Key may bring its own name."""
    return json.loads(material).get("kid", key_id) if preset.key_text == "jwk" else key_id


def bound_header(preset, key_id):
    if not preset.bound_key:
        return None
    bound_id, header = preset.bound_key
    others = [name for name in preset.signature_headers if name != header]
    return header if key_id == bound_id else others[0]


def read_utf8_key(preset, material):
    return preset.algorithm, material.encode("utf-8")


def read_hex_key(preset, material):
    return preset.algorithm, reading.decode_hex(material)


def read_standard_webhooks_key(preset, material):
    if material.startswith("whpk_") and "v1a" in preset.versions:
        return "ed25519", reading.decode_base64(material.removeprefix("whpk_"))
    return "hmac", reading.decode_base64(material.removeprefix("whsec_"))


def read_public_key(preset, material):
    import public_keys

    readers = {
        "spki": public_keys.read_spki,
        "certificate-or-key": public_keys.read_certificate_or_key,
        "jwk": public_keys.read_jwk,
        "message-signatures": public_keys.read_message_signature_key,
    }
    return readers[preset.key_text](preset, material)


KEY_TEXTS = {
    "utf-8": read_utf8_key,
    "hex": read_hex_key,
    "standard-webhooks": read_standard_webhooks_key,
    "spki": read_public_key,
    "certificate-or-key": read_public_key,
    "jwk": read_public_key,
    "message-signatures": read_public_key,
}


# ------------------------------------------------------------------------- rule 8: the time inside the body


def read_event_time(preset, request, past, future):
    """Unix seconds, rounded down; None when it is absent and may be."""
    try:
        value = reading.find(reading.parse_json(request.body), preset.event_time)
    except ValueError:
        raise Refusal("malformed_body") from None
    if value is None:
        if preset.event_time_optional:
            return None
        raise Refusal("missing_timestamp")
    timestamp_ms = parse_event_time(preset.event_time_forms, value)
    if timestamp_ms is None:
        raise Refusal("malformed_timestamp")
    check_window(timestamp_ms, request.now, past, future)
    return timestamp_ms // 1000


def parse_event_time(forms, value):
    """Milliseconds since 1970, or None when the value has none of the allowed forms."""
    # A JSON number is a str here too: its digits as they stood in the text.
    if not isinstance(value, str):
        return None
    times = [reading.parse_time(form, value) for form in forms]
    return next((time for time in times if time is not None), None)


# ------------------------------------------------------------------------- what else is known


def find_event_id(preset, request):
    """An id that is information only, or that the signed body holds; None when it is absent or unusable."""
    if preset.id_header:
        value = request.value(preset.id_header)
        text = value.decode("latin-1") if value is not None else ""
        return text if EVENT_ID.fullmatch(text) else None
    return read_body_text(request, preset.id_pointer) if preset.id_pointer else None


def find_event_type(preset, request):
    """The type: information only, also where it is signed. Text of 1 to 256 bytes, from the first place that has it."""
    if preset.type_header:
        value = request.value(preset.type_header)
        usable = value is not None and is_visible_ascii(value) and 0 < len(value) <= MAX_TYPE_BYTES
        return value.decode("ascii") if usable else None
    for pointer in preset.type_pointers:
        text = read_body_text(request, pointer)
        if text and len(text.encode("utf-8", "surrogatepass")) <= MAX_TYPE_BYTES:
            return text
    return None


def read_body_text(request, pointer):
    """A JSON string or integer as text; None when it is absent, of another kind, or its name occurs twice."""
    try:
        value = reading.find(reading.parse_json(request.body), pointer)
    except ValueError:
        return None
    return str(value) if isinstance(value, str) and not isinstance(value, reading.Real) else None
