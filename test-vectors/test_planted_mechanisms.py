"""Bugs planted in what few schemes have: families, bound keys, tokens, computed texts, digests, items."""

import dataclasses
import hashlib
import json
import unittest
import zlib
from unittest import mock

import computed
import documents
import oracle
import public_keys
import reading
from presets import BODY, CRC, METHOD, PRESETS, URL, WEBHOOK_ID
from test_check import run_check


class PlantedBugs(unittest.TestCase):
    def assert_output_names(self, vectors):
        code, output = run_check()
        self.assertEqual(code, 1)
        for vector in vectors:
            self.assertIn(f"FAIL {vector}:", output)

    def assert_caught(self, module, name, bug, *vectors):
        with mock.patch.object(module, name, bug):
            self.assert_output_names(vectors)

    def assert_preset_caught(self, scheme, changes, *vectors):
        with mock.patch.dict(PRESETS, {scheme: dataclasses.replace(PRESETS[scheme], **changes)}):
            self.assert_output_names(vectors)


class Headers(PlantedBugs):
    def test_the_first_family_only_when_its_signature_is_there(self):
        def by_signature(preset, request):
            first = preset.first_family
            return first if first and request.values(first.signature_headers[0]) else preset

        self.assert_caught(oracle, "choose_family", by_signature, "svix-413", "svix-414", "shopify-411", "shopify-412")

    def test_header_by_header_from_either_family(self):
        def merged(preset, request):
            first = preset.first_family
            if not first:
                return preset
            names = ("signature_headers", "id_header", "timestamp_header", "type_header")
            pairs = {name: (getattr(first, name), getattr(preset, name)) for name in names}
            chosen = {}
            for name, (one, other) in pairs.items():
                header = one[0] if isinstance(one, tuple) else one
                chosen[name] = one if header and request.values(header) else other
            return dataclasses.replace(preset, **chosen)

        self.assert_caught(oracle, "choose_family", merged, "svix-411", "svix-412", "svix-413", "shopify-405", "shopify-411")

    def test_the_second_family_first(self):
        def second(preset, request):
            has_second = any(request.values(name) for name in preset.signature_headers)
            return preset if has_second or not preset.first_family else preset.first_family

        self.assert_caught(oracle, "choose_family", second, "svix-402", "svix-410", "shopify-402", "shopify-410")

    def test_any_key_for_any_of_the_headers(self):
        self.assert_caught(oracle, "bound_header", lambda *_: None, "box-320", "box-321", "box-322", "box-323")

    def test_not_looking_at_the_required_headers(self):
        vectors = ("box-330", "box-332", "box-342", "paypal-330", "paypal-332", "paypal-333")
        self.assert_caught(oracle, "check_required_headers", lambda *_: None, *vectors)

    def test_only_the_first_numbered_header(self):
        changes = {"numbered_headers": None, "signature_headers": ("x-docusign-signature-1",)}
        self.assert_preset_caught("docusign", changes, "docusign-311", "docusign-312", "docusign-313", "docusign-320")

    def test_any_header_that_starts_like_a_numbered_one(self):
        def any_suffix(preset, request):
            prefix = preset.numbered_headers
            if not prefix:
                return preset.signature_headers
            return list(dict.fromkeys(name for name, _ in request.headers if name.startswith(prefix)))

        vectors = ("docusign-322", "docusign-323", "docusign-324", "docusign-325", "docusign-326", "docusign-327")
        self.assert_caught(oracle, "signature_headers", any_suffix, *vectors)

    def test_a_token_of_any_length_or_with_the_right_start(self):
        lengths = {**oracle.TAG_LENGTHS, "token": range(100_000)}
        self.assert_caught(oracle, "TAG_LENGTHS", lengths, "gitlab-token-340", "gitlab-token-341")

        def zip_compare(expected, presented):
            return all(a == b for a, b in zip(expected, presented))

        self.assert_caught(oracle, "tags_equal", zip_compare, "gitlab-token-321", "gitlab-token-322", "gitlab-token-323")

    def test_another_version_of_standard_webhooks(self):
        for scheme in ("gitlab", "openai"):
            self.assert_preset_caught(scheme, {"versions": ("v1", "v1a")}, f"{scheme}-340", f"{scheme}-342")


class Keys(PlantedBugs):
    def test_decoding_a_key_that_looks_like_base64(self):
        def decoding(_preset, material):
            data = reading.decode_base64(material)
            return "hmac", data if data and material.endswith("=") else material.encode()

        with mock.patch.dict(oracle.KEY_TEXTS, {"utf-8": decoding}):
            self.assert_output_names(("zendesk-310", "zendesk-001", "docusign-330", "docusign-001"))

    def test_a_hex_key_as_text(self):
        for scheme in ("close", "adyen-platform"):
            self.assert_preset_caught(scheme, {"key_text": "utf-8"}, f"{scheme}-001", f"{scheme}-310")

    def test_another_hash(self):
        self.assert_preset_caught("intercom", {"algorithm": "hmac"}, "intercom-001", "intercom-310")
        self.assert_preset_caught("vercel", {"algorithm": "hmac"}, "vercel-001")

    def test_der_or_raw_signatures(self):
        real = public_keys.verifies

        def either(kind, key, message, signature):
            if kind == "ecdsa" and len(signature) == 64:
                kind = "es256"
            return real(kind, key, message, signature)

        self.assert_caught(public_keys, "verifies", either, "sendgrid-330")

    def test_no_public_key_check(self):
        vectors = ("sendgrid-025", "sendgrid-331", "paypal-025", "paypal-310", "plaid-350", "plaid-356")
        self.assert_caught(public_keys, "verifies", lambda *_: True, *vectors)

    def test_refusing_s_in_the_upper_half(self):
        real = public_keys.verifies

        def low_s_only(kind, key, message, signature):
            high = kind == "ecdsa" and len(signature) > 64 and int.from_bytes(signature[-32:], "big") >> 255
            return not high and real(kind, key, message, signature)

        self.assert_caught(public_keys, "verifies", low_s_only, "sendgrid-311")


class SignedTexts(PlantedBugs):
    def test_leaving_parts_out(self):
        self.assert_preset_caught("square", {"parts": (BODY,)}, "square-001", "square-310")
        without_method = PRESETS["hubspot-v3"].parts[1:]
        self.assertEqual(PRESETS["hubspot-v3"].parts[0], METHOD)
        self.assert_preset_caught("hubspot-v3", {"parts": without_method}, "hubspot-v3-001", "hubspot-v3-316")
        self.assert_preset_caught("square", {"parts": (BODY, URL)}, "square-316")

    def test_units_and_windows(self):
        seconds = {"timestamp_form": "seconds"}
        self.assert_preset_caught("hubspot-v3", seconds, "hubspot-v3-001", "hubspot-v3-124")
        self.assert_preset_caught("paddle", {"past": 300, "future": 300}, "paddle-101", "paddle-103")
        self.assert_preset_caught("linear", {"event_time_forms": ("seconds",)}, "linear-001", "linear-124")
        self.assert_preset_caught("zendesk", seconds, "zendesk-001", "zendesk-163")

    def test_the_webhook_id_from_anywhere_else(self):
        parts = tuple(b"1TESTONLY0123456W" if part == WEBHOOK_ID else part for part in PRESETS["paypal"].parts)
        self.assert_preset_caught("paypal", {"parts": parts}, "paypal-311", "paypal-312")
        body = tuple(BODY if part == CRC else part for part in PRESETS["paypal"].parts)
        self.assert_preset_caught("paypal", {"parts": body}, "paypal-001", "paypal-313")

    def test_a_crc_with_a_sign_or_in_eight_digits(self):
        real = zlib.crc32
        negative = mock.Mock(crc32=lambda data: real(data) - (real(data) >> 31 << 32))
        self.assert_caught(oracle, "zlib", negative, "paypal-318")
        self.assert_caught(oracle, "zlib", mock.Mock(crc32=lambda data: real(data) | 0x1000_0000), "paypal-317")

    def test_repeated_parameters(self):
        def with_repetitions(request):
            form = b"".join(name + value for name, value in sorted(computed.parse_form(request.body)))
            return [request.url.encode() + form]

        with mock.patch.dict(computed.MESSAGES, {"twilio": with_repetitions}):
            self.assert_output_names(("twilio-310", "twilio-322", "twilio-327", "twilio-341", "twilio-360"))

        def distinct(request):
            form = b"".join(name + value for name, value in sorted(set(computed.parse_form(request.body))))
            return [request.url.encode() + form]

        with mock.patch.dict(computed.MESSAGES, {"mandrill": distinct}):
            self.assert_output_names(("mandrill-310",))

    def test_ports(self):
        self.assert_caught(computed, "twilio_urls", lambda url: [url], "twilio-341", "twilio-342", "twilio-343", "twilio-348")
        ports = {"https": ":80", "http": ":443"}
        self.assert_caught(computed, "PORTS", ports, "twilio-341", "twilio-345", "twilio-352")

    def test_forms_as_a_library_reads_them(self):
        real = computed.parse_form
        without_empty = lambda body: [pair for pair in real(body) if pair[1]]  # noqa: E731
        self.assert_caught(computed, "parse_form", without_empty, "twilio-312")

    def test_a_signed_url_and_a_digest_that_nobody_compares(self):
        self.assert_caught(computed, "check_twilio_digest", lambda *_: None, "twilio-370", "twilio-371", "twilio-374")

    def test_a_digest_in_any_letter_case(self):
        def lenient(request):
            wanted = computed.body_sha256(request.url)
            if wanted is not None and wanted.lower() != hashlib.sha256(request.body).hexdigest():
                raise oracle.Refusal("digest_mismatch")

        self.assert_caught(computed, "check_twilio_digest", lenient, "twilio-372")

    def test_a_list_of_signed_headers_that_may_be_short(self):
        self.assert_caught(computed, "MUST_BE_SIGNED", set(), "contentful-320", "contentful-321")

    def test_a_list_of_signed_headers_as_it_stands(self):
        def unsorted(request):
            return [name.strip().lower() for name in request.value("x-contentful-signed-headers").split(b",")]

        self.assert_caught(computed, "signed_names", unsorted, "contentful-311")

    def test_a_query_encoded_once(self):
        def once(url):
            return url.partition("://")[2].partition("/")[2].join(["/", ""]).encode()

        self.assert_caught(computed, "encoded_path", once, "contentful-340", "contentful-341", "contentful-350")


class Documents(PlantedBugs):
    def test_the_algorithm_of_the_token(self):
        def trusting(value):
            text = value.decode("latin-1")
            parts = [reading.decode_base64url(part) or b"" for part in text.split(".")]
            header = dict(json.loads(parts[0]))
            return text.rpartition(".")[0].encode(), parts[2], header.get("kid")

        with mock.patch.object(public_keys, "verifies", lambda _kind, _key, _text, signature: True):
            self.assert_caught(
                documents, "read_token", lambda value: guarded(trusting, value), "plaid-330", "plaid-331", "plaid-332"
            )

    def test_any_configured_key(self):
        real = oracle.read_key

        def nameless(preset, key_id, material):
            key = real(preset, key_id, material)
            return dataclasses.replace(key, kid="6c5516e1-92dc-479e-a8ff-000000000001")

        self.assert_caught(oracle, "read_key", nameless, "plaid-353")

    def test_a_token_whose_body_nobody_hashes(self):
        class NoDigest:
            """Says that every text is the digest."""

            @staticmethod
            def sha256(_body):
                return mock.Mock(hexdigest=lambda: mock.ANY)

        vectors = ("plaid-420", "plaid-421", "plaid-422", "plaid-423")
        self.assert_caught(documents, "hashlib", NoDigest, *vectors)

    def test_only_the_first_item(self):
        real = documents.read_items
        vectors = ("adyen-payments-320", "adyen-payments-322", "adyen-payments-324")
        self.assert_caught(documents, "read_items", lambda body: real(body)[:1], *vectors)

    def test_one_good_item_is_enough(self):
        def any_item(keys, request):
            items = [documents.read_item(item) for item in documents.read_items(request.body)]
            found = [key for message, tag in items if (key := documents.find_key(keys, message, tag))]
            if not found:
                raise oracle.Refusal("signature_mismatch")
            return found[0]

        self.assert_caught(documents, "judge_adyen", any_item, "adyen-payments-320", "adyen-payments-321")

    def test_escaped_fields(self):
        real = documents.item_message

        def escaped(item):
            real(item)
            values = [reading.find(item, pointer) or "" for pointer in documents.ADYEN_FIELDS]
            return ":".join(value.replace("\\", "\\\\").replace(":", "\\:") for value in values).encode()

        self.assert_caught(documents, "item_message", escaped, "adyen-payments-334")

    def test_any_value_is_passed_over(self):
        def lenient(item):
            values = [reading.find(item, pointer) for pointer in documents.ADYEN_FIELDS]
            return ":".join(value if isinstance(value, str) else "" for value in values).encode("utf-8", "surrogatepass")

        self.assert_caught(documents, "item_message", lenient, "adyen-payments-383", "adyen-payments-384")

    def test_numbers_read_and_printed_again(self):
        real = documents.item_message

        def reprinted(item):
            return b":".join(reprint(part) for part in real(item).split(b":"))

        def reprint(part):
            return str(float(part)).removesuffix(".0").encode() if part[:1].isdigit() and len(part) < 17 else part

        self.assert_caught(documents, "item_message", reprinted, "adyen-payments-336", "adyen-payments-337")

    def test_base64_of_another_length(self):
        def lenient(_encoding, text, _lengths):
            data = reading.decode_base64(text)
            return data and data[:32]

        with mock.patch.object(documents.reading, "decode_tag", lenient):
            self.assert_output_names(("adyen-payments-353", "adyen-platform-313"))


class EventTypes(PlantedBugs):
    def test_limits(self):
        self.assert_caught(oracle, "MAX_TYPE_BYTES", 257, "stripe-386", "stripe-387", "gitlab-394")
        self.assert_caught(oracle, "MAX_TYPE_BYTES", 255, "stripe-385", "gitlab-393")

    def test_the_first_place_only(self):
        slack = {"type_pointers": ("/event/type",)}
        self.assert_preset_caught("slack", slack, "slack-380", "slack-383", "slack-384", "slack-386")

    def test_anything_as_text(self):
        def any_value(request, pointer):
            try:
                value = reading.find(reading.parse_json(request.body), pointer)
            except ValueError:
                return None
            return value if isinstance(value, str) else json.dumps(value)

        self.assert_caught(oracle, "read_body_text", any_value, "stripe-383", "stripe-380", "stripe-303")


def guarded(read, value):
    try:
        return read(value)
    except (ValueError, IndexError):
        raise oracle.Refusal("malformed_header") from None


if __name__ == "__main__":
    unittest.main()
