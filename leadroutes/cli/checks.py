"""The commands about an account's rules: check and try.

As in cli: each calls one function of another room and prints the outcome.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.progress import Progress

from leadroutes.domain.text import visible_json
from leadroutes.operations.console import err, fail, out, print_table, run_with_database, settings_in_force
from leadroutes.store import accounts, statement
from leadroutes.store.postgres import Database

MOST_PRINTED: Final = 20  # leads

Owner = Annotated[str, typer.Option("--owner", metavar="EMAIL", help="E-mail of the user whose rules they are.")]


def check(owner: Owner) -> None:
    """Find what in an account's rules cannot work, and what is hardly meant. Exit code 1 if there is an error."""
    from leadroutes.channels import configured_channels
    from leadroutes.engine.engine import Engine
    from leadroutes.settings.sending import sending_rules

    async def work(database: Database) -> Any:
        settings = settings_in_force()
        channels = configured_channels(settings)
        engine = Engine(database, channels, settings.open_span, sending_rules(settings))
        return await engine.rule_checks.check(await accounts.get_user_id(database, owner))

    found = run_with_database(work)
    for each in found.findings:
        out.print(f"{each.severity:7}  {each.code}: {each.message}  ({_place(each)})", soft_wrap=True)
    errors = sum(each.severity == "error" for each in found.findings)
    warnings = len(found.findings) - errors
    out.print(f"Rule set {found.rule_set}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    if errors:
        raise typer.Exit(1)


def _place(reference: Any) -> str:
    return f"/{reference.resource}" + (f"/{reference.id}" if reference.id is not None else "")


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def try_(
    draft: Annotated[
        Path, typer.Argument(metavar="DRAFT", exists=True, dir_okay=False, readable=True, help="Rules as a document.")
    ],
    owner: Owner,
    since: Annotated[str, typer.Option(metavar="WHEN", help="A date, a time, or how long ago: 90d, 24h.")] = "90d",
    until: Annotated[str | None, typer.Option(metavar="WHEN", help="A date or a time; now by default.")] = None,
    prune: Annotated[bool, typer.Option("--prune", help="Remove what the draft does not name.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, as the API answers it.")] = False,
) -> None:
    """Try a draft of rules on an account's past leads, and print what it would have changed. Nothing is stored."""
    from leadroutes.api.rule_calls import read_sent_document
    from leadroutes.api.trial_calls import lay_draft, past_moment
    from leadroutes.channels import configured_channels
    from leadroutes.rules.trials import Trial, run_trial
    from leadroutes.store.routing import RuleSets
    from leadroutes.store.trials import PastLeads

    async def work(database: Database) -> dict[str, Any]:
        owner_id, now = await accounts.get_user_id(database, owner), database.clock.now()
        moments = {name: _moment(given, name, now, past_moment) for name, given in (("since", since), ("until", until))}
        document = await read_sent_document(draft.read_bytes(), owner_id)
        settings = settings_in_force()
        rule_sets = RuleSets(channels=configured_channels(settings), open_for=settings.open_span)
        async with database.transaction() as transaction:
            laid = await lay_draft(transaction, owner_id, document, prune=prune, rule_sets=rule_sets)
        period = PastLeads(owner_id, moments["since"], moments["until"])
        trial = await Trial.of(database, period, laid.present, laid.drafted)
        with Progress(console=err, transient=True) as progress:
            task = progress.add_task("Trying", total=trial.total)
            return await run_trial(
                database, trial, lambda done, of: progress.update(task, completed=done, total=of)
            ) | {"names": await _names(database, laid)}

    result = run_with_database(work)
    names = result.pop("names")
    if as_json:
        print(visible_json(msgspec.json.encode(result).decode()))
    else:
        _print_trial(result, names)


def _moment(given: str | None, name: str, now: datetime, read: Callable[[str, datetime], datetime]) -> datetime:
    if given is None:
        return now
    try:
        return read(given, now)
    except ValueError:
        fail(f"--{name}: {given!r} was given; expected a date, a time as 2026-11-20T18:00Z, or 90d, 24h")


async def _names(database: Database, laid: Any) -> dict[int, str]:
    """Returns the names of everyone in the rules."""
    people = {user_id for each in (laid.present, laid.drafted) for user_id in each.rules.people}
    rows = await database.fetch(*statement("find_display_names").bind(user_ids=sorted(people)))
    return {row["id"]: row["name"] for row in rows}


def _print_trial(result: dict[str, Any], names: dict[int, str]) -> None:
    totals = result["totals"]
    sides = totals["before"], totals["after"]
    out.print(f"{totals['leads']:,} leads, {totals['held']:,} held; before → after:")
    for name, words in (("without_route", "without route"), ("to_owner", "to the owner"), ("got", "someone has them")):
        out.print(f"  {words}: {sides[0][name]:,} → {sides[1][name]:,}")
    columns = ("routed", "first", "notified", "got")
    print_table(("route", *columns), [(each["name"], *_changes(each, columns)) for each in result["routes"]])
    members = [(names.get(each["user_id"], each["user_id"]), *_changes(each, columns)) for each in result["members"]]
    print_table(("member", *columns), members)
    moved, lost = result["moved"], result["lost_claims"]
    out.print(f"{moved['count']:,} leads have another first member, {lost['count']:,} claims would have been lost")
    for each in moved["leads"][:MOST_PRINTED]:
        before, after = (names.get(each[side], "no one") for side in ("before", "after"))
        out.print(f"  lead {each['lead_id']}: {before} → {after} ({each['why']})", soft_wrap=True)


def _changes(row: dict[str, Any], columns: tuple[str, ...]) -> list[str]:
    return [f"{row['before'][name]:,} → {row['after'][name]:,}" for name in columns]
