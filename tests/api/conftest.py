"""A town whose people talk to the whole API, in-process, over a database of their own."""

import pytest

from leadroutes import api
from leadroutes.arrivals import Arrivals
from leadroutes.engine import Engine
from leadroutes.settings import Settings
from tests.town import Town


@pytest.fixture
async def town(database):
    engine = Engine(database)
    arrivals = Arrivals(engine)
    yield await Town.found(database, api.application(database, engine, arrivals, Settings()))
    await arrivals.close()
