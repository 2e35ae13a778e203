"""Puts the figures of bench/results.json into documents.

It measures nothing.
"""

from typing import Any

from bench.marks import Documents, wrapped
from bench.programs import ROOT

SHOWN = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size")


def as_short_table(results: dict[str, Any]) -> str:
    """For readers who have a minute: a sentence and at most five rows."""
    arrival = _find(results, "leads in, 128")
    claims, race = _find(results, "leads claimed"), _find(results, "200 claimers")
    burst, late = _find(results, "100,000 due", "due offers"), _find(results, "lateness", "due offers")
    rows = (
        ("Leads taken in over HTTP, each with contact, five offers, alert and reason", arrival),
        ("Leads claimed", claims),
        ("Two hundred agents claim one lead at once: the slowest answer", _without_p99(race)),
        ("Offers carried out when 100,000 fall due at once and a million wait", burst),
        ("Lateness of 99 of 100 offers, until they are committed, at 500 a second", _without_p99(late)),
    )
    intro = (
        f"Measured on {results['machine']['cores']} cores that PostgreSQL, the service and the load generator share,"
        " with every write durable before it is answered:"
    )
    head = ["| what | measured | 99 of 100 within | beside it, in the same run |", "|---|---:|---:|---|"]
    return "\n".join([wrapped(intro), "", *head, *(_short_row(what, figure) for what, figure in rows), ""])


def _without_p99(figure: dict[str, Any]) -> dict[str, Any]:
    """Its value is that already."""
    return {**figure, "details": {}}


def _short_row(what: str, figure: dict[str, Any]) -> str:
    latencies = figure["details"].get("latencies", {})
    p99 = f"{latencies['p99']:.0f} ms" if "p99" in latencies else ""
    beside = "; ".join(
        f"{figure['ratios'][limit['name']]:.1f} × {limit['name']}"
        for limit in figure["limits"]
        if limit["name"].startswith("pgbench")
    )
    return f"| {what} | {_written(figure['value'])} {figure['unit']} | {p99} | {beside} |"


def _find(results: dict[str, Any], name: str, scenario: str = "") -> dict[str, Any]:
    found: dict[str, Any] = next(
        each for each in results["figures"] if each["name"].startswith(name) and scenario in each["scenario"]
    )
    return found


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
    if again := made.get("again"):
        scenarios = ", ".join(f"{name} ({each['at']}, commit {each['commit']})" for name, each in again.items())
        measured += f" Measured again on their own, with what is beside them: {scenarios}."
    head = ["| scenario | what | measured | target | p50 | p99 | beside it, in the same run |"]
    lines = ["|---|---|---:|---:|---:|---:|---|", *(_row(figure) for figure in results["figures"])]
    return "\n".join([wrapped(measured), "", *head, *lines, ""])


def _row(figure: dict[str, Any]) -> str:
    reached = {True: " ✓", False: " ✗", None: ""}[figure["is_reached"]]
    sign = "≤" if figure["less_is_better"] else "≥"
    target = "" if figure["target"] is None else f"{sign} {_written(figure['target'])}{reached}"
    if figure.get("target_ratio") is not None:
        target = f"{sign} {figure['target_ratio']:g} ×{reached}"
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


DOCUMENTS = Documents("bin/bench", {ROOT / "README.md": as_short_table, ROOT / "docs" / "performance.md": as_markdown})
