"""Calls that put records in an order as a whole: the routes of a lead source, the line-up of a team.

Each is one statement, which checks that the caller has seen all that it orders.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from typing import Any, Final

from leadroutes.api.audit import act_of_call
from leadroutes.api.bodies import fields_of, read_limited
from leadroutes.api.call import Call, Response
from leadroutes.api.query import selection
from leadroutes.api.reads import id_in, too_large_refused
from leadroutes.api.resource import Resource
from leadroutes.api.resources import BY_PATH
from leadroutes.api.sql_parts import columns
from leadroutes.api.statements import page_sql
from leadroutes.api.values import Id, quoted
from leadroutes.domain.arrangement import Groups, grouped
from leadroutes.errors import Conflict, Forbidden, Invalid, NotFound
from leadroutes.store import statement
from leadroutes.store.audit import note_act

LEAD_ROUTES, TEAMS = BY_PATH["/lead-routes"], BY_PATH["/teams"]
OPTIONS = BY_PATH["/team-member-distribution-options"]
MOST: Final = 10_000  # records in one order
_IDS: Final = {"type": "array", "items": {"type": "integer"}}
ROUTES_BODY: Final = {
    "type": "object",
    "properties": {
        "lead_source_id": {"type": "integer"},
        "ids": _IDS,
        "instead_of": _IDS
        | {"type": ["array", "null"], "description": "the order that you have seen; 409 if it is another one by now"},
    },
    "required": ["lead_source_id", "ids"],
}
LINE_UP_BODY: Final = {
    "type": "object",
    "properties": {
        "line_up": {
            "type": "array",
            "items": _IDS,
            "description": "ids of users: each inner list is a rank, whose members are notified together",
        },
        "instead_of": {
            "type": ["array", "null"],
            "items": _IDS,
            "description": "the line-up that you have seen; 409 if it is another one by now",
        },
    },
    "required": ["line_up"],
}
_ROUTES = "SELECT %s FROM lead_routes t WHERE t.owner_id = $1 AND t.lead_source_id = $2 ORDER BY t.priority, t.id"
_OPTIONS = (
    "SELECT %s FROM team_member_distribution_options t WHERE t.owner_id = $1 AND t.team_id = $2"
    " ORDER BY t.rank, t.user_id"
)
_TEAM = f"SELECT t.owner_id FROM teams t WHERE t.id = $2 AND ({TEAMS.visible})"


async def order_routes(call: Call) -> Response:
    """POST /lead-routes/order: the routes of a lead source, all of them, in the order in which they are tried."""
    keys = selection(LEAD_ROUTES, call.request.query)
    body = await _body(call)
    source_id, ids = _id(body.get("lead_source_id"), "lead_source_id"), _ids(body.get("ids"), "ids")
    seen = _ids(body["instead_of"], "instead_of") if body.get("instead_of") is not None else None
    call.require_json_accepted()
    owner_id = call.caller.user_id
    values = {"lead_source_id": source_id, "ids": ids, "sorted_ids": sorted(ids)}
    async with call.context.database.transaction() as transaction:
        [found] = await transaction.fetch(*statement("order_lead_routes").bind(owner_id=owner_id, **values))
        if found["ids"] != sorted(ids):
            raise Conflict(
                "The routes of this lead source are others by now; load them again", data={"ids": found["ids"]}
            )
        if seen is not None and found["tried"] != seen:
            raise Conflict("The routes have been put in another order; load them again", data={"ids": found["tried"]})
        if found["tried"] != ids:
            act = act_of_call(call, owner_id, lead_source_id=source_id)
            note_act(transaction, act.with_change(field="ids", before=found["tried"], after=ids))
    return await _records(call, LEAD_ROUTES, _ROUTES, keys, owner_id, source_id)


async def order_members(call: Call) -> Response:
    """POST /teams/:id/members/order: the line-up of a team, all who have a distribution option."""
    keys = selection(OPTIONS, call.request.query)
    body = await _body(call)
    team_id, owner_id = id_in(call.ids[0]), call.caller.user_id
    team = await call.context.database.fetchrow(_TEAM, owner_id, team_id)
    if team is None:
        raise NotFound.record(call.ids[0])
    if team["owner_id"] != owner_id:
        raise Forbidden("Only the creator of a team orders its members")
    groups = _groups(body.get("line_up"), "line_up")
    seen = _groups(body["instead_of"], "instead_of") if body.get("instead_of") is not None else None
    call.require_json_accepted()
    ranked = [(user_id, rank) for rank, group in enumerate(groups, start=1) for user_id in group]
    user_ids, ranks = [user_id for user_id, _ in ranked], [rank for _, rank in ranked]
    async with call.context.database.transaction() as transaction:
        [found] = await transaction.fetch(
            *statement("order_members").bind(owner_id=owner_id, team_id=team_id, user_ids=user_ids, ranks=ranks)
        )
        if found["user_ids"] != sorted(user_ids):
            raise Conflict(
                "The line-up of this team has others by now; load it again", data={"user_ids": found["user_ids"]}
            )
        before = grouped(zip(found["old_ranks"], found["old_order"], strict=True))
        if seen is not None and _sorted(before) != _sorted(seen):
            raise Conflict("The line-up has been put in another order; load it again", data={"line_up": before})
        if _sorted(before) != _sorted(groups):
            act = act_of_call(call, owner_id, team_id)
            note_act(transaction, act.with_change(field="line_up", before=before, after=groups))
    return await _records(call, OPTIONS, _OPTIONS, keys, owner_id, team_id)


async def _body(call: Call) -> dict[str, Any]:
    data = await read_limited(call.request, 1_048_576, call.context.settings.body_timeout)
    return fields_of(call.request, data, is_new=True)


def _sorted(groups: Groups) -> Groups:
    """Within a rank there is no order."""
    return [sorted(group) for group in groups]


def _groups(given: Any, name: str) -> Groups:
    if not isinstance(given, list) or not all(isinstance(group, list) and group for group in given):
        raise Invalid.fields({name: f"{name}: {quoted(given)} was given; expected lists of ids of users in a list"})
    groups = [[_id(each, name) for each in group] for group in given]
    _must_differ([each for group in groups for each in group], name)
    return groups


def _ids(given: Any, name: str) -> list[int]:
    if not isinstance(given, list):
        raise Invalid.fields({name: f"{name}: {quoted(given)} was given; expected a list of ids"})
    ids = [_id(each, name) for each in given]
    _must_differ(ids, name)
    return ids


def _must_differ(ids: list[int], name: str) -> None:
    if len(set(ids)) != len(ids) or len(ids) > MOST:
        raise Invalid.fields({name: f"{name}: {len(ids)} ids were given; expected each once, and at most {MOST}"})


def _id(value: Any, name: str) -> int:
    try:
        taken = Id().take(value)
    except ValueError:
        raise Invalid.fields({name: f"{name}: {quoted(value)} was given; expected {Id().expected}"}) from None
    return int(taken)


async def _records(
    call: Call, resource: Resource, sql: str, keys: tuple[str, ...], owner_id: int, above_id: int
) -> Response:
    """Returns a list of records without an envelope."""
    with too_large_refused():
        records: bytes | None = await call.context.database.fetchval(
            f"SELECT {page_sql(sql % columns(resource, keys))}", owner_id, above_id
        )
    return Response(200, b"[%b]" % (records or b""))
