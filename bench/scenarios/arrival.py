"""Arrival over HTTP: a POST /intake becomes contact, lead, five offers, an alert and a stored reason, then the 201."""

from collections.abc import AsyncIterator, Iterable
from itertools import cycle, islice

from bench import programs
from bench.figures import Figure, Limit
from bench.ground import Ground, Plot, bench_sql
from bench.limits import http_limit
from bench.load import Outcome, Plan, write_requests
from bench.people import inquiries
from bench.sizes import Sizes

MEMBERS = 5
ROUTES = 10
SOME = 2000  # leads that are there before
FASTEST = 12_000  # leads a second for which there are requests
BODY = 700  # bytes, about what goes in and out


async def measure(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """At each number of connections, without a worker; then with one in the same process, which delivers alerts."""
    async with ground.database("arrival_limit") as plot:
        await found(plot, sizes.owners)
        database_limit = await pgbench_arrivals(plot, sizes.owners, sizes.seconds)
    for connections in sizes.connections:
        http = await http_limit(ground.directory, connections=connections, seconds=sizes.seconds, size=BODY)
        async with ground.database("arrival") as plot:
            await found(plot, sizes.owners)
            outcome, _ = await load_arrivals(plot, connections, range(1, sizes.owners + 1), sizes, "--no-worker")
            await check_arrivals(plot, outcome)
        yield Figure(
            scenario="arrival",
            name=f"leads in, {connections} connections",
            value=outcome.rate,
            unit="leads/s",
            target_ratio=1.5 if connections == 128 else None,
            limits=(database_limit, http),
            details={"latencies": outcome.latencies, "load_cpu": outcome.cpu},
        )
        if connections == 128:
            yield _late(outcome)
    async with ground.database("arrival") as plot:
        await found(plot, sizes.owners)
        outcome, _ = await load_arrivals(plot, sizes.connections[-1], range(1, sizes.owners + 1), sizes)
    yield Figure(
        scenario="arrival",
        name=f"the same, the worker in the same process, {sizes.connections[-1]} connections",
        value=outcome.rate,
        unit="leads/s",
        limits=(database_limit,),
        details={"latencies": outcome.latencies},
    )


def _late(outcome: Outcome) -> Figure:
    return Figure(
        scenario="arrival", name="p99 at 128 connections", value=outcome.latencies["p99"], unit="ms", target=100,
        less_is_better=True,
    )  # fmt: skip


async def found(plot: Plot, owners: int, *, routes: int = ROUTES, first_routes: int = ROUTES) -> None:
    """Adds `owners` brokerages of five agents; with some leads, so that the planner has statistics."""
    users = max(owners, MEMBERS)
    await plot.put_in("found", users=users, owners=owners, members=MEMBERS, routes=routes, first_routes=first_routes)
    await plot.put_in(
        "waiting_leads",
        users=users, owners=min(owners, SOME), members=MEMBERS, leads=SOME, notified=MEMBERS, due="infinity", apart=0,
    )  # fmt: skip
    await plot.settle()


async def load_arrivals(
    plot: Plot, connections: int, owner_ids: Iterable[int], sizes: Sizes, *arguments: str
) -> tuple[Outcome, float]:
    """Leads of new people, one for each of these owners as long as it takes, through `leadroutes serve`.

    Answers what came of it, and the memory of the process at the end in MB.
    """
    count = int(FASTEST * (sizes.warmup + sizes.seconds))
    start = await plot.fetchval("SELECT count(*) FROM arrivals")
    file = write_requests(plot.file("arrivals"), inquiries(islice(cycle(owner_ids), count), start))
    async with programs.serve(plot.url, plot.file("serve.log"), *arguments) as running:
        plan = Plan(
            port=running.port, connections=connections, requests=file, seconds=sizes.seconds, warmup=sizes.warmup
        )
        outcome = await programs.load(plan, 201)
        return outcome, running.memory


async def check_arrivals(plot: Plot, outcome: Outcome) -> None:
    """Every lead that was answered 201 is there, with all that belongs to it."""
    stored = await plot.fetchval(
        "SELECT ARRAY[(SELECT count(*) FROM leads WHERE arrival_id IS NOT NULL AND route_id IS NOT NULL),"
        " (SELECT count(*) FROM contacts WHERE email LIKE 'mia.lund.%'),"
        " (SELECT count(*) / 5 FROM offers JOIN leads l ON l.id = lead_id WHERE l.arrival_id IS NOT NULL),"
        " (SELECT count(*) FROM messages), (SELECT count(*) FROM arrivals)]"
    )
    answered = outcome.statuses[201]
    if stored != [answered] * 5:
        raise programs.Failed(f"{answered} leads were answered; leads, contacts, offers/5, alerts, arrivals: {stored}")


async def pgbench_arrivals(plot: Plot, owners: int, seconds: float, clients: int = 16) -> Limit:
    """The same rows by pgbench, one lead a transaction, in one statement."""
    rate = await plot.pgbench(
        bench_sql("one_arrival"), clients=clients, seconds=seconds, owners=owners, users=max(owners, MEMBERS)
    )
    return Limit(f"pgbench: the same rows, a lead a commit, {clients} clients", rate)
