#!/usr/bin/env python3
"""Writes v1/<scheme>.json, the same bytes on every machine: no clock and no chance is involved.

Every expected verdict is stated by hand in generator/. It never asks oracle.py, so that check.py compares two
independent statements.

examples:
  generate.py            write the files
  generate.py --check    change nothing; exit 1 when a file differs from what would be written
"""

import argparse
import sys
from pathlib import Path

from generator.common_cases import add_common_cases
from generator.computed_senders import COMPUTED_SENDERS
from generator.document import Book
from generator.family_senders import FAMILY_SENDERS
from generator.item_cases import ITEM_SENDERS
from generator.list_cases import add_list_cases
from generator.message_senders import MESSAGE_SENDERS
from generator.own_cases import add_own_cases
from generator.plain_senders import PLAIN_SENDERS
from generator.public_key_senders import PUBLIC_KEY_SENDERS
from generator.senders import FIRST_SENDERS
from generator.time_cases import add_time_cases

HMAC_SENDERS = FIRST_SENDERS + PLAIN_SENDERS + FAMILY_SENDERS + COMPUTED_SENDERS
SENDERS = HMAC_SENDERS + PUBLIC_KEY_SENDERS + ITEM_SENDERS + MESSAGE_SENDERS
FOLDER = Path(__file__).resolve().parent / "v1"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the files on disk instead of writing them")
    if parser.parse_args().check:
        return check(FOLDER)
    FOLDER.mkdir(exist_ok=True)
    for sender in SENDERS:
        (FOLDER / f"{sender.name}.json").write_text(text_of(sender), encoding="ascii", newline="\n")
    return 0


def check(folder):
    expected = {f"{sender.name}.json": text_of(sender) for sender in SENDERS}
    found = {path.name: path.read_bytes().decode("utf-8", "replace") for path in folder.glob("*.json")}
    different = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    for name in different:
        print(f"{folder / name}: differs from what generate.py writes", file=sys.stderr)
    print(f"{len(expected)} files, {len(different)} different")
    return 1 if different else 0


def text_of(sender):
    book = Book(sender)
    add_common_cases(book)
    add_time_cases(book)
    add_list_cases(book)
    add_own_cases(book)
    return book.text()


if __name__ == "__main__":
    sys.exit(main())
