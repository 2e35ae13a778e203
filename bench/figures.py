"""The results of a run: figures beside their targets and limits, as a table for people and as JSON for programs."""

import itertools
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table


class Limit(msgspec.Struct, frozen=True):
    """What the same machine does in the same run with nothing but the database, or nothing but HTTP."""

    name: str
    value: float


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement. `target`: at least so much, or with `less_is_better` at most so much.

    `target_ratio`, in place of it: at least such a part of its first limit.
    """

    scenario: str
    name: str
    value: float
    unit: str
    target: float | None = None
    target_ratio: float | None = None
    less_is_better: bool = False
    limits: tuple[Limit, ...] = ()
    details: dict[str, Any] = {}

    @property
    def is_reached(self) -> bool | None:
        """Whether it is as good as its target; None: it has none."""
        if self.target_ratio is not None:
            return self.value >= self.target_ratio * self.limits[0].value
        if self.target is None:
            return None
        return self.value <= self.target if self.less_is_better else self.value >= self.target

    @property
    def ratios(self) -> dict[str, float]:
        """Returns the figure as a fraction of each limit."""
        return {limit.name: round(self.value / limit.value, 3) for limit in self.limits if limit.value}


class Results(msgspec.Struct, kw_only=True):
    """One run: when, on what, how large, and what came out. `made.idle`: how free the machine was."""

    made: dict[str, Any]
    machine: dict[str, Any]
    sizes: dict[str, Any]
    figures: list[Figure]


def as_record(results: Results) -> dict[str, Any]:
    """Returns the results in the form of results.json."""
    record: dict[str, Any] = msgspec.to_builtins(results)
    return record | {"figures": [figure_record(figure) for figure in results.figures]}


def laid_over(record: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Returns an earlier run's results with the scenarios of this one in place of its own, or after them.

    `made.again` says which these are.
    """
    anew = {figure["scenario"]: record["made"] for figure in record["figures"]}
    figures = []
    for scenario, each in itertools.groupby(before["figures"], lambda figure: figure["scenario"]):
        source = record["figures"] if scenario in anew else each
        figures += [figure for figure in source if figure["scenario"] == scenario]
    there = {figure["scenario"] for figure in figures}
    figures += [figure for figure in record["figures"] if figure["scenario"] not in there]
    again = before["made"].get("again", {}) | {
        scenario: {name: made[name] for name in ("at", "commit")} for scenario, made in anew.items()
    }
    return before | {"made": before["made"] | {"again": again}, "figures": figures}


def figure_record(figure: Figure) -> dict[str, Any]:
    """Returns a figure in the form of results.json, with the values derived from it."""
    record: dict[str, Any] = msgspec.to_builtins(figure)
    return record | {"value": _rounded(figure.value), "is_reached": figure.is_reached, "ratios": figure.ratios}


def show(console: Console, figures: Sequence[Figure]) -> None:
    """Returns the table."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("scenario", "what"):
        table.add_column(name, overflow="fold")
    for name in ("measured", "target", "p50", "p99"):
        table.add_column(name, justify="right")
    table.add_column("beside it, in the same run", overflow="fold")
    before = ""
    for each in figures:
        limits = "\n".join(f"{ratio:.2f} x {limit.name}, {_written(limit.value)}" for limit, ratio in _beside(each))
        table.add_row(
            each.scenario if each.scenario != before else "", each.name, _coloured(each), _target(each),
            _milliseconds(each, "p50"), _milliseconds(each, "p99"), limits,
        )  # fmt: skip
        before = each.scenario
    console.print(table)


def _beside(figure: Figure) -> list[tuple[Limit, float]]:
    return [(limit, figure.value / limit.value) for limit in figure.limits if limit.value]


def _coloured(figure: Figure) -> str:
    colour = {True: "green", False: "red", None: "default"}[figure.is_reached]
    return f"[{colour}]{_written(figure.value)}[/] {figure.unit}"


def _target(figure: Figure) -> str:
    if figure.target_ratio is not None:
        return f"≥ {figure.target_ratio:g} x"
    if figure.target is None:
        return ""
    return f"{'≤' if figure.less_is_better else '≥'} {_written(figure.target)}"


def _milliseconds(figure: Figure, name: str) -> str:
    value = figure.details.get("latencies", {}).get(name)
    return "" if value is None else f"{value:.1f} ms"


def _written(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def _rounded(value: float) -> float:
    return round(value, 1 if abs(value) >= 100 else 4)


def moment() -> str:
    """Returns the present moment in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
