"""Ed25519 as RFC 8032 section 5.1 defines it, written to be read rather than to be fast.

For known answers only: nothing here runs in constant time, so never sign with a key that matters.
"""

import hashlib

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def public_key(seed):
    """The 32-byte public key of a 32-byte seed."""
    scalar, _ = expand(seed)
    return compress(multiply(scalar, BASE))


def sign(seed, message):
    """The 64-byte signature R || S."""
    scalar, prefix = expand(seed)
    nonce = digest_to_int(prefix, message)
    r_bytes = compress(multiply(nonce, BASE))
    challenge = digest_to_int(r_bytes, public_key(seed), message)
    s = (nonce + challenge * scalar) % ORDER
    return r_bytes + s.to_bytes(32, "little")


def verify(public, message, signature):
    """True when the signature is valid. Never raises, whatever the bytes are."""
    if len(public) != 32 or len(signature) != 64:
        return False
    r_bytes, s = signature[:32], int.from_bytes(signature[32:], "little")
    # S + ORDER satisfies the equation too: without this bound anyone could make a second signature.
    if s >= ORDER:
        return False
    a, r = decompress(public), decompress(r_bytes)
    if a is None or r is None:
        return False
    challenge = digest_to_int(r_bytes, public, message)
    return same_point(multiply(s, BASE), add(r, multiply(challenge, a)))


def expand(seed):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little")
    scalar &= (1 << 254) - 8
    scalar |= 1 << 254
    return scalar, digest[32:]


def digest_to_int(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % ORDER


# Points are in extended homogeneous coordinates: x = X/Z, y = Y/Z, x*y = T/Z (RFC 8032, 5.1.4).


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar, point):
    result = NEUTRAL
    while scalar > 0:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def same_point(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def compress(point):
    z_inverse = pow(point[2], P - 2, P)
    x, y = point[0] * z_inverse % P, point[1] * z_inverse % P
    return (y | ((x & 1) << 255)).to_bytes(32, "little")


def decompress(data):
    y = int.from_bytes(data, "little")
    sign_bit = y >> 255
    y &= (1 << 255) - 1
    x = recover_x(y, sign_bit)
    return None if x is None else (x, y, 1, x * y % P)


def recover_x(y, sign_bit):
    if y >= P:
        return None
    x_squared = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x_squared == 0:
        return None if sign_bit else 0
    x = pow(x_squared, (P + 3) // 8, P)
    if (x * x - x_squared) % P != 0:
        x = x * SQRT_OF_MINUS_ONE % P
    if (x * x - x_squared) % P != 0:
        return None
    return P - x if (x & 1) != sign_bit else x


NEUTRAL = (0, 1, 1, 0)
_BASE_Y = 4 * pow(5, P - 2, P) % P
_BASE_X = recover_x(_BASE_Y, 0)
BASE = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % P)
