"""Arrivals as a person sees and corrects them: what came as text, what was read in it, what is to be read instead.

What came in is never changed: a correction is stored beside it, and is what a replay reads.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import asyncpg
import msgspec

from leadroutes.domain.audit_row import AuditRow
from leadroutes.errors import Conflict, Invalid, NotFound
from leadroutes.ingest.reader import BodyReader, IncomingBody
from leadroutes.intake.decoding import decode
from leadroutes.store import statement
from leadroutes.store.audit import note_act
from leadroutes.store.postgres import Database, Transaction

FIELDS: Final = (
    "first_name", "last_name", "email", "phone", "message", "type", "price", "mls_id", "street_address", "city",
    "state", "zipcode",
)  # fmt: skip
"""What may be corrected field by field, by the names of an inquiry."""
FIELDS_FORMAT: Final = "zapier"
LONGEST_SHOWN: Final = 65_536  # characters of a body
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def as_corrected(incoming_body: IncomingBody, row: Mapping[str, Any] | asyncpg.Record) -> IncomingBody:
    """Returns what is read in place of the body if the arrival has been corrected, else the body.

    The owner vouches for a correction, so it needs no proof of the sender.
    """
    if row["correction"] is None:
        return incoming_body
    headers = dict(incoming_body.headers)
    if row["correction_type"] is not None:
        headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        headers["content-type"] = row["correction_type"]
    return replace(
        incoming_body,
        body=row["correction"],
        headers=headers,
        format=row["correction_format"] or incoming_body.format,
        is_authenticated=True,
    )


async def correct(
    database: Database,
    owner_id: int,
    arrival_id: int,
    given: Mapping[str, Any],
    user_id: int,
    act: AuditRow | None = None,
) -> None:
    """Stores a correction, in place of an earlier one.

    `given` has `fields` (texts by the names in FIELDS), or `body` (a text) and perhaps `content_type`. Raises Invalid,
    NotFound, and Conflict for an arrival that has its lead already or whose body has been removed.
    """
    correction, format_, type_ = _correction(given)

    async def work(transaction: Transaction) -> None:
        values = {"owner_id": owner_id, "arrival_id": arrival_id, "now": transaction.now, "user_id": user_id}
        row = await transaction.fetchrow(
            *statement("correct_arrival").bind(correction=correction, format=format_, type=type_, **values)
        )
        _must_be_open(row, arrival_id, "corrected")
        note_act(transaction, act)

    await database.run(work)


def _correction(given: Mapping[str, Any]) -> tuple[bytes, str | None, str | None]:
    fields, body, type_ = given.get("fields"), given.get("body"), given.get("content_type")
    if (fields is None) == (body is None):
        raise Invalid.fields({"fields": "fields or body is required, and not both"})
    if fields is not None:
        return msgspec.json.encode(_texts(fields)), FIELDS_FORMAT, "application/json"
    if not isinstance(body, str) or not body.strip():
        raise Invalid.fields({"body": "body: expected the text that is to be read instead"})
    if type_ is not None and not (isinstance(type_, str) and re.fullmatch(r"[\x20-\x7e]{1,200}", type_)):
        raise Invalid.fields({"content_type": "content_type: expected a media type such as application/json"})
    return body.encode("utf-8", "replace"), None, type_


def _texts(fields: Any) -> dict[str, str]:
    if not isinstance(fields, dict):
        raise Invalid.fields({"fields": f"fields: expected an object with some of {', '.join(FIELDS)}"})
    faults = {
        name: f"fields.{name}: expected one of {', '.join(FIELDS)}"
        if name not in FIELDS
        else f"fields.{name}: expected a text"
        for name, value in fields.items()
        if name not in FIELDS or isinstance(value, bool) or not isinstance(value, str | int | Decimal | None)
    }
    if faults:
        raise Invalid.fields(faults)
    return {name: str(value) for name, value in fields.items() if value not in (None, "")}


async def set_handled(
    database: Database,
    owner_id: int,
    arrival_id: int,
    user_id: int,
    *,
    is_handled: bool,
    act: AuditRow | None = None,
) -> None:
    """Notes that nothing remains to be done about a rejected arrival, or takes that back. Idempotent.

    Raises NotFound, and Conflict for an arrival that is not rejected.
    """

    async def work(transaction: Transaction) -> None:
        values = {"owner_id": owner_id, "arrival_id": arrival_id, "now": transaction.now, "user_id": user_id}
        row = await transaction.fetchrow(*statement("set_arrival_handled").bind(is_handled=is_handled, **values))
        if row is None:
            raise NotFound.record(arrival_id)
        if row["status"] != "rejected":
            raise Conflict(f"The arrival {arrival_id} is {row['status']}; only rejected ones are marked as handled")
        note_act(transaction, act)

    await database.run(work)


def _must_be_open(row: asyncpg.Record | None, arrival_id: int, done: str) -> None:
    if row is None:
        raise NotFound.record(arrival_id)
    if row["status"] not in ("rejected", "pending"):
        raise Conflict(f"The arrival {arrival_id} is {row['status']}; only rejected and pending ones are {done}")
    if row["emptied_at"] is not None:
        raise Conflict(f"The body of the arrival {arrival_id} has been removed")


async def show_reading(database: Database, owner_id: int, arrival_id: int) -> dict[str, Any]:
    """Returns an arrival as it came and as it is read, both as text that is safe to show.

    `raw` is null once the body has been removed. The vendor's secrets are not asked for, and no vendor is.
    """
    row = await database.fetchrow(*statement("load_arrival").bind(owner_id=owner_id, arrival_id=arrival_id))
    if row is None:
        raise NotFound.record(arrival_id)
    headers = msgspec.json.decode(row["headers"], type=dict[str, str])
    shown: dict[str, Any] = {
        "status": row["status"],
        "reason": row["reason"],
        "format": row["format"],
        "content_type": next((value for name, value in headers.items() if name.lower() == "content-type"), None),
        "headers": {_shown(name): _shown(value) for name, value in headers.items()},
        "raw": None,
        "is_cut": False,
        "correction": None,
        "read": [],
        "refusals": [],
    }
    if row["emptied_at"] is not None:
        return shown
    largest = max(len(row["body"]), len(row["correction"] or b""), 1)
    incoming_body = IncomingBody(
        owner_id=owner_id, body=row["body"], headers=headers, format=row["key_format"] or row["format"],
        limit=largest, mail_limit=largest,
    )  # fmt: skip
    reading = (await BodyReader(None).read(as_corrected(incoming_body, row))).reading
    raw = decode(row["body"])
    return shown | {
        "format": reading.format or row["format"],
        "raw": _shown(raw[:LONGEST_SHOWN]),
        "is_cut": len(raw) > LONGEST_SHOWN,
        "correction": None if row["correction"] is None else _shown(decode(row["correction"])[:LONGEST_SHOWN]),
        "read": [each.as_json() for each in reading.inquiries[:100]],
        "refusals": [{"why": each.why, "detail": each.detail} for each in reading.refusals[:100]],
    }


def _shown(text: str) -> str:
    """Returns the text without what would act on a terminal or turn the direction of writing."""
    return _CONTROLS.sub("\ufffd", text)
