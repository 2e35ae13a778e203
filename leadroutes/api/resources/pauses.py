"""A pause, with or without an end: two fields that belong together, of a user's availability and of an option."""

from datetime import datetime
from typing import Any

from leadroutes.api.behaviour import Errors, Writing
from leadroutes.api.resource import Field, Write
from leadroutes.api.values import Bool, Moment
from leadroutes.domain.availability import present_pause

_STORED = "json_build_array(t.is_paused, t.paused_until)"


def pause_fields(note: str) -> tuple[Field, Field]:
    """Returns is_paused and paused_until; `complete_pause` works out what both are at a moment."""
    return (
        Field("is_paused", Bool(), write=Write.ALWAYS, default=False, null=False, shows=_STORED,
              sql="is_paused_at_present(t.is_paused, t.paused_until)",
              note=f"{note}; false ends it"),
        Field("paused_until", Moment(), write=Write.ALWAYS, shows=_STORED, filterable=False,
              note="when the pause ends by itself, in the future; it begins one; null: it has no end"),
    )  # fmt: skip


def complete_pause(record: dict[str, Any], now: datetime) -> None:
    """A pause whose end has passed is answered as none."""
    for place, name in enumerate(("is_paused", "paused_until")):
        if isinstance(record.get(name), list):
            is_paused, until = record[name]
            pause = present_pause(is_paused, _moment(until), now)
            value = pause[place]
            record[name] = Moment.written(value) if isinstance(value, datetime) else value


def settle_pause(writing: Writing) -> Errors:
    """Brings both fields of the record in line with what was sent. Returns what contradicts itself."""
    sent, record, now = writing.sent, writing.record, writing.transaction.now
    until = sent.get("paused_until")
    if until is not None:
        given = Moment.written(until)
        if until <= now:
            return {"paused_until": f"paused_until: {given} was given; expected a moment in the future, or null"}
        if sent.get("is_paused") is False:
            return {"is_paused": f"is_paused: false was given; expected true, as paused_until is {given}"}
        record["is_paused"] = True
    elif "is_paused" not in sent or not record["is_paused"]:
        pause = present_pause(record["is_paused"], _stored_until(writing), now)
        record["is_paused"] = pause[0]
        record["paused_until"] = record["paused_until"] if pause[0] else None
    elif record["paused_until"] is not None and record["paused_until"] <= now:
        record["paused_until"] = None
    return {}


def _stored_until(writing: Writing) -> datetime | None:
    """Returns the end that was stored before: a pause that is over is not one without an end."""
    before = writing.before or {}
    until: datetime | None = before.get("paused_until") if before.get("is_paused") else None
    return until


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None
