"""Towns whose people talk to the whole API in-process: one for each test, and one that all tables share."""

import contextlib
import os

import pytest

from leadroutes import api
from leadroutes.engine.engine import Engine
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from tests.support.catalog import Catalog
from tests.support.databases import administer, with_database
from tests.support.town import Town

SETTINGS = Settings(public_url="https://leads.example", body_timeout=0.2)


@pytest.fixture
async def town(database):
    engine = Engine(database)
    arrivals = Arrivals(engine)
    yield await Town.create(database, api.application(database, engine, arrivals, SETTINGS))
    await arrivals.close()


@pytest.fixture(scope="session")
async def shared(server_url, template):
    """A town for tests that leave nothing behind that another one could notice. Erin writes, no one reads Erin's."""
    async with _town(server_url, template, f"leadroutes_api_{os.getpid()}") as town:
        await town.add_user("erin", is_broker=True, is_admin=True)
        yield town


@pytest.fixture(scope="session")
async def open_town(server_url, template):
    """One more of that kind, in which everything may be shared."""
    async with _town(server_url, template, f"leadroutes_open_{os.getpid()}") as town:
        yield town


@contextlib.asynccontextmanager
async def _town(server_url, template, name):
    await administer(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    database = await Database.open(Settings(), url=with_database(server_url, name))
    await database.load_clock()
    engine = Engine(database)
    arrivals = Arrivals(engine)
    yield await Town.create(database, api.application(database, engine, arrivals, SETTINGS))
    await arrivals.close()
    await database.close()
    await administer(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
async def catalog(shared):
    """One record of every resource, Alice's, in the shared town."""
    return await Catalog.build(shared)


@pytest.fixture(scope="session")
async def spare_catalog(server_url, template):
    """One more, in a town of its own, for tests that change whatever they find."""
    async with _town(server_url, template, f"leadroutes_spare_{os.getpid()}") as town:
        yield await Catalog.build(town)
