"""The limit of HTTP beside a figure: a bare echo under the same server and loop as the service.

The database's limits are pgbench's, with scripts that are in sql/ or are the service's own statements.
"""

from pathlib import Path

from bench import programs
from bench.figures import Limit
from bench.load import Plan, request, write_requests


async def http_limit(directory: Path, *, connections: int, seconds: float, size: int) -> Limit:
    """Answers a second of the bare echo, for bodies of `size` bytes both ways."""
    file = write_requests(directory / "echo.requests", [request("POST", "/echo", b"x" * size)])
    async with programs.echo(size) as port:
        plan = Plan(port=port, connections=connections, requests=file, seconds=seconds, warmup=0.5, repeats=True)
        outcome = await programs.load(plan, 200)
    return Limit(f"a bare echo, {connections} connections", outcome.rate)
