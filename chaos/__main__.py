"""`bin/chaos`: makes a run and prints a table; a full run is recorded in chaos/results.json and in the documents.

The run itself is in `run`.
"""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from bench import machine
from chaos.mischief import SHORT
from chaos.page import DOCUMENTS, RESULTS
from chaos.postgres import Failed
from chaos.run import Outcome, Plan, run

SHORTLY: dict[str, Any] = {"alone": 5.0, "beside": 12.0, "patience": 6.0}  # seconds
FULL = 200  # kills, without which a run is not published


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: 0 when everything held, 1 when something did not, 2 when there was no run."""
    options = _parse(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    directory = Path(tempfile.mkdtemp(prefix="leadroutes-chaos-"))
    directory.chmod(0o755)  # PostgreSQL may run as another user
    begun = time.perf_counter()
    console.print(f"Seed {options.seed}; logs in {directory}", markup=False)

    def tell(sentence: str) -> None:
        console.print(f"{time.perf_counter() - begun:6.0f} s  {sentence}", markup=False)

    try:
        outcome = asyncio.run(run(_plan(options), directory, tell))
    except Failed as failed:
        console.print(f"bin/chaos: {failed}", markup=False)
        return 2
    _show(console, outcome)
    if out := options.out or (RESULTS if options.kills >= FULL and not options.short else None):
        _write(out, outcome)
        console.print(f"Written to {out}", markup=False)
    if out == RESULTS:
        DOCUMENTS.put_in(RESULTS)
    if outcome.is_good:
        shutil.rmtree(directory, ignore_errors=True)
    return 0 if outcome.is_good else 1


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/chaos",
        description="Attacks the service and kills its processes and its database under load; nothing may be lost.",
    )
    parser.add_argument("--kills", type=int, default=FULL, metavar="N", help="how many (%(default)s)")
    parser.add_argument(
        "--short",
        action="store_true",
        help="in quick succession, and mails that wait to be sent again are not waited for",
    )
    parser.add_argument("--rate", type=float, default=6.0, help="leads a second, bursts apart (%(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="what the run is drawn from")  # noqa: S311
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"where the results go ({RESULTS.name} and the documents, from {FULL} kills on)",
    )
    options = parser.parse_args(arguments)
    if options.kills < 1 or options.rate <= 0:
        parser.error("expected at least one kill, and a rate above 0")
    return options


def _plan(options: argparse.Namespace) -> Plan:
    plan = Plan(kills=options.kills, seed=options.seed, rate=options.rate)
    return replace(plan, pace=SHORT, waits_for_retries=False, settled_within=180, **SHORTLY) if options.short else plan


def _show(console: Console, outcome: Outcome) -> None:
    figures = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    figures.add_column("what happened")
    figures.add_column("", justify="right")
    for name, value in outcome.figures.items():
        if name in ("hostile", "waits"):
            continue
        for label, each in _rows(name.replace("_", " "), value):
            figures.add_row(label, each)
    console.print(figures)
    _show_attacks(console, outcome)
    checks = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    checks.add_column("what has to hold")
    checks.add_column("")
    for sentence, breaches in outcome.breaches.items():
        checks.add_row(sentence, "holds" if not breaches else f"DOES NOT HOLD ({len(breaches)})")
    console.print(checks)
    for sentence, breaches in outcome.breaches.items():
        for breach in breaches[:10]:
            console.print(f"This does not hold: {sentence}\n  {breach}", markup=False)


def _show_attacks(console: Console, outcome: Outcome) -> None:
    """Prints what the hostile two sent, the answers, and how long the others waited."""
    attacks = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("attack", "by", "answered, how often"):
        attacks.add_column(name, overflow="fold")
    for name, each in outcome.figures["hostile"].items():
        answers = ", ".join(f"{status}: {count}" for status, count in each["answers"].items())
        attacks.add_row(name, each["who"], answers)
    console.print(attacks)
    waits = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("honest request", "", "p50", "p99", "requests"):
        waits.add_column(name, justify="left" if name in ("honest request", "") else "right")
    for kind, phases in outcome.figures["waits"].items():
        for phase, each in phases.items():
            waits.add_row(kind, phase, f"{each['p50']} ms", f"{each['p99']} ms", str(each["requests"]))
    console.print(waits)


def _rows(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [(f"{name}: {key}", str(each)) for key, each in value.items()]
    return [(name, str(value))]


def _write(path: Path, outcome: Outcome) -> None:
    made = {"commit": machine.commit(), **outcome.figures["made"]}
    breaches = {sentence: found for sentence, found in outcome.breaches.items() if found}
    results = {**outcome.figures, "made": made, "breaches": breaches, "checks": list(outcome.breaches)}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
