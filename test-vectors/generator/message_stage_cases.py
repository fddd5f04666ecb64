"""Cases 430 to 579 of HTTP message signatures: the stages of one label."""

import hashlib
import hmac

from .document import NOW
from .message_keys import HMAC_ONE, HMAC_TWO, Hmac
from .message_senders import CREATED, Pen, byte_sequence

DATE = ("Date", "Tue, 14 Nov 2023 22:13:20 GMT")
DATE_LINE = ('"date"', DATE[1])
NOTHING = {"required_components": ()}


def add_message_stages(book):
    pen = Pen(book)
    add_components_that_are_none(pen)
    add_parameters_of_another_kind(pen)
    add_coverage(pen)
    add_order_of_stages(pen)
    add_times(pen)
    add_wrong_signatures(pen)


def add_components_that_are_none(pen):
    """All signed as a receiver that knows no better would read them."""
    date = DATE[1]
    cases = [
        ([("date", date)], "a token instead of a string"),
        ([("1", date)], "an integer instead of a string"),
        ([('"@status"', "200")], "a component that only responses have"),
        ([('"@signature-params"', "")], "the parameters as a component"),
        ([('"@unknown"', "")], "a derived component that nobody knows"),
        ([('"@"', "")], "a derived component without a name"),
        ([('"Date"', date)], "a field name in upper case"),
        ([('""', "")], "an empty field name"),
        ([('"content type"', "application/json")], "a field name with a space"),
        ([('"date:"', date)], "a field name with a colon"),
        ([('"date";sf', date)], "the parameter sf"),
        ([('"date";sf=?0', date)], "the parameter sf, false"),
        ([('"content-digest";key="sha-256"', pen.sender.digest(pen.event)[8:])], "the parameter key"),
        ([('"date";bs', byte_sequence(date.encode()))], "the parameter bs"),
        ([('"date";tr', date)], "the parameter tr"),
        ([('"@method";req', "POST")], "the parameter req"),
        ([('"date";a=1', date)], "a parameter that nobody knows"),
        ([('"@method";name="Pet"', "POST")], "the parameter name where it does not belong"),
        ([('"@query-param"', "dog")], "a query parameter without a name"),
        ([('"@query-param";name=Pet', "dog")], "a query parameter named by a token"),
        ([('"@query-param";name', "dog")], "a query parameter whose name is true"),
        ([('"@query-param";name=:UGV0:', "dog")], "a query parameter named by bytes"),
        ([('"@query-param";name="Pet";req', "dog")], "a query parameter with another parameter"),
        ([DATE_LINE, DATE_LINE], "a field twice"),
        ([('"@method"', "POST")], "a derived component twice"),
        ([('"@query-param";name="Pet"', "dog")] * 2, "a query parameter twice"),
    ]
    url = pen.sender.url + "?Pet=dog"
    for number, (lines, comment) in enumerate(cases, 430):
        rows = pen.signed(*lines, more=(DATE,), url=url)
        pen.invalid(number, "malformed_header", comment, "Components", rows, url=url)
    twice = [('"content-type"', "application/json"), *pen.sender.lines(pen.event)]
    inner, tag = pen.sender.signed(twice)
    sent = inner.replace(" ", ' "content-type" ', 1)
    rows = pen.rows((f"sig1={sent}", f"sig1={byte_sequence(tag)}"))
    pen.invalid(456, "malformed_header", "a field twice, signed once", "Components", rows)
    two = [('"@query-param";name="Pet"', "dog"), ('"@query-param";name="Age"', "3")]
    url += "&Age=3"
    pen.valid(457, "two query parameters of different names", "Components", pen.signed(*two, url=url), url=url)


def add_parameters_of_another_kind(pen):
    cases = [
        (f';created="{NOW}"', "created is a string"),
        (f";created={NOW}.0", "created is a decimal"),
        (";created", "created is true"),
        (CREATED + f';expires="{NOW}"', "expires is a string"),
        (CREATED + f";expires={NOW + 60}.5", "expires is a decimal"),
        (CREATED + ";alg=hmac-sha256", "alg is a token"),
        (CREATED + ";keyid=message-2026-01", "keyid is a token"),
        (CREATED + ";nonce=17", "nonce is an integer"),
        (CREATED + ";tag", "tag is true"),
    ]
    for number, (parameters, comment) in enumerate(cases, 458):
        rows = pen.rows(pen.usual(parameters))
        pen.invalid(number, "malformed_header", comment, "StructuredField", rows)
    full = f'{CREATED};expires={NOW + 60};keyid="message-2026-01";alg="hmac-sha256";nonce="n-1";tag="leads"'
    pen.valid(467, "every parameter that RFC 9421 has", "Plain", pen.rows(pen.usual(full)))


def add_coverage(pen):
    sender, flags = pen.sender, "Components"
    method, target, digest = sender.lines(pen.event)
    reason = "uncovered_component"
    path = ('"@path"', "/webhooks/http-message-signatures")
    host = ('"@authority"', "receiver.example")
    parts = [('"@scheme"', "https"), host, ('"@request-target"', path[1])]
    cases = [
        ([], "nothing is covered"),
        ([target, digest], "the method is not covered"),
        ([method, digest], "the URL is not covered"),
        ([method, target], "the body is not covered"),
        ([method, digest, *parts], "the URL is covered in parts, which is not what is wanted"),
        ([method, target, ('"content-length"', str(len(pen.event)))], "the length instead of the digest"),
    ]
    length = ("Content-Length", str(len(pen.event)))
    for number, (lines, comment) in enumerate(cases, 470):
        pen.invalid(number, reason, comment, flags, pen.rows(sender.label(lines), more=(length,)))
    bare = pen.rows(sender.label([method, target]), digest=None)
    pen.invalid(476, reason, "neither a digest nor its cover", flags + " MissingHeader", bare)
    pen.valid(477, "the components in another order", flags, pen.rows(sender.label([digest, target, method])))
    pen.valid(478, "nothing is required, nothing covered", flags, pen.rows(sender.label([])), options=NOTHING)
    wanted = {"required_components": ("@authority", "@path")}
    pen.valid(479, "other components are required", flags, pen.rows(sender.label([path, host])), options=wanted)
    rows = pen.rows(sender.label([path, method]))
    pen.invalid(480, reason, "one of two that are required is missing", flags, rows, options=wanted)
    rows = pen.rows(sender.usual(pen.event))
    pen.invalid(481, reason, "the URL where its path is required", flags, rows, options=wanted)
    dated = {"required_components": ("date",)}
    rows = pen.rows(sender.label([DATE_LINE]), more=(DATE,))
    pen.valid(482, "a field is required", flags, rows, options=dated)
    rows = pen.rows(sender.label([host]), more=(DATE,))
    pen.invalid(483, reason, "a required field is there, and not covered", flags, rows, options=dated)
    pet, url = {"required_components": ('@query-param";name="Pet',)}, sender.url + "?Pet=dog&Age=3"
    for number, name, value in ((484, "Pet", "dog"), (485, "Age", "3")):
        rows = pen.rows(sender.label([(f'"@query-param";name="{name}"', value)]))
        if name == "Pet":
            pen.valid(number, "a query parameter is required", flags, rows, options=pet, url=url)
        else:
            pen.invalid(number, reason, "another query parameter than the required one", flags, rows, options=pet, url=url)
    rows = pen.rows(sender.label([('"@query"', "?Pet=dog&Age=3")]))
    pen.invalid(486, reason, "the query where a parameter of it is required", flags, rows, options=pet, url=url)


def add_order_of_stages(pen):
    sender, flags = pen.sender, "RuleOrder"
    method, target, digest = sender.lines(pen.event)
    unknown, absent = ('"@unknown"', ""), ('"date"', "")
    cases = [
        ([method, unknown], CREATED, "malformed_header", "an unknown component, and one is not covered"),
        ([method, absent], CREATED, "uncovered_component", "one is not covered, and a covered one is absent"),
        ([method, target, digest, absent], "", "missing_header", "a covered field is absent, and so is the time"),
        ([method, target, digest, absent], f";created={NOW - 301}", "missing_header", "a covered field is absent; too old"),
        ([method, target, digest, absent], ";created=soon", "malformed_header", "created is a token; a covered field is absent"),
    ]
    for number, (lines, parameters, reason, comment) in enumerate(cases, 490):
        pen.invalid(number, reason, comment, flags, pen.rows(sender.label(lines, parameters)))
    wrong = HMAC_TWO
    stale = pen.rows(pen.usual(f";created={NOW - 301}", signer=wrong))
    pen.invalid(495, "timestamp_too_old", "too old, and signed with another key", "Window RuleOrder", stale)
    early = pen.rows(pen.usual(f";created={NOW + 301};expires={NOW - 1}"))
    pen.invalid(496, "timestamp_too_new", "created too far ahead comes before expired", "Window RuleOrder", early)
    twice = [*pen.rows(pen.usual()), ("Content-Encoding", "gzip"), ("Signature", "")]
    pen.invalid(497, "unsupported_content_encoding", "rule 1 comes before two Signatures", "ContentEncoding RuleOrder", twice)


def add_times(pen):
    def at(parameters):
        return pen.rows(pen.usual(parameters))

    flags, form = "Window", "TimestampForm"
    old, new = "timestamp_too_old", "timestamp_too_new"
    pen.valid(500, "created 300 s ago", flags, at(f";created={NOW - 300}"), timestamp=NOW - 300)
    pen.invalid(501, old, "created 301 s ago", flags, at(f";created={NOW - 301}"))
    pen.valid(502, "created 300 s ahead", flags, at(f";created={NOW + 300}"), timestamp=NOW + 300)
    pen.invalid(503, new, "created 301 s ahead", flags, at(f";created={NOW + 301}"))
    pen.invalid(504, "missing_timestamp", "no time of creation", form, at(""))
    pen.invalid(505, "missing_timestamp", "only a time of expiry", form, at(f";expires={NOW + 60}"))
    malformed = ("0", "-0", "-1", f"-{NOW}", "1000000000000", str(NOW * 1000), "999999999999999", "-999999999999999")
    for number, text in enumerate(malformed, 506):
        pen.invalid(number, "malformed_timestamp", f"created is {text}", form, at(f";created={text}"))
    pen.invalid(514, old, "created is 1", form, at(";created=1"))
    pen.invalid(515, new, "created is 999999999999", form, at(";created=999999999999"))
    pen.valid(516, "expires now", flags, at(f"{CREATED};expires={NOW}"))
    pen.invalid(517, old, "expired 1 s ago", flags, at(f"{CREATED};expires={NOW - 1}"))
    pen.invalid(518, old, "expired as it was created", flags, at(f";created={NOW - 10};expires={NOW - 10}"))
    for number, text in ((519, "0"), (520, "-1"), (521, "-999999999999999")):
        pen.invalid(number, old, f"expires is {text}", form, at(f"{CREATED};expires={text}"))
    pen.valid(522, "expires is 999999999999999", form, at(f"{CREATED};expires=999999999999999"))
    ahead = at(f";created={NOW + 200};expires={NOW + 100}")
    pen.valid(523, "expires before it was created, and neither is past", flags, ahead, timestamp=NOW + 200)
    far = at(f";created={NOW - 301};expires={NOW + 3600}")
    pen.invalid(524, old, "created 301 s ago: a later expiry does not prolong the window", flags, far)
    narrow, wide = {"tolerance_seconds": 60}, {"tolerance_seconds": 3600}
    flags = "Tolerance Window"
    pen.valid(525, "a tolerance of 60 s: the edge", flags, at(f";created={NOW - 60}"), options=narrow, timestamp=NOW - 60)
    pen.invalid(526, old, "a tolerance of 60 s: one second past it", flags, at(f";created={NOW - 61}"), options=narrow)
    pen.invalid(527, new, "a tolerance of 60 s: one second before it", flags, at(f";created={NOW + 61}"), options=narrow)
    rows = at(f";created={NOW - 3600}")
    pen.valid(528, "a tolerance of an hour: the edge", flags, rows, options=wide, timestamp=NOW - 3600)
    rows = at(f"{CREATED};expires={NOW - 1}")
    pen.invalid(529, old, "a tolerance of an hour does not prolong the expiry", flags, rows, options=wide)


def add_wrong_signatures(pen):
    sender = pen.sender
    lines, mismatch = sender.lines(pen.event), "signature_mismatch"
    inner, tag = sender.signed(lines)
    base = "\n".join([*(": ".join(line) for line in lines), f'"@signature-params": {inner}'])
    secret = HMAC_ONE.secret

    def mac(text, key=secret, name="sha256"):
        return hmac.digest(key, text.encode(), name)

    def bit(place):
        return tag[:place] + bytes([tag[place] ^ 1]) + tag[place + 1 :]

    cases = [
        (bit(0), "one bit of the first byte flipped", "ModifiedTag"),
        (bit(31), "one bit of the last byte flipped", "ModifiedTag"),
        (bytes(32), "zero bytes", "ModifiedTag"),
        (mac(base, b""), "signed with the empty key", "WrongKey"),
        (mac(base, secret + b"\n"), "signed with the key and a trailing newline", "WrongKey"),
        (mac(base, sender.keys[0][1].encode()), "signed with the key's text", "KeyEncoding"),
        (hashlib.sha256(base.encode()).digest(), "a SHA-256 digest without any key", "Algorithm"),
        (mac(base, name="sha512")[:32], "the first half of an HMAC-SHA-512", "Algorithm"),
        (mac(base + "\n"), "a line feed at the end of the signature base", "Components"),
        (mac(base.replace("\n", "\r\n")), "CR LF in the signature base", "Components"),
        (mac(base.replace(": ", ":")), "no spaces after the colons", "Components"),
        (mac(base.replace('"@method"', "@method")), "identifiers without quotes", "Components"),
        (mac(base.rpartition("\n")[0]), "the parameters not signed", "Components"),
        (mac(base.replace("signature-params", "signature-input")), "the parameters under another name", "Components"),
        (mac(base.replace('params": ', 'params": sig1=')), "the label signed as well", "Components"),
        (mac(pen.event.decode()), "the body signed", "Components"),
    ]
    for number, (other, comment, flags) in enumerate(cases, 540):
        pen.invalid(number, mismatch, comment, flags, pen.rows((f"sig1={inner}", f"sig1={byte_sequence(other)}")))

    def sent(text):
        return pen.rows((f"sig1={text}", f"sig1={byte_sequence(tag)}"))

    last = '"content-digest"'
    flags = "Components"
    changed = inner.replace(last, f'{last} "content-type"')
    pen.invalid(560, mismatch, "a component more than was signed", flags, sent(changed))
    swapped = inner.replace('"@method" "@target-uri"', '"@target-uri" "@method"')
    pen.invalid(561, mismatch, "two components exchanged", flags, sent(swapped))
    pen.invalid(562, mismatch, "a later time of creation", "ModifiedTimestamp", sent(inner.replace(str(NOW), str(NOW + 1))))
    pen.invalid(563, mismatch, "a parameter more than was signed", flags, sent(f'{inner};nonce="n"'))
    _, other = sender.signed([*lines, DATE_LINE])
    rows = pen.rows((f"sig1={inner}", f"sig1={byte_sequence(other)}"), more=(DATE,))
    pen.invalid(564, mismatch, "a component less than was signed", flags, rows)
    _, other = sender.signed(lines, f"{CREATED};expires={NOW - 1}")
    rows = pen.rows((f"sig1={inner}", f"sig1={byte_sequence(other)}"))
    pen.invalid(565, mismatch, "the expiry taken away", "ModifiedTimestamp", rows)
    good = pen.rows((f"sig1={inner}", f"sig1={byte_sequence(tag)}"))
    pen.invalid(566, mismatch, "another method", "Method", good, method="PUT")
    pen.invalid(567, mismatch, "another URL", "Url", good, url=sender.url + "?admin=1")
    foreign = pen.rows(pen.usual(signer=Hmac(b"test-only-nobody-has-this-key-00")))
    pen.invalid(568, mismatch, "signed with a key that is not configured", "WrongKey", foreign)
    keys = sender.keys
    pen.valid(569, "rotation: the second of two keys matches", "Rotation", good, keys=keys[::-1], key_id=keys[0][0])
    pen.valid(570, "rotation: the first of two keys matches", "Rotation", good, keys=keys)
    pen.invalid(571, mismatch, "neither of two keys matches", "Rotation WrongKey", foreign, keys=keys)
    for number, keyid, comment in (
        (572, "message-2026-01", "the other key's name: all keys are tried"),
        (573, "nobody", "a name that no key has"),
        (574, "", "an empty name"),
    ):
        rows = pen.rows(pen.usual(f'{CREATED};keyid="{keyid}"', signer=HMAC_TWO))
        pen.valid(number, f"keyid is {comment}", "Rotation", rows, keys=keys, key_id=keys[1][0])
