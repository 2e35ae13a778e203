"""What the provider reports of texts, by callbacks and when it is asked: stored with the message, once decided on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from leadroutes.domain.causes import advice_of
from leadroutes.domain.identity import normal_phone
from leadroutes.domain.lawful_hours import KnownPlaces, lawful_hours, next_window, whereabouts_of
from leadroutes.domain.provider_errors import effect_of
from leadroutes.domain.provider_states import MessageAtProvider, after_report
from leadroutes.store import statement
from leadroutes.store.leads import wake_worker
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.suppressions import note_unsubscribed, stop_phone
from leadroutes.store.webhook_events import note_event

SUPPRESSED_AS: Final = {"stopped": "stopped", "landline": "bounced"}
"""By the effect of an error number, the reason for which its number gets no more texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderReport:
    """A state of a text, as the provider says it; `address`: the number that it went to, where the report says so."""

    owner_id: int
    message_id: int
    provider_id: str
    state: str
    error_code: int | None = None
    address: str | None = None


async def note_report(database: Database, report: ProviderReport, *, is_callback: bool) -> MessageAtProvider | None:
    """Stores a report and returns the message after it; None where there is no such text. May be repeated."""

    async def work(transaction: Transaction) -> MessageAtProvider | None:
        return await _note(transaction, report, is_callback=is_callback)

    return await database.run_prepared(work)


async def _note(transaction: Transaction, report: ProviderReport, *, is_callback: bool) -> MessageAtProvider | None:
    row = await transaction.fetchrow(
        *statement("lock_reported_message").bind(owner_id=report.owner_id, message_id=report.message_id)
    )
    if row is None:
        return None
    known = MessageAtProvider(**{name: value for name, value in row.items() if name not in ("contact_id", "address")})
    after = after_report(known, report.provider_id, report.state, report.error_code)
    leaves_at = None
    if after.is_for_next_window:
        leaves_at = await _next_window(transaction, report.owner_id, row["contact_id"], row["address"])
    suppression_id = await transaction.fetchval(
        *statement("apply_report").bind(
            owner_id=report.owner_id,
            message_id=report.message_id,
            state=after.state,
            reason=after.reason,
            provider_id=after.provider_id,
            provider_state=after.provider_state,
            error_code=after.error_code,
            address=report.address,
            is_delivered=after.is_delivered,
            leaves_at=leaves_at,
            advice=None if after.state == "sent" else advice_of(after.reason, after.error_code),
            is_final=after.is_final,
            suppressed_as=SUPPRESSED_AS.get(effect_of(report.error_code) or ""),
            reported_id=report.provider_id,
            reported_state=report.state,
            reported_code=report.error_code,
            is_callback=is_callback,
            now=transaction.now,
        )
    )
    if after.state == "failed" != known.state:
        note_event(transaction, report.owner_id, "message.failed", report.message_id)
        if row["contact_id"] is None:  # it may be the last alert about an offer
            await wake_worker(transaction)
    phone = normal_phone(report.address or row["address"])
    if phone is not None and effect_of(report.error_code) == "stopped":
        await stop_phone(transaction, phone)
        if suppression_id is not None and row["contact_id"] is not None:
            note_unsubscribed(transaction, report.owner_id, row["contact_id"], "text")
    return after


async def _next_window(
    transaction: Transaction, owner_id: int, contact_id: int | None, address: str | None
) -> datetime:
    """The quiet hours are not looked at here, but when the text leaves."""
    found = await load_whereabouts(transaction, owner_id, contact_id, address)
    return next_window(transaction.now, lawful_hours(whereabouts_of(found), is_strict=False))


async def load_whereabouts(
    source: Database | Transaction, owner_id: int, contact_id: int | None, address: str | None
) -> KnownPlaces:
    """Returns what tells where the person is to whose number a text goes; of a user it is the number alone."""
    phone = normal_phone(address)
    if contact_id is None:
        return KnownPlaces(phone=phone)
    row = await source.fetchrow(*statement("load_whereabouts").bind(owner_id=owner_id, contact_id=contact_id))
    assert row is not None
    return KnownPlaces(
        address_zipcodes=tuple(row["address_zipcodes"]),
        address_states=tuple(row["address_states"]),
        phone=phone,
        inquiry_zipcodes=tuple(row["inquiry_zipcodes"]),
    )
