"""Cases from 300 of Standard Webhooks: the signed id, the forms of its keys, public-key signatures."""

import hashlib
import hmac

import ed25519

from .common_cases import with_tag
from .document import NOW
from .senders import base64_text


def add_standard_webhooks(book):
    add_without_public_keys(book)
    add_public_keys(book)


def add_without_public_keys(book):
    add_signed_ids(book)
    add_key_texts(book)


def add_signed_ids(book):
    sender = book.sender
    event = sender.event()
    signature = sender.signature(event)
    book.invalid(300, "missing_header", "no id", "EventId MissingHeader", sender.headers(signature, event_id=None), event)
    book.invalid(
        301,
        "signature_mismatch",
        "another id on a captured delivery",
        "EventId",
        sender.headers(signature, event_id="msg_other"),
        event,
    )
    longest = "a" * 256
    book.valid(302, "an id of 256 characters", "EventId", id_delivery(sender, longest, event), event, event_id=longest)
    malformed = [
        (303, "a" * 257, "an id of 257 characters"),
        (304, "", "an empty id"),
        (305, "msg 1", "a space in the id"),
        (306, "msg:1", "a colon in the id"),
        (307, "msg-\u00c3\u00a9", "bytes outside ASCII in the id"),
        (308, "msg/1", "a slash in the id"),
    ]
    for number, event_id, comment in malformed:
        book.invalid(number, "malformed_id", comment, "EventId", id_delivery(sender, event_id, event), event)
    spliced = id_delivery(sender, "msg_a.1700000000", event)
    book.invalid(320, "malformed_id", "a point in the id would let a timestamp move into it", "Splice EventId", spliced, event)
    moved = sender.headers(sender.value(sender.encode(sender.tag(b"1700000000." + event))), ts="1700000000.1700000000")
    book.invalid(
        321,
        "malformed_timestamp",
        "the start of a captured body moved into the timestamp: the signed bytes are the same",
        "Splice",
        moved,
        event,
    )
    if sender.header == "webhook-signature":
        svix = [(name.replace("webhook-", "svix-"), value) for name, value in sender.delivery(event)]
        book.invalid(322, "missing_header", "the header family of another scheme", "MissingHeader", svix, event)
    both = sender.headers(signature, event_id="a.b", ts="abc")
    book.invalid(323, "malformed_id", "rule 5 comes before the malformed timestamp", "RuleOrder", both, event)


def id_delivery(sender, event_id, body):
    message = sender.message(body, b"1700000000", event_id.encode("latin-1"))
    tag = hmac.digest(sender.key_bytes(0), message, hashlib.sha256)
    return sender.headers(sender.value(sender.encode(tag)), event_id=event_id)


def add_key_texts(book):
    sender = book.sender
    event = sender.event()
    key_id, material = sender.keys[0]
    bare = ((key_id, material.removeprefix("whsec_")),)
    book.valid(330, "the key without its prefix", "KeyEncoding", sender.delivery(event), event, keys=bare)
    tag = hmac.digest(material.encode(), sender.message(event, b"1700000000", sender.event_id.encode()), hashlib.sha256)
    book.invalid(
        331,
        "signature_mismatch",
        "signed with the key's text instead of its bytes",
        "KeyEncoding WrongKey",
        with_tag(sender, tag),
        event,
    )


def add_public_keys(book):
    sender = book.sender
    event = sender.event()
    seeds = sender.seeds
    public = ed25519.public_key(seeds[0])
    key = (sender.public_name, "whpk_" + base64_text(public))
    secret = sender.keys[0]
    message = sender.message(event, b"1700000000", sender.event_id.encode())
    signature = ed25519.sign(seeds[0], message)

    def headers(*elements):
        return sender.headers(" ".join(elements))

    def v1a(data):
        return "v1a," + base64_text(data)

    hmac_element = sender.signature(event)
    only, both, flags = (key,), (key, secret), "PublicKey"
    book.valid(340, "a public-key signature", flags, headers(v1a(signature)), event, keys=only, key_id=key[0])
    book.valid(341, "both kinds of key, a public-key signature", flags, headers(v1a(signature)), event, keys=both, key_id=key[0])
    book.valid(342, "both kinds of key, an HMAC", flags, headers(hmac_element), event, keys=both, key_id=secret[0])
    book.valid(
        343,
        "both kinds of signature: the first key of the ring that matches is named",
        flags,
        headers(hmac_element, v1a(signature)),
        event,
        keys=both,
        key_id=key[0],
    )
    book.valid(
        344,
        "a good HMAC beside a public-key signature of somebody else",
        flags,
        headers(v1a(ed25519.sign(seeds[1], message)), hmac_element),
        event,
        keys=both,
        key_id=secret[0],
    )
    mismatch = "signature_mismatch"
    flipped = bytes([signature[0] ^ 1]) + signature[1:]
    above = signature[:32] + (int.from_bytes(signature[32:], "little") + ed25519.ORDER).to_bytes(32, "little")
    confused = "v1," + base64_text(hmac.digest(public, message, hashlib.sha256))
    cases = [
        (350, v1a(flipped), "one bit of the public-key signature flipped", "ModifiedTag"),
        (351, v1a(above), "S plus the group order: a second text of one signature", "ModifiedTag"),
        (352, v1a(ed25519.sign(seeds[1], message)), "signed with another private key", "WrongKey"),
        (353, v1a(bytes(64)), "a public-key signature of zero bytes", "ModifiedTag"),
        (354, confused, "an HMAC whose key is the public key", "Algorithm"),
        (355, hmac_element, "an HMAC, and only a public key is configured", "Algorithm"),
        (356, v1a(ed25519.sign(seeds[0], event)), "the body signed without id and timestamp", "ModifiedTimestamp"),
    ]
    for number, element, comment, more in cases:
        book.invalid(number, mismatch, comment, f"{flags} {more}", headers(element), event, keys=only)
    book.invalid(357, mismatch, "a public-key signature, and only a secret is configured", flags, headers(v1a(signature)), event)
    for number, data, comment in (
        (360, signature[:63], "63 bytes"),
        (361, signature + b"\0", "65 bytes"),
        (362, b"", "no bytes"),
    ):
        book.invalid(
            number, "malformed_header", f"a public-key signature of {comment}", flags, headers(v1a(data)), event, keys=only
        )
    renamed = "v1," + base64_text(signature)
    book.invalid(
        363,
        "malformed_header",
        "a public-key signature under the version of HMAC",
        flags + " WrongVersion",
        headers(renamed),
        event,
        keys=only,
    )
    stale_message = sender.message(event, str(NOW - 301).encode(), sender.event_id.encode())
    stale = sender.headers(v1a(ed25519.sign(seeds[0], stale_message)), ts=str(NOW - 301))
    book.invalid(364, "timestamp_too_old", "a good public-key signature, 301 s old", flags + " Window", stale, event, keys=only)
