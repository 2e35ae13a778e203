"""Moments in fields of forms, by the clock of whoever fills them in."""

from datetime import UTC, datetime

from leadroutes.domain.campaign import zone_named
from leadroutes.domain.moments import wall_clock


def local_value(moment: datetime | str | None, timezone: str) -> str:
    """Returns what a field of the type datetime-local shows; "" for none."""
    if moment is None:
        return ""
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{wall_clock(at, zone_named(timezone)):%Y-%m-%dT%H:%M}"


def read_local(text: str, timezone: str, stored: str | None = None) -> str | None:
    """Returns the moment as the API takes it; None for what is not a date and a time.

    A field shows minutes: where it still says what it showed of the stored moment, that is returned with its seconds,
    and of an hour that comes twice in autumn it is the one that was meant.
    """
    if stored is not None and text.strip() == local_value(stored, timezone):
        return stored
    try:
        local = datetime.fromisoformat(text.strip())
        moment = local.replace(tzinfo=local.tzinfo or zone_named(timezone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
