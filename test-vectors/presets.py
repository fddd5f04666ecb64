"""The presets: how each provider signs, as data. A new scheme is one more entry."""

from dataclasses import dataclass

ID, TS, BODY = "id", "timestamp", "body"


@dataclass(frozen=True)
class Preset:
    """How one provider signs. Header names are lower-case; parts are ID, TS, BODY or literal bytes."""

    signature_headers: tuple
    syntax: str  # "plain", "comma-list" or "space-list"
    encoding: str  # "hex", "base64" or "base64-of-hex"
    parts: tuple
    prefix: str = ""
    id_header: str | None = None
    id_pointer: str | None = None
    type_header: str | None = None
    timestamp_header: str | None = None
    event_time: str | None = None  # pointer into the body
    event_time_forms: tuple = ()  # of "unix", "rfc3339"
    event_time_optional: bool = False
    past: int = 300
    future: int = 300
    key_text: str = "utf-8"  # or "standard-webhooks"

    @property
    def signs_id(self):
        return ID in self.parts

    @property
    def signs_timestamp(self):
        return TS in self.parts

    @property
    def headers_read(self):
        names = (*self.signature_headers, self.timestamp_header, self.id_header, self.type_header)
        return [name for name in names if name]


HOURS_24_AND_SKEW = 24 * 3600 + 300
HOURS_72_AND_SKEW = 72 * 3600 + 300


def plain_hex(header, prefix="sha256=", **rest):
    headers = header if isinstance(header, tuple) else (header,)
    return Preset(headers, "plain", "hex", rest.pop("parts", (BODY,)), prefix, **rest)


def metalocator(encoding):
    header = "x-metalocator-webhook-signature"
    return Preset((header,), "plain", encoding, (TS, BODY), timestamp_header=header + "-timestamp")


PRESETS = {
    "standard-webhooks": Preset(
        ("webhook-signature",),
        "space-list",
        "base64",
        (ID, b".", TS, b".", BODY),
        id_header="webhook-id",
        timestamp_header="webhook-timestamp",
        key_text="standard-webhooks",
    ),
    "github": plain_hex("x-hub-signature-256", id_header="x-github-delivery", type_header="x-github-event"),
    "stripe": Preset(("stripe-signature",), "comma-list", "hex", (TS, b".", BODY), id_pointer="/id"),
    "slack": plain_hex(
        "x-slack-signature",
        "v0=",
        parts=(b"v0:", TS, b":", BODY),
        timestamp_header="x-slack-request-timestamp",
        id_pointer="/event_id",
    ),
    "meta": plain_hex("x-hub-signature-256"),
    "megatronlead": plain_hex(
        "x-megatronlead-signature",
        id_header="x-megatronlead-delivery",
        type_header="x-megatronlead-event",
        event_time="/timestamp",
        event_time_forms=("unix", "rfc3339"),
        past=HOURS_24_AND_SKEW,
    ),
    "klozeo": plain_hex("x-klozeo-signature", "", event_time="/timestamp", event_time_forms=("unix",), past=HOURS_72_AND_SKEW),
    "klozeo-guide": plain_hex(
        ("x-webhook-signature", "x-hub-signature-256"),
        id_pointer="/event_id",
        event_time="/timestamp",
        event_time_forms=("unix",),
        event_time_optional=True,
        past=HOURS_72_AND_SKEW,
    ),
    "leadhub": plain_hex("x-leadhub-signature", event_time="/occurred_at", event_time_forms=("rfc3339",), past=HOURS_72_AND_SKEW),
    "leadhub-timestamped": Preset(
        ("x-leadhub-signature",), "comma-list", "hex", (TS, b".", BODY), id_header="x-leadhub-delivery"
    ),
    "metalocator": metalocator("base64-of-hex"),
    "metalocator-raw": metalocator("base64"),
    "devsphere": plain_hex("x-signature"),
}
