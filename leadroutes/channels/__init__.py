"""Channels over which messages are sent: one file and one entry of the table for each.

A channel gets a finished envelope, and delivers it or raises why not; it decides nothing and uses no database.
Notifications of browsers (push.py) are not in the table: they go beside the channels of an offer and never count as one
of them, and their keys are in the database, so that the worker opens them.
"""

from collections.abc import Callable, Mapping

from leadroutes.channels.calls import open_calls
from leadroutes.channels.email import open_email
from leadroutes.channels.envelope import Channel
from leadroutes.channels.text import open_text
from leadroutes.settings import Settings

# name -> function that opens it, or returns None where this installation has no credentials for it
CHANNELS: Mapping[str, Callable[[Settings], Channel | None]] = {
    "email": open_email,
    "text": open_text,
    "call": open_calls,
}


_PROVIDER = (
    "LEADROUTES_TWILIO_ACCOUNT=AC0123456789abcdef0123456789abcdef",
    "LEADROUTES_TWILIO_TOKEN=the token of the account",
    "LEADROUTES_TWILIO_FROM=+13035550100",
)
LINES_TO_ADD: Mapping[str, tuple[str, ...]] = {
    "email": (
        "LEADROUTES_SMTP_URL=smtp://USER:PASSWORD@mail.example.com:587",
        "LEADROUTES_MAIL_FROM=Lead Routes <leads@example.com>",
    ),
    "text": _PROVIDER,
    "call": _PROVIDER,
}
"""What the environment of the service needs for a channel; none for one that this version does not have."""


def configured_channels(settings: Settings) -> frozenset[str]:
    """Returns the names of the channels that this installation has credentials for."""
    return frozenset(name for name, channel in open_channels(settings).items() if channel is not None)


def open_channels(settings: Settings) -> dict[str, Channel | None]:
    """Returns every channel by its name; None for one whose messages stay in the outbox."""
    return {name: open_(settings) for name, open_ in CHANNELS.items()}
