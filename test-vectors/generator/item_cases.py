"""Adyen's payment notifications: every item inside the body carries its own signature, and no header does."""

import hmac

from .plain_senders import Brief, HexKey, hex_keys
from .senders import base64_text


class AdyenPayments(HexKey, Brief):
    name, syntax = "adyen-payments", "items"
    keys = hex_keys("adyen-payments")
    # In the order in which they are signed: (member, raw JSON, signed text).
    fields = (
        ("pspReference", '"7914073381342284"', "7914073381342284"),
        ("originalReference", '""', ""),
        ("merchantAccountCode", '"TestMerchant"', "TestMerchant"),
        ("merchantReference", '"TestPayment-1407325143704"', "TestPayment-1407325143704"),
        ("amount/value", "1130", "1130"),
        ("amount/currency", '"EUR"', "EUR"),
        ("eventCode", '"AUTHORISATION"', "AUTHORISATION"),
        ("success", '"true"', "true"),
    )

    def item(self, signature="usual", key=0, rest=',"eventDate":"2023-11-14T23:13:20+01:00"', **changed):
        """One item; `changed` has for a field its (raw JSON, signed text), or None to leave it out."""
        rows = [(name, *(changed.get(name, (raw, text)) or (None, ""))) for name, raw, text in self.fields]
        if signature == "usual":
            message = ":".join(text for *_, text in rows).encode()
            signature = f'"{base64_text(self.mac(self.key_bytes(key), message))}"'
        additional = "" if signature is None else f'"hmacSignature":{signature}'
        outer = [f'"{name}":{raw}' for name, raw, _ in rows if raw is not None and "/" not in name]
        amount = [f'"{name.split("/")[1]}":{raw}' for name, raw, _ in rows if raw is not None and "/" in name]
        members = [f'"additionalData":{{{additional}}}', f'"amount":{{{",".join(amount)}}}', *outer]
        return f'{{"NotificationRequestItem":{{{",".join(members)}{rest}}}}}'

    def batch(self, *items):
        return f'{{"live":"false","notificationItems":[{",".join(items)}]}}'.encode()

    def event(self, extra="", **replaced):
        return self.batch(self.item())

    def signature(self, body, ts="usual", key=0):
        return None


def add_adyen_payments(book):
    add_items(book)
    add_item_fields(book)
    add_item_signatures(book)
    add_item_bodies(book)


def add_items(book):
    sender = book.sender
    rows = sender.headers()
    old, new = sender.keys
    first, second = sender.item(), sender.item(**{"pspReference": ('"8814073381342285"', "8814073381342285")})
    wrong = sender.item(key=1)

    def valid(number, comment, flags, body, **rest):
        book.valid(number, comment, flags, rows, body, **rest)

    def invalid(number, reason, comment, flags, body, **rest):
        book.invalid(number, reason, comment, flags, rows, body, **rest)

    valid(310, "one item", "Plain", sender.batch(first))
    valid(311, "two items", "Batch", sender.batch(first, second))
    valid(312, "the same item twice", "Batch", sender.batch(first, first))
    valid(313, "rotation: the second of two keys matches", "Rotation", sender.batch(first), keys=(new, old), key_id=old[0])
    valid(314, "white space in the document", "RawBody", sender.batch(first).replace(b",", b" ,\r\n  "))
    invalid(320, "signature_mismatch", "the second item is signed with another key", "Batch WrongKey", sender.batch(first, wrong))
    invalid(321, "signature_mismatch", "the first item is signed with another key", "Batch WrongKey", sender.batch(wrong, first))
    unsigned = sender.item(signature=None)
    invalid(322, "missing_header", "the second item has no signature", "Batch MissingHeader", sender.batch(first, unsigned))
    invalid(
        323, "missing_header", "an absent signature comes before a wrong one", "Batch RuleOrder", sender.batch(wrong, unsigned)
    )
    undecodable = sender.item(signature='"null"')
    invalid(
        324, "malformed_header", "the last of three signatures cannot be read", "Batch", sender.batch(first, second, undecodable)
    )
    exchanged = sender.batch(first, second).replace(b"7914073381342284", b"x").replace(b"8814073381342285", b"7914073381342284")
    invalid(
        325,
        "signature_mismatch",
        "the items' references exchanged",
        "Batch ModifiedBody",
        exchanged.replace(b'"x"', b'"8814073381342285"'),
    )


def add_item_fields(book):
    sender = book.sender
    rows = sender.headers()
    good = sender.batch(sender.item())

    def valid(number, comment, flags, **changed):
        book.valid(number, comment, flags, rows, sender.batch(sender.item(**changed)))

    valid(330, "a reference to an earlier payment", "Plain", originalReference=('"7914073381342200"', "7914073381342200"))
    valid(331, "absent fields are empty", "Plain", originalReference=None, merchantReference=None)
    valid(332, "no amount", "Plain", **{"amount/value": None, "amount/currency": None})
    valid(333, "an escape inside a field", "RawBody", merchantReference=('"caf\\u00e9 \\/ \\"1\\""', 'caf\u00e9 / "1"'))
    valid(334, "a colon and a backslash are not escaped", "RawBody", merchantReference=('"a:b\\\\c"', "a:b\\c"))
    big = ("9007199254740993", "9007199254740993")
    valid(335, "a number that a double cannot hold", "RawBody", **{"amount/value": big})
    valid(336, "a number with a fraction, as it stands", "RawBody", **{"amount/value": ("10.00", "10.00")})
    valid(337, "a number with an exponent, as it stands", "RawBody", **{"amount/value": ("1e3", "1e3")})
    moved = {"merchantAccountCode": ('"Test"', "TestMerchant"), "merchantReference": ('"Merchant"', "")}
    mismatch = "signature_mismatch"
    book.invalid(338, mismatch, "text moved without its colon", "Splice", rows, sender.batch(sender.item(**moved)))
    colon = good.replace(b'"TestMerchant"', b'"TestMerchant:Test"').replace(b'"TestPayment-1407325143704"', b'"Payment"')
    book.invalid(339, mismatch, "text moved with a colon of its own", "Splice", rows, colon)
    # Nothing marks where a field ends, and nothing else in the item is signed.
    spliced = sender.item(merchantAccountCode=('"A"', "A:B"), merchantReference=('"B:C"', "C"))
    book.valid(
        340,
        "a colon moved from one field into the next: the signed bytes are the same",
        "Splice Malleable",
        rows,
        sender.batch(spliced),
    )
    later = good.replace(b"2023-11-14T23", b"2031-01-01T00")
    book.valid(341, "another date, which nobody signs", "Malleable", rows, later)
    extra = sender.item(rest=',"reason":"forged","paymentMethod":"none"')
    book.valid(342, "other members, which nobody signs", "Malleable", rows, sender.batch(extra))
    for number, old, new in (
        (343, b'"value":1130', b'"value":1131'),
        (344, b'"EUR"', b'"USD"'),
        (345, b'"true"', b'"false"'),
        (346, b"AUTHORISATION", b"CANCELLATION"),
        (347, b'"value":1130', b'"value":1130.0'),
        (348, b'"TestMerchant"', b'"testmerchant"'),
    ):
        comment = f"{old.decode()} became {new.decode()}"
        book.invalid(number, mismatch, comment, "ModifiedBody", rows, good.replace(old, new))


def add_item_signatures(book):
    sender = book.sender
    rows = sender.headers()
    message = ":".join(text for *_, text in sender.fields).encode()
    tag = hmac.digest(sender.key_bytes(0), message, "sha256")
    good = base64_text(tag)

    def refused(number, reason, text, comment, flags):
        raw = text if text.startswith(("[", "{", "1", "n")) else f'"{text}"'
        book.invalid(number, reason, comment, flags, rows, sender.batch(sender.item(signature=raw)))

    malformed, mismatch = "malformed_header", "signature_mismatch"
    refused(350, malformed, "", "an empty signature", "ZipCompare")
    refused(351, malformed, "undefined", "a signature of 'undefined'", "Placeholder")
    refused(352, malformed, good.rstrip("="), "the padding is missing", "Base64Malleability")
    refused(353, malformed, base64_text(tag + b"\0"), "44 characters that decode to 33 bytes", "OverlongTag")
    refused(354, malformed, base64_text(tag[:31]), "one byte cut off", "TruncatedTag")
    refused(355, malformed, tag.hex(), "hex where base64 belongs", "TagEncoding")
    refused(356, malformed, good + "\\n", "a line break at the end", "Base64Malleability")
    refused(357, malformed, f'["{good}"]', "a signature in a list", "TagEncoding")
    refused(358, malformed, "17", "a number", "TagEncoding")
    refused(360, mismatch, base64_text(bytes(32)), "a signature of zero bytes", "ModifiedTag")
    text_key = hmac.digest(sender.keys[0][1].encode(), message, "sha256")
    refused(361, mismatch, base64_text(text_key), "signed with the key's text instead of its bytes", "KeyEncoding WrongKey")
    escaped = hmac.digest(sender.key_bytes(0), message.replace(b"-", b"\\-"), "sha256")
    refused(362, mismatch, base64_text(escaped), "signed over escaped fields", "Reserialised")
    refused(363, mismatch, base64_text(hmac.digest(b"", message, "sha256")), "signed with the empty key", "WrongKey")
    header = [*rows, ("HmacSignature", good)]
    unsigned = sender.batch(sender.item(signature=None))
    book.invalid(364, "missing_header", "a header, as the platform's notifications have it", "MissingHeader", header, unsigned)
    upper = ((sender.keys[0][0], sender.keys[0][1].lower().upper()),)
    book.valid(365, "the key in upper case is the same key", "KeyEncoding", rows, sender.event(), keys=upper)


def add_item_bodies(book):
    sender = book.sender
    rows = sender.headers()
    item = sender.item()
    good = sender.batch(item)
    cases = [
        (370, b"", "an empty body"),
        (371, b'{"live":"false"}', "no items"),
        (372, b'{"notificationItems":[]}', "an empty list of items"),
        (373, b'{"notificationItems":{}}', "items that are no list"),
        (374, b'{"notificationItems":null}', "items of null"),
        (375, good[:-1], "the last brace is missing"),
        (376, good + b"x", "more text after the document"),
        (377, b"\xef\xbb\xbf" + good, "a byte order mark first"),
        (378, good.replace(b"TestMerchant", b"Test\xffMerchant"), "a body that is not UTF-8"),
        (379, good[:-1] + b',"notificationItems":[]}', "the items occur twice"),
        (380, sender.batch(item.replace('"success":', '"success":"false","success":')), "a signed field occurs twice"),
        (381, b"[" + good + b"]", "a document that is no object"),
        (383, sender.batch(sender.item(originalReference=("true", ""))), "an unsigned truth value in a signed field"),
        (384, sender.batch(sender.item(originalReference=('{"of":1}', ""))), "an unsigned object in a signed field"),
    ]
    for number, body, comment in cases:
        book.invalid(number, "malformed_body", comment, "RawBody", rows, body)
    twice = sender.batch(sender.item(rest=',"note":"one","note":"two"'))
    book.valid(382, "a name occurs twice, one that nothing here reads", "RawBody", rows, twice)
    null = sender.batch(sender.item(originalReference=("null", "")))
    book.valid(385, "null in a signed field, as if it were absent", "RawBody", rows, null)


ITEM_SENDERS = [AdyenPayments()]
ITEM_CASES = {"adyen-payments": add_adyen_payments}
