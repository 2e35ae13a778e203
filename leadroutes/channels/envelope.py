"""What every channel takes and what it may answer. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One thing to tell one person: `address` is an e-mail address or a phone number, by the channel."""

    address: str
    subject: str | None
    text_body: str
    html_body: str | None = None
    sender_name: str | None = None
    reply_to: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class DeliveryError(Exception):
    """It was not delivered. `is_permanent`: trying again is no use. `is_doubtful`: it may have arrived all the same."""

    def __init__(self, reason: str, *, is_permanent: bool = False, is_doubtful: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_permanent = is_permanent
        self.is_doubtful = is_doubtful


class Channel(Protocol):
    """A way to tell somebody something."""

    async def send(self, envelope: Envelope) -> None:
        """Deliver it, or raise DeliveryError."""

    async def close(self) -> None:
        """Give back what it holds."""
