"""Senders: their test keys, a realistic event of each, and how each signs. The first thirteen, and what all share."""

import base64
import hmac
from datetime import UTC, datetime

from .document import NOW

NOW_RFC3339 = "2023-11-14T22:13:20Z"


def hex_text(tag):
    return tag.hex()


def base64_text(tag):
    return base64.b64encode(tag).decode("ascii")


def base64_of_hex_text(tag):
    return base64_text(tag.hex().encode("ascii"))


class Sender:
    """Signs the raw body and puts `prefix` + tag into one header; subclasses change one thing each."""

    name = header = None
    prefix = ""
    encode = staticmethod(hex_text)
    hash_name = "sha256"
    tag_length = 32
    syntax = "plain"
    keys = ()
    members = ()  # of the event: (name, raw JSON or members in turn)
    event_id = None  # of the usual delivery
    event_id_signed = False
    body_id = None  # the body's member that holds the event id, as "outer/inner" when it is further inside
    id_header = type_header = timestamp_header = None
    event_type = None  # of the usual delivery
    body_type = None  # the body's member that holds it
    second_type = None  # what counts when that member holds nothing usable
    timestamp = None  # expected of the usual delivery
    timestamp_form = "seconds"
    now_text = str(NOW)
    event_time = None  # the body's member that holds it
    event_time_forms = ()
    past = future = 300
    content_type = "application/json"
    more_headers = ()  # that every delivery has
    brief = False  # only those of the common cases that differ in kind
    skipped = frozenset()  # numbers of common cases that this scheme cannot meet
    options = {}  # that every delivery needs
    lengths = None  # of a signature, when there are several
    stranger = b"test-only-nobody-has-this-key-00"

    @property
    def url(self):
        return f"https://receiver.example/webhooks/{self.name}"

    def event(self, extra="", **replaced):
        """The usual event as bytes. A member can be replaced by raw JSON or, with None, left out."""
        return object_text(self.members, replaced, extra).encode("utf-8")

    def message(self, body, ts, event_id):
        return bytes(body)

    def key_bytes(self, key):
        return self.keys[key][1].encode("utf-8")

    def configured_bytes(self, key):
        """What the receiver holds of the key: the same bytes, unless the key has a public half."""
        return self.key_bytes(key)

    def mac(self, key_bytes, message):
        return hmac.digest(key_bytes, message, self.hash_name)

    def tag(self, body, ts="usual", key=0, event_id=None):
        ts = self.now_text if ts == "usual" else ts
        message = self.message(body, as_bytes(ts), as_bytes(event_id or self.event_id or ""))
        return self.mac(self.key_bytes(key), message)

    def value(self, tag_text, ts="usual"):
        return self.prefix + tag_text

    def signature(self, body, ts="usual", key=0):
        return self.value(self.encode(self.tag(body, ts, key)), ts)

    def headers(self, *signatures, ts="usual", event_id="usual"):
        """The delivery's headers with these signature values; None leaves a header out."""
        event_id = self.event_id if event_id == "usual" else event_id
        rows = [
            (self.id_header, event_id),
            (self.type_header, self.event_type),
            (self.timestamp_header, self.now_text if ts == "usual" else ts),
            *self.more_headers,
            *((self.header, signature) for signature in signatures),
        ]
        return [("Content-Type", self.content_type)] + [row for row in rows if row[0] and row[1] is not None]

    def delivery(self, body, ts="usual", key=0):
        return self.headers(self.signature(body, ts, key), ts=ts)

    def at(self, seconds, milliseconds=0):
        """The time NOW + seconds, as this sender writes it."""
        return time_text(self.timestamp_form, seconds, milliseconds)


def time_text(form, seconds, milliseconds=0):
    if form == "milliseconds":
        return str((NOW + seconds) * 1000 + milliseconds)
    return str(NOW + seconds) if form == "seconds" else rfc3339(NOW + seconds)


def rfc3339(seconds):
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def object_text(members, replaced, extra="", path=""):
    texts = []
    for name, raw in members:
        raw = replaced.get(path + name, raw)
        if isinstance(raw, tuple):
            raw = object_text(raw, replaced, path=f"{path}{name}/")
        if raw is not None:
            texts.append(f'"{name}":{raw}')
    return "{" + ",".join(texts) + extra + "}"


def as_bytes(text):
    """The bytes of a header value as these files write it: U+0080 to U+00FF stand for one byte each."""
    return text.encode("latin-1")


def two_keys(name):
    return ((f"{name}-2026-01", f"test-only-{name}-signing-key-one"), (f"{name}-2026-02", f"test-only-{name}-signing-key-two"))


class Github(Sender):
    name, header, prefix = "github", "X-Hub-Signature-256", "sha256="
    keys = two_keys("github")
    id_header, event_id = "X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"
    type_header, event_type = "X-GitHub-Event", "issues"
    members = (
        ("action", '"opened"'),
        ("issue", '{"id":1993842117,"number":42,"title":"Lead form loses the phone number"}'),
        ("repository", '{"id":735513,"full_name":"acme/lead-forms"}'),
        ("sender", '{"login":"octo-tester","id":21031067}'),
    )


class Meta(Sender):
    name, header, prefix = "meta", "X-Hub-Signature-256", "sha256="
    keys = two_keys("meta-app")
    body_type, event_type = "object", "page"
    members = (
        ("object", '"page"'),
        (
            "entry",
            '[{"id":"153125381133","time":1700000000,"changes":[{"field":"leadgen","value":{"leadgen_id":'
            '"123123123123","page_id":"153125381133","form_id":"12312312312","created_time":1700000000}}]}]',
        ),
    )


class Devsphere(Sender):
    name, header, prefix = "devsphere", "X-Signature", "sha256="
    keys = two_keys("devsphere")
    body_type, event_type = "type", "lead.created"
    members = (("type", '"lead.created"'), ("data", '{"lead_id":"ds_51f0","email":"ada@example.com","score":71}'))


class Slack(Sender):
    name, header, prefix = "slack", "X-Slack-Signature", "v0="
    keys = two_keys("slack")
    timestamp_header, timestamp = "X-Slack-Request-Timestamp", NOW
    body_id, event_id, event_id_signed = "event_id", "Ev08MFMKH6", True
    body_type, event_type, second_type = "event/type", "message", "event_callback"
    members = (
        ("team_id", '"T061EG9R6"'),
        ("api_app_id", '"A0PNCHHK2"'),
        (
            "event",
            (
                ("type", '"message"'),
                ("channel", '"C024BE91L"'),
                ("text", '"New lead: lead_8841"'),
                ("ts", '"1700000000.000200"'),
            ),
        ),
        ("type", '"event_callback"'),
        ("event_id", '"Ev08MFMKH6"'),
        ("event_time", "1700000000"),
    )

    def message(self, body, ts, event_id):
        return b"v0:" + ts + b":" + bytes(body)


class Megatronlead(Sender):
    name, header, prefix = "megatronlead", "X-MegatronLead-Signature", "sha256="
    keys = two_keys("megatronlead")
    id_header, event_id = "X-MegatronLead-Delivery", "dlv_01HF7YAT00000000000000"
    type_header, event_type = "X-MegatronLead-Event", "lead.created"
    event_time, event_time_forms, timestamp, past = "timestamp", ("seconds", "rfc3339"), NOW, 86700
    members = (
        ("event", '"lead.created"'),
        ("timestamp", "1700000000"),
        ("lead", '{"id":"ml_77120","email":"grace@example.com","source":"facebook","campaign_id":901}'),
    )


class Klozeo(Sender):
    name, header, prefix = "klozeo", "X-Klozeo-Signature", ""
    keys = two_keys("klozeo")
    body_type, event_type = "event", "lead.created"
    event_time, event_time_forms, timestamp, past = "timestamp", ("seconds",), NOW, 259500
    members = (
        ("event", '"lead.created"'),
        ("timestamp", "1700000000"),
        ("data", '{"id":"cl_4f2a9d","name":"Blue Door Bakery","city":"Lyon","rating":4.5,"score":82}'),
    )


class KlozeoGuide(Sender):
    name, header, prefix = "klozeo-guide", "X-Webhook-Signature", "sha256="
    keys = two_keys("klozeo-guide")
    body_type, event_type = "event", "lead.merged"
    body_id, event_id, event_id_signed = "event_id", "evt_9b1f20c4", True
    event_time, event_time_forms, timestamp, past = "timestamp", ("seconds",), NOW, 259500
    members = (
        ("event", '"lead.merged"'),
        ("event_id", '"evt_9b1f20c4"'),
        ("timestamp", "1700000000"),
        ("data", '{"lead_id":"cl_4f2a9d","merged_into":"cl_0c77e1"}'),
    )


class Leadhub(Sender):
    name, header, prefix = "leadhub", "X-LeadHub-Signature", "sha256="
    keys = two_keys("leadhub")
    body_type, event_type = "event", "lead.created"
    event_time, event_time_forms, timestamp, past = "occurred_at", ("rfc3339",), NOW, 259500
    members = (
        ("event", '"lead.created"'),
        ("occurred_at", f'"{NOW_RFC3339}"'),
        ("data", '{"lead_id":20391,"name":"Alan Turing","email":"alan@example.com","status":"new"}'),
    )


class ListSender(Sender):
    """`t=<seconds>,v1=<hex>` over `{t}.{body}`, or with other names and separators."""

    syntax, timestamp = "list", NOW
    separator, timestamp_name, version, mark = ",", "t", "v1", "."

    def message(self, body, ts, event_id):
        return ts + self.mark.encode() + bytes(body)

    def value(self, tag_text, ts="usual"):
        ts = self.now_text if ts == "usual" else ts
        return f"{self.timestamp_name}={ts}{self.separator}{self.version}={tag_text}"


class Stripe(ListSender):
    name, header = "stripe", "Stripe-Signature"
    # Looks like a Standard Webhooks key on purpose: Stripe uses the whole text as it stands.
    keys = (
        ("stripe-2026-01", "whsec_dGVzdC1vbmx5LXN0cmlwZS1rZXktb25l"),
        ("stripe-2026-02", "whsec_dGVzdC1vbmx5LXN0cmlwZS1rZXktdHdv"),
    )
    body_id, event_id, event_id_signed = "id", "evt_1OCNkQ2eZvKYlo2C", True
    body_type, event_type = "type", "customer.created"
    members = (
        ("id", '"evt_1OCNkQ2eZvKYlo2C"'),
        ("object", '"event"'),
        ("created", "1700000000"),
        ("livemode", "false"),
        ("data", '{"object":{"id":"cus_NffrFeUfNV2Hib","object":"customer","email":"ada@example.com"}}'),
        ("type", '"customer.created"'),
    )


class LeadhubTimestamped(ListSender):
    name, header = "leadhub-timestamped", "X-LeadHub-Signature"
    keys = two_keys("leadhub-timestamped")
    id_header, event_id = "X-LeadHub-Delivery", "88213"
    body_type, event_type = "event", "lead.status_changed"
    members = (
        ("event", '"lead.status_changed"'),
        ("tenant_id", '"acme"'),
        ("timestamp", f'"{NOW_RFC3339}"'),
        ("data", '{"lead_id":20391,"from":"new","to":"qualified"}'),
    )


class Metalocator(Sender):
    name, prefix, encode = "metalocator", "", staticmethod(base64_of_hex_text)
    header = "X-METALOCATOR-WEBHOOK-SIGNATURE"
    timestamp_header, timestamp = "X-METALOCATOR-WEBHOOK-SIGNATURE-TIMESTAMP", NOW
    keys = two_keys("metalocator")
    members = (
        ("lead_id", "553201"),
        ("form", '"Find a dealer"'),
        ("name", '"Katherine Johnson"'),
        ("email", '"katherine@example.com"'),
        ("location_id", "11842"),
    )

    def message(self, body, ts, event_id):
        return ts + bytes(body)


class MetalocatorRaw(Metalocator):
    name, encode = "metalocator-raw", staticmethod(base64_text)
    keys = two_keys("metalocator-raw")


def whsec_keys(name, secrets):
    return tuple((f"{name}-2026-0{n}", "whsec_" + base64_text(secret)) for n, secret in enumerate(secrets, 1))


class StandardWebhooks(Sender):
    name, header, syntax, encode = "standard-webhooks", "webhook-signature", "space-list", staticmethod(base64_text)
    id_header, event_id, event_id_signed = "webhook-id", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", True
    timestamp_header, timestamp = "webhook-timestamp", NOW
    body_type, event_type = "type", "lead.created"
    secrets = (b"test-only-standard-webhooks-key1", b"test-only-standard-webhooks-key2")
    keys = whsec_keys("standard", secrets)
    public_name = "standard-public"
    seeds = (b"test-only-standard-webhooks-seed", b"test-only-standard-webhooks-sed2")
    members = (
        ("type", '"lead.created"'),
        ("timestamp", f'"{NOW_RFC3339}"'),
        ("data", '{"lead_id":"lead_20391","email":"ada@example.com"}'),
    )

    def key_bytes(self, key):
        return self.secrets[key]

    def message(self, body, ts, event_id):
        return event_id + b"." + ts + b"." + bytes(body)

    def value(self, tag_text, ts="usual"):
        return "v1," + tag_text


FIRST_SENDERS = [
    sender()
    for sender in (
        StandardWebhooks,
        Github,
        Stripe,
        Slack,
        Meta,
        Megatronlead,
        Klozeo,
        KlozeoGuide,
        Leadhub,
        LeadhubTimestamped,
        Metalocator,
        MetalocatorRaw,
        Devsphere,
    )
]
