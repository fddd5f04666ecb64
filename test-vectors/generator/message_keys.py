"""Key pairs that sign HTTP messages (RFC 9421), each as a function from the signed text to the signature.

They are public: never configure one of them.
"""

import hashlib
import hmac

from . import test_keys

try:
    from cryptography.hazmat.primitives.asymmetric import ed25519
except ImportError:
    raise SystemExit("the schemes with ECDSA and RSA need a package: pip install cryptography") from None

SALT_BYTES = 64


class Hmac:
    def __init__(self, secret):
        self.secret = secret

    def __call__(self, base):
        return hmac.digest(self.secret, base, "sha256")


class Private:
    """A private key and how it signs."""

    def __init__(self, key, sign):
        self.key, self.sign = key, sign

    def __call__(self, base):
        return self.sign(self.key, base)

    @property
    def pem(self):
        return test_keys.public_pem(self.key)


def sign_ed25519(key, base):
    return key.sign(base)


def sign_pss(key, base):
    """RSASSA-PSS with SHA-512 (RFC 8017, 8.1.1). Its salt comes from the text, so that the signature is the same each time."""
    return sign_pss_with_salt(key, base, hashlib.sha512(b"test-only salt" + base).digest()[:SALT_BYTES])


def sign_pss_with_salt(key, base, salt, name="sha512"):
    numbers = key.private_numbers()
    modulus = numbers.public_numbers.n
    length = (modulus.bit_length() + 6) // 8  # of modulus.bit_length() - 1 bits
    digest = hashlib.new(name, bytes(8) + hashlib.new(name, base).digest() + salt).digest()
    data = (b"\1" + salt).rjust(length - len(digest) - 1, b"\0")
    masked = bytearray(a ^ b for a, b in zip(data, mask(digest, len(data), name), strict=True))
    masked[0] &= 0xFF >> (8 * length - (modulus.bit_length() - 1))
    encoded = bytes(masked) + digest + b"\xbc"
    return pow(int.from_bytes(encoded, "big"), numbers.d, modulus).to_bytes((modulus.bit_length() + 7) // 8, "big")


def mask(seed, length, name):
    """MGF1."""
    blocks = (hashlib.new(name, seed + counter.to_bytes(4, "big")).digest() for counter in range(length))
    text = b""
    while len(text) < length:
        text += next(blocks)
    return text[:length]


def ed25519_key(seed):
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed)


RSA_KEY = test_keys.rsa(
    b"""-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCfA3hYaOG1ILgX
BYOH0vchPqb+dlLs2KU42BgwBJ+wrPnTyrfNc0RNYvqhhKmi3csGibmgRnciq+6d
U8S2LAUV9/KL4AcPnUzcUOuWYWeFUyrdFXlILLnWhs92/+pFXpYBz0M7h5j0Amr5
RU+ULhJt8iUUHwX9fnk3rseUJMdSZCXQ3JG1XdIhPiICEMXQVGJA1lHql5axwudy
PojJpr/EVJwCs1HSUxGNFxBdfg1ONFcDPy+Z5LRYp6t6ABCYugtFJZaEg0hbV2x0
VWPU0Aw0DW+UPZ3DQecnI7lM6SV+asX/HMxQSOeCnvTw71AHoYWSnuI+25bO+7Lx
VqFcsVUfAgMBAAECggEAPLYYdrjkpEEvyCpkw7D6hgjjvXfzxVYaDxACfCLnzY7d
e82ES77crydBRfXexr4jzAU9iEIfLm+ylQLsshkwf+jBBEKur3mBZQTITgw2eCL+
1JZkTfg1pACoqWigS4gHgf1eUBY/gbqCmVWrQoosoym2mm4V3WkyYt4qeRdpurzD
mLiIE/9Wa5TDEkubhYipMXMamRXcRmXPrGBfrh3RM6qnVdieet4YwpG25KCTeVbp
HZMnvRerrTPzpwwDYMN0yPRPb5JkWG/GLXgmFdZA9pKfD5VNvU2mEUrSwEBeDDks
alZ08dxe8JQXqxmCkwXq2RR6QEoeis65LO96uUUXQQKBgQDVvTzRo2RM1QxfTYpB
aTMeUjhflN9WajylHK6wgOppLtklOPWSlmEHX2p9XWT3wMc8hqfqSAG4kcW9CIN0
9tZnjvLIIZwujPVPuoYkInD28gDmK3bN1W5nbuBj+l/joGVBJivZqmHi1y/WYhbz
oHWJJKXAqPwQLrDoWNzFvv4dUQKBgQC+dDQM9gJV5fRD/mLlDbrIxS2r0iT44oXu
Vfh8pnorzZxrBG05yUqAMkXxPq0a70/7PHsPixBCDg2b6O1Eb5XJRpZpQ63ziKXG
E7dakEH/lI5Ut7HdttShePHKs62iunI03dKcLCPdMFL7Si7gqfRpoAJ3/RRkI2ET
Hcy2Q+TvbwKBgQCqheXF4zOcUMUkK7rH4ORVpocvSpi8WtmzaSS90Lwz2pqHpd/W
aX9T4H4XMrHhL75EvbGtqnElDbfSzr4CTQRVbqinnpj6Up9MUqW+onO5sO2itL5+
DW+ducnwOcrS0h62UXvelp6t2bxir7Nb/4KGPeS3xpoDVxzw4iSQ54XZYQKBgQCa
Wt2Qn5V2/r8AmFyYXY9DhqMkPVWfrR908ZJJnDcp5yNdjKHlkqFh0tziz7RGPyxo
ZzUpfMB5eKBI+vfJXlJcZWwj9ik2VkpchcA1kvMaa9ELEjICilo8YCQ+727LkyZa
eGloD1IlwzON3CqwBK5FKNy3WJK9MftMHfu6wL372wKBgAqr2pCc22KtWfUjtrYz
6MBOZqD8KIcR+rI0hTToHPfeqBX/xWDv6cg0ebh0I0Df1R4p+mfjDfjw+C2l/KKt
TrcUwHnZ9QFm6TRvgW8ZYiov3OSKiX15ynj/+dCXLLP6CAlzuaQ/Urqf6WSEm3A1
059SG2vkFWQM7SInEbgd5YW4
-----END PRIVATE KEY-----
"""
)
P256_KEY = test_keys.p256(b"test-only-http-signatures-key-01")
HMAC_ONE = Hmac(b"test-only-http-message-signatures-one")
HMAC_TWO = Hmac(b"test-only-http-message-signatures-two")
ED25519 = Private(ed25519_key(b"test-only-http-signatures-seed-1"), sign_ed25519)
P256 = Private(P256_KEY, test_keys.sign_es256)
RSA_PSS = Private(RSA_KEY, sign_pss)
RSA_PKCS1 = Private(RSA_KEY, test_keys.sign_rsa)

# Self-signed.
RSA_CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIICxTCCAa2gAwIBAgIBATANBgkqhkiG9w0BAQsFADAmMSQwIgYDVQQDDBt0ZXN0
LW9ubHkuaG9va3Byb29mLmV4YW1wbGUwHhcNMjAwMTAxMDAwMDAwWhcNNDkxMjMx
MDAwMDAwWjAmMSQwIgYDVQQDDBt0ZXN0LW9ubHkuaG9va3Byb29mLmV4YW1wbGUw
ggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQCfA3hYaOG1ILgXBYOH0vch
Pqb+dlLs2KU42BgwBJ+wrPnTyrfNc0RNYvqhhKmi3csGibmgRnciq+6dU8S2LAUV
9/KL4AcPnUzcUOuWYWeFUyrdFXlILLnWhs92/+pFXpYBz0M7h5j0Amr5RU+ULhJt
8iUUHwX9fnk3rseUJMdSZCXQ3JG1XdIhPiICEMXQVGJA1lHql5axwudyPojJpr/E
VJwCs1HSUxGNFxBdfg1ONFcDPy+Z5LRYp6t6ABCYugtFJZaEg0hbV2x0VWPU0Aw0
DW+UPZ3DQecnI7lM6SV+asX/HMxQSOeCnvTw71AHoYWSnuI+25bO+7LxVqFcsVUf
AgMBAAEwDQYJKoZIhvcNAQELBQADggEBABn4nH8A4dv6gQRJ4XW5OQ7MntbdzwNp
0pCMN/u4ydAMnZfdiLo623HwSqj6MMkkYvxQkLAtw+LUoYRk6/XF0MsoMEzcNh7p
CRk8FU0vAuC9uEsFECIvEHzFb7NVYaXwubR1+JZAKJIKBMgaIxkmZkY/PNG/Q4Dr
HakmPZP7j+qNASC88qn6PD4TpzAXkU+J8SpR5H7BglCUrGMbk9BWBbRhdRKbLLX9
99+zAA7ZvQfXM3GMUivqlD+hhckSEhIGo98Vpyf9mCavdNKWjE/2FSRJEOVZ1i1e
uVgIAh9+K4I98Oij1de7KsCdqHXWgNPc/5UwQ+mpkjCzosJ6p1dR2iU=
-----END CERTIFICATE-----"""
P256_CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBNzCB36ADAgECAgEBMAoGCCqGSM49BAMCMCYxJDAiBgNVBAMMG3Rlc3Qtb25s
eS5ob29rcHJvb2YuZXhhbXBsZTAeFw0yMDAxMDEwMDAwMDBaFw00OTEyMzEwMDAw
MDBaMCYxJDAiBgNVBAMMG3Rlc3Qtb25seS5ob29rcHJvb2YuZXhhbXBsZTBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABMrmps3l92iUAXXquTSibIAMyaSNzLIMkHm/
wpJf5ChNuEo8sitAK2yyP+dtDpzCJyWyszht9eM+OXYm4xbnR3cwCgYIKoZIzj0E
AwIDRwAwRAIgDztt4Gj6tUAa8kwqg1rxDPu1gUG2tTCQWoS+h9bha4ECIHzJ2y5c
FxGdSgQLnms8PqHoEwIidCqCobyVhPK+aEJo
-----END CERTIFICATE-----"""
