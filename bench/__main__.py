"""`bin/bench`: runs the scenarios, shows a table, writes bench/results.json.

The scenarios measure; this module runs them in order.
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
from bench.figures import Figure, Results, as_record, laid_over, moment, show
from bench.ground import Ground
from bench.page import DOCUMENTS
from bench.programs import ROOT, Failed
from bench.scenarios import (
    arrival,
    campaign_results,
    claim,
    counting,
    deciding,
    delivery,
    due,
    flatness,
    importing,
    large_owner,
    pages,
    phones,
    routes,
    starting,
    trying,
    webhooks,
)
from bench.sizes import FULL, QUICK, TINY, Sizes

Measure = Callable[[Ground, Sizes], AsyncIterator[Figure]]

SCENARIOS: Mapping[str, Measure] = {
    "arrival": arrival.measure,
    "import": importing.measure,
    "claim": claim.measure,
    "due-offers": due.measure_offers,
    "due-steps": due.measure_steps,
    "counting": counting.measure,
    "delivery": delivery.measure,
    "webhooks": webhooks.measure,
    "phones": phones.measure,
    "routes": routes.measure,
    "decision": deciding.measure,
    "try": trying.measure,
    "flatness": flatness.measure,
    "large-owner": large_owner.measure,
    "pages": pages.measure,
    "results": campaign_results.measure,
    "start": starting.measure,
}
RESULTS = ROOT / "bench" / "results.json"


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: 0 when everything was measured, whatever came out; 1 when something could not be."""
    options = _parse(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    try:
        asyncio.run(_run(options, console))
    except Failed as failed:
        console.print(f"bin/bench: {failed}", markup=False)
        return 1
    console.print(f"Written to {options.out}", markup=False)
    if options.out == RESULTS and options.sizes is FULL and (options.again or not options.scenarios):
        DOCUMENTS.put_in(RESULTS)
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
    parser.add_argument(
        "--again", action="store_true", help="measure these scenarios anew, and keep what --out has of the others"
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of PostgreSQL")
    parser.set_defaults(sizes=FULL)
    options = parser.parse_args(arguments)
    if unknown := [each for each in options.scenarios if each not in SCENARIOS]:
        parser.error(f"scenario {unknown[0]!r} was given; expected one of {', '.join(SCENARIOS)}")
    if options.again and not (options.scenarios and options.out.exists()):
        parser.error(f"--again was given; expected scenarios, and {options.out} of a run of all")
    if wrong := [each for each in options.set if "=" not in each]:
        parser.error(f"--set {wrong[0]!r} was given; expected NAME=VALUE")
    return options


async def _run(options: argparse.Namespace, console: Console) -> None:
    """Runs the scenarios in turn; each result is shown and stored at once."""
    begun = time.perf_counter()
    idle = {"before all": machine.idle()}
    ground = await Ground.open(
        options.data, options.database_url, dict(each.split("=", 1) for each in options.set)
    )  # fmt: skip
    made: dict[str, Any] = {"at": moment(), "commit": machine.commit(), "idle": idle}
    described = await machine.describe(ground)
    before = msgspec.json.decode(options.out.read_bytes()) if options.again else None
    figures: list[Figure] = []
    for name in options.scenarios or SCENARIOS:
        console.print(f"{time.perf_counter() - begun:5.0f} s  {name}", markup=False)
        idle[name] = machine.idle()
        measured = [figure async for figure in SCENARIOS[name](ground, options.sizes)]
        show(console, measured)
        figures += measured
        made |= {"until": moment(), "seconds": round(time.perf_counter() - begun), "load_average": os.getloadavg()}
        record = as_record(Results(made=made, machine=described, sizes=asdict(options.sizes), figures=figures))
        _write(options.out, record if before is None else laid_over(record, before))


def _write(path: Path, record: dict[str, Any]) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
