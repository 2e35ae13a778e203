"""`leadroutes top`: the current state of the installation in the terminal; updated every second, or printed once.

It reads the database and changes nothing; figures are sums over all owners.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from leadroutes.domain.text import visible
from leadroutes.errors import Unavailable
from leadroutes.store.figures import MOST_COUNTED, load_figures, load_pace, load_workers
from leadroutes.store.postgres import Database

EVERY = 1.0  # seconds
LATE = 5.0  # seconds from which on lateness is shown in red
SILENT = 20.0  # seconds after which others take over what a worker has begun


@dataclass(frozen=True, slots=True)
class View:
    """What is shown, as the store answers it."""

    figures: Mapping[str, Any]
    pace: Mapping[str, Any]
    workers: tuple[tuple[str, float], ...]  # (id, seconds since its last sign of life)


async def load_view(database: Database) -> View:
    figures, pace, workers = await load_figures(database), await load_pace(database), await load_workers(database)
    return View(dict(figures), dict(pace), tuple((row["worker_id"], row["silence"]) for row in workers))


async def show(database: Database, console: Console, *, once: bool) -> None:
    """Until it is interrupted, or once. While the database is away, it says so and waits."""
    if once:
        console.print(rendered(await load_view(database)))
        return
    with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
        while True:
            try:
                live.update(rendered(await load_view(database)), refresh=True)
            except Unavailable as problem:
                live.update(Text(problem.message, "red"), refresh=True)
            await asyncio.sleep(EVERY)


def rendered(view: View) -> RenderableType:
    return Group(_leads(view), _work(view), _workers(view))


def _leads(view: View) -> Table:
    pace, figures = view.pace, view.figures
    table = _table("Leads")
    table.add_row("a minute", _rate(pace["leads_minute"], pace["leads_span_seconds"]))
    claimed, hour = pace["claimed"], pace["leads_hour"]
    share = f"  {claimed * 100 // hour} %" if hour else ""
    table.add_row("of the last hour, claimed", f"{_count(claimed)} of {_count(hour)}{share}")
    table.add_row("half of them claimed within", _span(pace["median_claim_seconds"]))
    table.add_row("of the last hour, unclaimed", _count(pace["unclaimed"]))
    table.add_row("on offer", _count(figures["leads_on_offer"]))
    table.add_row("unclaimed, of the last 24 hours", _count(figures["leads_unclaimed"]))
    return table


def _work(view: View) -> Table:
    pace, figures = view.pace, view.figures
    table = _table("Timers and messages")
    table.add_row("offers to come", _count(figures["offers_scheduled"]))
    table.add_row("timers due", _count(figures["timers_due"]), _late(figures["timers_late_seconds"]))
    table.add_row("jobs in the queue", _count(figures["queue_due"]), _late(figures["queue_late_seconds"]))
    table.add_row("jobs put off", _count(figures["queue_put_off"]))
    table.add_row("jobs done a minute", _rate(pace["jobs_done"], pace["jobs_span_seconds"]))
    table.add_row("jobs broken off, last minute", _bad(pace["jobs_broken"]))
    table.add_row("messages open", _count(figures["messages_open"]))
    table.add_row("messages not delivered, 24 hours", _bad(figures["messages_undelivered"]))
    return table


def _workers(view: View) -> Table:
    table = _table("Workers")
    for worker_id, silence in view.workers:
        said = Text(f"last sign of life {silence:.0f} s ago", "red" if silence > SILENT else "green")
        table.add_row(Text(visible(worker_id[:8])), said)
    if not view.workers:
        table.add_row("none", Text("no agent is notified: no worker runs; start leadroutes worker", "red"))
    return table


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE, show_header=False)
    table.add_column(width=34)
    table.add_column(min_width=12)
    table.add_column()
    return table


def _rate(times: int, seconds: float) -> str:
    return f"{times * 60 / max(seconds, 0.001):,.0f}"


def _count(number: int) -> str:
    return f"{number:,} or more" if number >= MOST_COUNTED else f"{number:,}"


def _bad(number: int) -> Text:
    return Text(_count(number), "red" if number else "")


def _late(seconds: float) -> Text:
    return Text(f"{seconds:,.1f} s late", "red" if seconds > LATE else "dim") if seconds else Text("in time", "dim")


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} min" if minutes else f"{rest} s"
