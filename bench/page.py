"""The figures of bench/results.json as they stand in documents.

It measures nothing.
"""

from typing import Any

from bench.marks import Documents
from bench.programs import ROOT

SHOWN = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size")


def as_sentence(results: dict[str, Any]) -> str:
    """For who has a minute."""
    arrival = _find(results, "leads in, 128")
    by_one = next(ratio for name, ratio in arrival["ratios"].items() if name.startswith("pgbench"))
    race, late = _find(results, "200 claimers"), _find(results, "lateness", "due offers")
    return (
        f"On {results['machine']['cores']} cores that PostgreSQL, the service and the load share, everything durable:"
        f" {arrival['value']:,.0f} leads a second come in over HTTP, each with its contact, its offers, its alert and"
        f" its reason ({by_one:.1f} × what pgbench commits of the same rows one by one), 99 of 100 within"
        f" {arrival['details']['latencies']['p99']:.0f} ms;"
        f" {_find(results, 'leads claimed')['value']:,.0f} claims a second; of 200 agents who want one lead at once,"
        f" the last has his answer after {race['value']:.0f} ms; beside a million offers that wait,"
        f" {_find(results, '100,000 due', 'due offers')['value']:,.0f} a second are carried out when many are due,"
        f" and at 500 a second 99 of 100 are on disk within {late['value']:.0f} ms of their moment.\n"
    )


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


DOCUMENTS = Documents("bin/bench", {ROOT / "README.md": as_sentence, ROOT / "docs" / "performance.md": as_markdown})
