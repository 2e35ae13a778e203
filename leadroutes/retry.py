"""Trying again: the order that a job gives to the queue, and how long it waits before each further attempt."""

from datetime import timedelta

FIRST_DELAY, MAX_DELAY = timedelta(seconds=30), timedelta(hours=1)


class RetryLater(Exception):  # noqa: N818 -- an order to the queue, not a defect
    """Not now: the same job is to be done again after `delay`."""

    def __init__(self, delay: timedelta, reason: str) -> None:
        super().__init__(reason)
        self.delay = delay


def retry_delay(attempts: int) -> timedelta:
    """30 seconds after the first attempt, twice as long after each further one, an hour at the most."""
    return min(FIRST_DELAY * int(2 ** min(attempts - 1, 10)), MAX_DELAY)
