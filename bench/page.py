"""The figures of bench/results.json as they stand in docs/performance.md, between two marks; a test compares them.

It measures nothing.
"""

from pathlib import Path
from typing import Any

import msgspec

from bench.programs import ROOT

PAGE = ROOT / "docs" / "performance.md"
SHOWN = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size")
BEGIN, END = "<!-- made by bin/bench -->\n", "<!-- end -->\n"


def put_into_page(results: Path) -> None:
    """Write the results' figures between the marks."""
    PAGE.write_text(with_figures(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")


def with_figures(page: str, results: Path) -> str:
    """The page with these results in it."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + as_markdown(msgspec.json.decode(results.read_bytes())) + END + after


def as_markdown(results: dict[str, Any]) -> str:
    """What was measured, on what, and a table."""
    made, machine, server = results["made"], results["machine"], results["machine"]["postgresql"]
    settings = ", ".join(f"{name} {server[name]}" for name in SHOWN)
    measured = (
        f"Measured on {made['at']}, commit {made['commit']}, in {made['seconds']} seconds; before the scenarios"
        f" {min(made['idle'].values()):.0%} to {max(made['idle'].values()):.0%} of the machine was idle. On"
        f" {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']},"
        f" Python {machine['python']},"
        f" PostgreSQL with {settings}; a disk that makes {machine['fsyncs_per_second']:,.0f} pages a second durable,"
        " one after the other."
    )
    head = ["| scenario | what | measured | to reach | p50 | p99 | beside it, in the same run |"]
    lines = ["|---|---|---:|---:|---:|---:|---|", *(_row(figure) for figure in results["figures"])]
    return "\n".join([measured, "", *head, *lines, ""])


def _row(figure: dict[str, Any]) -> str:
    reached = {True: " ✓", False: " ✗", None: ""}[figure["is_reached"]]
    sign = "≤" if figure["less_is_better"] else "≥"
    target = "" if figure["target"] is None else f"{sign} {_written(figure['target'])}{reached}"
    limits = "; ".join(
        f"{figure['ratios'][limit['name']]:.2f} × {limit['name']}: {_written(limit['value'])}"
        for limit in figure["limits"]
    )
    latencies = figure["details"].get("latencies", {})
    cells = (
        figure["scenario"],
        figure["name"],
        f"{_written(figure['value'])} {figure['unit']}",
        target,
        *(f"{latencies[name]:.1f} ms" if name in latencies else "" for name in ("p50", "p99")),
        limits,
    )
    return f"| {' | '.join(cells)} |"


def _written(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
