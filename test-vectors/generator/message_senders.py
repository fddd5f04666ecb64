"""A sender of HTTP message signatures (RFC 9421). What is signed is written out line by line: no code here reads a request."""

import hashlib

from . import message_keys
from .document import NOW
from .senders import Sender, base64_text

CREATED = f";created={NOW}"


def byte_sequence(data):
    return f":{base64_text(data)}:"


class MessageSignatures(Sender):
    name, syntax = "http-message-signatures", "token"
    timestamp = NOW
    signers = (message_keys.HMAC_ONE, message_keys.HMAC_TWO)
    keys = tuple((f"message-2026-0{number}", base64_text(signer.secret)) for number, signer in enumerate(signers, 1))
    members = (
        ("type", '"lead.created"'),
        ("data", '{"lead_id":"lead_20391","email":"ada@example.com"}'),
    )

    def digest(self, body):
        return f"sha-256={byte_sequence(hashlib.sha256(bytes(body)).digest())}"

    def lines(self, body, url=None, method="POST"):
        """What is covered by default: (identifier, value)."""
        return [('"@method"', method), ('"@target-uri"', url or self.url), ('"content-digest"', self.digest(body))]

    def signed(self, lines, parameters=CREATED, signer=None):
        """The inner list of Signature-Input, and the signature."""
        inner_list = f"({' '.join(identifier for identifier, _ in lines)}){parameters}"
        rows = [f"{identifier}: {value}" for identifier, value in [*lines, ('"@signature-params"', inner_list)]]
        return inner_list, (signer or self.signers[0])("\n".join(rows).encode("latin-1"))

    def label(self, lines, parameters=CREATED, signer=None, name="sig1", sent=None):
        """The members of both dictionaries. With `sent`, that stands in Signature-Input instead of what was signed."""
        inner_list, signature = self.signed(lines, parameters, signer)
        return f"{name}={inner_list if sent is None else sent}", f"{name}={byte_sequence(signature)}"

    def usual(self, body, parameters=CREATED, signer=None, name="sig1", sent=None):
        return self.label(self.lines(body), parameters, signer, name, sent)

    def rows(self, *labels, body=None, more=(), digest="usual"):
        """The delivery's headers with these labels. Without a body and a digest there is no Content-Digest."""
        digest = self.digest(body) if digest == "usual" and body is not None else digest
        rows = [("Content-Type", self.content_type), *more]
        if digest not in (None, "usual"):
            rows.append(("Content-Digest", digest))
        names = ("Signature-Input", "Signature") if labels else ()
        return rows + [(name, ", ".join(texts)) for name, texts in zip(names, zip(*labels))]

    def delivery(self, body, ts="usual", key=0):
        return self.rows(self.usual(body, signer=self.signers[key]), body=body)

    def headers(self, *_signatures, ts="usual", event_id="usual"):
        return self.rows(body=self.event())


class Pen:
    """Writes cases of the usual event, so that each need only say what is special."""

    def __init__(self, book):
        self.book, self.sender = book, book.sender
        self.event = book.sender.event()

    def valid(self, number, comment, flags, rows, **rest):
        self.book.valid(number, comment, flags, rows, rest.pop("body", self.event), **rest)

    def invalid(self, number, reason, comment, flags, rows, **rest):
        self.book.invalid(number, reason, comment, flags, rows, rest.pop("body", self.event), **rest)

    def rows(self, *labels, **rest):
        """The usual headers with these labels; a plain text is the inner list of one that is sent as it stands."""
        return self.sender.rows(*labels, **{"body": self.event, **rest})

    def usual(self, *args, **rest):
        return self.sender.usual(self.event, *args, **rest)

    def signed(self, *lines, more=(), url=None, method="POST", **rest):
        """The usual components and these lines more, signed; `more` are the headers that go with them."""
        usual = self.sender.lines(self.event, url, method)
        return self.rows(self.sender.label([*usual, *lines], **rest), more=more)


MESSAGE_SENDERS = [MessageSignatures()]
