"""The time zones that a page lets people choose from."""

from functools import cache
from typing import Final
from zoneinfo import available_timezones

_COMMON: Final = {
    "America/New_York": "Eastern (New York)",
    "America/Chicago": "Central (Chicago)",
    "America/Denver": "Mountain (Denver)",
    "America/Phoenix": "Mountain, no daylight saving (Phoenix)",
    "America/Los_Angeles": "Pacific (Los Angeles)",
    "America/Anchorage": "Alaska (Anchorage)",
    "Pacific/Honolulu": "Hawaii (Honolulu)",
    "America/Puerto_Rico": "Atlantic (Puerto Rico)",
}
# By region, and none of the old names that mean the same.
_REGIONS: Final = (
    "Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
)  # fmt: skip


def zone_choices(stored: str = "") -> list[tuple[str, str]]:
    """Returns pairs of a zone and its words, those of the United States first; the stored one is among them."""
    choices = _choices()
    is_there = not stored or any(name == stored for name, _ in choices)
    return list(choices) if is_there else [(stored, stored), *choices]


@cache
def _choices() -> tuple[tuple[str, str], ...]:
    others = sorted(name for name in available_timezones() if name.partition("/")[0] in _REGIONS and "/" in name)
    return (
        *_COMMON.items(),
        ("UTC", "UTC"),
        *((name, name.replace("_", " ")) for name in others if name not in _COMMON),
    )
