"""Deliveries whose signature does not stand in a header by itself: a JSON Web Token, and items inside the body."""

import hashlib
import hmac

import reading
from verdicts import Refusal, check_window

ADYEN_FIELDS = (
    "/pspReference",
    "/originalReference",
    "/merchantAccountCode",
    "/merchantReference",
    "/amount/value",
    "/amount/currency",
    "/eventCode",
    "/success",
)


def judge_plaid(keys, request, past, future):
    """The matching key and the time of issue, of a token whose claims name the body's digest."""
    import public_keys

    value = request.value("plaid-verification")
    if value is None:
        raise Refusal("missing_header")
    signed, signature, kid = read_token(value)
    key = next((key for key in keys if key.kid == kid), None)
    if key is None or not public_keys.verifies(key.kind, key.data, signed, signature):
        raise Refusal("signature_mismatch")
    claims = reading.parse_json(reading.decode_base64url(signed.decode().split(".")[1]))
    issued = reading.find(claims, "/iat")
    if issued is None:
        raise Refusal("missing_timestamp")
    seconds = reading.parse_seconds(issued) if isinstance(issued, reading.Integer) else None
    if seconds is None:
        raise Refusal("malformed_timestamp")
    check_window(seconds * 1000, request.now, past, future)
    if reading.find(claims, "/request_body_sha256") != hashlib.sha256(request.body).hexdigest():
        raise Refusal("digest_mismatch")
    return key, seconds


def read_token(value):
    """The signed bytes, the signature, and the key's name; the only algorithm is ES256."""
    try:
        text = value.decode("ascii")
        parts = [reading.decode_base64url(part) for part in text.split(".")]
        if len(parts) != 3 or None in parts or len(parts[2]) != 64:
            raise ValueError("not a token in three parts")
        header = reading.parse_json(parts[0])
        algorithm, kid = reading.find(header, "/alg"), reading.find(header, "/kid")
        if algorithm != "ES256":
            raise ValueError("another algorithm")
    except ValueError:
        raise Refusal("malformed_header") from None
    return text.rpartition(".")[0].encode(), parts[2], kid


def judge_adyen(keys, request):
    """The key that the first item matches. Every item has a signature of its own, and all must be good."""
    items = [read_item(item) for item in read_items(request.body)]
    matching = [find_key(keys, message, tag) for message, tag in items]
    if None in matching:
        raise Refusal("signature_mismatch")
    return matching[0]


def read_items(body):
    try:
        items = reading.find(reading.parse_json(body), "/notificationItems")
        if isinstance(items, reading.Members) or not isinstance(items, list) or not items:
            raise ValueError("no items")
        found = [reading.find(item, "/NotificationRequestItem") for item in items]
        if not all(isinstance(item, reading.Members) for item in found):
            raise ValueError("an item of another shape")
        for item in found:
            item_message(item), reading.find(item, "/additionalData/hmacSignature")
    except ValueError:
        raise Refusal("malformed_body") from None
    return found


def read_item(item):
    signature = reading.find(item, "/additionalData/hmacSignature")
    if signature is None:
        raise Refusal("missing_header")
    tag = reading.decode_tag("base64", signature, range(32, 33)) if isinstance(signature, str) else None
    if tag is None:
        raise Refusal("malformed_header")
    return item_message(item), tag


def item_message(item):
    values = [reading.find(item, pointer) for pointer in ADYEN_FIELDS]
    if not all(value is None or isinstance(value, str) for value in values):
        raise ValueError("an unsigned value where a signed one belongs")
    return ":".join(value if isinstance(value, str) else "" for value in values).encode("utf-8", "surrogatepass")


def find_key(keys, message, tag):
    return next((key for key in keys if hmac.compare_digest(hmac.digest(key.data, message, "sha256"), tag)), None)
