"""Cases from 300 of the senders in plain_senders: the mistake that each of them invites."""

import base64
import hashlib
import hmac

from .common_cases import with_tag
from .document import NOW
from .senders import base64_text
from .splice_cases import add_marked_splice, add_unseparated_splice
from .standard_webhooks_cases import add_without_public_keys


def mac(sender, key, message, name="sha256"):
    return hmac.digest(key, message, name)


def add_bitbucket(book):
    sender = book.sender
    event = sender.event()
    sha1 = mac(sender, sender.key_bytes(0), event, "sha1").hex()
    value = sender.headers(f"sha1={sha1}")
    book.invalid(310, "malformed_header", "what others send in this header: HMAC-SHA1", "Algorithm", value, event)
    renamed = [*sender.headers(), ("X-Hub-Signature-256", sender.signature(event))]
    book.invalid(311, "missing_header", "the header of GitHub", "MissingHeader", renamed, event)


def add_one_version(book):
    """Standard Webhooks with `v1` only."""
    add_without_public_keys(book)
    sender = book.sender
    event = sender.event()
    good = sender.encode(sender.tag(event))
    other = "v1a," + base64_text(bytes(64))
    book.invalid(
        340, "malformed_header", "only v1a, which is an unknown version here", "WrongVersion", sender.headers(other), event
    )
    book.valid(341, "v1a beside v1 is skipped", "SignatureList", sender.headers(f"{other} v1,{good}"), event)
    nine = " ".join([other] * 9 + [f"v1,{good}"])
    book.valid(342, "9 of an unknown version do not count", "Limit SignatureList", sender.headers(nine), event)


def add_gitlab(book):
    add_one_version(book)
    sender = book.sender
    token = [*sender.delivery(sender.event()), ("X-Gitlab-Token", "nobody-reads-this")]
    book.valid(343, "the older token beside the signature: nobody reads it", "Alternatives", token, sender.event())
    alone = [*sender.headers(), ("X-Gitlab-Token", sender.keys[0][1])]
    book.invalid(344, "missing_header", "the older token alone, even the right one", "MissingHeader", alone, sender.event())


def add_zoom(book):
    add_marked_splice(book)
    sender = book.sender
    event = sender.event()
    real = sender.headers(sender.signature(event), event_id="v=2.0;clid=us02;rid=WEB_4f2a9dbe71c04e8f")
    book.valid(310, "a tracking id with other characters is ignored", "UnsignedId", real, event, event_id=None)
    check = b'{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event":"endpoint.url_validation","event_ts":1700000000000}'
    book.valid(311, "the check of the address", "Plain", sender.delivery(check), check, event_type="endpoint.url_validation")
    bare = sender.encode(mac(sender, sender.key_bytes(0), event))
    book.invalid(312, "signature_mismatch", "the body signed alone", "ModifiedTimestamp", sender.headers("v0=" + bare), event)


def add_square(book):
    sender = book.sender
    event = sender.event()
    good = sender.delivery(event)
    bare = mac(sender, sender.key_bytes(0), event)
    book.invalid(310, "signature_mismatch", "the body signed without the URL", "Url", with_tag(sender, bare), event)
    add_other_urls(book, good, event)
    swapped = mac(sender, sender.key_bytes(0), event + sender.url.encode())
    book.invalid(316, "signature_mismatch", "the body before the URL", "Url", with_tag(sender, swapped), event)
    marked = sender.event(extra=',"note":">id< & <b>"')
    book.valid(317, "signs that some serialisers escape", "RawBody", sender.delivery(marked), marked)


def add_other_urls(book, good, event):
    url = book.sender.url
    others = [
        (311, url + "/", "a slash more"),
        (312, url + "?tenant=2", "a query more"),
        (313, url.replace("https:", "http:"), "another scheme"),
        (314, url.replace("receiver.", "other."), "another host"),
        (315, url.replace(".example/", ".example:443/"), "the default port written out"),
    ]
    for number, other, comment in others:
        book.invalid(number, "signature_mismatch", f"received under another URL: {comment}", "Url", good, event, url=other)


def add_hubspot_v3(book):
    sender = book.sender
    event = sender.event()
    good = sender.delivery(event)
    add_other_urls(book, good, event)
    book.invalid(310, "signature_mismatch", "received with another method", "Method", good, event, method="PUT")
    stamp, url = sender.now_text.encode(), sender.url.encode()
    for number, message, comment in (
        (316, url + event + stamp, "signed without the method"),
        (317, b"POST" + url + stamp + event, "the timestamp before the body"),
    ):
        headers = with_tag(sender, mac(sender, sender.key_bytes(0), message))
        book.invalid(number, "signature_mismatch", comment, "Method" if number == 316 else "Splice", headers, event)
    plain = hashlib.sha256(sender.key_bytes(0) + b"POST" + sender.url.encode() + event)
    older = [*sender.headers(), ("X-HubSpot-Signature", plain.hexdigest()), ("X-HubSpot-Signature-Version", "v2")]
    book.invalid(318, "missing_header", "only the older header, whose hash has no HMAC", "MissingHeader", older, event)
    query = sender.url + "?source=form&q=a%20b"
    message = b"POST" + query.encode() + event + sender.now_text.encode()
    tag = mac(sender, sender.key_bytes(0), message)
    book.valid(319, "the query is signed as it was sent", "Url", with_tag(sender, tag), event, url=query)
    digit_last = event + b"1"
    book.valid(320, "a body that ends with a digit", "Splice", sender.delivery(digit_last), digit_last)
    moved = sender.headers(sender.signature(digit_last), ts="1" + sender.now_text)
    book.invalid(321, "timestamp_too_new", "a digit moved from a captured body into the timestamp", "Splice", moved, event)


def add_intercom(book):
    sender = book.sender
    event = sender.event()
    tag = mac(sender, sender.key_bytes(0), event).hex()
    book.invalid(
        310, "malformed_header", "a good HMAC-SHA256 under the prefix", "Algorithm", sender.headers("sha1=" + tag), event
    )
    cut = sender.headers("sha1=" + tag[:40])
    book.invalid(311, "signature_mismatch", "20 bytes of a good HMAC-SHA256", "Algorithm TruncatedTag", cut, event)


def add_paddle(book):
    add_marked_splice(book)
    sender = book.sender
    event = sender.event()
    tag = mac(sender, sender.key_bytes(0), b"1700000000." + event)
    book.invalid(
        310, "signature_mismatch", "signed with a point for the colon", "ModifiedTimestamp", with_tag(sender, tag), event
    )
    half = sender.headers(sender.signature(event) + ";")
    book.valid(311, "a semicolon at the end", "SignatureList", half, event)


def add_linear(book):
    sender = book.sender
    event = sender.event()
    stale = sender.event(webhookTimestamp="1699999000000")
    fresh = [*sender.delivery(stale), ("Linear-Timestamp", "1700000000000")]
    book.invalid(
        310,
        "timestamp_too_old",
        "an old event and a fresh time in a header that nobody signs",
        "EventTime ModifiedTimestamp",
        fresh,
        stale,
    )
    odd = [*sender.delivery(event), ("Linear-Timestamp", "1"), ("Linear-Event", "Comment")]
    book.valid(311, "headers that nobody reads", "ModifiedTimestamp", odd, event)


def add_calendly(book):
    add_marked_splice(book)
    sender = book.sender
    event = sender.event()
    bare = mac(sender, sender.key_bytes(0), event)
    book.invalid(310, "signature_mismatch", "the body signed alone", "ModifiedTimestamp", with_tag(sender, bare), event)


def add_typeform(book):
    sender = book.sender
    event = sender.event()
    value = "sha256=" + sender.tag(event).hex()
    book.invalid(
        310, "malformed_header", "hex, as everybody else sends after this prefix", "TagEncoding", sender.headers(value), event
    )
    double = "sha256=" + base64_text(sender.tag(event).hex().encode())
    book.invalid(311, "malformed_header", "base64 of the hex", "TagEncoding", sender.headers(double), event)


def add_zendesk(book):
    sender = book.sender
    event = sender.event()
    key = sender.key_bytes(0)
    decoded = mac(sender, base64.b64decode(key), sender.now_text.encode() + event)
    book.invalid(
        310, "signature_mismatch", "the key decoded from base64", "KeyEncoding WrongKey", with_tag(sender, decoded), event
    )
    older = mac(sender, key, event + sender.now_text.encode())
    book.invalid(
        311,
        "signature_mismatch",
        "the body before the timestamp, as an older page says",
        "Splice",
        with_tag(sender, older),
        event,
    )
    captured = b"0 starts the body"
    moved = sender.headers(sender.signature(captured), ts=sender.now_text + "0")
    book.invalid(
        321, "malformed_timestamp", "a digit moved from a captured body into the timestamp", "Splice", moved, captured[1:]
    )
    fraction = "2023-11-14T23:13:20.250+01:00"
    later = sender.delivery(event, ts=fraction)
    book.valid(322, "an offset and a fraction", "TimestampForm", later, event, timestamp=NOW)
    same = sender.headers(sender.signature(event), ts="2023-11-14T22:13:20+00:00")
    book.invalid(
        323, "signature_mismatch", "the same instant written in another way than signed", "ModifiedTimestamp", same, event
    )
    none = sender.delivery(b"")
    book.valid(324, "a GET has no body", "Method", none, b"", method="GET", event_type=None)


def add_asana(book):
    sender = book.sender
    event = sender.event()
    beat = b'{"events":[]}'
    book.valid(310, "a heartbeat", "Plain", sender.delivery(beat), beat)
    planted = "test-only-planted-by-an-attacker"
    forged = sender.headers(mac(sender, planted.encode(), event).hex()) + [("X-Hook-Secret", planted)]
    book.invalid(311, "signature_mismatch", "a request that brings its own secret", "WrongKey", forged, event)
    only = [*sender.headers(), ("X-Hook-Secret", planted)]
    book.invalid(312, "missing_header", "a secret and no signature", "MissingHeader", only, event)


def add_hex_key_text(book):
    sender = book.sender
    event = sender.event()
    text = sender.keys[0][1]
    message = sender.message(event, sender.now_text.encode(), b"")
    for number, key, comment in (
        (310, text.encode(), "signed with the key's text instead of its bytes"),
        (311, text.upper().encode(), "signed with the key's text in upper case"),
    ):
        book.invalid(
            number,
            "signature_mismatch",
            comment,
            "KeyEncoding WrongKey",
            with_tag(sender, mac(sender, key, message)),
            event,
        )
    upper = ((sender.keys[0][0], text.upper()),)
    book.valid(312, "the key in upper case is the same key", "KeyEncoding", sender.delivery(event), event, keys=upper)


def add_adyen_platform(book):
    add_hex_key_text(book)
    sender = book.sender
    event = sender.event()
    unpadded = base64_text(sender.tag(event) + b"\0")
    book.invalid(313, "malformed_header", "44 characters that decode to 33 bytes", "OverlongTag", sender.headers(unpadded), event)


def add_coinbase_commerce(book):
    sender = book.sender
    outer = sender.event(**{"event/id": None, "event/type": None})
    book.valid(
        310,
        "the outer id is the delivery's: it does not replace the event's",
        "EventId EventType",
        sender.delivery(outer),
        outer,
        event_id=None,
        event_type=None,
    )


def add_sentry(book):
    sender = book.sender
    event = sender.event()
    old = [*sender.delivery(event), ("Sentry-Hook-Timestamp", "1")]
    book.valid(310, "an old time in a header that nobody signs and nobody reads", "ModifiedTimestamp", old, event)
    other = sender.headers(mac(sender, sender.key_bytes(0), b"1700000000" + event).hex())
    book.invalid(311, "signature_mismatch", "signed with a timestamp", "ModifiedTimestamp", other, event)


def add_woocommerce(book):
    sender = book.sender
    ping = b"webhook_id=42"
    unsigned = [("Content-Type", "application/x-www-form-urlencoded")]
    book.invalid(310, "missing_header", "the ping of a new webhook, which nobody signs", "MissingHeader", unsigned, ping)
    escaped = mac(sender, sender.key_bytes(0).replace(b"-", b"&#45;"), sender.event())
    book.invalid(
        311,
        "signature_mismatch",
        "signed with the key as HTML entities",
        "KeyEncoding WrongKey",
        with_tag(sender, escaped),
        sender.event(),
    )


def add_close(book):
    add_hex_key_text(book)
    add_unseparated_splice(book)


def add_line(book):
    sender = book.sender
    event = sender.event()
    escaped = event.replace("\U0001f44b".encode(), b"\\ud83d\\udc4b")
    book.invalid(
        310, "signature_mismatch", "an emoji written as escapes after signing", "Reserialised", sender.delivery(event), escaped
    )
    hexed = sender.headers(sender.tag(event).hex())
    book.invalid(311, "malformed_header", "hex of the tag", "TagEncoding", hexed, event)


def add_pagerduty(book):
    sender = book.sender
    event = sender.event()
    good, bad = sender.signature(event), "v1=" + "00" * 32
    book.valid(
        310, "two values joined by a comma are the list that is sent", "JoinedHeader", sender.headers(f"{bad},{good}"), event
    )
    spaced = sender.headers(f"{bad}, {good}")
    book.invalid(
        311, "signature_mismatch", "a comma and a space: the second name starts with the space", "JoinedHeader", spaced, event
    )
    stamped = sender.headers(f"t=1,{good},t=2")
    book.valid(312, "two timestamps are unknown elements here", "SignatureList", stamped, event)


PLAIN_CASES = {
    "bitbucket": add_bitbucket,
    "gitlab": add_gitlab,
    "openai": add_one_version,
    "zoom": add_zoom,
    "square": add_square,
    "hubspot-v3": add_hubspot_v3,
    "intercom": add_intercom,
    "paddle": add_paddle,
    "linear": add_linear,
    "calendly": add_calendly,
    "typeform": add_typeform,
    "zendesk": add_zendesk,
    "asana": add_asana,
    "adyen-platform": add_adyen_platform,
    "coinbase-commerce": add_coinbase_commerce,
    "sentry": add_sentry,
    "woocommerce": add_woocommerce,
    "close": add_close,
    "line": add_line,
    "pagerduty": add_pagerduty,
}
