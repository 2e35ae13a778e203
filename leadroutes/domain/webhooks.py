"""Webhooks: what can be sent, which events a change of a lead comes to, and when a webhook is switched off. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

from leadroutes.domain.model import Change

RecordKind = Literal["lead", "offer", "contact", "message", "arrival"]

# Each with the kind of record that its data is.
EVENTS: Final[Mapping[str, RecordKind]] = {
    "lead.arrived": "lead",
    "lead.offered": "offer",
    "lead.claimed": "lead",
    "lead.assigned": "lead",
    "lead.unclaimed": "lead",
    "lead.touched": "lead",
    "lead.junk": "lead",
    "lead.declined": "offer",
    "arrival.rejected": "arrival",
    "contact.replied": "contact",
    "contact.unsubscribed": "contact",
    "message.failed": "message",
}
TEST_EVENT: Final = "webhook.test"
FORMATS: Final = ("standard", "slack", "teams")
STATES: Final = ("waiting", "delivered", "failed", "withdrawn")

MOST_GIVEN_UP: Final = 10  # deliveries without a success in between
LONGEST_FAILING: Final = timedelta(days=5)

_OF_HISTORY: Final = {
    "claimed": "lead.claimed",
    "assigned": "lead.assigned",
    "unclaimed": "lead.unclaimed",
    "declined": "lead.declined",
    "junk": "lead.junk",
}


def events_of_change(change: Change, now: datetime) -> Iterator[tuple[str, int | None]]:
    """Yields the events of a change of a lead; of an event about an offer also the user whose offer it is."""
    for offer in change.offers:
        if offer.state == "notified" and offer.notified_at == now:
            yield "lead.offered", offer.user_id
    for event in change.events:
        if type_ := _OF_HISTORY.get(event.kind):
            yield type_, event.user_id if EVENTS[type_] == "offer" else None


class TryOutcome(Struct, frozen=True, kw_only=True):
    """What came of one try: `is_last`, if it failed, that no other follows; `is_gone`, that the receiver wants none."""

    is_delivered: bool
    is_last: bool = False
    is_gone: bool = False


class ReceiverHealth(Struct, frozen=True, kw_only=True):
    """What has failed since the last success; moments are real time."""

    given_up: int = 0
    failing_since: datetime | None = None
    is_gone: bool = False

    def after(self, outcome: TryOutcome, now: datetime) -> "ReceiverHealth":
        """Returns it as it is after one more try."""
        if outcome.is_delivered:
            return ReceiverHealth(is_gone=self.is_gone)
        return ReceiverHealth(
            given_up=self.given_up + outcome.is_last,
            failing_since=self.failing_since or now,
            is_gone=self.is_gone or outcome.is_gone,
        )

    def why_off(self, now: datetime) -> str | None:
        """Returns why nothing is to be sent there any more, or None."""
        if self.is_gone:
            return "the receiver answered 410: it wants nothing more"
        if self.given_up >= MOST_GIVEN_UP:
            return f"{MOST_GIVEN_UP} deliveries were given up without a success in between"
        if self.failing_since is not None and now - self.failing_since >= LONGEST_FAILING:
            return f"no delivery has succeeded for {LONGEST_FAILING.days} days"
        return None


def next_try_after(delays: tuple[float, ...], tried: int, jitter: float) -> float | None:
    """Returns the seconds until the try that follows the `tried`-th one; None: there is none. `jitter` is 0 to 1."""
    return delays[tried - 1] * (1 + jitter / 10) if tried <= len(delays) else None
