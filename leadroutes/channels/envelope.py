"""What a channel gets, and the errors that it may raise. Values only."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One message to one person: `address` is an e-mail address or a phone number, depending on the channel."""

    address: str
    subject: str | None
    text_body: str
    html_body: str | None = None
    sender_name: str | None = None
    reply_to: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Blame = Literal["message", "policy", "channel"]
"""The cause of a failure: this message, the channel (settings, login, an unreachable server), or a policy: either."""

StillWanted = Callable[[], Awaitable[str | None]]
"""Returns why a message is not to be sent any more, or None. Called at the last moment before its text is sent."""


async def always_wanted() -> None:
    """For messages that are sent in any case."""


class DeliveryError(Exception):
    """A message was not delivered.

    `is_permanent`: another attempt is useless. `is_doubtful`: it may have arrived even so. `is_dead_address`: no
    message at all can be delivered to this address. `blame`: "channel" where no message passes until a setting or a
    server is repaired; "policy" where the server refuses by its policy, which may concern the sender (then no message
    passes) or this address only.
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
    """A way to send messages to people."""

    async def send(self, envelope: Envelope, is_still_wanted: StillWanted = always_wanted) -> None:
        """Delivers it. Raises DeliveryError, or NoLongerWanted with the reason that `is_still_wanted` returned.

        `is_still_wanted` is called once there is nothing left to wait for before the text is sent.
        """

    async def close(self) -> None:
        """Closes its connections."""
