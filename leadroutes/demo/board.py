"""The board of the demonstration: every lead with its way so far, as a live table or, without a terminal, as lines.

It reads the database and changes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
from rich import box
from rich.table import Table
from rich.text import Text

from leadroutes.store import statement
from leadroutes.store.postgres import Database

STYLES = {"won": "bold green", "lost": "dim", "withdrawn": "dim", "skipped": "dim", "declined": "red"}
COLUMNS = {"lead": 3, "came from": 3, "route": 4, "offered to": 7, "alerts": 4, "claimed by": 5}  # with their widths
SHOWN_AS = {"notified": "told", "scheduled": "later"}


@dataclass(frozen=True, slots=True)
class Line:
    """One lead as it stands."""

    id: int
    name: str
    came: str
    route: str
    offers: tuple[tuple[str, str], ...]  # (who, state)
    alerts: tuple[str, ...]
    outcome: str
    is_settled: bool


async def load_board(database: Database, owner_id: int) -> list[Line]:
    """All leads of the owner, oldest first."""
    return [_line(row) for row in await database.fetch(statement("list_board"), owner_id)]


def _line(row: asyncpg.Record) -> Line:
    offers = tuple(_offer(offer) for offer in row["offers"] or ())
    return Line(
        id=row["id"],
        name=row["name"],
        came=" ".join(filter(None, (row["source"], row["type"]))),
        route=row["route"] or "-",
        offers=offers,
        alerts=tuple(row["alerts"] or ()),
        outcome=_outcome(row),
        is_settled=bool(row["claimed_by"] or row["unclaimed_at"] or row["routed_at"] is None),
    )


def _offer(text: str) -> tuple[str, str]:
    who, _, state = text.rpartition(" ")
    return who, SHOWN_AS.get(state, state)


def _outcome(row: asyncpg.Record) -> str:
    if row["claimed_by"]:
        how = "automatically" if row["via"] == "Auto" else f"via {'the API' if row['via'] == 'None' else row['via']}"
        return f"{row['claimed_by']} {how} after {_span(row['created_at'], row['claimed_at'])}"
    if row["unclaimed_at"]:
        return f"nobody in {_span(row['created_at'], row['unclaimed_at'])}"
    return "held" if row["routed_at"] is None else ""


def _span(since: datetime, until: datetime) -> str:
    seconds = round((until - since) / timedelta(seconds=1))
    return f"{seconds // 60} min {seconds % 60:02} s"


def as_table(lines: Sequence[Line]) -> Table:
    """The board for a terminal."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, caption="one second here is a minute there", caption_justify="left")
    for name, ratio in COLUMNS.items():
        table.add_column(name, ratio=ratio, overflow="fold")
    for line in lines:
        alerts = ", ".join(line.alerts)
        outcome = Text(line.outcome, "yellow" if line.outcome.startswith("nobody") else "bold green")
        table.add_row(line.name, line.came, line.route, _offers(line), alerts, outcome)
    return table


def _offers(line: Line) -> Text:
    parts = [Text(f"{who.partition(' ')[0]} {state}", STYLES.get(state, "cyan")) for who, state in line.offers]
    return Text(", ").join(parts)


def news(before: Sequence[Line], after: Sequence[Line]) -> Iterator[str]:
    """What has happened between two looks at the board, a sentence each."""
    known = {line.id: line for line in before}
    for line in after:
        earlier = known.get(line.id)
        if earlier is None:
            yield f"{line.name} ({line.came}) has come in: {line.route}"
        told = [who for who, state in line.offers if state == "told"]
        had_been_told = [who for who, state in earlier.offers if state != "later"] if earlier else []
        if fresh := [who for who in told if who not in had_been_told]:
            yield f"{line.name} is offered to {', '.join(fresh)}"
        if line.outcome and (earlier is None or earlier.outcome != line.outcome):
            yield f"{line.name}: {line.outcome}"
