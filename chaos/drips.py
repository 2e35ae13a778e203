"""Whether campaigns wrote to anyone who wanted nothing more, outside the lawful hours, or outside their window.

Judged by the moments at which mail server and provider were given something, on a clock that is computed here. Each
check answers sentences, one for each breach, like those of verdict.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from chaos.brokerage import WINDOW, place_of

Channel = Literal["email", "text"]
Stalls = Sequence[tuple[float, float]]
Hours = Sequence[tuple[int, int]]  # minutes of a day, from inclusive, to exclusive

# Whether a message may go is looked at just before it is given away: "a second or two", say the docs. Whoever is
# stopped in between gives it away as soon as they go on.
ON_ITS_WAY, ON_ITS_WAY_WHERE_BUSY = 3.0, 10.0  # seconds
APART: Final = 0.5  # seconds by which the clock of a process may be off
DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Stop:
    """Someone wanted nothing more, which was said at a moment of real time, and acknowledged at a later one.

    `name` is that of the person's lead; `channel` None: every campaign that had begun for the person ends.
    """

    name: str
    how: str
    said_at: float
    at: float
    channel: Channel | None


@dataclass(frozen=True, slots=True)
class Written:
    """A message of a campaign that was given to mail server or provider, whatever became of it."""

    name: str
    channel: Channel
    step: str
    at: float


@dataclass(frozen=True, slots=True)
class DomainClock:
    """What the service's clock showed: at the real moment `real` it was `domain`."""

    real: float
    domain: datetime
    scale: float

    def at(self, real: float) -> datetime:
        return self.domain + timedelta(seconds=(real - self.real) * self.scale)


@dataclass(frozen=True, slots=True)
class Leeway:
    """For how long a message may be on its way, and when workers were stopped with what they had in hand."""

    seconds: float = ON_ITS_WAY
    stalls: Stalls = ()

    def covers(self, written_at: float, since: float) -> bool:
        """Whether what was given away then may have been looked at before `since`."""
        if written_at <= since + self.seconds:
            return True
        return any(begin <= since + self.seconds and end >= written_at - self.seconds for begin, end in self.stalls)


def written_after_a_stop(
    written: Iterable[Written],
    stops: Iterable[Stop],
    begun: Mapping[tuple[str, str], datetime],
    clock: DomainClock,
    leeway: Leeway,
) -> list[str]:
    """`begun`: when the run began to which a step belongs, by name and step; what begins after an answer goes on."""
    by_name: dict[str, list[Stop]] = {}
    for stop in stops:
        by_name.setdefault(stop.name, []).append(stop)
    return [
        f"{each.name} had {each.step!r} {each.at - stop.at:.1f} seconds after {stop.how!r} was acknowledged"
        for each in written
        for stop in by_name.get(each.name, ())
        if _is_stopped(each, stop, begun.get((each.name, each.step)), clock) and not leeway.covers(each.at, stop.at)
    ]


def _is_stopped(each: Written, stop: Stop, begun: datetime | None, clock: DomainClock) -> bool:
    if each.at <= stop.at:
        return False
    if stop.channel is not None:
        return each.channel == stop.channel
    return begun is None or begun < clock.at(stop.said_at)


def outside_the_law(written: Iterable[Written], clock: DomainClock, leeway: Leeway) -> list[str]:
    """Texts go in the lawful hours of the place where the contact lives."""
    texts = [(each, place_of(each.name)) for each in written if each.channel == "text"]
    return [
        f"{each.name} in {place.city} was texted {each.step!r} at {when}"
        for each, place in texts
        if (when := _outside([place.hours], place.zone, each.at, clock, leeway))
    ]


def outside_the_window(
    written: Iterable[Written], steps: Iterable[str], clock: DomainClock, leeway: Leeway
) -> list[str]:
    """Steps of the campaign with a window go while it is open, by the clock of the contact."""
    bound = frozenset(steps)
    return [
        f"{each.name} was sent {each.step!r} at {when}, where no window is open"
        for each in written
        if each.step in bound and (when := _outside(WINDOW, place_of(each.name).zone, each.at, clock, leeway))
    ]


def _outside(hours: Hours, zone: str, at: float, clock: DomainClock, leeway: Leeway) -> str | None:
    """Returns the local time if the hours were neither open, nor had just closed when it was looked at."""
    local = clock.at(at).astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute + local.second / 60
    if any(begin <= minute < end for begin, end in hours):
        return None
    until_open = min((begin - minute) % DAY for begin, _ in hours) * 60 / clock.scale
    since_closed = min((minute - end) % DAY for _, end in hours) * 60 / clock.scale
    if until_open <= APART or leeway.covers(at, at - since_closed):
        return None
    return f"{local:%H:%M:%S}"
