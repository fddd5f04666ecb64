"""The presets: how each provider signs, as data. A new scheme is one more entry."""

from dataclasses import dataclass

ID, TS, BODY, URL, METHOD = "id", "timestamp", "body", "url", "method"
WEBHOOK_ID, CRC = "webhook id", "crc"  # from the receiver's configuration; CRC-32 of the body in decimal


@dataclass(frozen=True)
class Preset:
    """How one provider signs. Header names are lower-case; parts are the names above or literal bytes."""

    signature_headers: tuple
    syntax: str  # "plain", "list", "space-list" or "token"
    encoding: str  # "hex", "base64" or "base64-of-hex"
    parts: tuple  # of the signed bytes; empty when `message` says how they are computed
    prefix: str = ""
    algorithm: str = "hmac"  # with SHA-256; or "hmac-sha1", "ed25519", "ecdsa", "rsa", "token" (the key itself); "": the key says
    separator: str = ","  # of a list
    versions: tuple = ("v1",)  # of a list's signatures
    timestamp_name: str | None = None  # of a list's element that holds the timestamp
    id_header: str | None = None
    id_pointer: str | None = None
    type_header: str | None = None
    type_pointers: tuple = ()  # the first that holds a usable value
    timestamp_header: str | None = None
    timestamp_form: str = "seconds"  # of the signed timestamp; or "milliseconds", "rfc3339"
    event_time: str | None = None  # pointer into the body
    event_time_forms: tuple = ()  # of "seconds", "milliseconds", "rfc3339"
    event_time_optional: bool = False
    past: int = 300
    future: int = 300
    key_text: str = "utf-8"  # or "hex", "standard-webhooks", "spki", "certificate-or-key", "jwk", "message-signatures"
    message: str | None = None  # one of computed.MESSAGES
    lists_headers: str | None = None  # a header that names the signed headers
    steps: str = "header"  # or "plaid", "adyen", "message-signatures": rules 3 to 8 in another form
    signs_body: bool = True  # false when what the body says counts as unsigned
    first_family: object = None  # another preset, read instead of this one when any of its headers is present
    numbered_headers: str | None = None  # signature headers are this and a number from 1 to 100
    required: tuple = ()  # of (header, the only allowed value)
    more_headers: tuple = ()  # that are read besides
    bound_key: tuple = ()  # (key id, header): that key and that header go only together

    @property
    def signs_id(self):
        return ID in self.parts

    @property
    def signs_timestamp(self):
        return TS in self.parts or self.message == "contentful"

    @property
    def headers_read(self):
        more = [*(name for name, _ in self.required), *self.more_headers]
        names = (*self.signature_headers, self.timestamp_header, self.id_header, self.type_header, self.lists_headers, *more)
        return [name for name in names if name]


HOURS_24_AND_SKEW = 24 * 3600 + 300
HOURS_72_AND_SKEW = 72 * 3600 + 300


def plain(encoding, header, prefix="", **rest):
    headers = header if isinstance(header, tuple) else (header,)
    return Preset(headers, "plain", encoding, rest.pop("parts", (BODY,)), prefix, **rest)


def plain_hex(header, prefix="sha256=", **rest):
    return plain("hex", header, prefix, **rest)


def bare_hex(header, **rest):
    return plain("hex", header, **rest)


def plain_base64(header, **rest):
    return plain("base64", header, **rest)


def dotted_list(header, **rest):
    """`t=<seconds>,v1=<hex>` over `{t}.{body}`."""
    return Preset((header,), "list", "hex", (TS, b".", BODY), timestamp_name="t", **rest)


def window(seconds):
    return {"past": seconds, "future": seconds}


def metalocator(encoding):
    header = "x-metalocator-webhook-signature"
    return plain(encoding, header, parts=(TS, BODY), timestamp_header=header + "-timestamp")


def standard_webhooks(family="webhook", versions=("v1",), **rest):
    return Preset(
        (family + "-signature",),
        "space-list",
        "base64",
        (ID, b".", TS, b".", BODY),
        versions=versions,
        id_header=family + "-id",
        timestamp_header=family + "-timestamp",
        key_text="standard-webhooks",
        **rest,
    )


def shopify(family, **rest):
    return plain_base64(
        family + "shopify-hmac-sha256",
        id_header=family + "shopify-webhook-id",
        type_header=family + "shopify-topic",
        **rest,
    )


PRESETS = {
    "standard-webhooks": standard_webhooks(versions=("v1", "v1a"), type_pointers=("/type",)),
    "github": plain_hex("x-hub-signature-256", id_header="x-github-delivery", type_header="x-github-event"),
    "stripe": dotted_list("stripe-signature", id_pointer="/id", type_pointers=("/type",)),
    "slack": plain_hex(
        "x-slack-signature",
        "v0=",
        parts=(b"v0:", TS, b":", BODY),
        timestamp_header="x-slack-request-timestamp",
        id_pointer="/event_id",
        type_pointers=("/event/type", "/type"),
    ),
    "meta": plain_hex("x-hub-signature-256", type_pointers=("/object",)),
    "megatronlead": plain_hex(
        "x-megatronlead-signature",
        id_header="x-megatronlead-delivery",
        type_header="x-megatronlead-event",
        event_time="/timestamp",
        event_time_forms=("seconds", "rfc3339"),
        past=HOURS_24_AND_SKEW,
    ),
    "klozeo": bare_hex(
        "x-klozeo-signature",
        event_time="/timestamp",
        event_time_forms=("seconds",),
        past=HOURS_72_AND_SKEW,
        type_pointers=("/event",),
    ),
    "klozeo-guide": plain_hex(
        ("x-webhook-signature", "x-hub-signature-256"),
        id_pointer="/event_id",
        event_time="/timestamp",
        event_time_forms=("seconds",),
        event_time_optional=True,
        past=HOURS_72_AND_SKEW,
        type_pointers=("/event",),
    ),
    "leadhub": plain_hex(
        "x-leadhub-signature",
        event_time="/occurred_at",
        event_time_forms=("rfc3339",),
        past=HOURS_72_AND_SKEW,
        type_pointers=("/event",),
    ),
    "leadhub-timestamped": dotted_list("x-leadhub-signature", id_header="x-leadhub-delivery", type_pointers=("/event",)),
    "metalocator": metalocator("base64-of-hex"),
    "metalocator-raw": metalocator("base64"),
    "devsphere": plain_hex("x-signature", type_pointers=("/type", "/event")),
    "bitbucket": plain_hex("x-hub-signature", id_header="x-request-uuid", type_header="x-event-key"),
    "gitlab": standard_webhooks(type_header="x-gitlab-event"),
    "openai": standard_webhooks(type_pointers=("/type",)),
    "zoom": plain_hex(
        "x-zm-signature",
        "v0=",
        parts=(b"v0:", TS, b":", BODY),
        timestamp_header="x-zm-request-timestamp",
        id_header="x-zm-trackingid",
        type_pointers=("/event",),
    ),
    "square": plain_base64("x-square-hmacsha256-signature", parts=(URL, BODY), id_pointer="/event_id", type_pointers=("/type",)),
    "hubspot-v3": plain_base64(
        "x-hubspot-signature-v3",
        parts=(METHOD, URL, BODY, TS),
        timestamp_header="x-hubspot-request-timestamp",
        timestamp_form="milliseconds",
    ),
    "intercom": plain_hex("x-hub-signature", "sha1=", algorithm="hmac-sha1", id_pointer="/id", type_pointers=("/topic",)),
    "paddle": Preset(
        ("paddle-signature",),
        "list",
        "hex",
        (TS, b":", BODY),
        separator=";",
        versions=("h1",),
        timestamp_name="ts",
        id_pointer="/event_id",
        type_pointers=("/event_type",),
        **window(5),
    ),
    "linear": bare_hex(
        "linear-signature",
        event_time="/webhookTimestamp",
        event_time_forms=("milliseconds",),
        id_header="linear-delivery",
        type_pointers=("/type",),
        **window(60),
    ),
    "calendly": dotted_list("calendly-webhook-signature", type_pointers=("/event",), **window(180)),
    "typeform": plain("base64", "typeform-signature", "sha256=", id_pointer="/event_id", type_pointers=("/event_type",)),
    "zendesk": plain_base64(
        "x-zendesk-webhook-signature",
        parts=(TS, BODY),
        timestamp_header="x-zendesk-webhook-signature-timestamp",
        timestamp_form="rfc3339",
        id_header="x-zendesk-webhook-invocation-id",
        type_pointers=("/type",),
    ),
    "asana": bare_hex("x-hook-signature"),
    "dropbox": bare_hex("x-dropbox-signature"),
    "adyen-platform": plain_base64("hmacsignature", key_text="hex", type_pointers=("/type",)),
    "coinbase-commerce": bare_hex("x-cc-webhook-signature", id_pointer="/event/id", type_pointers=("/event/type",)),
    "vercel": bare_hex("x-vercel-signature", algorithm="hmac-sha1", id_pointer="/id", type_pointers=("/type",)),
    "sentry": bare_hex("sentry-hook-signature", id_header="request-id", type_header="sentry-hook-resource"),
    "woocommerce": plain_base64("x-wc-webhook-signature", id_header="x-wc-webhook-delivery-id", type_header="x-wc-webhook-topic"),
    "close": bare_hex(
        "close-sig-hash",
        parts=(TS, BODY),
        timestamp_header="close-sig-timestamp",
        id_pointer="/event/id",
        type_pointers=("/event/action",),
        key_text="hex",
    ),
    "line": plain_base64("x-line-signature"),
    "pagerduty": Preset(
        ("x-pagerduty-signature",), "list", "hex", (BODY,), id_pointer="/event/id", type_pointers=("/event/event_type",)
    ),
    "svix": standard_webhooks(
        versions=("v1", "v1a"),
        type_pointers=("/type",),
        first_family=standard_webhooks("svix", ("v1", "v1a"), type_pointers=("/type",)),
    ),
    "shopify": shopify("x-", first_family=shopify("")),
    "discord": bare_hex(
        "x-signature-ed25519",
        algorithm="ed25519",
        key_text="hex",
        parts=(TS, BODY),
        timestamp_header="x-signature-timestamp",
        id_pointer="/id",
        type_pointers=("/type",),
    ),
    "gitlab-token": Preset(
        ("x-gitlab-token",),
        "token",
        "",
        (),
        algorithm="token",
        id_header="x-gitlab-event-uuid",
        type_header="x-gitlab-event",
    ),
    "docusign": plain_base64((), numbered_headers="x-docusign-signature-", type_pointers=("/event",)),
    "box": plain_base64(
        ("box-signature-primary", "box-signature-secondary"),
        parts=(BODY, TS),
        timestamp_header="box-delivery-timestamp",
        timestamp_form="rfc3339",
        id_header="box-delivery-id",
        type_pointers=("/trigger",),
        required=(("box-signature-version", b"1"), ("box-signature-algorithm", b"HmacSHA256")),
        bound_key=("secondary", "box-signature-secondary"),
        **window(600),
    ),
    "sendgrid": plain_base64(
        "x-twilio-email-event-webhook-signature",
        algorithm="ecdsa",
        key_text="spki",
        parts=(TS, BODY),
        timestamp_header="x-twilio-email-event-webhook-timestamp",
    ),
    "twilio": plain_base64(
        "x-twilio-signature", algorithm="hmac-sha1", parts=(), message="twilio", id_header="i-twilio-idempotency-token"
    ),
    "mandrill": plain_base64("x-mandrill-signature", algorithm="hmac-sha1", parts=(), message="mandrill"),
    "paypal": plain_base64(
        "paypal-transmission-sig",
        algorithm="rsa",
        key_text="certificate-or-key",
        parts=(ID, b"|", TS, b"|", WEBHOOK_ID, b"|", CRC),
        id_header="paypal-transmission-id",
        timestamp_header="paypal-transmission-time",
        timestamp_form="rfc3339",
        type_pointers=("/event_type",),
        required=(("paypal-auth-algo", b"SHA256withRSA"),),
        past=HOURS_72_AND_SKEW,
        signs_body=False,
    ),
    "contentful": bare_hex(
        "x-contentful-signature",
        parts=(),
        message="contentful",
        timestamp_header="x-contentful-timestamp",
        timestamp_form="milliseconds",
        lists_headers="x-contentful-signed-headers",
        **window(30),
    ),
    "plaid": plain(
        "", "plaid-verification", parts=(), steps="plaid", algorithm="es256", key_text="jwk", type_pointers=("/webhook_code",)
    ),
    "adyen-payments": Preset((), "", "", (), steps="adyen", key_text="hex", signs_body=False),
    "http-message-signatures": Preset(
        ("signature-input", "signature"),
        "",
        "",
        (),
        algorithm="",
        key_text="message-signatures",
        steps="message-signatures",
        more_headers=("content-digest",),
    ),
}
