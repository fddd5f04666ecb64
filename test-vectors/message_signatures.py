"""HTTP message signatures (RFC 9421) and the digest of the body (RFC 9530), as the README's section on them says.

Each label is judged by itself, in stages; of those that fail, the one that came furthest gives the reason.
"""

import hashlib
import hmac
from dataclasses import dataclass

import components
import ed25519
import structured_fields
from structured_fields import InnerList, Item
from verdicts import Refusal, check_window

MAX_MEMBERS = 8
MAX_COMPONENTS = 64
MAX_TIMESTAMP = 999_999_999_999
DEFAULT_COMPONENTS = ("@method", "@target-uri", "content-digest")
TEXT_PARAMETERS = ("alg", "keyid", "nonce", "tag")
DIGESTS = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
LENGTHS = {
    "hmac-sha256": range(32, 33),
    "ed25519": range(64, 65),
    "ecdsa-p256-sha256": range(64, 65),
    "rsa-pss-sha512": range(1, 513),
    "rsa-v1_5-sha256": range(1, 513),
}


@dataclass(frozen=True)
class Label:
    covered: InnerList
    signature: bytes

    def parameter(self, name):
        return self.covered.parameters.get(name)


@dataclass(frozen=True)
class Receiver:
    keys: list
    required: list  # of Item
    past: int
    future: int


def judge(keys, request, past, future):
    """The matching key, and the time of creation, of the first label that passes every stage."""
    receiver = Receiver(keys, read_required(request.options), past, future)
    labels = read_labels(request)
    furthest, why = -1, None
    for label in labels:
        passed, reason, key = judge_label(label, receiver, request)
        if reason is None:
            check_digest(request)
            return key, label.parameter("created")
        if passed > furthest:
            furthest, why = passed, reason
    raise Refusal(why)


def judge_label(label, receiver, request):
    """How many stages the label passes, why not all of them, and the key when it does."""
    for passed, stage in enumerate(STAGES):
        try:
            key = stage(label, receiver, request)
        except Refusal as refusal:
            return passed, refusal.args[0], None
    return len(STAGES), None, key


def read_required(options):
    """The components that every signature must cover. Raises ValueError when one of them is none."""
    texts = options.get("required_components")
    items = [structured_fields.parse_item(f'"{text}"') for text in (DEFAULT_COMPONENTS if texts is None else texts)]
    for item in items:
        try:
            components.check_component(item)
        except Refusal:
            raise ValueError(f"required_components: {item} cannot be signed") from None
    return items


# ------------------------------------------------------------------------- rules 3 and 4: the two headers


def read_labels(request):
    """In the order of Signature-Input."""
    names = ("signature-input", "signature")
    if None in map(request.value, names):
        raise Refusal("missing_header")
    inputs, signatures = (read_dictionary(request, name) for name in names)
    if max(len(inputs), len(signatures)) > MAX_MEMBERS:
        raise Refusal("too_many_signatures")
    labels = [
        Label(covered, signatures[key].value)
        for key, covered in inputs.items()
        if isinstance(covered, InnerList) and is_byte_sequence(signatures.get(key))
    ]
    if not labels:
        raise Refusal("malformed_header")
    return labels


def read_dictionary(request, name):
    value = request.value(name)
    if not is_visible_ascii(value):
        raise Refusal("malformed_header")
    try:
        return structured_fields.parse_dictionary(value.decode("ascii"))
    except ValueError:
        raise Refusal("malformed_header") from None


def is_visible_ascii(value):
    return all(0x20 <= byte <= 0x7E for byte in value)


def is_byte_sequence(member):
    return isinstance(member, Item) and isinstance(member.value, bytes)


# ------------------------------------------------------------------------- the stages of a label


def check_form(label, receiver, _request):
    if len(label.covered.items) > MAX_COMPONENTS:
        raise Refusal("malformed_header")
    for item in label.covered.items:
        components.check_component(item)
    if any(item in label.covered.items[:place] for place, item in enumerate(label.covered.items)):
        raise Refusal("malformed_header")
    for name, value in label.covered.parameters.items():
        is_wrong_time = name in ("created", "expires") and type(value) is not int
        if is_wrong_time or (name in TEXT_PARAMETERS and type(value) is not str):
            raise Refusal("malformed_header")
    if not any(len(label.signature) in LENGTHS[key.kind] for key in receiver.keys):
        raise Refusal("malformed_header")


def check_coverage(label, receiver, _request):
    if not all(item in label.covered.items for item in receiver.required):
        raise Refusal("uncovered_component")


def check_presence(label, _receiver, request):
    for item in label.covered.items:
        components.component_value(item, request)


def check_time(label, receiver, request):
    created, expires = label.parameter("created"), label.parameter("expires")
    if created is None:
        raise Refusal("missing_timestamp")
    if not 0 < created <= MAX_TIMESTAMP:
        raise Refusal("malformed_timestamp")
    check_window(created * 1000, request.now, receiver.past, receiver.future)
    if expires is not None and expires < request.now:
        raise Refusal("timestamp_too_old")


def find_key(label, receiver, request):
    base = components.signature_base(label.covered, request)
    algorithm = label.parameter("alg")
    for key in receiver.keys:
        if algorithm in (None, key.kind) and verifies(key, base, label.signature):
            return key
    raise Refusal("signature_mismatch")


STAGES = (check_form, check_coverage, check_presence, check_time, find_key)


def verifies(key, base, signature):
    if key.kind == "hmac-sha256":
        return hmac.compare_digest(hmac.digest(key.data, base, "sha256"), signature)
    if key.kind == "ed25519":
        return ed25519.verify(key.data, base, signature)
    import public_keys

    return public_keys.verifies(key.kind, key.data, base, signature)


# ------------------------------------------------------------------------- the digest of the body


def check_digest(request):
    """Every digest that counts must be the body's, and one must be there. Without the header there is nothing to check."""
    if request.value("content-digest") is None:
        return
    members = read_dictionary(request, "content-digest")
    if not all(map(is_byte_sequence, members.values())):
        raise Refusal("malformed_header")
    known = [name for name in members if name in DIGESTS]
    if not known or any(members[name].value != DIGESTS[name](request.body).digest() for name in known):
        raise Refusal("digest_mismatch")
