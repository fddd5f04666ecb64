"""Cases 300 to 429 of HTTP message signatures: which headers there are, how they are written, which labels they have."""

from .document import NOW
from .message_keys import HMAC_TWO
from .message_senders import CREATED, Pen, byte_sequence
from .senders import base64_text

MALFORMED = "malformed_header"


def add_message_headers(book):
    pen = Pen(book)
    add_presence(pen)
    add_bad_inputs(pen)
    add_bad_signatures(pen)
    add_same_inputs(pen)
    add_values(pen)
    add_labels(pen)
    add_limits(pen)
    add_stages(pen)


def add_presence(pen):
    inputs, signature = pen.usual()
    good = pen.rows((inputs, signature))
    without = {name: [row for row in good if row[0] != name] for name, _ in good}
    pen.valid(300, "header names in lower case", "HeaderCase", [(name.lower(), value) for name, value in good])
    pen.valid(301, "header names in upper case", "HeaderCase", [(name.upper(), value) for name, value in good])
    pen.invalid(302, "missing_header", "no Signature-Input", "MissingHeader", without["Signature-Input"])
    pen.invalid(303, "missing_header", "no Signature", "MissingHeader", without["Signature"])
    pen.invalid(304, "missing_header", "neither of the two", "MissingHeader", pen.rows())
    old = [*pen.rows(), ("Signature", f'keyId="message-2026-01",algorithm="hs2019",signature="{signature[6:-1]}"')]
    pen.invalid(305, "missing_header", "the form of the drafts before RFC 9421", "WrongVersion", old)
    for number, name in ((306, "Signature-Input"), (307, "Signature"), (308, "Content-Digest")):
        value = dict(good)[name]
        twice = [*good, (name.lower(), value)]
        pen.invalid(number, "duplicate_header", f"{name} twice, the same good value", "DuplicateHeader HeaderCase", twice)
    two_inputs = [*pen.rows(), ("Signature-Input", inputs), ("Signature-Input", inputs)]
    pen.invalid(309, "duplicate_header", "rule 2 comes before the missing signature", "DuplicateHeader RuleOrder", two_inputs)
    tab = [*without["Signature"][:-1], ("Signature-Input", inputs.replace(" ", "\t"))]
    pen.invalid(310, "missing_header", "a header is absent, the other has tabs", "MissingHeader RuleOrder", tab)
    for number, text in ((311, ""), (312, "undefined"), (313, "null")):
        comment = f"holds {text!r}"
        pen.invalid(number, MALFORMED, f"Signature-Input {comment}", "Placeholder", pen.rows((text, signature)))
        pen.invalid(number + 3, MALFORMED, f"Signature {comment}", "Placeholder", pen.rows((inputs, text)))
    for number, rows, comment in (
        (317, (inputs.replace(" ", "\t"), signature), "tabs between the components"),
        (318, (inputs + ',\tsig2=("date")', signature), "a tab between two members, which RFC 8941 would allow"),
        (319, (inputs + ';nonce="\u00c3\u00a9"', signature), "bytes of UTF-8 inside a string"),
        (320, (inputs, "\u00ff" + signature), "the byte 0xFF before the signature"),
        (321, (inputs, signature + ",\tsig2=:AA==:"), "a tab in Signature"),
    ):
        pen.invalid(number, MALFORMED, comment, "NonAscii", pen.rows(rows))


def add_bad_inputs(pen):
    inputs, signature = pen.usual()
    inner = inputs.removeprefix("sig1=")
    cases = [
        (inner, "no key"),
        (f"sig1 ={inner}", "a space before the equals sign"),
        (f"sig1= {inner}", "a space after the equals sign"),
        (inputs + ",", "a comma at the end"),
        (f"{inputs},,sig2=()", "two commas"),
        (f"{inputs};sig2=()", "a semicolon between two labels"),
        (inputs.replace(")", "", 1), "the list is not closed"),
        (inputs.replace('" "', '""'), "no space between the components"),
        (inputs.replace('" "', '", "'), "commas between the components"),
        (inputs.replace('"', "'"), "single quotes"),
        (inputs.replace('"@method"', '"@method'), "a string that does not end"),
        (inputs.replace("@method", "\\@method"), "an escape of something else than a quote or a backslash"),
        (inputs.replace(";created", ";Created"), "a parameter in upper case"),
        (inputs.replace(";created", " ;created"), "a space before a parameter"),
        (inputs.replace("created=", "created= "), "a space after a parameter's equals sign"),
        (inputs + "0" * 6, "an integer of 16 digits"),
        (inputs + ";a=1.0000", "four digits of fraction"),
        (inputs + ";a=1234567890123.0", "13 digits before the fraction"),
        (inputs + ";a=1.", "a point and no fraction"),
        (inputs + ";a=-", "a minus sign alone"),
        (inputs.replace("=17", "=+17"), "a plus sign"),
        (inputs + ";a=?2", "a boolean that is neither 0 nor 1"),
        (inputs + ";a=@1700000000", "a date, which RFC 9651 added"),
        (inputs + ';a=%"caf%c3%a9"', "a display string, which RFC 9651 added"),
        (inputs + ";a=", "a parameter without its value"),
        (inputs + ";", "a semicolon at the end"),
        (inputs + " sig2=()", "two members without a comma"),
        (f'{inputs}, sig2=("date"', "a second label that cannot be read takes the first with it"),
    ]
    for number, (text, comment) in enumerate(cases, 324):
        pen.invalid(number, MALFORMED, comment, "StructuredField", pen.rows((text, signature)))
    for number, key, comment in ((322, "Sig1", "a key in upper case"), (323, "1sig", "a key that starts with a digit")):
        rows = pen.rows((inputs.replace("sig1", key), signature.replace("sig1", key)))
        pen.invalid(number, MALFORMED, comment, "StructuredField", rows)


def add_bad_signatures(pen):
    # A nonce makes the tag one that needs both symbols that the URL-safe alphabet replaces.
    for count in range(1000):
        parameters = f'{CREATED};nonce="{count}"'
        inner, tag = pen.sender.signed(pen.sender.lines(pen.event), parameters)
        text = base64_text(tag)
        if "+" in text and "/" in text:
            break
    inputs = f"sig1={inner}"
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    unused = text[:-2] + alphabet[alphabet.index(text[-2]) + 1] + "="
    pen.valid(352, "a tag with both symbols of the alphabet", "StructuredField", pen.rows((inputs, f"sig1=:{text}:")))
    cases = [
        (f"sig1=:{text}", "no colon at the end", "StructuredField"),
        (f"sig1={text}", "no colons", "StructuredField"),
        (f'sig1="{text}"', "a string, not a byte sequence", "StructuredField"),
        (f"sig1=(:{text}:)", "a list that holds the byte sequence", "StructuredField"),
        (f":{text}:", "no key", "StructuredField"),
        (f"sig2=:{text}:", "another key than the one in Signature-Input", "StructuredField"),
        (f"sig1=:{tag.hex()}:", "hex where base64 belongs", "TagEncoding"),
        (f"sig1=:{text.rstrip('=')}:", "the padding is missing", "Base64Malleability"),
        (f"sig1=:{text}=:", "one padding sign too many", "Base64Malleability"),
        (f"sig1=:{unused}:", "an unused bit of the last symbol is set", "Base64Malleability"),
        (f"sig1=:{text.replace('+', '-').replace('/', '_')}:", "the URL-safe alphabet", "Base64Malleability"),
        (f"sig1=:{text[:20]} {text[20:]}:", "a space inside the base64", "Base64Malleability"),
        ("sig1=::", "an empty signature", "ZipCompare"),
        (f"sig1={byte_sequence(tag[:-1])}", "one byte cut off", "TruncatedTag"),
        (f"sig1={byte_sequence(tag[:1])}", "one correct byte is left", "TruncatedTag"),
        (f"sig1={byte_sequence(tag + tag[:1])}", "one byte too many", "OverlongTag"),
    ]
    for number, (signature, comment, flags) in enumerate(cases, 353):
        pen.invalid(number, MALFORMED, comment, flags, pen.rows((inputs, signature)))


def add_same_inputs(pen):
    """Other texts of what was signed: the signature base is printed anew."""
    inner, tag = pen.sender.signed(pen.sender.lines(pen.event))
    signature = byte_sequence(tag)
    flags = "StructuredField Malleable"
    cases = [
        (f"sig1={inner}".replace('" "', '"   "').replace("(", "(  ").replace(")", " )"), "more spaces inside the list"),
        (f"sig1={inner}".replace(";", ";  "), "spaces before a parameter's name"),
        (f"sig1={inner}".replace("=17", "=0017"), "zeros before the time"),
        (f"sig1={inner};created={NOW}", "the time twice, the same"),
        (f"sig1={inner}".replace(";created", ";created=1;created"), "the time twice: the last one counts"),
        (f"sig1=(); created=1 ,  sig1={inner}", "the key twice: the last one counts"),
    ]
    for number, (text, comment) in enumerate(cases, 370):
        pen.valid(number, comment, flags, pen.rows((text, f"sig1={signature}")))
    twice = f"sig1={byte_sequence(bytes(32))} ,sig1={signature}"
    pen.valid(376, "two signatures under one key: the last one counts", flags, pen.rows((f"sig1={inner}", twice)))
    first = f"sig1={signature}, sig1={byte_sequence(bytes(32))}"
    mismatch = "signature_mismatch"
    pen.invalid(377, mismatch, "two signatures under one key: the first one is gone", flags, pen.rows((f"sig1={inner}", first)))
    gone = f"sig1={inner}, sig1=();created={NOW}"
    uncovered = "uncovered_component"
    pen.invalid(378, uncovered, "two lists under one key: the first one is gone", flags, pen.rows((gone, f"sig1={signature}")))
    parameters = f"sig1={signature};a=1;b"
    pen.valid(379, "parameters of the signature itself, which nobody signs", flags, pen.rows((f"sig1={inner}", parameters)))
    for number, key in ((380, "*"), (381, "a-b_c.d*9")):
        rows = pen.rows((f"{key}={inner}", f"{key}={signature}"))
        pen.valid(number, f"the key {key}: nobody signs it", flags, rows)


def add_values(pen):
    """Parameters of every kind: what is signed, and how it may be sent."""
    flags = "StructuredField"
    cases = [
        (";a=-12.5", None, "a decimal"),
        (";a=12.5", ";a=0012.500", "a decimal with more zeros than needed"),
        (";a=0.0", ";a=-0.000", "minus zero"),
        (";a=0", ";a=-0", "minus zero, an integer"),
        (";a", ";a=?1", "true"),
        (";a=?0", None, "false"),
        (";a=*tok:en/x", None, "a token"),
        (";a=:AP8=:", None, "a byte sequence"),
        (";a=::", None, "an empty byte sequence"),
        (r';a="q\"b\\e"', None, "escapes"),
        (';a=""', None, "an empty string"),
        (";a=-999999999999999", None, "an integer of 15 digits"),
        (';z=1;a=2;m="3"', None, "parameters in an order of their own"),
        (";a=2;b=1", ";a=1;b=1;a=2", "a parameter twice: the last value at the first place"),
        (";*_-.9=1", None, "a parameter's name of every kind of sign"),
    ]
    for number, (signed, sent, comment) in enumerate(cases, 382):
        inner, tag = pen.sender.signed(pen.sender.lines(pen.event), signed + CREATED)
        text = inner if sent is None else inner.replace(signed, sent)
        pen.valid(number, comment, flags, pen.rows((f"sig1={text}", f"sig1={byte_sequence(tag)}")))
    inner, tag = pen.sender.signed(pen.sender.lines(pen.event), CREATED + ';nonce="n"')
    longest, other = pen.sender.signed(pen.sender.lines(pen.event), ";a=123456789012.125" + CREATED)
    rows = pen.rows((f"sig1={longest}", f"sig1={byte_sequence(other)}"))
    pen.valid(399, "a decimal of as many digits as there may be", flags, rows)
    moved = inner.replace(CREATED, "") + CREATED
    rows = pen.rows((f"sig1={moved}", f"sig1={byte_sequence(tag)}"))
    pen.invalid(397, "signature_mismatch", "the parameters in another order than signed", flags, rows)
    place = pen.sender.signed(pen.sender.lines(pen.event), CREATED + ";b=1;a=2")
    rows = pen.rows((f"sig1={place[0].replace(';b=1;a=2', ';a=1;b=1;a=2')}", f"sig1={byte_sequence(place[1])}"))
    pen.invalid(398, "signature_mismatch", "a parameter twice, signed at the last place", flags, rows)


def add_labels(pen):
    good = pen.usual(name="good")
    other = pen.usual(f";created={NOW + 1}", signer=HMAC_TWO, name="other")
    lost, unread = ("lost=()", "alone=:AAAA:"), ("number=1", "number=:AAAA:")
    flags = "Labels"
    pen.valid(400, "two labels: the first is good", flags, pen.rows(good, other))
    pen.valid(401, "two labels: the second is good", flags, pen.rows(other, good))
    pen.valid(402, "members without a counterpart", flags, pen.rows(lost, good))
    pen.valid(403, "a member that is no inner list", flags, pen.rows(unread, good))
    pen.valid(404, "a member that is no byte sequence", flags, pen.rows(("text=()", 'text="AAAA"'), good))
    pen.valid(405, "the members of Signature in another order", flags, pen.rows((good[0], other[1]), (other[0], good[1])))
    rows = pen.rows((good[0], other[1].replace("other", "good")))
    pen.invalid(406, "signature_mismatch", "the list of one label and the signature of another", flags, rows)
    pen.invalid(407, MALFORMED, "no key occurs in both headers", flags, pen.rows((good[0], other[1])))
    short = ("short=()", "short=:AAAA:")
    pen.valid(408, "a label with a signature of another length beside a good one", flags, pen.rows(short, good))
    later = pen.usual(f";created={NOW + 5}", signer=HMAC_TWO, name="later")
    keys = pen.sender.keys
    rows = pen.rows(later, good)
    pen.valid(409, "two good labels: the first gives key and time", flags, rows, keys=keys, key_id=keys[1][0], timestamp=NOW + 5)
    pen.valid(410, "two good labels, in the other order", flags, pen.rows(good, later), keys=keys)


def add_limits(pen):
    good = pen.usual(name="good")
    flags = "Labels Limit"
    others = [(f"s{n}=();created={NOW}", f"s{n}={byte_sequence(bytes(32))}") for n in range(8)]
    pen.valid(411, "8 labels: the last is good", flags, pen.rows(*others[:7], good))
    too_many = "too_many_signatures"
    pen.invalid(412, too_many, "9 labels: the first is good", flags, pen.rows(good, *others))
    inputs, signatures = (", ".join(texts) for texts in zip(good, *others))
    pen.invalid(413, too_many, "9 members in Signature-Input", flags, pen.rows((inputs, good[1])))
    pen.invalid(414, too_many, "9 members in Signature", flags, pen.rows((good[0], signatures)))
    pen.invalid(415, too_many, "9 members and no label", flags, pen.rows((inputs.replace("good", "a"), "z=:AAAA:")))
    repeated = [others[0], *others[:7], good]
    pen.valid(416, "9 members, two of one key: that is 8", flags, pen.rows(*repeated))
    unpadded = pen.rows(good, ("z=1", "z=:AA:"))
    pen.invalid(418, MALFORMED, "a second signature that is not base64 takes the first with it", "Labels", unpadded)
    parameter = pen.rows(pen.usual(CREATED + ";a=:AA:"))
    pen.invalid(419, MALFORMED, "a parameter that is not base64", "Base64Malleability", parameter)
    bad = pen.rows((inputs, good[1] + ","))
    pen.invalid(417, MALFORMED, "9 members, and a Signature that cannot be read", flags + " RuleOrder", bad)


def add_stages(pen):
    """The label that came furthest gives the reason, of several the first."""
    sender, flags = pen.sender, "Labels RuleOrder"
    lines = sender.lines(pen.event)
    unread = sender.label(lines, CREATED + ";alg=1", name="unread")
    uncovered = sender.label(lines[1:], name="uncovered")
    absent = sender.label([*lines, ('"date"', "")], name="absent")
    timeless = sender.label(lines, "", name="timeless")
    old = sender.label(lines, f";created={NOW - 301}", name="old")
    new = sender.label(lines, f";created={NOW + 301}", name="new")
    wrong = sender.label(lines, signer=HMAC_TWO, name="wrong")
    everything = [unread, uncovered, absent, timeless, old, wrong]
    cases = [
        (everything[:2], "uncovered_component", "stages 1 and 2"),
        (everything[1::-1], "uncovered_component", "stages 2 and 1"),
        (everything[:3], "missing_header", "stages 1 to 3"),
        (everything[2::-1], "missing_header", "stages 3 to 1"),
        ([absent, timeless, unread], "missing_timestamp", "stages 3, 4 and 1"),
        ([timeless, old, new], "missing_timestamp", "stage 4 three times: the first"),
        ([old, timeless, new], "timestamp_too_old", "stage 4 three times, in another order"),
        ([new, old, timeless], "timestamp_too_new", "stage 4 three times, in a third order"),
        (everything, "signature_mismatch", "all stages, the last one last"),
        (everything[::-1], "signature_mismatch", "all stages, the last one first"),
    ]
    for number, (labels, reason, comment) in enumerate(cases, 420):
        pen.invalid(number, reason, f"labels that end in {comment}", flags, pen.rows(*labels))
