"""The board of the demonstration: the state of every lead, as a live table or, without a terminal, as lines.

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

SHOWN_AS = {"scheduled": "later"}
HOW = {"Auto": "automatically", "None": "signed in"}
SIGNS = {"won": ("✔", "bold green"), "declined": ("✘", "red"), "notified": ("", "cyan"), "lost": ("", "dim")}
CAPTION = "A second here is a minute there. ✔ has it, ✘ declined, +2: two more wait"
NO_NAME = "(no name)"  # of a person; whoever watches may send a lead with a phone alone
GAP = 1  # cells between two columns, which the box fills
HEADING = 2  # lines: the names of the columns, and a rule


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the board; a narrow terminal leaves out those with the highest `rank` first."""

    name: str
    width: int
    rank: int
    is_number: bool = False


OFFERED = Column("offered to", 29, 0)  # takes what is left
COLUMNS = (
    Column("lead", 23, 0),
    Column("came from", 18, 1),
    Column("route", 29, 2),
    OFFERED,
    Column("alerts", 6, 3, is_number=True),
    Column("after", 5, 0, is_number=True),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One lead in its current state."""

    id: int
    name: str
    came: str
    route: str
    offers: tuple[tuple[str, str], ...]  # (who, state); an open offer is notified or later
    alert_count: int
    claimed_by: str
    how: str
    after: str
    is_settled: bool

    @property
    def outcome(self) -> str:
        """Returns the end of a sentence that says how the lead ended; empty while it is open."""
        if not self.after:
            return ""
        return f"{self.claimed_by or 'claimed by no one'}{self.how and ', ' + self.how}, after {self.after} min"


async def load_board(database: Database, owner_id: int) -> list[Line]:
    """Returns all leads of the owner, oldest first."""
    return [_line(row) for row in await database.fetch(*statement("list_board").bind(owner_id=owner_id))]


def _line(row: asyncpg.Record) -> Line:
    ended_at = row["claimed_at"] or row["unclaimed_at"]
    return Line(
        id=row["id"],
        name=visible(row["name"]) or NO_NAME,
        came=visible(" ".join(filter(None, (row["source"], row["type"])))),
        route=visible(row["route"] or "-"),
        offers=tuple(_offer(offer) for offer in row["offers"] or ()),
        alert_count=row["alert_count"],
        claimed_by=visible(row["claimed_by"] or ""),
        how=HOW.get(row["via"], row["via"] and f"by {row['via'].lower()}") or "",
        after=_span(row["created_at"], ended_at) if ended_at else "",
        is_settled=row["state"] != "on offer",
    )


def _offer(text: str) -> tuple[str, str]:
    who, _, state = visible(text).rpartition(" ")
    return who, SHOWN_AS.get(state, state)


def _span(since: datetime, until: datetime) -> str:
    seconds = round((until - since) / timedelta(seconds=1))
    return f"{seconds // 60}:{seconds % 60:02}"


def as_table(lines: Sequence[Line], width: int, height: int | None = None) -> Table:
    """Returns the board for a terminal: one line per lead, the newest at the bottom, at most `height` lines."""
    columns = _columns(width)
    left = width - sum(each.width + GAP for each in columns if each is not OFFERED)
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, width=width, padding=0,
        caption=Text(CAPTION, "dim", no_wrap=True, overflow="ellipsis"), caption_justify="left",
    )  # fmt: skip
    for each in columns:
        table.add_column(
            each.name, width=left if each is OFFERED else each.width, overflow="ellipsis", no_wrap=True,
            justify="right" if each.is_number else "left",
        )  # fmt: skip
    shown = _newest(lines, height)
    if len(shown) < len(lines):
        table.add_row(Text(f"({len(lines) - len(shown)} earlier)", "dim"))
    for line in shown:
        cells = {
            "lead": Text(line.name), "came from": Text(line.came), "route": Text(line.route),
            "offered to": offered(line, left), "alerts": Text(str(line.alert_count or "")), "after": Text(line.after),
        }  # fmt: skip
        table.add_row(*(cells[each.name] for each in columns))
    return table


def _columns(width: int) -> list[Column]:
    """Returns as many columns as fit `width`, in their order."""
    chosen: list[Column] = []
    for each in sorted(COLUMNS, key=lambda column: column.rank):
        if each.rank and sum(other.width + GAP for other in (*chosen, each)) - GAP > width:
            break
        chosen.append(each)
    return [each for each in COLUMNS if each in chosen]


def _newest(lines: Sequence[Line], height: int | None) -> Sequence[Line]:
    """Returns the leads that fit between heading and caption; one fewer if a line has to say that there are others."""
    if height is None:
        return lines
    room = max(height - HEADING - 1, 2)
    return lines if len(lines) <= room else lines[-(room - 1) :]


def offered(line: Line, width: int) -> Text:
    """Returns the first names of the notified members and the number of those who wait.

    If there is no room for all, the earliest are left out, but never the one who has the lead.
    """
    names = [(*SIGNS[state], who.partition(" ")[0], state) for who, state in line.offers if state in SIGNS]
    later = sum(state == "later" for _, state in line.offers)
    parts = [(Text(sign + name, style), state == "won") for sign, style, name, state in names]
    if line.after and not line.claimed_by:
        parts.append((Text("unclaimed", "yellow"), True))
    if not names and line.is_settled and not line.after:
        parts.append((Text(line.route, "dim"), True))
    if later:
        parts.append((Text(f"+{later}", "dim"), False))
    while sum(text.cell_len + 1 for text, _ in parts) - 1 > width:
        spare = next((index for index, (_, is_required) in enumerate(parts) if not is_required), None)
        if spare is None:
            break
        del parts[spare]
    return Text(" ").join(text for text, _ in parts)


def news(before: Sequence[Line], after: Sequence[Line]) -> Iterator[str]:
    """Yields a sentence for each change between two states of the board; used without a terminal."""
    known = {line.id: line for line in before}
    for line in after:
        earlier = known.get(line.id)
        if earlier is None:
            yield f"{line.name} ({line.came}) has come in: {line.route}"
        notified = [who for who, state in line.offers if state == "notified"]
        before_that = [who for who, state in earlier.offers if state != "later"] if earlier else []
        if fresh := [who for who in notified if who not in before_that]:
            yield f"{line.name} is offered to {', '.join(fresh)}"
        if line.outcome and (earlier is None or earlier.outcome != line.outcome):
            yield f"{line.name}: {line.outcome}"
