"""What a channel gets, and the errors that it may raise. Values only."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What a browser does with a message that it shows.

    `path`: where a tap leads, below /app. `tag`: it replaces an earlier notification with the same one; letters, digits
    and hyphens, as push services take no other ones. `life`: for how many seconds a push service keeps it for a browser
    that is not on. `keys`: of the browser, p256dh and auth.
    """

    path: str
    tag: str
    life: int
    is_silent: bool = False
    is_urgent: bool = False
    keys: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One message to one person: `address` is an e-mail address, a phone number or the endpoint of a browser.

    `message`: its name in addresses that a provider calls back (`MessageName`). `sender_number`: the phone that a text
    comes from, where it is not the installation's. `is_alert`: it goes before messages of campaigns.
    `call_token`: the secret by which the provider asks what a call says.
    `return_path`: the address to which reports about this mail go; None: to the sender. `content`: a person's own mail
    that is passed on, its body with all attachments as it came, described by `content_headers`; the bodies do not count
    then. `notification` and `user_id` (to all of whose browsers it goes) are for the channel push alone.
    """

    address: str
    subject: str | None
    text_body: str
    html_body: str | None = None
    sender_name: str | None = None
    reply_to: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str | None = None
    sender_number: str | None = None
    is_alert: bool = False
    return_path: str | None = None
    content: bytes | None = field(default=None, repr=False)
    content_headers: Mapping[str, str] = field(default_factory=dict)
    call_token: str | None = None
    notification: Notification | None = None
    user_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a provider says of a message that it has accepted: its own id of it and its state."""

    provider_id: str
    provider_state: str


Blame = Literal["message", "policy", "channel"]
"""The cause of a failure: this message, the channel (settings, login, an unreachable server), or a policy: either."""

StillWanted = Callable[[], Awaitable[str | None]]
"""Returns why a message is not to be sent any more, or None. Called at the last moment before its text is sent."""


async def always_wanted() -> None:
    """For messages that are sent in any case."""


class DeliveryError(Exception):
    """A message was not delivered.

    `is_permanent`: another attempt is useless, unless the cause is the channel. `is_doubtful`: it may have arrived even
    so. `is_dead_address`: no message at all can be delivered to this address. `blame`: "channel" where no message
    passes until a setting or a server is repaired; "policy" where the server refuses by its policy, which may concern
    the sender (then no message passes) or this address only. `code`: the error number of a provider of texts and calls
    (leadroutes/domain/provider_errors.py).
    """

    def __init__(
        self,
        reason: str,
        *,
        is_permanent: bool = False,
        is_doubtful: bool = False,
        is_dead_address: bool = False,
        blame: Blame = "message",
        code: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_permanent = is_permanent
        self.is_doubtful = is_doubtful
        self.is_dead_address = is_dead_address
        self.blame = blame
        self.code = code


class NoLongerWanted(Exception):  # noqa: N818 -- an outcome, not a defect
    """The message was not sent, because of what was found at the last moment; the message says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Channel(Protocol):
    """A way to send messages to people."""

    async def send(self, envelope: Envelope, is_still_wanted: StillWanted = always_wanted) -> Receipt | None:
        """Delivers it. Raises DeliveryError, or NoLongerWanted with the reason that `is_still_wanted` returned.

        `is_still_wanted` is called once there is nothing left to wait for before the text is sent.
        """

    async def close(self) -> None:
        """Closes its connections."""
