"""Which channels do not work at the moment, and why: their messages wait instead of failing one by one.

Faults are stored, so that every process, the doctor, the pages and the metrics can show them. Nothing is sent here.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from leadroutes.channels.envelope import DeliveryError
from leadroutes.store.channel_faults import end_channel_fault, note_channel_fault
from leadroutes.store.messages import MessageKey
from leadroutes.store.postgres import Database

log = structlog.get_logger()

MIN_HOLD, MAX_HOLD = 30.0, 300.0  # seconds before a channel that does not work is tried again
MAX_REMEMBERED = 10_000  # messages that a server refused by its policy


@dataclass(slots=True)
class _ChannelState:
    """What this process knows about a channel. Times are those of the event loop."""

    reason: str | None = None  # why it does not work; None: it works, or that is not known
    since: float = 0.0
    held_until: float = 0.0
    accepted_at: float = -1.0  # when it last accepted a message
    is_known_to_work: bool = False  # and the database has no fault of it, not even of another process
    refused: set[str] = field(default_factory=set)  # addresses that its policy has refused since then


class ChannelHealth:
    """One per process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._channels: dict[str, _ChannelState] = {}
        self._refused_at: OrderedDict[MessageKey, float] = OrderedDict()

    def why_held(self, channel: str) -> str | None:
        """Returns why a message has to wait, or None where it may be tried; meanwhile the others wait."""
        known = self._of(channel)
        if known.reason is None:
            return None
        now = asyncio.get_running_loop().time()
        if now < known.held_until:
            return known.reason
        known.held_until = now + self._hold(known, now)
        return None

    def wait(self, channel: str) -> timedelta:
        """Returns how long a message of this channel waits before it is tried again."""
        known = self._of(channel)
        return timedelta(seconds=max(1.0, known.held_until - asyncio.get_running_loop().time()))

    async def note_works(self, channel: str) -> None:
        """The channel has accepted a message."""
        known = self._of(channel)
        known.accepted_at = asyncio.get_running_loop().time()
        known.refused.clear()
        if known.is_known_to_work:
            return
        known.reason, known.is_known_to_work = None, True
        try:
            was_noted = await end_channel_fault(self._database, channel)
        except BaseException:
            known.is_known_to_work = False  # the stored fault is ended after the next message
            raise
        if was_noted:
            log.info("a channel works again", channel=channel)

    async def note_fault(self, channel: str, key: MessageKey, address: str, error: DeliveryError) -> bool:
        """Stores a fault. Returns whether it is the channel's; False: it concerns this message alone."""
        known, now = self._of(channel), asyncio.get_running_loop().time()
        if error.blame == "policy":
            refused_at = self._refused_at.pop(key, None)
            if refused_at is not None and refused_at < known.accepted_at:
                return False  # other messages have been accepted since
            self._refused_at[key] = now
            if len(self._refused_at) > MAX_REMEMBERED:
                self._refused_at.popitem(last=False)
            known.refused.add(address)
        elif error.blame != "channel":
            return False
        if known.reason is None:
            known.since = now
        if known.reason != error.reason:
            log.error("a channel does not work; its messages wait", channel=channel, reason=error.reason)
        known.is_known_to_work = False
        if error.blame == "channel" or len(known.refused) > 1:  # one address alone does not stop the others
            known.reason = error.reason
            known.held_until = now + self._hold(known, now)
        else:
            known.held_until = now + MAX_HOLD  # for this message
        await note_channel_fault(self._database, channel, error.reason)
        if known.is_known_to_work:  # a message was accepted while this was being stored
            await end_channel_fault(self._database, channel)
        return True

    def _of(self, channel: str) -> _ChannelState:
        return self._channels.setdefault(channel, _ChannelState())

    @staticmethod
    def _hold(known: _ChannelState, now: float) -> float:
        """Returns the seconds to wait: short while it may be a restart, longer the longer it lasts."""
        return min(MAX_HOLD, max(MIN_HOLD, now - known.since))
