"""Cases from 700 of HTTP message signatures: the algorithms and their keys, and the digest of the body."""

import hashlib
import hmac

from . import message_keys, test_keys
from .document import NOW
from .message_keys import ED25519, HMAC_ONE, HMAC_TWO, P256, RSA_PKCS1, RSA_PSS, Hmac
from .message_senders import CREATED, Pen, byte_sequence
from .message_stage_cases import NOTHING
from .public_key_cases import P256_ORDER, der_of
from .senders import base64_text

ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
ED_KEY = ("message-ed25519", ED25519.pem)
EC_KEY = ("message-p256", P256.pem)
RSA_KEY = ("message-rsa", RSA_PSS.pem)
MALFORMED, MISMATCH = "malformed_header", "signature_mismatch"


def add_message_keys(book):
    pen = Pen(book)
    add_algorithms(pen)
    add_ed25519(pen)
    add_ecdsa(pen)
    add_rsa(pen)
    add_digests(pen)
    add_uncovered_digests(pen)


def with_signer(pen, signer, parameters=CREATED):
    return pen.rows(pen.usual(parameters, signer=signer))


def add_algorithms(pen):
    flags = "PublicKey Algorithm"
    kinds = [
        (HMAC_ONE, pen.sender.keys[0], "hmac-sha256"),
        (ED25519, ED_KEY, "ed25519"),
        (P256, EC_KEY, "ecdsa-p256-sha256"),
        (RSA_PSS, RSA_KEY, "rsa-pss-sha512"),
        (RSA_PKCS1, RSA_KEY, "rsa-v1_5-sha256"),
    ]
    ring = tuple(key for _, key, _ in kinds[:4])
    for number, (signer, key, name) in enumerate(kinds, 700):
        options = {"algorithm": name} if name == "rsa-v1_5-sha256" else {}
        pen.valid(
            number, f"{name}, told by the key", flags, with_signer(pen, signer), keys=(key,), key_id=key[0], options=options
        )
        rows = with_signer(pen, signer, f'{CREATED};alg="{name}"')
        told = {"algorithm": name}
        pen.valid(number + 5, f"{name}, told by the option and by alg", flags, rows, keys=(key,), key_id=key[0], options=told)
    for number, (signer, key, name) in enumerate(kinds[:4], 710):
        rows = with_signer(pen, signer)
        pen.valid(number, f"four keys of four kinds: {name}", flags + " Rotation", rows, keys=ring[::-1], key_id=key[0])
    for number, name in enumerate(("ed25519", "hmac-sha512", "HMAC-SHA256", "hs2019", "none", ""), 714):
        rows = with_signer(pen, HMAC_ONE, f'{CREATED};alg="{name}"')
        pen.invalid(number, MISMATCH, f"a good HMAC-SHA256 with alg {name!r}", "Algorithm", rows, keys=ring)
    rows = with_signer(pen, RSA_PSS, f'{CREATED};alg="rsa-v1_5-sha256"')
    pen.invalid(720, MISMATCH, "a good rsa-pss-sha512 with the other algorithm of RSA as alg", flags, rows, keys=(RSA_KEY,))
    rows = with_signer(pen, RSA_PKCS1, f'{CREATED};alg="rsa-v1_5-sha256"')
    pen.invalid(721, MISMATCH, "rsa-v1_5-sha256 chosen by alg, not by the receiver", flags, rows, keys=(RSA_KEY,))
    rows = with_signer(pen, Hmac(ED_KEY[1].encode()))
    pen.invalid(722, MALFORMED, "an HMAC whose key is the public key's text", flags, rows, keys=(ED_KEY,))
    both = (ED_KEY, pen.sender.keys[0])
    pen.invalid(723, MISMATCH, "the same beside a configured HMAC key", flags, rows, keys=both)
    rows = with_signer(pen, Hmac(ED_KEY[1].encode()), f'{CREATED};alg="hmac-sha256";keyid="{ED_KEY[0]}"')
    pen.invalid(724, MISMATCH, "the same, with alg and keyid", flags, rows, keys=both)
    rows = with_signer(pen, ED25519)
    pen.invalid(725, MISMATCH, "64 bytes, and the only such key is ECDSA", flags, rows, keys=(EC_KEY,))
    pen.invalid(726, MALFORMED, "64 bytes, and the only key is HMAC", flags, rows)
    spaced = b"test-only-http-message\xfb\xff\xbesignatures"
    key = ("message-bytes", base64_text(spaced))
    rows = with_signer(pen, Hmac(spaced))
    pen.valid(727, "a key whose base64 has both symbols and padding", "KeyEncoding", rows, keys=(key,), key_id=key[0])
    long = b"test-only-http-message-signatures-" * 9
    key = ("message-long", base64_text(long))
    rows = with_signer(pen, Hmac(long))
    pen.valid(728, "a key that is longer than a block of SHA-256", "KeyEncoding", rows, keys=(key,), key_id=key[0])


def add_ed25519(pen):
    flags = "PublicKey ModifiedTag"

    def invalid(number, change, comment, reason=MISMATCH):
        rows = with_signer(pen, lambda base: change(ED25519(base)))
        pen.invalid(number, reason, comment, flags, rows, keys=(ED_KEY,))

    invalid(730, lambda tag: bytes([tag[0] ^ 1]) + tag[1:], "one bit of R flipped")
    invalid(731, lambda tag: tag[:-1] + bytes([tag[-1] ^ 1]), "one bit of S flipped")
    invalid(732, lambda tag: tag[:32] + to_little(from_little(tag[32:]) + ED25519_ORDER), "S plus the group order")
    invalid(733, lambda tag: bytes(64), "zero bytes")
    invalid(734, lambda tag: b"\1" + bytes(63), "R is the neutral element, S is zero")
    invalid(735, lambda tag: tag[:-1], "one byte cut off", MALFORMED)
    invalid(736, lambda tag: tag + b"\0", "one byte too many", MALFORMED)
    prehashed = with_signer(pen, lambda base: ED25519(hashlib.sha512(base).digest()))
    pen.invalid(737, MISMATCH, "the hash of the signature base signed", "PublicKey Algorithm", prehashed, keys=(ED_KEY,))


def from_little(data):
    return int.from_bytes(data, "little")


def to_little(number):
    return number.to_bytes(32, "little")


def add_ecdsa(pen):
    flags = "PublicKey"

    def rows(change):
        def sign(base):
            tag = P256(base)
            return change(*(int.from_bytes(half, "big") for half in (tag[:32], tag[32:])))

        return with_signer(pen, sign)

    def fixed(r, s):
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    for number, pick, comment in ((740, max, "S in the upper half"), (741, min, "S in the lower half")):
        both = rows(lambda r, s, pick=pick: fixed(r, pick(s, P256_ORDER - s)))
        pen.valid(number, f"{comment}: senders write both", flags, both, keys=(EC_KEY,), key_id=EC_KEY[0])
    cases = [
        (lambda r, s: fixed(r ^ 1, s), MISMATCH, "one bit of r flipped", "ModifiedTag"),
        (lambda r, s: fixed(0, 0), MISMATCH, "r and s of zero", "ModifiedTag"),
        (lambda r, s: fixed(r, 0), MISMATCH, "s of zero", "ModifiedTag"),
        (lambda r, s: fixed(s, r), MISMATCH, "r and s exchanged", "ModifiedTag"),
        (lambda r, s: fixed(P256_ORDER, s), MISMATCH, "r is the group order", "ModifiedTag"),
        (lambda r, s: b"\xff" * 64, MISMATCH, "r and s above the group order", "ModifiedTag"),
        (der_of, MALFORMED, "DER instead of 64 bytes", "TagEncoding"),
        (lambda r, s: fixed(r, s)[:-1], MALFORMED, "one byte cut off", "TruncatedTag"),
        (lambda r, s: b"\4" + fixed(r, s), MALFORMED, "one byte too many", "OverlongTag"),
    ]
    for number, (change, reason, comment, more) in enumerate(cases, 742):
        pen.invalid(number, reason, comment, f"{flags} {more}", rows(change), keys=(EC_KEY,))
    certificate = ("message-p256-certificate", message_keys.P256_CERTIFICATE)
    rows = with_signer(pen, P256)
    pen.valid(751, "the key in a certificate", "PublicKey KeyEncoding", rows, keys=(certificate,), key_id=certificate[0])


def add_rsa(pen):
    flags, key = "PublicKey", message_keys.RSA_KEY
    certificate = ("message-rsa-certificate", message_keys.RSA_CERTIFICATE)
    pss, pkcs1 = with_signer(pen, RSA_PSS), with_signer(pen, RSA_PKCS1)
    encoding = "PublicKey KeyEncoding"
    pen.valid(760, "the key in a certificate", encoding, pss, keys=(certificate,), key_id=certificate[0])
    old = {"algorithm": "rsa-v1_5-sha256"}
    told = (certificate, "the key in a certificate, with rsa-v1_5-sha256")
    pen.valid(762, told[1], encoding, pkcs1, keys=(certificate,), key_id=certificate[0], options=old)

    def salted(length, name="sha512"):
        return with_signer(
            pen, lambda base: message_keys.sign_pss_with_salt(key, base, b"test-only-salt!!" * (length // 16), name)
        )

    pen.valid(763, "another salt", "PublicKey", salted(64), keys=(RSA_KEY,), key_id=RSA_KEY[0])
    cases = [
        (salted(0), "no salt"),
        (salted(32), "a salt of 32 bytes"),
        (salted(128), "a salt of 128 bytes"),
        (salted(64, "sha256"), "PSS with SHA-256 and a salt of 64 bytes"),
        (salted(32, "sha256"), "PSS with SHA-256 and a salt of 32 bytes"),
        (pkcs1, "a good rsa-v1_5-sha256"),
        (with_signer(pen, lambda base: test_keys.sign_rsa(test_keys.rsa(test_keys.RSA_TWO), base)), "another key"),
        (with_signer(pen, lambda base: (1).to_bytes(256, "big")), "the number one"),
        (with_signer(pen, lambda base: b"\xff" * 256), "a number above the modulus"),
        (with_signer(pen, lambda base: b"\0" + RSA_PSS(base)), "a zero byte before a good signature"),
        (with_signer(pen, lambda base: RSA_PSS(base)[:-1]), "one byte cut off"),
        (with_signer(pen, lambda base: b"\1"), "one byte"),
        (with_signer(pen, lambda base: bytes(512)), "512 zero bytes"),
    ]
    for number, (rows, comment) in enumerate(cases, 764):
        pen.invalid(number, MISMATCH, comment, f"{flags} Algorithm", rows, keys=(RSA_KEY,))
    long = with_signer(pen, lambda base: bytes(513))
    pen.invalid(777, MALFORMED, "513 bytes", f"{flags} Limit", long, keys=(RSA_KEY,))
    empty, longest = with_signer(pen, lambda base: b""), with_signer(pen, lambda base: bytes(512))
    pen.invalid(781, MALFORMED, "an empty signature", f"{flags} ZipCompare", empty, keys=(RSA_KEY,))
    more = f"{flags} Limit"
    pen.invalid(782, MALFORMED, "an empty signature, with rsa-v1_5-sha256", more, empty, keys=(RSA_KEY,), options=old)
    pen.invalid(783, MALFORMED, "513 bytes, with rsa-v1_5-sha256", more, long, keys=(RSA_KEY,), options=old)
    pen.invalid(784, MISMATCH, "512 zero bytes, with rsa-v1_5-sha256", more, longest, keys=(RSA_KEY,), options=old)
    one = with_signer(pen, lambda base: b"\1")
    pen.invalid(785, MISMATCH, "one byte, with rsa-v1_5-sha256", more, one, keys=(RSA_KEY,), options=old)
    pen.invalid(
        778, MISMATCH, "a good rsa-pss-sha512 where the other is wanted", f"{flags} Algorithm", pss, keys=(RSA_KEY,), options=old
    )
    sha1 = with_signer(pen, lambda base: test_keys.sign_rsa_sha1(key, base))
    pen.invalid(779, MISMATCH, "PKCS#1 v1.5 with SHA-1", f"{flags} Algorithm", sha1, keys=(RSA_KEY,), options=old)
    keyed = with_signer(pen, lambda base: hmac.digest(RSA_KEY[1].encode(), base, "sha256"))
    pen.invalid(780, MISMATCH, "an HMAC whose key is the public key's text", f"{flags} Algorithm", keyed, keys=(RSA_KEY,))


def digests_of(body):
    sha256, sha512, md5 = (byte_sequence(hashlib.new(name, body).digest()) for name in ("sha256", "sha512", "md5"))
    return sha256, sha512, md5


def covering(pen, digest):
    method, target, _ = pen.sender.lines(pen.event)
    return pen.rows(pen.sender.label([method, target, ('"content-digest"', digest)]), digest=digest)


def add_digests(pen):
    flags, mismatch = "BodyDigest", "digest_mismatch"
    sha256, sha512, md5 = digests_of(pen.event)
    other256, other512, _ = digests_of(b"another body")
    valid = [
        (f"sha-512={sha512}", "SHA-512"),
        (f"sha-256={sha256}, sha-512={sha512}", "SHA-256 and SHA-512"),
        (f"md5={md5}, sha-256={sha256}", "an algorithm more that does not count"),
        (f"md5=:AAAA:,sha-256={sha256},adler=::", "wrong values of algorithms that do not count"),
        (f"sha-256={sha256};a=1;b", "parameters of a digest"),
        (f"sha-256={other256},   sha-256={sha256}", "a digest twice: the last one counts"),
    ]
    for number, (digest, comment) in enumerate(valid, 800):
        pen.valid(number, comment, flags, covering(pen, digest))
    hexed = hashlib.sha256(pen.event).hexdigest()
    refused = [
        (f"sha-256={other256}", mismatch, "the digest of another body"),
        (f"sha-256={sha256}, sha-512={other512}", mismatch, "the second of two digests is wrong"),
        (f"sha-256={other256}, sha-512={sha512}", mismatch, "the first of two digests is wrong"),
        (f"sha-256={sha256}, sha-256={other256}", mismatch, "a digest twice: the first one is gone"),
        (f"sha-256={sha512}", mismatch, "the SHA-512 under the other name"),
        (f"sha-256={byte_sequence(hashlib.sha256(pen.event).digest()[:31])}", mismatch, "one byte cut off the digest"),
        ("sha-256=::", mismatch, "an empty digest"),
        (f"sha-256={byte_sequence(hexed.encode())}", mismatch, "the hex of the digest, as bytes"),
        (f"sha-512={byte_sequence(hashlib.sha512(pen.event).digest()[:32])}", mismatch, "the first half of the SHA-512"),
        (f"md5={md5}", mismatch, "only an algorithm that does not count"),
        (f"sha={byte_sequence(hashlib.sha1(pen.event).digest())}", mismatch, "only SHA-1"),
        (f"sha256={sha256}", mismatch, "a name without its hyphen"),
        ("", mismatch, "an empty Content-Digest"),
        (f"SHA-256={sha256}", MALFORMED, "the name in upper case"),
        (f"sha-256={sha256[1:-1]}", MALFORMED, "no colons"),
        (f'sha-256="{sha256[1:-1]}"', MALFORMED, "a string"),
        (f"sha-256=({sha256})", MALFORMED, "a list"),
        ("sha-256", MALFORMED, "a name alone"),
        (f"sha-256={sha256}, md5", MALFORMED, "a member that is no byte sequence, of a name that does not count"),
        (f"sha-256={sha256},", MALFORMED, "a comma at the end"),
        (f"sha-256={sha256[:-2]}:", MALFORMED, "the padding is missing"),
        (f"sha-256={sha256},\tmd5={md5}", MALFORMED, "a tab, which RFC 8941 would allow"),
    ]
    for number, (digest, reason, comment) in enumerate(refused, 806):
        pen.invalid(number, reason, comment, flags, covering(pen, digest))
    good = covering(pen, f"sha-256={sha256}")
    changed = pen.event.replace(b"ada@", b"eve@")
    pen.invalid(830, mismatch, "another body", "BodyDigest ModifiedBody", good, body=changed)
    pen.invalid(831, mismatch, "a newline added to the body", "BodyDigest ModifiedBody", good, body=pen.event + b"\n")
    spaced = pen.event.replace(b'":', b'": ')
    pen.invalid(832, mismatch, "the body printed again", "BodyDigest Reserialised", good, body=spaced)
    pen.invalid(833, mismatch, "no body", "BodyDigest ModifiedBody", good, body=b"")
    replaced = [row if row[0] != "Content-Digest" else (row[0], pen.sender.digest(changed)) for row in good]
    pen.invalid(834, MISMATCH, "another body and its digest", "BodyDigest ModifiedBody", replaced, body=changed)


def add_uncovered_digests(pen):
    flags = "BodyDigest"
    label = pen.sender.label([('"@method"', "POST")])
    good, other = pen.sender.digest(pen.event), pen.sender.digest(b"another body")

    def rows(digest, *labels):
        return pen.rows(*(labels or (label,)), digest=digest)

    pen.valid(840, "a digest that is not covered", flags, rows(good), options=NOTHING)
    pen.valid(841, "no digest where none is required", flags, rows(None), options=NOTHING)
    unbound = "another body, which nothing binds: nobody required it"
    pen.valid(842, unbound, flags + " Malleable", rows(None), body=b"another body", options=NOTHING)
    pen.valid(
        843,
        "another body and its digest, neither bound",
        flags + " Malleable",
        rows(other),
        body=b"another body",
        options=NOTHING,
    )
    refused = [
        (other, "digest_mismatch", "a digest of another body, not covered"),
        ("md5=:AAAA:", "digest_mismatch", "none that counts, not covered"),
        ("null", MALFORMED, "a digest that cannot be read, not covered"),
        (good + ";a=\u00c3\u00a9", MALFORMED, "a digest that is not ASCII, not covered"),
    ]
    for number, (digest, reason, comment) in enumerate(refused, 844):
        pen.invalid(number, reason, comment, flags, rows(digest), options=NOTHING)
    wrong = pen.sender.label([('"@method"', "POST")], signer=HMAC_TWO)
    for number, digest in ((848, other), (849, "null")):
        comment = f"the signature comes before the digest {digest[:8]!r}"
        pen.invalid(number, MISMATCH, comment, flags + " RuleOrder", rows(digest, wrong), options=NOTHING)
    second = pen.sender.label([('"@method"', "POST")], f";created={NOW + 1}", name="sig2")
    pen.invalid(
        850,
        "digest_mismatch",
        "two good labels do not make the digest good",
        flags + " Labels",
        rows(other, label, second),
        options=NOTHING,
    )
    covered = pen.usual(name="sig2")
    mixed = pen.rows(label, covered, digest=good)
    pen.valid(851, "the digest is covered by the second label only", flags + " Labels", mixed)
    legacy = [*pen.rows(pen.usual()), ("Digest", "SHA-256=AAAA"), ("Repr-Digest", "sha-256=:AAAA:"), ("Content-MD5", "AAAA")]
    pen.valid(852, "wrong digests in other headers, which nobody reads", flags, legacy)
