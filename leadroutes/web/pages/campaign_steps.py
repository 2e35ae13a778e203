"""The steps of a campaign in words, in their order on the time line, and as the form of one step fills them in.

Pure: records of the API in, words and bodies for the API out.
"""

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

from leadroutes.domain.campaign import COMMUNICATIONS, ON_BIRTHDAYS
from leadroutes.errors import Invalid
from leadroutes.web.local_time import local_value, read_local
from leadroutes.web.pages.step_variants import shown_rows, template_ids
from leadroutes.web.pages.week_fields import read_week
from leadroutes.web.sent import Sent

Step = Mapping[str, Any]  # an action as the API shows it

KINDS = {  # type -> words, icon
    "Email Contact": ("E-mail to the contact", "mail"),
    "Text Contact": ("Text to the contact", "message-square"),
    "Call Contact": ("Phone call to the contact", "phone"),
    "Agent Task - Call Reminder": ("Task: call the contact", "list-checks"),
    "Agent Task - Email Reminder": ("Task: e-mail the contact", "list-checks"),
    "Agent Task - Text Reminder": ("Task: text the contact", "list-checks"),
    "Agent Task - No Reminder": ("Task: something else", "list-checks"),
}
CHANNELS = {"Email Contact": "email", "Text Contact": "text", "Call Contact": "call"}
TIMINGS = {
    "Delay by Minutes": "after minutes, hours or days",
    "Delay by Day and Time": "on a day, at a time of day",
    "Exact Date and Time": "at one exact moment, for everyone",
    "Recurring": "repeatedly (tasks only)",
}
UNITS = {"60": "minutes", "3600": "hours", "86400": "days", "1": "seconds"}
RULES = {
    "FREQ=DAILY": "every day",
    "FREQ=WEEKLY": "every week",
    "FREQ=WEEKLY;INTERVAL=2": "every two weeks",
    "FREQ=MONTHLY": "every month",
    "FREQ=MONTHLY;INTERVAL=3": "every three months",
    "FREQ=YEARLY": "every year",
}
TRIGGERS = {"1": "the moment when the contact joins", "2": "each birthday of the contact"}
TIMING_FIELDS = (
    "timing_type", "delay_by_days", "dispatch_time", "delay_by_seconds", "dispatch_datetime", "recurrence",
)  # fmt: skip
STEP_FIELDS = (
    "type", *TIMING_FIELDS, "trigger_type", "template_id", "assigned_user_id", "description",
    "is_stopped_on_text_reply", "send_window", "conditions", "variants", "smallest_difference",
)  # fmt: skip
LARGEST_DELAY = 2**31 - 1


# ------------------------------------------------------------------------------------------------------ in words


def when(step: Step) -> str:
    """Returns when a step comes: `after 5 minutes`; "" for an exact moment, which depends on its reader's zone."""
    is_birthday = step["trigger_type"] == ON_BIRTHDAYS
    match step["timing_type"]:
        case "Delay by Minutes":
            return _after_seconds(step["delay_by_seconds"] or 0, is_birthday=is_birthday)
        case "Delay by Day and Time":
            return _on_day(step["delay_by_days"] or 0, clock_time(step["dispatch_time"]), is_birthday=is_birthday)
        case "Recurring":
            rule = RULES.get(step["recurrence"], f"by the rule {step['recurrence']}")
            return f"{rule}, counted from each birthday" if is_birthday else rule
    return ""


def _after_seconds(seconds: int, *, is_birthday: bool) -> str:
    if is_birthday:
        return f"{duration(seconds)} into the birthday" if seconds else "as the birthday begins"
    return f"after {duration(seconds)}" if seconds else "at once"


def _on_day(days: int, at: str, *, is_birthday: bool) -> str:
    number = "1 day" if days == 1 else f"{days:,} days"
    if is_birthday:
        return f"{number} after the birthday, at {at}" if days else f"on the birthday, at {at}"
    return f"after {number}, at {at}" if days else f"at the next {at}"


def duration(seconds: int) -> str:
    """Returns `1 hour 30 minutes`."""
    words = []
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        number, seconds = divmod(seconds, size)
        if number:
            words.append(f"{number:,} {name}{'' if number == 1 else 's'}")
    return " ".join(words[:2])


def clock_time(text: str | None) -> str:
    """Returns `9:30 AM`."""
    at = time.fromisoformat(text or "00:00")
    seconds = f":{at:%S}" if at.second else ""
    return f"{at.hour % 12 or 12}:{at:%M}{seconds} {at:%p}"


def day_number(step: Step) -> str:
    """Returns what the time line shows at its edge: `Day 3`, `Birthday`, or "" where it has no day."""
    if step["trigger_type"] == ON_BIRTHDAYS:
        return "Birthday"
    match step["timing_type"]:
        case "Delay by Minutes":
            return f"Day {(step['delay_by_seconds'] or 0) // 86_400:,}"
        case "Delay by Day and Time":
            return f"Day {step['delay_by_days'] or 0:,}"
    return ""


# ------------------------------------------------------------------------------------------------------- in order

SECTIONS = {
    "start": "From the moment when the contact joins",
    "exact": "At exact moments",
    "recurring": "Again and again",
    "birthday": "On birthdays",
}


def section_of(step: Step) -> str:
    if step["trigger_type"] == ON_BIRTHDAYS:
        return "birthday"
    return {"Exact Date and Time": "exact", "Recurring": "recurring"}.get(step["timing_type"], "start")


def timeline(steps: Sequence[Step]) -> list[tuple[str, list[Step]]]:
    """Returns the sections that have steps, each with its steps in the order in which they come."""
    ordered = sorted(steps, key=_position)
    found = ((words, [each for each in ordered if section_of(each) == name]) for name, words in SECTIONS.items())
    return [(words, inside) for words, inside in found if inside]


def neighbour(steps: Sequence[Step], step_id: int, *, is_earlier: bool) -> Step | None:
    """Returns the step with which this one changes places; None where there is none that comes at another moment."""
    moving = next((each for each in steps if each["id"] == step_id), None)
    if moving is None or section_of(moving) != "start":
        return None
    others = [each for each in steps if section_of(each) == "start" and _moment(each) != _moment(moving)]
    if is_earlier:
        return max((each for each in others if _moment(each) < _moment(moving)), key=_position, default=None)
    return min((each for each in others if _moment(each) > _moment(moving)), key=_position, default=None)


def _moment(step: Step) -> int:
    """Seconds from the start, near enough to put steps in order."""
    at = time.fromisoformat(step["dispatch_time"] or "00:00")
    days = step["delay_by_days"] or 0
    return step["delay_by_seconds"] or days * 86_400 + at.hour * 3_600 + at.minute * 60 + at.second


def _position(step: Step) -> tuple[int, str, int]:
    return _moment(step), step["dispatch_datetime"] or "", step["id"]


# ------------------------------------------------------------------------------------------------------- the form


def form_values(step: Step | None, timezone: str) -> dict[str, Any]:
    """Returns what the fields of a step's form show; of a new step, an e-mail a day later."""
    if step is None:
        step = dict.fromkeys(STEP_FIELDS) | {
            "type": "Email Contact", "timing_type": "Delay by Day and Time", "delay_by_days": 1,
            "dispatch_time": "10:00", "trigger_type": 1, "smallest_difference": 5,
        }  # fmt: skip
    share, others = shown_rows(step)
    seconds = step["delay_by_seconds"]
    unit = next((size for size in (86_400, 3_600, 60) if seconds and seconds % size == 0), 1 if seconds else 60)
    rule = step["recurrence"] or ""
    return {
        **step,
        "template_id": next(iter(template_ids(step)), None),
        "share": share,
        "others": others,
        "delay": seconds // unit if seconds is not None else "",
        "delay_unit": str(unit),
        "dispatch_time": (step["dispatch_time"] or "").removesuffix(":00") if _has_seconds(step) else
        step["dispatch_time"],
        "dispatch_datetime": local_value(step["dispatch_datetime"], timezone),
        "recurrence": rule if rule in RULES or not rule else "other",
        "rule": rule if rule not in RULES else "",
    }  # fmt: skip


def _has_seconds(step: Step) -> bool:
    return len(step["dispatch_time"] or "") > len("09:30")


def read_step(sent: Sent, timezone: str, stored: str | None = None) -> dict[str, Any]:
    """Returns what the API takes; `stored` is the exact moment that the step has. Raises Invalid.

    Its errors are the fields that are not filled in as they should be.
    """
    type_, timing = sent.get("type"), sent.get("timing_type")
    is_communication = type_ in COMMUNICATIONS
    errors: dict[str, str] = {}
    if type_ not in KINDS:
        errors["type"] = "Choose what happens in this step."
    if timing not in TIMINGS:
        errors["timing_type"] = "Choose when the step comes."
    elif timing == "Recurring" and is_communication:
        errors["timing_type"] = "Only tasks can come again and again. Choose another time, or make the step a task."
    body: dict[str, Any] = dict.fromkeys(TIMING_FIELDS) | {"timing_type": timing}
    if "timing_type" not in errors:
        body |= _read_timing(sent, timing, timezone, stored, errors)
    if errors:
        raise Invalid.fields(errors)
    difference = sent.number("smallest_difference") if is_communication else None
    return {
        "send_window": read_week(sent) if is_communication else None,
        "type": type_,
        **body,
        **({"smallest_difference": difference} if difference is not None else {}),
        "trigger_type": 2 if sent.get("trigger_type") == "2" else 1,
        "template_id": sent.id("template_id") if is_communication else None,
        "assigned_user_id": sent.id("assigned_user_id"),
        "description": None if is_communication else sent.text("description"),
        "is_stopped_on_text_reply": type_ == "Text Contact" and sent.is_checked("is_stopped_on_text_reply"),
    }


def _read_timing(sent: Sent, timing: str, timezone: str, stored: str | None, errors: dict[str, str]) -> dict[str, Any]:
    match timing:
        case "Delay by Minutes":
            return {"delay_by_seconds": _read_delay(sent, errors)}
        case "Delay by Day and Time":
            days, at = _whole(sent.get("delay_by_days")), sent.get("dispatch_time").strip()
            if days is None:
                errors["delay_by_days"] = "Say after how many days, as a whole number. 0 is the day of the start."
            if not _is_time(at):
                errors["dispatch_time"] = "Say at what time of the day, such as 09:30."
            return {"delay_by_days": days, "dispatch_time": at}
        case "Exact Date and Time":
            moment = read_local(sent.get("dispatch_datetime"), timezone, stored)
            if moment is None:
                errors["dispatch_datetime"] = "Say the date and the time, such as 2026-12-12 09:30."
            return {"dispatch_datetime": moment}
    rule = sent.get("rule").strip() if sent.get("recurrence") == "other" else sent.get("recurrence")
    if not rule:
        errors["rule" if sent.get("recurrence") == "other" else "recurrence"] = "Say how often the task comes."
    return {"recurrence": rule}


def _read_delay(sent: Sent, errors: dict[str, str]) -> int | None:
    number, unit = _whole(sent.get("delay")), sent.get("delay_unit")
    if number is None or unit not in UNITS or number * int(unit) > LARGEST_DELAY:
        errors["delay"] = "Say how long after the start, as a whole number. 0 is at once."
        return None
    return number * int(unit)


def _whole(text: str) -> int | None:
    text = text.strip().replace(",", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_DELAY)) else None


def _is_time(text: str) -> bool:
    try:
        return bool(time.fromisoformat(text)) and len(text) in (5, 8)
    except ValueError:
        return False
