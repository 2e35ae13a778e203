"""`/lead-routes` over HTTP: a page with its exact total, one by its id, a new one; with few routes and with many."""

import random
from collections.abc import AsyncIterator, Sequence

import msgspec
from msgspec.structs import replace

from bench import programs
from bench.feathers import feathers
from bench.figures import Figure, Limit
from bench.ground import Ground, Plot, bench_sql
from bench.limits import http_limit
from bench.load import Plan, request, write_requests
from bench.people import bearer, token
from bench.scenarios.arrival import MEMBERS
from bench.sizes import Sizes
from leadroutes.api.resources import BY_PATH
from leadroutes.api.sql_parts import default_order
from leadroutes.api.statements import insert_sql, list_sql, record_sql
from leadroutes.store.accounts import hash_secret

CONNECTIONS = 64
MATCHING = 17_000
CLIENTS = 16
FEW = 50
OWNERS = 100
FASTEST = 12_000  # creations a second for which there are requests
ROUTES = BY_PATH["/lead-routes"]


async def measure(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """Of one owner with few routes, then with many; new ones by one owner, and by a hundred."""
    for count in (FEW, sizes.routes):
        async with ground.database("routes") as plot:
            await plot.put_in("found", users=OWNERS, owners=OWNERS, members=MEMBERS, routes=1, first_routes=count)
            await plot.settle()
            async with programs.serve(plot.url, plot.file("serve.log"), "--no-worker") as running:
                async for figure in _read(plot, running.port, count, sizes):
                    yield figure
                async for figure in _create(plot, running.port, count, sizes):
                    yield figure
    yield await _read_filtered(ground, sizes)
    yield await _create_beside(ground, sizes)


async def _create_beside(ground: Ground, sizes: Sizes) -> Figure:
    """New ones of one owner, by a few clients, and the same of a Feathers server on SQLite."""
    count = min(MATCHING, 2 * sizes.routes)
    async with ground.database("routes") as plot:
        await plot.put_in("found", users=OWNERS, owners=OWNERS, members=MEMBERS, routes=1, first_routes=count)
        await plot.settle()
        requests = [_new_route(1)] * int(FASTEST * (sizes.seconds + sizes.warmup))
        file = write_requests(plot.file("requests"), requests)
        plan = Plan(port=0, connections=CLIENTS, requests=file, seconds=sizes.seconds, warmup=sizes.warmup)
        async with programs.serve(plot.url, plot.file("serve.log"), "--no-worker") as running:
            outcome = await programs.load(replace(plan, port=running.port), 201)
        async with feathers(ground.directory, count) as port:
            theirs = await programs.load(replace(plan, port=port), 201) if port is not None else None
    limits = (Limit("Feathers on SQLite, each commit on disk", theirs.rate),) if theirs is not None else ()
    return Figure(
        scenario="lead routes",
        name=f"a new one, by one owner, {CLIENTS} connections, {count:,} routes",
        value=outcome.rate,
        unit="answers/s",
        target_ratio=2.0 if limits else None,
        limits=limits,
        details={"latencies": outcome.latencies},
    )


async def _read_filtered(ground: Ground, sizes: Sizes) -> Figure:
    """A page of those that go to a team, which all of them do; and the same of a Feathers server on SQLite."""
    count = min(MATCHING, 2 * sizes.routes)
    async with ground.database("routes") as plot:
        await plot.put_in("found", users=OWNERS, owners=OWNERS, members=MEMBERS, routes=1, first_routes=count)
        await plot.settle()
        page = request("GET", "/lead-routes?distribution_target=Team%20Rollout", Authorization=bearer(1))
        file = write_requests(plot.file("requests"), [page])
        async with programs.serve(plot.url, plot.file("serve.log"), "--no-worker") as running:
            plan = Plan(
                port=running.port, connections=CONNECTIONS, requests=file, seconds=sizes.seconds, warmup=sizes.warmup,
                repeats=True,
            )  # fmt: skip
            outcome = await programs.load(plan, 200)
        async with feathers(ground.directory, count) as port:
            theirs = await programs.load(replace(plan, port=port), 200) if port is not None else None
    return Figure(
        scenario="lead routes",
        name=f"a filtered page of 10 with the total, {count:,} routes that match",
        value=outcome.rate,
        unit="answers/s",
        target=3000,
        limits=(Limit("Feathers on SQLite", theirs.rate),) if theirs is not None else (),
        details={"latencies": outcome.latencies},
    )


async def _read(plot: Plot, port: int, count: int, sizes: Sizes) -> AsyncIterator[Figure]:
    is_large = count >= 10_000
    page = [request("GET", "/lead-routes", Authorization=bearer(1))]
    ids = random.Random(1).choices(range(1, count + 1), k=5000)
    records = [request("GET", f"/lead-routes/{each}", Authorization=bearer(1)) for each in ids]
    caller = (bench_sql("one_caller"), {1: _bytea(hash_secret(token(1)))})
    listed = (list_sql(ROUTES, (), default_order(ROUTES), (), 2, with_version=True), {1: "1", 2: "10", 3: "0", 4: "1"})
    got = (record_sql(ROUTES, (), ()), {1: "1", 2: ":id"})
    for what, requests, statements, target in (
        ("a page of 10 with the total", page, (caller, listed), 3000),
        ("one by its id", records, (caller, got), 4000),
    ):
        file = write_requests(plot.file("requests"), requests)
        plan = Plan(
            port=port, connections=CONNECTIONS, requests=file, seconds=sizes.seconds, warmup=sizes.warmup, repeats=True
        )  # fmt: skip
        outcome = await programs.load(plan, 200)
        http = await http_limit(
            plot.ground.directory, connections=CONNECTIONS, seconds=sizes.seconds, size=len(outcome.samples[200])
        )
        limit = await _limit(plot, f"\\set id random(1, {count})", statements, sizes.seconds)
        yield Figure(
            scenario="lead routes",
            name=f"{what}, {count:,} routes",
            value=outcome.rate,
            unit="answers/s",
            target=target if is_large else None,
            limits=(limit, http),
            details={"latencies": outcome.latencies},
        )


async def _create(plot: Plot, port: int, count: int, sizes: Sizes) -> AsyncIterator[Figure]:
    for what, owners in (("by one owner", 1), (f"by {OWNERS} owners", OWNERS)):
        requests = [_new_route(n % owners + 1) for n in range(int(FASTEST * (sizes.seconds + sizes.warmup)))]
        file = write_requests(plot.file("requests"), requests)
        plan = Plan(port=port, connections=CONNECTIONS, requests=file, seconds=sizes.seconds, warmup=sizes.warmup)
        outcome = await programs.load(plan, 201)
        limit = await _limit(plot, f"\\set owner random(1, {owners})", _INSERT, sizes.seconds)
        yield Figure(
            scenario="lead routes",
            name=f"a new one, {what}, {count:,} routes",
            value=outcome.rate,
            unit="answers/s",
            target=3000 if count >= 10_000 else None,
            limits=(limit,),
            details={"latencies": outcome.latencies},
        )


def _new_route(owner_id: int) -> bytes:
    body = {
        "team_id": owner_id,
        "campaign_id": owner_id,
        "lead_source_id": 2,
        "contact_source_id": owner_id,
        "distribution_target": "Team Rollout",
        "team_selection_method": "Specific Team",
        "filter": "Buyer",
    }
    return request("POST", "/lead-routes", msgspec.json.encode(body), Authorization=bearer(owner_id))


Statement = tuple[str, dict[int, str]]  # with the expressions for $1 …

_COLUMNS = ("owner_id", "team_id", "campaign_id", "lead_source_id", "contact_source_id", "distribution_target",
            "team_selection_method", "filter")  # fmt: skip
_VALUES = (":owner", ":owner", ":owner", "2", ":owner", "'Team Rollout'", "'Specific Team'", "'Buyer'")
_INSERT: Sequence[Statement] = (
    ("BEGIN", {}),
    (insert_sql(ROUTES, _COLUMNS) + " \\gset", dict(enumerate(_VALUES, 1))),
    (record_sql(ROUTES, (), ()), {1: ":owner", 2: ":id"}),
    ("COMMIT", {}),
)


async def _limit(plot: Plot, head: str, statements: Sequence[Statement], seconds: float) -> Limit:
    """The statements that the service sends, by pgbench: nothing is read from a request or written into an answer."""
    script = "\n".join([head, *(_with_values(sql, values) for sql, values in statements)])
    rate = await plot.pgbench(script, clients=CLIENTS, seconds=seconds)
    return Limit(f"pgbench: the same statements, {CLIENTS} clients", rate)


def _with_values(sql: str, values: dict[int, str]) -> str:
    for number in sorted(values, reverse=True):
        sql = sql.replace(f"${number}", values[number])
    return sql if sql.endswith("\\gset") else sql.rstrip().rstrip(";") + ";"


def _bytea(value: bytes) -> str:
    return f"'\\x{value.hex()}'::bytea"
