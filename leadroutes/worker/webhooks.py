"""Delivers events to webhooks: each webhook by one worker at a time, so that its deliveries go in order.

A webhook whose receiver hangs occupies nothing but its own task. What was sent and not yet noted when a process ends is
sent again, under the same id.
"""

import asyncio
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
import structlog

from leadroutes import __version__
from leadroutes.channels.chat_cards import CARD_FORMATS, chat_card
from leadroutes.domain.webhooks import TryOutcome, next_try_after
from leadroutes.errors import Unavailable
from leadroutes.observability import metrics
from leadroutes.observability.traces import span
from leadroutes.security.outside_addresses import AllowedNetworks
from leadroutes.security.outside_client import NoOutsideResponse, OutsideClient, OutsideResponse
from leadroutes.security.vault import Vault
from leadroutes.security.webhook_signature import signed_headers
from leadroutes.settings import Settings
from leadroutes.settings.values import span_seconds
from leadroutes.store import webhooks as store
from leadroutes.store.listener import WEBHOOKS_CHANNEL
from leadroutes.store.postgres import Database
from leadroutes.store.webhooks import DeliveryTry, DueDelivery, WebhookKey

log = structlog.get_logger()

TIMEOUT: Final = 10.0  # seconds for one try
MOST_WEBHOOKS: Final = 200  # that one process delivers to at once
BATCH_SIZE: Final = 100  # deliveries that are read, and noted, together
BATCH_SECONDS: Final = 2.0  # after which a batch is noted although it is not at its end
PATIENCE: Final = 60.0  # seconds of being behind after which the order counts less than the delay
DATABASE_WORK: Final = 3  # statements at once, so that connections are left for everything else
TOGETHER: Final = 8  # deliveries at once to a receiver that does not keep up
REST: Final = 5.0  # seconds without a try after one that brought no answer
LONGEST_REST: Final = 300.0  # that a receiver may ask for
LONGEST_ANSWER: Final = 1000  # characters that are stored
POLL: Final = 5.0  # seconds between two looks, in case a NOTIFY was lost or a worker has died
LEAST_WAIT: Final = 0.02  # seconds; what is due may be locked by a transaction that ends soon
FAULT_REST: Final = 30.0  # seconds


class WebhookDelivery:
    """One per worker: `run()` until `stop()`, then `close()`."""

    def __init__(self, database: Database, settings: Settings, *, patience: float = PATIENCE) -> None:
        self._database = database
        self._settings = settings
        self._client = OutsideClient(AllowedNetworks.of(settings))
        self._patience = patience
        self._database_work = asyncio.Semaphore(DATABASE_WORK)
        self._delays = span_seconds(settings.webhook_tries)
        self._vault: Vault | None = None
        self._id = str(uuid.uuid4())
        self._under_way: dict[WebhookKey, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._is_stopping = False
        database.listener.listen(WEBHOOKS_CHANNEL, self._wake.set)

    def stop(self) -> None:
        """Has `run` end once the tries that are under way have ended and are noted."""
        self._is_stopping = True
        self._wake.set()

    async def close(self) -> None:
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        await self._client.close()

    async def run(self) -> None:
        """Delivers whatever is due, until `stop()`."""
        while not self._is_stopping:
            self._wake.clear()
            free = MOST_WEBHOOKS - len(self._under_way)
            if free > 0:
                for key in await store.take_due_webhooks(self._database, self._id, free):
                    if key not in self._under_way:  # else its lease had ended, and is prolonged by this
                        self._under_way[key] = asyncio.create_task(self._deliver_to(key))
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), await self._seconds_to_wait() if free > 0 else POLL)
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _seconds_to_wait(self) -> float:
        seconds = await store.seconds_until_due(self._database)
        return POLL if seconds is None else min(max(seconds, LEAST_WAIT), POLL)

    async def _deliver_to(self, key: WebhookKey) -> None:
        """Delivers what is due at one webhook, then leaves it. The lease ends by itself where that cannot be noted."""
        try:
            rest = await self._deliver_due(key)
            async with self._database_work:
                await store.release_webhook(self._database, self._id, key, rest)
        except Unavailable as error:
            log.warning("a webhook waits for the database", webhook=key.id, error=error.message)
        except Exception:
            log.exception("the delivery to a webhook broke", owner=key.owner_id, webhook=key.id)
            with suppress(Exception):
                await store.release_webhook(self._database, self._id, key, FAULT_REST)
        finally:
            del self._under_way[key]
            self._wake.set()

    async def _deliver_due(self, key: WebhookKey) -> float:
        """Returns how many seconds the receiver is to be left alone."""
        begun, rest = time.monotonic(), 0.0
        while not rest and not self._is_stopping:
            async with self._database_work:
                batch = await store.take_deliveries(self._database, self._id, key, BATCH_SIZE)
            if not batch:
                break
            keeps_up = min(batch[0].late, time.monotonic() - begun) <= self._patience
            with span("deliver to a webhook", owner=key.owner_id, webhook=key.id, batch=len(batch)):
                tries, rest = await self._try_batch(key, batch, 1 if keeps_up else TOGETHER)
            async with self._database_work:
                why_off = await store.note_tries(self._database, self._id, key, tries)
            if why_off is not None:
                log.warning("a webhook was switched off", owner=key.owner_id, webhook=key.id, reason=why_off)
        return rest

    async def _try_batch(
        self, key: WebhookKey, batch: Sequence[DueDelivery], size: int
    ) -> tuple[list[DeliveryTry], float]:
        """Tries one after the other, or `size` at once where the receiver does not keep up anyway.

        Ends early after some time, and where the receiver does not answer, wants a pause, or is gone; the rest stays
        due.
        """
        begun, rest = time.monotonic(), 0.0
        tries: list[DeliveryTry] = []
        for start in range(0, len(batch), size):
            for done, pause in await asyncio.gather(*(self._try(key, each) for each in batch[start : start + size])):
                tries.append(done)
                rest = max(rest, pause)
                metrics.WEBHOOK_TRIES.labels(_outcome(done)).inc()
            is_gone = any(done.outcome.is_gone for done in tries)
            if rest or is_gone or self._is_stopping or time.monotonic() - begun > BATCH_SECONDS:
                break
        return tries, rest

    async def _try(self, key: WebhookKey, delivery: DueDelivery) -> tuple[DeliveryTry, float]:
        """Returns what came of one try, and the seconds for which the receiver is to be left alone."""
        try:
            body = await self._body(key.owner_id, delivery)
        except Unavailable:
            raise
        except Exception as error:
            log.exception("an event cannot be made", owner=key.owner_id, webhook=key.id, delivery=delivery.id)
            return self._failed(delivery, error=f"the message cannot be made ({type(error).__name__})"), 0.0
        headers = self._headers(delivery, body)
        if headers is None:
            return self._failed(delivery, error="the secret cannot be read; rotate it"), 0.0
        try:
            response = await self._client.post(delivery.url, headers, body, TIMEOUT)
        except NoOutsideResponse as error:
            tried = self._failed(delivery, error=error.reason, seconds=error.seconds)
            return tried, 0.0 if error.is_refused else REST
        answer = response.body.decode("utf-8", "replace").replace("\0", "")[:LONGEST_ANSWER]
        if 200 <= response.status < 300:
            outcome = TryOutcome(is_delivered=True)
            return DeliveryTry(
                delivery_id=delivery.id, outcome=outcome, status=response.status,
                milliseconds=round(response.seconds * 1000), answer=answer, error=None,
            ), 0.0  # fmt: skip
        tried = self._failed(delivery, status=response.status, answer=answer, seconds=response.seconds)
        return tried, _wanted_pause(response)

    def _failed(
        self,
        delivery: DueDelivery,
        *,
        status: int | None = None,
        answer: str | None = None,
        error: str | None = None,
        seconds: float = 0.0,
    ) -> DeliveryTry:
        is_gone = status == 410
        after = None if is_gone else next_try_after(self._delays, delivery.tried + 1, random.random())  # noqa: S311
        return DeliveryTry(
            delivery_id=delivery.id,
            outcome=TryOutcome(is_delivered=False, is_last=after is None, is_gone=is_gone),
            status=status,
            milliseconds=round(seconds * 1000),
            answer=answer,
            error=error,
            next_after=after,
        )

    def _headers(self, delivery: DueDelivery, body: bytes) -> Mapping[str, str] | None:
        """Returns None where a secret cannot be decrypted, as after the installation's own was replaced."""
        sealed = [each for each in (delivery.secret, delivery.old_secret) if each is not None]
        if self._vault is None:
            self._vault = Vault.of(self._settings)
        known = [secret for each in sealed if (secret := (self._vault.unseal(each) or {}).get("secret"))]
        if not known:
            return None
        message_id = f"msg_{delivery.message_id.replace('-', '')}"
        return {
            "Content-Type": "application/json",
            "User-Agent": f"LeadRoutes/{__version__}",
            **signed_headers(known, message_id, int(time.time()), body),
        }

    async def _body(self, owner_id: int, delivery: DueDelivery) -> bytes:
        make_card = CARD_FORMATS.get(delivery.format)
        if make_card is None:
            moment = delivery.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            return f'{{"type":"{delivery.type}","timestamp":"{moment}","data":{delivery.data}}}'.encode()
        data: dict[str, Any] = msgspec.json.decode(delivery.data)
        async with self._database_work:
            facts = await store.load_card_facts(
                self._database, owner_id, delivery.lead_id, delivery.contact_id, _user_in(data)
            )
        return msgspec.json.encode(make_card(chat_card(delivery.type, data, facts, self._settings.public_url)))


def _user_in(data: Mapping[str, Any]) -> int | None:
    """Returns the user whom an event is about: of an offer its member, of a lead whoever has it."""
    user = data.get("user")
    found: int | None = user["id"] if isinstance(user, dict) else data.get("claimed_by_user_id")
    return found


def _wanted_pause(response: OutsideResponse) -> float:
    """Returns the seconds that a receiver asks for which cannot take more now."""
    if response.status not in (429, 503):
        return 0.0
    text = response.headers.get("retry-after", "")
    return min(float(text), LONGEST_REST) if text.isascii() and text.isdigit() else REST


def _outcome(done: DeliveryTry) -> str:
    if done.outcome.is_delivered:
        return "delivered"
    return "given up" if done.next_after is None else "failed"
