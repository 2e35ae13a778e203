"""Takes arrivals in: reads bodies, stores them by group commit, and returns the result of each once it is on disk.

What is stored for an arrival is decided in `batch`.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import structlog
from msgspec.structs import replace

from leadroutes.domain.arrival import ArrivalItem, NewLead, ReceivedArrival, StoredArrival
from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.dedupe import DedupeKey
from leadroutes.engine.engine import Engine
from leadroutes.errors import ComputationNeeded, Conflict, NotFound, Problem, TooLarge, Unavailable
from leadroutes.ingest.batch import store_arrivals
from leadroutes.ingest.corrections import as_corrected
from leadroutes.ingest.key_budgets import IntakeBudget, is_over_budget
from leadroutes.ingest.reader import BodyReader, IncomingBody, ParsedBody
from leadroutes.ingest.returned_mails import ReturnedMails
from leadroutes.ingest.vendor_api import VendorClient
from leadroutes.intake.formats import BY_NAME, HTTP_LIMIT, MAIL_LIMIT
from leadroutes.intake.results import ControlMessage, Reading, Refusal
from leadroutes.observability import metrics
from leadroutes.observability.traces import span
from leadroutes.retry import RetryLater, retry_delay
from leadroutes.security.vault import Vault
from leadroutes.settings import Settings
from leadroutes.store import statement
from leadroutes.store.batching import BatchLoader, GroupCommit
from leadroutes.store.connection_errors import RETRYABLE_ERRORS
from leadroutes.store.postgres import STATEMENT_TIMEOUT, Transaction
from leadroutes.store.queue import RowKey

log = structlog.get_logger()

MAX_BATCH_SIZE = 100
# Commits under way: while the database writes one batch, the next is deduplicated. Batches that collide are done again,
# as those of two processes are.
MAX_CONCURRENT_BATCHES = 4
LARGE_ARRIVAL_LEADS = 50  # leads of one arrival
MAX_ATTEMPTS = 100  # to read an arrival again, the last one after about four days
TEMPORARY_ERRORS = (
    *RETRYABLE_ERRORS,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,  # such as a full disk
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.InternalServerError,
)
UNPROVEN_REASONS = ("bad_secret", "bad_signature")
# They authenticate the sender: stored apart from other headers, encrypted, and only where the intake key needs them.
SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-api-key", "x-intake-key", "x-liondesk-id"}
)


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """An Idempotency-Key with the body that it came with. `path` is its scope: an intake key, or a user."""

    path: str
    key: str
    body: bytes

    def as_dedupe_key(self) -> DedupeKey:
        return DedupeKey(scope=f"key {self.path}", key=self.key, digest=hashlib.sha256(self.body).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeResult:
    """The result for the sender: what was stored, why nothing came of it, and the reply that the vendor expects."""

    stored: StoredArrival
    is_proven: bool = False  # the sender is authenticated, and may read what is known from others
    refusal: Refusal | None = None
    reply: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeKey:
    """What an intake key identifies; `format` None: recognised. `sealed`: encrypted secrets of the vendor, if any."""

    owner_id: int
    id: int
    lead_source_id: int
    contact_source_id: int | None
    format: str | None
    sealed: bytes | None
    throttled_for: float | None = None  # seconds for which its bodies are put off, as too many came
    is_private: bool = False  # only one sender knows it


class Arrivals:
    """One per process. `close()` it once no more arrivals can come. Without settings no vendor is called."""

    def __init__(self, engine: Engine, settings: Settings | None = None, vendors: VendorClient | None = None) -> None:
        self.engine = engine
        self._vault = Vault.of(settings) if settings else None
        self._limits = (settings.intake_limit, settings.mail_limit) if settings else (None, None)
        self._budget = IntakeBudget(settings)
        self.returned_mails = (
            ReturnedMails(engine.database, settings) if settings is not None and settings.mail_domain else None
        )
        self._reader = BodyReader(vendors or (VendorClient(settings) if settings else None))
        self._keys: BatchLoader[bytes, IntakeKey] = BatchLoader(self._load_keys)
        self._batches = self._group_commit(max_batch=MAX_BATCH_SIZE, concurrency=MAX_CONCURRENT_BATCHES)
        self._large = self._group_commit(max_batch=1, concurrency=1)

    def _group_commit(self, *, max_batch: int, concurrency: int) -> GroupCommit[ArrivalItem, StoredArrival]:
        return GroupCommit(
            self._store_batch, max_batch=max_batch, concurrency=concurrency, owner=lambda item: item.arrival.owner_id
        )

    async def close(self) -> None:
        """Waits until everything that has arrived is stored."""
        await self._batches.drain()
        await self._large.drain()

    # -- entry points

    async def post_lead(self, lead: NewLead, *, idempotency: IdempotentRequest | None = None) -> StoredArrival:
        """Stores a lead of `POST /leads`. Raises Conflict where its Idempotency-Key came with another body before."""
        keys = (idempotency.as_dedupe_key(),) if idempotency else ()
        return await self.store(ArrivalItem(arrival=lead, keys=keys))

    async def open(self, key: str) -> IntakeKey:
        """Returns the intake key with this secret. Raises NotFound where it is unknown or revoked."""
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
        """Returns the vendor's secrets; empty without any, or where another LEADROUTES_SECRET encrypted them."""
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
        """Stores a body that came with a key, whatever it is. Raises NotFound for an unknown key; TooLarge.

        `format_`: the only format that this entry accepts. `is_proven`: the sender has been authenticated already.
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
            is_proven=has_to_prove or intake_key.is_private,  # a sender that cannot authenticate is refused
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
        if refusal is not None and refusal.why == "not_a_lead" and self.returned_mails is not None:
            report = await self.returned_mails.take_report(intake_key.owner_id, body)
            if report is not None:
                return IntakeResult(stored=report, is_proven=arrival.is_proven)
        keys = (*idempotency_keys, _body_key(arrival, refusal.why if refusal else None))
        return await self._answer(arrival, parsed, keys, refused_as)

    async def _defer(
        self,
        arrival: ReceivedArrival,
        wait: float,
        idempotency_keys: tuple[DedupeKey, ...],
        refused_as: tuple[DedupeKey, ...] = (),
    ) -> IntakeResult:
        """Stores a body as it came, to be read later; a sender that had to be authenticated has been, for good."""
        received = replace(arrival, status="pending", reason=self._budget.reason, put_off=wait)
        keys = (*idempotency_keys, _body_key(arrival, None))
        return IntakeResult(stored=await self._store_arrival(received, keys, refused_as), is_proven=arrival.is_proven)

    async def replay(
        self, owner_id: int, arrival_id: int, *, in_turn: bool = False, act: AuditRow | None = None
    ) -> IntakeResult:
        """Reads a stored arrival again that was rejected or is pending, now with what the vendor's API returns.

        A sender that had to be authenticated is again, by the present secrets. Raises NotFound; Conflict where it has
        its lead already or its body has been removed. `in_turn`: raises RetryLater before its key's budget allows it.
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
            raise Conflict(f"The body of the arrival {arrival_id} has been removed")
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
            is_proven=row["proof"] is not None or row["is_private"] or row["correction"] is not None,
            act=act,
        )
        secrets = (self._vault.unseal(row["secrets"]) if self._vault else None) or {}
        proof = (self._vault.unseal(row["proof"]) if self._vault else None) or {}
        incoming_body = self._incoming_body(
            arrival, {**arrival.headers, **proof}, secrets, is_authenticated=row["proof"] is None
        )
        parsed = await self._reader.reread(as_corrected(incoming_body, row))
        if is_put_off:
            self._budget.count_read(row["intake_key_id"], len(parsed.reading.inquiries))
        return await self._answer(arrival, parsed)

    async def reread(self, payload: bytes, attempt: int) -> None:
        """The job of the queue for a pending arrival. Raises RetryLater while it still is pending."""
        key = msgspec.json.decode(payload, type=RowKey)
        try:
            answer = await self.replay(key.owner_id, key.id, in_turn=True)
        except (Conflict, NotFound):
            return  # it has been read again in the meantime
        if answer.stored.status == "pending" and attempt < MAX_ATTEMPTS:
            raise RetryLater(retry_delay(attempt), answer.stored.reason or "")

    def _seal(self, headers: Mapping[str, str]) -> bytes:
        """Returns the encrypted headers; never nothing, as an arrival without them counts as authenticated."""
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
        """Whether it has too many bytes to be stored; one that is too large in another way is stored and rejected."""
        limit, mail_limit = self._limits
        largest = (mail_limit or MAIL_LIMIT) if reading.format == "email" else (limit or HTTP_LIMIT)
        return len(arrival.body) > largest

    async def _store_arrival(
        self, received: ReceivedArrival, keys: tuple[DedupeKey, ...], refused_as: tuple[DedupeKey, ...]
    ) -> StoredArrival:
        """Stores an arrival. Raises Conflict where its Idempotency-Key came with another body; it is stored even so."""
        stored = await self.store(ArrivalItem(arrival=received, keys=keys, refused_as=refused_as))
        if stored.is_conflict:
            stored_as = {"arrival_id": stored.arrival_id, "status": stored.status, "reason": stored.reason}
            raise Conflict(stored.reason or "", data=stored_as)
        return stored

    # -- group commit

    async def store(self, item: ArrivalItem) -> StoredArrival:
        """Stores an arrival. Those that hold many leads are stored one at a time, so that no other waits for them."""
        arrival = item.arrival
        is_large = isinstance(arrival, ReceivedArrival) and len(arrival.inquiries) > LARGE_ARRIVAL_LEADS
        return await (self._large if is_large else self._batches).add(item)

    async def _store_batch(self, batch: list[ArrivalItem]) -> Sequence[StoredArrival | Problem]:
        """Stores a batch in one transaction. Raises what then decides whether each is stored alone (GroupCommit)."""

        async def work(transaction: Transaction) -> list[StoredArrival | Problem]:
            return await store_arrivals(transaction, self.engine.rule_sets, batch)

        begun = time.perf_counter()
        try:
            with span("store arrivals", batch=len(batch)):
                results: list[StoredArrival | Problem] = await self.engine.database.run_prepared(work)
        except ComputationNeeded:
            raise
        except Exception as error:
            if isinstance(error, Unavailable) and not _is_slow(error, time.perf_counter() - begun):
                raise
            if len(batch) > 1:
                raise _BatchError from error
            return [await self._store_rejected(batch[0], error)]
        metrics.COMMIT_BATCH_SIZE.observe(len(batch))
        metrics.COMMIT_SECONDS.observe(time.perf_counter() - begun)
        return results

    async def _store_rejected(self, item: ArrivalItem, error: Exception) -> StoredArrival | Problem:
        """Stores an arrival without its leads, with the error as the reason, where a repetition would fail as well."""
        arrival = item.arrival
        if _is_temporary(error) or isinstance(arrival, NewLead) or not arrival.inquiries:
            if isinstance(error, asyncpg.PostgresError):
                log.error("an arrival could not be stored", error=repr(error))
            raise error
        log.error("an arrival could not be stored, and is stored as rejected without its leads", error=repr(error))
        why = "takes too long" if isinstance(error, Unavailable) else type(error).__name__
        bare = replace(arrival, inquiries=(), status="rejected", reason=f"not_stored: {why}")
        [stored] = await self._store_batch([replace(item, arrival=bare)])
        return stored


class _BatchError(Exception):
    """At least one arrival of a batch cannot be stored; not Unavailable, after which none would be tried again."""


def _is_slow(error: Unavailable, seconds: float) -> bool:
    """Whether a statement was cancelled because it took too long, while the database was reachable."""
    return isinstance(error.__cause__, TimeoutError) and seconds >= STATEMENT_TIMEOUT


def _is_temporary(error: Exception) -> bool:
    """Whether a repetition may succeed: the cause is the database, or what else it does."""
    return isinstance(error, TEMPORARY_ERRORS) and not isinstance(error, asyncpg.QueryCanceledError)


def _refusal_of(reading: Reading) -> Refusal | None:
    """Returns why a body has no lead, or None where it has one."""
    return next(iter(reading.refusals), None) if not reading.inquiries else None


def _body_key(arrival: ReceivedArrival, why: str | None) -> DedupeKey:
    """Equal bytes with the same key are the same arrival, unless one was refused and the other one is not."""
    digest = hashlib.sha256(arrival.body).hexdigest()
    return DedupeKey(scope=f"body {arrival.intake_key_id}", key=f"{digest} {why}" if why else digest)


def _status_of(parsed: ParsedBody) -> tuple[str, str | None]:
    """Returns the status and reason of a body, as far as its inquiries do not decide them."""
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
    """Returns the reply that the vendor's format defines, if any; a refusal with an error status has none."""
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
