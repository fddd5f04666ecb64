"""Cases from 300: what only one scheme, or a few, can meet."""

import base64
import hashlib
import hmac

from .common_cases import with_tag
from .computed_cases import COMPUTED_CASES
from .family_cases import FAMILY_CASES
from .item_cases import ITEM_CASES
from .message_cases import MESSAGE_CASES
from .plain_cases import PLAIN_CASES
from .public_key_cases import PUBLIC_KEY_CASES
from .senders import base64_text
from .splice_cases import add_marked_splice, add_unseparated_splice
from .standard_webhooks_cases import add_standard_webhooks


def add_own_cases(book):
    add_body_ids(book)
    add_event_types(book)
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
    if "/" in sender.body_id:
        # The raw value ends one member and starts another of the same name.
        name = sender.body_id.rsplit("/", 1)[1]
        twice = sender.event(**{sender.body_id: f'"evt_one","{name}":"evt_other"'})
    else:
        twice = sender.event(extra=f',"{sender.body_id}":"evt_other"')
    book.valid(
        305,
        "the event id occurs twice: no reader would agree with another, so there is none",
        "EventId",
        sender.delivery(twice),
        twice,
        event_id=None,
    )


def add_event_types(book):
    sender = book.sender
    if sender.body_type:
        add_body_types(book)
    if not sender.type_header:
        return
    event = sender.event()
    good = [row for row in sender.delivery(event) if row[0] != sender.type_header]
    cases = [
        (390, None, None, "no event type"),
        (391, "", None, "an empty event type is none"),
        (392, "a type, with: signs!", "a type, with: signs!", "an event type is any printable text"),
        (393, "t" * 256, "t" * 256, "an event type of 256 bytes"),
        (394, "t" * 257, None, "an event type of 257 bytes is ignored"),
        (395, "caf\u00c3\u00a9", None, "an event type with bytes outside ASCII is ignored"),
    ]
    for number, sent, expected, comment in cases:
        row = [] if sent is None else [(sender.type_header, sent)]
        book.valid(number, comment, "EventType", good + row, event, event_type=expected)


def add_body_types(book):
    sender = book.sender
    other = sender.second_type
    cases = [
        (380, None, other, "no event type"),
        (381, "null", other, "an event type of null"),
        (382, "17", "17", "an event type that is an integer"),
        (383, "1.5", other, "an event type that is neither text nor integer"),
        (384, '""', other, "an empty event type is none"),
        (385, f'"{"t" * 256}"', "t" * 256, "an event type of 256 bytes"),
        (386, f'"{"t" * 257}"', other, "an event type of 257 bytes is ignored"),
        (387, f'"{"t" * 255}\u00e9"', other, "256 characters, but 257 bytes: ignored"),
    ]
    for number, raw, expected, comment in cases:
        body = sender.event(**{sender.body_type: raw})
        book.valid(number, comment, "EventType", sender.delivery(body), body, event_type=expected)
    if other is None:
        name = sender.body_type.rsplit("/", 1)[-1]
        twice = sender.event(**{sender.body_type: f'"one","{name}":"two"'})
        book.valid(388, "the event type occurs twice: there is none", "EventType", sender.delivery(twice), twice, event_type=None)


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
    add_marked_splice(book)


def add_slack(book):
    sender = book.sender
    event = sender.event()
    form = b"token=gIkuvaNzQIHg97ATvDxqgjtO&team_id=T0001&command=%2Flead&text=lead_8841"
    book.valid(310, "a form, as slash commands send it", "RawBody", sender.delivery(form), form, event_id=None, event_type=None)
    tag = sender.tag(event).hex()
    book.invalid(
        311, "malformed_header", "a good signature under another version", "WrongVersion", sender.headers("v1=" + tag), event
    )
    body = b"1700000000:a=b"
    spliced = sender.headers(sender.signature(body), ts="1700000000:1700000000")
    book.valid(320, "a body that starts like a timestamp", "Splice", sender.delivery(body), body, event_id=None, event_type=None)
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
        event_type=None,
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
    add_marked_splice(book)


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
    **PLAIN_CASES,
    **FAMILY_CASES,
    **COMPUTED_CASES,
    **PUBLIC_KEY_CASES,
    **ITEM_CASES,
    **MESSAGE_CASES,
}
