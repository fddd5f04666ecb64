"""A vector file in the making: numbered cases in groups of keys and options, and its text."""

import json
from dataclasses import dataclass

NOW = 1700000000  # 2023-11-14T22:13:20Z

FIRST_OWN = 300  # cases below are common to several schemes
# What a brief sender keeps of the common cases: one or two of each kind.
BRIEF = {
    *(1, 2, 3, 4, 7, 8, 12, 14, 16, 20, 21, 24, 25, 26, 28),
    *(30, 31, 32, 34, 35, 37, 38, 39, 42, 43, 47, 50, 51, 52, 53, 54, 55, 58),
    *(60, 62, 63, 65, 66, 67, 70, 71, 73, 74, 75, 76, 77, 78, 79, 83, 84, 90, 91, 92, 93, 94, 98),
    *(100, 101, 102, 103, 105, 107, 110, 112, 121, 122, 123, 124, 125, 129, 132, 135, 140, 141, 142, 144, 145, 146),
    *(150, 151, 157, 161, 163, 164, 165, 168, 169, 173, 178, 182, 184, 190, 192, 194),
    *(200, 202, 203, 205, 206, 208, 209, 210, 211, 213, 215, 217, 220, 221, 222, 223, 225),
}


@dataclass(frozen=True)
class Repeat:
    """A large body, named by its one character and its length."""

    char: str
    count: int

    def __bytes__(self):
        return self.char.encode("ascii") * self.count


class Book:
    """All cases of one scheme. A number is a case's name for ever: never reuse one, never renumber."""

    def __init__(self, sender):
        self.sender = sender
        self.groups = {}
        self.numbers = set()

    def valid(
        self,
        number,
        comment,
        flags,
        headers,
        body,
        *,
        event_id="usual",
        event_type="usual",
        timestamp="usual",
        key_id=None,
        **rest,
    ):
        sender = self.sender
        event_id = sender.event_id if event_id == "usual" else event_id
        expect = {
            "key_id": key_id or sender.keys[0][0],
            "event_id": event_id,
            "event_id_signed": event_id is not None and sender.event_id_signed,
            "event_type": sender.event_type if event_type == "usual" else event_type,
            "timestamp": sender.timestamp if timestamp == "usual" else timestamp,
        }
        self._add(number, comment, flags, headers, body, {"result": "valid", "expect": expect}, **rest)

    def invalid(self, number, reason, comment, flags, headers, body, **rest):
        self._add(number, comment, flags, headers, body, {"result": "invalid", "reason": reason}, **rest)

    def _add(self, number, comment, flags, headers, body, outcome, *, now=NOW, keys=None, options=None, url=None, method="POST"):
        if number in self.sender.skipped or (self.sender.brief and number < FIRST_OWN and number not in BRIEF):
            return
        if number in self.numbers:
            raise ValueError(f"{self.sender.name}: number {number} is used twice")
        self.numbers.add(number)
        group = (tuple(keys or self.sender.keys[:1]), tuple(sorted({**self.sender.options, **(options or {})}.items())))
        vector = {
            "id": f"{self.sender.name}-{number:03}",
            "comment": comment,
            "flags": flags.split(),
            "now": now,
            "method": method,
            "url": url or self.sender.url,
            "headers": [list(header) for header in headers],
            **body_fields(body),
            **outcome,
        }
        self.groups.setdefault(group, []).append(vector)

    def text(self):
        lines = ["{", '  "schema": "hookproof-vectors/1",', f'  "scheme": {dump(self.sender.name)},', '  "groups": [']
        lines.append(",\n".join(group_text(*group, vectors) for group, vectors in self.groups.items()))
        return "\n".join([*lines, "  ]", "}", ""])


def body_fields(body):
    if isinstance(body, Repeat):
        return {"body_repeat": {"char": body.char, "count": body.count}}
    try:
        return {"body_utf8": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body_hex": body.hex()}


LINES = (
    ("id", "flags"),
    ("comment",),
    ("now", "method", "url"),
    ("headers",),
    ("body_utf8", "body_hex", "body_repeat"),
    ("result", "reason", "expect"),
)


def group_text(keys, options, vectors):
    keys_text = dump([{"id": key_id, "material": material} for key_id, material in keys])
    tests = ",\n".join(vector_text(vector) for vector in vectors)
    return f'    {{ "keys": {keys_text},\n      "options": {dump(dict(options))},\n      "tests": [\n{tests}\n      ] }}'


def vector_text(vector):
    lines = [", ".join(f"{dump(name)}: {dump(vector[name])}" for name in names if name in vector) for names in LINES]
    return "        { " + ",\n          ".join(lines) + " }"


def dump(value):
    # Escapes everything that is not ASCII, so that no invisible character hides in a diff.
    return json.dumps(value, ensure_ascii=True)
