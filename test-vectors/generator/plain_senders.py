"""Senders that sign with an HMAC, as the first thirteen do, under other names."""

from .document import NOW
from .senders import NOW_RFC3339, ListSender, Sender, StandardWebhooks, base64_text, two_keys, whsec_keys


def hex_keys(name):
    """Keys of 32 bytes, written as hex."""
    texts = [f"test-only-{name}-key-{number}".ljust(32, "0").encode() for number in (1, 2)]
    return tuple((f"{name}-2026-0{number}", text.hex()) for number, text in enumerate(texts, 1))


class Brief(Sender):
    brief = True


class Base64(Brief):
    encode = staticmethod(base64_text)


class HexKey:
    """The key's text is hex."""

    def key_bytes(self, key):
        return bytes.fromhex(self.keys[key][1])


class Bitbucket(Brief):
    name, header, prefix = "bitbucket", "X-Hub-Signature", "sha256="
    keys = two_keys("bitbucket")
    id_header, event_id = "X-Request-UUID", "e8b1c6d2-9e4a-4c6f-8a3b-2f5d0c7e1a94"
    type_header, event_type = "X-Event-Key", "repo:push"
    members = (
        ("actor", '{"type":"user","display_name":"Ada Tester","nickname":"ada"}'),
        ("repository", '{"type":"repository","full_name":"acme/lead-forms","uuid":"{b59d4c5e-3c1a-4a2e}"}'),
        ("push", '{"changes":[{"new":{"type":"branch","name":"main"},"created":false,"forced":false}]}'),
    )


class Gitlab(StandardWebhooks):
    name, brief = "gitlab", True
    event_id = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f"
    body_type, type_header, event_type = None, "X-Gitlab-Event", "Push Hook"
    secrets = (b"test-only-gitlab-webhooks-key-01", b"test-only-gitlab-webhooks-key-02")
    keys = whsec_keys("gitlab", secrets)
    members = (
        ("object_kind", '"push"'),
        ("ref", '"refs/heads/main"'),
        ("checkout_sha", '"da1560886d4f094c3e6c9ef40349f7d38b5d27d7"'),
        ("project", '{"id":15,"name":"lead-forms","path_with_namespace":"acme/lead-forms"}'),
    )


class Openai(StandardWebhooks):
    name, brief = "openai", True
    event_id = "wh_685c059ae39c8190af8c71ed00000001"
    event_type = "response.completed"
    secrets = (b"test-only-openai-webhooks-key-01", b"test-only-openai-webhooks-key-02")
    keys = whsec_keys("openai", secrets)
    members = (
        ("id", '"evt_685c059ae3a481909bdc868100000001"'),
        ("object", '"event"'),
        ("created_at", "1700000000"),
        ("type", '"response.completed"'),
        ("data", '{"id":"resp_685c059ae3a4819000000001"}'),
    )


class Zoom(Brief):
    name, header, prefix, mark = "zoom", "x-zm-signature", "v0=", ":"
    keys = two_keys("zoom")
    timestamp_header, timestamp = "x-zm-request-timestamp", NOW
    id_header, event_id = "x-zm-trackingid", "WEB_4f2a9dbe71c04e8f9a53b1c27d60e8aa"
    body_type, event_type = "event", "meeting.started"
    members = (
        ("event", '"meeting.started"'),
        ("event_ts", "1700000000000"),
        ("payload", '{"account_id":"AAAAAABBBB","object":{"id":"1234567890","topic":"Lead call","type":2}}'),
    )

    def message(self, body, ts, event_id):
        return b"v0:" + ts + b":" + bytes(body)


class Square(Base64):
    name, header = "square", "x-square-hmacsha256-signature"
    keys = two_keys("square")
    body_id, event_id, event_id_signed = "event_id", "ac3ac95b-f97d-458c-a6e6-000000000001", True
    body_type, event_type = "type", "customer.created"
    members = (
        ("merchant_id", '"MLTESTONLY001"'),
        ("type", '"customer.created"'),
        ("event_id", '"ac3ac95b-f97d-458c-a6e6-000000000001"'),
        ("created_at", f'"{NOW_RFC3339}"'),
        ("data", '{"type":"customer","id":"JDKYHBWT1D4F8MFH63DBMEN8Y4","object":{"customer":{"given_name":"Ada"}}}'),
    )

    def message(self, body, ts, event_id):
        return self.url.encode() + bytes(body)


class HubspotV3(Base64):
    name, header = "hubspot-v3", "X-HubSpot-Signature-v3"
    keys = two_keys("hubspot-v3")
    timestamp_header, timestamp = "X-HubSpot-Request-Timestamp", NOW
    timestamp_form, now_text = "milliseconds", f"{NOW}000"
    members = (
        ("eventId", "3816279340"),
        ("subscriptionType", '"contact.creation"'),
        ("portalId", "62515"),
        ("occurredAt", "1700000000000"),
        ("objectId", "123"),
    )

    def message(self, body, ts, event_id):
        return b"POST" + self.url.encode() + bytes(body) + ts


class Intercom(Brief):
    name, header, prefix = "intercom", "X-Hub-Signature", "sha1="
    hash_name, tag_length = "sha1", 20
    keys = two_keys("intercom")
    body_id, event_id, event_id_signed = "id", "notif_ccd8a4d0-f965-11e3-a367-c779cae3e1b3", True
    body_type, event_type = "topic", "contact.lead.created"
    members = (
        ("type", '"notification_event"'),
        ("app_id", '"a86dr8yl"'),
        ("data", '{"type":"notification_event_data","item":{"type":"contact","id":"530370b4","role":"lead"}}'),
        ("id", '"notif_ccd8a4d0-f965-11e3-a367-c779cae3e1b3"'),
        ("topic", '"contact.lead.created"'),
        ("delivery_attempts", "1"),
    )


class Paddle(ListSender):
    name, header, brief = "paddle", "Paddle-Signature", True
    separator, timestamp_name, version, mark = ";", "ts", "h1", ":"
    past = future = 5
    keys = (
        ("paddle-2026-01", "pdl_ntfset_test_only_paddle_key_01"),
        ("paddle-2026-02", "pdl_ntfset_test_only_paddle_key_02"),
    )
    body_id, event_id, event_id_signed = "event_id", "evt_01hf7yat00000000000000test", True
    body_type, event_type = "event_type", "transaction.completed"
    members = (
        ("event_id", '"evt_01hf7yat00000000000000test"'),
        ("event_type", '"transaction.completed"'),
        ("occurred_at", '"2023-11-14T22:13:20.000000Z"'),
        ("notification_id", '"ntf_01hf7yat00000000000000test"'),
        ("data", '{"id":"txn_01hf7yat00","status":"completed","customer":"Jos\\u00e9"}'),
    )


class Linear(Brief):
    name, header = "linear", "Linear-Signature"
    keys = two_keys("linear")
    id_header, event_id = "Linear-Delivery", "234d1a4e-b617-4388-90fe-adc3633d6b72"
    body_type, event_type = "type", "Issue"
    event_time, event_time_forms, timestamp, past, future = "webhookTimestamp", ("milliseconds",), NOW, 60, 60
    members = (
        ("action", '"create"'),
        ("type", '"Issue"'),
        ("data", '{"id":"2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9","title":"Call the new lead back"}'),
        ("webhookTimestamp", "1700000000000"),
        ("webhookId", '"000042e3-d123-4980-b49f-8e140eef9329"'),
    )


class Calendly(ListSender):
    name, header, brief = "calendly", "Calendly-Webhook-Signature", True
    past = future = 180
    keys = two_keys("calendly")
    body_type, event_type = "event", "invitee.created"
    members = (
        ("created_at", '"2023-11-14T22:13:20.000000Z"'),
        ("event", '"invitee.created"'),
        ("payload", '{"email":"ada@example.com","name":"Ada Tester","status":"active","timezone":"Europe/Berlin"}'),
    )


class Typeform(Base64):
    name, header, prefix = "typeform", "Typeform-Signature", "sha256="
    keys = two_keys("typeform")
    body_id, event_id, event_id_signed = "event_id", "01HF7YAT000000000000000000", True
    body_type, event_type = "event_type", "form_response"
    members = (
        ("event_id", '"01HF7YAT000000000000000000"'),
        ("event_type", '"form_response"'),
        ("form_response", '{"form_id":"lT4Z3j","token":"a3a12ec67a1365927098a606107fac15","answers":[]}'),
    )


class Zendesk(Base64):
    name, header = "zendesk", "X-Zendesk-Webhook-Signature"
    timestamp_header, timestamp = "X-Zendesk-Webhook-Signature-Timestamp", NOW
    timestamp_form, now_text = "rfc3339", NOW_RFC3339
    # Looks like base64 on purpose: the text itself is the key.
    keys = (
        ("zendesk-2026-01", "dGVzdC1vbmx5LXplbmRlc2sta2V5LW9uZQ=="),
        ("zendesk-2026-02", "dGVzdC1vbmx5LXplbmRlc2sta2V5LXR3bw=="),
    )
    id_header, event_id = "X-Zendesk-Webhook-Invocation-Id", "01HF7YAT00ZENDESKTEST00001"
    body_type, event_type = "type", "zen:event-type:user.created"
    members = (
        ("account_id", "12514403"),
        ("id", '"01HF7YAT00ZENDESKEVENT0001"'),
        ("type", '"zen:event-type:user.created"'),
        ("subject", '"zen:user:6596848315901"'),
        ("time", '"2023-11-14T22:13:19.000Z"'),
        ("detail", '{"email":"ada@example.com","role":"end-user"}'),
    )

    def message(self, body, ts, event_id):
        return ts + bytes(body)


class Asana(Brief):
    name, header = "asana", "X-Hook-Signature"
    keys = two_keys("asana")
    members = (("events", '[{"action":"added","resource":{"gid":"1337","resource_type":"task"},"parent":{"gid":"12"}}]'),)


class Dropbox(Brief):
    name, header = "dropbox", "X-Dropbox-Signature"
    keys = two_keys("dropbox")
    members = (
        ("list_folder", '{"accounts":["dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc"]}'),
        ("delta", '{"users":[12345678]}'),
    )


class AdyenPlatform(HexKey, Base64):
    name, header = "adyen-platform", "HmacSignature"
    keys = hex_keys("adyen-platform")
    body_type, event_type = "type", "balancePlatform.accountHolder.created"
    members = (
        ("data", '{"balancePlatform":"ACME_TEST","accountHolder":{"id":"AH00000000000000000000001","status":"active"}}'),
        ("environment", '"test"'),
        ("type", '"balancePlatform.accountHolder.created"'),
    )


class CoinbaseCommerce(Brief):
    name, header = "coinbase-commerce", "X-CC-Webhook-Signature"
    keys = two_keys("coinbase-commerce")
    body_id, event_id, event_id_signed = "event/id", "24934862-d980-46cb-9402-000000000001", True
    body_type, event_type = "event/type", "charge:confirmed"
    members = (
        ("id", '"65dd7f1c-3b1d-4b0d-a3a5-000000000001"'),
        ("scheduled_for", f'"{NOW_RFC3339}"'),
        ("attempt_number", "1"),
        (
            "event",
            (
                ("id", '"24934862-d980-46cb-9402-000000000001"'),
                ("type", '"charge:confirmed"'),
                ("data", '{"code":"66BEOV2A","name":"Lead package"}'),
            ),
        ),
    )


class Vercel(Brief):
    name, header = "vercel", "x-vercel-signature"
    hash_name, tag_length = "sha1", 20
    keys = two_keys("vercel")
    body_id, event_id, event_id_signed = "id", "uev_test0000000000000001", True
    body_type, event_type = "type", "deployment.succeeded"
    members = (
        ("id", '"uev_test0000000000000001"'),
        ("type", '"deployment.succeeded"'),
        ("createdAt", "1700000000000"),
        ("region", '"fra1"'),
        ("payload", '{"deployment":{"id":"dpl_5y7x","name":"lead-forms","url":"lead-forms.example.com"}}'),
    )


class Sentry(Brief):
    name, header = "sentry", "Sentry-Hook-Signature"
    keys = two_keys("sentry")
    id_header, event_id = "Request-ID", "0d1bcb5ed2f84f25a8a2f0f8ab1a0001"
    type_header, event_type = "Sentry-Hook-Resource", "issue"
    members = (
        ("action", '"created"'),
        ("installation", '{"uuid":"a8e5d37a-696c-4c54-adb5-b3f28d64c7de"}'),
        ("data", '{"issue":{"id":"1170820242","title":"Error: lead form"}}'),
        ("actor", '{"type":"application","id":"sentry","name":"Sentry"}'),
    )


class Woocommerce(Base64):
    name, header = "woocommerce", "X-WC-Webhook-Signature"
    keys = two_keys("woocommerce")
    id_header, event_id = "X-WC-Webhook-Delivery-ID", "a35f7d1c2b0e4e6f9d8c7b6a50000001"
    type_header, event_type = "X-WC-Webhook-Topic", "order.created"
    members = (
        ("id", "727"),
        ("status", '"processing"'),
        ("total", '"29.35"'),
        ("billing", '{"first_name":"Ada","email":"ada@example.com"}'),
    )


class Close(HexKey, Brief):
    name, header = "close", "close-sig-hash"
    keys = hex_keys("close")
    timestamp_header, timestamp = "close-sig-timestamp", NOW
    body_id, event_id, event_id_signed = "event/id", "ev_2sYKRjcrA79yKxi3S4Crd7", True
    body_type, event_type = "event/action", "created"
    members = (
        ("subscription_id", '"whsub_8AjjBoKJPqeJPmcPmvCHXc"'),
        (
            "event",
            (
                ("id", '"ev_2sYKRjcrA79yKxi3S4Crd7"'),
                ("object_type", '"lead"'),
                ("action", '"created"'),
                ("data", '{"id":"lead_FdCGjVzX","display_name":"Blue Door Bakery"}'),
            ),
        ),
    )

    def message(self, body, ts, event_id):
        return ts + bytes(body)


class Line(Base64):
    name, header = "line", "x-line-signature"
    keys = two_keys("line")
    members = (
        ("destination", '"U00000000000000000000000000000001"'),
        ("events", '[{"type":"message","webhookEventId":"01HF7YAT00","message":{"type":"text","text":"\U0001f44b hi"}}]'),
    )


class Pagerduty(ListSender):
    name, header, brief, timestamp = "pagerduty", "X-PagerDuty-Signature", True, None
    timestamp_name = None
    keys = two_keys("pagerduty")
    body_id, event_id, event_id_signed = "event/id", "01HF7YAT00PAGERDUTYTEST001", True
    body_type, event_type = "event/event_type", "incident.triggered"
    members = (
        (
            "event",
            (
                ("id", '"01HF7YAT00PAGERDUTYTEST001"'),
                ("event_type", '"incident.triggered"'),
                ("resource_type", '"incident"'),
                ("occurred_at", f'"{NOW_RFC3339}"'),
                ("data", '{"id":"PGR0VU2","type":"incident","title":"Lead import stopped"}'),
            ),
        ),
    )

    def message(self, body, ts, event_id):
        return bytes(body)

    def value(self, tag_text, ts="usual"):
        return "v1=" + tag_text


PLAIN_SENDERS = [
    sender()
    for sender in (
        Bitbucket,
        Gitlab,
        Openai,
        Zoom,
        Square,
        HubspotV3,
        Intercom,
        Paddle,
        Linear,
        Calendly,
        Typeform,
        Zendesk,
        Asana,
        Dropbox,
        AdyenPlatform,
        CoinbaseCommerce,
        Vercel,
        Sentry,
        Woocommerce,
        Close,
        Line,
        Pagerduty,
    )
]
