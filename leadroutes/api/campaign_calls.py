"""The calls about when campaigns send: a preview with a contact, and the calendar. Reads only."""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec

from leadroutes.api.brackets import parse
from leadroutes.api.call import Call, Response
from leadroutes.api.reads import id_in
from leadroutes.api.resources import BY_PATH
from leadroutes.api.values import Id, quoted
from leadroutes.domain.campaign import zone_named
from leadroutes.domain.moments import wall_clock
from leadroutes.engine.campaign_preview import preview_campaign
from leadroutes.errors import Invalid, NotFound
from leadroutes.store import statement

LONGEST: Final = 92  # days of a calendar
DEFAULT_DAYS: Final = 31  # from today on
FIRST_YEAR, LAST_YEAR = 1970, 9000

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_SEES_CAMPAIGN = f"SELECT t.id FROM campaigns t WHERE t.id = $2 AND ({BY_PATH['/campaigns'].visible})"
_SEES_CONTACT = f"SELECT t.owner_id FROM contacts t WHERE t.id = $2 AND ({BY_PATH['/contacts'].visible})"

PREVIEW_PARAMETERS: Final = (
    {"name": "contact_id", "in": "query", "required": True, "schema": {"type": "integer"},
     "description": "whom the messages are for"},
)  # fmt: skip
CALENDAR_PARAMETERS: Final = tuple(
    {"name": name, "in": "query", "schema": {"type": "string", "format": "date"}, "description": about}
    for name, about in (
        ("from", "the first day, in your time zone; today by default"),
        ("to", f"the last day; {DEFAULT_DAYS} days in all by default, at most {LONGEST}"),
    )
)


async def preview(call: Call) -> Response:
    """GET /campaigns/:id/preview. Raises NotFound for a campaign that is not seen, Invalid for a contact."""
    database, user_id = call.context.database, call.caller.user_id
    campaign_id = id_in(call.ids[0])
    if await database.fetchval(_SEES_CAMPAIGN, user_id, campaign_id) is None:
        raise NotFound.record(call.ids[0])
    contact_id, owner_id = await _contact(call)
    call.require_json_accepted()
    found = await preview_campaign(
        database, call.context.engine.sending_rules, call.context.settings.public_url, owner_id, campaign_id, contact_id
    )
    return Response(200, msgspec.json.encode(_shown(found)))


async def _contact(call: Call) -> tuple[int, int]:
    given = parse(call.request.query, only="contact_id").get("contact_id")
    if given is None:
        raise Invalid.fields({"contact_id": "contact_id is required"})
    try:
        contact_id = Id().take(given)
    except ValueError:
        raise Invalid.fields({"contact_id": f"contact_id: {quoted(given)} was given; expected an id"}) from None
    owner_id = await call.context.database.fetchval(_SEES_CONTACT, call.caller.user_id, contact_id)
    if owner_id is None:
        fault = f"contact_id: {contact_id} was given; expected the id of a contact that you see"
        raise Invalid.fields({"contact_id": fault})
    return contact_id, owner_id


def _shown(value: Any) -> Any:
    """Moments as the API writes them."""
    match value:
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"
        case dict():
            return {name: _shown(each) for name, each in value.items()}
        case list():
            return [_shown(each) for each in value]
    return value


async def calendar(call: Call) -> Response:
    """GET /calendar: how many messages of campaigns leave on each day, by channel, in the caller's time zone."""
    given = parse(call.request.query)
    errors = {name: f"{name}: is not a parameter; expected from and to" for name in given if name not in ("from", "to")}
    database, user_id = call.context.database, call.caller.user_id
    zone = await database.fetchval(*statement("find_timezone").bind(user_id=user_id))
    today = wall_clock(database.clock.now(), zone_named(zone)).date()
    first = _day("from", given, errors) or today
    last = _day("to", given, errors) or first + timedelta(days=DEFAULT_DAYS - 1)
    if not errors and last < first:
        errors["to"] = f"to: {last} was given; expected a day that is not before {first}"
    if not errors and (last - first).days >= LONGEST:
        errors["to"] = f"to: {last} was given; expected at most {LONGEST} days from {first}"
    if errors:
        raise Invalid.fields(errors)
    call.require_json_accepted()
    rows = await database.fetch(*statement("count_calendar").bind(user_id=user_id, first_day=first, last_day=last))
    return Response(200, msgspec.json.encode([dict(row) for row in rows]))


def _day(name: str, given: dict[str, Any], errors: dict[str, str]) -> date | None:
    value = given.get(name)
    if value is None:
        return None
    try:
        found = date.fromisoformat(value) if isinstance(value, str) and _DAY.fullmatch(value) else None
    except ValueError:
        found = None
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        errors[name] = f"{name}: {quoted(value)} was given; expected a day such as 2027-03-14"
    return found
