"""Moments that are far away: delays are 32-bit numbers, and the calendar ends with the year 9999."""

from datetime import UTC, datetime, timedelta

END_OF_TIME = datetime(9999, 12, 28, tzinfo=UTC)


def later(moment: datetime, span: timedelta) -> datetime:
    """Returns the moment after a span, at most the last moment of the calendar."""
    return END_OF_TIME if span >= END_OF_TIME - moment else moment + span


def minutes(count: int) -> timedelta:
    """Returns so many minutes, at most the largest timedelta."""
    return timedelta(minutes=min(count, 10**10))
