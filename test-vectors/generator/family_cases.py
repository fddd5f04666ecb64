"""Cases from 300 of the senders in family_senders."""

import base64
import hmac

from .common_cases import with_tag
from .senders import base64_text
from .splice_cases import add_unseparated_splice
from .standard_webhooks_cases import add_standard_webhooks

ZERO_TAG = base64_text(bytes(32))


def without(rows, *names):
    lower = [name.lower() for name in names]
    return [row for row in rows if row[0].lower() not in lower]


def renamed(rows, old, new):
    return [(name.replace(old, new), value) for name, value in rows]


def add_svix(book):
    add_standard_webhooks(book)
    sender = book.sender
    event = sender.event()
    svix = sender.delivery(event)
    other = renamed(svix[1:], "svix-", "webhook-")
    bad = sender.headers(sender.value(ZERO_TAG))
    bad_other = renamed(bad[1:], "svix-", "webhook-")
    flags = "Families"
    book.valid(400, "only the second family", flags, [svix[0], *other], event)
    book.valid(401, "both families, both good", flags, svix + other, event)
    book.valid(402, "both families, the second wrong: nobody reads it", flags, svix + bad_other, event)
    book.valid(403, "both families, the second with every header twice", flags, svix + other + other, event)
    book.valid(404, "both families, the second first", flags, other + svix, event)
    mismatch, missing = "signature_mismatch", "missing_header"
    book.invalid(410, mismatch, "both families, the first wrong", flags, bad + other, event)
    mixed = "Families Splice"
    for number, reason, name in (
        (411, missing, "svix-id"),
        (412, "missing_timestamp", "svix-timestamp"),
        (413, missing, "svix-signature"),
    ):
        rows = without(svix, name) + other
        book.invalid(number, reason, f"{name} is absent, and is not taken from the second family", mixed, rows, event)
    for number, name in ((414, "svix-id"), (415, "svix-timestamp")):
        row = next(row for row in svix if row[0] == name)
        book.invalid(number, missing, f"{name} alone makes it the first family", mixed, [*other, row], event)
    empty = [*other, ("svix-id", "")]
    book.invalid(416, missing, "an empty svix-id makes it the first family too", mixed, empty, event)
    alone = [*other, ("svix-signature", sender.signature(event))]
    book.invalid(417, missing, "svix-signature alone makes it the first family", mixed, alone, event)
    book.invalid(418, "duplicate_header", "svix-id twice", "Families DuplicateHeader", [*svix, ("Svix-Id", "x")], event)
    twice = [svix[0], *other, ("webhook-signature", sender.value(ZERO_TAG))]
    book.invalid(
        419, "duplicate_header", "webhook-signature twice, without the first family", "Families DuplicateHeader", twice, event
    )
    stale = renamed(sender.delivery(event, ts=sender.at(-301)), "svix-", "webhook-")
    book.invalid(420, "timestamp_too_old", "the second family, 301 s old", "Families Window", stale, event)


def add_shopify(book):
    sender = book.sender
    event = sender.event()
    second = sender.delivery(event)
    first = renamed(second[1:], "X-Shopify-", "shopify-")
    bad = renamed(sender.headers(ZERO_TAG)[1:], "X-Shopify-", "shopify-")
    flags = "Families"
    book.valid(400, "only the family of the Events API", flags, first, event)
    book.valid(401, "both families, both good", flags, second + first, event)
    book.valid(402, "both families, X-Shopify wrong: nobody reads it", flags, sender.headers(ZERO_TAG) + first, event)
    other = [("shopify-webhook-id", "id-of-the-first"), *without(first, "shopify-webhook-id")]
    book.valid(
        403, "both families: id and type are of the one that is read", flags, second + other, event, event_id="id-of-the-first"
    )
    book.valid(404, "both families, X-Shopify-Topic twice", flags, [*first, *second, ("X-Shopify-Topic", "x")], event)
    idless = without(first, "shopify-webhook-id", "shopify-topic") + second
    book.valid(
        405, "an absent id and type are not taken from the second family", flags, idless, event, event_id=None, event_type=None
    )
    shop = [*second, ("shopify-shop-domain", "acme-test.myshopify.example")]
    book.valid(406, "a header of the first family that is not read", flags, shop, event)
    book.invalid(410, "signature_mismatch", "both families, the first wrong", flags, second + bad, event)
    mixed = "Families Splice"
    for number, name in ((411, "shopify-webhook-id"), (412, "shopify-topic")):
        rows = [*second, (name, "chosen")]
        book.invalid(number, "missing_header", f"{name} alone makes it the first family", mixed, rows, event)
    twice = [*first, ("Shopify-Topic", "x")]
    book.invalid(413, "duplicate_header", "shopify-topic twice", "Families DuplicateHeader", twice, event)
    cookie = base64_text(hmac.digest(sender.key_bytes(0), b"shopify_app_state", "sha256"))
    book.invalid(414, "signature_mismatch", "the key's signature over a cookie", "WrongVersion", sender.headers(cookie), event)


def add_discord(book):
    add_unseparated_splice(book)
    sender = book.sender
    event = sender.event()
    tag = sender.tag(event)
    order = 2**252 + 27742317777372353535851937790883648493
    above = tag[:32] + (int.from_bytes(tag[32:], "little") + order).to_bytes(32, "little")
    bare = sender.mac(sender.key_bytes(0), event)
    mac = hmac.digest(sender.configured_bytes(0), sender.now_text.encode() + event, "sha512")
    mismatch, flags = "signature_mismatch", "PublicKey"
    cases = [
        (310, above, "S plus the group order: a second text of one signature", "ModifiedTag"),
        (311, bare, "the body signed without its timestamp", "ModifiedTimestamp"),
        (312, mac, "an HMAC whose key is the public key", "Algorithm"),
    ]
    for number, data, comment, more in cases:
        book.invalid(number, mismatch, comment, f"{flags} {more}", with_tag(sender, data), event)
    encoded = sender.headers(base64_text(tag))
    book.invalid(313, "malformed_header", "base64 of the signature", "TagEncoding", encoded, event)
    ping = b'{"type":0,"id":"1"}'
    book.valid(314, "a ping", "Plain", sender.delivery(ping), ping, event_id="1", event_type="0")
    upper = ((sender.keys[0][0], sender.keys[0][1].upper()),)
    book.valid(315, "the public key in upper case", "KeyEncoding", sender.delivery(event), event, keys=upper)


def add_gitlab_token(book):
    sender = book.sender
    event = sender.event()
    good = sender.signature(event)
    old, new = sender.keys
    rows = sender.headers
    flags = "Token"
    book.valid(310, "rotation: the second of two keys", flags + " Rotation", rows(new[1]), event, keys=(old, new), key_id=new[0])
    book.valid(311, "nothing is signed: any body passes", flags + " ModifiedBody", rows(good), b"anything")
    lower = [(name.lower(), value) for name, value in rows(good)]
    book.valid(312, "header names in lower case", "HeaderCase", lower, event)
    longest = (("gitlab-token-longest", "t" * 1024),)
    book.valid(313, "a token of 1,024 bytes", "Token Limit", rows(longest[0][1]), event, keys=longest, key_id=longest[0][0])
    signed = ("webhook-signature", "v1," + ZERO_TAG)
    book.valid(314, "a signature beside the token: nobody reads it", "Alternatives", [*rows(good), signed], event)
    mismatch = "signature_mismatch"
    wrong = [
        (320, new[1], "a token that is not configured", "WrongKey"),
        (321, good[:-1], "one character cut off", "TruncatedTag"),
        (322, good[:1], "the first character", "ZipCompare"),
        (323, good + "x", "one character too many", "OverlongTag"),
        (324, good.upper(), "the token in upper case", "HexCase"),
        (325, "undefined", "the token is 'undefined'", "Placeholder"),
        (326, "null", "the token is 'null'", "Placeholder"),
        (327, f"{good}, {new[1]}", "two values joined by a comma", "JoinedHeader"),
        (328, "x" * 1024, "a wrong token of 1,024 bytes", "Limit"),
        (329, f"Bearer {good}", "a prefix where none belongs", "Prefix"),
        (330, f'"{good}"', "the token in quotes", "Prefix"),
    ]
    for number, value, comment, more in wrong:
        book.invalid(number, mismatch, comment, f"{flags} {more}", rows(value), event)
    malformed = [
        (340, "", "an empty token", "ZipCompare"),
        (341, "x" * 1025, "a token of 1,025 bytes", "Limit"),
        (342, good + "\u00c3\u00a9", "two bytes of UTF-8 after the token", "NonAscii"),
        (343, good[:9] + "\t" + good[9:], "a tab inside the token", "NonAscii"),
    ]
    for number, value, comment, more in malformed:
        book.invalid(number, "malformed_header", comment, f"{flags} {more}", rows(value), event)
    book.invalid(350, "missing_header", "no token", "MissingHeader", rows(), event)
    book.invalid(351, "duplicate_header", "the token twice: good, bad", "DuplicateHeader", rows(good, "bad"), event)
    book.invalid(352, "duplicate_header", "the token twice: bad, good", "DuplicateHeader", rows("bad", good), event)


def add_docusign(book):
    sender = book.sender
    event = sender.event()
    good = sender.signature(event)
    second = sender.signature(event, key=1)
    old, new = sender.keys
    base = sender.headers()
    prefix = "X-DocuSign-Signature-"

    def numbered(*pairs):
        return base + [(f"{prefix}{number}", value) for number, value in pairs]

    flags = "Alternatives"
    book.valid(310, "one header per key", flags, numbered((1, good), (2, second)), event, keys=(new, old), key_id=new[0])
    book.valid(311, "the second header is the good one", flags, numbered((1, ZERO_TAG), (2, good)), event)
    book.valid(312, "only the hundredth header", flags + " Limit", numbered((100, good)), event)
    book.valid(313, "a malformed header does not mask another", flags, numbered((1, "null"), (3, good)), event)
    book.valid(314, "headers need not come in order", flags, numbered((7, good), (2, ZERO_TAG)), event)
    eight = [(number, ZERO_TAG) for number in range(1, 8)]
    book.valid(315, "8 headers, the last is good", flags + " Limit", numbered(*eight, (8, good)), event)
    outside = numbered((1, good), (0, ZERO_TAG), ("01", ZERO_TAG), (101, ZERO_TAG), ("x", ZERO_TAG), ("", ZERO_TAG))
    book.valid(316, "numbers that are none do not count", flags, outside, event)
    many = [(number, good) for number in range(1, 10)]
    book.invalid(320, "too_many_signatures", "9 headers", flags + " Limit", numbered(*many), event)
    spoilt = numbered(*[(number, "null") for number in range(1, 10)])
    book.invalid(321, "too_many_signatures", "9 headers that cannot be decoded", flags + " Limit", spoilt, event)
    for number, name, comment in (
        (322, 0, "number 0"),
        (323, "01", "a leading zero"),
        (324, 101, "number 101"),
        (325, "", "no number"),
        (326, "1a", "a letter after the number"),
        (327, "+1", "a sign before the number"),
    ):
        book.invalid(number, "missing_header", f"{comment} is no signature header", flags, numbered((name, good)), event)
    twice = numbered((2, good), (2, good))
    book.invalid(328, "duplicate_header", "the second header twice", flags + " DuplicateHeader", twice, event)
    wrong = numbered((1, ZERO_TAG), (2, second))
    book.invalid(329, "signature_mismatch", "two headers, neither is of the configured key", flags + " WrongKey", wrong, event)
    decoded = hmac.digest(base64.b64decode(old[1]), event, "sha256")
    book.invalid(
        330, "signature_mismatch", "the key decoded from base64", "KeyEncoding WrongKey", with_tag(sender, decoded), event
    )


def add_box(book):
    sender = book.sender
    event = sender.event()
    primary, secondary = sender.keys[0], sender.secondary
    message = sender.message(event, sender.now_text.encode(), b"")
    good = sender.signature(event)
    second = base64_text(hmac.digest(secondary[1].encode(), message, "sha256"))
    base = sender.headers()

    def signed(first, other):
        rows = (("box-signature-primary", first), ("box-signature-secondary", other))
        return base + [row for row in rows if row[1] is not None]

    both, flags = (primary, secondary), "KeyBinding"
    book.valid(310, "both keys, both headers", flags, signed(good, second), event, keys=both)
    book.valid(311, "both keys, only the primary header", flags, signed(good, None), event, keys=both)
    book.valid(312, "both keys, only the secondary header", flags, signed(None, second), event, keys=both, key_id="secondary")
    book.valid(313, "the primary header wrong", flags, signed(ZERO_TAG, second), event, keys=both, key_id="secondary")
    book.valid(314, "the secondary header malformed", flags, signed(good, "null"), event, keys=both)
    book.valid(
        315, "the secondary key first in the ring", flags, signed(good, second), event, keys=both[::-1], key_id="secondary"
    )
    book.valid(
        316, "only the secondary key is configured", flags, signed(good, second), event, keys=(secondary,), key_id="secondary"
    )
    mismatch = "signature_mismatch"
    book.invalid(320, mismatch, "the two headers exchanged", flags, signed(second, good), event, keys=both)
    book.invalid(
        321, mismatch, "the primary key's signature in the secondary header", flags, signed(None, good), event, keys=both
    )
    book.invalid(
        322, mismatch, "the secondary key's signature in the primary header", flags, signed(second, None), event, keys=both
    )
    alone = (("secondary", primary[1]),)
    book.invalid(323, mismatch, "a key named secondary and only the primary header", flags, signed(good, None), event, keys=alone)
    book.invalid(324, mismatch, "only the secondary header, and no key for it", flags, signed(None, second), event)
    book.invalid(325, "malformed_header", "both headers malformed", flags, signed("", "null"), event, keys=both)
    doubled = signed(good, second) + [("Box-Signature-Secondary", second)]
    book.invalid(326, "duplicate_header", "the secondary header twice", "DuplicateHeader", doubled, event, keys=both)
    add_required_headers(book, "box-signature-version", "1", ("2", "1.0", "", "01"), 330)
    add_required_headers(book, "box-signature-algorithm", "HmacSHA256", ("HmacSHA1", "hmacsha256", "", "none"), 340)
    older = hmac.digest(primary[1].encode(), sender.now_text.encode() + event, "sha256")
    book.invalid(350, mismatch, "the timestamp before the body", "Splice", with_tag(sender, older), event)
    utc = sender.headers(good, ts="2023-11-14T22:13:20Z")
    book.invalid(351, mismatch, "the same instant written in another way than signed", "ModifiedTimestamp", utc, event)
    captured = event + b"2"
    moved = sender.headers(sender.signature(captured), ts="2" + sender.now_text)
    book.invalid(352, "malformed_timestamp", "a digit moved from a captured body into the timestamp", "Splice", moved, event)


def add_required_headers(book, name, value, others, number):
    """A header that says how the delivery is signed, and has one allowed value."""
    sender = book.sender
    event = sender.event()
    good = sender.delivery(event)
    rest = without(good, name)
    flags = "Algorithm"
    book.invalid(number, "missing_header", f"no {name}", "MissingHeader", rest, event)
    book.invalid(number + 1, "duplicate_header", f"{name} twice", "DuplicateHeader", [*good, (name, value)], event)
    for place, other in enumerate(others, number + 2):
        book.invalid(place, "malformed_header", f"{name} is {other!r}", flags, [*rest, (name, other)], event)
    unsigned = [*without(rest, sender.header), (name, "x")]
    book.invalid(
        number + 7, "malformed_header", f"a wrong {name} comes before the missing signature", "RuleOrder", unsigned, event
    )


FAMILY_CASES = {
    "svix": add_svix,
    "shopify": add_shopify,
    "discord": add_discord,
    "gitlab-token": add_gitlab_token,
    "docusign": add_docusign,
    "box": add_box,
}
