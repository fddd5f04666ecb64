"""Strict readings of text that a stranger wrote: hex, base64, seconds, dates, JSON. One text, one meaning, or none."""

import base64
import json
import re

SECONDS = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)
MILLISECONDS = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)
RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))",
    re.ASCII,
)


def decode_tag(encoding, text, lengths):
    """The bytes of a signature, as many as `lengths` holds, or None when the text is anything else."""
    if encoding == "hex":
        data = decode_hex(text)
    elif encoding == "base64":
        data = decode_base64(text)
    else:
        data = decode_base64_of_hex(text)
    return data if data is not None and len(data) in lengths else None


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


def decode_base64url(text):
    """Base64 for URLs, without padding."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        return None
    return decode_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


def decode_base64_of_hex(text):
    inner = decode_base64(text)
    if inner is None or not re.fullmatch(rb"[0-9a-f]{64}", inner):
        return None
    return bytes.fromhex(inner.decode())


# ------------------------------------------------------------------------- times


def parse_seconds(text):
    return int(text) if SECONDS.fullmatch(text) else None


def parse_milliseconds(text):
    return int(text) if MILLISECONDS.fullmatch(text) else None


def parse_time(form, text):
    """Milliseconds since 1970, or None when the text has another form."""
    if form == "milliseconds":
        return parse_milliseconds(text)
    if form == "rfc3339":
        return parse_rfc3339(text)
    seconds = parse_seconds(text)
    return None if seconds is None else seconds * 1000


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
            body.decode("utf-8"), object_pairs_hook=Members, parse_int=Integer, parse_float=Real, parse_constant=refuse_constant
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
