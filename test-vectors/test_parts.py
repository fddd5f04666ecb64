"""Known answers for the parts: HMAC, Ed25519, dates, the schema validator."""

import unittest

import computed
import ed25519
import oracle
import reading
import schema_check


class KnownAnswers(unittest.TestCase):
    def test_hmac_of_rfc_4231(self):
        # Test cases 1, 2, 3, 6 and 7: keys shorter and longer than a block.
        cases = [
            (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (
                b"\xaa" * 131,
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                b"\xaa" * 131,
                b"This is a test using a larger than block-size key and a larger than block-size data. The key needs "
                b"to be hashed before being used by the HMAC algorithm.",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ]
        for key, message, tag in cases:
            self.assertTrue(oracle.key_matches(oracle.Key("k", "hmac", key), message, bytes.fromhex(tag)))
            self.assertFalse(oracle.key_matches(oracle.Key("k", "hmac", key), message + b".", bytes.fromhex(tag)))

    def test_hmac_sha1_of_rfc_2202(self):
        # Test cases 1 and 2.
        for key, message, tag in (
            (b"\x0b" * 20, b"Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),
            (b"Jefe", b"what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        ):
            self.assertTrue(oracle.key_matches(oracle.Key("k", "hmac-sha1", key), message, bytes.fromhex(tag)))
            self.assertFalse(oracle.key_matches(oracle.Key("k", "hmac", key), message, bytes.fromhex(tag)))

    def test_base64url_of_rfc_7515(self):
        # Appendix C, and texts that mean the same to a lenient reader.
        self.assertEqual(reading.decode_base64url("A-z_4ME"), bytes([3, 236, 255, 224, 193]))
        for text in ("A-z_4ME=", "A+z/4ME", "A-z_4MF", "A-z_4M E", "A"):
            self.assertIsNone(reading.decode_base64url(text), text)

    def test_forms(self):
        cases = [
            (b"", []),
            (b"a=1&b=2&a=3", [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]),
            (b"&a&=b&c=d=e", [(b"a", b""), (b"", b"b"), (b"c", b"d=e")]),
            (b"a+b=%2B%zz%4", [(b"a b", b"+%zz%4")]),
            (b"%2525=%C3%BF", [(b"%25", b"\xc3\xbf")]),
        ]
        for body, pairs in cases:
            self.assertEqual(computed.parse_form(body), pairs, body)

    def test_the_path_that_contentful_signs(self):
        for url, path in (
            ("https://a.example/x", b"/x"),
            ("https://a.example/x?q=1&w=2", b"/x?q%253D1%2526w%253D2"),
            ("https://a.example:8443/x%20y?", b"/x%2520y"),
        ):
            self.assertEqual(computed.encoded_path(url), path)

    def test_ed25519_of_rfc_8032(self):
        # Section 7.1, tests 1 to 3: seed, public key, message, signature.
        cases = [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            ),
            (
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
                "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
            ),
        ]
        for seed, public, message, signature in cases:
            seed, public, message, signature = map(bytes.fromhex, (seed, public, message, signature))
            self.assertEqual(ed25519.public_key(seed), public)
            self.assertEqual(ed25519.sign(seed, message), signature)
            self.assertTrue(ed25519.verify(public, message, signature))
            self.assertFalse(ed25519.verify(public, message + b"x", signature))
            for place in (0, 31, 32, 63):
                bad = bytearray(signature)
                bad[place] ^= 1
                self.assertFalse(ed25519.verify(public, message, bytes(bad)))

    def test_ed25519_survives_what_is_no_key_or_signature(self):
        for public, signature in ((b"", b""), (bytes(32), bytes(63)), (b"\xff" * 32, b"\xff" * 64), (bytes(31), bytes(64))):
            self.assertFalse(ed25519.verify(public, b"", signature))

    def test_dates(self):
        cases = [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59.999Z", 951868799999),
            ("2100-03-01T00:00:00Z", 4107542400000),
            ("1969-12-31T23:59:59.9999Z", -1),
            ("1985-04-12T23:20:50.52Z", 482196050520),
            ("1996-12-19T16:39:57-08:00", 851042397000),
            ("1990-12-31T15:59:60-08:00", 662688000000),
            ("2100-02-29T00:00:00Z", None),
            ("", None),
        ]
        for text, milliseconds in cases:
            self.assertEqual(reading.parse_rfc3339(text), milliseconds, text)


class SchemaValidator(unittest.TestCase):
    def test_refuses_keywords_that_it_does_not_know(self):
        for schema in (
            {"maximum": 3},
            {"properties": {"a": {"format": "uri"}}},
            {"$defs": {"a": {"not": {}}}},
            {"oneOf": [{"allOf": []}]},
        ):
            with self.assertRaises(schema_check.SchemaError):
                schema_check.violations(schema, {})

    def test_each_keyword_allows_and_refuses(self):
        cases = [
            ({"type": "integer"}, 1, True),
            ({"type": ["string", "null"]}, None, 1),
            ({"const": 1}, 1, 2),
            ({"enum": ["a"]}, "a", "b"),
            ({"pattern": "^a*$"}, "aa", "aa\n"),
            ({"minimum": 0}, 0, -1),
            ({"minLength": 1}, "a", ""),
            ({"required": ["a"]}, {"a": 1}, {}),
            ({"properties": {"a": {"const": 1}}}, {"a": 1}, {"a": 2}),
            ({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1}, {"b": 1}),
            ({"items": {"const": 1}}, [1, 1], [1, 2]),
            ({"prefixItems": [{"const": 1}]}, [1, 2], [2]),
            ({"minItems": 1}, [1], []),
            ({"maxItems": 1}, [1], [1, 2]),
            ({"uniqueItems": True}, [1, 2], [1, 1]),
            ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1}, {"a": 1, "b": 1}),
            ({"$ref": "#/$defs/one", "$defs": {"one": {"const": 1}}}, 1, 2),
        ]
        for schema, good, bad in cases:
            self.assertEqual(schema_check.violations(schema, good), [], schema)
            self.assertNotEqual(schema_check.violations(schema, bad), [], schema)
        self.assertEqual({keyword for schema, *_ in cases for keyword in schema} - {"$defs"}, set(schema_check.KEYWORDS))
        self.assertNotEqual(schema_check.violations({"type": "integer"}, True), [])


if __name__ == "__main__":
    unittest.main()
