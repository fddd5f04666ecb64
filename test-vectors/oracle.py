"""The oracle: given keys, a request and the time, what a correct receiver must answer.

A second statement of the rules, independent of any other implementation, in the order of the README's
"verdict rules". `judge()` is the entrance; each rule is one small function below it.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass

import ed25519
import reading
from presets import BODY, ID, TS

MAX_ELEMENTS = 32
MAX_SIGNATURES = 8
EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)


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
    tag = reading.decode_tag(preset.encoding, text[len(preset.prefix) :])
    return ([] if tag is None else [("hmac", tag)]), None


def read_comma_list(preset, text):
    """`t=<seconds>,v1=<hex>[,v1=<hex>]`"""
    pairs = [element.split("=", 1) for element in text.split(",")]
    signatures = [pair[1] for pair in pairs if len(pair) == 2 and pair[0] == "v1"]
    timestamps = [pair[1] for pair in pairs if len(pair) == 2 and pair[0] == "t"]
    refuse_too_many(len(pairs), len(signatures))
    if len(timestamps) > 1:
        raise Refusal("malformed_header")
    tags = [reading.decode_tag(preset.encoding, signature) for signature in signatures]
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
        data = reading.decode_base64(encoded)
        if data is not None and len(data) == length:
            candidates.append((kind, data))
    return candidates, None


READERS = {"plain": read_plain, "comma-list": read_comma_list, "space-list": read_space_list}


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
    seconds = reading.parse_seconds(value.decode("latin-1"))
    if seconds is None:
        raise Refusal("malformed_timestamp")
    check_window(seconds * 1000, now, past, future)
    return seconds


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
    data = reading.decode_base64(text.removeprefix("whsec_"))
    if not data or (kind == "ed25519" and len(data) != 32):
        raise ValueError(f"key {key_id!r} is not a Standard Webhooks key")
    return Key(key_id, kind, data)


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
    seconds = reading.parse_seconds(value) if "unix" in forms and isinstance(value, str) else None
    if seconds is not None:
        return seconds * 1000
    if "rfc3339" in forms and isinstance(value, str):
        return reading.parse_rfc3339(value)
    return None


# ------------------------------------------------------------------------- what else is known


def find_event_id(preset, request):
    """An id that is information only, or that the signed body holds; None when it is absent or unusable."""
    if preset.id_header:
        value = request.value(preset.id_header)
        text = value.decode("latin-1") if value is not None else ""
        return text if EVENT_ID.fullmatch(text) else None
    if not preset.id_pointer:
        return None
    try:
        value = reading.find(reading.parse_json(request.body), preset.id_pointer)
    except ValueError:
        return None
    return str(value) if isinstance(value, str) and not isinstance(value, reading.Real) else None
