"""Cases from 300 of the senders in computed_senders."""

import hashlib

from .common_cases import with_tag
from .document import NOW
from .family_cases import without
from .plain_cases import mac
from .senders import base64_text


def add_twilio(book):
    add_twilio_forms(book)
    add_twilio_ports(book)
    add_twilio_digests(book)


def add_twilio_forms(book):
    sender = book.sender

    def valid(number, comment, flags, body, sent=None):
        book.valid(number, comment, flags, sender.delivery(body), body if sent is None else sent)

    valid(310, "a name three times: its distinct values in order", "Form", b"Sid=CA1&Digits=5678&Digits=1234&Digits=1234")
    valid(311, "names that differ in case are sorted as bytes", "Form", b"callSid=c&CallSid=b&CALLSID=a")
    valid(312, "empty values, and a name without a sign", "Form", b"Digits=&CallSid=CA1&Flag")
    valid(313, "escapes of bytes that are no UTF-8", "Form", b"Name=%C3%B1%FF&To=%2B1")
    valid(314, "a broken escape stays as it is", "Form", b"A=%&B=%4&C=%zz&D=100%")
    valid(315, "empty pieces", "Form", b"&A=1&&B=2&")
    valid(316, "further equals signs belong to the value", "Form", b"A=1=2&B==")
    valid(317, "names where one starts with the other", "Form", b"SidAccount=AC1&Sid=CA1")
    # What the signature leaves open: these texts say the same, or are signed as if they did.
    same = "Form Malleable"
    valid(320, "the pieces in another order", same, b"A=1&B=2", b"B=2&A=1")
    valid(321, "a space as %20 instead of a plus sign", same, b"A=1+2", b"A=1%202")
    valid(322, "a repeated value, repeated once more", same, b"A=1&A=2", b"A=1&A=2&A=1")
    valid(323, "the end of a name moved into its value", same + " Splice", b"Digits=1234", b"Digit=s1234")
    event = sender.event()
    good = sender.delivery(event)
    mismatch = "signature_mismatch"
    longer = event + b"&Digits=9"
    book.invalid(324, mismatch, "a second value for a signed name", "Form ModifiedBody", good, longer)
    book.invalid(325, mismatch, "a name more", "Form ModifiedBody", good, event + b"&Zz=")
    arrival = sender.signed_for(sender.url, text=b"B2A1")
    book.invalid(326, mismatch, "signed in order of arrival", "Form", arrival, b"B=2&A=1")
    repeated = sender.signed_for(sender.url, text=b"A1A1")
    book.invalid(327, mismatch, "signed with a repeated value twice", "Form", repeated, b"A=1&A=1")
    raw = sender.signed_for(sender.url, text=event)
    book.invalid(328, mismatch, "the form signed as it stands", "Form", raw, event)
    alone = sender.signed_for(sender.url, text=b"")
    book.invalid(329, mismatch, "the URL signed alone, and a JSON body that nothing binds", "Form Url", alone, b'{"a":1}')
    book.valid(330, "a GET has no body", "Method", alone, b"", method="GET")


def add_twilio_ports(book):
    sender = book.sender
    event = sender.event()
    plain = "https://receiver.example/webhooks/twilio?foo=1&bar=%2F"
    ported = plain.replace(".example/", ".example:443/")
    other = plain.replace(".example/", ".example:8443/")
    insecure = plain.replace("https:", "http:")
    user = plain.replace("//", "//user:pass@")

    def valid(number, signed, called, comment):
        book.valid(number, comment, "Url", sender.signed_for(signed, body=event), event, url=called)

    def invalid(number, signed, called, comment):
        headers = sender.signed_for(signed, body=event)
        book.invalid(number, "signature_mismatch", comment, "Url", headers, event, url=called)

    valid(340, plain, plain, "a query, as it was sent")
    valid(341, ported, plain, "signed with the default port, called without")
    valid(342, plain, ported, "signed without the port, called with the default one")
    valid(343, plain, other, "signed without the port, called with another one")
    valid(344, other, other, "another port, signed and called")
    valid(345, insecure.replace(".example/", ".example:80/"), insecure, "the default port of http")
    valid(346, user, user, "credentials are part of the URL")
    valid(347, ported.replace("//", "//user:pass@"), user, "credentials and the default port")
    apostrophe = plain + "&Body=It's+amazing"
    valid(348, apostrophe.replace("'", "%27"), apostrophe, "an apostrophe in the query may be signed as an escape")
    valid(349, apostrophe, apostrophe, "or as it is")
    invalid(350, ported, other, "signed with the default port, called with another one")
    invalid(351, other, plain, "signed with another port")
    invalid(352, plain.replace(".example/", ".example:80/"), plain, "the default port of http where https was called")
    invalid(353, plain, user, "signed without the credentials")
    invalid(354, insecure, plain, "another scheme")
    invalid(355, plain, plain.replace("%2F", "%2f"), "the same escape in lower case")
    invalid(356, plain.partition("?")[0], plain, "signed without the query")
    invalid(357, plain, plain.replace("receiver", "other"), "another host")


def add_twilio_digests(book):
    sender = book.sender
    body = b'{"call":"CA1234567890ABCDE","ok":true}'
    digest = hashlib.sha256(body).hexdigest()
    base = "https://receiver.example/webhooks/twilio?foo=1"
    url = f"{base}&bodySHA256={digest}"
    good = sender.signed_for(url, text=b"")
    flags, mismatch = "BodyDigest", "digest_mismatch"
    book.valid(360, "the digest of a JSON body in the URL", flags, good, body, url=url)
    form = b"A=1&B=2"
    form_url = f"{base}&bodySHA256={hashlib.sha256(form).hexdigest()}"
    signed_form = sender.signed_for(form_url, text=b"")
    book.valid(361, "beside a digest, a form is not signed", flags + " Form", signed_form, form, url=form_url)
    empty_url = f"{base}&bodySHA256={hashlib.sha256(b'').hexdigest()}"
    book.valid(362, "the digest of no body", flags, sender.signed_for(empty_url, text=b""), b"", url=empty_url)
    lower = f"{base}&bodysha256=0"
    headers = sender.signed_for(lower, body=form)
    book.valid(363, "the name in another case is any parameter", flags + " Form", headers, form, url=lower)
    book.invalid(370, mismatch, "another body", flags + " ModifiedBody", good, body.replace(b"true", b"false"), url=url)
    book.invalid(371, mismatch, "no body", flags + " ModifiedBody", good, b"", url=url)
    for number, text, comment in (
        (372, digest.upper(), "the digest in upper case"),
        (373, digest[:-2], "one byte cut off the digest"),
        (374, "", "an empty digest"),
        (375, base64_text(bytes.fromhex(digest)), "the digest as base64"),
        (376, digest + "0", "one digit too many"),
    ):
        other = f"{base}&bodySHA256={text}"
        book.invalid(number, mismatch, comment, flags, sender.signed_for(other, text=b""), body, url=other)
    bad = sender.headers(sender.encode(bytes(20)))
    wrong = body + b" "
    book.invalid(377, "signature_mismatch", "rule 7 comes before the wrong digest", flags + " RuleOrder", bad, wrong, url=url)
    both = sender.signed_for(form_url, body=form)
    book.invalid(
        378, "signature_mismatch", "the URL and the form signed, beside a digest", flags + " Form", both, form, url=form_url
    )


def add_mandrill(book):
    sender = book.sender
    event = sender.event()
    good = sender.delivery(event)

    def valid(number, comment, body, sent=None):
        book.valid(number, comment, "Form", sender.delivery(body), body if sent is None else sent)

    def invalid(number, comment, flags, body, sent):
        book.invalid(number, "signature_mismatch", comment, flags, sender.delivery(body), sent)

    valid(310, "a name three times: its values in order of arrival, none left out", b"a=2&a=1&a=1&B=0")
    valid(311, "names are sorted as bytes", b"b=1&B=2&a=3")
    valid(312, "other names in another order", b"a=1&b=2", b"b=2&a=1")
    valid(313, "a space as %20 instead of a plus sign", b"a=1+2", b"a=1%202")
    check = b"mandrill_events=%5B%5D"
    valid(314, "the check of the address", check)
    invalid(320, "the values of one name in another order", "Form ModifiedBody", b"a=2&a=1", b"a=1&a=2")
    invalid(321, "a repeated value left out", "Form ModifiedBody", b"a=1&a=1", b"a=1")
    generic = mac(sender, b"test-webhook", sender.message(check, b"", b""), "sha1")
    book.invalid(322, "signature_mismatch", "the key of everybody's check", "WrongKey", with_tag(sender, generic), check)
    ported = sender.url.replace(".example/", ".example:443/")
    for number, url, comment in (
        (323, ported, "called with the default port, signed without"),
        (324, sender.url + "?a=1", "a query more"),
        (325, sender.url + "/", "a slash more"),
    ):
        book.invalid(number, "signature_mismatch", comment, "Url", good, event, url=url)
    hexed = sender.headers(base64_text(sender.tag(event).hex().encode()))
    book.invalid(326, "malformed_header", "base64 of the hex", "TagEncoding", hexed, event)
    bare = mac(sender, sender.key_bytes(0), sender.url.encode() + event, "sha1")
    book.invalid(327, "signature_mismatch", "the form signed as it stands", "Form", with_tag(sender, bare), event)


def add_contentful(book):
    sender = book.sender
    event = sender.event()
    good = sender.delivery(event)
    names, stamp = sender.list_header, (sender.timestamp_header, sender.now_text)
    usual = [sender.crn, (names, sender.names), stamp]
    flags = "SignedHeaders"

    def with_list(text, *rows):
        return sender.signed(event, [*rows, (names, text)])

    least = f"{names},x-contentful-timestamp"
    book.valid(310, "the shortest list", flags, with_list(least, stamp), event)
    untidy = " X-Contentful-Timestamp , X-CONTENTFUL-SIGNED-HEADERS,x-contentful-crn".strip()
    book.valid(311, "the list in another order, in upper case, with spaces", flags, with_list(untidy, sender.crn, stamp), event)
    book.valid(312, "a header that the list does not name", flags, [*good, ("x-contentful-topic", "any")], event)
    typed = least + ",content-type"
    rows = [stamp, (names, typed)]
    text = sender.message(event, b"", b"", rows=[*rows, ("content-type", sender.content_type)])
    signed = [("Content-Type", sender.content_type), *rows, (sender.header, mac(sender, sender.key_bytes(0), text).hex())]
    book.valid(313, "the content type in the list", flags, signed, event)
    malformed = "malformed_header"
    without_time = with_list("x-contentful-crn," + names, sender.crn, stamp)
    book.invalid(320, malformed, "a list without the timestamp", flags, without_time, event)
    without_itself = with_list("x-contentful-crn,x-contentful-timestamp", sender.crn, stamp)
    book.invalid(321, malformed, "a list without itself", flags, without_itself, event)
    book.invalid(322, malformed, "an empty list", flags, with_list("", stamp), event)
    book.invalid(323, "missing_header", "no list", flags + " MissingHeader", without(good, names), event)
    book.invalid(324, "duplicate_header", "the list twice", flags + " DuplicateHeader", [*good, (names, least)], event)
    book.invalid(325, "missing_header", "a header of the list is absent", flags, without(good, sender.crn[0]), event)
    doubled = [*good, (sender.crn[0].upper(), "crn:other")]
    book.invalid(326, "duplicate_header", "a header of the list occurs twice", flags + " DuplicateHeader", doubled, event)
    absent = without(good, sender.timestamp_header)
    book.invalid(327, "missing_header", "the timestamp is absent, as a header of the list", flags, absent, event)
    again = with_list(least + ",x-contentful-crn,x-contentful-crn", sender.crn, stamp)
    book.invalid(328, malformed, "a header that the list names twice, signed twice", flags, again, event)
    itself = with_list(least + "," + names.title(), stamp)
    book.invalid(329, malformed, "a list that names itself twice, the second time in another case", flags, itself, event)
    mismatch = "signature_mismatch"
    changed = [*without(good, sender.crn[0]), (sender.crn[0], "crn:other")]
    book.invalid(330, mismatch, "another value of a signed header", flags, changed, event)
    shorter = [*without(good, names), (names, least)]
    book.invalid(331, mismatch, "a name taken from the list of a captured delivery", flags, shorter, event)
    longer = [*without(good, names), (names, sender.names + ",content-type")]
    book.invalid(332, mismatch, "a name added to the list of a captured delivery", flags, longer, event)
    add_contentful_requests(book, event, good, usual)


def add_contentful_requests(book, event, good, usual):
    sender = book.sender
    mismatch = "signature_mismatch"

    def valid(number, url, comment):
        book.valid(number, comment, "Url", sender.signed(event, usual, url=url), event, url=url)

    valid(340, sender.url + "?q=1&w=2", "a query is encoded twice")
    valid(341, sender.url + "/a%20b;c=d", "escapes in the path are encoded once more")
    valid(342, sender.url + "?q=a%20b+c&e=(!)*'~", "escapes in the query, and signs that stay")
    book.valid(343, "the host is not signed", "Url", good, event, url=sender.url.replace("receiver.", "other."))
    query = sender.url + "?q=1"
    for number, text, comment in (
        (350, "/webhooks/contentful?q=1", "the query signed as it was sent"),
        (351, "/webhooks/contentful?q%3D1", "the query encoded once"),
        (352, "/webhooks/contentful", "the path without its query"),
    ):
        message = sender.message(event, sender.now_text.encode(), b"").replace(b"/webhooks/contentful", text.encode(), 1)
        headers = with_tag(sender, mac(sender, sender.key_bytes(0), message))
        book.invalid(number, mismatch, comment, "Url", headers, event, url=query)
    book.invalid(353, mismatch, "another path", "Url", good, event, url=sender.url + "/other")
    book.invalid(354, mismatch, "another method", "Method", good, event, method="PUT")
    put = sender.signed(event, usual, method="PUT")
    book.valid(355, "PUT, signed and called", "Method", put, event, method="PUT", timestamp=NOW)
    bare = mac(sender, sender.key_bytes(0), event)
    book.invalid(356, mismatch, "the body signed alone", "ModifiedTimestamp", with_tag(sender, bare), event)


COMPUTED_CASES = {"twilio": add_twilio, "mandrill": add_mandrill, "contentful": add_contentful}
