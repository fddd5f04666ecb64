"""Cases 200 to 249: signature headers that are lists."""

import base64

BAD_HEX = "00" * 32
BAD_BASE64 = base64.b64encode(bytes(32)).decode("ascii")


def add_list_cases(book):
    if book.sender.syntax == "list":
        add_list(book)
    elif book.sender.syntax == "space-list":
        add_space_list(book)


def add_list(book):
    sender = book.sender
    event = sender.event()
    good = sender.tag(event).hex()
    sep, version = sender.separator, sender.version
    t = f"{sender.timestamp_name}=1700000000" if sender.timestamp_name else None

    def joined(*elements):
        return sep.join(element for element in elements if element is not None)

    def valid(number, value, comment, flags="SignatureList"):
        book.valid(number, comment, flags, sender.headers(value), event)

    def invalid(number, reason, value, comment, flags="SignatureList"):
        book.invalid(number, reason, comment, flags, sender.headers(value), event)

    right, wrong = f"{version}={good}", f"{version}={BAD_HEX}"
    valid(200, joined(t, wrong, right), "several signatures, the second is good", "SignatureList Rotation")
    valid(201, joined(t, right, wrong), "several signatures, the first is good", "SignatureList Rotation")
    valid(203, joined(t, f"v0={BAD_HEX}", right, "x=", "y"), "unknown and shapeless elements are skipped")
    valid(204, joined(t, f"{version}=zz", right, ""), "an undecodable signature and an empty element are skipped")
    invalid(205, "malformed_header", joined(t, f"v0={good}"), "a good signature under another version", "WrongVersion")
    invalid(206, "malformed_header", joined(t, f"{version.upper()}={good}"), "the version in upper case", "WrongVersion")
    invalid(207, "malformed_header", joined(t, version), "a version without a signature", "ZipCompare")
    invalid(216, "malformed_header", joined(t, f"{version}=={good}"), "two equals signs")
    invalid(218, "malformed_header", f"sha256={good}", "the plain form of other providers", "WrongVersion")
    invalid(219, "malformed_header", good, "the bare signature", "WrongVersion")
    many = [wrong] * 7
    valid(220, joined(t, *many, right), "8 signatures, the last is good", "SignatureList Limit")
    invalid(221, "too_many_signatures", joined(t, *many, right, wrong), "9 signatures", "Limit")
    unknown = ["v0=x"] * (30 if t else 31)
    valid(222, joined(t, *unknown, right), "32 elements, the last is good", "SignatureList Limit")
    invalid(223, "too_many_signatures", joined(t, *unknown, right, "v0=x"), "33 elements", "Limit")
    invalid(224, "too_many_signatures", joined(t, *[f"{version}=x"] * 1000), "1,000 elements", "Limit")
    undecodable = joined(t, *[f"{version}=x"] * 8, right)
    invalid(225, "too_many_signatures", undecodable, "9 signatures, of which 8 cannot be decoded", "Limit")
    if t:
        add_list_timestamps(sender, t, right, wrong, valid, invalid)


def add_list_timestamps(sender, t, right, wrong, valid, invalid):
    sep, name = sender.separator, sender.timestamp_name
    valid(202, f"{right}{sep}{t}", "the timestamp after the signature")
    invalid(208, "malformed_header", t, "a timestamp and nothing else", "ZipCompare")
    invalid(209, "missing_timestamp", right, "no timestamp")
    invalid(210, "malformed_header", sep.join((t, t, right)), "the timestamp twice", "DuplicateTimestamp")
    old = f"{name}=1699990000"
    invalid(211, "malformed_header", sep.join((old, t, right)), "an old timestamp before the signed one", "DuplicateTimestamp")
    invalid(212, "malformed_header", sep.join((t, right, old)), "another timestamp after the signed one", "DuplicateTimestamp")
    other_separator = "," if sep == ";" else ";"
    invalid(213, "malformed_header", f"{t}{other_separator}{right}", "another separator")
    after = {",": "comma", ";": "semicolon"}[sep]
    invalid(
        214, "malformed_header", f"{t}{sep} {right}", f"a space after the {after} belongs to the name", "SignatureList Prefix"
    )
    # Joined by a comma, a list with commas has two timestamps; one with semicolons loses its first signature.
    reason = "malformed_header" if sep == "," else "signature_mismatch"
    two_values = f"{t}{sep}{right},{t}{sep}{wrong}"
    invalid(215, reason, two_values, "two values joined by a comma", "JoinedHeader")
    later = f"{name}=1700000001{sep}{right}"
    invalid(217, "signature_mismatch", later, "another timestamp on a captured delivery", "ModifiedTimestamp")


def add_space_list(book):
    sender = book.sender
    event = sender.event()
    good = sender.encode(sender.tag(event))

    def valid(number, value, comment, flags="SignatureList"):
        book.valid(number, comment, flags, sender.headers(value), event)

    def invalid(number, reason, value, comment, flags="SignatureList"):
        book.invalid(number, reason, comment, flags, sender.headers(value), event)

    valid(200, f"v1,{BAD_BASE64} v1,{good}", "several signatures, the second is good", "SignatureList Rotation")
    valid(201, f"v1,{good} v1,{BAD_BASE64}", "several signatures, the first is good", "SignatureList Rotation")
    valid(202, f"v2,{BAD_BASE64} v1,{good} v9 ,", "unknown and shapeless elements are skipped")
    valid(203, f"v1,short  v1,{good}", "an undecodable signature and an empty element are skipped")
    invalid(205, "malformed_header", f"v2,{good}", "a good signature under another version", "WrongVersion")
    invalid(206, "malformed_header", f"V1,{good}", "the version in upper case", "WrongVersion")
    invalid(207, "malformed_header", "v1", "a version without a signature", "ZipCompare")
    invalid(208, "malformed_header", f"v1,{good},v1,{BAD_BASE64}", "a comma between the elements")
    invalid(209, "malformed_header", f"v1 ,{good}", "a space before the comma")
    invalid(210, "malformed_header", good, "the bare signature", "WrongVersion")
    invalid(211, "malformed_header", f"v1={good}", "an equals sign for the comma", "WrongVersion")
    invalid(
        212,
        "signature_mismatch",
        f"v1,{good}, v1,{BAD_BASE64}",
        "two values joined by a comma: it belongs to the good signature",
        "JoinedHeader",
    )
    invalid(213, "malformed_header", f"v1a,{good}", "an HMAC under the version of public-key signatures", "WrongVersion")
    many = " ".join([f"v1,{BAD_BASE64}"] * 7)
    valid(220, f"{many} v1,{good}", "8 signatures, the last is good", "SignatureList Limit")
    invalid(221, "too_many_signatures", f"{many} v1,{good} v1,{BAD_BASE64}", "9 signatures", "Limit")
    unknown = " ".join(["v2,x"] * 31)
    valid(222, f"{unknown} v1,{good}", "32 elements, the last is good", "SignatureList Limit")
    invalid(223, "too_many_signatures", f"{unknown} v1,{good} v2,x", "33 elements", "Limit")
    invalid(224, "too_many_signatures", " ".join(["v1,"] * 1000), "1,000 elements", "Limit")
    invalid(
        225, "too_many_signatures", " ".join(["v1,x"] * 8 + [f"v1,{good}"]), "9 signatures, of which 8 cannot be decoded", "Limit"
    )
