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

from leadroutes.domain.text import visible
from leadroutes.store import statement
from leadroutes.store.postgres import Database

SHOWN_AS = {"notified": "told", "scheduled": "later"}
HOW = {"Auto": "automatically", "None": "through the API"}
SIGNS = {"won": ("✔", "bold green"), "declined": ("✘", "red"), "told": ("", "cyan"), "lost": ("", "dim")}
COLUMNS = {"lead": 19, "came from": 18, "route": 18, "offered to": 25, "alerts": 20, "claimed by": 19}  # with widths
CAPTION = "A second here is a minute there. ✔ has it, ✘ does not want it, (is told later unless somebody claims)"


@dataclass(frozen=True, slots=True)
class Line:
    """One lead as it stands."""

    id: int
    name: str
    came: str
    route: str
    offers: tuple[tuple[str, str], ...]  # (who, state); a state that is still open is told or later
    alerts: str
    claimed_by: str
    how: str
    after: str
    is_settled: bool

    @property
    def outcome(self) -> str:
        """How it ended, as half a sentence; empty while it has not."""
        if not self.after:
            return ""
        return f"{self.claimed_by or 'claimed by nobody'}{self.how and ', ' + self.how}, after {self.after} min"


async def load_board(database: Database, owner_id: int) -> list[Line]:
    """All leads of the owner, oldest first."""
    return [_line(row) for row in await database.fetch(statement("list_board"), owner_id)]


def _line(row: asyncpg.Record) -> Line:
    ended_at = row["claimed_at"] or row["unclaimed_at"]
    return Line(
        id=row["id"],
        name=visible(row["name"]),
        came=visible(" ".join(filter(None, (row["source"], row["type"])))),
        route=visible(row["route"] or "-"),
        offers=tuple(_offer(offer) for offer in row["offers"] or ()),
        alerts=" ".join(row["alerts"] or ()),
        claimed_by=visible(row["claimed_by"] or ""),
        how=HOW.get(row["via"], row["via"] and f"by {row['via'].lower()}") or "",
        after=_span(row["created_at"], ended_at) if ended_at else "",
        is_settled=ended_at is not None or row["routed_at"] is None,
    )


def _offer(text: str) -> tuple[str, str]:
    who, _, state = visible(text).rpartition(" ")
    return who, SHOWN_AS.get(state, state)


def _span(since: datetime, until: datetime) -> str:
    seconds = round((until - since) / timedelta(seconds=1))
    return f"{seconds // 60}:{seconds % 60:02}"


def as_table(lines: Sequence[Line]) -> Table:
    """The board for a terminal."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, caption=CAPTION, caption_justify="left", padding=(0, 1, 0, 0))
    for name, ratio in COLUMNS.items():
        table.add_column(name, ratio=ratio, overflow="ellipsis", no_wrap=name != "offered to")
    table.add_column("after", width=5, justify="right")
    for line in lines:
        ended = Text(line.claimed_by or ("nobody" if line.after else ""), "bold green" if line.claimed_by else "yellow")
        lead, came, route, alerts = (Text(each) for each in (line.name, line.came, line.route, line.alerts))
        table.add_row(lead, came, route, _offers(line), alerts, ended, line.after)
    return table


def _offers(line: Line) -> Text:
    """First names only; who was never told and never will be is left out."""
    parts = []
    for who, state in line.offers:
        first_name = who.partition(" ")[0]
        if state == "later":
            parts.append(Text(f"({first_name})", "dim"))
        elif state in SIGNS:
            sign, style = SIGNS[state]
            parts.append(Text(sign + first_name, style))
    return Text(" ").join(parts)


def news(before: Sequence[Line], after: Sequence[Line]) -> Iterator[str]:
    """What has happened between two looks at the board, a sentence each, for where there is no terminal."""
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
