"""The statement by which events show records as their owners get them, made from the declarations of the resources.

The store runs it, and may not know the API: bin/generate writes it to a file there.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

import re
from collections.abc import Iterator
from typing import Final

from leadroutes.api.resource import Resource
from leadroutes.api.resources import BY_PATH
from leadroutes.api.resources.leads import SEES_ALL_OF_LEAD
from leadroutes.api.sql_parts import columns

LONGEST_LINE: Final = 120
HEADING: Final = """\
-- Returns records as JSON, as their owners get them at this moment, by their places, each with its lead and contact.
-- An offer is found by its lead and :user_ids. Made by bin/generate from the declarations of the API.
-- planner: per-row lookup
"""

# By kind: the resource, its lead, its contact, and how it is found.
_BY_ID = "t.owner_id = w.owner_id AND t.id = w.record_id"
_CONTACT_OF_LEAD = "(SELECT x.contact_id FROM leads x WHERE x.owner_id = t.owner_id AND x.id = t.lead_id)"
_RECORDS: Final = {
    "lead": ("/leads", "t.id", "t.contact_id", _BY_ID),
    "offer": (
        "/leads/:id/offers", "t.lead_id", _CONTACT_OF_LEAD,
        "t.owner_id = w.owner_id AND t.lead_id = w.record_id AND t.user_id = w.user_id",
    ),
    "contact": ("/contacts", "NULL::bigint", "t.id", _BY_ID),
    "message": ("/messages", "t.lead_id", f"coalesce(t.contact_id, {_CONTACT_OF_LEAD})", _BY_ID),
    "arrival": ("/arrivals", "t.lead_id", _CONTACT_OF_LEAD, _BY_ID),
}  # fmt: skip


def event_records_sql() -> str:
    """Returns the file with the statement."""
    parts = "\nUNION ALL\n".join(
        _part(kind, BY_PATH[path], lead, contact, found) for kind, (path, lead, contact, found) in _RECORDS.items()
    )
    sql = (
        "SELECT w.place, r.record, r.lead_id, r.contact_id\n"
        "FROM unnest(:places::int[], :kinds::text[], :owner_ids::bigint[], :record_ids::bigint[],\n"
        "    :user_ids::bigint[]) AS w (place, kind, owner_id, record_id, user_id)\n"
        f"CROSS JOIN LATERAL (\n{parts}\nOFFSET 0) r\n"
    )
    return HEADING + "\n".join(line for each in sql.splitlines() for line in _wrapped(each)) + "\n"


def _part(kind: str, resource: Resource, lead: str, contact: str, found: str) -> str:
    """Returns a statement for the record of one kind; in it the caller is the owner, who sees everything of it."""
    shown = columns(resource, ()).replace(SEES_ALL_OF_LEAD, "true")
    record = f"(SELECT row_to_json(r)::text FROM (SELECT {shown}) r)"
    sql = (
        f"SELECT {record} AS record, {lead} AS lead_id, {contact} AS contact_id\n"
        f"FROM {resource.from_clause}\nWHERE w.kind = '{kind}' AND {found}"
    )
    return re.sub(r"\$1\b", "w.owner_id", sql)


_WORDS = re.compile(r"""(?:'(?:[^']|'')*'|"[^"]*"|[^\s'"])+""")


def _wrapped(line: str) -> Iterator[str]:
    """Yields lines of at most 120 characters; what is in quotes is not broken."""
    found = ""
    for word in _WORDS.findall(line):
        if found and len(found) + 1 + len(word) > LONGEST_LINE:
            yield found
            found = f"    {word}"
        else:
            found = f"{found} {word}" if found else word
    yield found
