"""Cases from 300 of Plaid: a JSON Web Token whose claims name the time and the body's digest."""

import hmac
import json

from . import test_keys
from .document import NOW
from .public_key_senders import base64url, jwk_text


def add_plaid(book):
    add_plaid_presence(book)
    add_plaid_tokens(book)
    add_plaid_keys(book)
    add_plaid_claims(book)


def add_plaid_presence(book):
    sender = book.sender
    event = sender.event()
    good = sender.signature(event)
    bad = sender.token(sender.jose(), sender.claims(b"other"))
    book.valid(
        310, "header names in upper case", "HeaderCase", [(name.upper(), value) for name, value in sender.delivery(event)], event
    )
    book.invalid(311, "missing_header", "no token", "MissingHeader", sender.headers(), event)
    for number, text in ((312, ""), (313, "undefined"), (314, "null"), (315, ".."), (316, "a.b"), (317, good + ".e30")):
        book.invalid(number, "malformed_header", f"the header holds {text[:12]!r}", "Placeholder", sender.headers(text), event)
    for number, rows in ((318, (good, bad)), (319, (bad, good)), (320, (good, good))):
        book.invalid(number, "duplicate_header", "two tokens", "DuplicateHeader", sender.headers(*rows), event)
    joined = sender.headers(f"{good}, {bad}")
    book.invalid(321, "malformed_header", "two tokens joined by a comma", "JoinedHeader", joined, event)
    bearer = sender.headers(f"Bearer {good}")
    book.invalid(322, "malformed_header", "a prefix where none belongs", "Prefix", bearer, event)
    book.invalid(323, "malformed_header", "bytes outside ASCII", "NonAscii", sender.headers(good + "\u00c3\u00a9"), event)


def add_plaid_tokens(book):
    sender = book.sender
    event = sender.event()
    claims = sender.claims(event)
    signed, _, signature = sender.signature(event).rpartition(".")

    def malformed(number, token, comment, flags):
        book.invalid(number, "malformed_header", comment, flags, sender.headers(token), event)

    def unsigned(**changed):
        parts = (json.dumps(sender.jose(**changed)), json.dumps(claims))
        return ".".join(base64url(part.encode()) for part in parts)

    none = unsigned(alg="none")
    malformed(330, none + ".", "the algorithm none, without a signature", "Algorithm ZipCompare")
    malformed(331, f"{none}.{signature}", "the algorithm none, beside a signature", "Algorithm")
    confused = unsigned(alg="HS256")
    mac = hmac.digest(sender.keys[0][1].encode(), confused.encode(), "sha256")
    malformed(332, f"{confused}.{base64url(mac)}", "HS256 with the public key's text as the key", "Algorithm")
    malformed(333, f"{unsigned(alg='RS256')}.{signature}", "RS256", "Algorithm")
    malformed(334, sender.token(sender.jose(alg="es256"), claims), "the algorithm in lower case", "Algorithm")
    malformed(335, sender.token({"kid": sender.kids[0], "typ": "JWT"}, claims), "no algorithm", "Algorithm")
    twice = f'{{"alg":"none","alg":"ES256","kid":"{sender.kids[0]}"}}'
    malformed(336, sender.token(twice, claims), "two algorithms", "Algorithm")
    malformed(337, sender.token("not JSON", claims), "a header that is not JSON", "RawBody")
    malformed(338, sender.token("[]", claims), "a header that is no object", "RawBody")
    malformed(339, signed + ".", "no signature", "ZipCompare")
    malformed(340, f"{signed}.{signature[:-2]}", "one byte cut off", "TruncatedTag")
    malformed(341, f"{signed}.{base64url(test_keys.sign_ecdsa(sender.private_keys[0], signed.encode()))}", "DER", "TagEncoding")
    malformed(342, f"{signed}.{signature}==", "padding", "Base64Malleability")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet[alphabet.index(signature[-1]) + 1]
    malformed(343, f"{signed}.{signature[:-1]}{last}", "an unused bit of the last symbol is set", "Base64Malleability")
    malformed(344, f"{signed}.+{signature[1:]}", "the standard alphabet", "Base64Malleability")
    malformed(345, f"{signed}.{signature[:9]} {signature[9:]}", "a space inside", "Base64Malleability")
    zero = f"{signed}.{base64url(bytes(64))}"
    mismatch, flags = "signature_mismatch", "PublicKey ModifiedTag"
    book.invalid(350, mismatch, "r and s of zero", flags, sender.headers(zero), event)
    raw = bytearray(test_keys.sign_es256(sender.private_keys[0], signed.encode()))
    raw[0] ^= 1
    flipped = f"{signed}.{base64url(bytes(raw))}"
    book.invalid(351, mismatch, "one bit of the signature flipped", flags, sender.headers(flipped), event)
    later = base64url(json.dumps({**claims, "iat": NOW + 1}).encode())
    moved = f"{signed.split('.')[0]}.{later}.{signature}"
    book.invalid(352, mismatch, "other claims under a captured signature", "ModifiedTimestamp", sender.headers(moved), event)


def add_plaid_keys(book):
    sender = book.sender
    event = sender.event()
    claims = sender.claims(event)
    old, new = sender.keys
    second = sender.headers(sender.signature(event, key=1))
    mismatch = "signature_mismatch"
    book.valid(353, "two keys: the token names the second", "Rotation", second, event, keys=(old, new), key_id=new[0])
    book.invalid(354, mismatch, "the named key is not configured", "WrongKey", second, event)
    crossed = sender.headers(sender.token(sender.jose(1), claims))
    book.invalid(
        355, mismatch, "signed with a key that the token does not name", "WrongKey Rotation", crossed, event, keys=(old, new)
    )
    stranger = sender.headers(sender.token(sender.jose(), claims, sender.stranger))
    book.invalid(356, mismatch, "signed with a key that is not configured", "WrongKey", stranger, event)
    nameless = sender.headers(sender.token({"alg": "ES256"}, claims))
    book.invalid(357, mismatch, "no key is named", "WrongKey", nameless, event)
    brought = sender.jose(kid="attacker", jwk=json.loads(jwk_text(sender.stranger, "attacker")))
    own = sender.headers(sender.token(brought, claims, sender.stranger))
    book.invalid(358, mismatch, "a token that brings its own key", "WrongKey", own, event)
    bare = ((old[0], jwk_text(sender.private_keys[0], None)),)
    book.valid(359, "a key without a name of its own goes by its id", "KeyEncoding", sender.delivery(event), event, keys=bare)
    renamed = (("plaid-first", old[1]),)
    book.valid(
        360, "a key goes by the name inside it", "KeyEncoding", sender.delivery(event), event, keys=renamed, key_id="plaid-first"
    )


def add_plaid_claims(book):
    sender = book.sender
    event = sender.event()

    def headers(**changed):
        claims = {name: value for name, value in {**sender.claims(event), **changed}.items() if value != "absent"}
        return sender.headers(sender.token(sender.jose(), claims))

    for number, offset, reason in (
        (400, -300, None),
        (401, -301, "timestamp_too_old"),
        (402, 300, None),
        (403, 301, "timestamp_too_new"),
    ):
        comment = f"issued {abs(offset)} s {'ago' if offset < 0 else 'ahead'}"
        if reason:
            book.invalid(number, reason, comment, "Window", headers(iat=NOW + offset), event)
        else:
            book.valid(number, comment, "Window", headers(iat=NOW + offset), event, timestamp=NOW + offset)
    narrow = {"tolerance_seconds": 60}
    edge = headers(iat=NOW - 60)
    book.valid(404, "a tolerance of 60 s: the edge", "Tolerance Window", edge, event, timestamp=NOW - 60, options=narrow)
    past = headers(iat=NOW - 61)
    book.invalid(
        405, "timestamp_too_old", "a tolerance of 60 s: one second past it", "Tolerance Window", past, event, options=narrow
    )
    book.invalid(406, "missing_timestamp", "no time of issue", "TimestampForm", headers(iat="absent"), event)
    book.invalid(407, "missing_timestamp", "a time of issue of null", "TimestampForm", headers(iat=None), event)
    for number, value in (
        (408, True),
        (409, NOW + 0.5),
        (410, NOW * 1000),
        (411, -NOW),
        (412, "yesterday"),
        (413, 0),
        (414, 2**63),
    ):
        comment = f"a time of issue of {json.dumps(value)}"
        book.invalid(number, "malformed_timestamp", comment, "TimestampForm", headers(iat=value), event)
    digest = sender.claims(event)["request_body_sha256"]
    mismatch, flags = "digest_mismatch", "BodyDigest"
    book.invalid(
        420, mismatch, "another body", flags + " ModifiedBody", sender.delivery(event), event.replace(b"sandbox", b"sandbot")
    )
    compact = json.dumps(json.loads(event), separators=(",", ":")).encode()
    book.invalid(421, mismatch, "the body printed again without spaces", flags + " Reserialised", sender.delivery(event), compact)
    for number, value, comment in (
        (422, "absent", "no digest"),
        (423, digest.upper(), "the digest in upper case"),
        (424, digest[:-2], "one byte cut off the digest"),
        (425, "", "an empty digest"),
        (426, [digest], "the digest in a list"),
        (427, None, "a digest of null"),
    ):
        book.invalid(number, mismatch, comment, flags, headers(request_body_sha256=value), event)
    stale = headers(iat=NOW - 301, request_body_sha256="0")
    book.invalid(428, "timestamp_too_old", "the window comes before the digest", "BodyDigest RuleOrder", stale, event)
    captured = sender.headers(sender.token(sender.jose(), sender.claims(b"other"), sender.stranger))
    book.invalid(429, "signature_mismatch", "the signature comes before the digest", "BodyDigest RuleOrder", captured, event)
