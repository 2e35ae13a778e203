"""Claims over HTTP: many leads, each claimed by one agent; and one lead that everybody wants."""

from collections.abc import AsyncIterator

from bench import programs
from bench.figures import Figure, Limit
from bench.ground import Ground, Plot, bench_sql
from bench.limits import http_limit
from bench.load import Plan, request, write_requests
from bench.people import bearer
from bench.scenarios.arrival import MEMBERS
from bench.sizes import Sizes

CONNECTIONS = 64
CLIENTS = 16
BODY = 600  # bytes, about what comes back


async def measure(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """Uncontended, without a worker; then races for one lead."""
    async with ground.database("claim") as plot:
        await found_offered(plot, sizes.owners, MEMBERS, sizes.claims)
        limit = await _limit(plot, sizes)
    async with ground.database("claim") as plot:
        await found_offered(plot, sizes.owners, MEMBERS, sizes.claims)
        claims = [claim_request(n + 1, (n % sizes.owners + 1) % sizes.owners + 1) for n in range(sizes.claims)]
        file = write_requests(plot.file("claims"), claims)
        async with programs.serve(plot.url, plot.file("serve.log"), "--no-worker") as running:
            outcome = await programs.load(Plan(port=running.port, connections=CONNECTIONS, requests=file), 200)
        if (stored := await plot.fetchval("SELECT count(*) FROM claims")) != sizes.claims:
            raise programs.Failed(f"{sizes.claims} claims were answered; {stored} are there")
    http = await http_limit(ground.directory, connections=CONNECTIONS, seconds=sizes.seconds, size=BODY)
    yield Figure(
        scenario="claim",
        name=f"leads claimed, {CONNECTIONS} connections, one agent each",
        value=outcome.rate,
        unit="claims/s",
        target=2000,
        limits=(limit, http),
        details={"latencies": outcome.latencies},
    )
    async with ground.database("race") as plot:
        yield await _race(plot, sizes)


def claim_request(lead_id: int, user_id: int) -> bytes:
    return request("POST", f"/leads/{lead_id}/claim", b"", Authorization=bearer(user_id))


async def found_offered(plot: Plot, owners: int, members: int, leads: int) -> None:
    """Creates leads of which every member of the team is notified; lead n is of owner n % owners + 1."""
    users = max(owners, members)
    await plot.put_in("found", users=users, owners=owners, members=members, routes=1, first_routes=1)
    await plot.put_in(
        "waiting_leads",
        users=users, owners=owners, members=members, leads=leads, notified=members, due="infinity", apart=0,
    )  # fmt: skip
    await plot.keep_rule_sets(owners)
    await plot.settle()


async def _limit(plot: Plot, sizes: Sizes) -> Limit:
    await plot.execute("CREATE SEQUENCE bench_claims")
    rate = await plot.pgbench(bench_sql("one_claim"), clients=CLIENTS, transactions=sizes.claims // CLIENTS)
    return Limit(f"pgbench: the same rows, a claim a commit, {CLIENTS} clients", rate)


async def _race(plot: Plot, sizes: Sizes) -> Figure:
    """Every agent of a large team at once, one lead after the other; the slowest answer of all races counts."""
    await found_offered(plot, 1, sizes.claimers, sizes.races)
    worst = {"p50": 0.0, "p99": 0.0, "max": 0.0}
    async with programs.serve(plot.url, plot.file("serve.log"), "--no-worker") as running:
        for lead_id in range(1, sizes.races + 1):
            claims = [claim_request(lead_id, user_id) for user_id in range(1, sizes.claimers + 1)]
            file = write_requests(plot.file("claims"), claims)
            outcome = await programs.load(Plan(port=running.port, connections=sizes.claimers, requests=file), 200, 409)
            if outcome.statuses.get(200) != 1:
                raise programs.Failed(f"a lead with other than one winner: {outcome.statuses}")
            worst = {name: max(value, outcome.latencies[name]) for name, value in worst.items()}
    return Figure(
        scenario="claim",
        name=f"{sizes.claimers} claimers of one lead at once: one winner, the last answer ({sizes.races} races)",
        value=worst["max"],
        unit="ms",
        target=250,
        less_is_better=True,
        details={"latencies": worst},
    )
