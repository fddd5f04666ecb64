"""Cases 001 to 099: what every scheme meets, whatever it signs: bodies, keys, headers, the text of the tag."""

import hashlib
import hmac

from .document import Repeat
from .senders import base64_text, hex_text


def add_common_cases(book):
    if book.sender.syntax == "items":  # no header is read
        return add_content_encoding(book)
    add_bodies(book)
    if book.sender.syntax == "token":  # no tag that could be changed
        add_content_encoding(book)
        add_other_duplicates(book, book.sender.event())
        add_unsigned_ids(book)
        return
    add_tampering(book)
    add_header_presence(book)
    add_content_encoding(book)
    if book.sender.syntax == "plain":
        add_prefixes(book)
    add_tag_texts(book)
    if book.sender.encode is hex_text:
        add_hex_texts(book)
    else:
        add_base64_texts(book)
    add_unsigned_ids(book)


def add_bodies(book):
    sender = book.sender
    event = sender.event()
    book.valid(1, "an ordinary delivery", "Plain", sender.delivery(event), event)
    add_not_json(book, 2, "an empty body", "RawBody", b"")
    add_not_json(book, 3, "a body that is not UTF-8", "RawBody", b'{"name":"Jos\xe9 \xff\xfe"}')
    lines = event.replace(b',"', b',\r\n  "') + b"\r\n"
    book.valid(4, "CR LF between members and at the end", "RawBody", sender.delivery(lines), lines)
    add_not_json(book, 5, "NUL bytes", "RawBody", event[:-1] + b"\x00}\x00")
    add_not_json(book, 6, "a byte order mark first", "RawBody", b"\xef\xbb\xbf" + event)
    escaped = sender.event(extra=r',"note":"\u001B[0m \/ \u00e9 \u0000","a":1.0,"b":1e2')
    book.valid(
        7, "escapes and numbers that a JSON library would write in another way", "RawBody", sender.delivery(escaped), escaped
    )
    twice = sender.event(extra=',"note":"one","note":"two"')
    book.valid(8, "a name occurs twice, one that nothing here reads", "RawBody", sender.delivery(twice), twice)
    add_not_json(book, 9, "a body of 100,000 bytes", "LargeBody", Repeat("a", 100_000))
    accents = sender.event(extra=',"nfc":"\u00e9","nfd":"e\u0301","emoji":"\U0001f44b"')
    book.valid(10, "one accented letter composed and decomposed, and an emoji", "RawBody", sender.delivery(accents), accents)
    spaced = b" " + event + b" \n\n"
    book.valid(11, "white space around the document", "RawBody", sender.delivery(spaced), spaced)


def add_not_json(book, number, comment, flags, body):
    """Valid for whoever signs bytes only; a scheme whose time is inside the body cannot read it."""
    sender = book.sender
    if sender.event_time:
        book.invalid(
            number, "malformed_body", comment + ": no event time can be read", flags + " EventTime", sender.delivery(body), body
        )
    else:
        event_id = None if sender.body_id else "usual"
        event_type = None if sender.body_type else "usual"
        book.valid(number, comment, flags, sender.delivery(body), body, event_id=event_id, event_type=event_type)


def add_tampering(book):
    sender = book.sender
    event = sender.event()
    good = sender.delivery(event)
    old, new = sender.keys
    lower = [(name.lower(), value) for name, value in good]
    upper = [(name.upper(), value) for name, value in good]
    book.valid(12, "header names in lower case", "HeaderCase", lower, event)
    book.valid(13, "header names in upper case", "HeaderCase", upper, event)
    book.valid(14, "rotation: the second of two keys matches", "Rotation", good, event, keys=(new, old), key_id=old[0])
    book.valid(15, "rotation: the first of two keys matches", "Rotation", good, event, keys=(old, new), key_id=old[0])
    third = sender.headers(forged(sender, event, sender.stranger))
    book.invalid(16, "signature_mismatch", "neither of two keys matches", "Rotation WrongKey", third, event, keys=(old, new))

    spaced = event.replace(b'":', b'": ')
    book.invalid(
        20,
        "signature_mismatch",
        "signed after parsing and printing the body again",
        "Reserialised",
        sender.delivery(spaced),
        event,
    )
    flipped = event[:-2] + bytes([event[-2] ^ 1]) + event[-1:]
    book.invalid(21, "signature_mismatch", "one bit of the body flipped", "ModifiedBody", good, flipped)
    book.invalid(22, "signature_mismatch", "a newline added to the signed body", "ModifiedBody", good, event + b"\n")
    tag = sender.tag(event)
    for number, place in ((23, 0), (24, len(tag) - 1)):
        bad = bytearray(tag)
        bad[place] ^= 1
        book.invalid(
            number,
            "signature_mismatch",
            f"one bit of the signature's byte {place} flipped",
            "ModifiedTag",
            with_tag(sender, bytes(bad)),
            event,
        )
    book.invalid(
        25, "signature_mismatch", "signed with a key that is not configured", "WrongKey", sender.delivery(event, key=1), event
    )
    if isinstance(sender.key_bytes(0), bytes):
        for number, key, comment in (
            (26, b"", "signed with the empty key"),
            (27, sender.key_bytes(0) + b"\n", "signed with the key and a trailing newline"),
        ):
            book.invalid(number, "signature_mismatch", comment, "WrongKey", sender.headers(forged(sender, event, key)), event)
    digest = hashlib.new(sender.hash_name, signed(sender, event)).digest()
    book.invalid(
        28, "signature_mismatch", f"a {algorithm(sender)} digest without any key", "Algorithm", with_tag(sender, digest), event
    )
    book.invalid(
        29, "signature_mismatch", "a signature of zero bytes", "ModifiedTag", with_tag(sender, bytes(sender.tag_length)), event
    )


def algorithm(sender):
    return sender.hash_name.upper().replace("SHA", "SHA-")


def signed(sender, body):
    return sender.message(body, sender.now_text.encode(), (sender.event_id or "").encode())


def forged(sender, body, key):
    return sender.value(sender.encode(sender.mac(key, signed(sender, body))))


def with_tag(sender, tag):
    return sender.headers(sender.value(sender.encode(tag)))


def add_header_presence(book):
    sender = book.sender
    event = sender.event()
    good, bad = sender.signature(event), sender.value(sender.encode(bytes(sender.tag_length)))
    book.invalid(30, "missing_header", "no signature header", "MissingHeader", sender.headers(), event)
    for number, text in ((31, ""), (32, "undefined"), (33, "null")):
        book.invalid(
            number, "malformed_header", f"the signature header holds {text!r}", "Placeholder", sender.headers(text), event
        )
    book.invalid(
        34, "duplicate_header", "the signature header twice: good, bad", "DuplicateHeader", sender.headers(good, bad), event
    )
    book.invalid(
        35, "duplicate_header", "the signature header twice: bad, good", "DuplicateHeader", sender.headers(bad, good), event
    )
    book.invalid(
        36,
        "duplicate_header",
        "the signature header twice, the same good value",
        "DuplicateHeader",
        sender.headers(good, good),
        event,
    )
    cased = [*sender.headers(good), (sender.header.swapcase(), bad)]
    book.invalid(
        37,
        "duplicate_header",
        "the signature header twice, in another case the second time",
        "DuplicateHeader HeaderCase",
        cased,
        event,
    )
    book.invalid(
        39,
        "malformed_header",
        "two bytes of UTF-8 after a good signature",
        "NonAscii",
        sender.headers(good + "\u00c3\u00a9"),
        event,
    )
    book.invalid(
        40, "malformed_header", "the byte 0xFF before a good signature", "NonAscii", sender.headers("\u00ff" + good), event
    )
    book.invalid(
        41, "malformed_header", "a tab inside the signature header", "NonAscii", sender.headers(good[:9] + "\t" + good[9:]), event
    )
    if sender.syntax == "plain":
        book.invalid(
            38,
            "malformed_header",
            "two values joined by a comma: good, bad",
            "JoinedHeader",
            sender.headers(f"{good}, {bad}"),
            event,
        )
        book.invalid(
            48,
            "malformed_header",
            "two values joined by a comma: bad, good",
            "JoinedHeader",
            sender.headers(f"{bad}, {good}"),
            event,
        )
    add_other_duplicates(book, event)


def add_other_duplicates(book, event):
    sender = book.sender
    good = sender.delivery(event)
    others = (
        (90, sender.timestamp_header, sender.at(1)),
        (91, sender.id_header, "another-id"),
        (92, sender.type_header, "another.type"),
    )
    for number, name, value in others:
        if name:
            book.invalid(number, "duplicate_header", f"{name} occurs twice", "DuplicateHeader", [*good, (name, value)], event)


def add_content_encoding(book):
    sender = book.sender
    event = sender.event()
    good = sender.delivery(event)

    def encoded(*values):
        return [*good, *(("Content-Encoding", value) for value in values)]

    refused, accepted = "unsupported_content_encoding", "ContentEncoding"
    book.invalid(42, refused, "a content encoding", accepted, encoded("gzip"), event)
    book.valid(43, "the content encoding that changes nothing", accepted, encoded("identity"), event)
    book.valid(44, "the same in upper case", accepted, encoded("IDENTITY"), event)
    book.invalid(45, refused, "a list of content encodings", accepted, encoded("identity, gzip"), event)
    book.invalid(46, refused, "a second content-encoding header", accepted, encoded("identity", "br"), event)
    unsigned = [*sender.headers(), ("Content-Encoding", "gzip")]
    book.invalid(47, refused, "rule 1 comes before the missing signature", accepted + " RuleOrder", unsigned, event)


def add_prefixes(book):
    sender = book.sender
    event = sender.event()
    text = sender.encode(sender.tag(event))
    prefix = sender.prefix
    other = "sha256" if sender.hash_name == "sha1" else "sha1"
    weak, strong = (hmac.digest(sender.configured_bytes(0), signed(sender, event), name).hex() for name in (other, "sha512"))
    cases = [
        (53, f"{other}={weak}", f"a good HMAC-{other.upper()}", "Algorithm"),
        (54, f"md5={text}", "another algorithm's name before a good tag", "Algorithm"),
        (55, f"none={text}", "the algorithm none", "Algorithm"),
        (56, f"sha512={strong}", "a good HMAC-SHA512", "Algorithm"),
        (57, f"={text}", "an equals sign and no name", "Prefix"),
        (59, f"{prefix or 'sha256='}{prefix or 'sha256='}{text}", "the prefix twice", "Prefix"),
        (72, f'"{prefix}{text}"', "the value in quotes", "Prefix"),
    ]
    if prefix:
        cases += [
            (50, text, "no prefix", "Prefix"),
            (51, prefix.upper() + text, "the prefix in upper case", "Prefix"),
            (52, prefix, "the prefix alone: nothing to compare with is no match", "ZipCompare"),
            (58, f"{prefix} {text}", "a space after the prefix", "Prefix"),
        ]
    else:
        cases += [(84, f"sha256={text}", "a prefix where none belongs", "Prefix")]
    for number, value, comment, flags in sorted(cases):
        book.invalid(number, "malformed_header", comment, flags, sender.headers(value), event)


def add_tag_texts(book):
    """The tag cut, lengthened or replaced before it is encoded."""
    sender = book.sender
    event = sender.event()
    tag = sender.tag(event)
    if sender.name == "metalocator":
        return  # its encoded text is the hex: see own_cases
    cases = [
        (60, tag[:-1], "one byte cut off", "TruncatedTag"),
        (61, tag[:-2], "two bytes cut off", "TruncatedTag"),
        (62, tag[:1], "one correct byte is left", "TruncatedTag"),
        (63, tag + tag[:1], "one byte too many", "OverlongTag"),
        (64, tag + tag, "the tag twice", "OverlongTag"),
        (65, b"", "an empty tag", "ZipCompare"),
    ]
    for number, bad, comment, flags in cases:
        if number == 65 and sender.syntax == "plain":
            continue  # the same bytes as the prefix alone, or as the empty header
        # Where signatures differ in length, only the comparison can tell.
        reason = "signature_mismatch" if sender.lengths and len(bad) in sender.lengths else "malformed_header"
        book.invalid(number, reason, comment, flags, with_tag(sender, bad), event)


def add_hex_texts(book):
    sender = book.sender
    event = sender.event()
    text = sender.tag(event).hex()
    mixed = "".join(char.upper() if place % 2 else char for place, char in enumerate(text))
    book.valid(66, "the hex in upper case", "HexCase", sender.headers(sender.value(text.upper())), event)
    book.valid(67, "the hex in mixed case", "HexCase", sender.headers(sender.value(mixed)), event)
    cases = [
        (68, text[:-1], "an odd number of hex digits"),
        (69, text[:-1] + "g", "a letter that is no hex digit"),
        (70, "0x" + text, "0x before the hex"),
        (71, text[:32] + " " + text[32:], "a space inside the hex"),
        (73, text[:-1] + "\u00ef\u00bc\u0091", "a full-width digit, as UTF-8 bytes"),
    ]
    for number, bad, comment in cases:
        book.invalid(number, "malformed_header", comment, "TagEncoding", sender.headers(sender.value(bad)), event)
    encoded = sender.value(base64_text(sender.tag(event)))
    book.invalid(74, "malformed_header", "base64 where hex belongs", "TagEncoding", sender.headers(encoded), event)


def add_base64_texts(book):
    sender = book.sender
    event = event_with_both_symbols(sender)
    text = sender.encode(sender.tag(event))
    pad = len(text) - len(text.rstrip("="))
    last = len(text) - pad - 1
    cases = [
        (75, text[:last] + next_symbol(text[last]) + text[last + 1 :], "an unused bit of the last symbol is set"),
        (76, text.rstrip("="), "the padding is missing"),
        (77, text + "=", "one padding sign too many"),
        (79, text[:20] + " " + text[20:], "a space inside the base64"),
        (80, text[:-1], "one character cut off"),
        (81, text[:4] + "=" * 4 + text[4:], "padding in the middle"),
        (82, text[:last] + "\u00c3\u00a9" + text[last + 1 :], "bytes that are no base64"),
    ]
    if "+" in text or "/" in text:
        cases.append((78, text.replace("+", "-").replace("/", "_"), "the URL-safe alphabet"))
    for number, bad, comment in sorted(cases):
        book.invalid(number, "malformed_header", comment, "Base64Malleability", sender.headers(sender.value(bad)), event)
    hex_value = sender.value(sender.tag(event).hex())
    # Hex digits are base64 as well, of one and a half times as many bytes.
    is_long_enough = sender.lengths and len(sender.tag(event)) * 3 // 2 in sender.lengths
    reason = "signature_mismatch" if is_long_enough else "malformed_header"
    book.invalid(83, reason, "hex where base64 belongs", "TagEncoding", sender.headers(hex_value), event)


def event_with_both_symbols(sender):
    """The first event whose tag needs both symbols that the URL-safe alphabet replaces, if any does."""
    for number in range(200):
        event = sender.event(extra=f',"note":"{number}"')
        text = sender.encode(sender.tag(event))
        if "+" in text and "/" in text and text.endswith("="):
            return event
    return sender.event()


def next_symbol(symbol):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return alphabet[alphabet.index(symbol) + 1]


def add_unsigned_ids(book):
    sender = book.sender
    if not sender.id_header or sender.event_id_signed:
        return
    event = sender.event()
    signature = sender.signature(event)
    cases = [
        (93, None, None, "no id"),
        (94, "two words", None, "an id with a space is ignored"),
        (95, "a" * 257, None, "an id of 257 characters is ignored"),
        (96, "a" * 256, "a" * 256, "an id of 256 characters"),
        (97, "id-\u00c3\u00a9", None, "an id with bytes outside ASCII is ignored"),
        (98, "chosen-by-a-replayer", "chosen-by-a-replayer", "another id on a captured delivery: information, not identity"),
        (99, "", None, "an empty id is ignored"),
    ]
    for number, sent, expected, comment in cases:
        book.valid(number, comment, "UnsignedId", sender.headers(signature, event_id=sent), event, event_id=expected)
