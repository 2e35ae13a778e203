"""SPEAKS JSON: the API. `application()` makes it, `paths()` lists every path that it answers."""

from typing import Any

from leadroutes.api.asgi import Api
from leadroutes.api.auth import callers_of
from leadroutes.api.call import Context
from leadroutes.api.count_cache import CountCache
from leadroutes.api.docs import DESCRIPTION
from leadroutes.api.operations import OPERATIONS, ApiPath, collect
from leadroutes.api.own_leads import claimed_leads_of, lead_owners_of, own_leads_of
from leadroutes.api.resources import RESOURCES
from leadroutes.api.router import Router
from leadroutes.engine.engine import Engine
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.security.throttle import PasswordThrottle
from leadroutes.settings import Settings
from leadroutes.store.commits import WriteGroupCommit
from leadroutes.store.lists import ListQueries
from leadroutes.store.pipeline import read_pipeline
from leadroutes.store.postgres import Database


def application(database: Database, engine: Engine, arrivals: Arrivals, settings: Settings) -> Any:
    """The ASGI application of all that the API answers; it answers 404 to everything else."""
    totals = CountCache()
    database.listener.forget_when_reconnected(totals.forget)
    context = Context(
        database=database,
        engine=engine,
        arrivals=arrivals,
        settings=settings,
        callers=callers_of(database),
        own_leads=own_leads_of(database),
        claimed_leads=claimed_leads_of(database),
        lead_owners=lead_owners_of(database),
        records=read_pipeline(database),
        lists=ListQueries(database, settings.pool_size),
        totals=totals,
        throttle=PasswordThrottle(),
        creations={each.path: WriteGroupCommit(database) for each in RESOURCES if each.is_plain},
    )
    return Api(context, Router(_paths()))


def paths() -> list[str]:
    """Every declared path, with :id and :key for what varies."""
    return sorted(_paths())


def _paths() -> dict[str, ApiPath]:
    return collect((*OPERATIONS, *DESCRIPTION))
