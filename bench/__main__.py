"""`bin/bench`: runs the scenarios, shows a table, writes bench/results.json.

What is measured, the scenarios say; here they are put in order.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from bench import machine
from bench.figures import Figure, Results, as_record, moment, show
from bench.ground import Ground
from bench.page import put_into_page
from bench.programs import ROOT, Failed
from bench.scenarios import arrival, claim, deciding, delivery, due, flatness, importing, routes, starting
from bench.sizes import FULL, QUICK, TINY, Sizes

Measure = Callable[[Ground, Sizes], AsyncIterator[Figure]]

SCENARIOS: Mapping[str, Measure] = {
    "arrival": arrival.measure,
    "import": importing.measure,
    "claim": claim.measure,
    "due-offers": due.measure_offers,
    "due-steps": due.measure_steps,
    "delivery": delivery.measure,
    "routes": routes.measure,
    "decision": deciding.measure,
    "flatness": flatness.measure,
    "start": starting.measure,
}
RESULTS = ROOT / "bench" / "results.json"


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 when everything was measured, whatever came out; 1 when something could not be."""
    options = _parse(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    try:
        results, figures = asyncio.run(_run(options, console))
    except Failed as failed:
        console.print(f"bin/bench: {failed}", markup=False)
        return 1
    show(console, figures)
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
    console.print(f"Written to {options.out}", markup=False)
    if options.out == RESULTS and options.sizes is FULL and not options.scenarios:
        put_into_page(RESULTS)
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/bench", description="Measures the service beside the limits of this machine."
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)}; all without one")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="sizes", action="store_const", const=QUICK, help="small sizes: some minutes less")
    size.add_argument(
        "--tiny", dest="sizes", action="store_const", const=TINY, help="sizes that only show that it works"
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results go (%(default)s)")
    parser.add_argument(
        "--data", type=Path, default=ROOT / ".leadroutes" / "bench", help="directory for its own server"
    )
    parser.add_argument(
        "--database-url", help="a PostgreSQL to use instead; databases named bench_… are made and dropped"
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of PostgreSQL")
    parser.set_defaults(sizes=FULL)
    options = parser.parse_args(arguments)
    if unknown := [each for each in options.scenarios if each not in SCENARIOS]:
        parser.error(f"scenario {unknown[0]!r} was given; expected one of {', '.join(SCENARIOS)}")
    if wrong := [each for each in options.set if "=" not in each]:
        parser.error(f"--set {wrong[0]!r} was given; expected NAME=VALUE")
    return options


async def _run(options: argparse.Namespace, console: Console) -> tuple[Results, list[Figure]]:
    begun, load_before = time.perf_counter(), os.getloadavg()
    ground = await Ground.open(
        options.data, options.database_url, dict(each.split("=", 1) for each in options.set)
    )  # fmt: skip
    made: dict[str, Any] = {"at": moment(), "commit": machine.commit(), "load_average_before": load_before}
    described = await machine.describe(ground)
    figures: list[Figure] = []
    for name in options.scenarios or SCENARIOS:
        console.print(f"{time.perf_counter() - begun:5.0f} s  {name}", markup=False)
        figures += [figure async for figure in SCENARIOS[name](ground, options.sizes)]
    made |= {"until": moment(), "seconds": round(time.perf_counter() - begun), "load_average_after": os.getloadavg()}
    return Results(
        made=made, machine=described, sizes=asdict(options.sizes), figures=[as_record(each) for each in figures]
    ), figures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
