"""Moments that are far away: delays are 32-bit numbers, and the calendar ends with the year 9999."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

BEGINNING_OF_TIME = datetime(1, 1, 4, tzinfo=UTC)
END_OF_TIME = datetime(9999, 12, 28, tzinfo=UTC)


def later(moment: datetime, span: timedelta) -> datetime:
    """Returns the moment after a span, at most the last moment of the calendar."""
    return END_OF_TIME if span >= END_OF_TIME - moment else moment + span


def wall_clock(moment: datetime, zone: tzinfo | None) -> datetime:
    """Returns what the clock of a zone shows at a moment.

    Moments that people enter go up to the ends of the calendar, beyond which some zones are by then: they see its
    first or last full days.
    """
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return min(max(moment, BEGINNING_OF_TIME), END_OF_TIME).astimezone(zone)


def in_utc(moment: datetime) -> datetime:
    """Returns a moment in UTC. Raises ValueError for one outside of the calendar, whose first moment is left out.

    The database's driver takes that one for the beginning of time, which no answer can show.
    """
    try:
        found = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(moment) from None
    if found == _FIRST:
        raise ValueError(moment)
    return found


_FIRST = datetime.min.replace(tzinfo=UTC)


@lru_cache(maxsize=1_024)
def minutes(count: int) -> timedelta:
    """Returns so many minutes, at most the largest timedelta."""
    return timedelta(minutes=min(count, 10**10))
