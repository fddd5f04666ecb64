"""The parts of a request that a signature of RFC 9421 can cover, and the text over them that is signed."""

import re

import structured_fields
from computed import parse_form, percent_encode
from verdicts import Refusal

URL = re.compile(r"([a-z][a-z0-9+.-]*)://(?:[^/?#]*@)?([^/?#]*)([^?#]*)(\?[^#]*)?")
FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
DEFAULT_PORTS = {"https": ":443", "http": ":80"}
# What application/x-www-form-urlencoded leaves as it is.
FORM_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-._"


def check_component(item):
    """Refuses what is no component of a request, and every parameter but the name of a query parameter."""
    name, parameters = item.value, item.parameters
    if type(name) is not str:
        raise Refusal("malformed_header")
    if name == "@query-param":
        if list(parameters) != ["name"] or type(parameters["name"]) is not str:
            raise Refusal("malformed_header")
    elif parameters or not (name in DERIVED or FIELD_NAME.fullmatch(name)):
        raise Refusal("malformed_header")


def signature_base(inner_list, request):
    """Section 2.5: a line for each component, then the parameters; no line break at the end."""
    lines = [structured_fields.write_item(item).encode() + b": " + component_value(item, request) for item in inner_list.items]
    parameters = structured_fields.write_inner_list(inner_list).encode()
    return b"\n".join([*lines, b'"@signature-params": ' + parameters])


def component_value(item, request):
    """Bytes. Refuses what the request does not have, and what is not ASCII."""
    name = item.value
    if name == "@query-param":
        value = query_param(request, item.parameters["name"])
    elif name in DERIVED:
        value = DERIVED[name](request).encode()
    else:
        value = field_value(request, name)
    if value is None:
        raise Refusal("missing_header")
    if not value.isascii():
        raise Refusal("malformed_header")
    return value


def field_value(request, name):
    values = request.values(name)
    return b", ".join(value.strip(b" \t") for value in values) if values else None


def query_param(request, name):
    """The value, encoded; None when the query does not have exactly one of this name. The name is compared encoded."""
    pairs = [[percent_encode(text, FORM_CHARACTERS) for text in pair] for pair in parse_form(query(request)[1:].encode())]
    found = [value for other, value in pairs if other == name.encode()]
    return found[0] if len(found) == 1 else None


# ------------------------------------------------------------------------- the URL's parts


def split(request):
    """Scheme, host with port, path, and the query with its question mark, as they were called."""
    match = URL.fullmatch(request.url)
    if not match:
        raise ValueError(f"not an absolute URL without fragment: {request.url}")
    scheme, authority, path, query_text = match.groups()
    return scheme, authority, path or "/", query_text or ""


def scheme(request):
    return split(request)[0]


def authority(request):
    name, host, *_ = split(request)
    return host.lower().removesuffix(DEFAULT_PORTS.get(name, ""))


def path(request):
    return split(request)[2]


def query(request):
    return split(request)[3] or "?"


def request_target(request):
    return "".join(split(request)[2:])


DERIVED = {
    "@method": lambda request: request.method,
    "@target-uri": lambda request: request.url,
    "@authority": authority,
    "@scheme": scheme,
    "@request-target": request_target,
    "@path": path,
    "@query": query,
}
