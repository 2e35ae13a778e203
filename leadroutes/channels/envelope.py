"""What every channel takes and what it may answer. Values only."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol


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


Blame = Literal["message", "policy", "channel"]
"""Whose fault a failure is: this message's, the channel's (settings, login, a server that is away), or either one's."""

StillWanted = Callable[[], Awaitable[str | None]]
"""Returns why a message is not to be sent any more, or None. Asked at the last moment before its words leave."""


async def always_wanted() -> None:
    """For what is sent whatever happens."""


class DeliveryError(Exception):
    """A message was not delivered.

    `is_permanent`: trying again is of no use. `is_doubtful`: it may have arrived all the same. `is_dead_address`: no
    message can be delivered to this address, not this one only. `blame`: "channel" where
    no message can pass until a setting or a server is mended; "policy" where the server refuses by its policy, which
    may mean the sender (then no message passes) or this one address.
    """

    def __init__(
        self,
        reason: str,
        *,
        is_permanent: bool = False,
        is_doubtful: bool = False,
        is_dead_address: bool = False,
        blame: Blame = "message",
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_permanent = is_permanent
        self.is_doubtful = is_doubtful
        self.is_dead_address = is_dead_address
        self.blame = blame


class NoLongerWanted(Exception):  # noqa: N818 -- an outcome, not a defect
    """The message was not sent, because of what was found at the last moment; the message says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Channel(Protocol):
    """A way to tell somebody something."""

    async def send(self, envelope: Envelope, is_still_wanted: StillWanted = always_wanted) -> None:
        """Deliver it. Raises DeliveryError, or NoLongerWanted with the reason that `is_still_wanted` returned.

        `is_still_wanted` is asked when nothing has to be waited for any more before the words are handed over.
        """

    async def close(self) -> None:
        """Give back what it holds."""
