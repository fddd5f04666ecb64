"""Senders with several headers of one meaning, with bound keys, with public keys, or with no signature at all."""

import ed25519

from .document import NOW
from .plain_senders import Base64, Brief
from .senders import NOW_RFC3339, StandardWebhooks, two_keys, whsec_keys


class Svix(StandardWebhooks):
    name, brief = "svix", True
    header, id_header, timestamp_header = "svix-signature", "svix-id", "svix-timestamp"
    event_id, event_type = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4X", "invoice.paid"
    secrets = (b"test-only-svix-webhooks-keys-001", b"test-only-svix-webhooks-keys-002")
    keys = whsec_keys("svix", secrets)
    public_name = "svix-public"
    seeds = (b"test-only-svix-public-key-seed-1", b"test-only-svix-public-key-seed-2")
    members = (
        ("type", '"invoice.paid"'),
        ("timestamp", f'"{NOW_RFC3339}"'),
        ("data", '{"invoice_id":"inv_20391","amount":4200,"currency":"EUR"}'),
    )


class Shopify(Base64):
    name, header = "shopify", "X-Shopify-Hmac-Sha256"
    keys = two_keys("shopify")
    id_header, event_id = "X-Shopify-Webhook-Id", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"
    type_header, event_type = "X-Shopify-Topic", "customers/create"
    more_headers = (("X-Shopify-Shop-Domain", "acme-test.myshopify.example"), ("X-Shopify-API-Version", "2023-10"))
    members = (
        ("id", "706405506930370084"),
        ("email", '"ada@example.com"'),
        ("created_at", '"2023-11-14T17:13:20-05:00"'),
        ("verified_email", "true"),
    )


class Discord(Brief):
    name, header = "discord", "X-Signature-Ed25519"
    hash_name, tag_length = "sha512", 64
    timestamp_header, timestamp = "X-Signature-Timestamp", NOW
    seeds = (b"test-only-discord-key-seed-00001", b"test-only-discord-key-seed-00002")
    keys = tuple((f"discord-2026-0{n}", ed25519.public_key(seed).hex()) for n, seed in enumerate(seeds, 1))
    body_id, event_id, event_id_signed = "id", "846462639134605312", True
    body_type, event_type = "type", "2"
    members = (
        ("id", '"846462639134605312"'),
        ("application_id", '"290926444748734465"'),
        ("type", "2"),
        ("token", '"test-only-interaction-token"'),
        ("data", '{"id":"771825006014889984","name":"lead","type":1}'),
        ("version", "1"),
    )

    def message(self, body, ts, event_id):
        return ts + bytes(body)

    def key_bytes(self, key):
        return self.seeds[key]

    def configured_bytes(self, key):
        return bytes.fromhex(self.keys[key][1])

    def mac(self, key_bytes, message):
        return ed25519.sign(key_bytes, message)


class GitlabToken(Brief):
    """The header holds the key itself."""

    name, header, syntax = "gitlab-token", "X-Gitlab-Token", "token"
    keys = two_keys("gitlab-token")
    id_header, event_id = "X-Gitlab-Event-UUID", "13792a34-cac6-4fda-95a8-c58e00a3954e"
    type_header, event_type = "X-Gitlab-Event", "Merge Request Hook"
    members = (
        ("object_kind", '"merge_request"'),
        ("user", '{"id":1,"name":"Ada Tester","username":"ada"}'),
        ("project", '{"id":15,"path_with_namespace":"acme/lead-forms"}'),
        ("object_attributes", '{"iid":7,"title":"Keep the phone number","state":"opened"}'),
    )

    def signature(self, body, ts="usual", key=0):
        return self.keys[key][1]


class Docusign(Base64):
    name, header = "docusign", "X-DocuSign-Signature-1"
    # Looks like base64 on purpose: the text itself is the key.
    keys = (
        ("docusign-2026-01", "dGVzdC1vbmx5LWRvY3VzaWduLWtleS1vbmU="),
        ("docusign-2026-02", "dGVzdC1vbmx5LWRvY3VzaWduLWtleS10d28="),
    )
    more_headers = (("X-Authorization-Digest", "HMACSHA256"),)
    body_type, event_type = "event", "envelope-completed"
    members = (
        ("event", '"envelope-completed"'),
        ("apiVersion", '"v2.1"'),
        ("generatedDateTime", '"2023-11-14T22:13:20.0000000Z"'),
        ("data", '{"accountId":"18b4799a","envelopeId":"dc1f0e07-0000-4000-8000-000000000001"}'),
    )


class Box(Base64):
    name, header = "box", "box-signature-primary"
    keys = (
        ("primary", "test-only-box-signature-key-primary-1"),
        ("primary-next", "test-only-box-signature-key-primary-2"),
    )
    secondary = ("secondary", "test-only-box-signature-key-secondary")
    timestamp_header, timestamp, timestamp_form = "box-delivery-timestamp", NOW, "rfc3339"
    now_text = "2023-11-14T14:13:20-08:00"
    past = future = 600
    id_header, event_id = "box-delivery-id", "f96bb54b-ee16-4fc5-aa65-000000000001"
    body_type, event_type = "trigger", "FILE.UPLOADED"
    more_headers = (("box-signature-version", "1"), ("box-signature-algorithm", "HmacSHA256"))
    members = (
        ("type", '"webhook_event"'),
        ("id", '"eb0c4e06-751f-442c-86f8-000000000001"'),
        ("webhook", '{"id":"53","type":"webhook"}'),
        ("trigger", '"FILE.UPLOADED"'),
        ("source", '{"id":"73835521473","type":"file","name":"leads\\/\\u00e9t\\u00e9.csv"}'),
    )

    def message(self, body, ts, event_id):
        return bytes(body) + ts


FAMILY_SENDERS = [sender() for sender in (Svix, Shopify, Discord, GitlabToken, Docusign, Box)]
