"""Bugs planted in the oracle: if one of them made no vector fail, a receiver with that bug would pass too."""

import base64
import json
import unittest
from unittest import mock

import ed25519
import oracle
import reading
from test_check import run_check


class PlantedBugsInTheOracle(unittest.TestCase):
    """The mistakes of real receivers. Each must be caught by at least one shipped vector, and the right one."""

    def assert_caught(self, module, name, bug, *vectors):
        with mock.patch.object(module, name, bug):
            code, output = run_check()
        self.assertEqual(code, 1)
        for vector in vectors:
            self.assertIn(f"FAIL {vector}:", output)

    def test_comparing_only_as_far_as_the_shorter_side(self):
        def any_length(encoding, text, _lengths):
            data = bytes.fromhex(text) if encoding == "hex" and reading.decode_hex(text) is not None else None
            return data if encoding == "hex" else reading.decode_base64(text)

        def zip_compare(expected, presented):
            return all(a == b for a, b in zip(expected, presented))

        with mock.patch.object(oracle, "tags_equal", zip_compare):
            self.assert_caught(reading, "decode_tag", any_length, "github-052", "github-062", "stripe-065", "metalocator-raw-062")

    def test_one_sided_window(self):
        def only_past(timestamp_ms, now, past, _future):
            if now * 1000 - timestamp_ms > past * 1000:
                raise oracle.Refusal("timestamp_too_old")

        self.assert_caught(oracle, "check_window", only_past, "slack-103", "klozeo-103", "leadhub-168", "standard-webhooks-104")

    def test_excluding_the_edges(self):
        real = oracle.check_window
        self.assert_caught(
            oracle,
            "check_window",
            lambda t, now, past, future: real(t, now, past - 1, future - 1),
            "stripe-100",
            "stripe-102",
            "megatronlead-100",
        )

    def test_no_window(self):
        self.assert_caught(oracle, "check_window", lambda *_: None, "stripe-101", "metalocator-321", "metalocator-322")

    def test_ignoring_duplicate_headers(self):
        self.assert_caught(
            oracle,
            "refuse_duplicate_headers",
            lambda *_: None,
            "github-034",
            "github-035",
            "slack-090",
            "standard-webhooks-091",
            "megatronlead-092",
            "klozeo-guide-320",
        )

    def test_base64_that_is_not_strict(self):
        def lenient(text):
            try:
                return base64.b64decode(text + "==", altchars=None, validate=False)
            except ValueError:
                return None

        self.assert_caught(
            reading,
            "decode_base64",
            lenient,
            "metalocator-raw-075",
            "metalocator-raw-076",
            "metalocator-raw-079",
            "metalocator-075",
        )

    def test_base64_with_set_unused_bits(self):
        def no_second_look(text):
            try:
                return base64.b64decode(text, validate=True)
            except ValueError:
                return None

        self.assert_caught(
            reading, "decode_base64", no_second_look, "metalocator-raw-075", "metalocator-075", "standard-webhooks-075"
        )

    def test_hex_that_skips_spaces(self):
        def spaced(text):
            try:
                return bytes.fromhex(text)
            except ValueError:
                return None

        self.assert_caught(reading, "decode_hex", spaced, "github-071", "github-058", "klozeo-071")

    def test_hex_of_one_case_only(self):
        real = reading.decode_hex
        self.assert_caught(
            reading, "decode_hex", lambda text: real(text) if text == text.lower() else None, "meta-066", "meta-067"
        )

    def test_numbers_as_a_library_reads_them(self):
        def lenient(text):
            try:
                return int(text)
            except ValueError:
                return None

        self.assert_caught(
            reading, "parse_seconds", lenient, "slack-110", "slack-112", "slack-124", "slack-128", "stripe-130", "klozeo-119"
        )

    def test_no_signature_check(self):
        self.assert_caught(oracle, "key_matches", lambda *_: True, "github-025", "github-021", "standard-webhooks-353")

    def test_no_limit(self):
        self.assert_caught(
            oracle, "refuse_too_many", lambda *_: None, "stripe-221", "stripe-223", "stripe-224", "standard-webhooks-221"
        )

    def test_limits_one_too_low(self):
        with mock.patch.object(oracle, "MAX_ELEMENTS", 31):
            self.assert_caught(
                oracle, "MAX_SIGNATURES", 7, "stripe-220", "stripe-222", "standard-webhooks-220", "standard-webhooks-222"
            )

    def test_ignoring_the_content_encoding(self):
        self.assert_caught(oracle, "refuse_content_encoding", lambda *_: None, "github-042", "github-046", "github-047")

    def test_ids_with_a_point(self):
        self.assert_caught(
            oracle,
            "EVENT_ID",
            mock.Mock(fullmatch=lambda text: text),
            "standard-webhooks-320",
            "standard-webhooks-303",
            "github-094",
        )

    def test_the_last_of_two_json_names(self):
        def last_wins(body):
            return json.loads(
                body,
                object_pairs_hook=lambda pairs: reading.Members(dict(pairs).items()),
                parse_int=reading.Integer,
                parse_float=reading.Real,
            )

        self.assert_caught(reading, "parse_json", last_wins, "klozeo-190", "leadhub-192", "klozeo-198", "stripe-305")

    def test_dates_without_a_calendar(self):
        self.assert_caught(reading, "days_in_month", lambda _year, _month: 31, "leadhub-173", "leadhub-174")

    def test_numbers_through_a_double(self):
        real = reading.parse_json

        def doubled(body):
            if b"9007199254740993" in body:
                body = body.replace(b"9007199254740993", str(int(float("9007199254740993"))).encode())
            return real(body)

        self.assert_caught(reading, "parse_json", doubled, "stripe-302", "slack-302")

    def test_ed25519_without_the_bound_of_s(self):
        real = ed25519.verify

        def reducing(public, message, signature):
            s = int.from_bytes(signature[32:], "little") % ed25519.ORDER
            return real(public, message, signature[:32] + s.to_bytes(32, "little"))

        self.assert_caught(ed25519, "verify", reducing, "standard-webhooks-351")

    def test_mixing_kinds_of_keys(self):
        def any_kind(keys, candidates, messages):
            for key in keys:
                for _header, kind, data in candidates:
                    if oracle.key_matches(oracle.Key(key.id, kind, key.data), messages[0], data):
                        return key
            raise oracle.Refusal("signature_mismatch")

        self.assert_caught(oracle, "find_matching_key", any_kind, "standard-webhooks-354")

    def test_the_wrong_key_named(self):
        real = oracle.find_matching_key
        self.assert_caught(oracle, "find_matching_key", lambda keys, *rest: real(keys[::-1], *rest), "standard-webhooks-343")


if __name__ == "__main__":
    unittest.main()
