"""The hours of a week as plain time fields: a row for each day, and back to what the API takes. Pure."""

from collections.abc import Mapping
from typing import Any

from leadroutes.domain.faults import Faults
from leadroutes.domain.weekly_hours import DAYS
from leadroutes.domain.windows import MOST_RANGES, read_send_window
from leadroutes.errors import Invalid
from leadroutes.web.sent import Sent

MIDNIGHT = "00:00"  # as an end; the API says 24:00

Window = Mapping[str, Any] | None


def week_rows(window: Window) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Returns (day, its name, its hours) for each day, with an empty pair where a day has none."""
    hours = (window or {}).get("weekly_hours") or {}
    return [(day, day.title(), [_shown(*each) for each in hours.get(day) or ()] or [("", "")]) for day in DAYS]


def _shown(start: str, end: str) -> tuple[str, str]:
    return start, MIDNIGHT if end == "24:00" else end


def read_week(sent: Sent) -> dict[str, Any] | None:
    """Returns a window, None where nothing is filled in. Raises Invalid at the first field of a day that is wrong."""
    hours: dict[str, list[list[str]]] = {}
    errors: dict[str, str] = {}
    for day in DAYS:
        for number in range(MOST_RANGES):
            name = f"{day}_from_{number}"
            start, end = sent.get(name).strip(), sent.get(f"{day}_to_{number}").strip()
            if bool(start) != bool(end):
                errors[name] = f"{day.title()}: fill in both times, or none."
            elif start:
                hours.setdefault(day, []).append([start, "24:00" if end == MIDNIGHT else end])
    if not errors and hours:
        errors = _faults(hours)
    if errors:
        raise Invalid.fields(errors)
    return {"weekly_hours": hours} if hours else None


def _faults(hours: dict[str, list[list[str]]]) -> dict[str, str]:
    try:
        read_send_window({"weekly_hours": hours}, "hours")
    except Faults as faults:
        return {
            f"{_day_of(place)}_from_0": f"{_day_of(place).title()}: {fault.partition(': ')[2]}"
            for place, fault in faults.found.items()
        }
    return {}


def _day_of(place: str) -> str:
    return place.rsplit(".", maxsplit=1)[-1].partition("[")[0]
