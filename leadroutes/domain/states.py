"""The states of an offer and of a lead, as data: from which state to which, and what causes the transition.

The rollout moves offers by this table only; the diagrams in docs/what-happens-to-a-lead.md are drawn from it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from leadroutes.domain.model import Lead, Offer, OfferState

OFFER_TRANSITIONS: Final[Mapping[OfferState, Mapping[OfferState, str]]] = {
    "scheduled": {
        "notified": "notify_at is reached",
        "skipped": "the member is not available, or the next turn has started",
        "withdrawn": "someone has the lead, or its contact is erased",
        "won": "the owner assigns the lead to the member",
    },
    "notified": {
        "won": "the member claims the lead, or it is assigned to the member",
        "lost": "someone else has the lead",
        "declined": "the member declines",
        "expired": "the next member is notified, under Exclusive, or the contact is erased",
        "withdrawn": "the member has left the team, or the account is closed",
    },
    "expired": {
        "notified": "no one claimed the lead in time",
        "won": "the owner assigns the lead to the member",
        "lost": "someone else has the lead",
        "withdrawn": "the member has left the team, or the account is closed",
    },
    "declined": {
        "notified": "the member is the owner, and no one claimed the lead in time",
        "won": "the owner assigns the lead to the member",
    },
    "skipped": {
        "notified": "the member is the owner, and no one claimed the lead in time",
        "won": "the owner assigns the lead to the member",
    },
    "withdrawn": {
        "notified": "the member is the owner, and no one claimed the lead in time",
        "won": "the owner assigns the lead to the member",
    },
    "won": {"lost": "the owner assigns the lead to someone else"},
    "lost": {"won": "the owner assigns the lead to the member"},
}
LEAD_TRANSITIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "received": {"held": "distribute is false", "on offer": "it is routed", "claimed": "Myself, or assigned at once"},
    "held": {
        "on offer": "it is routed",
        "claimed": "the owner assigns it, or it is routed and assigned at once",
        "unclaimed": "its contact is erased",
    },
    "on offer": {
        "claimed": "someone claims it",
        "unclaimed": "no one claims it in time, all have declined or left, or its contact is erased",
    },
    "unclaimed": {"claimed": "someone claims it after all"},
    "claimed": {"claimed": "the owner assigns the lead to someone else"},
}


def transitioned(offer: Offer, state: OfferState, now: datetime) -> Offer:
    """Returns the offer in its next state. Raises AssertionError for a transition that is not in the table."""
    assert state in OFFER_TRANSITIONS[offer.state], f"an offer never goes from {offer.state} to {state}"
    if state == "notified":
        return replace(offer, state=state, notified_at=offer.notified_at or now, closed_at=None)
    return replace(offer, state=state, closed_at=now)


def lead_state(lead: Lead, *, is_routed: bool = True, is_imported: bool = False) -> str:
    """Returns where a lead is in its life; the SQL function of the same name says the same of a stored one."""
    if lead.claim is not None:
        return "claimed"
    if is_imported and not is_routed:
        return "imported"
    if lead.unclaimed_at is not None:
        return "unclaimed"
    return "on offer" if is_routed else "held"
