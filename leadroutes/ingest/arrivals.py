"""Group commit: arrivals that come while a commit is under way share the next one.

Reads bodies, hands batches to `receiving`, and gives every caller his own answer once it is on disk.
"""

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import structlog
from msgspec.structs import replace

from leadroutes.domain.arrival import Item, NewLead, Received, Stored
from leadroutes.domain.dedupe import Key
from leadroutes.engine.engine import Engine
from leadroutes.errors import Conflict, NotFound, Problem, TooLarge, Unavailable, WorkFirst
from leadroutes.ingest.batch import receive
from leadroutes.ingest.key_budgets import IntakeBudget, is_over_budget
from leadroutes.ingest.reader import Parcel, Reader, Understood
from leadroutes.ingest.vendor_api import Vendors
from leadroutes.intake.formats import BY_NAME, HTTP_LIMIT, MAIL_LIMIT
from leadroutes.intake.results import ControlMessage, Reading, Refusal
from leadroutes.observability import metrics
from leadroutes.observability.traces import span
from leadroutes.retry import TryAgain, delay_after
from leadroutes.security.vault import Vault
from leadroutes.settings import Settings
from leadroutes.store import statement
from leadroutes.store.batching import Aside, Lanes, Together, give
from leadroutes.store.postgres import COLLISIONS, LONGEST_STATEMENT, Transaction
from leadroutes.store.queue import RowKey

log = structlog.get_logger()

MOST_TOGETHER = 100
# Commits under way: while the database works on one batch, the next is sorted. What collides is sorted again, as it is
# when two processes collide.
MOST_AT_ONCE = 4
MANY = 50  # leads of one arrival
MOST_ATTEMPTS = 100  # to read an arrival again, the last of them after some four days
TEMPORARY = (
    *COLLISIONS,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,  # such as a disk that is full
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.InternalServerError,
)
UNPROVEN = ("bad_secret", "bad_signature")
# They prove the sender: kept apart from the other headers, sealed, and only where the intake key asks for them.
SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-api-key", "x-intake-key", "x-liondesk-id"}
)


@dataclass(frozen=True, slots=True)
class Idempotency:
    """An Idempotency-Key with what came under it. `path` says for whom it counts: an intake key, or a user."""

    path: str
    key: str
    body: bytes

    def as_key(self) -> Key:
        return Key(scope=f"key {self.path}", key=self.key, digest=hashlib.sha256(self.body).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an intake door says: what was stored, the refusal if it was one, and what the vendor expects to hear."""

    stored: Stored
    is_proven: bool = False  # the sender may read what others have said
    refusal: Refusal | None = None
    reply: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    item: Item
    answer: "asyncio.Future[Stored]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What an intake key opens; `format` None: recognised. `sealed`: the vendor's secrets, where he has any."""

    owner_id: int
    id: int
    lead_source_id: int
    contact_source_id: int | None
    format: str | None
    sealed: bytes | None
    paced_for: float | None = None  # seconds for which what comes is put off, as too much came
    is_private: bool = False  # only its sender knows it


class Arrivals:
    """One per process. `close()` when no more arrivals can come. Without settings no vendor is asked anything."""

    def __init__(self, engine: Engine, settings: Settings | None = None, vendors: Vendors | None = None) -> None:
        self.engine = engine
        self._vault = Vault.of(settings) if settings else None
        self._limits = (settings.intake_limit, settings.mail_limit) if settings else (None, None)
        self._budget = IntakeBudget(settings)
        self._reader = Reader(vendors or (Vendors(settings) if settings else None))
        self._keys: Together[bytes, Opened] = Together(self._load_keys)
        self._batches: Lanes[_Waiting] = Lanes(self._store_together, most=MOST_TOGETHER, lanes=MOST_AT_ONCE)
        self._large: Lanes[_Waiting] = Lanes(self._store_together, most=1)
        self._aside: Aside[_Waiting] = Aside(
            lambda waiting: waiting.item.arrival.owner_id,
            self._add,
            lambda waiting, error: give(waiting.answer, error),
        )

    async def close(self) -> None:
        """Wait until everything that has arrived is stored."""
        for _ in range(2):  # those that wait for something are added once it is known
            await self._batches.close()
            await self._large.close()
            await self._aside.settle()

    # -- the ways in

    async def post_lead(self, lead: NewLead, *, idempotency: Idempotency | None = None) -> Stored:
        """`POST /leads`. Conflict: the Idempotency-Key came with another body before."""
        keys = (idempotency.as_key(),) if idempotency else ()
        return await self._store(Item(arrival=lead, keys=keys))

    async def open(self, key: str) -> Opened:
        """What this intake key opens; NotFound for one that is unknown or revoked."""
        opened = await self._keys.find(hashlib.sha256(key.encode()).digest())
        if opened is None:
            raise NotFound("Page not found")
        return opened

    async def _load_keys(self, hashes: list[bytes]) -> Mapping[bytes, Opened]:
        return {
            row["key_hash"]: Opened(
                owner_id=row["owner_id"],
                id=row["id"],
                lead_source_id=row["lead_source_id"],
                contact_source_id=row["contact_source_id"],
                format=row["format"],
                sealed=row["secrets"],
                paced_for=row["paced_for"],
                is_private=row["is_private"],
            )
            for row in await self.engine.database.fetch(statement("find_intake_keys"), hashes)
        }

    def secrets_of(self, opened: Opened) -> dict[str, Any]:
        """The vendor's secrets; empty where there are none, or where another LEADROUTES_SECRET sealed them."""
        return (self._vault.unseal(opened.sealed) if self._vault else None) or {}

    async def take_in(
        self,
        key: str | Opened,
        body: bytes,
        headers: Mapping[str, str],
        *,
        format_: str | None = None,
        is_proven: bool = False,
        idempotency_key: str | None = None,
    ) -> Answer:
        """A body that came with a key: kept whatever it is, unless it is too large. NotFound for an unknown key.

        `format_` is what the door takes, where it takes one only; `is_proven`: the door has seen the proof already.
        """
        opened = await self.open(key) if isinstance(key, str) else key
        has_to_prove = opened.sealed is not None and not is_proven
        secret_headers = {name: value for name, value in headers.items() if name.lower() in SECRET_HEADERS}
        kept = Received(
            owner_id=opened.owner_id,
            intake_key_id=opened.id,
            lead_source_id=opened.lead_source_id,
            contact_source_id=opened.contact_source_id,
            body=body,
            headers={name: value for name, value in headers.items() if name not in secret_headers},
            format=format_ or opened.format,
            inquiries=(),
            proof=self._seal(secret_headers) if has_to_prove else None,
            is_proven=has_to_prove or opened.is_private,  # who has to prove something and does not is refused
        )
        once = (Idempotency(f"/intake/{opened.id}", idempotency_key, body).as_key(),) if idempotency_key else ()
        if opened.sealed is None:
            self._budget.count_bytes(opened.id, len(body))
            if wait := self._budget.wait_for_turn(opened.id, opened.paced_for):
                return await self._put_off(kept, wait, once)
        parcel = self._parcel(kept, headers, self.secrets_of(opened), is_let_in=not has_to_prove)
        understood = await self._reader.read(parcel)
        refusal = _refusal_of(understood.reading)
        refused_as = tuple(_body_key(kept, why) for why in UNPROVEN) if has_to_prove and refusal is None else ()
        if refusal is not None and refusal.why in UNPROVEN:
            self._budget.count_bytes((opened.id, "unproven"), len(body))
        elif opened.sealed is not None and (wait := self._budget.wait_for_turn(opened.id, opened.paced_for)):
            return await self._put_off(replace(kept, proof=None), wait, once, refused_as)
        else:
            self._budget.count_leads(opened.id, len(understood.reading.inquiries))
        keys = (*once, _body_key(kept, refusal.why if refusal else None))
        return await self._answer(kept, understood, keys, refused_as)

    async def _put_off(
        self, kept: Received, wait: float, once: tuple[Key, ...], refused_as: tuple[Key, ...] = ()
    ) -> Answer:
        """Stored as it came, to be read in its turn; a sender who had to prove themselves has, for good."""
        received = replace(kept, status="pending", reason=self._budget.reason, put_off=wait)
        keys = (*once, _body_key(kept, None))
        return Answer(stored=await self._keep(received, keys, refused_as), is_proven=kept.is_proven)

    async def replay(self, owner_id: int, arrival_id: int, *, in_turn: bool = False) -> Answer:
        """Read a kept arrival again, where nothing came of it at first, now with the vendor's answers.

        Who had to prove himself has to again, by the secrets of today. Conflict: the arrival has its lead already.
        `in_turn`: no sooner than the budget of its key allows, else TryAgain.
        """
        row = await self.engine.database.fetchrow(statement("load_arrival"), owner_id, arrival_id)
        if row is None:
            raise NotFound.record(arrival_id)
        if row["status"] not in ("rejected", "pending"):
            raise Conflict(
                f"The arrival {arrival_id} is {row['status']}; only rejected and pending ones are read again"
            )
        if row["emptied_at"] is not None:
            raise Conflict(f"What came in as arrival {arrival_id} is not kept any more")
        is_put_off = row["status"] == "pending" and is_over_budget(row["reason"])
        if in_turn and is_put_off and (wait := self._budget.wait_to_read(row["intake_key_id"])):
            raise TryAgain(timedelta(seconds=wait), row["reason"])
        kept = Received(
            owner_id=owner_id,
            intake_key_id=row["intake_key_id"],
            lead_source_id=row["lead_source_id"],
            contact_source_id=row["contact_source_id"],
            body=row["body"],
            headers=_decode_headers(row["headers"]),
            format=row["key_format"] or (row["format"] if is_put_off else None),
            inquiries=(),
            arrival_id=arrival_id,
            proof=row["proof"],
            is_proven=row["proof"] is not None or row["is_private"],
        )
        secrets = (self._vault.unseal(row["secrets"]) if self._vault else None) or {}
        proof = (self._vault.unseal(row["proof"]) if self._vault else None) or {}
        parcel = self._parcel(kept, {**kept.headers, **proof}, secrets, is_let_in=row["proof"] is None)
        understood = await self._reader.read_again(parcel)
        if is_put_off:
            self._budget.count_read(row["intake_key_id"], len(understood.reading.inquiries))
        return await self._answer(kept, understood)

    async def read_again(self, payload: bytes, attempt: int) -> None:
        """The queue's job for an arrival that is pending; TryAgain while it still is."""
        key = msgspec.json.decode(payload, type=RowKey)
        try:
            answer = await self.replay(key.owner_id, key.id, in_turn=True)
        except (Conflict, NotFound):
            return  # somebody else has read it again in the meantime
        if answer.stored.status == "pending" and attempt < MOST_ATTEMPTS:
            raise TryAgain(delay_after(attempt), answer.stored.reason or "")

    def _seal(self, headers: Mapping[str, str]) -> bytes:
        """Never nothing: what is nothing counts as proven."""
        return self._vault.seal(headers) if self._vault else b"lost"

    def _parcel(
        self, kept: Received, headers: Mapping[str, str], secrets: Mapping[str, Any], *, is_let_in: bool
    ) -> Parcel:
        limit, mail_limit = self._limits
        return Parcel(
            owner_id=kept.owner_id,
            body=kept.body,
            headers=headers,
            format=kept.format,
            secrets=secrets,
            is_let_in=is_let_in,
            limit=limit,
            mail_limit=mail_limit,
        )

    async def _answer(
        self, kept: Received, understood: Understood, keys: tuple[Key, ...] = (), refused_as: tuple[Key, ...] = ()
    ) -> Answer:
        reading = understood.reading
        refusal = _refusal_of(reading)
        if refusal is not None and refusal.why == "too_large" and self._is_over_limit(kept, reading):
            raise TooLarge(refusal.detail)
        status, reason = _status_of(understood)
        received = replace(kept, format=reading.format, inquiries=reading.inquiries, status=status, reason=reason)
        stored = await self._keep(received, keys, refused_as)
        reply = _reply(reading, stored, refusal)
        return Answer(stored=stored, is_proven=kept.is_proven, refusal=refusal, reply=reply)

    def _is_over_limit(self, kept: Received, reading: Reading) -> bool:
        """Nobody keeps what has more bytes than are taken; what is too large in another way is kept and rejected."""
        limit, mail_limit = self._limits
        largest = (mail_limit or MAIL_LIMIT) if reading.format == "email" else (limit or HTTP_LIMIT)
        return len(kept.body) > largest

    async def _keep(self, received: Received, keys: tuple[Key, ...], refused_as: tuple[Key, ...]) -> Stored:
        """Store an arrival. Raises Conflict where its Idempotency-Key came with another body: it is stored, too."""
        stored = await self._store(Item(arrival=received, keys=keys, refused_as=refused_as))
        if stored.is_conflict:
            kept_as = {"arrival_id": stored.arrival_id, "status": stored.status, "reason": stored.reason}
            raise Conflict(stored.reason or "", data=kept_as)
        return stored

    # -- storing together

    async def _store(self, item: Item) -> Stored:
        waiting = _Waiting(item, asyncio.get_running_loop().create_future())
        self._add(waiting)
        return await waiting.answer

    def _add(self, waiting: _Waiting) -> None:
        """What holds many leads goes alone, one after the other, so that nobody else's lead waits for it."""
        arrival = waiting.item.arrival
        is_large = isinstance(arrival, Received) and len(arrival.inquiries) > MANY
        (self._large if is_large else self._batches).add(waiting)

    async def _store_together(self, batch: list[_Waiting]) -> None:
        """One that breaks the whole batch is found by storing each alone; only its own caller hears of it."""

        async def work(transaction: Transaction) -> list[Stored | Problem]:
            return await receive(transaction, self.engine.rule_sets, [waiting.item for waiting in batch])

        begun = time.perf_counter()
        try:
            with span("store arrivals", batch=len(batch)):
                answers: list[Stored | Problem] = await self.engine.database.run_once_known(work)
        except WorkFirst as first:
            if others := self._aside.take(batch, first):
                await self._store_together(others)
            return
        except Exception as error:  # noqa: BLE001 -- whatever it is, the callers have to hear of it
            if isinstance(error, Unavailable) and not _is_slow(error, time.perf_counter() - begun):
                _fail(batch, error)
            elif len(batch) > 1:
                for waiting in batch:
                    await self._store_together([waiting])
            elif _is_temporary(error):
                _fail(batch, error)
            else:
                await self._keep_rejected(batch[0], error)
            return
        metrics.BATCH.observe(len(batch))
        metrics.COMMIT.observe(time.perf_counter() - begun)
        for waiting, answer in zip(batch, answers, strict=True):
            give(waiting.answer, answer)


    async def _keep_rejected(self, waiting: _Waiting, error: Exception) -> None:
        """What cannot be stored for a reason of its own would come again and again: it is kept, with that reason."""
        arrival = waiting.item.arrival
        if isinstance(arrival, NewLead) or not arrival.inquiries:
            _fail([waiting], error)
            return
        log.error("an arrival could not be stored, and is kept as rejected", error=repr(error))
        why = "takes too long" if isinstance(error, Unavailable) else type(error).__name__
        bare = replace(arrival, inquiries=(), status="rejected", reason=f"not_stored: {why}")
        item = Item(arrival=bare, keys=waiting.item.keys, refused_as=waiting.item.refused_as)
        await self._store_together([_Waiting(item, waiting.answer)])


def _is_slow(error: Unavailable, seconds: float) -> bool:
    """Whether a statement was broken off because it took too long, while the database could be reached."""
    return isinstance(error.__cause__, TimeoutError) and seconds >= LONGEST_STATEMENT


def _is_temporary(error: Exception) -> bool:
    """Whether it may be stored when it comes again: the fault lies with the database, or with what else it does."""
    return isinstance(error, TEMPORARY) and not isinstance(error, asyncpg.QueryCanceledError)


def _fail(batch: list[_Waiting], error: Exception) -> None:
    if isinstance(error, asyncpg.PostgresError):
        log.error("an arrival could not be stored", error=repr(error))
    for waiting in batch:
        give(waiting.answer, error)


def _refusal_of(reading: Reading) -> Refusal | None:
    """Why nothing comes of it, if nothing does."""
    return next(iter(reading.refusals), None) if not reading.inquiries else None


def _body_key(kept: Received, why: str | None) -> Key:
    """The same bytes through the same key are the same arrival; refused ones do not stand in the way of good ones."""
    digest = hashlib.sha256(kept.body).hexdigest()
    return Key(scope=f"body {kept.intake_key_id}", key=f"{digest} {why}" if why else digest)


def _status_of(understood: Understood) -> tuple[str, str | None]:
    """What is noted of a body, as far as its inquiries do not say more."""
    if understood.why_pending is not None:
        return "pending", understood.why_pending
    for result in understood.reading.results:
        match result:
            case Refusal(why=why, detail=detail):
                return "rejected", f"{why}: {detail}"
            case ControlMessage(action=action):
                return "accepted", f"a control message: {action}"
            case _:
                continue
    return "rejected", "no_contact: there is nothing in it"


def _reply(reading: Reading, stored: Stored, refusal: Refusal | None) -> Mapping[str, Any] | None:
    """What the vendor expects to hear, where his format says so; a refusal that is a fault has a status of its own."""
    for result in reading.results:
        if isinstance(result, ControlMessage) and result.reply is not None:
            return result.reply
    found = BY_NAME.get(reading.format or "")
    if found is None or found.answer is None or (refusal is not None and refusal.status >= 400):
        return None
    return found.answer(reading, stored.lead_ids[0] if stored.lead_ids else None)


def _decode_headers(text: str) -> dict[str, str]:
    headers: dict[str, str] = msgspec.json.decode(text, type=dict[str, str])
    return headers
