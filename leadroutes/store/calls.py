"""Calls to agents: rows with a secret, by which the provider asks what is said, and what becomes of each call.

It decides nothing; the texts of calls are made elsewhere.
"""

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from leadroutes.domain.call_states import ANSWERED, OVER, UNANSWERED, after_unanswered, earlier_than
from leadroutes.domain.causes import advice_of
from leadroutes.store import statement
from leadroutes.store.leads import wake_worker
from leadroutes.store.messages import MessageKey, enqueue
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.queue import END_CALL_JOB, RowKey
from leadroutes.store.queue import enqueue as put_into_queue
from leadroutes.store.webhook_events import note_event


class CallKey(RowKey, frozen=True):
    """The call that a job is about."""


class AgentCall(Struct, frozen=True, kw_only=True):
    """A call with the offer that it is about, and what an agent may hear of the lead before the claim."""

    owner_id: int
    lead_id: int
    user_id: int
    number: str
    provider_id: str | None
    kind: str
    offer_id: int | None
    contact_id: int
    offer_state: str | None
    claimed_by_user_id: int | None
    claimed_by_name: str | None
    is_test: bool
    source: str | None
    first_name: str | None
    city: str | None
    type: str | None
    listing_price: str | None


class CallDetails(Struct, frozen=True, kw_only=True):
    """What the winner hears of a lead, and by which terms they may be connected to the person."""

    inquirer: Mapping[str, str]
    first_name: str | None
    last_name: str | None
    email: str | None
    street_address: str | None
    city: str | None
    phones: tuple[str, ...]  # of the contact, in the order in which they are tried
    address_zipcodes: tuple[str, ...]
    address_states: tuple[str, ...]
    inquiry_zipcodes: tuple[str, ...]
    connect_on_claim: bool
    agent_phone: str | None
    owner_phone: str | None


class CallTerms(Struct, frozen=True, kw_only=True):
    """By whose clock a member is called, and whether at night, too."""

    timezone: str
    phone: str | None
    owners_timezone: str
    has_night_calls: bool


# ------------------------------------------------------------------------------------------------------ placing a call


async def find_call_terms(database: Database, key: MessageKey, user_id: int, offer_id: int | None) -> CallTerms:
    row = await database.fetchrow(
        *statement("find_call_terms").bind(owner_id=key.owner_id, user_id=user_id, offer_id=offer_id)
    )
    assert row is not None
    return CallTerms(**row)


async def add_call(database: Database, key: MessageKey, number: str) -> str:
    """Returns the secret of a call that is about to be placed; only its hash is stored."""
    token = secrets.token_urlsafe(32)
    await database.execute(
        *statement("add_call").bind(
            owner_id=key.owner_id, message_id=key.id, token_hash=_hash(token), number=number, now=database.clock.now()
        )
    )
    return token


async def note_placed_call(database: Database, token: str, provider_id: str, state: str) -> bool:
    """Records a call that the provider has accepted. Returns whether it has lost its purpose while it still rings."""
    is_unwanted = await database.fetchval(
        *statement("note_placed_call").bind(token_hash=_hash(token), provider_id=provider_id, state=state)
    )
    return bool(is_unwanted)


async def add_substitute_alert(database: Database, key: MessageKey, channels: Sequence[str]) -> bool:
    """Queues the same alert by the first of these channels that has not failed, unless the member gets it by that.

    Returns False where it has failed by all of them.
    """

    async def work(transaction: Transaction) -> bool:
        row = await transaction.fetchrow(
            *statement("add_substitute_alert").bind(owner_id=key.owner_id, message_id=key.id, channels=list(channels))
        )
        if row is not None and row["id"] is not None:
            await enqueue(transaction.connection, [(key.owner_id, row["id"])])
        return row is not None

    return await database.run(work)


# ------------------------------------------------------------------------------------------------------- during a call


async def find_call(database: Database, token: str) -> AgentCall | None:
    """Returns the call with this secret; None for an unknown one, or once the member is no longer one."""
    row = await database.fetchrow(*statement("find_call").bind(token_hash=_hash(token)))
    return AgentCall(**row) if row is not None else None


async def load_call_details(database: Database, call: AgentCall) -> CallDetails:
    row = await database.fetchrow(
        *statement("load_call_details").bind(owner_id=call.owner_id, lead_id=call.lead_id, user_id=call.user_id)
    )
    assert row is not None
    found: dict[str, Any] = dict(row)
    inquirer = msgspec.json.decode(found.pop("inquirer") or "{}", type=dict[str, Any])
    phones = [found.pop(name) for name in ("mobile_phone", "home_phone", "office_phone")]
    return CallDetails(
        **found | {name: tuple(found[name]) for name in ("address_zipcodes", "address_states", "inquiry_zipcodes")},
        inquirer={name: value for name, value in inquirer.items() if isinstance(value, str)},
        phones=tuple(phone for phone in phones if phone),
    )


async def note_call_state(
    database: Database, token: str, provider_id: str, state: str, error_code: int | None = None
) -> None:
    """Records what the provider reports of a call, and what follows where no one answered it."""

    async def work(transaction: Transaction) -> None:
        noted = await transaction.fetchrow(
            *statement("note_call_state").bind(
                token_hash=_hash(token),
                provider_id=provider_id,
                state=state,
                error_code=error_code,
                earlier=list(earlier_than(state)),
                is_answered=state in ANSWERED,
                is_over=state in OVER,
                now=transaction.now,
            )
        )
        if noted is not None and state in UNANSWERED:
            await _settle(transaction, MessageKey(noted["owner_id"], noted["id"]))

    await database.run(work)


async def settle_call(database: Database, key: MessageKey) -> None:
    """What follows where no one answered a call, if that was reported before its sending had been recorded."""
    await database.run(partial(_settle, key=key))


async def _settle(transaction: Transaction, key: MessageKey) -> None:
    message = {"owner_id": key.owner_id, "message_id": key.id}
    row = await transaction.fetchrow(*statement("lock_unanswered_call").bind(**message, unanswered=list(UNANSWERED)))
    if row is None:
        return
    after = after_unanswered(row["outcome"], transaction.now, is_second=row["is_second"])
    await transaction.execute(
        *statement("note_unanswered_call").bind(
            **message, state=after.state, reason=after.reason, advice=advice_of(after.reason), leaves_at=after.leaves_at
        )
    )
    if after.state == "failed":
        note_event(transaction, key.owner_id, "message.failed", key.id)
    await wake_worker(transaction)  # the call is made again, or it was the last alert about an offer


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


# ------------------------------------------------------------------------------------------------- calls that are ended


async def end_ringing_calls(transaction: Transaction, offers: Collection[tuple[int, int, int]]) -> None:
    """Has calls ended that ring for these offers (owner, lead, user), which are closed by now."""
    if not offers:
        return
    rows = await transaction.fetch(
        *statement("mark_unwanted_calls").bind(
            owner_ids=[owner_id for owner_id, _, _ in offers],
            lead_ids=[lead_id for _, lead_id, _ in offers],
            user_ids=[user_id for _, _, user_id in offers],
            now=transaction.now,
        )
    )
    await put_into_queue(transaction.connection, END_CALL_JOB, [(row["owner_id"], row["id"]) for row in rows])


async def find_ringing_call(database: Database, key: CallKey) -> str | None:
    """Returns the provider's id of a call that still rings, or None."""
    provider_id: str | None = await database.fetchval(
        *statement("find_ringing_call").bind(owner_id=key.owner_id, call_id=key.id)
    )
    return provider_id
