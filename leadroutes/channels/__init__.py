"""Channels over which messages are sent: one file and one entry of the table for each.

A channel gets a finished envelope, and delivers it or raises why not; it decides nothing and uses no database.
"""

from collections.abc import Callable, Mapping

from leadroutes.channels.email import open_email
from leadroutes.channels.envelope import Channel
from leadroutes.settings import Settings

# name -> function that opens it, or returns None where this installation has no credentials for it
CHANNELS: Mapping[str, Callable[[Settings], Channel | None]] = {
    "email": open_email,
    "text": lambda _: None,
    "call": lambda _: None,
}


def configured_channels(settings: Settings) -> frozenset[str]:
    """Returns the names of the channels that this installation has credentials for."""
    return frozenset(name for name, channel in open_channels(settings).items() if channel is not None)


def open_channels(settings: Settings) -> dict[str, Channel | None]:
    """Returns every channel by its name; None for one whose messages stay in the outbox."""
    return {name: open_(settings) for name, open_ in CHANNELS.items()}
