"""The states of an offer and of a lead, as data: from which state to which, and what causes the transition.

The rollout moves offers by this table only; the diagrams in docs/what-happens-to-a-lead.md are drawn from it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from leadroutes.domain.model import Absence, Lead, Offer, OfferState

OPEN_STATES: Final = ("scheduled", "notified")

OFFER_TRANSITIONS: Final[Mapping[OfferState, Mapping[OfferState, str]]] = {
    "scheduled": {
        "notified": "notify_at is reached",
        "skipped": "the member is not available, or the next turn has started",
        "withdrawn": "someone has the lead, it is junk, or its contact is erased",
        "won": "the owner assigns the lead to the member",
    },
    "notified": {
        "won": "the member claims the lead, or it is assigned to the member",
        "lost": "someone else has the lead",
        "declined": "the member declines",
        "expired": "the next member is notified, under Exclusive, the lead is junk, or its contact is erased",
        "withdrawn": "the member has left the team, or the account is closed",
    },
    "expired": {
        "notified": "no one claimed the lead in time",
        "won": "the owner assigns the lead to the member",
        "lost": "someone else has the lead",
        "withdrawn": "the member has left the team, or the account is closed",
    },
    "declined": {
        "notified": "the member takes the answer back, or is the owner, and no one claimed the lead in time",
        "won": "the owner assigns the lead to the member",
    },
    "skipped": {
        "scheduled": "whoever had the lead gives it back, or no one is available and the lead waits for the member",
        "notified": "the member is the owner, and no one claimed the lead in time",
        "won": "the owner assigns the lead to the member",
    },
    "withdrawn": {
        "scheduled": "whoever had the lead gives it back",
        "notified": "the member is the owner, and no one claimed the lead in time",
        "won": "the owner assigns the lead to the member",
    },
    "won": {
        "lost": "the owner assigns the lead to someone else",
        "declined": "the member gives the lead back",
        "withdrawn": "the member, who was given the lead, gives it back",
    },
    "lost": {
        "won": "the owner assigns the lead to the member",
        "scheduled": "whoever had the lead gives it back, and the member was not notified before",
        "notified": "whoever had the lead gives it back",
        "expired": "whoever had the lead gives it back, under Exclusive",
    },
}
LEAD_TRANSITIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "received": {"held": "distribute is false", "on offer": "it is routed", "claimed": "Myself, or assigned at once"},
    "held": {
        "on offer": "it is routed",
        "claimed": "the owner assigns it, or it is routed and assigned at once",
        "unclaimed": "it is junk, or its contact is erased",
    },
    "on offer": {
        "claimed": "someone claims it",
        "unclaimed": "no one claims it in time, all have declined or left, it is junk, or its contact is erased",
    },
    "unclaimed": {"claimed": "someone claims it after all"},
    "claimed": {
        "claimed": "the owner assigns the lead to someone else",
        "on offer": "whoever has the lead gives it back",
        "unclaimed": "whoever has the lead gives it back, and no one is left to be offered it",
        "held": "whoever has the lead gives it back, and it was never routed",
    },
}


def transitioned(offer: Offer, state: OfferState, now: datetime) -> Offer:
    """Returns the offer in its next state. Raises AssertionError for a transition that is not in the table."""
    assert state in OFFER_TRANSITIONS[offer.state], f"an offer never goes from {offer.state} to {state}"
    if state == "scheduled":
        return replace(offer, state=state, reason=None, closed_at=None, available_from=None)
    if state == "notified":
        return replace(offer, state=state, notified_at=offer.notified_at or now, closed_at=None)
    return replace(offer, state=state, closed_at=now)


def skipped(offer: Offer, absence: Absence, now: datetime) -> Offer:
    """Returns the offer of a member who is not available."""
    assert "skipped" in OFFER_TRANSITIONS[offer.state], f"an offer never goes from {offer.state} to skipped"
    back = absence.available_from
    return replace(offer, state="skipped", closed_at=now, reason=absence.reason, available_from=back)


def lead_state(lead: Lead, *, is_routed: bool = True, is_imported: bool = False) -> str:
    """Returns where a lead is in its life; the SQL function of the same name says the same of a stored one."""
    if lead.claim is not None:
        return "claimed"
    if is_imported and not is_routed:
        return "imported"
    if lead.unclaimed_at is not None:
        return "unclaimed"
    return "on offer" if is_routed else "held"
