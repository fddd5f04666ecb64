"""Prints lengths.txt: what Python's hmac says, for every length of a message up to some blocks, and a long one."""

import hashlib
import hmac

KEY = bytes(range(1, 33))
LENGTHS = range(0, 4097)
LONG = 1 << 20


def message(length):
    return bytes((7 * i + 13) % 251 for i in range(length))


for name in ("sha1", "sha256"):
    every = hashlib.sha256()
    for length in LENGTHS:
        every.update(hmac.new(KEY, message(length), name).digest())
    print(name, every.hexdigest(), hmac.new(KEY, message(LONG), name).hexdigest())
