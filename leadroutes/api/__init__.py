"""The JSON API. `application()` builds it, `paths()` lists every path that it answers."""

from leadroutes.api.asgi import Api
from leadroutes.api.auth import callers_of
from leadroutes.api.call import Context
from leadroutes.api.count_cache import CountCache
from leadroutes.api.docs import DESCRIPTION
from leadroutes.api.operations import OPERATIONS, ApiPath, collect
from leadroutes.api.own_leads import claimed_leads_of, lead_owners_of, own_leads_of
from leadroutes.api.resources import RESOURCES
from leadroutes.api.router import Router
from leadroutes.channels.account_numbers import AccountNumbers
from leadroutes.engine.engine import Engine
from leadroutes.engine.phone_calls import PhoneCalls
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.security.throttle import PasswordThrottle
from leadroutes.settings import Settings
from leadroutes.store.commits import WriteGroupCommit
from leadroutes.store.delegates import delegations_of
from leadroutes.store.lists import ListQueries
from leadroutes.store.pipeline import read_pipeline
from leadroutes.store.postgres import Database


def application(database: Database, engine: Engine, arrivals: Arrivals, settings: Settings) -> Api:
    """Returns the ASGI application of the API; it answers 404 to every path that is not declared."""
    totals = CountCache()
    database.listener.forget_when_reconnected(totals.forget)
    numbers = AccountNumbers(settings)
    context = Context(
        database=database,
        engine=engine,
        arrivals=arrivals,
        settings=settings,
        callers=callers_of(database),
        delegations=delegations_of(database),
        own_leads=own_leads_of(database),
        claimed_leads=claimed_leads_of(database),
        lead_owners=lead_owners_of(database),
        records=read_pipeline(database),
        lists=ListQueries(database, settings.pool_size),
        totals=totals,
        throttle=PasswordThrottle(),
        phone_calls=PhoneCalls(engine, settings.public_url, settings.twilio_from, numbers.list),
        creations={each.path: WriteGroupCommit(database) for each in RESOURCES if each.is_plain},
        numbers=numbers,
    )
    return Api(context, Router(_paths()))


def paths() -> list[str]:
    """Returns every declared path, with :id and :key for its variable segments."""
    return sorted(_paths())


def _paths() -> dict[str, ApiPath]:
    return collect((*OPERATIONS, *DESCRIPTION))
