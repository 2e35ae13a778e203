"""What happened with a lead or a contact, what will be sent to the contact, and what waits for the caller.

Reads only.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

import re

import msgspec

from leadroutes.api.brackets import parse
from leadroutes.api.call import Call, Response
from leadroutes.api.contact_calls import CONTACTS, contact_access
from leadroutes.api.lead_calls import encoded, lead_access
from leadroutes.api.query import requested_page, selection
from leadroutes.api.reads import too_large_refused
from leadroutes.api.resources import BY_PATH
from leadroutes.api.sql_parts import columns
from leadroutes.api.statements import page_sql
from leadroutes.api.values import quoted
from leadroutes.errors import Forbidden, Invalid
from leadroutes.store import joined, statement

PAGE = 50
COMMUNICATIONS = BY_PATH["/contact-communications"]
INBOX = {  # its lists, with the statements that make them, in one round trip
    "offers": "list_inbox_offers", "leads": "list_inbox_leads", "tasks": "list_inbox_tasks",
    "calls": "list_inbox_calls", "invitations": "list_invitations_of",
}  # fmt: skip

_KEY = re.compile("([0-9]{1,18})-([0-9])-([0-9]{1,18})", re.ASCII)
_SEES_CONTACT = f"SELECT t.id FROM contacts t WHERE t.owner_id = $2 AND t.id = $3 AND ({CONTACTS.visible})"
_UPCOMING = (
    f"SELECT %s FROM {COMMUNICATIONS.from_clause} WHERE $1::bigint IS NOT NULL AND t.owner_id = $2"
    f" AND t.contact_id = $3 AND t.is_active ORDER BY t.send_at, t.id LIMIT {PAGE}"
)


async def timeline_of_lead(call: Call) -> Response:
    """GET /leads/:id/timeline: for those who see all of the lead; of its contact, what they see of that."""
    before = _before(call.request.query)
    lead_id, access = await lead_access(call)
    if not access["sees_all"]:
        raise Forbidden("Claim the lead to see its timeline")
    contact_id = await call.context.database.fetchval(
        _SEES_CONTACT, call.caller.user_id, access["owner_id"], access["contact_id"]
    )
    return await _timeline(call, access["owner_id"], [lead_id], contact_id, before)


async def timeline_of_contact(call: Call) -> Response:
    """GET /contacts/:id/timeline: with all leads of the contact."""
    before = _before(call.request.query)
    contact_id, access = await contact_access(call)
    rows = await call.context.database.fetch(
        *statement("list_leads_of_contact").bind(owner_id=access["owner_id"], contact_id=contact_id)
    )
    return await _timeline(call, access["owner_id"], [row["id"] for row in rows], contact_id, before)


def _before(query: str) -> tuple[int | None, int | None, int | None]:
    """Returns the key before which the page ends; nulls for the newest page."""
    given = parse(query, only="$before").get("$before") if query else None
    if given is None:
        return None, None, None
    found = _KEY.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise Invalid(f"$before: {quoted(given)} was given; expected `next` of the page before")
    micros, place, row_id = map(int, found.groups())
    return micros, place, row_id


async def _timeline(
    call: Call,
    owner_id: int,
    lead_ids: list[int],
    contact_id: int | None,
    before: tuple[int | None, int | None, int | None],
) -> Response:
    call.require_json_accepted()
    micros, place, row_id = before
    rows = await call.context.database.fetch(
        *statement("list_timeline").bind(
            owner_id=owner_id,
            lead_ids=lead_ids,
            contact_id=contact_id,
            reader_id=call.caller.user_id,
            before_micros=micros,
            before_place=place,
            before_id=row_id,
            most=PAGE + 1,
        )
    )
    shown = rows[:PAGE]
    keys = [f"{row['micros']}-{row['place']}-{row['id']}" for row in shown]
    names = ("at", "kind", "lead_id", "user_id", "by_user_id")
    data = [
        {"key": key, **{name: row[name] for name in names}, "detail": msgspec.Raw((row["detail"] or "null").encode())}
        for key, row in zip(keys, shown, strict=True)
    ]
    return Response(200, encoded({"data": data, "next": keys[-1] if len(rows) > PAGE else None}))


async def upcoming(call: Call) -> Response:
    """GET /contacts/:id/upcoming: the messages that campaigns will send to the contact, the next one first."""
    keys = selection(COMMUNICATIONS, call.request.query)
    contact_id, access = await contact_access(call)
    call.require_json_accepted()
    sql = f"SELECT {page_sql(_UPCOMING % columns(COMMUNICATIONS, keys))}"
    with too_large_refused():
        records = await call.context.database.fetchval(sql, call.caller.user_id, access["owner_id"], contact_id)
    return Response(200, b"[%b]" % (records or b""))


async def inbox(call: Call) -> Response:
    """GET /inbox: offers that the caller can claim, leads to be in touch about, tasks and calls due, invitations.

    $limit says how many of each but the invitations, which are those of whoever acts.
    """
    call.require_json_accepted()
    limit, _ = requested_page(call.request.query)
    caller, database = call.caller, call.context.database
    bound = joined(*INBOX.values()).bind(
        user_id=caller.user_id, person_id=caller.person_id, most=limit, now=database.clock.now()
    )
    row = await database.fetchrow(*bound)
    assert row is not None
    answer = {name: msgspec.Raw(row[made_by].encode()) for name, made_by in INBOX.items()}
    return Response(200, msgspec.json.encode(answer))
