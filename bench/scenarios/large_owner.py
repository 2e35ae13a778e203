"""An owner who has been here for years: lists, single records, and whether arrival, claim and due work notice it.

The rows are those of sql/large_owner.sql. Each request is sent over one connection, so many times.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import repeat
from statistics import median
from typing import NamedTuple
from urllib.parse import quote

from bench import programs
from bench.figures import Figure
from bench.ground import Ground, Plot
from bench.load import Plan, request, write_requests
from bench.people import bearer
from bench.scenarios.arrival import MEMBERS, ROUTES, load_arrivals
from bench.scenarios.due import AT_ONCE, OFFERS, at_once
from bench.sizes import Sizes
from leadroutes.operations.reports import REPORTS

SCENARIO = "large owner"
QUICK, WHOLE = 10.0, 150.0  # milliseconds: of what reads a few records, and of an exact total of all that there is
COUNTED, REPORTED = 20.0, 300.0  # of the ledger, and of a report
UNHURRIED = 0.95  # of a rate without so many leads
SMALL, LARGE = "small", "large"  # databases: without those leads, and with them
CONNECTIONS = 64  # of claims
TURNS = 9  # of claims, due offers and arrivals
SHORTEST = 0.75  # seconds of arrivals in a turn
APART = timedelta(days=1)  # between the turns, on the domain's clock
YEAR = 365 * 1000  # leads of a large brokerage
RARE, CLAIMER = 900_000, 2  # the owner's own source; what is added to the number of agents for who claims every tenth


class Row(NamedTuple):
    """A request and how long 95 of 100 answers may take; `caller` is counted from the owner, the first user."""

    name: str
    path: str
    limit: float
    caller: int = 1


def _rows(sizes: Sizes) -> list[Row]:
    some = sizes.leads // 2
    newest = "$sort[created_at]=-1"
    today = datetime.now(UTC).date()
    year = f"from={today - timedelta(days=364)}&to={today}&compared=true"
    recent = (datetime.now(UTC) - timedelta(days=100)).strftime("%Y-%m-%dT00:00:00Z")
    return [
        Row("a lead by its id", f"/leads/{some}", QUICK),
        Row("a lead by its id, for an agent who shares", f"/leads/{some}", QUICK, 3),
        Row("a lead's history", f"/leads/{some}/history", QUICK),
        Row("a lead's offers", f"/leads/{some}/offers", QUICK),
        Row("a lead's routing", f"/leads/{some}/routing", QUICK),
        Row("leads of a contact", f"/leads?contact_id={some}", QUICK),
        Row("leads of a contact, for an agent who shares", f"/leads?contact_id={some}", QUICK, 3),
        Row("leads of a rare source", f"/leads?source_id={RARE}", QUICK),
        Row("contacts by e-mail", f"/contacts?email=mia{some}@example.org", QUICK),
        Row("contacts by phone", f"/contacts?mobile_phone=+1720{some:07}", QUICK),
        Row("leads by a name that one has", f"/leads?$search=mia{some}", QUICK),
        Row("leads by a name that one has, for an agent who shares", f"/leads?$search=mia{some}", QUICK, 3),
        Row("contacts by a name that one has", f"/contacts?$search=mia{some}", QUICK),
        Row("leads, with the total", "/leads", QUICK),
        Row("the newest leads, with the total", f"/leads?{newest}", QUICK),
        Row("the next page", f"/leads?{newest}&$skip=10", QUICK),
        Row("the newest leads, for an agent who shares", f"/leads?{newest}", QUICK, 3),
        Row("leads since 100 days", f"/leads?created_at[$gte]={recent}", WHOLE),
        Row("leads modified since 100 days", f"/leads?modified_at[$gte]={recent}&$sort[modified_at]=-1", WHOLE),
        Row("leads of a source with a fifteenth", "/leads?source_id=3", WHOLE),
        Row("leads of a type with a third", "/leads?type=Buyer", WHOLE),
        Row("leads of a zipcode", "/leads?zipcode=80055", WHOLE),
        Row("leads that an agent claimed", "/leads?claimed_by_user_id=7", WHOLE),
        Row("leads without a claim", "/leads?claimed_by_user_id=null", WHOLE),
        *(
            Row(f"leads in the order of {name}", f"/leads?$sort[{name}]=1", WHOLE)
            for name in ("modified_at", "source_id", "type", "zipcode", "claimed_by_user_id", "contact_id")
        ),
        *_rows_of_claimer(sizes, newest, recent),
        Row("the ledger", "/ledger", COUNTED),
        *(
            Row(f"{each.name} of a year by {by}, compared", f"/reports/{each.name}?by={by}&{year}", REPORTED)
            for each in REPORTS
            for by in each.by
        ),
    ]


def _rows_of_claimer(sizes: Sizes, newest: str, recent: str) -> Iterator[Row]:
    """The lists of the agent who has claimed a tenth of the owner's leads, without being in the team."""
    some = sizes.leads // 2
    rows = [
        ("a lead by its id", f"/leads/{some}", QUICK),
        ("leads", "/leads?$sort[id]=-1", WHOLE),
        ("the newest leads", f"/leads?{newest}", WHOLE),
        ("leads of a contact", f"/leads?contact_id={some}", QUICK),
        ("leads of a rare source", f"/leads?source_id={RARE}", QUICK),
        ("leads by a name that one has", f"/leads?$search=mia{some}", QUICK),
        ("leads of a type with a third", "/leads?type=Buyer", WHOLE),
        ("leads since 100 days", f"/leads?created_at[$gte]={recent}", WHOLE),
        ("offers", "/lead-offers?$sort[id]=-1", WHOLE),
    ]
    for name, path, limit in rows:
        yield Row(f"{name}, for the agent who claimed a tenth", path, limit, sizes.agents + CLAIMER)


async def measure(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """The lists; then claims, due offers and arrivals, beside the same in a database without those leads."""
    async with ground.database(SMALL) as small, ground.database(LARGE) as large:
        await _found(small, sizes, has_leads=False)
        await _found(large, sizes, has_leads=True)
        yield _disk("the leads of such an owner", (await _bytes(large) - await _bytes(small)) / sizes.leads)
        async with programs.serve(large.url, large.file("serve.log"), "--no-worker") as running:
            for row in _rows(sizes):
                yield await _read(large, running.port, row)
        turns = {
            "claims": await _by_turns(small, large, partial(_claims, sizes=sizes)),
            "due offers": await _by_turns(small, large, partial(_due_offers, sizes=sizes)),
        }
        before = await _bytes(large)
        turns["arrivals"] = await _by_turns(small, large, partial(_arrivals, sizes=sizes))
        size = (await _bytes(large) - before) / await large.fetchval("SELECT count(*) FROM arrivals")
    yield _disk("leads as they arrive, with what came in, before they are claimed", size)
    for name, rates in turns.items():
        yield Figure(
            scenario=SCENARIO,
            name=f"{name} beside {sizes.leads:,} leads of the owner, as a part of those without them",
            value=median(with_them / without for without, with_them in rates),
            unit="x",
            target=UNHURRIED,
            details={
                "a second with them": [round(with_them) for _, with_them in rates],
                "without": [round(without) for without, _ in rates],
            },
        )


async def _by_turns(
    small: Plot, large: Plot, work: Callable[[Plot, int], Awaitable[float]]
) -> list[tuple[float, float]]:
    """What is done a second without those leads and with them, for each turn; the first one warms up.

    A machine that becomes slower for a while does so for both, and each is the first as often as the other.
    """
    rates = []
    for turn in range(TURNS):
        order = (small, large) if turn % 2 else (large, small)
        done = {plot.name: await work(plot, turn) for plot in order}
        rates.append((done[SMALL], done[LARGE]))
    return rates[1:]


async def _found(plot: Plot, sizes: Sizes, *, has_leads: bool) -> None:
    """The owner's leads, then those that are to be claimed, then those with an offer that falls due, in turns."""
    users = sizes.agents + CLAIMER
    await plot.put_in("found", users=users, owners=1, members=MEMBERS, routes=ROUTES, first_routes=ROUTES)
    if has_leads:
        await plot.put_in("large_owner", leads=sizes.leads, agents=sizes.agents)
    turns = ((sizes.due // TURNS, 1, moment.isoformat()) for moment in _moments())
    for leads, notified, due in ((sizes.claims, MEMBERS, "infinity"), *turns):
        await plot.put_in(
            "waiting_leads", users=users, owners=1, members=MEMBERS, leads=leads, notified=notified, due=due, apart=0
        )
    await plot.keep_rule_sets(1)
    await plot.execute("SELECT recount(1)")
    await plot.settle()


def _moments() -> list[datetime]:
    """When offers fall due, one turn after the other; each is long over when the next one begins."""
    first = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + AT_ONCE
    return [first + turn * APART for turn in range(TURNS)]


async def _read(plot: Plot, port: int, row: Row) -> Figure:
    path = quote(row.path, safe="/?&=$[]@:")
    times = 100 if row.limit == QUICK else 40
    file = write_requests(plot.file("requests"), [request("GET", path, Authorization=bearer(row.caller))] * times)
    outcome = await programs.load(Plan(port=port, connections=1, requests=file), 200)
    return Figure(
        scenario=SCENARIO,
        name=f"{row.name}: p95",
        value=outcome.latencies["p95"],
        unit="ms",
        target=row.limit,
        less_is_better=True,
        details={"latencies": outcome.latencies},
    )


async def _claims(plot: Plot, turn: int, *, sizes: Sizes) -> float:
    count = sizes.claims // TURNS
    first = 1 + (sizes.leads if plot.name == LARGE else 0)
    claims = [
        request("POST", f"/leads/{first + n}/claim", b"", Authorization=bearer(n % MEMBERS + 2))
        for n in range(turn * count, (turn + 1) * count)
    ]
    file = write_requests(plot.file("claims"), claims)
    async with programs.serve(plot.url, plot.file("serve.log"), "--no-worker") as running:
        outcome = await programs.load(Plan(port=running.port, connections=CONNECTIONS, requests=file), 200)
    return outcome.rate


async def _due_offers(plot: Plot, turn: int, *, sizes: Sizes) -> float:
    async with programs.worker(plot.url, plot.file("worker.log")):
        return sizes.due // TURNS / await at_once(plot, OFFERS, _moments()[turn])


async def _arrivals(plot: Plot, _turn: int, *, sizes: Sizes) -> float:
    short = replace(sizes, seconds=max(sizes.flat_seconds * 0.6, SHORTEST), warmup=sizes.warmup / TURNS)
    outcome, _ = await load_arrivals(plot, sizes.connections[-1], repeat(1), short, "--no-worker")
    return outcome.rate


async def _bytes(plot: Plot) -> float:
    return float(await plot.fetchval("SELECT pg_database_size(current_database())"))


def _disk(what: str, of_a_lead: float) -> Figure:
    return Figure(
        scenario=SCENARIO,
        name=f"disk for a year of 1,000 leads a day: {what}",
        value=of_a_lead * YEAR / 1e9,
        unit="GB",
        details={"bytes of a lead": round(of_a_lead)},
    )
