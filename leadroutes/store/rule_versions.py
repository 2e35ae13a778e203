"""The versions of an owner's rules: what each of them changed, who made it and when. The database records them itself.

Only what the rows mean is decided elsewhere.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from leadroutes.domain.rule_fields import KINDS
from leadroutes.domain.rule_records import Record
from leadroutes.store import statement
from leadroutes.store.postgres import Database, Transaction

MOST_LISTED = 200  # changed records of one version that a list reads

# Where acts change rules: by the beginning of the path of the API.
CHANGES_RULES = (
    "/lead-routes",
    "/teams",
    "/team-member",
    "/listing-agents",
    "/campaigns",
    "/rules",
    "/users",
    "/example-brokerage",
)

ChangedRecords = dict[tuple[str, int], tuple[Record | None, Record | None]]  # by kind and id: before and after
_FIELDS = {
    kind.name: (*(each.name for each in kind.fields), "id", "team_id", "user_id", "campaign_id") for kind in KINDS
}


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """`previous` is the number of the version before; 0: there is none. `is_whole`: `changed` has all of it."""

    number: int
    at: datetime
    user_id: int | None
    previous: int
    changed: ChangedRecords
    is_whole: bool = True


def sign_versions(transaction: Transaction, user_id: int) -> None:
    """Has it noted at the end of the transaction who has made the versions that it makes, if it makes any."""
    sql, *values = statement("sign_versions").bind(user_ids=user_id, moments=transaction.now)
    transaction.last_rows.setdefault(sql, [values])


async def list_versions(source: Database | Transaction, owner_id: int, *, most: int, skip: int) -> list[RuleVersion]:
    """Returns versions, newest first."""
    rows = await source.fetch(
        *statement("list_rule_versions").bind(owner_id=owner_id, most=most, skip=skip, most_changes=MOST_LISTED)
    )
    found: dict[int, RuleVersion] = {}
    counts: dict[int, int] = {}
    for row in rows:
        number = row["number"]
        version = found.setdefault(number, RuleVersion(number, row["at"], row["user_id"], row["previous"], {}))
        counts[number] = counts.get(number, 0) + 1
        if row["kind"] is not None:
            key = (row["kind"], row["record_id"])
            before = version.changed[key][0] if key in version.changed else _record(row["kind"], row["before"])
            version.changed[key] = before, _record(row["kind"], row["after"])
    return [replace(each, is_whole=counts[each.number] < MOST_LISTED) for each in found.values()]


async def count_versions(source: Database | Transaction, owner_id: int) -> int:
    count: int = await source.fetchval("SELECT count(*) FROM rule_versions WHERE owner_id = $1", owner_id)
    return count


async def find_version(source: Database | Transaction, owner_id: int, number: int) -> asyncpg.Record | None:
    """Returns number, at, user_id, previous of the version that a rule set belongs to.

    What is not part of the rules, such as a member's phone, gives a rule set a number without making a version.
    """
    return await source.fetchrow(*statement("find_rule_version").bind(owner_id=owner_id, number=number))


async def load_changes(
    source: Database | Transaction, owner_id: int, *, after: int, until: int | None = None
) -> ChangedRecords:
    """Returns every record that changed after a version, up to another one or now, as it was before and is after."""
    rows = await source.fetch(*statement("load_rule_changes").bind(owner_id=owner_id, after=after, until=until))
    return {
        (row["kind"], row["record_id"]): (_record(row["kind"], row["before"]), _record(row["kind"], row["after"]))
        for row in rows
    }


def _record(kind: str, text: str | None) -> Record | None:
    """Returns the declared fields of a row; those that it did not have yet are missing."""
    if text is None:
        return None
    row: dict[str, Any] = msgspec.json.decode(text)
    return {name: row[name] for name in _FIELDS.get(kind, ()) if name in row}
