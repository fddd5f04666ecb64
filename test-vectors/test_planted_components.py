"""Bugs planted in what HTTP message signatures cover and how they are made: components, algorithms, digests."""

import hashlib
import re
import unittest
from unittest import mock
from urllib.parse import unquote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import components
import message_signatures
import public_keys
from test_planted_messages import PlantedBugs
from verdicts import Refusal


class Urls(PlantedBugs):
    def derived(self, name, bug, *numbers):
        with mock.patch.dict(components.DERIVED, {name: bug}):
            self.assert_output_names(*numbers)

    def test_the_authority_as_it_was_called(self):
        def called(request):
            return re.match(r"[a-z]+://([^/?#]*)", request.url)[1]

        self.derived("@authority", called, 581, 582, 585, 587, 588, 589, 590, 591, 594)
        self.derived("@authority", lambda request: called(request).lower().rpartition("@")[2], 582, 585, 589, 590)

    def test_the_authority_without_any_port(self):
        def bare(request):
            return re.sub(r":[0-9]+$", "", components.split(request)[1].lower())

        self.derived("@authority", bare, 583, 584, 586, 592)
        both = {"https": ":443", "http": ":443"}
        self.assert_caught(components, "DEFAULT_PORTS", both, 585, 586)

    def test_the_authority_of_the_host_header(self):
        def host(request):
            return (request.value("host") or b"proxy.internal").decode()

        self.derived("@authority", host, 580, 479)

    def test_a_target_uri_that_was_tidied(self):
        def tidied(request):
            scheme, host, path, query = components.split(request)
            return f"{scheme}://{host.lower()}{path}{query}"

        self.derived("@target-uri", tidied, 581, 587)
        self.derived("@target-uri", lambda request: request.url.partition("?")[0], 567, 601, 602)

    def test_paths_as_a_library_reads_them(self):
        self.derived("@path", lambda request: unquote(components.path(request)), 606, 615)
        dots = re.compile(r"/[^/]+/\.\.|/\.(?=/)")
        self.derived("@path", lambda request: dots.sub("", components.path(request)), 607, 616)
        self.derived("@path", lambda request: components.path(request).replace("//", "/"), 608)
        self.derived("@path", lambda request: "".join(components.split(request)[2:]), 602, 605, 614)
        empty = lambda request: re.sub(r"^[a-z]+://[^/?]*|\?.*", "", request.url)  # noqa: E731
        self.derived("@path", empty, 610, 611)

    def test_queries(self):
        self.derived("@query", lambda request: components.split(request)[3], 600, 612)
        self.derived("@query", lambda request: components.query(request)[1:], 601, 602, 613)
        self.derived("@query", lambda request: unquote(components.query(request)), 609)
        self.derived("@request-target", components.path, 601, 602, 605, 618)
        self.derived("@request-target", lambda request: components.request_target(request).removesuffix("?"), 601)
        self.derived("@request-target", lambda request: request.url, 600, 617)

    def test_the_method_in_lower_case(self):
        self.derived("@method", lambda request: request.method.lower(), 300, 597)


class QueryParams(PlantedBugs):
    def found_as(self, read, *numbers):
        def query_param(request, name):
            pieces = [piece.partition("=")[::2] for piece in components.query(request)[1:].split("&") if piece]
            value = read(pieces, name)
            return None if value is None else value.encode()

        self.assert_caught(components, "query_param", query_param, *numbers)

    def test_as_it_was_called(self):
        self.found_as(lambda pieces, name: dict(pieces).get(name), 626, 630, 632, 638, 641, 663)

    def test_one_of_several(self):
        real = components.parse_form
        self.assert_caught(components, "parse_form", lambda query: list(dict(real(query)).items()), 655, 657, 658, 659)
        first = lambda query: list(dict(real(query)[::-1]).items())  # noqa: E731
        self.assert_caught(components, "parse_form", first, 655, 656, 658, 659)

    def test_empty_values_dropped(self):
        real = components.parse_form
        with_value = lambda query: [pair for pair in real(query) if pair[1]]  # noqa: E731
        self.assert_caught(components, "parse_form", with_value, 622, 623, 659)

    def test_semicolons(self):
        real = components.parse_form
        self.assert_caught(components, "parse_form", lambda query: real(query.replace(b";", b"&")), 641)

    def test_another_set_of_signs(self):
        more = components.FORM_CHARACTERS + b"~!'()"
        self.assert_caught(components, "FORM_CHARACTERS", more, 632, 665)
        uri = bytes(byte for byte in components.FORM_CHARACTERS if byte not in b"*") + b"~"
        self.assert_caught(components, "FORM_CHARACTERS", uri, 632, 665)

    def test_a_replacement_character(self):
        real = components.parse_form

        def as_text(query):
            return [tuple(text.decode("utf-8", "replace").encode() for text in pair) for pair in real(query)]

        self.assert_caught(components, "parse_form", as_text, 636, 666)

    def test_a_plus_sign_for_a_space(self):
        real = components.percent_encode

        def with_plus(text, kept):
            return real(text, kept).replace(b"%20", b"+")

        self.assert_caught(components, "percent_encode", with_plus, 626, 627, 661, 663)

    def test_names_that_are_compared_decoded(self):
        real = components.query_param

        def decoded(request, name):
            encoded = components.percent_encode(unquote(name).encode(), components.FORM_CHARACTERS)
            return real(request, encoded.decode())

        self.assert_caught(components, "query_param", decoded, 660, 662)


class Fields(PlantedBugs):
    def fields_as(self, read, *numbers):
        def field_value(request, name):
            values = request.values(name)
            return read(values) if values else None

        self.assert_caught(components, "field_value", field_value, *numbers)

    def test_several_occurrences(self):
        self.fields_as(lambda values: values[0], 674, 678, 685)
        self.fields_as(lambda values: values[-1], 674, 678, 686)
        self.fields_as(b",".join, 674, 683)
        self.fields_as(lambda values: b", ".join(filter(None, values)), 676)
        self.fields_as(lambda values: b", ".join(sorted(values, reverse=True)), 674, 684)

    def test_values_that_were_tidied(self):
        self.fields_as(lambda values: re.sub(rb"[ \t]+", b" ", b", ".join(values)), 679, 687)
        self.fields_as(lambda values: re.sub(rb" *, *", b", ", b", ".join(values)), 677)

    def test_an_absent_field_taken_for_an_empty_one(self):
        def empty(request, name):
            return b", ".join(request.values(name))

        self.assert_caught(components, "field_value", empty, 422, 492, 689, 690)

    def test_an_empty_field_taken_for_an_absent_one(self):
        def absent(request, name):
            return b", ".join(request.values(name)) or None

        self.assert_caught(components, "field_value", absent, 673)

    def test_bytes_outside_ascii(self):
        def any_bytes(request, name):
            return b", ".join(request.values(name)).replace(b"\xe9", b"e") if request.values(name) else None

        self.assert_caught(components, "field_value", any_bytes, 691, 693)


class Algorithms(PlantedBugs):
    def test_an_alg_that_nobody_looks_at(self):
        real = message_signatures.verifies
        stages = list(message_signatures.STAGES)

        def find_key(label, receiver, request):
            base = components.signature_base(label.covered, request)
            key = next((key for key in receiver.keys if real(key, base, label.signature)), None)
            if key is None:
                raise Refusal("signature_mismatch")
            return key

        stages[-1] = find_key
        self.assert_caught(message_signatures, "STAGES", tuple(stages), *range(714, 721))

    def test_an_alg_that_chooses(self):
        real = public_keys.verifies

        def either(kind, key, message, signature):
            kinds = ("rsa-pss-sha512", "rsa-v1_5-sha256") if kind.startswith("rsa") else (kind,)
            return any(real(kind, key, message, signature) for kind in kinds)

        self.assert_caught(public_keys, "verifies", either, 769, 778)

    def test_a_keyid_that_is_believed(self):
        real = message_signatures.STAGES[-1]

        def by_name(label, receiver, request):
            if label.parameter("keyid") not in (None, *(key.id for key in receiver.keys)):
                raise Refusal("signature_mismatch")
            named = [key for key in receiver.keys if label.parameter("keyid") in (None, key.id)]
            return real(label, message_signatures.Receiver(named, [], 0, 0), request)

        stages = (*message_signatures.STAGES[:-1], by_name)
        self.assert_caught(message_signatures, "STAGES", stages, 572, 573, 574)

    def test_a_public_key_as_a_secret(self):
        real = message_signatures.verifies

        def is_mac(key, base, signature):
            return signature == message_signatures.hmac.digest(pem_of(key), base, "sha256")

        def by_kind_or_as_a_secret(key, base, signature):
            return real(key, base, signature) or (key.kind != "hmac-sha256" and is_mac(key, base, signature))

        def by_alg_and_keyid(label, receiver, request):
            base = components.signature_base(label.covered, request)
            for key in receiver.keys:
                named = (key.id, "hmac-sha256") == (label.parameter("keyid"), label.parameter("alg"))
                if named and key.kind == "ed25519" and is_mac(key, base, label.signature):
                    return key
            return real_stage(label, receiver, request)

        self.assert_caught(message_signatures, "verifies", by_kind_or_as_a_secret, 723, 780)
        *others, real_stage = message_signatures.STAGES
        self.assert_caught(message_signatures, "STAGES", (*others, by_alg_and_keyid), 724)

    def test_a_secret_that_is_not_decoded(self):
        def as_text(_preset, material):
            return "hmac-sha256", material.encode()

        self.assert_caught(public_keys, "read_message_signature_key", as_text, 300, 545, 727, 728)

    def test_salts_of_any_length(self):
        real = public_keys.padding.PSS

        def any_salt(mask, _length):
            return real(mask, real.AUTO)

        self.assert_caught(public_keys.padding, "PSS", any_salt, 764, 765, 766)

    def test_der_or_raw_signatures(self):
        lengths = {**message_signatures.LENGTHS, "ecdsa-p256-sha256": range(8, 73)}
        real = public_keys.verifies

        def either(kind, key, message, signature):
            if kind == "ecdsa-p256-sha256" and len(signature) != 64:
                kind = "ecdsa"
            return real(kind, key, message, signature)

        with mock.patch.object(public_keys, "verifies", either):
            self.assert_caught(message_signatures, "LENGTHS", lengths, 748)

    def test_refusing_s_in_the_upper_half(self):
        real = public_keys.verifies

        def low_s_only(kind, key, message, signature):
            return real(kind, key, message, signature) and not (kind.startswith("ecdsa") and signature[32] >> 7)

        self.assert_caught(public_keys, "verifies", low_s_only, 740)

    def test_an_ed25519_without_a_bound_for_s(self):
        real, order = message_signatures.ed25519.verify, message_signatures.ed25519.ORDER

        def any_s(public, message, signature):
            s = int.from_bytes(signature[32:], "little") % order
            return real(public, message, signature[:32] + s.to_bytes(32, "little"))

        self.assert_caught(message_signatures.ed25519, "verify", any_s, 732)

    def test_no_check_at_all(self):
        self.assert_caught(message_signatures, "verifies", lambda *_: True, 540, 566, 730, 742, 769, 834)

    def test_only_the_first_key(self):
        real = message_signatures.judge
        first = lambda keys, *rest: real(keys[:1], *rest)  # noqa: E731
        self.assert_caught(message_signatures, "judge", first, 569, 572, 710, 711)


class Digests(PlantedBugs):
    def digest_check(self, bug, *numbers):
        self.assert_caught(message_signatures, "check_digest", bug, *numbers)

    def members(self, request):
        return message_signatures.read_dictionary(request, "content-digest")

    def is_right(self, request, name, member):
        return getattr(member, "value", None) == message_signatures.DIGESTS[name](request.body).digest()

    def test_nobody_hashes_the_body(self):
        self.digest_check(lambda _request: None, 806, 815, 830, 831, 832, 833, 844, 845, 846)

    def test_one_of_several_is_enough(self):
        def one_of(pick):
            def check(request):
                if request.value("content-digest") is None:
                    return
                members = {name: member for name, member in self.members(request).items() if name in message_signatures.DIGESTS}
                right = [self.is_right(request, *pair) for pair in members.items()]
                if not right or not pick(right):
                    raise Refusal("digest_mismatch")

            return check

        self.digest_check(one_of(any), 807, 808)
        self.digest_check(one_of(lambda right: right[0]), 807)
        self.digest_check(one_of(lambda right: right[-1]), 808)

    def test_none_that_counts(self):
        real = message_signatures.check_digest

        def nothing_wrong(request):
            value = request.value("content-digest")
            if value is not None and not any(name in self.members(request) for name in message_signatures.DIGESTS):
                return
            real(request)

        self.digest_check(nothing_wrong, 815, 816, 817, 818, 845)

    def test_algorithms_that_must_not_count(self):
        weak = {**message_signatures.DIGESTS, "md5": hashlib.md5, "sha": hashlib.sha1}
        self.assert_caught(message_signatures, "DIGESTS", weak, 803, 815, 816)
        self.assert_caught(message_signatures, "DIGESTS", {"sha-256": hashlib.sha256}, 800, 807)

    def test_a_digest_that_may_be_short(self):
        def starts(request):
            if request.value("content-digest") is None:
                return
            for name, member in self.members(request).items():
                digest = message_signatures.DIGESTS.get(name, hashlib.md5)(request.body).digest()
                if not message_signatures.is_byte_sequence(member) or not digest.startswith(member.value):
                    raise Refusal("digest_mismatch")

        self.digest_check(starts, 811, 812, 814)

    def test_only_where_it_is_covered(self):
        real = message_signatures.check_digest

        def covered(request):
            if b'"content-digest"' in request.value("signature-input"):
                real(request)

        self.digest_check(covered, 844, 845, 846, 847)

    def test_members_that_nobody_looks_at(self):
        def known_only(request):
            if request.value("content-digest") is None:
                return
            known = {name: member for name, member in self.members(request).items() if name in message_signatures.DIGESTS}
            if not known or not all(self.is_right(request, *pair) for pair in known.items()):
                raise Refusal("digest_mismatch")

        self.digest_check(known_only, 824)

    def test_the_digest_before_the_signature(self):
        real = message_signatures.read_labels

        def digest_first(request):
            labels = real(request)
            message_signatures.check_digest(request)
            return labels

        self.assert_caught(message_signatures, "read_labels", digest_first, 848, 849)


def pem_of(key):
    """The text of a public key, as the receiver has configured it."""
    public = Ed25519PublicKey.from_public_bytes(key.data) if key.kind == "ed25519" else key.data
    serialization = public_keys.serialization
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return public.public_bytes(*form).strip()


if __name__ == "__main__":
    unittest.main()
