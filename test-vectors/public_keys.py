"""ECDSA and RSA, by the package `cryptography`: only the schemes that need them import this."""

import json

import reading

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
except ImportError:
    raise SystemExit("the schemes with ECDSA and RSA need a package: pip install cryptography") from None


def read_spki(_preset, material):
    """base64 of a DER SubjectPublicKeyInfo on P-256."""
    return "ecdsa", of_kind(load_spki(material), ec.EllipticCurvePublicKey)


def read_certificate_or_key(_preset, material):
    """A PEM certificate, a PEM public key, or base64 of a DER SubjectPublicKeyInfo."""
    data = material.encode("utf-8")
    if "BEGIN CERTIFICATE" in material:
        key = x509.load_pem_x509_certificate(data).public_key()
    elif "BEGIN PUBLIC KEY" in material:
        key = serialization.load_pem_public_key(data)
    else:
        key = load_spki(material)
    return "rsa", of_kind(key, rsa.RSAPublicKey)


def read_jwk(_preset, material):
    """A JSON Web Key on P-256."""
    jwk = json.loads(material)
    if not isinstance(jwk, dict) or (jwk.get("kty"), jwk.get("crv")) != ("EC", "P-256"):
        raise ValueError("not a JSON Web Key on P-256")
    x, y = (int.from_bytes(reading.decode_base64url(jwk[name]) or b"", "big") for name in ("x", "y"))
    return "es256", ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def read_message_signature_key(preset, material):
    """The key's algorithm by its name in RFC 9421: the preset's, or else the first that goes with the key."""
    algorithms, data = read_pem(material) if "-----BEGIN " in material else (("hmac-sha256",), reading.decode_base64(material))
    algorithm = preset.algorithm or algorithms[0]
    if algorithm not in algorithms:
        raise ValueError(f"a key for {' or '.join(algorithms)}, not for {algorithm}")
    return algorithm, data


def read_pem(material):
    """The algorithms that go with a PEM public key or certificate, and the key."""
    data = material.encode("utf-8")
    if "BEGIN CERTIFICATE" in material:
        key = x509.load_pem_x509_certificate(data).public_key()
    else:
        key = serialization.load_pem_public_key(data)
    if isinstance(key, rsa.RSAPublicKey):
        return ("rsa-pss-sha512", "rsa-v1_5-sha256"), key
    if isinstance(key, ed25519.Ed25519PublicKey):
        return ("ed25519",), key.public_bytes_raw()
    return ("ecdsa-p256-sha256",), of_kind(key, ec.EllipticCurvePublicKey)


def load_spki(material):
    data = reading.decode_base64(material)
    if data is None:
        raise ValueError("not base64")
    return serialization.load_der_public_key(data)


def of_kind(key, kind):
    if not isinstance(key, kind) or (kind is ec.EllipticCurvePublicKey and key.curve.name != "secp256r1"):
        raise ValueError("a public key of another kind")
    return key


def verifies(kind, key, message, signature):
    try:
        if kind in ("rsa", "rsa-v1_5-sha256"):
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        elif kind == "rsa-pss-sha512":
            key.verify(signature, message, padding.PSS(padding.MGF1(hashes.SHA512()), 64), hashes.SHA512())
        else:
            der = raw_to_der(signature) if kind in ("es256", "ecdsa-p256-sha256") else signature
            key.verify(der, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def raw_to_der(signature):
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    return utils.encode_dss_signature(r, s)
