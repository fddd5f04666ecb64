"""Cases 200 to 249: signature headers that are lists."""

import base64

BAD_HEX = "00" * 32
BAD_BASE64 = base64.b64encode(bytes(32)).decode("ascii")


def add_list_cases(book):
    if book.sender.syntax == "comma-list":
        add_comma_list(book)
    elif book.sender.syntax == "space-list":
        add_space_list(book)


def add_comma_list(book):
    sender = book.sender
    event = sender.event()
    good = sender.tag(event).hex()
    t = "t=1700000000"

    def valid(number, value, comment, flags="SignatureList"):
        book.valid(number, comment, flags, sender.headers(value), event)

    def invalid(number, reason, value, comment, flags="SignatureList"):
        book.invalid(number, reason, comment, flags, sender.headers(value), event)

    valid(200, f"{t},v1={BAD_HEX},v1={good}", "several signatures, the second is good", "SignatureList Rotation")
    valid(201, f"{t},v1={good},v1={BAD_HEX}", "several signatures, the first is good", "SignatureList Rotation")
    valid(202, f"v1={good},{t}", "the timestamp after the signature")
    valid(203, f"{t},v0={BAD_HEX},v1={good},x=,y", "unknown and shapeless elements are skipped")
    valid(204, f"{t},v1=zz,v1={good},", "an undecodable signature and an empty element are skipped")
    invalid(205, "malformed_header", f"{t},v0={good}", "a good signature under another version", "WrongVersion")
    invalid(206, "malformed_header", f"{t},V1={good}", "the version in upper case", "WrongVersion")
    invalid(207, "malformed_header", f"{t},v1", "a version without a signature", "ZipCompare")
    invalid(208, "malformed_header", t, "a timestamp and nothing else", "ZipCompare")
    invalid(209, "missing_timestamp", f"v1={good}", "no timestamp")
    invalid(210, "malformed_header", f"{t},{t},v1={good}", "the timestamp twice", "DuplicateTimestamp")
    invalid(
        211, "malformed_header", f"t=1699990000,{t},v1={good}", "an old timestamp before the signed one", "DuplicateTimestamp"
    )
    invalid(
        212, "malformed_header", f"{t},v1={good},t=1699990000", "another timestamp after the signed one", "DuplicateTimestamp"
    )
    invalid(213, "malformed_header", f"{t};v1={good}", "another separator")
    invalid(214, "malformed_header", f"{t}, v1={good}", "a space after the comma belongs to the name", "SignatureList Prefix")
    invalid(215, "malformed_header", f"{t},v1={good},{t},v1={BAD_HEX}", "two values joined by a comma", "JoinedHeader")
    invalid(216, "malformed_header", f"{t},v1=={good}", "two equals signs")
    invalid(217, "signature_mismatch", f"t=1700000001,v1={good}", "another timestamp on a captured delivery", "ModifiedTimestamp")
    invalid(218, "malformed_header", f"sha256={good}", "the plain form of other providers", "WrongVersion")
    invalid(219, "malformed_header", good, "the bare signature", "WrongVersion")
    many = ",".join([f"v1={BAD_HEX}"] * 7)
    valid(220, f"{t},{many},v1={good}", "8 signatures, the last is good", "SignatureList Limit")
    invalid(221, "too_many_signatures", f"{t},{many},v1={good},v1={BAD_HEX}", "9 signatures", "Limit")
    unknown = ",".join(["v0=x"] * 30)
    valid(222, f"{t},{unknown},v1={good}", "32 elements, the last is good", "SignatureList Limit")
    invalid(223, "too_many_signatures", f"{t},{unknown},v1={good},v0=x", "33 elements", "Limit")
    invalid(224, "too_many_signatures", ",".join([t] + ["v1=x"] * 1000), "1,000 elements", "Limit")
    invalid(
        225,
        "too_many_signatures",
        ",".join([t] + ["v1=x"] * 8 + [f"v1={good}"]),
        "9 signatures, of which 8 cannot be decoded",
        "Limit",
    )


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
