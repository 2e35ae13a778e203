"""Puts the figures of chaos/results.json into documents.

It makes no run.
"""

from collections.abc import Mapping
from typing import Any

from bench.marks import Documents, wrapped
from chaos.programs import ROOT

RESULTS = ROOT / "chaos" / "results.json"
CAME_OF_IT = {
    "leads": "leads taken in",
    "offers": "offers made of them",
    "claims": "leads that someone has in the end",
    "steps": "campaign steps",
    "ended_by_themselves": "processes that gave up while they started without a database, and were started again",
    "without_answer": "requests without an answer (a process was dead, starting or still for 8 seconds), sent again",
}

SEEN = {
    "stops": "stops of campaigns that were acknowledged",
    "mails": "mails as the mail server saw them",
    "texts": "texts as the provider saw them",
    "calls": "calls as the provider saw them",
    "webhooks": "tries of webhooks as the receiver saw them",
}


def as_sentence(results: dict[str, Any]) -> str:
    """Returns a summary of one paragraph."""
    kills, nuisances = results["kills"], results["nuisances"]
    broken = sum(len(breaches) for breaches in results["breaches"].values())
    outcome = "nothing was lost and nothing was done twice" if not broken else f"{broken} times something did not hold"
    sentence = (
        f"In the last full run, {kills['all']} processes were killed within {_minutes(results)} minutes, under load:"
        f" {kills['kill -9 serve']} × `kill -9` of a service, {kills['kill -9 worker']} × of a worker,"
        f" {_of_postgresql(kills)} × PostgreSQL; between them {nuisances['all']} times connections were cut, processes"
        f" were stopped for up to {results['longest_stop']:.0f} seconds, {_who_was_away(nuisances)} or slow, or the"
        f" queue was filled. {results['leads']:,} leads, {results['offers']:,} offers,"
        f" {results['mails']['taken']:,} mails: {outcome}."
    )
    return wrapped(sentence) + "\n"


def _who_was_away(nuisances: Mapping[str, int]) -> str:
    """Only whom that run had: earlier ones had no provider and no receiver."""
    has_provider = "provider and receiver are away" in nuisances
    return "mail server, provider or receiver were away" if has_provider else "the mail server was away"


def as_tables(results: dict[str, Any]) -> str:
    """Returns all tables."""
    made, gap = results["made"], results["longest_without_a_lead"]
    deeds = ", ".join(gap["deeds"])
    head = (
        f"Made on {made['at']}, commit {made['commit']}, in {made['seconds']} seconds, on {made['cores']} cores that"
        f" all shared, PostgreSQL {made['postgresql']} with fsync {made['fsync']}, drawn from the seed {made['seed']}."
    )
    while_it_lasted = (
        f"The longest time in which no lead was taken in, while leads were sent all the time: {gap['seconds']} seconds"
        f" (meanwhile, and just before: {deeds or 'nothing'})."
    )
    done = {name: count for each in ("kills", "nuisances") for name, count in results[each].items() if name != "all"}
    answers = {
        "requests answered 2xx": _sum(results, ("200", "201")),
        "claims that came too late, or before the agent was notified (409, 404)": _sum(results, ("404", "409")),
        "requests answered 503 with Retry-After, sent again": _sum(results, ("503",)),
    }
    messages = {f"messages {state}": count for state, count in results["messages"].items()}
    seen = {f"{what}: {fate}": count for name, what in SEEN.items() for fate, count in results.get(name, {}).items()}
    came = {words: results[name] for name, words in CAME_OF_IT.items()} | answers | messages | seen
    verdict = [
        f"| {check} | {'holds' if check not in results['breaches'] else '**does not hold**'} |"
        for check in results["checks"]
    ]
    return "\n".join(
        [wrapped(head), "", *_table("what was done", done), "", *_table("what came of it", came), "",
         wrapped(while_it_lasted), "", *_attacks(results), "| what has to hold | |", "|---|---|", *verdict, ""]
    )  # fmt: skip


def _attacks(results: dict[str, Any]) -> list[str]:
    """What the two hostile ones sent, and how long the others waited. Empty for results without them."""
    if not results.get("hostile"):
        return []
    waits = [
        f"| {kind} | {each['alone']['p99']:,} ms | {each['beside hostile ones']['p99']:,} ms"
        f" | {each['beside hostile ones']['requests']:,} |"
        for kind, each in results["waits"].items()
    ]
    attacks = [
        f"| {name} | {each['who']} | {', '.join(f'{status}: {count:,}' for status, count in each['answers'].items())} |"
        for name, each in results["hostile"].items()
    ]
    return [
        "| p99 of honest requests, before anything was killed | alone | beside hostile ones | requests |",
        "|---|---:|---:|---:|", *waits, "",
        "| what hostile ones did | who | answers, how often |", "|---|---|---|", *attacks, "",
    ]  # fmt: skip


def _table(title: str, rows: Mapping[str, int]) -> list[str]:
    return [f"| {title} | times |", "|---|---:|", *(f"| {name} | {count:,} |" for name, count in rows.items())]


def _sum(results: dict[str, Any], statuses: tuple[str, ...]) -> int:
    answers: dict[str, int] = results["answers"]
    return sum(answers.get(status, 0) for status in statuses)


def _of_postgresql(kills: Mapping[str, int]) -> int:
    return sum(count for name, count in kills.items() if "PostgreSQL" in name)


def _minutes(results: dict[str, Any]) -> int:
    seconds: int = results["made"]["seconds_of_kills"]
    return max(1, round(seconds / 60))


DOCUMENTS = Documents("bin/chaos", {ROOT / "README.md": as_sentence, ROOT / "docs" / "reliability.md": as_tables})
