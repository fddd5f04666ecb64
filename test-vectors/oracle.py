"""The oracle: given keys, a request and the time, what a correct receiver must answer.

A second statement of the rules, independent of any other implementation, in the order of the README's
"verdict rules". `judge()` is the entrance; each rule is one small function below it.
"""

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass

import ed25519

MAX_ELEMENTS = 32
MAX_SIGNATURES = 8
SECONDS_TEXT = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)
EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))",
    re.ASCII,
)


# ---------------------------------------------------------------------------------------------- presets


@dataclass(frozen=True)
class Preset:
    """How one provider signs. Header names are lower-case; parts are ID, TS, BODY or literal bytes."""

    signature_headers: tuple
    syntax: str  # "plain", "comma-list" or "space-list"
    encoding: str  # "hex", "base64" or "base64-of-hex"
    parts: tuple
    prefix: str = ""
    id_header: str | None = None
    id_pointer: str | None = None
    type_header: str | None = None
    timestamp_header: str | None = None
    event_time: str | None = None  # pointer into the body
    event_time_forms: tuple = ()  # of "unix", "rfc3339"
    event_time_optional: bool = False
    past: int = 300
    future: int = 300
    key_text: str = "utf-8"  # or "standard-webhooks"

    @property
    def signs_id(self):
        return ID in self.parts

    @property
    def signs_timestamp(self):
        return TS in self.parts

    @property
    def headers_read(self):
        names = (*self.signature_headers, self.timestamp_header, self.id_header, self.type_header)
        return [name for name in names if name]


ID, TS, BODY = "id", "timestamp", "body"
HOURS_24_AND_SKEW = 24 * 3600 + 300
HOURS_72_AND_SKEW = 72 * 3600 + 300


def plain_hex(header, prefix="sha256=", **rest):
    headers = header if isinstance(header, tuple) else (header,)
    return Preset(headers, "plain", "hex", rest.pop("parts", (BODY,)), prefix, **rest)


def metalocator(encoding):
    header = "x-metalocator-webhook-signature"
    return Preset((header,), "plain", encoding, (TS, BODY), timestamp_header=header + "-timestamp")


PRESETS = {
    "standard-webhooks": Preset(
        ("webhook-signature",), "space-list", "base64", (ID, b".", TS, b".", BODY),
        id_header="webhook-id", timestamp_header="webhook-timestamp", key_text="standard-webhooks",
    ),
    "github": plain_hex("x-hub-signature-256", id_header="x-github-delivery", type_header="x-github-event"),
    "stripe": Preset(("stripe-signature",), "comma-list", "hex", (TS, b".", BODY), id_pointer="/id"),
    "slack": plain_hex(
        "x-slack-signature", "v0=", parts=(b"v0:", TS, b":", BODY),
        timestamp_header="x-slack-request-timestamp", id_pointer="/event_id",
    ),
    "meta": plain_hex("x-hub-signature-256"),
    "megatronlead": plain_hex(
        "x-megatronlead-signature", id_header="x-megatronlead-delivery", type_header="x-megatronlead-event",
        event_time="/timestamp", event_time_forms=("unix", "rfc3339"), past=HOURS_24_AND_SKEW,
    ),
    "klozeo": plain_hex(
        "x-klozeo-signature", "", event_time="/timestamp", event_time_forms=("unix",), past=HOURS_72_AND_SKEW,
    ),
    "klozeo-guide": plain_hex(
        ("x-webhook-signature", "x-hub-signature-256"), id_pointer="/event_id", event_time="/timestamp",
        event_time_forms=("unix",), event_time_optional=True, past=HOURS_72_AND_SKEW,
    ),
    "leadhub": plain_hex(
        "x-leadhub-signature", event_time="/occurred_at", event_time_forms=("rfc3339",), past=HOURS_72_AND_SKEW,
    ),
    "leadhub-timestamped": Preset(
        ("x-leadhub-signature",), "comma-list", "hex", (TS, b".", BODY), id_header="x-leadhub-delivery",
    ),
    "metalocator": metalocator("base64-of-hex"),
    "metalocator-raw": metalocator("base64"),
    "devsphere": plain_hex("x-signature"),
}


# ---------------------------------------------------------------------------------------------- verdicts


@dataclass(frozen=True)
class Key:
    id: str
    kind: str  # "hmac" or "ed25519"
    data: bytes


@dataclass(frozen=True)
class Request:
    headers: tuple  # of (lower-case name, value bytes), in order of arrival
    body: bytes
    now: int

    def values(self, name):
        return [value for header, value in self.headers if header == name]

    def value(self, name):
        """The only value: rule 2 has refused a second one by the time this is asked."""
        values = self.values(name) if name else []
        return values[0] if values else None


@dataclass(frozen=True)
class Verdict:
    reason: str | None = None
    key_id: str | None = None
    event_id: str | None = None
    event_id_signed: bool = False
    timestamp: int | None = None

    @property
    def result(self):
        return "invalid" if self.reason else "valid"


class Refusal(Exception):
    """Carries the reason code as its only argument."""


def judge(preset, keys, request, tolerance=None):
    """The verdict on one request. `tolerance` replaces both sides of the preset's window."""
    past, future = (preset.past, preset.future) if tolerance is None else (tolerance, tolerance)
    try:
        refuse_content_encoding(request)
        refuse_duplicate_headers(preset, request)
        candidates, timestamp_text = read_signatures(preset, request)
        signed_id = read_signed_id(preset, request)
        if preset.timestamp_header:
            timestamp_text = request.value(preset.timestamp_header)
        timestamp = read_signed_timestamp(preset, timestamp_text, request.now, past, future)
        key = find_matching_key(keys, candidates, signed_bytes(preset, request, timestamp_text))
        if preset.event_time:
            timestamp = read_event_time(preset, request, past, future)
    except Refusal as refusal:
        return Verdict(reason=refusal.args[0])
    event_id = signed_id or find_event_id(preset, request)
    is_signed = event_id is not None and (preset.signs_id or preset.id_pointer is not None)
    return Verdict(None, key.id, event_id, is_signed, timestamp)


# ------------------------------------------------------------------------- rules 1 to 3: which headers


def refuse_content_encoding(request):
    for value in request.values("content-encoding"):
        if value.lower() != b"identity":
            raise Refusal("unsupported_content_encoding")


def refuse_duplicate_headers(preset, request):
    for name in preset.headers_read:
        if len(request.values(name)) > 1:
            raise Refusal("duplicate_header")


def is_visible_ascii(value):
    return all(0x20 <= byte <= 0x7E for byte in value)


# ------------------------------------------------------------------------- rule 4: signature syntax


def read_signatures(preset, request):
    """Candidates as (kind, bytes), and the timestamp text when the signature header carries it.

    Every alternative header is read by itself, so that a malformed one cannot mask a good one.
    """
    values = [request.value(name) for name in preset.signature_headers]
    present = [value for value in values if value is not None]
    if not present:
        raise Refusal("missing_header")
    candidates, timestamp_text = [], None
    for value in present:
        if not is_visible_ascii(value):
            continue
        found, timestamp_text = READERS[preset.syntax](preset, value.decode("ascii"))
        candidates += found
    if not candidates:
        raise Refusal("malformed_header")
    return candidates, timestamp_text


def read_plain(preset, text):
    if not text.startswith(preset.prefix):
        return [], None
    tag = decode_tag(preset.encoding, text[len(preset.prefix):])
    return ([] if tag is None else [("hmac", tag)]), None


def read_comma_list(preset, text):
    """`t=<seconds>,v1=<hex>[,v1=<hex>]`"""
    pairs = [element.split("=", 1) for element in text.split(",")]
    signatures = [pair[1] for pair in pairs if len(pair) == 2 and pair[0] == "v1"]
    timestamps = [pair[1] for pair in pairs if len(pair) == 2 and pair[0] == "t"]
    refuse_too_many(len(pairs), len(signatures))
    if len(timestamps) > 1:
        raise Refusal("malformed_header")
    tags = [decode_tag(preset.encoding, signature) for signature in signatures]
    timestamp_text = timestamps[0].encode("ascii") if timestamps else None
    return [("hmac", tag) for tag in tags if tag is not None], timestamp_text


def read_space_list(_preset, text):
    """`v1,<base64> v1a,<base64>`"""
    pairs = [element.split(",", 1) for element in text.split(" ")]
    known = [pair for pair in pairs if len(pair) == 2 and pair[0] in ("v1", "v1a")]
    refuse_too_many(len(pairs), len(known))
    candidates = []
    for version, encoded in known:
        kind, length = ("hmac", 32) if version == "v1" else ("ed25519", 64)
        data = decode_base64(encoded)
        if data is not None and len(data) == length:
            candidates.append((kind, data))
    return candidates, None


READERS = {"plain": read_plain, "comma-list": read_comma_list, "space-list": read_space_list}


def refuse_too_many(elements, signatures):
    if elements > MAX_ELEMENTS or signatures > MAX_SIGNATURES:
        raise Refusal("too_many_signatures")


def decode_tag(encoding, text):
    """The 32 bytes of an HMAC-SHA256 tag, or None when the text is anything else."""
    if encoding == "hex":
        data = decode_hex(text)
    elif encoding == "base64":
        data = decode_base64(text)
    else:
        data = decode_base64_of_hex(text)
    return data if data is not None and len(data) == 32 else None


def decode_hex(text):
    # bytes.fromhex skips spaces, which would make two texts of one signature.
    if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})*", text):
        return None
    return bytes.fromhex(text)


def decode_base64(text):
    if not re.fullmatch(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", text):
        return None
    data = base64.b64decode(text)
    # Encoding again shows unused bits that were not zero.
    return data if base64.b64encode(data).decode() == text else None


def decode_base64_of_hex(text):
    inner = decode_base64(text)
    if inner is None or not re.fullmatch(rb"[0-9a-f]{64}", inner):
        return None
    return bytes.fromhex(inner.decode())


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
    text = value.decode("latin-1")
    if not SECONDS_TEXT.fullmatch(text):
        raise Refusal("malformed_timestamp")
    check_window(int(text) * 1000, now, past, future)
    return int(text)


def check_window(timestamp_ms, now, past, future):
    age_ms = now * 1000 - timestamp_ms
    if age_ms > past * 1000:
        raise Refusal("timestamp_too_old")
    if -age_ms > future * 1000:
        raise Refusal("timestamp_too_new")


# ------------------------------------------------------------------------- rule 7: the signature itself


def signed_bytes(preset, request, timestamp_text):
    values = {ID: request.value(preset.id_header), TS: timestamp_text, BODY: request.body}
    return b"".join(part if isinstance(part, bytes) else values[part] for part in preset.parts)


def find_matching_key(keys, candidates, message):
    for key in keys:
        for kind, data in candidates:
            if kind == key.kind and key_matches(key, message, data):
                return key
    raise Refusal("signature_mismatch")


def key_matches(key, message, presented):
    if key.kind == "ed25519":
        return ed25519.verify(key.data, message, presented)
    return tags_equal(hmac.new(key.data, message, hashlib.sha256).digest(), presented)


def tags_equal(expected, presented):
    return hmac.compare_digest(expected, presented)


def read_key(preset, key_id, material):
    """The key of a configured text. Raises ValueError when the text is no key of this preset."""
    if preset.key_text == "utf-8":
        return Key(key_id, "hmac", material.encode("utf-8"))
    kind, text = "hmac", material
    if material.startswith("whpk_"):
        kind, text = "ed25519", material.removeprefix("whpk_")
    data = decode_base64(text.removeprefix("whsec_"))
    if not data or (kind == "ed25519" and len(data) != 32):
        raise ValueError(f"key {key_id!r} is not a Standard Webhooks key")
    return Key(key_id, kind, data)


# ------------------------------------------------------------------------- rule 8: the time inside the body


def read_event_time(preset, request, past, future):
    """Unix seconds, rounded down; None when it is absent and may be."""
    try:
        value = find(parse_json(request.body), preset.event_time)
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
    if "unix" in forms and isinstance(value, (Integer, str)) and SECONDS_TEXT.fullmatch(value):
        return int(value) * 1000
    if "rfc3339" in forms and type(value) is str:
        return parse_rfc3339(value)
    return None


def parse_rfc3339(text):
    match = RFC3339.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
    offset_hours, offset_minutes = int(match[10] or 0), int(match[11] or 0)
    if not 1 <= month <= 12 or not 1 <= day <= days_in_month(year, month):
        return None
    # Second 60 is a leap second; counting it as minute + 60 s makes it the start of the next second.
    if hour > 23 or minute > 59 or second > 60 or offset_hours > 23 or offset_minutes > 59:
        return None
    seconds = days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
    offset = offset_hours * 3600 + offset_minutes * 60
    seconds += offset if match[9] == "-" else -offset
    milliseconds = int((match[7] or "0").ljust(3, "0")[:3])
    return seconds * 1000 + milliseconds


def is_leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year, month):
    return [31, 29 if is_leap(year) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]


def days_since_1970(year, month, day):
    before = sum(days_in_month(year, earlier) for earlier in range(1, month)) + day - 1
    last = year - 1  # leap years up to and including the year before
    leaps = last // 4 - last // 100 + last // 400
    return year * 365 + leaps + before - (1970 * 365 + 477)


# ------------------------------------------------------------------------- JSON with nothing rounded or lost


class Members(list):
    """An object's members as (name, value) pairs, so that duplicate names stay visible."""


class Integer(str):
    """The digits of a JSON integer, as they stood in the text."""


class Real(str):
    """Any other JSON number."""


def parse_json(body):
    """Raises ValueError when the body is not one JSON document in UTF-8."""
    try:
        return json.loads(
            body.decode("utf-8"), object_pairs_hook=Members, parse_int=Integer, parse_float=Real,
            parse_constant=refuse_constant,
        )
    except RecursionError:
        raise ValueError("nested too deep") from None


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def find(value, pointer):
    """What the pointer names, None when absent. Raises ValueError when a name on the way occurs twice."""
    for name in pointer.split("/")[1:]:
        found = [member for key, member in value if key == name] if isinstance(value, Members) else []
        if len(found) > 1:
            raise ValueError(f"{name!r} occurs twice")
        value = found[0] if found else None
    return value


def find_event_id(preset, request):
    """An id that is information only, or that the signed body holds; None when it is absent or unusable."""
    if preset.id_header:
        value = request.value(preset.id_header)
        text = value.decode("latin-1") if value is not None else ""
        return text if EVENT_ID.fullmatch(text) else None
    if not preset.id_pointer:
        return None
    try:
        value = find(parse_json(request.body), preset.id_pointer)
    except ValueError:
        return None
    return str(value) if isinstance(value, (Integer, str)) and not isinstance(value, Real) else None
