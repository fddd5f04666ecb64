"""The checks must fail when they should: faults planted in files, each of which has to be named."""

import contextlib
import copy
import hashlib
import hmac
import io
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import check
import generate

HERE = Path(__file__).resolve().parent


def run_check(*arguments):
    """check.py's exit code and what it printed."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = check.main([str(argument) for argument in arguments])
    return code, output.getvalue()


class ShippedVectors(unittest.TestCase):
    def test_all_pass(self):
        code, output = run_check()
        self.assertEqual(code, 0, output)
        self.assertRegex(output.splitlines()[-1], r"^[1-9][0-9]* passed, 0 failed$")

    def test_are_what_the_generator_writes(self):
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(generate.check(generate.FOLDER), 0)

    def test_generator_does_not_ask_the_oracle(self):
        oracle = (
            "{'oracle', 'reading', 'presets', 'verdicts', 'computed', 'documents', 'public_keys', 'check',"
            " 'structured_fields', 'components', 'message_signatures'}"
        )
        code = f"import sys, generate; print(sorted({oracle} & set(sys.modules)))"
        result = subprocess.run([sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, check=True)
        self.assertEqual(result.stdout.strip(), "[]")

    def test_every_flag_in_the_readme_is_used(self):
        used = {
            flag
            for path in check.OWN_FOLDER.glob("*.json")
            for group in check.load(path)["groups"]
            for vector in group["tests"]
            for flag in vector["flags"]
        }
        self.assertEqual(check.documented("Flags"), used)


class PlantedFaultsInFiles(unittest.TestCase):
    """Each takes a good copy of all files, spoils one place, and expects the check to name it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for path in check.OWN_FOLDER.glob("*.json"):
            (self.folder / path.name).write_bytes(path.read_bytes())
        self.path = self.folder / "stripe.json"
        self.document = json.loads(self.path.read_text())
        self.tests = self.document["groups"][0]["tests"]

    def vector(self, name):
        return next(vector for vector in self.tests if vector["id"] == name)

    def assert_fails_naming(self, *names, arguments=("--own",)):
        self.path.write_text(json.dumps(self.document))
        code, output = run_check(*arguments, self.folder)
        self.assertEqual(code, 1, output)
        failures = [line for line in output.splitlines() if line.startswith("FAIL")]
        self.assertTrue(failures, output)
        for name in names:
            self.assertTrue(any(name in line for line in failures), f"{name} not in {failures}")

    def test_the_untouched_copy_passes(self):
        code, output = run_check("--own", self.folder)
        self.assertEqual(code, 0, output)

    def test_wrong_result(self):
        vector = self.vector("stripe-023")
        del vector["reason"]
        vector["result"], vector["expect"] = "valid", self.vector("stripe-001")["expect"]
        self.assert_fails_naming("stripe-023: expected result valid, got result invalid, reason signature_mismatch")

    def test_wrong_reason(self):
        self.vector("stripe-023")["reason"] = "malformed_header"
        self.assert_fails_naming(
            "stripe-023: expected result invalid, reason malformed_header, got result invalid, reason signature_mismatch"
        )

    def test_wrong_expectations(self):
        wrong = (("key_id", "k9"), ("event_id", None), ("event_id_signed", False), ("event_type", "x"), ("timestamp", 1))
        for name, value in wrong:
            with self.subTest(name):
                before = copy.deepcopy(self.document)
                self.vector("stripe-001")["expect"][name] = value
                self.assert_fails_naming("stripe-001: expected")
                self.document, self.tests = before, before["groups"][0]["tests"]

    def test_changed_body(self):
        self.vector("stripe-001")["body_utf8"] += " "
        self.assert_fails_naming("stripe-001: expected")

    def test_duplicate_id(self):
        self.vector("stripe-002")["id"] = "stripe-001"
        self.assert_fails_naming("stripe-001: expected an id that occurs once")

    def test_id_of_another_scheme(self):
        self.vector("stripe-001")["id"] = "github-001"
        self.assert_fails_naming("github-001: expected an id of the form stripe-NNN")

    def test_unknown_flag(self):
        self.vector("stripe-001")["flags"] = ["Surprising"]
        self.assert_fails_naming("stripe-001", "Surprising")

    def test_missing_expect(self):
        del self.vector("stripe-001")["expect"]
        self.assert_fails_naming("stripe-001: expected expect and no reason")

    def test_missing_reason(self):
        del self.vector("stripe-023")["reason"]
        self.assert_fails_naming("stripe-023: expected reason and no expect")

    def test_missing_comment(self):
        del self.vector("stripe-001")["comment"]
        self.assert_fails_naming("stripe-001: expected a comment")

    def test_undocumented_reason(self):
        self.vector("stripe-023")["reason"] = "replayed"
        self.assert_fails_naming("stripe-023: expected a reason that the README explains")

    def test_too_few_vectors(self):
        self.document["groups"] = [self.document["groups"][0] | {"tests": self.tests[:14]}]
        self.assert_fails_naming("stripe.json: expected at least 15 vectors")

    def test_only_valid_vectors(self):
        self.document["groups"][0]["tests"] = [vector for vector in self.tests if vector["result"] == "valid"]
        self.document["groups"] = self.document["groups"][:1]
        self.assert_fails_naming("stripe.json: expected at least 15 vectors, valid and invalid")

    def test_short_key(self):
        self.document["groups"][0]["keys"][0]["material"] = "short"
        self.assert_fails_naming("a key of at least 24 bytes")

    def test_key_of_another_scheme(self):
        other = json.loads((self.folder / "github.json").read_text())
        self.document["groups"][0]["keys"] = other["groups"][0]["keys"]
        self.assert_fails_naming("stripe.json: expected keys that no other scheme uses")

    def test_missing_file(self):
        (self.folder / "github.json").unlink()
        self.assert_fails_naming("none for github")

    def test_white_space_around_a_header(self):
        self.vector("stripe-001")["headers"][0][1] += " "
        self.assert_fails_naming("stripe-001: expected header values as an HTTP parser")

    def test_schema_violations(self):
        def two_bodies(vector):
            vector["body_hex"] = ""

        def no_body(vector):
            del vector["body_utf8"]

        def control_character(vector):
            vector["headers"][0][1] = "a\nb"

        def trailing_newline(vector):
            vector["headers"][0][1] = "a\n"

        def unknown_field(vector):
            vector["suprise"] = 1

        def wrong_type(vector):
            vector["now"] = "1700000000"

        def unknown_reason(vector):
            vector["reason"] = "because"

        for plant in (two_bodies, no_body, control_character, trailing_newline, unknown_field, wrong_type, unknown_reason):
            with self.subTest(plant.__name__):
                before = copy.deepcopy(self.document)
                plant(self.vector("stripe-001"))
                self.assert_fails_naming("stripe-001: expected what the schema allows")
                self.document, self.tests = before, before["groups"][0]["tests"]

    def test_broken_json_and_a_name_that_occurs_twice(self):
        for text in ("{", '{"schema": 1, "schema": 2}', "\ufeff{}"):
            with self.subTest(text):
                self.path.write_text(text, encoding="utf-8")
                code, output = run_check("--own", self.folder)
                self.assertEqual(code, 1)
                self.assertIn("FAIL stripe.json: expected a readable JSON file", output)

    def test_the_generator_notices_a_changed_a_missing_and_an_extra_file(self):
        self.path.write_text(self.path.read_text() + "\n")
        (self.folder / "github.json").unlink()
        (self.folder / "extra.json").write_text("{}")
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(generate.check(self.folder), 1)
        for name in ("stripe.json", "github.json", "extra.json"):
            self.assertIn(name, errors.getvalue())


class FilesOfOthers(unittest.TestCase):
    def check_one(self, document):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "some.json").write_text(json.dumps(document))
            return run_check(folder)

    def document(self, scheme="github"):
        tag = hmac.digest(b"foo", b"data", hashlib.sha256).hex()
        vector = {
            "id": f"{scheme}-001",
            "now": 1,
            "method": "POST",
            "url": "https://a.example/",
            "body_utf8": "data",
            "headers": [["X-Hub-Signature-256", f"sha256={tag}"]],
            "result": "valid",
        }
        return {
            "schema": "hookproof-vectors/1",
            "scheme": scheme,
            "groups": [{"keys": [{"id": "k1", "material": "foo"}], "tests": [vector]}],
        }

    def test_may_leave_out_what_only_we_promise(self):
        code, output = self.check_one(self.document())
        self.assertEqual((code, output.splitlines()[-1]), (0, "1 passed, 0 failed"))

    def test_are_judged(self):
        document = self.document()
        document["groups"][0]["tests"][0]["result"] = "invalid"
        code, output = self.check_one(document)
        self.assertEqual(code, 1)
        self.assertIn("FAIL github-001: expected result invalid, got result valid", output)

    def test_a_scheme_without_preset_is_listed_and_is_no_success_by_itself(self):
        code, output = self.check_one(self.document("elsewhere"))
        self.assertEqual(code, 1)
        self.assertIn("no preset for elsewhere", output)

    def test_a_folder_without_files_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            code, output = run_check(folder)
        self.assertEqual(code, 1)
        self.assertIn("no vector was checked", output)

    def test_a_missing_file_fails(self):
        code, output = run_check("/nowhere/missing.json")
        self.assertEqual(code, 1)
        self.assertIn("FAIL missing.json", output)


if __name__ == "__main__":
    unittest.main()
