"""What a changed action of a campaign means for contacts for whom the campaign runs. Values in, decisions out.

Moments count from the contact's own start; what has left stays as it was.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.campaign import COMMUNICATIONS, ON_BIRTHDAYS, First, is_of_day_zero, plan_steps
from leadroutes.domain.model import CampaignAction
from leadroutes.domain.moments import later

REMOVED: Final = "the step was removed from the campaign"
REPLACED: Final = "the step was changed into one of another kind"
MOVED: Final = "its moment had passed when the step was moved"
PASSED: Final = "its moment had passed when the campaign went on"
"""The reasons that are stored with what is not sent."""

COME_BACK: Final = (MOVED, PASSED)
"""The reasons of what comes back if it is moved again."""

TIMING: Final = frozenset(
    {"type", "timing_type", "delay_by_days", "dispatch_time", "delay_by_seconds", "dispatch_datetime", "recurrence",
     "trigger_type"}
)  # fmt: skip
"""What of an action decides whether, and when, it has a step for a contact."""

WORDS: Final = frozenset({"template_id", "variants", "assigned_user_id", "is_stopped_on_text_reply", "description"})
"""What of an action is also in the steps that it has made."""

Part = Literal["messages", "tasks", "runs"]
Fate = Literal["stays", "moves", "ends", "comes back"]


class Run(Struct, frozen=True, kw_only=True):
    """A campaign that runs for a contact. `counts_from`: its start, later by as long as it stood still."""

    started_at: datetime
    counts_from: datetime
    timezone: str | None
    birthday: str | None


class OpenStep(Struct, frozen=True, kw_only=True):
    """The latest row that an action has made for a contact: a communication, or a task.

    `is_open`: it has not been sent or done. `has_left`: its message is made, or the task was due. `was_moved`: it is
    not sent because its moment had passed, and comes back if it is moved.
    """

    type: str
    moment: datetime | None
    is_open: bool
    has_left: bool
    was_moved: bool = False


class StepChange(Struct, frozen=True, kw_only=True):
    """What becomes of the row, for which reason, and the moment of a row that moves or is added."""

    fate: Fate = "stays"
    reason: str | None = None
    moment: datetime | None = None
    is_added: bool = False


STAYS: Final = StepChange()


class Edit(Struct, frozen=True, kw_only=True):
    """A changed, added or removed action, and how far it has been carried over to those for whom its campaign runs.

    `changed` are the columns that differ. What is past at `changed_at` is past for everyone, whenever it is their turn.
    Open messages come first, then open tasks, each by id; where it is another moment, then runs, in order of their
    starts. `after_at` and `after_id` are the last one that is done of the `part`, `left_count` how many are to come.
    """

    campaign_id: int
    action_id: int
    changed: frozenset[str]
    changed_at: datetime
    is_removed: bool = False
    removed_by: int | None = None
    part: Part = "messages"
    after_at: datetime | None = None
    after_id: int = 0
    left_count: int = 0

    @property
    def is_timed(self) -> bool:
        """Whether steps may be added, moved or ended by it."""
        return not self.is_removed and bool(self.changed & TIMING)

    @property
    def has_words(self) -> bool:
        """Whether steps that are made get other words, senders or assignees by it."""
        return not self.is_removed and bool(self.changed & WORDS)

    @property
    def is_for_steps(self) -> bool:
        """Whether anything of it is to be carried over: the rest is read when a step leaves."""
        return self.is_removed or self.is_timed or self.has_words


def edited_again(pending: Edit, later_edit: Edit) -> Edit:
    """Returns the edit that does what both do, from the first contact on: steps become what the action says by now.

    A step that the earlier one moves to a moment before the later one still leaves, unless the later one moves it.
    """
    if later_edit.is_removed:
        return later_edit
    counts_from = pending if pending.is_timed and not later_edit.is_timed else later_edit
    return replace(later_edit, changed=pending.changed | later_edit.changed, changed_at=counts_from.changed_at)


def carried_further(edit: Edit, rows: Iterable[tuple[datetime | None, int]], *, is_end: bool) -> Edit | None:
    """Returns what is left of an edit once these rows of its part, by moment and id, are done; None: nothing.

    `is_end`: they were the last ones of the part.
    """
    if is_end:
        match edit.part:
            case "messages":
                return replace(edit, part="tasks", after_at=None, after_id=0)
            case "tasks" if edit.is_timed:
                return replace(edit, part="runs", after_at=None, after_id=0)
            case _:
                return None
    *_, (after_at, after_id) = rows
    return replace(edit, after_at=after_at, after_id=after_id)


LONGEST_DAYS: Final = 36_500  # that are looked back
MARGIN: Final = timedelta(days=4)  # time zones, and a day 0 that falls on the day after the start


def moment_for(
    action: CampaignAction, actions: Sequence[CampaignAction], run: Run, now: datetime, first: First | None = None
) -> datetime | None:
    """Returns when an action's step is due for a contact; None: never. `actions`: the campaign's, or those of day 0.

    What repeats, by a rule or on birthdays, comes next from `now` on.
    """
    repeats = action.trigger_type == ON_BIRTHDAYS or action.timing_type == "Recurring"
    first_days = [each for each in actions if each.id != action.id and is_of_day_zero(each)]
    start = now if repeats else run.started_at
    steps = plan_steps((action, *first_days), start, run.timezone, run.birthday, first)
    due_at = next((step.due_at for step in steps if step.action.id == action.id), None)
    if due_at is None or repeats or action.timing_type == "Exact Date and Time":
        return due_at
    return later(due_at, run.counts_from - run.started_at)


def decide_step(action: CampaignAction, step: OpenStep | None, moment: datetime | None, now: datetime) -> StepChange:
    """Returns what becomes of a contact's step whose action was changed or added, and is due at `moment` by now.

    One whose moment is past is not sent, unless it is the moment that it had: then it waits for something else. What is
    leaving stays, as does what was sent, done, or stopped by itself.
    """
    is_to_come = moment is not None and moment >= now
    if step is None:
        return StepChange(moment=moment, is_added=True) if is_to_come else STAYS
    if step.has_left or not (step.is_open or step.was_moved):
        return STAYS
    if step.type != action.type:
        fate: Fate = "ends" if step.is_open else "stays"
        return StepChange(fate=fate, reason=REPLACED, moment=moment if is_to_come else None, is_added=is_to_come)
    if step.is_open and step.moment == moment:
        return STAYS
    if not is_to_come:
        return StepChange(fate="ends", reason=MOVED) if step.is_open else STAYS
    return StepChange(fate="moves" if step.is_open else "comes back", moment=moment)


def earliest_start(action: CampaignAction, now: datetime) -> datetime | None:
    """Returns from when on runs may have a step of the action still to come; None: they all may.

    Runs that began before have none, by whatever clock.
    """
    if action.timing_type == "Exact Date and Time" and action.trigger_type != ON_BIRTHDAYS:
        return now if action.dispatch_datetime is not None and action.dispatch_datetime < now else None
    if action.trigger_type == ON_BIRTHDAYS or action.timing_type == "Recurring":
        return None
    days = min(action.delay_by_days or 0, LONGEST_DAYS)
    seconds = min(action.delay_by_seconds or 0, LONGEST_DAYS * 86_400)
    return now - timedelta(days=days, seconds=seconds) - MARGIN


def is_communication(action: CampaignAction) -> bool:
    """Whether the action writes to contacts; else it gives tasks to agents."""
    return action.type in COMMUNICATIONS
