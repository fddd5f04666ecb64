#!/usr/bin/env python3
"""Checks vector files: their form, and every verdict in them against the oracle.

Without arguments it checks v1/ beside this file by all of our own rules: complete, documented, each id used
once. Files and folders given as arguments are taken as somebody else's: reason, flags, comment, source and
expect may be missing, keys may be short, and a scheme without a preset here is listed and not judged.

examples:
  check.py                     our own files
  check.py ~/vectors           every *.json of a folder
  check.py stripe.json         one file
  check.py --own copies/v1     a folder that must obey all of our own rules
"""

import argparse
import json
import re
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import oracle
import schema_check
from presets import PRESETS
from verdicts import Request

HERE = Path(__file__).resolve().parent
OWN_FOLDER = HERE / "v1"
MIN_VECTORS = 15
MIN_KEY_BYTES = 24


@dataclass
class Report:
    """What one file came to. `failures` are finished lines that name the vector or the file."""

    name: str
    passed: int = 0
    failures: list = field(default_factory=list)
    note: str = ""

    def fail(self, where, expected, got):
        self.failures.append(f"FAIL {where}: expected {expected}, got {got}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders; without any: our own v1/")
    parser.add_argument("--own", action="store_true", help="hold the given paths to the rules of our own files")
    options = parser.parse_args(arguments)
    own = options.own or not options.paths
    files = find_files(options.paths or [OWN_FOLDER])
    reports = check_own_files(files) if own else [check_file(path, own=False) for path in files]
    return print_reports(reports)


def find_files(paths):
    return [file for path in paths for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]


def print_reports(reports):
    for report in reports:
        for line in report.failures:
            print(line)
        print(f"{report.name}: {report.passed} passed, {len(report.failures)} failed{report.note}")
    passed, failed = sum(report.passed for report in reports), sum(len(report.failures) for report in reports)
    if passed == 0:
        print("FAIL: no vector was checked")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed == 0 else 0


def check_own_files(files):
    """Our own files, and the rules that hold between them."""
    reports = [check_file(path, own=True) for path in files]
    across = Report("all files")
    missing = sorted(PRESETS.keys() - {path.stem for path in files})
    if missing:
        across.fail("v1", "a file for every preset", f"none for {', '.join(missing)}")
    owners = {}
    for path in files:
        for material in sorted(key_materials(path)):
            if material in owners:
                across.fail(path.name, "keys that no other scheme uses", f"a key of {owners[material]}")
            owners[material] = path.name
    return reports + ([across] if across.failures else [])


def key_materials(path):
    try:
        return {key["material"] for group in load(path)["groups"] for key in group["keys"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()  # check_file has already named what is wrong with this file


def check_file(path, own):
    report = Report(path.name)
    try:
        document = load(path)
    except (OSError, ValueError) as error:
        report.fail(path.name, "a readable JSON file", error)
        return report
    check_schema(report, document)
    if report.failures:
        return report
    if own:
        check_own_rules(report, path, document)
    preset = PRESETS.get(document["scheme"])
    if preset is None:
        report.note = f" (no preset for {document['scheme']})"
        return report
    for group in document["groups"]:
        check_group(report, preset, group)
    return report


def load(path):
    return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=refuse_duplicate_names)


def refuse_duplicate_names(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError(f"a name occurs twice in {[name for name, _ in pairs]}")
    return dict(pairs)


# ---------------------------------------------------------------------------------------------- form


def check_schema(report, document):
    schema = json.loads((HERE / "schema" / "hookproof-vectors-1.json").read_text(encoding="utf-8"))
    for path, message in schema_check.violations(schema, document):
        report.fail(describe(document, path) or report.name, "what the schema allows", f"{'/'.join(map(str, path))}: {message}")


def describe(document, path):
    """The id of the vector that a schema path leads into, if it leads into one."""
    if len(path) < 4 or path[2] != "tests":
        return None
    vector = document["groups"][path[1]]["tests"][path[3]]
    return vector.get("id") if isinstance(vector, dict) else None


def check_own_rules(report, path, document):
    scheme = document["scheme"]
    vectors = [vector for group in document["groups"] for vector in group["tests"]]
    if path.stem != scheme:
        report.fail(path.name, f"the name {scheme}.json", path.name)
    if len(vectors) < MIN_VECTORS or {vector["result"] for vector in vectors} != {"valid", "invalid"}:
        report.fail(path.name, f"at least {MIN_VECTORS} vectors, valid and invalid ones", f"{len(vectors)} vectors")
    for group in document["groups"]:
        check_own_keys(report, group)
    flags, reasons, seen = documented("Flags"), documented("Reasons"), set()
    for vector in vectors:
        if vector["id"] in seen:
            report.fail(vector["id"], "an id that occurs once", "a second vector with it")
        seen.add(vector["id"])
        check_own_vector(report, scheme, vector, flags, reasons)


def documented(heading):
    """The names that a section of the README explains: the first column of its table."""
    text = (HERE / "README.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n", 1)[-1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def check_own_keys(report, group):
    for key in group["keys"]:
        if len(key["material"].encode("utf-8")) < MIN_KEY_BYTES:
            report.fail(key["id"], f"a key of at least {MIN_KEY_BYTES} bytes", key["material"])


def check_own_vector(report, scheme, vector, flags, reasons):
    name = vector["id"]
    if not re.fullmatch(re.escape(scheme) + "-[0-9]{3}", name):
        report.fail(name, f"an id of the form {scheme}-NNN", name)
    if not vector.get("comment") or not vector.get("flags"):
        report.fail(name, "a comment and flags", "none")
    for flag in vector.get("flags", []):
        if flag not in flags:
            report.fail(name, "flags that the README explains", flag)
    if any(value != value.strip(" \t") for _, value in vector["headers"]):
        report.fail(name, "header values as an HTTP parser hands them over", "white space around one")
    wanted, unwanted = ("expect", "reason") if vector["result"] == "valid" else ("reason", "expect")
    if wanted not in vector or unwanted in vector:
        report.fail(name, f"{wanted} and no {unwanted} in a vector that is {vector['result']}", sorted(vector))
    if "reason" in vector and vector["reason"] not in reasons:
        report.fail(name, "a reason that the README explains", vector["reason"])


# ---------------------------------------------------------------------------------------------- verdicts


def check_group(report, preset, group):
    options = group.get("options") or {}
    try:
        preset = configure(preset, options)
        keys = [oracle.read_key(preset, key["id"], key["material"]) for key in group["keys"]]
    except ValueError as error:
        report.fail(f"{report.name}, the group of {group['tests'][0]['id']}", "keys and options of this scheme", error)
        return
    for vector in group["tests"]:
        verdict = oracle.judge(preset, keys, request_of(vector, options))
        expected, got = differences(vector, verdict)
        if expected:
            report.fail(vector["id"], expected, got)
        else:
            report.passed += 1


def configure(preset, options):
    """The preset with the options of message signatures. Raises ValueError when it cannot have them."""
    if preset.steps != "message-signatures":
        return preset
    import message_signatures

    message_signatures.read_required(options)
    return replace(preset, algorithm=options.get("algorithm") or preset.algorithm)


def request_of(vector, options):
    headers = tuple((name.lower(), value.encode("latin-1")) for name, value in vector["headers"])
    return Request(headers, body_of(vector), vector["now"], vector["method"], vector["url"], options)


def body_of(vector):
    if "body_utf8" in vector:
        return vector["body_utf8"].encode("utf-8")
    if "body_hex" in vector:
        return bytes.fromhex(vector["body_hex"])
    return vector["body_repeat"]["char"].encode("ascii") * vector["body_repeat"]["count"]


def differences(vector, verdict):
    """What the vector states, and what the oracle says where that differs; two empty texts when all agree."""
    known = asdict(verdict)
    reason = known.pop("reason")
    judged = {"result": verdict.result, "reason": reason, "expect": known}
    wrong = [name for name in judged if name in vector and vector[name] != judged[name]]
    if not wrong:
        return "", ""
    # Next to a wrong result, what else is known about a valid delivery says nothing.
    stated = [name for name in wrong if name != "expect"] if "result" in wrong else wrong
    return say(vector, ("result", *stated)), say(judged, ("result", "reason") if reason else ("result", *stated))


def say(outcome, names):
    return ", ".join(f"{name} {outcome[name]}" for name in ("result", "reason", "expect") if name in names and outcome.get(name))


if __name__ == "__main__":
    sys.exit(main())
