"""The life of an offer and of a lead, as data: from which state to which, and what makes it so.

The rollout moves offers by this table only; the diagrams in docs/what-happens-to-a-lead.md are drawn from it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from leadroutes.domain.model import Lead, Offer, OfferState

OFFER_TRANSITIONS: Final[Mapping[OfferState, Mapping[OfferState, str]]] = {
    "scheduled": {
        "notified": "his moment comes",
        "skipped": "he is not available, or his turn has passed",
        "withdrawn": "somebody has it, or its contact is erased",
        "won": "the owner gives it to him",
    },
    "notified": {
        "won": "he claims it, or it is assigned to him",
        "lost": "somebody else has it",
        "declined": "he does not want it",
        "expired": "the next one is told, under Exclusive, or its contact is erased",
        "withdrawn": "the member has left the team, or has no account any more",
    },
    "expired": {
        "notified": "nobody claimed it",
        "won": "the owner gives it to him",
        "lost": "somebody else has it",
        "withdrawn": "the member has left the team, or has no account any more",
    },
    "declined": {"notified": "he is the owner, and nobody claimed it", "won": "the owner gives it to him"},
    "skipped": {"notified": "he is the owner, and nobody claimed it", "won": "the owner gives it to him"},
    "withdrawn": {
        "notified": "the member is the owner, and nobody claimed it",
        "won": "the owner gives it to him",
    },
    "won": {"lost": "the owner gives it to somebody else"},
    "lost": {"won": "the owner gives it to him"},
}
LEAD_TRANSITIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "received": {"held": "distribute is false", "on offer": "it is routed", "claimed": "Myself, or assigned at once"},
    "held": {
        "on offer": "it is routed",
        "claimed": "the owner gives it away, or it is routed and assigned at once",
        "unclaimed": "its contact is erased",
    },
    "on offer": {
        "claimed": "somebody claims it",
        "unclaimed": "nobody did in time, all have declined or left, or its contact is erased",
    },
    "unclaimed": {"claimed": "somebody claims it after all"},
    "claimed": {"claimed": "the owner gives it to somebody else"},
}


def transitioned(offer: Offer, state: OfferState, now: datetime) -> Offer:
    """The offer in its next state; AssertionError for a step that is not in the table."""
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
