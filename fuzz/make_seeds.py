#!/usr/bin/env python3
"""Writes seeds/<target>/ from ../test-vectors/v1: the same bytes on every machine.

Of each scheme's vectors it takes the first of every reason and of every flag, so that a fuzzer starts at every rule.
The layouts are those of the targets: `read_request` in src/lib.rs, and the `Input` of each other target, whose fields
`arbitrary` reads from the front, little-endian, the last one taking the rest.

examples:
  make_seeds.py            write the files
  make_seeds.py --check    change nothing; exit 1 when a file differs from what would be written
"""

import argparse
import hashlib
import json
import re
import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VECTORS = HERE.parent / "test-vectors" / "v1"
PRESETS = HERE.parent / "verify" / "src" / "schemes" / "mod.rs"
MAX_BODY_BYTES = 1024
# The presets that the naive verifier does not know: those of public keys, and a language of its own.
NOT_NAIVE = ("discord", "sendgrid", "paypal", "plaid", "http-message-signatures")
# The targets `signature_list` and `keys` count these.
LISTS = ("stripe", "paddle", "pagerduty", "standard-webhooks", "gitlab", "svix", "docusign", "leadhub-timestamped")
KEY_TEXTS = (
    "github",
    "adyen-platform",
    "in-base64",
    "gitlab",
    "gitlab-token",
    "intercom",
    "standard-webhooks",
    "discord",
    "sendgrid",
    "paypal",
    "plaid",
)
TAG = rb"(?:[0-9a-f]{40,}|[A-Za-z0-9+/]{26,}=*)"
# In place of a signature: the target `differential` signs there.
MARK = b"@@"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the files on disk instead of writing them")
    wanted = seeds()
    if parser.parse_args().check:
        return check(wanted)
    for name in files_on_disk() - wanted.keys():
        (HERE / "seeds" / name).unlink()
    for name, data in wanted.items():
        path = HERE / "seeds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return 0


def check(wanted):
    on_disk = {name: (HERE / "seeds" / name).read_bytes() for name in files_on_disk()}
    different = sorted(name for name in wanted.keys() | on_disk.keys() if wanted.get(name) != on_disk.get(name))
    for name in different:
        print(f"seeds/{name}: differs from what make_seeds.py writes", file=sys.stderr)
    print(f"{len(wanted)} seeds, {len(different)} different")
    return 1 if different else 0


def files_on_disk():
    return {str(path.relative_to(HERE / "seeds")) for path in (HERE / "seeds").glob("*/*")}


def seeds():
    wanted = {}
    for index, scheme in enumerate(scheme_names()):
        document = json.loads((VECTORS / f"{scheme}.json").read_text(encoding="ascii"))
        for text in timestamp_texts(document):
            wanted[f"timestamp/{hashlib.sha256(text).hexdigest()[:12]}"] = timestamp_seed(text)
        for test in telling(document):
            wanted[f"verify/{test['id']}"] = verify_seed(index, test)
            if test["result"] == "valid":
                wanted[f"roundtrip/{test['id']}"] = roundtrip_seed(index, test)
                wanted[f"layer/{test['id']}"] = layer_seed(index, test)
        for test in telling(document, always={"Window"}):
            if scheme not in NOT_NAIVE:
                position = [name for name in scheme_names() if name not in NOT_NAIVE].index(scheme)
                wanted[f"differential/{test['id']}"] = differential_seed(position, test)
            if scheme in LISTS and (text := list_text(scheme, test)) is not None:
                wanted[f"signature_list/{test['id']}"] = bytes([LISTS.index(scheme)]) + text
            if scheme in ("twilio", "mandrill"):
                wanted[f"twilio_form/{test['id']}"] = form_seed(scheme == "mandrill", test)
        if scheme in KEY_TEXTS:
            for group in document["groups"]:
                for key in group["keys"]:
                    name = hashlib.sha256(key["material"].encode()).hexdigest()[:12]
                    wanted[f"keys/{scheme}-{name}"] = bytes([KEY_TEXTS.index(scheme)]) + key["material"].encode()
    # Inputs that are choices throughout: no vector is one, and noise is as good a beginning as any.
    for number in range(32):
        noise = b"".join(hashlib.sha256(bytes([number, part])).digest() for part in range(number // 4 + 1))
        wanted[f"scheme_config/noise-{number:02}"] = noise
        wanted[f"http_message_signatures/noise-{number:02}"] = noise
    wanted["roundtrip/ed25519"] = roundtrip_seed(len(scheme_names()), {"id": "ed25519", "body_utf8": "{}"})
    return wanted


def scheme_names():
    """The presets in the order in which a target's byte counts them."""
    text = PRESETS.read_text(encoding="utf-8")
    listed = re.search(r"const PRESETS: \[[^\]]*\] = \[([^\]]*)\]", text).group(1)
    names = [name.strip().strip("_").replace("_", "-") for name in listed.split(",") if name.strip()]
    without = sorted(set(names) - {path.stem for path in VECTORS.glob("*.json")})
    if without:
        sys.exit(f"{PRESETS}: presets without vectors: {', '.join(without)}")
    return names


def telling(document, always=frozenset()):
    """The first vector of every reason and of every flag, and every one of these flags."""
    seen = set()
    for group in document["groups"]:
        for test in group["tests"]:
            marks = {test.get("reason", "valid"), *test.get("flags", [])}
            if (not marks <= seen or marks & always) and len(body_of(test)) <= MAX_BODY_BYTES:
                seen |= marks
                yield test


def body_of(test):
    if "body_utf8" in test:
        return test["body_utf8"].encode()
    if "body_hex" in test:
        return bytes.fromhex(test["body_hex"])
    return test["body_repeat"]["char"].encode() * test["body_repeat"]["count"]


def verify_seed(index, test):
    lines = [f"{name}: {value}".encode("latin-1") for name, value in test["headers"]]
    return b"\n".join([bytes([index]) + lines[0], *lines[1:], b"", body_of(test)])


def differential_seed(index, test):
    """As for `verify`, with a mark wherever a signature stands."""
    names = b"[^\n]*(?:signature|hmac|sig-hash)[^\n]*?: "
    seed = re.sub(rb"(?i)^(.?" + names + rb".*?)(?:[0-9a-f]{40,}|[A-Za-z0-9+/]{26,}=*)", rb"\1" + MARK, verify_seed(index, test), flags=re.M)
    seed = re.sub(rb"(?i)^(.?x-gitlab-token: ).{16,}", rb"\1" + MARK, seed, flags=re.M)
    return re.sub(rb'("hmacSignature":")[^"]{44}"', rb"\1" + MARK + b'"', seed)


def list_text(scheme, test):
    """The signature headers' text, with marks for the signatures: one after the other of the eight keys."""
    names = re.compile(r"(?i)(?:.*-signature|x-docusign-signature-\d+)")
    texts = [value.encode("latin-1") for name, value in test["headers"] if names.fullmatch(name)]
    numbers = iter(range(1000))
    mark = lambda _: b"@%d" % (next(numbers) % 8)
    return re.sub(TAG, mark, b"\n".join(texts if scheme == "docusign" else texts[:1])) if texts else None


def form_seed(is_mandrill, test):
    path = re.sub(r"^[a-z]+://[^/]*/?", "", test["url"]).encode("utf-8")[:255]
    choices = hashlib.sha256(test["id"].encode()).digest()[:8]
    return struct.pack("<?BB8sB", is_mandrill, choices[0] % 5, choices[1], choices, len(path)) + path + body_of(test)


def roundtrip_seed(index, test):
    noise = hashlib.sha256(test["id"].encode()).digest()
    key, ident = noise[:24], noise[24:]
    edge, age, what, at, bit, step = noise[0], noise[1] % 3, noise[2], noise[3], noise[4], noise[5]
    return struct.pack("<B24s8sBiBHBB", index, key, ident, edge, age, what, at, bit, step) + body_of(test)


def layer_seed(index, test):
    cuts = hashlib.sha256(test["id"].encode()).digest()[:16]
    return struct.pack("<B??H16s", index, True, cuts[0] % 2 == 0, 65535, cuts) + body_of(test)


def timestamp_texts(document):
    """Whatever the vectors have where a timestamp may stand."""
    for test in (test for group in document["groups"] for test in group["tests"]):
        for name, value in test["headers"]:
            if name.lower().endswith("timestamp"):
                yield value.encode("latin-1")
            if name.lower().endswith("signature"):
                yield from (found.encode("latin-1") for found in re.findall(r"(?:^|,)t=([^,]*)", value))
        yield from re.findall(rb'"(?:timestamp|occurred_at)":"?([^",}]{0,64})["}]', body_of(test))


def timestamp_seed(text):
    form = 2 if b"T" in text else 0
    return struct.pack("<BQII", form, 1_700_000_000_000, 299, 299) + text


if __name__ == "__main__":
    sys.exit(main())
