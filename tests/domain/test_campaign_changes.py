"""What a changed action means for contacts who have begun: tables of decisions and of moments."""

from datetime import UTC, datetime, timedelta

import pytest

from leadroutes.domain.campaign_changes import (
    MOVED,
    REPLACED,
    STAYS,
    Edit,
    OpenStep,
    Run,
    StepChange,
    carried_further,
    decide_step,
    earliest_start,
    edited_again,
    moment_for,
)
from leadroutes.domain.model import CampaignAction
from leadroutes.domain.stops import STOP_EVENTS, stop_event_named

MONDAY = datetime(2026, 11, 30, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
MAIL = CampaignAction(
    id=1, type="Email Contact", assigned_user_id=None, template_id=1, timing_type="Delay by Minutes",
    delay_by_days=None, dispatch_time=None, delay_by_seconds=3600, dispatch_datetime=None, recurrence=None,
    trigger_type=1, is_stopped_on_text_reply=False, description=None,
)  # fmt: skip


def action(**changes: object) -> CampaignAction:
    return CampaignAction(**{name: getattr(MAIL, name) for name in MAIL.__struct_fields__} | changes)


def step(**changes: object) -> OpenStep:
    waits = {"type": "Email Contact", "moment": MONDAY + HOUR, "is_open": True, "has_left": False}
    return OpenStep(**waits | changes)


LATER, PAST = MONDAY + 2 * HOUR, MONDAY - HOUR
DECISIONS = [
    ("added, to come", MAIL, None, LATER, StepChange(moment=LATER, is_added=True)),
    ("added, now", MAIL, None, MONDAY, StepChange(moment=MONDAY, is_added=True)),
    ("added, past", MAIL, None, PAST, STAYS),
    ("added, never", MAIL, None, None, STAYS),
    ("as it was", MAIL, step(), MONDAY + HOUR, STAYS),
    ("moved", MAIL, step(), LATER, StepChange(fate="moves", moment=LATER)),
    ("moved into the past", MAIL, step(), PAST, StepChange(fate="ends", reason=MOVED)),
    ("has no moment any more", MAIL, step(), None, StepChange(fate="ends", reason=MOVED)),
    ("is leaving", MAIL, step(has_left=True), LATER, STAYS),
    ("was sent", MAIL, step(is_open=False), LATER, STAYS),
    ("moved back", MAIL, step(is_open=False, was_moved=True), LATER, StepChange(fate="comes back", moment=LATER)),
    ("moved, still past", MAIL, step(is_open=False, was_moved=True), PAST, STAYS),
    ("waits, and is due when it was", MAIL, step(moment=PAST), PAST, STAYS),
    ("waits, and is moved within the past", MAIL, step(moment=PAST), PAST - HOUR,
     StepChange(fate="ends", reason=MOVED)),
    ("a text by now", action(type="Text Contact"), step(), LATER,
     StepChange(fate="ends", reason=REPLACED, moment=LATER, is_added=True)),
    ("a text by now, past", action(type="Text Contact"), step(), PAST, StepChange(fate="ends", reason=REPLACED)),
    ("a text by now, leaving", action(type="Text Contact"), step(has_left=True), LATER, STAYS),
]  # fmt: skip


@pytest.mark.parametrize(("of", "made", "moment", "expected"), [case[1:] for case in DECISIONS],
                         ids=[case[0] for case in DECISIONS])  # fmt: skip
def test_what_becomes_of_a_step(
    of: CampaignAction, made: OpenStep | None, moment: datetime | None, expected: StepChange
) -> None:
    assert decide_step(of, made, moment, MONDAY) == expected


RUN = Run(started_at=MONDAY, counts_from=MONDAY, timezone="America/Denver", birthday="1990-12-24")
STOOD = Run(started_at=MONDAY, counts_from=MONDAY + 5 * HOUR, timezone="America/Denver", birthday=None)
DAY = {"timing_type": "Delay by Day and Time", "delay_by_seconds": None, "dispatch_time": "09:00"}
FIRST_DAY = action(id=2, **DAY, delay_by_days=0)
EXACT = datetime(2026, 12, 24, 9, tzinfo=UTC)
MOMENTS = [
    ("counts from the start", MAIL, (MAIL,), RUN, MONDAY + HOUR),
    ("by as long as it stood still", MAIL, (MAIL,), STOOD, MONDAY + 6 * HOUR),
    ("an exact moment does not move", action(timing_type="Exact Date and Time", dispatch_datetime=EXACT), (), STOOD,
     EXACT),
    ("a day counts from the start's own", action(**DAY, delay_by_days=1), (), RUN,
     datetime(2026, 12, 1, 16, tzinfo=UTC)),
    ("a day counts from day 0", action(**DAY, delay_by_days=1), (FIRST_DAY,),
     Run(started_at=datetime(2026, 12, 1, 3, tzinfo=UTC), counts_from=datetime(2026, 12, 1, 3, tzinfo=UTC),
         timezone="America/Denver", birthday=None), datetime(2026, 12, 2, 16, tzinfo=UTC)),
    ("a birthday is the next one", action(trigger_type=2, **DAY, delay_by_days=0), (), RUN,
     datetime(2026, 12, 24, 16, tzinfo=UTC)),
    ("no birthday", action(trigger_type=2, **DAY, delay_by_days=0), (), STOOD, None),
    ("a rule comes next from now", action(type="Agent Task - No Reminder", timing_type="Recurring",
                                          recurrence="FREQ=WEEKLY;BYDAY=FR;BYHOUR=9;BYMINUTE=0;BYSECOND=0"), (), RUN,
     datetime(2026, 12, 11, 16, tzinfo=UTC)),
]  # fmt: skip


@pytest.mark.parametrize(("of", "actions", "run", "expected"), [case[1:] for case in MOMENTS],
                         ids=[case[0] for case in MOMENTS])  # fmt: skip
def test_when_a_changed_step_is_due(
    of: CampaignAction, actions: tuple[CampaignAction, ...], run: Run, expected: datetime | None
) -> None:
    now = MONDAY + timedelta(days=7) if of.timing_type == "Recurring" else MONDAY
    assert moment_for(of, actions, run, now) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, MONDAY - HOUR - timedelta(days=4)),
        ({"delay_by_seconds": 2**31 - 1}, None),
        ({**DAY, "delay_by_days": 2**31 - 1}, None),
        ({"timing_type": "Exact Date and Time", "dispatch_datetime": PAST}, MONDAY),
        ({"timing_type": "Exact Date and Time", "dispatch_datetime": LATER}, None),
        ({"trigger_type": 2}, None),
        ({"timing_type": "Recurring"}, None),
    ],
)
def test_runs_that_began_too_early_have_nothing_to_come(changes: dict[str, object], expected: datetime | None) -> None:
    earliest = earliest_start(action(**changes), MONDAY)
    assert earliest == expected or (expected is None and earliest is not None and earliest.year < 1970)


@pytest.mark.parametrize(
    ("typed", "event"),
    [("conversation", "conversation"), (" Appointment", "appointment"), ("note", None), ("reply", None), ("", None)],
)
def test_some_types_of_events_stop_campaigns(typed: str, event: str | None) -> None:
    assert stop_event_named(typed) == event
    assert event is None or event in STOP_EVENTS


def edit(*changed: str, at: datetime = MONDAY, **more: object) -> Edit:
    return Edit(campaign_id=1, action_id=2, changed=frozenset(changed), changed_at=at, **more)


TIMED, WORDED = edit("delay_by_seconds", part="runs", after_at=PAST, after_id=7), edit("template_id", after_id=7)
EDITS = [
    ("words after a moment", TIMED, edit("template_id", at=LATER), edit("delay_by_seconds", "template_id")),
    ("a moment after words", WORDED, edit("type", at=LATER), edit("template_id", "type", at=LATER)),
    ("a moment after a moment", TIMED, edit("type", at=LATER), edit("delay_by_seconds", "type", at=LATER)),
    ("words after words", WORDED, edit("variants", at=LATER), edit("template_id", "variants", at=LATER)),
    ("a removal", TIMED, edit(at=LATER, is_removed=True), edit(at=LATER, is_removed=True)),
]


@pytest.mark.parametrize(("pending", "second", "both"), [each[1:] for each in EDITS], ids=[each[0] for each in EDITS])
def test_a_second_edit_begins_anew_and_does_what_both_do(pending: Edit, second: Edit, both: Edit) -> None:
    assert edited_again(pending, second) == both


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        (edit("delay_by_seconds"), ["messages", "tasks", "runs"]),
        (edit("template_id"), ["messages", "tasks"]),
        (edit(is_removed=True), ["messages", "tasks"]),
    ],
    ids=["timed", "worded", "removed"],
)
def test_an_edit_is_carried_over_part_by_part(whole: Edit, parts: list[str]) -> None:
    seen: list[str] = []
    rest: Edit | None = whole
    while rest is not None:
        seen.append(rest.part)
        assert (rest.after_at, rest.after_id) == (None, 0), "each part begins with its first"
        rest = carried_further(rest, [(PAST, 4), (PAST, 7)], is_end=False)
        assert rest is not None
        assert (rest.after_at, rest.after_id) == (PAST, 7)
        rest = carried_further(rest, [], is_end=True)
    assert seen == parts


def test_what_is_read_when_a_step_leaves_is_not_carried_over() -> None:
    assert not edit("conditions", "send_window", "smallest_difference").is_for_steps
