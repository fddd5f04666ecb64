"""Cases 580 to 699 of HTTP message signatures: what stands in the signature base for each component."""

from .document import NOW
from .message_senders import CREATED, Pen, byte_sequence
from .message_stage_cases import DATE, DATE_LINE, NOTHING

HOST = "https://receiver.example"


def add_message_components(book):
    pen = Pen(book)
    add_authorities(pen)
    add_paths(pen)
    add_query_params(pen)
    add_bad_query_params(pen)
    add_fields(pen)


def add_authorities(pen):
    path = "/webhooks/http-message-signatures"
    cases = [
        (f"{HOST}{path}", "https", "receiver.example", "a host"),
        (f"https://Receiver.EXAMPLE{path}", "https", "receiver.example", "a host in upper case, and the URL as it was called"),
        (f"{HOST}:443{path}", "https", "receiver.example", "the default port of https"),
        (f"{HOST}:8443{path}", "https", "receiver.example:8443", "another port"),
        (f"{HOST}:80{path}", "https", "receiver.example:80", "the default port of http where https was called"),
        (f"http://receiver.example:80{path}", "http", "receiver.example", "the default port of http"),
        (f"http://receiver.example:443{path}", "http", "receiver.example:443", "the default port of https where http was called"),
        (f"https://user:pass@receiver.example{path}", "https", "receiver.example", "credentials"),
        (f"https://[2001:DB8::443]{path}", "https", "[2001:db8::443]", "an address that ends like a port"),
        (f"https://[2001:db8::1]:443{path}", "https", "[2001:db8::1]", "an address and the default port"),
    ]
    for number, (url, scheme, authority, comment) in enumerate(cases, 580):
        rows = pen.signed(('"@scheme"', scheme), ('"@authority"', authority), url=url)
        pen.valid(number, comment, "Url", rows, url=url)
    mismatch, ported = "signature_mismatch", f"{HOST}:443{path}"
    for number, url, scheme, authority, comment in (
        (590, ported, "https", "receiver.example:443", "the default port signed"),
        (591, f"https://Receiver.EXAMPLE{path}", "https", "Receiver.EXAMPLE", "the host signed in upper case"),
        (592, f"{HOST}:8443{path}", "https", "receiver.example", "another port, not signed"),
        (593, f"{HOST}{path}", "http", "receiver.example", "another scheme signed"),
        (594, f"https://user:pass@receiver.example{path}", "https", "user:pass@receiver.example", "credentials signed"),
    ):
        rows = pen.signed(('"@scheme"', scheme), ('"@authority"', authority), url=url)
        pen.invalid(number, mismatch, comment, "Url", rows, url=url)
    rows = pen.signed(url=HOST + path)
    pen.invalid(595, mismatch, "the URL signed without the default port, and called with it", "Url", rows, url=ported)
    rows = pen.signed(method="PUT")
    pen.valid(596, "another method", "Method", rows, method="PUT")
    pen.invalid(597, mismatch, "the method in lower case", "Method", pen.signed(method="post"))


def add_paths(pen):
    cases = [
        ("/a/b", "/a/b", "?", "/a/b", "no query"),
        ("/a/b?", "/a/b", "?", "/a/b?", "an empty query"),
        ("/a?x=1&y=2", "/a", "?x=1&y=2", "/a?x=1&y=2", "a query"),
        ("/a?b?c", "/a", "?b?c", "/a?b?c", "a second question mark"),
        ("/", "/", "?", "/", "no path but the slash"),
        ("/?x=1", "/", "?x=1", "/?x=1", "a query and no path but the slash"),
        ("/caf%c3%a9/%2F%7e", "/caf%c3%a9/%2F%7e", "?", "/caf%c3%a9/%2F%7e", "escapes stay as they are"),
        ("/a/../b/./c", "/a/../b/./c", "?", "/a/../b/./c", "dots stay as they are"),
        ("/a//b/", "/a//b/", "?", "/a//b/", "slashes stay as they are"),
        ("/a?q=%7e+%20", "/a", "?q=%7e+%20", "/a?q=%7e+%20", "escapes in the query stay as they are"),
    ]
    for number, (called, path, query, target, comment) in enumerate(cases, 600):
        lines = [('"@path"', path), ('"@query"', query), ('"@request-target"', target)]
        url = HOST + called
        pen.valid(number, comment, "Url", pen.signed(*lines, url=url), url=url)
    for number, called, target, comment in (
        (610, "", "/", "an empty path is a slash"),
        (611, "?x=1", "/?x=1", "an empty path before a query is a slash"),
    ):
        rows = pen.rows(pen.sender.label([('"@path"', "/"), ('"@request-target"', target)]))
        pen.valid(number, comment, "Url", rows, url=HOST + called, options=NOTHING)
    for number, called, line, comment in (
        (612, "/a", ('"@query"', ""), "no query signed as nothing"),
        (613, "/a?x=1", ('"@query"', "x=1"), "the query signed without its question mark"),
        (614, "/a?x=1", ('"@path"', "/a?x=1"), "the path signed with the query"),
        (615, "/a%2Fb", ('"@path"', "/a/b"), "the path signed decoded"),
        (616, "/a/../b", ('"@path"', "/b"), "the path signed without its dots"),
        (617, "/a?x=1", ('"@request-target"', HOST + "/a?x=1"), "the whole URL as the request's target"),
        (618, "/a?x=1", ('"@request-target"', "/a"), "the request's target without the query"),
    ):
        url = HOST + called
        pen.invalid(number, "signature_mismatch", comment, "Url", pen.signed(line, url=url), url=url)


def query_param(name, value):
    return f'"@query-param";name="{name}"', value


def add_query_params(pen):
    cases = [
        ("Pet=dog", "Pet", "dog", "a parameter"),
        ("a=1&Pet=dog&b=2", "Pet", "dog", "a parameter among others"),
        ("Pet=", "Pet", "", "an empty value"),
        ("a=1&Pet", "Pet", "", "a parameter without a sign"),
        ("=dog", "", "dog", "an empty name"),
        ("&&Pet=dog&", "Pet", "dog", "empty pieces"),
        ("Pet=a+b", "Pet", "a%20b", "a plus sign is a space"),
        ("Pet=a%20b", "Pet", "a%20b", "an escaped space"),
        ("Pet=a%2Bb", "Pet", "a%2Bb", "an escaped plus sign"),
        ("Pet=one%0Atwo", "Pet", "one%0Atwo", "an escaped line feed stays escaped"),
        ("Pet=caf%c3%a9", "Pet", "caf%C3%A9", "escapes are written in upper case"),
        ("Pet=%64%6F%67", "Pet", "dog", "escapes that were not needed"),
        ("Pet=~!*'()-._", "Pet", "%7E%21*%27%28%29-._", "signs that are escaped, and those that are not"),
        ("Pet=a/b?c:d@e$f,g;h", "Pet", "a%2Fb%3Fc%3Ad%40e%24f%2Cg%3Bh", "signs that a query may have as they are"),
        ("Pet=a=b==", "Pet", "a%3Db%3D%3D", "further equals signs belong to the value"),
        ("Pet=100%&a=%zz", "Pet", "100%25", "a broken escape stays as it is, and is escaped"),
        ("Pet=%FF%C3", "Pet", "%FF%C3", "bytes that are no UTF-8"),
        ("Pet=%00", "Pet", "%00", "a zero byte"),
        ("my+pet=dog", "my%20pet", "dog", "a name with a space, named by its escape"),
        ("caf%c3%a9=dog", "caf%C3%A9", "dog", "a name with escapes, named in upper case"),
        ("Pet=dog&pet=cat", "pet", "cat", "names that differ in case"),
        ("Pet=dog;Pet=cat", "Pet", "dog%3BPet%3Dcat", "a semicolon separates nothing"),
        ("Pet=%2526", "Pet", "%2526", "an escape of an escape is decoded once"),
    ]
    for number, (query, name, value, comment) in enumerate(cases, 620):
        url = f"{HOST}/a?{query}"
        pen.valid(number, comment, "Url Form", pen.signed(query_param(name, value), url=url), url=url)
    last = pen.sender.label([query_param("Pet", "dog")], sent=f'("@query-param";name="a";name="Pet"){CREATED}')
    rows, url = pen.rows(last), HOST + "/a?a=1&Pet=dog"
    pen.valid(643, "the name twice: the last one counts", "StructuredField", rows, url=url, options=NOTHING)
    rows = pen.rows(pen.sender.label([query_param("Pet", "a%20b")]))
    for number, query, comment in (
        (644, "Pet=a+b", "a space as a plus sign"),
        (645, "Pet=a%20b", "a space as an escape: the signed text is the same"),
        (646, "x=forged&Pet=a+b&y=2", "other parameters, which nobody signed"),
    ):
        pen.valid(number, comment, "Form Malleable", rows, url=f"{HOST}/a?{query}", options=NOTHING)


def add_bad_query_params(pen):
    absent = "missing_header"
    cases = [
        ("", "Pet", "dog", absent, "no query"),
        ("?", "", "", absent, "an empty query has no parameter, not even one without a name"),
        ("?a=1", "Pet", "dog", absent, "another parameter"),
        ("?pet=dog", "Pet", "dog", absent, "the name in another case"),
        ("?Pets=dog", "Pet", "dog", absent, "a longer name"),
        ("?Pet=dog&Pet=dog", "Pet", "dog", absent, "the parameter twice, the same"),
        ("?Pet=dog&Pet=cat", "Pet", "dog", absent, "the parameter twice: the first one signed"),
        ("?Pet=dog&Pet=cat", "Pet", "cat", absent, "the parameter twice: the last one signed"),
        ("?Pet=dog&%50et=cat", "Pet", "dog", absent, "the parameter twice, once with an escape"),
        ("?Pet&Pet=dog", "Pet", "dog", absent, "the parameter twice, once without a sign"),
        ("?my+pet=dog", "my pet", "dog", absent, "named by its decoded name"),
        ("?my+pet=dog", "my+pet", "dog", absent, "named with a plus sign"),
        ("?caf%c3%a9=dog", "caf%c3%a9", "dog", absent, "named with escapes in lower case"),
        ("?Pet=a+b", "Pet", "a+b", "signature_mismatch", "the value signed as it was called"),
        ("?Pet=a+b", "Pet", "a b", "signature_mismatch", "the value signed decoded"),
        ("?Pet=a~b", "Pet", "a~b", "signature_mismatch", "the value signed with other signs left as they are"),
        ("?Pet=%FF", "Pet", "%EF%BF%BD", "signature_mismatch", "bytes that are no UTF-8, signed as a replacement character"),
        ("?Pet=dog", "Pet", "cat", "signature_mismatch", "another value"),
    ]
    for number, (query, name, value, reason, comment) in enumerate(cases, 650):
        url = f"{HOST}/a{query}"
        pen.invalid(number, reason, comment, "Url Form", pen.signed(query_param(name, value), url=url), url=url)


def add_fields(pen):
    flags, joined = "SignedHeaders", '"x-list"'

    def listed(*values, name="X-List"):
        return [(name, value) for value in values]

    cases = [
        ((DATE,), (DATE_LINE,), "a field"),
        (((DATE[0].upper(), DATE[1]),), (DATE_LINE,), "a field whose name was sent in upper case"),
        ((), (('"content-type"', "application/json"),), "a field that every delivery has"),
        ((("X-Empty", ""),), (('"x-empty"', ""),), "an empty field"),
        (listed("a", "b"), ((joined, "a, b"),), "a field twice"),
        (listed("a, b"), ((joined, "a, b"),), "the same in one field"),
        (listed("a", "", "b"), ((joined, "a, , b"),), "a field three times, once empty"),
        (listed("a,b", 'c="x,y"'), ((joined, 'a,b, c="x,y"'),), "fields with commas inside"),
        (listed("a") + listed("b", name="x-LIST"), ((joined, "a, b"),), "a field twice, in two cases"),
        (listed("a \t b"), ((joined, "a \t b"),), "spaces and a tab inside a field"),
        (listed("a", name="x!#$%&'*+.^_`|~1"), (('"x!#$%&\'*+.^_`|~1"', "a"),), "a field's name of every kind of sign"),
        ((("Host", "receiver.example"),), (('"host"', "receiver.example"),), "the field Host"),
        ((("Content-Encoding", "identity"),), (('"content-encoding"', "identity"),), "the field Content-Encoding"),
    ]
    for number, (more, lines, comment) in enumerate(cases, 670):
        pen.valid(number, comment, flags, pen.signed(*lines, more=more))
    pair, mismatch = listed("a", "b"), "signature_mismatch"
    for number, more, value, comment in (
        (683, pair, "a,b", "two occurrences joined without a space"),
        (684, pair, "b, a", "two occurrences in another order"),
        (685, pair, "a", "only the first occurrence signed"),
        (686, pair, "b", "only the last occurrence signed"),
        (687, listed("a  b"), "a b", "spaces inside a field drawn together"),
        (688, listed("A"), "a", "a value in another case"),
    ):
        pen.invalid(number, mismatch, comment, flags, pen.signed((joined, value), more=more))
    missing = "missing_header"
    pen.invalid(689, missing, "a covered field is absent", flags + " MissingHeader", pen.signed((joined, "")))
    pen.invalid(690, missing, "one of two covered fields is absent", flags, pen.signed(DATE_LINE, (joined, ""), more=(DATE,)))
    latin = listed("caf\u00e9")
    pen.invalid(
        691, "malformed_header", "a covered field is not ASCII", "NonAscii", pen.signed((joined, latin[0][1]), more=latin)
    )
    pen.valid(692, "a field that is not covered is not ASCII", "NonAscii", pen.signed(more=latin))
    both = pen.signed((joined, latin[0][1]), ('"x-none"', ""), more=latin)
    pen.invalid(693, "malformed_header", "a covered field is not ASCII, the next one is absent", "NonAscii RuleOrder", both)
    both = pen.signed(('"x-none"', ""), (joined, latin[0][1]), more=latin)
    pen.invalid(694, missing, "a covered field is absent, the next one is not ASCII", "NonAscii RuleOrder", both)
    changed = [row if row[0] != "Content-Type" else (row[0], "text/html") for row in pen.signed()]
    pen.valid(695, "another field, which nobody signed", "Malleable", changed)
    # What Signature-Input holds can be signed by the label in it, for its signature stands elsewhere.
    inner = f'("@method" "@target-uri" "content-digest" "signature-input"){CREATED}'
    rows = pen.signed(('"signature-input"', f"sig1={inner}"))
    pen.valid(696, "Signature-Input itself is covered", flags, rows)
    other = [row if row[0] != "Signature-Input" else (row[0], row[1] + f", sig2=();created={NOW}") for row in rows]
    pen.invalid(697, mismatch, "Signature-Input is covered, and a member was added", flags, other)
    extra = [row if row[0] != "Signature" else (row[0], f"{row[1]}, sig2={byte_sequence(bytes(32))}") for row in rows]
    pen.valid(698, "Signature-Input is covered, and a member was added to Signature", flags, extra)
    many = [(f'"x-{number}"', str(number)) for number in range(62)]
    more = tuple((name.strip('"'), value) for name, value in many)
    pen.valid(699, "64 components", flags, pen.signed(*many[1:], more=more))
    pen.invalid(729, "malformed_header", "65 components", flags, pen.signed(*many, more=more))
