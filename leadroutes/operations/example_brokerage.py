"""The example brokerage: a few people, a team, routes and a campaign to look at, before the first real lead comes.

What it has added to an account is noted, so that it can be removed as a whole. Its people have no sign-in, and nothing
is sent to them.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import asyncpg
import msgspec

from leadroutes.domain.audit_row import AuditRow
from leadroutes.engine.departures import withdraw_from_team
from leadroutes.errors import Conflict
from leadroutes.operations.brokerage_file import BrokerageFile, read_brokerage
from leadroutes.operations.load_brokerage import load_within
from leadroutes.store import statement
from leadroutes.store.accounts import revoke_credentials
from leadroutes.store.audit import note_act
from leadroutes.store.postgres import Database, Transaction

# In this order: what refers to others is removed before these.
KINDS: Final = ("lead_routes", "campaigns", "templates", "template_folders", "teams", "contact_sources")
Records = dict[str, list[int]]


async def load_example(database: Database, owner_id: int, act: AuditRow | None = None) -> Records:
    """Loads the example into an account, and returns the ids of what it has added, by kind.

    Raises Conflict where it is loaded already, or a real lead has come.
    """

    async def work(transaction: Transaction) -> Records:
        await transaction.execute(*statement("lock_user").bind(user_id=owner_id))
        state = await _state(transaction, owner_id)
        if state["records"] is not None:
            raise Conflict("The example brokerage is loaded already")
        if state["has_leads"]:
            raise Conflict("The example brokerage can be loaded before the first real lead only")
        before = await _ids(transaction, owner_id)
        example = _example(owner_id)
        await load_within(transaction, example, state["email"])
        added = _difference(await _ids(transaction, owner_id), before)
        rows = await transaction.fetch(
            *statement("find_users_by_email").bind(emails=[each.email for each in example.users])
        )
        added["users"] = sorted(row["id"] for row in rows)
        await transaction.execute(
            *statement("note_example").bind(
                owner_id=owner_id, records=msgspec.json.encode(added).decode(), now=transaction.now
            )
        )
        note_act(transaction, act)
        return added

    return await database.run(work)


def _example(owner_id: int) -> BrokerageFile:
    """Returns the example with people of its own for each owner: no two accounts have the same e-mail."""
    text = files(__package__).joinpath("example_brokerage.json").read_text(encoding="utf-8")
    return read_brokerage(text.replace("{owner}", str(owner_id)).encode())


async def show_example(database: Database, owner_id: int) -> dict[str, Any]:
    """Returns whether the example is loaded, whether it can be, and how many records of each kind it has added."""
    async with database.transaction() as transaction:
        state = await _state(transaction, owner_id)
    records = state["records"]
    return {
        "is_loaded": records is not None,
        "can_be_loaded": records is None and not state["has_leads"],
        "records": {kind: len(ids) for kind, ids in (_decoded(records) if records else {}).items()},
    }


async def remove_example(database: Database, owner_id: int, act: AuditRow | None = None) -> dict[str, int]:
    """Removes what the example has added. Returns how many records of each kind are gone.

    Test leads go with it. People to whom a real lead was offered stay as closed accounts. Idempotent. Raises Conflict
    where something that is not the example's uses a part of it.
    """

    async def work(transaction: Transaction) -> dict[str, int]:
        await transaction.execute(*statement("lock_user").bind(user_id=owner_id))
        records = (await _state(transaction, owner_id))["records"]
        if records is None:
            return {}
        ids = _decoded(records)
        await transaction.execute(*statement("delete_test_leads").bind(owner_id=owner_id))
        for team_id in ids.get("teams", []):
            await withdraw_from_team(transaction, owner_id, team_id, owner_id)
        gone = {kind: await _delete(transaction, owner_id, kind, ids.get(kind, [])) for kind in KINDS}
        gone["users"] = sum([await _remove_user(transaction, user_id) for user_id in ids.get("users", [])])
        await transaction.execute(*statement("forget_example").bind(owner_id=owner_id))
        note_act(transaction, act)
        return gone

    return await database.run(work)


async def _delete(transaction: Transaction, owner_id: int, kind: str, ids: list[int]) -> int:
    try:
        deleted: int = await transaction.fetchval(*statement(f"delete_{kind}").bind(owner_id=owner_id, ids=ids))
    except asyncpg.ForeignKeyViolationError as error:
        what, by = kind.replace("_", " "), (error.table_name or "").replace("_", " ")
        raise Conflict(f"One of the {what} of the example is used by {by} of yours; change these first") from None
    return deleted


async def _remove_user(transaction: Transaction, user_id: int) -> bool:
    """Returns whether the user is gone; one who is named by what has happened to real leads is closed instead."""
    if await transaction.fetchval(*statement("delete_user").bind(user_id=user_id)) is not None:
        return True
    await transaction.execute(*statement("close_user").bind(user_id=user_id, now=transaction.now))
    await revoke_credentials(transaction, user_id, is_closing=True)
    return False


async def _state(transaction: Transaction, owner_id: int) -> asyncpg.Record:
    row = await transaction.fetchrow(*statement("find_example").bind(owner_id=owner_id))
    assert row is not None
    return row


async def _ids(transaction: Transaction, owner_id: int) -> Records:
    rows = await transaction.fetch(*statement("list_set_up").bind(owner_id=owner_id))
    return {row["kind"]: row["ids"] for row in rows}


def _difference(after: Mapping[str, list[int]], before: Mapping[str, list[int]]) -> Records:
    return {kind: sorted({*ids} - {*before.get(kind, ())}) for kind, ids in after.items()}


def _decoded(records: str) -> Records:
    return msgspec.json.decode(records, type=Records)
