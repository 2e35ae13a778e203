"""What the fields of a campaign's step have to do with each other, whether the API or a document writes them. Pure."""

from typing import Any, Final

from leadroutes.domain.campaign import COMMUNICATIONS

MOST_ACTIONS: Final = 200  # of a campaign
ACTION_TYPES: Final = (
    *COMMUNICATIONS,
    "Agent Task - Email Reminder",
    "Agent Task - Call Reminder",
    "Agent Task - Text Reminder",
    "Agent Task - No Reminder",
)
TIMINGS: Final = {
    "Delay by Day and Time": ("delay_by_days", "dispatch_time"),
    "Delay by Minutes": ("delay_by_seconds",),
    "Exact Date and Time": ("dispatch_datetime",),
    "Recurring": ("recurrence",),
}
_ALL_TIMING_FIELDS: Final = tuple(name for names in TIMINGS.values() for name in names)


def settle_step(record: dict[str, Any]) -> dict[str, str]:
    """Clears what has no effect under a step's type and timing, in place. Returns what is wrong, by field.

    Only messages to contacts have a template or variants, a window and conditions; only tasks recur.
    """
    type_, timing = record["type"], record["timing_type"]
    is_task = type_ in ACTION_TYPES and type_ not in COMMUNICATIONS
    messages = ", ".join(COMMUNICATIONS)
    faults: dict[str, str] = {}
    if is_task and record["template_id"] is not None:
        faults["template_id"] = f"template_id: only {messages} have a template"
    if is_task and record["send_window"] is not None:
        faults["send_window"] = f"send_window: only {messages} have a window"
    if timing == "Recurring" and type_ in COMMUNICATIONS:
        faults["timing_type"] = "timing_type: Recurring was given; expected it with tasks only"
    if type_ != "Text Contact":
        record["is_stopped_on_text_reply"] = False
    for name in ("conditions", "variants"):
        if is_task and record[name] is not None:
            faults[name] = f"{name}: only {messages} have them"
    if record["variants"] is not None and record["template_id"] is not None:
        faults["variants"] = "variants: they take the place of template_id, which has to be null"
    if timing in TIMINGS:
        faults |= _settle_timing(record, TIMINGS[timing])
    return faults


def _settle_timing(record: dict[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    faults = {}
    for name in _ALL_TIMING_FIELDS:
        if name not in names:
            record[name] = None
        elif record[name] is None:
            faults[name] = f"{name} is required with {record['timing_type']}"
    return faults
