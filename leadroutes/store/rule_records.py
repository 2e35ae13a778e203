"""Writes records of rules: all of one kind in one statement, whose columns are the fields that the domain declares.

What is to be written, and in which order, is decided elsewhere.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from leadroutes.domain.condition_fields import FIELDS, STEP_FIELDS, Compared
from leadroutes.domain.condition_words import conditions_text
from leadroutes.domain.conditions import Conditions
from leadroutes.domain.identity import comparable_mls_id
from leadroutes.domain.model import Rules
from leadroutes.domain.rule_fields import (
    BY_NAME,
    CAMPAIGN,
    LISTING_AGENT,
    OPTION,
    ROUTE,
    STEP,
    TEAM,
    RuleKind,
    RuleMoment,
)
from leadroutes.domain.rule_records import Record, Records
from leadroutes.store import statement
from leadroutes.store.postgres import Transaction
from leadroutes.store.routing import RuleSets

MOMENTS = ("created_at", "modified_at")  # of campaigns, whose records have both where they are written
_ENCODER = msgspec.json.Encoder(enc_hook=str)


async def load_present_rules(transaction: Transaction, owner_id: int) -> tuple[int, Rules]:
    """Returns the number and the rules of an owner as they are now, also within a transaction that changes them.

    A stored rule set may lack what an older version of the program did not know.
    """
    [row] = await transaction.fetch(*statement("load_rules").bind(owner_ids=[owner_id]))
    return row["number"], RuleSets.read_rules(row["rules"])


async def load_campaign_records(transaction: Transaction, owner_id: int) -> Records:
    """Returns an owner's own campaigns and their steps, which no rule set has whole."""
    found: Records = {}
    for kind, apart in ((CAMPAIGN, ()), (STEP, ("campaign_id",))):
        names = ", ".join(("id", *apart, *(each.name for each in kind.fields)))
        sql = f"SELECT coalesce(json_agg(x), '[]')::text FROM (SELECT {names} FROM {kind.name} WHERE owner_id = $1) x"
        records = msgspec.json.decode(await transaction.fetchval(sql, owner_id))
        found[kind.name] = {each["id"]: _with_moments(kind, each) for each in records}
    return found


def _with_moments(kind: RuleKind, record: Record) -> Record:
    given = {each.name: record[each.name] for each in kind.fields if isinstance(each.kind, RuleMoment)}
    return record | {name: datetime.fromisoformat(value) for name, value in given.items() if value is not None}


async def lock_rules(transaction: Transaction, owner_id: int) -> None:
    """Makes all other changes of the owner's rules wait until the transaction ends."""
    await transaction.execute(*statement("lock_user").bind(user_id=owner_id))
    await transaction.execute("SET CONSTRAINTS ALL DEFERRED")  # routes may exchange their names


async def find_number(transaction: Transaction, owner_id: int) -> int:
    """Returns the number of the present rule set."""
    number: int = await transaction.fetchval("SELECT rules_version FROM users WHERE id = $1", owner_id)
    return number


async def existing_users(transaction: Transaction, user_ids: Iterable[int]) -> set[int]:
    """Returns which of these users are there."""
    rows = await transaction.fetch("SELECT id FROM users WHERE id = ANY ($1::bigint[])", sorted(user_ids))
    return {row["id"] for row in rows}


async def new_ids(transaction: Transaction, kind: RuleKind, count: int) -> list[int]:
    """Returns ids for new records."""
    sql = "SELECT nextval(pg_get_serial_sequence($1, 'id')) AS id FROM generate_series(1, $2::integer)"
    rows = await transaction.fetch(sql, kind.name, count)
    return [row["id"] for row in rows]


async def taken_ids(transaction: Transaction, kind: RuleKind, ids: Collection[int]) -> set[int]:
    """Returns which ids belong to records, whoever their owner is."""
    rows = await transaction.fetch(f"SELECT id FROM {BY_NAME[kind.name].name} WHERE id = ANY ($1::bigint[])", list(ids))
    return {row["id"] for row in rows}


async def insert_records(transaction: Transaction, kind: RuleKind, owner_id: int, records: Iterable[Record]) -> None:
    """Adds records under the ids that they have."""
    if rows := [_row(kind, each) for each in records]:
        await transaction.execute(_insert_sql(kind), owner_id, _ENCODER.encode(rows).decode())


async def update_records(transaction: Transaction, kind: RuleKind, owner_id: int, records: Iterable[Record]) -> None:
    """Gives records new values of all their fields."""
    if rows := [_row(kind, each) for each in records]:
        await transaction.execute(_update_sql(kind), owner_id, _ENCODER.encode(rows).decode())


async def delete_records(transaction: Transaction, kind: RuleKind, owner_id: int, ids: Collection[int]) -> None:
    if ids:
        sql = f"DELETE FROM {BY_NAME[kind.name].name} WHERE owner_id = $1 AND id = ANY ($2::bigint[])"
        await transaction.execute(sql, owner_id, list(ids))


_APART: Mapping[str, tuple[str, ...]] = {OPTION.name: ("team_id", "user_id"), STEP.name: ("campaign_id",)}
_DERIVED: Mapping[str, tuple[str, ...]] = {
    ROUTE.name: ("conditions_text",),
    LISTING_AGENT.name: ("mls_key",),
    CAMPAIGN.name: ("name_key", *MOMENTS),
    STEP.name: ("conditions_text",),
}


def _columns(kind: RuleKind) -> tuple[str, ...]:
    return ("id", *_APART.get(kind.name, ()), *(each.name for each in kind.written), *_DERIVED.get(kind.name, ()))


def _insert_sql(kind: RuleKind) -> str:
    names = _columns(kind)
    values = ", ".join(f"x.{name}" for name in names)
    return (
        f"INSERT INTO {kind.name} (owner_id, {', '.join(names)})"
        f" SELECT $1, {values} FROM json_populate_recordset(NULL::{kind.name}, $2::json) x"
    )


def _update_sql(kind: RuleKind) -> str:
    names = [each for each in _columns(kind)[1:] if each != "created_at"]
    changes = ", ".join(f"{name} = x.{name}" for name in names)
    return (
        f"UPDATE {kind.name} t SET {changes} FROM json_populate_recordset(NULL::{kind.name}, $2::json) x"
        " WHERE t.owner_id = $1 AND t.id = x.id"
    )


def _row(kind: RuleKind, record: Record) -> dict[str, Any]:
    """Returns the columns as the API stores them: no zipcodes are null, and conditions have their sentence."""
    row: dict[str, Any] = {name: record.get(name) for name in _columns(kind)}
    if kind is TEAM:
        row["distribution_zipcodes"] = row["distribution_zipcodes"] or None
    if kind in (ROUTE, STEP):
        row["conditions_text"] = _sentence(row["conditions"], FIELDS if kind is ROUTE else STEP_FIELDS)
    if kind is CAMPAIGN:
        row["name_key"] = row["name"].casefold()
    if kind is LISTING_AGENT:
        row["mls_key"] = comparable_mls_id(row["mls_id"])
    return row


def _sentence(conditions: Mapping[str, Any] | None, fields: Mapping[str, Compared]) -> str | None:
    return conditions_text(Conditions.stored(conditions, fields)) if conditions is not None else None
