"""Senders that sign with ECDSA or RSA."""

import base64
import hashlib
import json
import zlib

from . import test_keys
from .document import NOW
from .plain_senders import Base64, Brief
from .senders import NOW_RFC3339, base64_text, object_text


class Sendgrid(Base64):
    name, header = "sendgrid", "X-Twilio-Email-Event-Webhook-Signature"
    tag_length, lengths = 70, range(8, 73)
    timestamp_header, timestamp = "X-Twilio-Email-Event-Webhook-Timestamp", NOW
    private_keys = tuple(test_keys.p256(b"test-only-sendgrid-key-number-%02d" % number) for number in (1, 2))
    stranger = test_keys.p256(b"test-only-sendgrid-key-of-nobody")
    keys = tuple((f"sendgrid-2026-0{n}", base64_text(test_keys.spki(key))) for n, key in enumerate(private_keys, 1))
    members = (
        ("email", '"ada@example.com"'),
        ("timestamp", "1700000000"),
        ("event", '"delivered"'),
        ("sg_event_id", '"ZGVsaXZlcmVkLTAtMTk5NDIxMTI"'),
        ("sg_message_id", '"14c5d75ce93.dfd.64b469.filter0001"'),
    )

    def event(self, extra="", **replaced):
        return f"[{object_text(self.members, replaced, extra)}]\r\n".encode()

    def message(self, body, ts, event_id):
        return ts + bytes(body)

    def key_bytes(self, key):
        return self.private_keys[key]

    def configured_bytes(self, key):
        return self.keys[key][1].encode()

    def mac(self, key_bytes, message):
        return test_keys.sign_ecdsa(key_bytes, message)


class Paypal(Base64):
    name, header = "paypal", "PAYPAL-TRANSMISSION-SIG"
    tag_length, lengths = 256, range(1, 513)
    id_header, event_id, event_id_signed = "PAYPAL-TRANSMISSION-ID", "071f7d20-1584-11e7-abf0-000000000001", True
    timestamp_header, timestamp, timestamp_form, now_text = "PAYPAL-TRANSMISSION-TIME", NOW, "rfc3339", NOW_RFC3339
    past, future = 259500, 300
    body_type, event_type = "event_type", "PAYMENT.CAPTURE.COMPLETED"
    more_headers = (("PAYPAL-AUTH-ALGO", "SHA256withRSA"), ("PAYPAL-CERT-URL", "https://api.paypal.example/cert"))
    options = {"webhook_id": "1TESTONLY0123456W"}
    private_keys = (test_keys.rsa(test_keys.RSA_ONE), test_keys.rsa(test_keys.RSA_TWO))
    stranger = test_keys.rsa(test_keys.RSA_LARGE)
    keys = (("paypal-2026-01", test_keys.CERTIFICATE), ("paypal-2026-02", test_keys.public_pem(private_keys[1])))
    members = (
        ("id", '"WH-2MW4820926242972J-000000000000001"'),
        ("event_version", '"1.0"'),
        ("create_time", f'"{NOW_RFC3339}"'),
        ("event_type", '"PAYMENT.CAPTURE.COMPLETED"'),
        ("resource", '{"id":"42311647XV020574X","amount":{"currency_code":"EUR","value":"29.35"}}'),
    )

    def message(self, body, ts, event_id, webhook_id=None):
        webhook_id = (webhook_id or self.options["webhook_id"]).encode()
        return b"|".join((event_id, ts, webhook_id, str(zlib.crc32(bytes(body))).encode()))

    def key_bytes(self, key):
        return self.private_keys[key]

    def configured_bytes(self, key):
        return self.keys[key][1].encode()

    def mac(self, key_bytes, message):
        return test_keys.sign_rsa(key_bytes, message)


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwk_text(key, kid):
    numbers = key.public_key().public_numbers()
    x, y = (base64url(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    named = {"kid": kid} if kid else {}
    return json.dumps({"alg": "ES256", "crv": "P-256", **named, "kty": "EC", "use": "sig", "x": x, "y": y})


class Plaid(Brief):
    name, header, syntax = "plaid", "Plaid-Verification", "token"
    timestamp = NOW
    skipped = frozenset({4})
    body_type, event_type = "webhook_code", "SYNC_UPDATES_AVAILABLE"
    private_keys = tuple(test_keys.p256(b"test-only-plaid-key-number-%05d" % number) for number in (1, 2))
    stranger = test_keys.p256(b"test-only-plaid-key-of-nobody-00")
    kids = ("6c5516e1-92dc-479e-a8ff-000000000001", "6c5516e1-92dc-479e-a8ff-000000000002")
    keys = tuple((kid, jwk_text(key, kid)) for kid, key in zip(kids, private_keys, strict=True))
    members = (
        ("environment", '"sandbox"'),
        ("item_id", '"wz666MBjYWTp2PDzzggYhM6oWWmBb"'),
        ("webhook_code", '"SYNC_UPDATES_AVAILABLE"'),
        ("webhook_type", '"TRANSACTIONS"'),
        ("error", "null"),
    )

    def event(self, extra="", **replaced):
        """Indented by two spaces, as it is hashed."""
        rows = [(name, replaced.get(name, raw)) for name, raw in self.members]
        lines = ",\n".join(f'  "{name}": {raw}' for name, raw in rows if raw is not None)
        return f"{{\n{lines}{extra}\n}}".encode()

    def claims(self, body):
        return {"iat": NOW, "request_body_sha256": hashlib.sha256(bytes(body)).hexdigest()}

    def jose(self, key=0, **changed):
        return {"alg": "ES256", "kid": self.kids[key], "typ": "JWT", **changed}

    def token(self, jose, claims, key=None):
        """Dictionaries, or texts that stand for themselves, signed with the first private key unless said."""
        texts = (part if isinstance(part, str) else json.dumps(part, separators=(",", ":")) for part in (jose, claims))
        signed = ".".join(base64url(text.encode()) for text in texts)
        return f"{signed}.{base64url(test_keys.sign_es256(key or self.private_keys[0], signed.encode()))}"

    def signature(self, body, ts="usual", key=0):
        return self.token(self.jose(key), self.claims(body), self.private_keys[key])


PUBLIC_KEY_SENDERS = [sender() for sender in (Sendgrid, Paypal, Plaid)]
