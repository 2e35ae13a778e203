"""When users are available: their hours and pauses, and time off."""

from datetime import datetime
from typing import Any

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.common import owner, record_id, text
from leadroutes.api.resources.pauses import complete_pause, pause_fields, settle_pause
from leadroutes.api.resources.users import IS_ADMIN
from leadroutes.api.rule_values import Hours
from leadroutes.api.values import Bool, Id, Moment, Text
from leadroutes.domain.availability import Presence, find_absence
from leadroutes.store.accounts import faults_of

MY_MEMBERS = "ARRAY(SELECT m.user_id FROM team_members m WHERE m.owner_id = $1 AND m.request_status = 'Accepted')"
_OWN_TIME_OFF = (
    "(SELECT coalesce(json_agg(json_build_array(f.starts_at, f.ends_at) ORDER BY f.starts_at), '[]')"
    " FROM (SELECT f.starts_at, f.ends_at FROM time_off f WHERE f.user_id = t.id AND f.owner_id = t.id"
    " ORDER BY f.ends_at DESC LIMIT 200) f)"
)
# What the domain works out availability from, in the place of each field that it gives.
_SAID = (
    "json_build_object('timezone', coalesce(t.timezone, u.timezone), 'weekly_hours', t.weekly_hours::text,"
    f" 'is_paused', t.is_paused, 'paused_until', t.paused_until, 'off', {_OWN_TIME_OFF})"
)


class AvailabilityBehaviour(Behaviour):
    """Whether the user is available is worked out for the moment of the answer, from what the user said alone."""

    def complete(self, record: dict[str, Any], now: datetime) -> None:
        complete_pause(record, now)
        for name in ("available_now", "available_from"):
            if isinstance(record.get(name), dict):
                absence = find_absence(_presence(record[name]), now)
                back = absence.available_from if absence is not None else None
                shown = Moment.written(back) if back is not None else None
                record[name] = absence is None if name == "available_now" else shown

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        errors = settle_pause(writing)
        if "timezone" not in found:
            errors |= faults_of({"timezone": writing.sent.get("timezone")})
        return errors


def _presence(said: dict[str, Any]) -> Presence:
    until = said["paused_until"]
    return Presence(
        timezone=said["timezone"],
        weekly_hours=said["weekly_hours"],
        is_paused=said["is_paused"],
        paused_until=datetime.fromisoformat(until) if until is not None else None,
        off=tuple((datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in said["off"]),
    )


AVAILABILITIES = Resource(
    path="/availabilities",
    noun="an availability",
    page_about="When users want offers of leads: hours of the week, and pauses. One record for each user, whose id is"
    " the user's; seen by the user and by the creators of the user's teams, changed by the user. Whoever is not"
    " available is passed over; leads can be claimed at any time.",
    table="availabilities",
    source="availabilities t JOIN users u ON u.id = t.id",
    fields=(
        record_id(),
        Field("user_id", Id(), null=False, column="", sql="t.id"),
        Field("timezone", Text(200), write=Write.ALWAYS, null=False, sql="coalesce(t.timezone, u.timezone)",
              note="an IANA name, in which the hours are; by default the user's"),
        Field("weekly_hours", Hours("weekly_hours"), write=Write.ALWAYS, filterable=False,
              note='by day, such as {"monday": [["09:00", "12:30"], ["13:30", "18:00"]]}; a day that is missing has'
                   " none; an end before the start is on the next day; null: always"),
        *pause_fields("the user gets no offers"),
        Field("available_now", Bool(), null=False, column="", shows=_SAID, filterable=False,
              schema=Bool().schema(), note="by what the user said, at the moment of the answer"),
        Field("available_from", Moment(), column="", shows=_SAID, filterable=False,
              note="when the user is available again; null: now, or it is not known"),
    ),
    methods="LGPU",
    visible=f"t.id = $1 OR t.id = ANY ({MY_MEMBERS}) OR {IS_ADMIN}",
    changeable=f"t.id = $1 OR {IS_ADMIN}",
    behaviour=AvailabilityBehaviour(),
)  # fmt: skip


class TimeOffBehaviour(Behaviour):
    """One's own, or an accepted member's for the leads of whoever makes it."""

    def normalize(self, record: dict[str, Any]) -> Errors:
        starts_at, ends_at = record["starts_at"], record["ends_at"]
        if starts_at is None or ends_at is None or starts_at < ends_at:
            return {}
        given = Moment.written(ends_at)
        return {"ends_at": f"ends_at: {given} was given; expected a later moment than starts_at"}

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        if writing.before is not None or "user_id" in found:
            return {}
        user_id = writing.record["user_id"]
        if user_id in (None, writing.caller.user_id):
            writing.record["user_id"] = writing.caller.user_id
            return {}
        if await writing.transaction.fetchval(
            f"SELECT $2::bigint = ANY ({MY_MEMBERS})", writing.caller.user_id, user_id
        ):
            return {}
        expected = "yourself or an accepted member of a team that you created"
        return {"user_id": f"user_id: {user_id} was given; expected {expected}"}


TIME_OFF = Resource(
    path="/time-off",
    noun="a time off",
    page_about="Spans in which a user gets no offers: one's own, which counts for all leads, or a member's that the"
    " creator of a team makes, which counts for the creator's leads. Whoever made it changes it.",
    table="time_off",
    fields=(
        record_id(),
        Field("user_id", Id(), write=Write.ONCE, null=False,
              note="by default you; or an accepted member of a team that you created"),
        owner("creator_user_id"),
        Field("starts_at", Moment(), write=Write.ALWAYS, required=True),
        Field("ends_at", Moment(), write=Write.ALWAYS, required=True, note="later; exclusive"),
        text("note", 200, shows="CASE WHEN t.user_id = $1 THEN t.note END", filterable=False,
             note="shown to the user alone"),
    ),
    methods="LGCPUD",
    visible=f"t.user_id = $1 OR t.owner_id = $1 OR (t.owner_id = t.user_id AND t.user_id = ANY ({MY_MEMBERS}))",
    changeable="t.owner_id = $1",
    behaviour=TimeOffBehaviour(),
)  # fmt: skip

AVAILABILITY_RESOURCES = (AVAILABILITIES, TIME_OFF)
