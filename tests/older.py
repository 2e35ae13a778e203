"""Databases as an older version has left them, for the tests of migrations."""

import itertools
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

from leadroutes.settings import Settings
from leadroutes.store.migrate import migrations
from leadroutes.store.postgres import Database
from tests.support.databases import administer, with_database

_numbers = itertools.count(1)


def older_than(since: str) -> Any:
    """A fixture: a database with the migrations before this one."""

    @pytest.fixture
    async def older(server_url: str) -> AsyncIterator[Database]:
        name = f"leadroutes_before_{since}_{os.getpid()}_{next(_numbers)}"
        await administer(server_url, f'CREATE DATABASE "{name}"')
        database = await Database.open(Settings(), url=with_database(server_url, name))
        async with database.pool.acquire() as connection:
            columns = "name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp()"
            await connection.execute(f"CREATE TABLE migrations ({columns})")
            for each, sql in migrations():
                if each < since:
                    await connection.execute(sql.replace(" CONCURRENTLY", ""))
                    await connection.execute("INSERT INTO migrations (name) VALUES ($1)", each)
        await database.load_clock()
        yield database
        await database.close()
        await administer(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')

    return older
