"""Imports in the background: a file is stored, checked and imported by a job of the queue, which can be continued.

What a row becomes is decided by csv_import, as for the command.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import asyncpg
import msgspec
import structlog

from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.text import json_without_zeros
from leadroutes.errors import Conflict, Invalid, NotFound, Unavailable
from leadroutes.intake.csv_headings import headings_of, with_meanings
from leadroutes.operations.csv_import import import_leads_of
from leadroutes.operations.csv_import_report import report_csv
from leadroutes.operations.csv_import_results import EXPECTED, Report
from leadroutes.store import statement
from leadroutes.store.audit import note_act
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.queue import IMPORT_JOB, RowKey, enqueue

log = structlog.get_logger()

LARGEST: Final = 50 * 1_048_576  # bytes
MOST_ROWS: Final = 100_000
MOST_PROBLEMS: Final = 200
MOST_ATTEMPTS: Final = 5
PROGRESS_INTERVAL: Final = 1.0  # seconds


async def store_import(
    database: Database, owner_id: int, content: bytes, file_name: str | None, act: AuditRow | None = None
) -> int:
    """Stores a file that is to be imported, and returns the id. Raises Invalid for one without headings or rows."""
    headings, rows = await asyncio.to_thread(headings_of, content)
    if not any(each.heading for each in headings):
        raise Invalid("The file is empty: its first line has no headings")
    if not 0 < rows <= MOST_ROWS:
        raise Invalid(f"The file has {rows} rows below its headings; expected 1 to {MOST_ROWS}")
    written = _json(headings)

    async def work(transaction: Transaction) -> int:
        import_id: int = await transaction.fetchval(
            *statement("add_import").bind(
                owner_id=owner_id, file_name=file_name, rows=rows, content=content, headings=written,
                now=transaction.now,
            )
        )  # fmt: skip
        note_act(transaction, act, record_id=import_id)
        return import_id

    return await database.run(work)


async def begin_import(
    database: Database, owner_id: int, import_id: int, *, is_check: bool, act: AuditRow | None = None
) -> None:
    """Puts the check of an import, or the import, into the queue.

    Raises NotFound, and Conflict where it is done, under way, without its file, or where another one is under way.
    """

    async def work(transaction: Transaction) -> None:
        state = "checking" if is_check else "importing"
        row = await transaction.fetchrow(
            *statement("begin_import").bind(owner_id=owner_id, import_id=import_id, state=state, now=transaction.now)
        )
        if row is None:
            raise NotFound.record(import_id)
        if not row["has_file"]:
            raise Conflict(f"The file of the import {import_id} is no longer stored; send it again")
        if not row["has_begun"]:
            raise Conflict(f"The import {import_id} is {row['state']}; it is not begun again")
        await enqueue(transaction.connection, IMPORT_JOB, [(owner_id, import_id)])
        note_act(transaction, act)

    try:
        await database.run(work)
    except asyncpg.UniqueViolationError:
        raise Conflict("Another import of yours is under way; wait until it is done") from None


@dataclass(frozen=True, slots=True)
class ImportJobs:
    """Runs the jobs. `channels` are those over which agents are notified of leads that are routed."""

    database: Database
    channels: Collection[str] = field(default=())

    async def run(self, payload: bytes, attempt: int) -> None:
        """The job of the queue: an import, or its check. A job that is run again continues where the last one ended."""
        key = msgspec.json.decode(payload, type=RowKey)
        row = await self.database.fetchrow(*statement("load_import").bind(owner_id=key.owner_id, import_id=key.id))
        if row is None:
            return  # removed, or done already
        try:
            await self._run(key, row)
        except (Unavailable, asyncio.CancelledError):
            raise
        except Invalid as error:
            await self._finish(key, state="failed", reason=error.message)
        except Exception as error:
            if attempt < MOST_ATTEMPTS:
                raise
            log.exception("an import is given up", owner=key.owner_id, number=key.id)
            await self._finish(key, state="failed", reason=f"it failed {attempt} times: {type(error).__name__}")

    async def _run(self, key: RowKey, row: asyncpg.Record) -> None:
        is_check = row["state"] == "checking"
        columns = msgspec.json.decode(row["columns"], type=dict[str, str])
        content = await asyncio.to_thread(with_meanings, row["content"], columns)
        progress = _Progress()
        async with self._showing(key, progress):
            report = await import_leads_of(
                self.database, content, key.owner_id, route=row["routes_recent"], dry_run=is_check,
                tell=progress.tell, received_at=row["received_at"], channels=self.channels,
                before=frozenset(row["made"]), note=None if is_check else partial(self._note, key),
            )  # fmt: skip
        text = "" if report.fault else await asyncio.to_thread(report_csv, report, content)
        has_failed = report.fault is not None and not is_check
        await self._finish(
            key, state="failed" if has_failed else "checked" if is_check else "done", reason=report.fault,
            report=report, text=text,
        )  # fmt: skip

    async def _note(self, key: RowKey, transaction: Transaction, made: Sequence[int]) -> None:
        await transaction.execute(
            *statement("note_import_batch").bind(owner_id=key.owner_id, import_id=key.id, made=list(made))
        )

    @contextlib.asynccontextmanager
    async def _showing(self, key: RowKey, progress: "_Progress") -> AsyncIterator[None]:
        """Stores how many rows are done, once a second, meanwhile."""

        async def show() -> None:
            while True:
                await asyncio.sleep(PROGRESS_INTERVAL)
                await self.database.execute(
                    *statement("note_import_progress").bind(owner_id=key.owner_id, import_id=key.id, rows=progress.rows)
                )

        showing = asyncio.create_task(show())
        try:
            yield
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)

    async def _finish(
        self, key: RowKey, *, state: str, reason: str | None, report: Report | None = None, text: str = ""
    ) -> None:
        await self.database.execute(
            *statement("finish_import").bind(
                owner_id=key.owner_id, import_id=key.id, state=state, reason=reason, now=self.database.clock.now(),
                result=_json(_numbers(report)) if report else None,
                problems=_json(_problems(report)) if report else None,
                report=text.replace("\0", "") or None,
            )
        )  # fmt: skip


class _Progress:
    """How many rows are done."""

    def __init__(self) -> None:
        self.rows = 0

    def tell(self, done: int, _total: int) -> None:
        self.rows = done


def _json(value: Any) -> str:
    return json_without_zeros(msgspec.json.encode(value).decode())


def _numbers(report: Report) -> dict[str, Any]:
    return {
        "rows": report.rows,
        "imported": report.imported,
        "known": report.known,
        "mended": report.mended,
        "routed": report.routed,
        "joined": len(report.joined),
        "unsubscribed": report.unsubscribed,
        "rejected": len(report.rejected),
        "warnings": len(report.warnings),
        "is_check": report.is_dry_run,
    }


def _problems(report: Report) -> list[dict[str, Any]]:
    """Returns the first problems, rejected rows before cells that are left empty."""
    rejected = [
        {"line": each.line, "row": each.row, "why": each.why, "expected": EXPECTED[each.why], "column": None,
         "value": None}
        for each in report.rejected[:MOST_PROBLEMS]
    ]  # fmt: skip
    warned = [
        {"line": row.line, "row": row.row, "why": each.why, "expected": None, "column": each.column,
         "value": each.value[:200]}
        for row, each in report.warnings[: MOST_PROBLEMS - len(rejected)]
    ]  # fmt: skip
    return rejected + warned
