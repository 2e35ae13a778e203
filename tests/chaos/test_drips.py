"""The verdict on campaigns notices what came after a stop, at an unlawful hour, outside a window, and nothing else."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chaos.brokerage import PLACES, TIME_SCALE, place_of
from chaos.drips import DomainClock, Leeway, Stop, Written, outside_the_law, outside_the_window, written_after_a_stop
from leadroutes.domain.lawful_hours import KnownPlaces, lawful_hours, whereabouts_of
from leadroutes.domain.open_hours import first_open

REAL = 1_000_000.0
NAME = f"L{len(PLACES)}"  # lives in the first place
NOON = datetime.fromisoformat("2027-01-12T12:00:00-07:00")
CLOCK = DomainClock(REAL, NOON, TIME_SCALE)


def at(local: str) -> float:
    """The real moment at which it is so late in Denver on the day of the clock."""
    hours, _, minutes = local.partition(":")
    then = NOON.replace(hour=int(hours), minute=int(minutes))
    return REAL + (then - NOON) / timedelta(seconds=1) / TIME_SCALE


def text(local: str, **changes: Any) -> Written:
    return Written(**{"name": NAME, "channel": "text", "step": "A text", "at": at(local)} | changes)


# ------------------------------------------------------------------------------------------- the lawful hours


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.city)
def test_the_hours_of_a_place_are_those_of_the_product(place: Any) -> None:
    known = KnownPlaces(inquiry_zipcodes=(place.zipcode,), phone=f"+1{place.area_code}7000001")
    hours = lawful_hours(whereabouts_of(known), is_strict=False)
    midnight = datetime.fromisoformat("2027-01-12T00:00:00+00:00").replace(tzinfo=zone_of(place))
    opens = first_open(hours, midnight, midnight + timedelta(days=1)).at
    assert opens == midnight + timedelta(minutes=place.hours[0])
    last = midnight + timedelta(minutes=place.hours[1] - 1)
    assert first_open(hours, last, last + timedelta(days=2)).at == last
    after = first_open(hours, last + timedelta(minutes=1), last + timedelta(days=2)).at
    assert after is not None
    assert after > last + timedelta(hours=8)


def zone_of(place: Any) -> Any:
    return ZoneInfo(place.zone)


@pytest.mark.parametrize("local", ["8:00", "12:00", "20:59"])
def test_a_text_within_the_hours_is_lawful(local: str) -> None:
    assert place_of(NAME).city == "Denver"
    assert outside_the_law([text(local)], CLOCK, Leeway()) == []


@pytest.mark.parametrize("local", ["7:50", "21:10", "23:00", "3:00"])
def test_a_text_at_night_is_noticed(local: str) -> None:
    assert len(outside_the_law([text(local), text(local, channel="email")], CLOCK, Leeway())) == 1


def test_a_text_that_was_under_way_when_the_hours_ended_is_not_a_breach() -> None:
    assert outside_the_law([text("21:05")], CLOCK, Leeway()) == []
    stalled = Leeway(stalls=[(at("20:59"), at("21:59"))])
    assert outside_the_law([text("22:00")], CLOCK, stalled) == []
    assert len(outside_the_law([text("23:00")], CLOCK, stalled)) == 1, "long after it went on"
    assert len(outside_the_law([text("7:00")], CLOCK, stalled)) == 1


# ------------------------------------------------------------------------------------------------- the window


def test_what_came_outside_the_window_is_noticed() -> None:
    assert outside_the_window([text("8:00"), text("9:29"), text("9:32")], ["A text"], CLOCK, Leeway()) == []
    assert len(outside_the_window([text("9:50"), text("7:45", channel="email")], ["A text"], CLOCK, Leeway())) == 2
    assert outside_the_window([text("9:50")], ["Another step"], CLOCK, Leeway()) == []


# -------------------------------------------------------------------------------------------------- the stops


def stop(local: str, **changes: Any) -> Stop:
    return Stop(**{"name": NAME, "how": "answer", "said_at": at(local), "at": at(local), "channel": None} | changes)


BEGUN = {(NAME, "A text"): NOON - timedelta(hours=3)}


@pytest.mark.parametrize("channel", [None, "text"])
def test_what_came_after_a_stop_is_noticed(channel: Any) -> None:
    [breach] = written_after_a_stop([text("12:00")], [stop("11:00", channel=channel)], BEGUN, CLOCK, Leeway())
    assert breach == f"{NAME} had 'A text' 30.0 seconds after 'answer' was acknowledged"


@pytest.mark.parametrize(
    ("written", "stopped"),
    [
        (text("11:00"), stop("11:01")),
        (text("11:05"), stop("11:00")),  # on its way
        (text("12:00"), stop("11:00", name="L6")),
        (text("12:00"), stop("11:00", channel="email")),
        (text("12:00"), stop("11:00", said_at=at("8:30"))),  # the campaign began afterwards
    ],
)
def test_nothing_else_is(written: Written, stopped: Stop) -> None:
    assert written_after_a_stop([written], [stopped], BEGUN, CLOCK, Leeway()) == []


def test_what_a_stopped_worker_had_in_hand_is_not_a_breach() -> None:
    written, stopped = [text("12:00")], [stop("11:00")]
    assert written_after_a_stop(written, stopped, BEGUN, CLOCK, Leeway(stalls=[(at("10:59"), at("11:58"))])) == []
    assert len(written_after_a_stop(written, stopped, BEGUN, CLOCK, Leeway(stalls=[(at("11:20"), at("11:58"))]))) == 1
    assert len(written_after_a_stop(written, stopped, BEGUN, CLOCK, Leeway(stalls=[(at("10:59"), at("11:30"))]))) == 1
