"""What the oracle is asked and what it answers."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Key:
    id: str
    kind: str  # one of oracle.TAG_LENGTHS, or of message_signatures.LENGTHS
    data: object  # bytes, or a public key of public_keys
    header: str | None = None  # the only one that this key is tried against, when it is bound to one
    kid: str | None = None  # the name that a token gives it


@dataclass(frozen=True)
class Request:
    headers: tuple  # of (lower-case name, value bytes), in order of arrival
    body: bytes
    now: int
    method: str = "POST"
    url: str = ""  # the public one, exactly as the provider called it
    options: dict = field(default_factory=dict)  # what the receiver has configured

    def values(self, name):
        return [value for header, value in self.headers if header == name]

    def value(self, name):
        """The only value: rule 2 has refused a second one by the time this is asked."""
        values = self.values(name) if name else []
        return values[0] if values else None


@dataclass(frozen=True)
class Verdict:
    reason: str | None = None
    key_id: str | None = None
    event_id: str | None = None
    event_id_signed: bool = False
    event_type: str | None = None
    timestamp: int | None = None

    @property
    def result(self):
        return "invalid" if self.reason else "valid"


class Refusal(Exception):
    """Carries the reason code as its only argument."""


def check_window(timestamp_ms, now, past, future):
    age_ms = now * 1000 - timestamp_ms
    if age_ms > past * 1000:
        raise Refusal("timestamp_too_old")
    if -age_ms > future * 1000:
        raise Refusal("timestamp_too_new")
