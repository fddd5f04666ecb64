"""Bugs planted in the oracle of HTTP message signatures: the mistakes of real receivers, each caught by a shipped vector."""

import dataclasses
import re
import unittest
from unittest import mock

import check
import components
import message_signatures
import structured_fields
from structured_fields import InnerList, Item, Token
from test_check import run_check
from verdicts import Refusal

SCHEME = "http-message-signatures"


class PlantedBugs(unittest.TestCase):
    def assert_caught(self, module, name, bug, *numbers):
        with mock.patch.object(module, name, bug):
            self.assert_output_names(*numbers)

    def assert_output_names(self, *numbers):
        code, output = run_check(check.OWN_FOLDER / f"{SCHEME}.json")
        self.assertEqual(code, 1)
        for number in numbers:
            self.assertIn(f"FAIL {SCHEME}-{number}:", output)


class StructuredFields(PlantedBugs):
    def test_without_a_bug_nothing_is_caught(self):
        code, output = run_check(check.OWN_FOLDER / f"{SCHEME}.json")
        self.assertEqual(code, 0, output)

    def with_values(self, pattern, convert):
        return mock.patch.object(structured_fields, "VALUES", (*structured_fields.VALUES, (re.compile(pattern), convert)))

    def test_tabs(self):
        with mock.patch.object(structured_fields, "SPACES", re.compile(r"[ \t]*")):
            self.assert_caught(message_signatures, "is_visible_ascii", lambda _value: True, 318, 321, 827)

    def test_base64_as_most_libraries_read_it(self):
        def lenient(text):
            text = text.rstrip("=")
            return structured_fields.base64.b64decode(text + "=" * (-len(text) % 4))

        fake = mock.Mock(decode_base64=lenient)
        self.assert_caught(structured_fields, "reading", fake, 360, 361, 362, 826)

    def test_dates_and_display_strings(self):
        with self.with_values(r'@[0-9]+|%"[^"]*"', lambda match: Token(match[0])):
            self.assert_output_names(346, 347)

    def test_numbers_of_any_length(self):
        self.assert_caught(structured_fields, "MAX_INTEGER_DIGITS", 99, 339)
        self.assert_caught(structured_fields, "MAX_WHOLE_DIGITS", 99, 341)
        self.assert_caught(structured_fields, "MAX_INTEGER_DIGITS", 14, 393)

    def test_a_key_in_any_letter_case(self):
        self.assert_caught(structured_fields, "KEY", re.compile(r"[A-Za-z*][A-Za-z0-9_.*-]*"), 322, 336, 819)

    def test_the_first_of_a_repeated_key(self):
        real = structured_fields.parse_dictionary

        def first_only(text):
            members = {}
            for piece in text.split(","):
                for key, member in real(piece).items():
                    members.setdefault(key, member)
            return members

        self.assert_caught(structured_fields, "parse_dictionary", first_only, 375, 376, 377, 378, 805, 809)

    def test_refusing_a_repeated_key(self):
        real = structured_fields.parse_dictionary

        def once_only(text):
            members = real(text)
            if len(re.findall(r"(?:^|,) *[a-z0-9-]+=", text)) > len(members):
                raise ValueError("a key twice")
            return members

        self.assert_caught(structured_fields, "parse_dictionary", once_only, 375, 376, 416, 805)

    def test_a_repeated_parameter_at_its_last_place(self):
        def read_parameters(scanner):
            parameters = {}
            while scanner.take_text(";"):
                scanner.take(structured_fields.SPACES)
                key = scanner.expect(structured_fields.KEY)[0]
                parameters.pop(key, None)
                parameters[key] = structured_fields.read_value(scanner) if scanner.take_text("=") else True
            return parameters

        self.assert_caught(structured_fields, "read_parameters", read_parameters, 395, 398)

    def test_signing_the_text_as_it_arrived(self):
        real = components.signature_base

        def as_it_arrived(covered, request):
            before = real(covered, request).rpartition(b": ")[0]
            return before + b": " + request.value("signature-input").partition(b"=")[2]

        self.assert_caught(components, "signature_base", as_it_arrived, 370, 371, 372, 374, 375, 383, 384, 386, 395)

    def test_parameters_in_an_order_of_the_receivers(self):
        real = structured_fields.write_parameters
        names = ("created", "expires", "keyid", "alg", "nonce", "tag")

        def ordered(parameters):
            known = {name: parameters[name] for name in names if name in parameters}
            return real({**known, **parameters})

        self.assert_caught(structured_fields, "write_parameters", ordered, 382, 394, 397)


class Labels(PlantedBugs):
    def labels_as(self, change, *numbers):
        real = message_signatures.read_labels
        self.assert_caught(message_signatures, "read_labels", lambda request: change(real(request)), *numbers)

    def test_only_one_of_the_labels(self):
        self.labels_as(lambda labels: labels[:1], 401, 408, 411, 851)
        self.labels_as(lambda labels: labels[-1:], 400)
        self.labels_as(lambda labels: labels[::-1], 409, 410, 425, 426, 427)

    def test_every_label_must_be_good(self):
        def all_good(labels):
            return labels if len(labels) == 1 else [next(iter(labels[1:]))]

        self.labels_as(all_good, 400, 409)

    def test_the_reason_of_the_first_or_the_last(self):
        real = message_signatures.judge_label

        def as_if_equally_far(label, receiver, request):
            passed, reason, key = real(label, receiver, request)
            return (0 if reason else passed), reason, key

        self.assert_caught(message_signatures, "judge_label", as_if_equally_far, 420, 422, 424, 428)

    def test_pairing_by_place(self):
        def by_place(request):
            if None in map(request.value, ("signature-input", "signature")):
                raise Refusal("missing_header")
            inputs = message_signatures.read_dictionary(request, "signature-input").values()
            signatures = message_signatures.read_dictionary(request, "signature").values()
            pairs = zip(inputs, signatures, strict=False)
            return [
                message_signatures.Label(covered, item.value)
                for covered, item in pairs
                if isinstance(covered, InnerList) and message_signatures.is_byte_sequence(item)
            ] or [message_signatures.Label(InnerList((), {}), b"")]

        self.assert_caught(message_signatures, "read_labels", by_place, 405, 407)

    def test_limits(self):
        self.assert_caught(message_signatures, "MAX_MEMBERS", 9, 412, 413, 414, 415)
        self.assert_caught(message_signatures, "MAX_MEMBERS", 7, 411, 416)

    def test_counting_what_repeats(self):
        real = message_signatures.read_dictionary

        def counting(request, name):
            members = real(request, name)
            if request.value(name).count(b",") >= 8:
                raise Refusal("too_many_signatures")
            return members

        self.assert_caught(message_signatures, "read_dictionary", counting, 416)


class Stages(PlantedBugs):
    def with_stage(self, place, bug, *numbers):
        stages = list(message_signatures.STAGES)
        stages[place] = bug
        self.assert_caught(message_signatures, "STAGES", tuple(stages), *numbers)

    def without_stage(self, place, *numbers):
        self.with_stage(place, lambda *_: None, *numbers)

    def test_parameters_of_components_that_nobody_looks_at(self):
        real = components.check_component

        def by_name(item):
            real(Item(item.value, item.parameters if item.value == "@query-param" else {}))

        vectors = (*range(440, 448),)
        self.assert_caught(components, "check_component", by_name, *vectors)

    def test_field_names_of_any_kind(self):
        self.assert_caught(components, "FIELD_NAME", re.compile(r".*"), 432, 433, 434, 435, 436, 437, 438, 439)

    def test_text_of_any_kind(self):
        real = components.check_component

        def as_text(item):
            real(Item(str(item.value), item.parameters))

        self.assert_caught(components, "check_component", as_text, 430, 431)

    def test_a_form_that_nobody_checks(self):
        def components_and_times(label, _receiver, _request):
            for item in label.covered.items:
                components.check_component(item)
            if {type(label.parameter(name)) for name in ("created", "expires")} - {int, type(None)}:
                raise Refusal("malformed_header")

        vectors = (365, 453, 454, 455, 456, 463, 464, 465, 466, 735, 748, 777)
        self.with_stage(0, components_and_times, *vectors)

    def test_signatures_of_any_length(self):
        lengths = dict.fromkeys(message_signatures.LENGTHS, range(100_000))
        self.assert_caught(message_signatures, "LENGTHS", lengths, 365, 366, 367, 368, 722, 726, 735, 748, 749, 750, 777)

    def test_comparing_only_as_far_as_the_shorter_side(self):
        class ZipCompare:
            """Says that tags are equal when the shorter one starts the longer one."""

            digest = staticmethod(message_signatures.hmac.digest)

            @staticmethod
            def compare_digest(expected, presented):
                return all(a == b for a, b in zip(expected, presented, strict=False))

        lengths = dict.fromkeys(message_signatures.LENGTHS, range(100_000))
        with mock.patch.object(message_signatures, "LENGTHS", lengths):
            self.assert_caught(message_signatures, "hmac", ZipCompare, 365, 366, 367, 368)

    def test_whatever_the_sender_covers(self):
        vectors = (378, *range(470, 477), 480, 481, 483, 485, 486)
        self.without_stage(1, *vectors)

    def test_a_query_parameter_for_another(self):
        def by_name(label, receiver, _request):
            covered = {item.value for item in label.covered.items}
            if not {item.value for item in receiver.required} <= covered:
                raise Refusal("uncovered_component")

        self.with_stage(1, by_name, 485)

    def test_an_empty_list_taken_for_none(self):
        real = message_signatures.read_required

        def default_for_empty(options):
            return real({name: value for name, value in options.items() if value})

        self.assert_caught(message_signatures, "read_required", default_for_empty, 478, 610, 840, 841)

    def test_stages_in_another_order(self):
        form, coverage, presence, time, key = message_signatures.STAGES
        for stages, vectors in (
            ((coverage, form, presence, time, key), (490,)),
            ((form, presence, coverage, time, key), (491,)),
            ((form, coverage, time, presence, key), (492, 493)),
        ):
            self.assert_caught(message_signatures, "STAGES", stages, *vectors)

    def test_the_time_after_the_signature(self):
        form, coverage, presence, time, key = message_signatures.STAGES

        def both(label, receiver, request):
            found = key(label, receiver, request)
            time(label, receiver, request)
            return found

        self.assert_caught(message_signatures, "STAGES", (form, coverage, presence, both), 495)


class Times(PlantedBugs):
    def time_stage(self, bug, *numbers):
        form, coverage, presence, _, key = message_signatures.STAGES
        self.assert_caught(message_signatures, "STAGES", (form, coverage, presence, bug, key), *numbers)

    def changed(self, **changes):
        """The stage with other parameters of the label."""
        real = message_signatures.check_time

        def stage(label, receiver, request):
            parameters = {**label.covered.parameters}
            for name, change in changes.items():
                parameters[name] = change(parameters.get(name), request)
            parameters = {name: value for name, value in parameters.items() if value is not None}
            covered = InnerList(label.covered.items, parameters)
            real(dataclasses.replace(label, covered=covered), receiver, request)

        return stage

    def test_windows(self):
        real = message_signatures.check_window
        ignore_future = lambda t, now, past, _future: real(t, now, past, 10**12)  # noqa: E731
        inside = lambda t, now, past, future: real(t, now, past - 1, future - 1)  # noqa: E731
        self.assert_caught(message_signatures, "check_window", ignore_future, 503, 515, 527, 496)
        self.assert_caught(message_signatures, "check_window", inside, 500, 502, 525, 528)
        self.assert_caught(message_signatures, "check_window", lambda *_: None, 501, 503, 524, 526)

    def test_no_time_at_all(self):
        self.time_stage(self.changed(created=lambda value, request: value or request.now), 504, 505, 506, 507)

    def test_milliseconds(self):
        def seconds(value, _request):
            return value // 1000 if value and value > 10**12 else value

        self.time_stage(self.changed(created=seconds), 511)

    def test_limits_of_created(self):
        self.assert_caught(message_signatures, "MAX_TIMESTAMP", 10**15, 510, 511, 512)
        self.assert_caught(message_signatures, "MAX_TIMESTAMP", 10**11, 515)

    def test_expiry(self):
        never = self.changed(expires=lambda value, request: None)
        self.time_stage(never, 517, 518, 519, 520, 521, 529)
        early = self.changed(expires=lambda value, request: value and value - 1)
        self.time_stage(early, 516)
        late = self.changed(expires=lambda value, request: value and value + 300)
        self.time_stage(late, 517, 518, 529)

    def test_an_expiry_instead_of_the_window(self):
        def either(label, receiver, request):
            if (label.parameter("expires") or 0) < request.now:
                message_signatures.check_time(label, receiver, request)

        self.time_stage(either, 505, 524)


if __name__ == "__main__":
    unittest.main()
