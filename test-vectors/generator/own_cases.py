"""Cases from 300: what only one scheme, or a few, can meet."""

import base64
import hashlib
import hmac

from .common_cases import with_tag
from .senders import base64_text
from .standard_webhooks_cases import add_standard_webhooks


def add_own_cases(book):
    add_body_ids(book)
    add = OWN_CASES.get(book.sender.name)
    if add:
        add(book)


def add_body_ids(book):
    sender = book.sender
    if not sender.body_id:
        return
    cases = [
        (300, None, None, "no event id"),
        (301, "null", None, "an event id of null"),
        (302, "9007199254740993", "9007199254740993", "an integer that a double cannot hold"),
        (303, "true", None, "an event id that is neither text nor integer"),
        (304, '"evt_\\u0041"', "evt_A", "an escape inside the event id"),
    ]
    for number, raw, expected, comment in cases:
        body = sender.event(**{sender.body_id: raw})
        book.valid(number, comment, "EventId", sender.delivery(body), body, event_id=expected)
    twice = sender.event(extra=f',"{sender.body_id}":"evt_other"')
    book.valid(
        305,
        "the event id occurs twice: no reader would agree with another, so there is none",
        "EventId",
        sender.delivery(twice),
        twice,
        event_id=None,
    )


def add_meta(book):
    sender = book.sender
    event = sender.event()
    sha1 = hmac.digest(sender.key_bytes(0), event, hashlib.sha1).hex()
    legacy = ("X-Hub-Signature", f"sha1={sha1}")
    book.invalid(
        310,
        "missing_header",
        "only the older header with its HMAC-SHA1",
        "Algorithm MissingHeader",
        [*sender.headers(), legacy],
        event,
    )
    wrong = ("X-Hub-Signature", "sha1=" + "00" * 20)
    book.valid(311, "the older header is wrong, and nobody reads it", "Algorithm", [*sender.delivery(event), wrong], event)


def add_github(book):
    add_meta(book)
    sender = book.sender
    empty = [*sender.delivery(sender.event()), ("Content-Encoding", "")]
    book.invalid(
        312, "unsupported_content_encoding", "an empty content encoding is not identity", "ContentEncoding", empty, sender.event()
    )


def add_stripe(book):
    sender = book.sender
    event = sender.event()
    decoded = base64.b64decode(sender.keys[0][1].removeprefix("whsec_"))
    tag = hmac.digest(decoded, sender.message(event, b"1700000000", b""), hashlib.sha256)
    book.invalid(
        310,
        "signature_mismatch",
        "the key decoded as Standard Webhooks would",
        "KeyEncoding WrongKey",
        with_tag(sender, tag),
        event,
    )
    add_dotted_splice(book)


def add_dotted_splice(book):
    """`{t}.{body}`: a captured body that starts with digits and a point, its start moved into the timestamp."""
    sender = book.sender
    body = b"1700000000.5 is no JSON"
    book.valid(
        320,
        "a body that starts like a timestamp",
        "Splice",
        sender.delivery(body),
        body,
        event_id=None if sender.body_id else "usual",
    )
    tag_text = sender.tag(body).hex()
    spliced = sender.headers(sender.value(tag_text, ts="1700000000.1700000000"))
    book.invalid(
        321,
        "malformed_timestamp",
        "the start of a captured body moved into the timestamp: the signed bytes are the same",
        "Splice",
        spliced,
        body.split(b".", 1)[1],
    )


def add_slack(book):
    sender = book.sender
    event = sender.event()
    form = b"token=gIkuvaNzQIHg97ATvDxqgjtO&team_id=T0001&command=%2Flead&text=lead_8841"
    book.valid(310, "a form, as slash commands send it", "RawBody", sender.delivery(form), form, event_id=None)
    tag = sender.tag(event).hex()
    book.invalid(
        311, "malformed_header", "a good signature under another version", "WrongVersion", sender.headers("v1=" + tag), event
    )
    body = b"1700000000:a=b"
    spliced = sender.headers(sender.signature(body), ts="1700000000:1700000000")
    book.valid(320, "a body that starts like a timestamp", "Splice", sender.delivery(body), body, event_id=None)
    book.invalid(
        321,
        "malformed_timestamp",
        "the start of a captured body moved into the timestamp: the signed bytes are the same",
        "Splice",
        spliced,
        b"a=b",
    )


def add_klozeo(book):
    sender = book.sender
    event = sender.event()
    guide = [("X-Webhook-Signature", "sha256=" + sender.signature(event))]
    book.invalid(
        310,
        "missing_header",
        "the header of the guide, which is another scheme",
        "MissingHeader",
        sender.headers() + guide,
        event,
    )


def add_klozeo_guide(book):
    sender = book.sender
    event = sender.event()
    good, wrong = sender.signature(event), sender.value("00" * 32)
    second = "X-Hub-Signature-256"

    def both(first_value, second_value):
        return [*sender.headers(first_value), (second, second_value)]

    flags = "Alternatives"
    book.valid(310, "only the second header", flags, [*sender.headers(), (second, good)], event)
    book.valid(311, "both headers, both good", flags, both(good, good), event)
    book.valid(312, "both headers, the first wrong", flags, both(wrong, good), event)
    book.valid(313, "both headers, the second wrong", flags, both(good, wrong), event)
    book.valid(314, "both headers, the first malformed: it does not mask the other", flags, both("undefined", good), event)
    book.valid(315, "both headers, the second malformed: it does not mask the other", flags, both(good, "sha1=00"), event)
    book.valid(
        316,
        "both headers, the first with a byte outside ASCII: it does not mask the other",
        flags + " NonAscii",
        both("\u00ff", good),
        event,
    )
    book.invalid(317, "signature_mismatch", "both headers, both wrong", flags, both(wrong, wrong), event)
    book.invalid(318, "malformed_header", "both headers, both malformed", flags, both("", "null"), event)
    book.invalid(319, "signature_mismatch", "one malformed, one wrong", flags, both("null", wrong), event)
    book.invalid(
        320,
        "duplicate_header",
        "the second header twice",
        flags + " DuplicateHeader",
        [*both(good, good), (second, wrong)],
        event,
    )
    listed = b"[1,2]"
    book.valid(
        330,
        "a document that is no object has neither time nor id",
        "EventTime",
        sender.delivery(listed),
        listed,
        event_id=None,
        timestamp=None,
    )


def add_leadhub(book):
    sender = book.sender
    event = sender.event()
    stamped = hmac.digest(sender.key_bytes(0), b"1700000000." + event, hashlib.sha256).hex()
    book.invalid(
        310,
        "malformed_header",
        "the timestamped form, which is another scheme",
        "WrongVersion",
        sender.headers(f"t=1700000000,v1={stamped}"),
        event,
    )
    bare = sender.tag(event).hex()
    book.invalid(311, "malformed_header", "the bare form of other senders of this header", "Prefix", sender.headers(bare), event)


def add_leadhub_timestamped(book):
    sender = book.sender
    event = sender.event()
    bare_body = hmac.digest(sender.key_bytes(0), event, hashlib.sha256)
    book.invalid(
        310,
        "signature_mismatch",
        "the body signed without its timestamp",
        "ModifiedTimestamp",
        with_tag(sender, bare_body),
        event,
    )
    other = [*sender.delivery(event), ("X-LeadHub-Timestamp", "1600000000")]
    book.valid(311, "another timestamp in a header that nobody signs and nobody reads", "ModifiedTimestamp", other, event)
    add_dotted_splice(book)


def add_metalocator(book):
    add_unseparated_splice(book)
    sender = book.sender
    event = sender.event()
    hex_text = sender.tag(event).hex()
    raw = base64_text(sender.tag(event))
    flags = "TagEncoding"
    cases = [
        (60, base64_text(hex_text[:-2].encode()), "one byte cut off", "TruncatedTag"),
        (61, base64_text(hex_text[:-4].encode()), "two bytes cut off", "TruncatedTag"),
        (62, base64_text(hex_text[:2].encode()), "one correct byte is left", "TruncatedTag"),
        (63, base64_text((hex_text + "00").encode()), "one byte too many", "OverlongTag"),
        (313, base64_text(hex_text[:-1].encode()), "an odd number of hex digits inside the base64", "TruncatedTag"),
        (310, raw, "base64 of the tag itself, which is another scheme", flags),
        (311, base64_text((hex_text[:-1] + "g").encode()), "64 characters that are not hex", flags),
        (312, base64_text(b" " + hex_text.encode()[1:]), "a space inside the hex", flags),
    ]
    for number, value, comment, case_flags in cases:
        book.invalid(number, "malformed_header", comment, case_flags, sender.headers(value), event)


def add_metalocator_raw(book):
    add_unseparated_splice(book)
    sender = book.sender
    event = sender.event()
    double = base64_text(sender.tag(event).hex().encode())
    book.invalid(
        310, "malformed_header", "base64 of the hex, which is another scheme", "TagEncoding", sender.headers(double), event
    )


def add_unseparated_splice(book):
    """`{ts}{body}`: nothing marks where the timestamp ends, so only the window notices a moved digit."""
    sender = book.sender
    event = sender.event()
    digit_first = b"5" + event
    moved_in = sender.headers(sender.signature(digit_first), ts="17000000005")
    book.valid(320, "a body that starts with a digit", "Splice", sender.delivery(digit_first), digit_first)
    book.invalid(
        321,
        "timestamp_too_new",
        "a digit moved from a captured body into the timestamp: the signed bytes are the same",
        "Splice",
        moved_in,
        event,
    )
    moved_out = sender.headers(sender.signature(event), ts="170000000")
    book.invalid(
        322,
        "timestamp_too_old",
        "a digit moved from a captured timestamp into the body: the signed bytes are the same",
        "Splice",
        moved_out,
        b"0" + event,
    )


OWN_CASES = {
    "github": add_github,
    "meta": add_meta,
    "stripe": add_stripe,
    "slack": add_slack,
    "klozeo": add_klozeo,
    "klozeo-guide": add_klozeo_guide,
    "leadhub": add_leadhub,
    "leadhub-timestamped": add_leadhub_timestamped,
    "metalocator": add_metalocator,
    "metalocator-raw": add_metalocator_raw,
    "standard-webhooks": add_standard_webhooks,
}
