"""Compares two checkouts on one machine: their scenarios in turn, A B A B, and the ratio of their figures.

`python -m bench.compare PATH_A PATH_B SCENARIO …`. What else the machine does changes both in the same way, nearly; the
median of the ratios of neighbouring runs says what a change costs.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from bench.programs import Failed

Name = tuple[str, str]  # scenario, and what was measured in it
Figures = Mapping[Name, Mapping[str, Any]]
MOST_LOST: Final = 0.05  # part of a figure that a change may cost


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: 0 when all was measured, 1 when a run failed, 2 when B costs more than `--at-most`."""
    options = _parse(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    rounds: list[tuple[Figures, Figures]] = []
    with tempfile.TemporaryDirectory(prefix="leadroutes-compare-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # PostgreSQL may run as another user
        try:
            for number in range(1, options.rounds + 1):
                one, other = (_measure(options, path, directory / each) for each, path in options.checkouts.items())
                rounds.append((one, other))
                console.print(f"round {number} of {options.rounds}")
        except Failed as failed:
            console.print(f"bench.compare: {failed}", markup=False)
            return 1
    ratios = gains(rounds)
    _show(console, ratios, rounds)
    return 2 if options.at_most is not None and any(costs(each) > options.at_most for each in ratios.values()) else 0


def gains(rounds: Sequence[tuple[Figures, Figures]]) -> dict[Name, list[float]]:
    """Returns how much better B is than A in each round, by figure: 1.1 is a tenth better, whichever way better is."""
    found: dict[Name, list[float]] = {}
    for one, other in rounds:
        for name, figure in one.items():
            if name in other and figure["value"] and other[name]["value"]:
                ratio = other[name]["value"] / figure["value"]
                found.setdefault(name, []).append(1 / ratio if figure["less_is_better"] else ratio)
    return found


def costs(ratios: Sequence[float]) -> float:
    """Returns the part of a figure that B loses against A; below 0: B is better."""
    return 1 - statistics.median(ratios)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.compare", description="Runs bin/bench of two checkouts in turn and shows B beside A."
    )
    parser.add_argument("a", type=Path, metavar="PATH_A", help="a checkout with its .venv: how it was")
    parser.add_argument("b", type=Path, metavar="PATH_B", help="another one: how it is")
    parser.add_argument("scenarios", nargs="+", metavar="SCENARIO", help="as bin/bench names them")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="A and B so many times (%(default)s)")
    parser.add_argument("--size", choices=("full", "quick", "tiny"), default="quick", help="of a run (%(default)s)")
    parser.add_argument(
        "--at-most", type=float, metavar="PART", help=f"end with 2 if B loses more of a figure, such as {MOST_LOST}"
    )
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds: expected at least 1")
    options.checkouts = {"a": options.a.resolve(), "b": options.b.resolve()}
    for path in options.checkouts.values():
        if not (path / ".venv" / "bin" / "python").exists() or not (path / "bench").is_dir():
            parser.error(f"{path} was given; expected a checkout in which bin/setup has been run")
    return options


def _measure(options: argparse.Namespace, checkout: Path, directory: Path) -> Figures:
    """One run of a checkout's own benchmark, with its own Python. Failed: it did not measure."""
    out = directory.with_suffix(".json")
    size = () if options.size == "full" else (f"--{options.size}",)
    done = subprocess.run(
        [".venv/bin/python", "-m", "bench", *size, "--data", str(directory), "--out", str(out), *options.scenarios],
        cwd=checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Failed(f"bin/bench of {checkout} ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    figures = msgspec.json.decode(out.read_bytes())["figures"]
    return {(each["scenario"], each["name"]): each for each in figures}


def _show(console: Console, ratios: Mapping[Name, Sequence[float]], rounds: Sequence[tuple[Figures, Figures]]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("scenario", "what"):
        table.add_column(name, overflow="fold")
    for name in ("A, median", "B, median", "B : A", "lowest", "highest"):
        table.add_column(name, justify="right")
    for name, each in ratios.items():
        medians = [statistics.median(figures[name]["value"] for figures in side) for side in zip(*rounds, strict=True)]
        unit = rounds[0][0][name]["unit"]
        table.add_row(
            *name, *(f"{value:,.4g} {unit}" for value in medians),
            f"{statistics.median(each):.3f}", f"{min(each):.3f}", f"{max(each):.3f}",
        )  # fmt: skip
    console.print(table)
    console.print("B : A is above 1 where B is better, whether more or less is better.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
