"""When an alert goes out: after the quiet time of its user, and the digest in the morning. Pure.

Times of day are those of the user. What the change of a clock skips or repeats is never lost and never sent twice.
"""

from datetime import UTC, datetime, time, timedelta
from typing import Final

from leadroutes.domain.campaign import zone_named
from leadroutes.domain.moments import wall_clock

DIGEST_AT: Final = time(7, 30)
OFFER_KINDS: Final = frozenset({"offer", "reoffer"})  # of messages that wait for no one's morning
WAITING_KINDS: Final = frozenset({
    "won", "claimed", "unclaimed", "replied", "call_due", "digest", "given_back", "handover", "handover_declined",
    "untold", "junk",
})  # fmt: skip


def waits_until(
    kind: str, channel: str, now: datetime, zone: str, quiet_from: str | None, quiet_to: str | None
) -> datetime | None:
    """Returns until when a message waits because of its user's quiet time; None: it does not wait.

    A notification that says who has the lead replaces the one that offered it, without a sound, and so it never waits.
    """
    if kind not in WAITING_KINDS or (kind, channel) == ("claimed", "push"):
        return None
    return quiet_until(now, zone, quiet_from, quiet_to)


def quiet_until(now: datetime, zone: str, quiet_from: str | None, quiet_to: str | None) -> datetime | None:
    """Returns the end of the quiet time in which a moment lies; None: it lies in none. It may last past midnight."""
    if quiet_from is None or quiet_to is None:
        return None
    begins, ends = time.fromisoformat(quiet_from), time.fromisoformat(quiet_to)
    local = wall_clock(now, zone_named(zone))
    at = local.time()
    is_overnight = begins > ends
    if not (at >= begins or at < ends if is_overnight else begins <= at < ends):
        return None
    days = 1 if is_overnight and at >= begins else 0
    return _next(local, ends, days)


def next_digest(after: datetime, zone: str) -> datetime:
    """Returns the first moment after this one at which a digest is due."""
    local = wall_clock(after, zone_named(zone))
    return _next(local, DIGEST_AT, 0 if local.time() < DIGEST_AT else 1)


def is_digest_moment(moment: datetime, zone: str) -> bool:
    """Whether a digest is due then; not where the user's time zone has changed since the moment was set."""
    return next_digest(moment - timedelta(seconds=1), zone) == moment


def _next(local: datetime, at: time, days: int) -> datetime:
    """Returns the moment of a time of day so many days later. A time that is repeated counts as the one to come."""
    day = local.date() + timedelta(days=days)
    moments = (datetime.combine(day, at, local.tzinfo).replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return next((moment for moment in moments if moment > local), local.astimezone(UTC) + timedelta(minutes=1))
