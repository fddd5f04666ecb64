"""Structured fields (RFC 8941): dictionaries of items and inner lists, read strictly, written canonically.

One text for base64 as everywhere here: padded, unused bits zero. No tabs: whoever asks has refused them. What RFC 9651
added, dates and display strings, no signature needs.
"""

import base64
import re
from dataclasses import dataclass
from decimal import Decimal

import reading

KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
TOKEN = re.compile(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*")
BYTES = re.compile(r":([A-Za-z0-9+/=]*):")
BOOLEAN = re.compile(r"\?([01])")
NUMBER = re.compile(r"(-?[0-9]+)(?:\.([0-9]+))?")
SPACES = re.compile(r" *")
MAX_INTEGER_DIGITS, MAX_WHOLE_DIGITS, MAX_FRACTION_DIGITS = 15, 12, 3


class Token(str):
    """A bare word; a string is a plain str."""


@dataclass(frozen=True)
class Item:
    value: object  # int, Decimal, str, Token, bytes or bool
    parameters: dict


@dataclass(frozen=True)
class InnerList:
    items: tuple
    parameters: dict


def parse_dictionary(text):
    """Its members, as Item or InnerList, by key. Raises ValueError. Of a repeated key, the last value at the first's place."""
    scanner = Scanner(text)
    members = {}
    scanner.take(SPACES)
    if scanner.at_end():
        return members
    while True:
        key = scanner.expect(KEY)[0]
        members[key] = read_member(scanner)
        scanner.take(SPACES)
        if scanner.at_end():
            return members
        scanner.expect_text(",")
        scanner.take(SPACES)


def parse_item(text):
    scanner = Scanner(text)
    item = read_item(scanner)
    if not scanner.at_end():
        raise ValueError("text after the item")
    return item


# ------------------------------------------------------------------------- reading


class Scanner:
    def __init__(self, text):
        self.text, self.place = text, 0

    def at_end(self):
        return self.place == len(self.text)

    def take(self, pattern):
        """The match at this place, if there is one, and a step behind it."""
        match = pattern.match(self.text, self.place)
        if match:
            self.place = match.end()
        return match

    def expect(self, pattern):
        match = self.take(pattern)
        if not match:
            raise ValueError(f"something else at {self.place}")
        return match

    def take_text(self, text):
        found = self.text.startswith(text, self.place)
        if found:
            self.place += len(text)
        return found

    def expect_text(self, text):
        if not self.take_text(text):
            raise ValueError(f"no {text!r} at {self.place}")


def read_member(scanner):
    if not scanner.take_text("="):
        return Item(True, read_parameters(scanner))
    return read_inner_list(scanner) if scanner.take_text("(") else read_item(scanner)


def read_inner_list(scanner):
    items = []
    scanner.take(SPACES)
    while not scanner.take_text(")"):
        items.append(read_item(scanner))
        if not scanner.take_text(" ") and not scanner.text.startswith(")", scanner.place):
            raise ValueError("neither a space nor the end of the list")
        scanner.take(SPACES)
    return InnerList(tuple(items), read_parameters(scanner))


def read_item(scanner):
    return Item(read_value(scanner), read_parameters(scanner))


def read_parameters(scanner):
    parameters = {}
    while scanner.take_text(";"):
        scanner.take(SPACES)
        key = scanner.expect(KEY)[0]
        parameters[key] = read_value(scanner) if scanner.take_text("=") else True
    return parameters


def read_value(scanner):
    for pattern, convert in VALUES:
        match = scanner.take(pattern)
        if match:
            return convert(match)
    raise ValueError(f"no value at {scanner.place}")


def to_number(match):
    whole, fraction = match.groups()
    digits = len(whole.removeprefix("-"))
    if fraction is None:
        if digits > MAX_INTEGER_DIGITS:
            raise ValueError("too many digits")
        return int(whole)
    if digits > MAX_WHOLE_DIGITS or len(fraction) > MAX_FRACTION_DIGITS:
        raise ValueError("too many digits")
    return Decimal(match[0])


def to_bytes(match):
    data = reading.decode_base64(match[1])
    if data is None:
        raise ValueError("not base64")
    return data


VALUES = (
    (STRING, lambda match: re.sub(r"\\(.)", r"\1", match[1])),
    (NUMBER, to_number),
    (TOKEN, lambda match: Token(match[0])),
    (BYTES, to_bytes),
    (BOOLEAN, lambda match: match[1] == "1"),
)


# ------------------------------------------------------------------------- writing


def write_inner_list(inner):
    return f"({' '.join(map(write_item, inner.items))}){write_parameters(inner.parameters)}"


def write_item(item):
    return write_value(item.value) + write_parameters(item.parameters)


def write_parameters(parameters):
    return "".join(f";{key}" if value is True else f";{key}={write_value(value)}" for key, value in parameters.items())


def write_value(value):
    if isinstance(value, bool):
        return f"?{value:d}"
    if isinstance(value, Token):
        return str(value)
    if isinstance(value, str):
        return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
    if isinstance(value, bytes):
        return f":{base64.b64encode(value).decode()}:"
    return str(value) if isinstance(value, int) else write_decimal(value)


def write_decimal(value):
    """At least one digit of fraction, no more zeros than that, and no minus zero."""
    whole, _, fraction = f"{abs(value):.3f}".partition(".")
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{fraction.rstrip('0') or '0'}"
