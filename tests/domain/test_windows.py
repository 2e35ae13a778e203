"""When a step leaves: windows, lawful hours, texts of one contact, first answers, and what is said of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadroutes.domain.faults import Faults
from leadroutes.domain.forecast import forecast
from leadroutes.domain.lawful_hours import KnownPlaces
from leadroutes.domain.mail_pace import MINUTES, MailTally, given_back, limit_of, turns
from leadroutes.domain.windows import (
    BETWEEN_TEXTS,
    TOO_LATE_AFTER,
    Leave,
    SendingRules,
    Skip,
    StepFacts,
    Wait,
    decide,
    hours_of,
    read_send_window,
    window_in_words,
)

DENVER, NEW_YORK = "America/Denver", "America/New_York"
RULES = SendingRules(has_provider=True)
OFFICE = '{"weekly_hours":{"monday":[["09:00","17:00"]],"tuesday":[["09:00","17:00"]]}}'
LATE = '{"weekly_hours":{"monday":[["14:00","23:00"]]}}'
NEVER = '{"weekly_hours":{}}'
IN_DENVER = KnownPlaces(phone="+13035550199")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


MONDAY_AT_SEVEN = at("2026-11-23 14:00")  # in Denver


def step(type_: str = "Email Contact", **more: Any) -> StepFacts:
    known = {"send_at": MONDAY_AT_SEVEN, "contact_zone": DENVER, "sender_zone": NEW_YORK, "places": IN_DENVER}
    return StepFacts(type=type_, **known | more)


text = "Text Contact"
TABLE = [  # what, the step, now, when it leaves, and what is said
    ("a mail without a window", step(), "2026-11-23 14:00", None, ""),
    ("a mail", step(campaign_window=OFFICE), "2026-11-23 14:00", "2026-11-23 16:00",
     "09:00 contact's time (Mon, MST): campaign's window"),
    ("the window of the step", step(campaign_window=OFFICE, step_window=LATE), "2026-11-23 14:00", "2026-11-23 21:00",
     "14:00 contact's time (Mon, MST): step's window"),
    ("the sender's time", step(campaign_window=OFFICE, contact_zone=None), "2026-11-23 13:59", "2026-11-23 14:00",
     "09:00 sender's time (Mon, EST): campaign's window"),
    ("a text", step(text), "2026-11-23 14:00", "2026-11-23 16:00", "09:00 contact's time (Mon, MST): quiet hours"),
    ("a text in lawful hours alone", step(text), "2026-11-23 15:00", "2026-11-23 15:00", "law"),
    ("a text to nowhere", step(text, places=KnownPlaces(), contact_zone=None), "2026-11-23 14:00", "2026-11-23 19:00",
     "09:00 contact's time (Mon, HST): quiet hours"),
    ("a call", step("Call Contact"), "2026-11-23 14:00", "2026-11-23 16:00",
     "09:00 contact's time (Mon, MST): quiet hours"),
    ("a window that lawful hours narrow", step(text, campaign_window=LATE), "2026-11-24 02:30", "2026-11-24 02:30",
     "law"),
    ("texts of the day", step(text, texts=tuple(at(f"2026-11-23 {hour}:00") for hour in (16, 17, 18))),
     "2026-11-23 19:00", "2026-11-24 16:00", "09:00 contact's time (Tue, MST): 3 texts in 24 hours"),
    ("a text just before", step(text, texts=(at("2026-11-23 18:55"),)), "2026-11-23 19:00", "2026-11-23 19:05",
     "12:05 contact's time (Mon, MST): 10 minutes between two texts"),
    ("fewer in a state", step(text, places=KnownPlaces(phone="+13055550199"), contact_zone=NEW_YORK,
                              texts=tuple(at(f"2026-11-23 {hour}:00") for hour in (16, 17, 18))),
     "2026-11-23 19:00", "2026-11-24 16:00", "11:00 contact's time (Tue, EST): 3 texts in 24 hours"),
    ("a first answer", step(text, campaign_window=OFFICE, first_answer_minutes=10, inquired_at=MONDAY_AT_SEVEN),
     "2026-11-23 14:10", None, ""),
    ("an answer too late", step(text, first_answer_minutes=9, inquired_at=MONDAY_AT_SEVEN),
     "2026-11-23 14:10", "2026-11-23 16:00", "09:00 contact's time (Mon, MST): quiet hours"),
    ("an answer by mail", step(campaign_window=OFFICE, first_answer_minutes=10, inquired_at=MONDAY_AT_SEVEN),
     "2026-11-23 14:00", "2026-11-23 16:00", "09:00 contact's time (Mon, MST): campaign's window"),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "now", "expected", "said"), [each[1:] for each in TABLE], ids=[e[0] for e in TABLE])
def test_a_step_leaves_or_waits(facts: StepFacts, now: str, expected: str | None, said: str) -> None:
    rules = RULES if said != "law" else SendingRules(has_provider=True, is_strict=False)

    found = decide(facts, at(now), rules)

    if expected is None or expected == now:
        assert found == Leave(at(now))
    else:
        assert isinstance(found, Wait)
        assert (found.until, found.text) == (at(expected), said)
        assert decide(facts, found.until, rules) == Leave(found.until)


def test_without_a_provider_texts_go_to_the_outbox_at_any_hour() -> None:
    assert decide(step(text), MONDAY_AT_SEVEN, SendingRules()) == Leave(MONDAY_AT_SEVEN)
    assert isinstance(decide(step(text, campaign_window=OFFICE), MONDAY_AT_SEVEN, SendingRules()), Wait)


def test_a_step_that_is_too_late_is_skipped() -> None:
    now = MONDAY_AT_SEVEN + TOO_LATE_AFTER
    assert decide(step(), now, RULES) == Leave(now)
    later = now + timedelta(milliseconds=1)
    assert decide(step(), later, RULES) == Skip("too late")
    assert decide(step(late_from=now), later, RULES) == Leave(later)


def test_a_window_that_never_opens_holds_it_until_it_is_too_late() -> None:
    found = decide(step(campaign_window=NEVER), MONDAY_AT_SEVEN, RULES)

    assert isinstance(found, Wait)
    assert found.is_for_ever
    assert found.text.startswith("never: campaign's window; it is skipped")
    assert decide(step(campaign_window=NEVER), found.until, RULES) == Skip("too late")


# ------------------------------------------------------------------------------------------------------- forecasts

windows = st.sampled_from([None, OFFICE, LATE, '{"weekly_hours":{"sunday":[["20:00","10:00"]]}}'])
some_steps = st.builds(
    lambda type_, minutes, window: step(
        type_, send_at=MONDAY_AT_SEVEN + timedelta(minutes=minutes), campaign_window=window
    ),
    st.sampled_from(["Email Contact", text]), st.integers(-2000, 8000), windows,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(some_steps, min_size=1, max_size=7))
def test_a_forecast_is_what_comes_to_pass(steps: list[StepFacts]) -> None:
    """Against a worker that looks at everything in every minute, in order."""
    found = forecast(steps, MONDAY_AT_SEVEN, RULES)

    assert [each.leaves_at for each in found] == _walk(steps)


def test_a_text_that_will_be_dropped_holds_those_of_its_moment_alone() -> None:
    at = (MONDAY_AT_SEVEN + timedelta(hours=3, minutes=minutes) for minutes in (0, 0, 5))
    steps = [step(text, send_at=each) for each in at]
    minutes = [
        [(each.leaves_at - steps[0].send_at) / timedelta(minutes=1) for each in found if each.leaves_at is not None]
        for found in (forecast(steps, MONDAY_AT_SEVEN, RULES, unsent) for unsent in ((), (0,), (0, 2)))
    ]
    assert minutes == [[0, 10, 20], [0, 15, 5], [0, 10, 5]]


def _walk(steps: list[StepFacts]) -> list[datetime | None]:
    left: dict[int, datetime | None] = {}
    sent: list[datetime] = []
    minute = MONDAY_AT_SEVEN
    order = sorted(range(len(steps)), key=lambda place: (steps[place].send_at, place))
    while len(left) < len(steps):
        for place in order:
            facts = steps[place]
            if place in left or facts.send_at > minute:
                continue
            if minute - facts.send_at > TOO_LATE_AFTER:
                left[place] = None
                continue
            if not all(each.has(minute) for each in hours_of(facts, minute, RULES)):
                continue
            if facts.type == text:
                if sent and (
                    minute - sent[-1] < BETWEEN_TEXTS or sum(minute - each < timedelta(1) for each in sent) > 2
                ):
                    continue
                sent.append(minute)
            left[place] = minute
        minute += timedelta(minutes=1)
    return [left[place] for place in range(len(steps))]


# ------------------------------------------------------------------------------------------------ as it is written

WRONG = [
    ([], {"send_window": "a list was given"}),
    ({}, {"send_window.weekly_hours": "is required"}),
    ({"weekly_hours": None}, {"send_window.weekly_hours": "without a window send null"}),
    ({"weekly_hours": {}, "timezone": "UTC"}, {"send_window.timezone": "the time is the contact's"}),
    ({"weekly_hours": {"monday": [["9", "17"]]}}, {"send_window.weekly_hours.monday[0]": "9 to 17"}),
    ({"weekly_hours": {"moonday": []}}, {"send_window.weekly_hours.moonday": "moonday"}),
]


@pytest.mark.parametrize(("value", "expected"), WRONG)
def test_what_is_wrong_with_a_window_is_said_at_its_place(value: Any, expected: dict[str, str]) -> None:
    with pytest.raises(Faults) as caught:
        read_send_window(value, "send_window")

    assert list(caught.value.found) == list(expected)
    assert all(words in caught.value.found[place] for place, words in expected.items())


def test_a_window_is_stored_as_it_was_written_and_said_in_words() -> None:
    window = msgspec.json.decode(OFFICE)
    assert read_send_window(window, "send_window") == window
    assert window_in_words(window) == "Monday and Tuesday 09:00–17:00"
    assert window_in_words(None) is None


# ------------------------------------------------------------------------------------------------------ mails an hour

FIRST = at("2026-11-23 14:00:30")


def test_the_rest_has_its_turn_when_there_is_room_again() -> None:
    found = turns(MailTally(first_at=FIRST), FIRST, [False] * 5, 2)

    assert found.granted == 2
    assert found.later == (at("2026-11-23 15:01"), at("2026-11-23 15:01"), at("2026-11-23 16:02"))
    after = turns(found.pace, found.later[0], [True, True], 2)
    assert (after.granted, after.later) == (2, ())


def test_who_comes_new_goes_behind_those_who_wait() -> None:
    pace = turns(MailTally(first_at=FIRST), FIRST, [False] * 3, 2).pace
    new = turns(pace, FIRST + timedelta(minutes=30), [False], 2)
    assert (new.granted, new.later) == (0, (at("2026-11-23 15:01"),))


def test_a_warm_up_grows_to_the_full_limit() -> None:
    limits = [limit_of(MailTally(first_at=FIRST), FIRST + timedelta(days=day), 100, 4) for day in range(6)]
    assert limits == [20, 40, 60, 80, 100, 100]
    assert limit_of(MailTally(first_at=FIRST), FIRST, 1, 30) == 1


def test_a_mail_that_did_not_leave_makes_room_for_another() -> None:
    pace = turns(MailTally(first_at=FIRST), FIRST, [False] * 2, 2).pace
    assert turns(pace, FIRST, [False], 2).granted == 0
    assert turns(given_back(pace, FIRST), FIRST, [False], 2).granted == 1
    assert given_back(given_back(given_back(pace, FIRST), FIRST), FIRST).sent == ()
    assert given_back(pace, FIRST + timedelta(minutes=1)) == pace


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 5)), max_size=40), st.integers(1, 6))
def test_no_hour_has_more_than_the_limit(batches: list[tuple[int, int]], per_hour: int) -> None:
    pace, now, sent = MailTally(first_at=FIRST), FIRST, []
    for minutes, number in batches:
        now += timedelta(minutes=minutes)
        found = turns(pace, now, [False] * number, per_hour)
        pace = found.pace
        sent += [now] * found.granted
        assert list(found.later) == sorted(found.later)
        assert all(each > now for each in found.later)
        assert len(pace.sent) <= MINUTES
    for each in sent:
        assert sum(each <= other < each + timedelta(hours=1) for other in sent) <= per_hour
