"""When a token was last used is noted beside the requests: one row version a minute, however many calls there are."""

import asyncio
import hashlib
from typing import cast

from leadroutes.api.auth import authenticate, callers_of
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from leadroutes.store.token_uses import TokenUses
from tests.support.town import Town

ROW = "SELECT xmin::text AS version, last_used_at FROM access_tokens WHERE token_hash = $1"


def digest(town: Town, name: str) -> bytes:
    return hashlib.sha256(town.tokens[name].encode()).digest()


async def until_noted(database: Database, key: bytes) -> None:
    unused = "SELECT last_used_at IS NULL FROM access_tokens WHERE token_hash = $1"
    while await database.fetchval(unused, key):  # noqa: ASYNC110 -- it is noted beside the answer
        await asyncio.sleep(0.01)


async def test_a_hundred_calls_within_a_minute_write_once(database: Database) -> None:
    town = await Town.create(database)
    callers, key = callers_of(database), digest(town, "bob")
    await authenticate(callers, town.tokens["bob"])
    await until_noted(database, key)
    first = await database.fetchrow(ROW, key)
    for _ in range(100):
        await authenticate(callers, town.tokens["bob"])
    assert await database.fetchrow(ROW, key) == first
    assert await database.fetchval(ROW.replace("xmin::text AS version, ", ""), digest(town, "carol")) is None


async def test_a_use_after_a_minute_is_noted_again(database: Database) -> None:
    town = await Town.create(database)
    uses, key = TokenUses(database), digest(town, "bob")
    uses.note([key])
    await uses.noted()
    await database.execute("UPDATE access_tokens SET last_used_at = last_used_at - interval '61 seconds'")
    before = await database.fetchval("SELECT last_used_at FROM access_tokens WHERE token_hash = $1", key)
    await authenticate(callers_of(database), town.tokens["bob"])
    unchanged = "SELECT last_used_at = $2 FROM access_tokens WHERE token_hash = $1"
    while await database.fetchval(unchanged, key, before):  # noqa: ASYNC110 -- as above
        await asyncio.sleep(0.01)


async def test_many_tokens_share_a_statement(database: Database) -> None:
    town = await Town.create(database)
    uses = TokenUses(database)
    uses.note(digest(town, name) for name in town.tokens)
    await uses.noted()
    versions = await database.fetch("SELECT xmin::text AS version FROM access_tokens")
    assert len(versions) == 4
    assert len({row["version"] for row in versions}) == 1


async def test_after_a_use_that_cannot_be_stored_none_is_stored_for_a_minute() -> None:
    tried = []

    class Unreachable:
        """A database, and its pool, whose connections are lost."""

        async def execute(self, _sql: str, hashes: list[bytes]) -> None:
            tried.append(hashes)
            raise OSError

        @property
        def pool(self) -> "Unreachable":
            return self

    uses = TokenUses(cast("Database", Unreachable()))
    for _ in range(3):
        uses.note([b"a", b"b", b"a"])
        await uses.noted()
    assert tried == [[b"a", b"b"]]


async def test_where_nothing_can_be_written_callers_are_found_and_no_use_is_due(
    database: Database, database_url: str
) -> None:
    """A standby: what is read there works, and nothing is written that it would refuse."""
    town = await Town.create(database)
    mark = "&" if "?" in database_url else "?"
    copy = await Database.open(Settings(), url=f"{database_url}{mark}options=-cdefault_transaction_read_only%3Don")
    try:
        callers = callers_of(copy)
        for _ in range(3):
            assert (await authenticate(callers, town.tokens["bob"])).user_id == town.users["bob"]
    finally:
        await copy.close()
    assert await database.fetchval("SELECT count(last_used_at) FROM access_tokens") == 0
