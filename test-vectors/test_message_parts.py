"""Known answers for the parts of HTTP message signatures: structured fields, keys, options."""

import copy
import dataclasses
import json
import tempfile
import unittest
from decimal import Decimal
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519

import check
import message_signatures
import oracle
import public_keys
import structured_fields
from presets import PRESETS
from structured_fields import InnerList, Item, Token
from test_check import run_check

SCHEME = "http-message-signatures"
FILE = check.OWN_FOLDER / f"{SCHEME}.json"
Encoding, PublicFormat = public_keys.serialization.Encoding, public_keys.serialization.PublicFormat


class StructuredFields(unittest.TestCase):
    def test_what_is_read_and_printed(self):
        # The text, its value, and the text that is printed.
        cases = [
            ("1", 1, "1"),
            ("-007", -7, "-7"),
            ("-0", 0, "0"),
            ("999999999999999", 999999999999999, "999999999999999"),
            ("1.0", Decimal("1.0"), "1.0"),
            ("-01.250", Decimal("-1.25"), "-1.25"),
            ("123456789012.123", Decimal("123456789012.123"), "123456789012.123"),
            ('"a \\"b\\" \\\\ ~"', 'a "b" \\ ~', '"a \\"b\\" \\\\ ~"'),
            ("a/b:c*", Token("a/b:c*"), "a/b:c*"),
            ("*", Token("*"), "*"),
            (":aGk=:", b"hi", ":aGk=:"),
            ("::", b"", "::"),
            ("?1", True, "?1"),
            ("?0", False, "?0"),
        ]
        for text, value, printed in cases:
            item = structured_fields.parse_item(text)
            self.assertEqual((item.value, type(item.value)), (value, type(value)), text)
            self.assertEqual(structured_fields.write_item(item), printed, text)

    def test_lists_and_parameters(self):
        text = '  a=( "x";q=1   y;b );  c ;d=?0;c=2 , b , c;p=1,a=()'
        with self.assertRaises(ValueError):  # a space before a semicolon
            structured_fields.parse_dictionary(text)
        members = structured_fields.parse_dictionary(text.replace(" ;d", ";d"))
        self.assertEqual(list(members), ["a", "b", "c"])
        self.assertEqual(members, {"a": InnerList((), {}), "b": Item(True, {}), "c": Item(True, {"p": 1})})
        inner = structured_fields.parse_dictionary(text.replace(" ;d", ";d").removesuffix(",a=()"))["a"]
        self.assertEqual(structured_fields.write_inner_list(inner), '("x";q=1 y;b);c=2;d=?0')

    def test_what_is_no_item(self):
        texts = (
            *("", " 1", "1 ", "-", "--1", "+1", "1.", ".1", "1e3", "1.2.3", "1234567890123456", "1234567890123.0", "1.0000"),
            *('"', '"a', '"\\a"', '"\t"', '"\x7f"', "'a'", "a b", "a=1", "a,b", "(", "(1)"),
            *("?", "?2", "?10", ":", ":aGk:", ":aGl=:", ":aGk==:", ":aGk= :", ":a-_=:", ":aGk=", "@1", '%"a"'),
            *("1;", "1;A", "1;a=", "1; a =1", "1 ;a", "1;a= 1", "1;1", "1;-a"),
        )
        for text in texts:
            with self.subTest(text), self.assertRaises(ValueError):
                structured_fields.parse_item(text)

    def test_what_is_no_dictionary(self):
        texts = (
            *("a=1,", ",a=1", "a=1,,b=2", "a=1 b=2", "a=1;b=2 c", "A=1", "1a=1", "-a=1", "a =1", "a= 1", "a=", "a\t", "a=1\t,b"),
            *("a=(", "a=(1", "a=(1 ", "a=(1,2)", 'a=("x""y")', "a=(1\t2)", "a=((1))", "a=(1))", "a=() ;b", "a=(a=1)", "\u00e9=1"),
        )
        for text in texts:
            with self.subTest(text), self.assertRaises(ValueError):
                structured_fields.parse_dictionary(text)


def pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def read(material, algorithm=""):
    return oracle.read_key(dataclasses.replace(PRESETS[SCHEME], algorithm=algorithm), "k", material)


class Configuration(unittest.TestCase):
    def setUp(self):
        groups = json.loads(FILE.read_text())["groups"]
        self.materials = {key["id"]: key["material"] for group in groups for key in group["keys"]}

    def test_which_algorithms_go_with_a_key(self):
        algorithms = {
            "message-2026-01": ["hmac-sha256"],
            "message-ed25519": ["ed25519"],
            "message-p256": ["ecdsa-p256-sha256"],
            "message-p256-certificate": ["ecdsa-p256-sha256"],
            "message-rsa": ["rsa-pss-sha512", "rsa-v1_5-sha256"],
            "message-rsa-certificate": ["rsa-pss-sha512", "rsa-v1_5-sha256"],
        }
        known = {*message_signatures.LENGTHS}
        self.assertEqual({name for names in algorithms.values() for name in names}, known)
        for key, allowed in algorithms.items():
            self.assertEqual(read(self.materials[key]).kind, allowed[0], key)
            for algorithm in {*known, "ecdsa-p384-sha384", "hs2019"}:
                with self.subTest(key=key, algorithm=algorithm):
                    if algorithm in allowed:
                        self.assertEqual(read(self.materials[key], algorithm).kind, algorithm)
                    else:
                        with self.assertRaisesRegex(ValueError, f"not for {algorithm}"):
                            read(self.materials[key], algorithm)

    def test_what_is_no_key(self):
        private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
        texts = (
            "",
            "not base64",
            "dGVzdC1vbmx5LXVucGFkZGVk-_==",
            self.materials["message-2026-01"].rstrip("="),
            self.materials["message-2026-01"] + "\n",
            pem(ec.derive_private_key(1, ec.SECP384R1())),
            pem(x25519.X25519PrivateKey.from_private_bytes(bytes(32))),
            pem(private).replace("MCow", "MCox"),
            private.private_bytes(
                Encoding.PEM,
                public_keys.serialization.PrivateFormat.PKCS8,
                public_keys.serialization.NoEncryption(),
            ).decode(),
        )
        for text in texts:
            with self.subTest(text[:40]), self.assertRaises(ValueError):
                read(text)

    def test_what_cannot_be_required(self):
        for text in (
            "@status",
            "Date",
            "date;sf",
            'date";sf',
            "@query-param",
            '@query-param";name=Pet',
            "a b",
            "",
            "\u00e9",
            '"date"',
        ):
            with self.subTest(text), self.assertRaises(ValueError):
                message_signatures.read_required({"required_components": [text]})

    def test_what_can_be_required(self):
        items = message_signatures.read_required({"required_components": ["date", '@query-param";name="Pet']})
        self.assertEqual(items, [Item("date", {}), Item("@query-param", {"name": "Pet"})])
        self.assertEqual(message_signatures.read_required({"required_components": []}), [])
        usual = [Item(name, {}) for name in ("@method", "@target-uri", "content-digest")]
        for options in ({}, {"required_components": None}):
            self.assertEqual(message_signatures.read_required(options), usual)

    def test_a_file_whose_options_do_not_go_with_its_keys(self):
        document = json.loads(FILE.read_text())
        document["groups"] = document["groups"][:1]
        for options in ({"algorithm": "ed25519"}, {"required_components": ["@status"]}):
            with self.subTest(options), tempfile.TemporaryDirectory() as folder:
                other = copy.deepcopy(document)
                other["groups"][0]["options"] = options
                (Path(folder) / "other.json").write_text(json.dumps(other))
                code, output = run_check(folder)
                self.assertEqual(code, 1)
                self.assertIn("expected keys and options of this scheme", output)

    def test_a_file_with_options_that_the_schema_does_not_know(self):
        for options in ({"algorithm": "hs2019"}, {"required_components": "date"}, {"required_components": ["date", "date"]}):
            with self.subTest(options), tempfile.TemporaryDirectory() as folder:
                other = json.loads(FILE.read_text())
                other["groups"][0]["options"] = options
                (Path(folder) / "other.json").write_text(json.dumps(other))
                code, output = run_check(folder)
                self.assertEqual(code, 1)
                self.assertIn("expected what the schema allows", output)


if __name__ == "__main__":
    unittest.main()
