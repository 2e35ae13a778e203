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

from leadroutes.domain.arrival import ArrivalItem, NewLead, ReceivedArrival, StoredArrival
from leadroutes.domain.dedupe import DedupeKey
from leadroutes.engine.engine import Engine
from leadroutes.errors import ComputationNeeded, Conflict, NotFound, Problem, TooLarge, Unavailable
from leadroutes.ingest.batch import store_arrivals
from leadroutes.ingest.key_budgets import IntakeBudget, is_over_budget
from leadroutes.ingest.reader import BodyReader, IncomingBody, ParsedBody
from leadroutes.ingest.vendor_api import VendorClient
from leadroutes.intake.formats import BY_NAME, HTTP_LIMIT, MAIL_LIMIT
from leadroutes.intake.results import ControlMessage, Reading, Refusal
from leadroutes.observability import metrics
from leadroutes.observability.traces import span
from leadroutes.retry import RetryLater, retry_delay
from leadroutes.security.vault import Vault
from leadroutes.settings import Settings
from leadroutes.store import statement
from leadroutes.store.batching import BatchLoader, DeferredItems, GroupCommit, resolve
from leadroutes.store.connection_errors import RETRYABLE_ERRORS
from leadroutes.store.postgres import STATEMENT_TIMEOUT, Transaction
from leadroutes.store.queue import RowKey

log = structlog.get_logger()

MAX_BATCH_SIZE = 100
# Commits under way: while the database works on one batch, the next is sorted. What collides is sorted again, as it is
# when two processes collide.
MAX_CONCURRENT_BATCHES = 4
LARGE_ARRIVAL_LEADS = 50  # leads of one arrival
MAX_ATTEMPTS = 100  # to read an arrival again, the last of them after some four days
TEMPORARY_ERRORS = (
    *RETRYABLE_ERRORS,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,  # such as a disk that is full
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.InternalServerError,
)
UNPROVEN_REASONS = ("bad_secret", "bad_signature")
# They prove the sender: kept apart from the other headers, sealed, and only where the intake key asks for them.
SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-api-key", "x-intake-key", "x-liondesk-id"}
)


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """An Idempotency-Key with what came under it. `path` says for whom it counts: an intake key, or a user."""

    path: str
    key: str
    body: bytes

    def as_dedupe_key(self) -> DedupeKey:
        return DedupeKey(scope=f"key {self.path}", key=self.key, digest=hashlib.sha256(self.body).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeResult:
    """What an intake door says: what was stored, the refusal if it was one, and what the vendor expects to hear."""

    stored: StoredArrival
    is_proven: bool = False  # the sender may read what others have said
    refusal: Refusal | None = None
    reply: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _PendingArrival:
    item: ArrivalItem
    answer: "asyncio.Future[StoredArrival]"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeKey:
    """What an intake key opens; `format` None: recognised. `sealed`: the vendor's secrets, where he has any."""

    owner_id: int
    id: int
    lead_source_id: int
    contact_source_id: int | None
    format: str | None
    sealed: bytes | None
    throttled_for: float | None = None  # seconds for which what comes is put off, as too much came
    is_private: bool = False  # only its sender knows it


class Arrivals:
    """One per process. `close()` when no more arrivals can come. Without settings no vendor is asked anything."""

    def __init__(self, engine: Engine, settings: Settings | None = None, vendors: VendorClient | None = None) -> None:
        self.engine = engine
        self._vault = Vault.of(settings) if settings else None
        self._limits = (settings.intake_limit, settings.mail_limit) if settings else (None, None)
        self._budget = IntakeBudget(settings)
        self._reader = BodyReader(vendors or (VendorClient(settings) if settings else None))
        self._keys: BatchLoader[bytes, IntakeKey] = BatchLoader(self._load_keys)
        self._batches: GroupCommit[_PendingArrival] = GroupCommit(
            self._store_batch, max_batch=MAX_BATCH_SIZE, concurrency=MAX_CONCURRENT_BATCHES
        )
        self._large: GroupCommit[_PendingArrival] = GroupCommit(self._store_batch, max_batch=1)
        self._deferred: DeferredItems[_PendingArrival] = DeferredItems(
            lambda waiting: waiting.item.arrival.owner_id,
            self._add,
            lambda waiting, error: resolve(waiting.answer, error),
        )

    async def close(self) -> None:
        """Wait until everything that has arrived is stored."""
        for _ in range(2):  # those that wait for something are added once it is known
            await self._batches.close()
            await self._large.close()
            await self._deferred.drain()

    # -- the ways in

    async def post_lead(self, lead: NewLead, *, idempotency: IdempotentRequest | None = None) -> StoredArrival:
        """`POST /leads`. Conflict: the Idempotency-Key came with another body before."""
        keys = (idempotency.as_dedupe_key(),) if idempotency else ()
        return await self._store(ArrivalItem(arrival=lead, keys=keys))

    async def open(self, key: str) -> IntakeKey:
        """What this intake key opens; NotFound for one that is unknown or revoked."""
        intake_key = await self._keys.find(hashlib.sha256(key.encode()).digest())
        if intake_key is None:
            raise NotFound("Page not found")
        return intake_key

    async def _load_keys(self, hashes: list[bytes]) -> Mapping[bytes, IntakeKey]:
        return {
            row["key_hash"]: IntakeKey(
                owner_id=row["owner_id"],
                id=row["id"],
                lead_source_id=row["lead_source_id"],
                contact_source_id=row["contact_source_id"],
                format=row["format"],
                sealed=row["secrets"],
                throttled_for=row["paced_for"],
                is_private=row["is_private"],
            )
            for row in await self.engine.database.fetch(*statement("find_intake_keys").bind(key_hashes=hashes))
        }

    def secrets_of(self, intake_key: IntakeKey) -> dict[str, Any]:
        """The vendor's secrets; empty where there are none, or where another LEADROUTES_SECRET sealed them."""
        return (self._vault.unseal(intake_key.sealed) if self._vault else None) or {}

    async def ingest(
        self,
        key: str | IntakeKey,
        body: bytes,
        headers: Mapping[str, str],
        *,
        format_: str | None = None,
        is_proven: bool = False,
        idempotency_key: str | None = None,
    ) -> IntakeResult:
        """A body that came with a key: kept whatever it is, unless it is too large. NotFound for an unknown key.

        `format_` is what the door takes, where it takes one only; `is_proven`: the door has seen the proof already.
        """
        intake_key = await self.open(key) if isinstance(key, str) else key
        has_to_prove = intake_key.sealed is not None and not is_proven
        secret_headers = {name: value for name, value in headers.items() if name.lower() in SECRET_HEADERS}
        arrival = ReceivedArrival(
            owner_id=intake_key.owner_id,
            intake_key_id=intake_key.id,
            lead_source_id=intake_key.lead_source_id,
            contact_source_id=intake_key.contact_source_id,
            body=body,
            headers={name: value for name, value in headers.items() if name not in secret_headers},
            format=format_ or intake_key.format,
            inquiries=(),
            proof=self._seal(secret_headers) if has_to_prove else None,
            is_proven=has_to_prove or intake_key.is_private,  # who has to prove something and does not is refused
        )
        idempotency_keys = (
            (IdempotentRequest(f"/intake/{intake_key.id}", idempotency_key, body).as_dedupe_key(),)
            if idempotency_key
            else ()
        )
        if intake_key.sealed is None:
            self._budget.count_bytes(intake_key.id, len(body))
            if wait := self._budget.wait_for_turn(intake_key.id, intake_key.throttled_for):
                return await self._defer(arrival, wait, idempotency_keys)
        incoming_body = self._incoming_body(
            arrival, headers, self.secrets_of(intake_key), is_authenticated=not has_to_prove
        )
        parsed = await self._reader.read(incoming_body)
        refusal = _refusal_of(parsed.reading)
        refused_as = (
            tuple(_body_key(arrival, why) for why in UNPROVEN_REASONS) if has_to_prove and refusal is None else ()
        )
        if refusal is not None and refusal.why in UNPROVEN_REASONS:
            self._budget.count_bytes((intake_key.id, "unproven"), len(body))
        elif intake_key.sealed is not None and (
            wait := self._budget.wait_for_turn(intake_key.id, intake_key.throttled_for)
        ):
            return await self._defer(replace(arrival, proof=None), wait, idempotency_keys, refused_as)
        else:
            self._budget.count_leads(intake_key.id, len(parsed.reading.inquiries))
        keys = (*idempotency_keys, _body_key(arrival, refusal.why if refusal else None))
        return await self._answer(arrival, parsed, keys, refused_as)

    async def _defer(
        self,
        arrival: ReceivedArrival,
        wait: float,
        idempotency_keys: tuple[DedupeKey, ...],
        refused_as: tuple[DedupeKey, ...] = (),
    ) -> IntakeResult:
        """Stored as it came, to be read in its turn; a sender who had to prove themselves has, for good."""
        received = replace(arrival, status="pending", reason=self._budget.reason, put_off=wait)
        keys = (*idempotency_keys, _body_key(arrival, None))
        return IntakeResult(stored=await self._store_arrival(received, keys, refused_as), is_proven=arrival.is_proven)

    async def replay(self, owner_id: int, arrival_id: int, *, in_turn: bool = False) -> IntakeResult:
        """Read a kept arrival again, where nothing came of it at first, now with the vendor's answers.

        Who had to prove himself has to again, by the secrets of today. Conflict: the arrival has its lead already.
        `in_turn`: no sooner than the budget of its key allows, else RetryLater.
        """
        row = await self.engine.database.fetchrow(
            *statement("load_arrival").bind(owner_id=owner_id, arrival_id=arrival_id)
        )
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
            raise RetryLater(timedelta(seconds=wait), row["reason"])
        arrival = ReceivedArrival(
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
        incoming_body = self._incoming_body(
            arrival, {**arrival.headers, **proof}, secrets, is_authenticated=row["proof"] is None
        )
        parsed = await self._reader.reread(incoming_body)
        if is_put_off:
            self._budget.count_read(row["intake_key_id"], len(parsed.reading.inquiries))
        return await self._answer(arrival, parsed)

    async def reread(self, payload: bytes, attempt: int) -> None:
        """The queue's job for an arrival that is pending; RetryLater while it still is."""
        key = msgspec.json.decode(payload, type=RowKey)
        try:
            answer = await self.replay(key.owner_id, key.id, in_turn=True)
        except (Conflict, NotFound):
            return  # somebody else has read it again in the meantime
        if answer.stored.status == "pending" and attempt < MAX_ATTEMPTS:
            raise RetryLater(retry_delay(attempt), answer.stored.reason or "")

    def _seal(self, headers: Mapping[str, str]) -> bytes:
        """Never nothing: what is nothing counts as proven."""
        return self._vault.seal(headers) if self._vault else b"lost"

    def _incoming_body(
        self,
        arrival: ReceivedArrival,
        headers: Mapping[str, str],
        secrets: Mapping[str, Any],
        *,
        is_authenticated: bool,
    ) -> IncomingBody:
        limit, mail_limit = self._limits
        return IncomingBody(
            owner_id=arrival.owner_id,
            body=arrival.body,
            headers=headers,
            format=arrival.format,
            secrets=secrets,
            is_authenticated=is_authenticated,
            limit=limit,
            mail_limit=mail_limit,
        )

    async def _answer(
        self,
        arrival: ReceivedArrival,
        parsed: ParsedBody,
        keys: tuple[DedupeKey, ...] = (),
        refused_as: tuple[DedupeKey, ...] = (),
    ) -> IntakeResult:
        reading = parsed.reading
        refusal = _refusal_of(reading)
        if refusal is not None and refusal.why == "too_large" and self._is_over_limit(arrival, reading):
            raise TooLarge(refusal.detail)
        status, reason = _status_of(parsed)
        received = replace(arrival, format=reading.format, inquiries=reading.inquiries, status=status, reason=reason)
        stored = await self._store_arrival(received, keys, refused_as)
        reply = _reply(reading, stored, refusal)
        return IntakeResult(stored=stored, is_proven=arrival.is_proven, refusal=refusal, reply=reply)

    def _is_over_limit(self, arrival: ReceivedArrival, reading: Reading) -> bool:
        """Nobody keeps what has more bytes than are taken; what is too large in another way is kept and rejected."""
        limit, mail_limit = self._limits
        largest = (mail_limit or MAIL_LIMIT) if reading.format == "email" else (limit or HTTP_LIMIT)
        return len(arrival.body) > largest

    async def _store_arrival(
        self, received: ReceivedArrival, keys: tuple[DedupeKey, ...], refused_as: tuple[DedupeKey, ...]
    ) -> StoredArrival:
        """Store an arrival. Raises Conflict where its Idempotency-Key came with another body: it is stored, too."""
        stored = await self._store(ArrivalItem(arrival=received, keys=keys, refused_as=refused_as))
        if stored.is_conflict:
            kept_as = {"arrival_id": stored.arrival_id, "status": stored.status, "reason": stored.reason}
            raise Conflict(stored.reason or "", data=kept_as)
        return stored

    # -- storing together

    async def _store(self, item: ArrivalItem) -> StoredArrival:
        waiting = _PendingArrival(item, asyncio.get_running_loop().create_future())
        self._add(waiting)
        return await waiting.answer

    def _add(self, waiting: _PendingArrival) -> None:
        """What holds many leads goes alone, one after the other, so that nobody else's lead waits for it."""
        arrival = waiting.item.arrival
        is_large = isinstance(arrival, ReceivedArrival) and len(arrival.inquiries) > LARGE_ARRIVAL_LEADS
        (self._large if is_large else self._batches).add(waiting)

    async def _store_batch(self, batch: list[_PendingArrival]) -> None:
        """One that breaks the whole batch is found by storing each alone; only its own caller hears of it."""

        async def work(transaction: Transaction) -> list[StoredArrival | Problem]:
            return await store_arrivals(transaction, self.engine.rule_sets, [waiting.item for waiting in batch])

        begun = time.perf_counter()
        try:
            with span("store arrivals", batch=len(batch)):
                answers: list[StoredArrival | Problem] = await self.engine.database.run_prepared(work)
        except ComputationNeeded as needed:
            if others := self._deferred.defer(batch, needed):
                await self._store_batch(others)
            return
        except Exception as error:  # noqa: BLE001 -- whatever it is, the callers have to hear of it
            if isinstance(error, Unavailable) and not _is_slow(error, time.perf_counter() - begun):
                _fail(batch, error)
            elif len(batch) > 1:
                for waiting in batch:
                    await self._store_batch([waiting])
            elif _is_temporary(error):
                _fail(batch, error)
            else:
                await self._store_rejected(batch[0], error)
            return
        metrics.COMMIT_BATCH_SIZE.observe(len(batch))
        metrics.COMMIT_SECONDS.observe(time.perf_counter() - begun)
        for waiting, answer in zip(batch, answers, strict=True):
            resolve(waiting.answer, answer)

    async def _store_rejected(self, waiting: _PendingArrival, error: Exception) -> None:
        """What cannot be stored for a reason of its own would come again and again: it is kept, with that reason."""
        arrival = waiting.item.arrival
        if isinstance(arrival, NewLead) or not arrival.inquiries:
            _fail([waiting], error)
            return
        log.error("an arrival could not be stored, and is kept as rejected", error=repr(error))
        why = "takes too long" if isinstance(error, Unavailable) else type(error).__name__
        bare = replace(arrival, inquiries=(), status="rejected", reason=f"not_stored: {why}")
        item = ArrivalItem(arrival=bare, keys=waiting.item.keys, refused_as=waiting.item.refused_as)
        await self._store_batch([_PendingArrival(item, waiting.answer)])


def _is_slow(error: Unavailable, seconds: float) -> bool:
    """Whether a statement was broken off because it took too long, while the database could be reached."""
    return isinstance(error.__cause__, TimeoutError) and seconds >= STATEMENT_TIMEOUT


def _is_temporary(error: Exception) -> bool:
    """Whether it may be stored when it comes again: the fault lies with the database, or with what else it does."""
    return isinstance(error, TEMPORARY_ERRORS) and not isinstance(error, asyncpg.QueryCanceledError)


def _fail(batch: list[_PendingArrival], error: Exception) -> None:
    if isinstance(error, asyncpg.PostgresError):
        log.error("an arrival could not be stored", error=repr(error))
    for waiting in batch:
        resolve(waiting.answer, error)


def _refusal_of(reading: Reading) -> Refusal | None:
    """Why nothing comes of it, if nothing does."""
    return next(iter(reading.refusals), None) if not reading.inquiries else None


def _body_key(arrival: ReceivedArrival, why: str | None) -> DedupeKey:
    """The same bytes through the same key are the same arrival; refused ones do not stand in the way of good ones."""
    digest = hashlib.sha256(arrival.body).hexdigest()
    return DedupeKey(scope=f"body {arrival.intake_key_id}", key=f"{digest} {why}" if why else digest)


def _status_of(parsed: ParsedBody) -> tuple[str, str | None]:
    """What is noted of a body, as far as its inquiries do not say more."""
    if parsed.why_pending is not None:
        return "pending", parsed.why_pending
    for result in parsed.reading.results:
        match result:
            case Refusal(why=why, detail=detail):
                return "rejected", f"{why}: {detail}"
            case ControlMessage(action=action):
                return "accepted", f"a control message: {action}"
            case _:
                continue
    return "rejected", "no_contact: there is nothing in it"


def _reply(reading: Reading, stored: StoredArrival, refusal: Refusal | None) -> Mapping[str, Any] | None:
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
