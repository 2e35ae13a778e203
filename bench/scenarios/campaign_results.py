"""The results of a campaign that has sent very many messages, as its owner reads them over one connection."""

from collections.abc import AsyncIterator

from bench import programs
from bench.figures import Figure
from bench.ground import Ground
from bench.load import Plan, request, write_requests
from bench.people import bearer
from bench.sizes import Sizes

LIMIT, TIMES = 300.0, 100  # milliseconds: 95 of 100 answers
UNFOLDED = 20_000  # changes that no worker has added up yet


async def measure(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """Once all is added up, and with as many changes waiting as a worker adds up at a time."""
    async with ground.database("results") as plot:
        await plot.put_in("found", users=3, owners=1, members=2, routes=1, first_routes=1)
        await plot.put_in("campaign_results", messages=sizes.leads)
        await plot.settle()
        async with programs.serve(plot.url, plot.file("serve.log"), "--no-worker") as running:
            wanted = request("GET", "/campaigns/900000/results", Authorization=bearer(1))
            file = write_requests(plot.file("requests"), [wanted] * TIMES)
            for what in ("added up", f"with {UNFOLDED:,} changes to add up"):
                outcome = await programs.load(Plan(port=running.port, connections=1, requests=file), 200)
                yield Figure(
                    scenario="results", name=f"of a campaign with {sizes.leads:,} messages, {what}: p95",
                    value=outcome.latencies["p95"], unit="ms", target=LIMIT, less_is_better=True,
                    details={"latencies": outcome.latencies},
                )  # fmt: skip
                await plot.execute(
                    "INSERT INTO step_result_changes (owner_id, action_id, template_id, figure, number)"
                    f" SELECT 1, 900001, 900001, 'sent', 0 FROM generate_series(1, {UNFOLDED})"
                )
