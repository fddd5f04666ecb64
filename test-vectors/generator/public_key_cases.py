"""Cases from 300 of SendGrid and PayPal; those of Plaid have a module of their own."""

import hmac
import zlib

from . import test_keys
from .common_cases import with_tag
from .family_cases import add_required_headers
from .plaid_cases import add_plaid
from .senders import base64_text
from .splice_cases import add_unseparated_splice

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def add_sendgrid(book):
    add_unseparated_splice(book)
    sender = book.sender
    event = sender.event()
    der = sender.tag(event)
    raw = test_keys.raw_signature(der)
    r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
    negated = P256_ORDER - s
    flags, mismatch = "PublicKey", "signature_mismatch"
    trimmed = event.rstrip(b"\r\n")
    book.invalid(310, mismatch, "the line break at the end trimmed", "RawBody PublicKey", sender.delivery(event), trimmed)
    for number, value, comment in ((311, max(s, negated), "S in the upper half"), (312, min(s, negated), "S in the lower half")):
        both = f"{comment}: providers send both"
        book.valid(number, both, flags, with_tag(sender, der_of(r, value)), event)
    bare = sender.mac(sender.key_bytes(0), event)
    keyed = hmac.digest(sender.configured_bytes(0), sender.now_text.encode() + event, "sha256")
    # All of these are 8 to 72 bytes: no form that could be refused before the comparison.
    cases = [
        (330, raw, "r and s without DER", "TagEncoding"),
        (331, der_of(0, 0), "r and s of zero", "ModifiedTag"),
        (332, der_of(r, 0), "s of zero", "ModifiedTag"),
        (333, der_of(r + P256_ORDER, s), "r plus the group order", "ModifiedTag"),
        (334, padded_der(r, s), "a zero byte before r, which DER does not have", "TagEncoding"),
        (335, long_length(der), "a length in the long form, which DER does not have", "TagEncoding"),
        (336, bare, "the body signed without its timestamp", "ModifiedTimestamp"),
        (337, keyed, "an HMAC whose key is the public key", "Algorithm"),
        (338, bytes(72), "72 zero bytes", "Limit"),
        (339, bytes(8), "8 zero bytes", "Limit"),
    ]
    for number, data, comment, more in cases:
        book.invalid(number, mismatch, comment, f"{flags} {more}", with_tag(sender, data), event)
    for number, data, comment in ((340, bytes(7), "7 bytes"), (341, bytes(73), "73 bytes")):
        book.invalid(number, "malformed_header", comment, f"{flags} Limit", with_tag(sender, data), event)


def der_of(r, s):
    return sequence(integer(r) + integer(s))


def padded_der(r, s):
    body = integer(r)[2:]
    return sequence(b"\x02" + bytes([len(body) + 1]) + b"\0" + body + integer(s))


def long_length(der):
    return der[:1] + b"\x81" + der[1:]


def sequence(content):
    return b"\x30" + bytes([len(content)]) + content


def integer(number):
    data = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return b"\x02" + bytes([len(data)]) + data


def add_paypal(book):
    sender = book.sender
    event = sender.event()
    good = sender.delivery(event)
    ts, event_id = sender.now_text.encode(), sender.event_id.encode()
    flags, mismatch = "PublicKey", "signature_mismatch"

    def signed(message, key=None):
        return with_tag(sender, sender.mac(key or sender.key_bytes(0), message))

    other = sender.message(event, ts, event_id, webhook_id="9OTHERWEBHOOK999W")
    book.invalid(310, mismatch, "signed for another webhook id", "Configuration", signed(other), event)
    options = {"webhook_id": "9OTHERWEBHOOK999W"}
    book.invalid(311, mismatch, "a delivery of another webhook", "Configuration", good, event, options=options)
    book.valid(312, "another webhook id, configured and signed", "Configuration", signed(other), event, options=options)
    body = with_crc(b'{"event_type":"FORGED","resource":{"amount":{"value":"0.01"}}} ', zlib.crc32(event))
    book.valid(313, "another body of the same CRC-32: the signature cannot tell", "Malleable", good, body, event_type=None)
    crc = b"%x" % zlib.crc32(event)
    hexed = sender.message(event, ts, event_id).rpartition(b"|")[0] + b"|" + crc
    book.invalid(314, mismatch, "the CRC-32 in hex", "Algorithm", signed(hexed), event)
    book.invalid(315, mismatch, "the body signed alone", "Algorithm", signed(event), event)
    strangers = [row if row[0] != "PAYPAL-CERT-URL" else (row[0], "https://attacker.example/cert.pem") for row in good]
    book.valid(316, "another address of the certificate, which nobody reads", "Algorithm", strangers, event)
    for number, wanted, comment in (
        (317, 7, "a CRC-32 of one digit: no zeros before it"),
        (318, 0x8000_0001, "a CRC-32 above 31 bits: no sign before it"),
    ):
        body = with_crc(event, wanted)
        book.valid(number, comment, "RawBody", sender.delivery(body), body, event_type=None)
    add_paypal_ids(book, event, signed)
    add_required_headers(book, "PAYPAL-AUTH-ALGO", "SHA256withRSA", ("SHA1withRSA", "sha256withrsa", "", "none"), 330)
    add_paypal_keys(book, event, flags)
    key, message = sender.key_bytes(0), sender.message(event, ts, event_id)
    weak = test_keys.sign_rsa_sha1(key, message)
    keyed = hmac.digest(sender.configured_bytes(0), message, "sha256")
    small = (1).to_bytes(256, "big")
    for number, data, comment, more in (
        (350, weak, "a good signature with SHA-1", "Algorithm"),
        (351, keyed, "an HMAC whose key is the certificate's text", "Algorithm"),
        (352, small, "the number one", "ModifiedTag"),
        (353, b"\xff" * 256, "a number above the modulus", "ModifiedTag"),
        (354, bytes(512), "512 zero bytes", "Limit"),
    ):
        book.invalid(number, mismatch, comment, f"{flags} {more}", with_tag(sender, data), event)
    book.invalid(355, "malformed_header", "513 bytes", f"{flags} Limit", with_tag(sender, bytes(513)), event)


def add_paypal_ids(book, event, signed):
    sender = book.sender
    ts = sender.now_text.encode()
    good = sender.signature(event)
    absent = sender.headers(good, event_id=None)
    book.invalid(320, "missing_header", "no transmission id", "EventId MissingHeader", absent, event)
    other = sender.headers(good, event_id="071f7d20-1584-11e7-abf0-000000000002")
    book.invalid(321, "signature_mismatch", "another id on a captured delivery", "EventId", other, event)
    for number, event_id, comment in (
        (322, "", "an empty id"),
        (323, "a" * 257, "an id of 257 characters"),
        (324, f"id|{sender.now_text}", "a bar in the id would let the time move into it"),
    ):
        tag = sender.mac(sender.key_bytes(0), sender.message(event, ts, event_id.encode()))
        headers = sender.headers(sender.encode(tag), event_id=event_id)
        book.invalid(number, "malformed_id", comment, "EventId Splice", headers, event)


def add_paypal_keys(book, event, flags):
    sender = book.sender
    good = sender.delivery(event)
    private = sender.private_keys[0]
    name = sender.keys[0][0]
    pem, spki = test_keys.public_pem(private), base64_text(test_keys.spki(private))
    book.valid(340, "the key as a PEM public key", flags + " KeyEncoding", good, event, keys=((name, pem),))
    book.valid(341, "the key as base64", flags + " KeyEncoding", good, event, keys=((name, spki),))
    large = (("paypal-large", base64_text(test_keys.spki(sender.stranger))),)
    message = sender.message(event, sender.now_text.encode(), sender.event_id.encode())
    headers = with_tag(sender, sender.mac(sender.stranger, message))
    book.valid(342, "a signature of 512 bytes", flags + " Limit", headers, event, keys=large, key_id=large[0][0])


def with_crc(body, wanted):
    """The body with four bytes more, so that its CRC-32 is the wanted one."""
    table = [crc_table_entry(byte) for byte in range(256)]
    top = {entry >> 24: place for place, entry in enumerate(table)}
    state, places = wanted ^ 0xFFFFFFFF, []
    for _ in range(4):
        place = top[state >> 24]
        places.append(place)
        state = ((state ^ table[place]) << 8) & 0xFFFFFFFF
    state = zlib.crc32(body) ^ 0xFFFFFFFF
    for place in reversed(places):
        byte = (state ^ place) & 0xFF
        body += bytes([byte])
        state = table[place] ^ (state >> 8)
    if zlib.crc32(body) != wanted:
        raise ValueError("the four bytes do not fit")
    return body


def crc_table_entry(byte):
    for _ in range(8):
        byte = byte >> 1 ^ (0xEDB88320 if byte & 1 else 0)
    return byte


PUBLIC_KEY_CASES = {"sendgrid": add_sendgrid, "paypal": add_paypal, "plaid": add_plaid}
