"""Group commit: arrivals that come while a commit is under way share the next one.

Reads bodies, hands batches to `receiving`, and gives every caller his own answer once it is on disk.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import msgspec
import structlog

from leadroutes.domain.arriving import Key
from leadroutes.engine import Engine
from leadroutes.errors import Conflict, NotFound, Problem, Unavailable
from leadroutes.intake.formats import BY_NAME
from leadroutes.intake.reading import read
from leadroutes.intake.results import ControlMessage, Pending, Reading, Refusal
from leadroutes.receiving import receive
from leadroutes.sorting import Item, NewLead, Received, Stored
from leadroutes.store import statement
from leadroutes.store.postgres import Transaction

log = structlog.get_logger()

MOST_TOGETHER = 100
LARGE_BODY = 65_536  # bytes; what is larger is read in a thread, so that others do not wait for it
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


@dataclass(frozen=True, slots=True)
class Idempotency:
    """An Idempotency-Key with what came under it."""

    path: str
    key: str
    body: bytes

    def as_key(self) -> Key:
        return Key(scope=f"key {self.path}", key=self.key, digest=hashlib.sha256(self.body).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an intake door says: what was stored, the refusal if it was one, and what the vendor expects to hear."""

    stored: Stored
    refusal: Refusal | None = None
    reply: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    item: Item
    answer: "asyncio.Future[Stored]"


class Arrivals:
    """One per process. `close()` when no more arrivals can come."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._waiting: deque[_Waiting] = deque()
        self._runner: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Wait until everything that has arrived is stored."""
        if self._runner is not None:
            await self._runner

    # -- the ways in

    async def post_lead(self, lead: NewLead, *, idempotency: Idempotency | None = None) -> Stored:
        """`POST /leads`. Conflict: the Idempotency-Key came with another body before."""
        keys = (idempotency.as_key(),) if idempotency else ()
        return await self._store(Item(arrival=lead, keys=keys))

    async def take_in(
        self, key: str, body: bytes, headers: Mapping[str, str], *, idempotency_key: str | None = None
    ) -> Answer:
        """`POST /intake/{key}`: kept whatever it is. NotFound for a key that is unknown or revoked."""
        row = await self.engine.database.fetchrow(statement("find_intake_key"), hashlib.sha256(key.encode()).digest())
        if row is None:
            raise NotFound("Page not found")
        kept = Received(
            owner_id=row["owner_id"],
            intake_key_id=row["id"],
            lead_source_id=row["lead_source_id"],
            contact_source_id=row["contact_source_id"],
            body=body,
            headers={name: value for name, value in headers.items() if name.lower() not in SECRET_HEADERS},
            format=row["format"],
            inquiries=(),
        )
        keys = [Key(scope=f"body {row['id']}", key=hashlib.sha256(body).hexdigest())]
        if idempotency_key:
            keys.insert(0, Idempotency("/intake", idempotency_key, body).as_key())
        reading = await _read(body, headers, row["format"])
        return await self._answer(kept, reading, tuple(keys))

    async def replay(self, owner_id: int, arrival_id: int) -> Answer:
        """Read a kept arrival again, where nothing came of it at first. Conflict: it has its lead already."""
        row = await self.engine.database.fetchrow(statement("load_arrival"), owner_id, arrival_id)
        if row is None:
            raise NotFound.record(arrival_id)
        if row["status"] not in ("rejected", "pending"):
            raise Conflict(
                f"The arrival {arrival_id} is {row['status']}; only rejected and pending ones are read again"
            )
        kept = Received(
            owner_id=owner_id,
            intake_key_id=row["intake_key_id"],
            lead_source_id=row["lead_source_id"],
            contact_source_id=row["contact_source_id"],
            body=row["body"],
            headers=_decode_headers(row["headers"]),
            format=row["key_format"],
            inquiries=(),
            arrival_id=arrival_id,
        )
        reading = await _read(kept.body, kept.headers, kept.format)
        return await self._answer(kept, reading, ())

    async def _answer(self, kept: Received, reading: Reading, keys: tuple[Key, ...]) -> Answer:
        refusal = next(iter(reading.refusals), None) if not reading.inquiries else None
        status, reason = _status_without_inquiry(reading)
        received = replace(kept, format=reading.format, inquiries=reading.inquiries, status=status, reason=reason)
        stored = await self._store(Item(arrival=received, keys=keys))
        reply = _reply(reading, stored) if refusal is None else None
        return Answer(stored=stored, refusal=refusal, reply=reply)

    # -- storing together

    async def _store(self, item: Item) -> Stored:
        waiting = _Waiting(item, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await waiting.answer

    async def _run(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(MOST_TOGETHER, len(self._waiting)))]
            await self._store_together(batch)

    async def _store_together(self, batch: list[_Waiting]) -> None:
        """One that breaks the whole batch is found by storing each alone; only its own caller hears of it."""

        async def work(transaction: Transaction) -> list[Stored | Problem]:
            return await receive(transaction, self.engine.rule_sets, [waiting.item for waiting in batch])

        try:
            answers: list[Stored | Problem] = await self.engine.database.run(work)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the callers have to hear of it
            if len(batch) == 1 or isinstance(error, Unavailable):
                _fail(batch, error)
                return
            for waiting in batch:
                await self._store_together([waiting])
            return
        for waiting, answer in zip(batch, answers, strict=True):
            _give(waiting.answer, answer)


def _fail(batch: list[_Waiting], error: Exception) -> None:
    if isinstance(error, asyncpg.PostgresError):
        log.error("an arrival could not be stored", error=repr(error))
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


def _give(future: "asyncio.Future[Stored]", answer: Stored | Problem) -> None:
    if future.done():
        return  # the caller has gone; the lead is stored all the same
    if isinstance(answer, Problem):
        future.set_exception(answer)
    else:
        future.set_result(answer)


async def _read(body: bytes, headers: Mapping[str, str], format_: str | None) -> Reading:
    """The key in the address has let the sender in: vendors' own secrets are not asked for."""
    if len(body) > LARGE_BODY:
        return await asyncio.to_thread(read, body, headers, format=format_)
    return read(body, headers, format=format_)


def _status_without_inquiry(reading: Reading) -> tuple[str, str | None]:
    """What is noted of a body in which there is no inquiry."""
    for result in reading.results:
        match result:
            case Refusal(why=why, detail=detail):
                return "rejected", f"{why}: {detail}"
            case Pending(why=why):
                return "pending", why
            case ControlMessage(action=action):
                return "accepted", f"a control message: {action}"
            case _:
                continue
    return "rejected", "no_contact: there is nothing in it"


def _reply(reading: Reading, stored: Stored) -> Mapping[str, Any] | None:
    """What the vendor expects to hear, where his format says so."""
    for result in reading.results:
        if isinstance(result, ControlMessage) and result.reply is not None:
            return result.reply
    found = BY_NAME.get(reading.format or "")
    if found is None or found.answer is None or not stored.lead_ids:
        return None
    return found.answer(reading, stored.lead_ids[0])


def _decode_headers(text: str) -> dict[str, str]:
    headers: dict[str, str] = msgspec.json.decode(text, type=dict[str, str])
    return headers
