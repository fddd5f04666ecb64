"""Senders whose signed text is computed from the request: its URL and form, or a canonical request."""

from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

from .document import NOW
from .plain_senders import Base64, Brief
from .senders import two_keys


class Form(Base64):
    """A form instead of JSON; the common cases about JSON texts do not apply."""

    hash_name, tag_length = "sha1", 20
    content_type = "application/x-www-form-urlencoded"
    skipped = frozenset({4, 7, 8, 10, 11, 20})

    def event(self, extra="", **replaced):
        pairs = [*self.members, ("Extra", extra)] if extra else self.members
        return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs).encode("ascii")

    def pairs(self, body):
        return parse_qsl(bytes(body).decode("latin-1"), keep_blank_values=True, encoding="latin-1")


class Twilio(Form):
    name, header = "twilio", "X-Twilio-Signature"
    keys = two_keys("twilio-auth-token")
    id_header, event_id = "I-Twilio-Idempotency-Token", "1f2e3d4c-5b6a-4798-8a6b-5c4d3e2f1a0b"
    members = (
        ("CallSid", "CA1234567890ABCDE"),
        ("To", "+18005551212"),
        ("From", "+14158675310"),
        ("CallStatus", "ringing"),
        ("Digits", "1234"),
    )

    def message(self, body, ts, event_id, url=None):
        return (url or self.url).encode() + self.form_text(body)

    def form_text(self, body):
        pairs = self.pairs(body)
        text = ""
        for name in sorted({name for name, _ in pairs}):
            text += "".join(name + value for value in sorted({value for other, value in pairs if other == name}))
        return text.encode("latin-1")

    def signed_for(self, url, text=None, body=None):
        """The delivery with a signature over this URL and text, or the form of this body."""
        text = self.form_text(body) if text is None else text
        return self.headers(self.encode(self.mac(self.key_bytes(0), url.encode() + text)))


class Mandrill(Form):
    name, header = "mandrill", "X-Mandrill-Signature"
    keys = two_keys("mandrill")
    members = (("mandrill_events", '[{"event":"send","ts":1700000000,"_id":"exampleaaaa","msg":{"email":"ada@example.com"}}]'),)

    def message(self, body, ts, event_id):
        pairs = self.pairs(body)
        text = self.url
        for name in sorted({name for name, _ in pairs}):
            text += "".join(name + value for other, value in pairs if other == name)
        return text.encode("latin-1")


class Contentful(Brief):
    name, header = "contentful", "x-contentful-signature"
    keys = tuple((f"contentful-2026-0{n}", f"test-only-contentful-signing-key-{n}-".ljust(64, "0")) for n in (1, 2))
    timestamp_header, timestamp, timestamp_form, now_text = "x-contentful-timestamp", NOW, "milliseconds", f"{NOW}000"
    past = future = 30
    skipped = frozenset({140})  # the timestamp is one of the signed headers, and absent as such
    list_header = "x-contentful-signed-headers"
    crn = ("x-contentful-crn", "crn:contentful:::content:spaces/test-only/environments/master")
    names = "x-contentful-crn,x-contentful-signed-headers,x-contentful-timestamp"
    more_headers = (crn, (list_header, names))
    content_type = "application/vnd.contentful.management.v1+json"
    members = (
        ("sys", '{"type":"Entry","id":"5KsDBWseXY6QegucYAoacS","revision":3}'),
        ("fields", '{"title":{"en-US":"Lead form"},"slug":{"en-US":"lead-form"}}'),
    )

    def message(self, body, ts, event_id, *, method="POST", url=None, rows=None):
        rows = rows or [self.crn, (self.list_header, self.names), (self.timestamp_header, ts.decode("latin-1"))]
        headers = ";".join(f"{name.lower()}:{value.strip()}" for name, value in sorted(rows, key=lambda row: row[0].lower()))
        return f"{method}\n{self.path(url or self.url)}\n{headers}\n".encode("latin-1") + bytes(body)

    @staticmethod
    def path(url):
        parts = urlsplit(url)
        query = "?" + quote(parts.query, safe="-_.!~*'()") if parts.query else ""
        return quote(parts.path + query, safe=";,/?:@&=+$-_.!~*'()#")

    def signed(self, body, rows, **parts):
        """A delivery whose signed headers are these rows."""
        text = self.message(body, b"", b"", rows=rows, **parts)
        signature = self.encode(self.mac(self.key_bytes(0), text))
        return [("Content-Type", self.content_type), *rows, (self.header, signature)]


COMPUTED_SENDERS = [sender() for sender in (Twilio, Mandrill, Contentful)]
