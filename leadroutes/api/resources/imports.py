"""Imports of past leads: files that are stored, checked and imported in the background."""

from typing import Any

import msgspec

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.common import computed, created_at, flag, nested, record_id, text
from leadroutes.api.values import Bool, Choice, Integer, Moment, NamedTexts
from leadroutes.errors import Conflict
from leadroutes.intake.csv_dates import EXPECTED, table_time
from leadroutes.intake.csv_headings import IGNORE, MEANINGS

STATES = ("stored", "checking", "checked", "importing", "done", "failed")
UNDER_WAY = ("checking", "importing")
_FILE = "FROM import_files f WHERE f.owner_id = t.owner_id AND f.import_id = t.id"
_HEADINGS = {
    "type": ["array", "null"],
    "items": {
        "type": "object",
        "properties": {
            "heading": {"type": "string"},
            "meaning": {"type": ["string", "null"]},
            "samples": {"type": "array", "items": {"type": "string"}},
        },
    },
}
_RESULT = {
    "type": ["object", "null"],
    "properties": {
        name: {"type": "integer"}
        for name in ("rows", "imported", "known", "mended", "routed", "joined", "unsubscribed", "rejected", "warnings")
    }
    | {"is_check": {"type": "boolean"}},
}
_PROBLEMS = {
    "type": ["array", "null"],
    "items": {
        "type": "object",
        "properties": {"line": {"type": "integer"}, "row": {"type": "integer"}}
        | {name: {"type": ["string", "null"]} for name in ("why", "expected", "column", "value")},
    },
}


class ImportBehaviour(Behaviour):
    """What a column means is changed until the import begins; one that is under way is not removed."""

    def normalize(self, record: dict[str, Any]) -> Errors:
        """The columns are JSON in the database; those of the record that was read are so already."""
        errors = {}
        columns = record["columns"]
        if isinstance(columns, dict):
            wrong = [meaning for meaning in columns.values() if meaning != IGNORE and meaning not in MEANINGS]
            if wrong:
                expected = ", ".join((*MEANINGS, IGNORE))
                errors["columns"] = f"columns: {wrong[0][:60]!r} was given; expected one of {expected}"
            record["columns"] = msgspec.json.encode(columns).decode()
        elif columns is None:
            record["columns"] = "{}"
        given = record["received_at"]
        if given is not None and table_time(given) is None:
            errors["received_at"] = f"received_at: {given[:60]!r} was given; expected {EXPECTED}"
        return errors

    async def validate(self, writing: Writing, _found: Errors) -> Errors:
        await _must_rest(writing, ("stored", "checked", "failed"), "changed")
        return {}

    async def before_delete(self, writing: Writing) -> None:
        await _must_rest(writing, tuple(each for each in STATES if each not in UNDER_WAY), "removed")


async def _must_rest(writing: Writing, states: tuple[str, ...], done: str) -> None:
    """The row is locked, so its state stays until the end of the transaction."""
    state = await writing.transaction.fetchval(
        "SELECT state FROM imports WHERE owner_id = $1 AND id = $2", writing.owner_id, writing.id
    )
    if state not in states:
        raise Conflict(f"The import is {state}; it is {done} while it is {', '.join(states)}")


IMPORTS = Resource(
    path="/imports",
    noun="an import",
    page_about="Files of past leads: CSV of up to 50 MB and 100,000 rows, which are checked and imported in the"
    " background. The body of a POST is the file.",
    table="imports",
    fields=(
        record_id(),
        text("file_name", 255),
        Field("state", Choice(STATES), null=False),
        Field("columns", NamedTexts(40), write=Write.ALWAYS, filterable=False, null=False, shows="t.columns",
              schema={"type": "object", "additionalProperties": {"type": "string"}},
              note=f"what headings mean: heading -> one of {', '.join((*MEANINGS, IGNORE))}; those that are not named"
              " mean what they are recognised as"),
        text("received_at", 100, filterable=False, note="the date of rows that name none"),
        flag("routes_recent", note="whether leads of the last 24 hours are routed; all others are history"),
        Field("rows_total", Integer(), null=False),
        Field("rows_done", Integer(), null=False),
        nested("result", "t.result", _RESULT),
        nested("problems", f"(SELECT f.problems {_FILE})", _PROBLEMS),
        nested("headings", f"(SELECT f.headings {_FILE})", _HEADINGS),
        computed("has_file", Bool(), f"EXISTS (SELECT {_FILE})", null=False, filterable=False,
                 note="false: it is no longer stored, as it was long ago or a person was erased"),
        Field("reason", text("reason", None).kind, filterable=False, note="why it failed"),
        created_at(),
        Field("started_at", Moment()),
        Field("finished_at", Moment()),
    ),
    methods="LGPD",
    behaviour=ImportBehaviour(),
)  # fmt: skip
