"""What follows when whoever has a lead gives it back: it is offered again to the rest of its line-up. Pure."""

from collections.abc import Collection, Mapping
from datetime import datetime

from msgspec.structs import replace

from leadroutes.domain.alerts import UNTOLD, offer_alerts, owner_channels
from leadroutes.domain.model import Absence, Change, Initiator, Lead, LeadEvent, Message, Offer
from leadroutes.domain.moments import later
from leadroutes.domain.rollout import notify_due, refuse_when_junk
from leadroutes.domain.states import transitioned
from leadroutes.errors import Conflict


def give_back(
    lead: Lead, unavailable: Mapping[int, Absence], gone: Collection[int], by: Initiator, now: datetime
) -> Change:
    """The claim ends, and the lead is offered again to the rest of its line-up.

    Raises Conflict if no one has it, or if it is junk, which no one is offered.

    Those who were notified before are at once, the others as long afterwards as at first. `gone`: who has left.
    """
    if lead.claim is None:
        raise Conflict("No one has this lead")
    refuse_when_junk(lead)
    giver = lead.claim.user_id
    event = LeadEvent(kind="given back", user_id=giver, by_user_id=by.user_id, detail=by.detail)
    alerts = tuple(
        Message(kind="given_back", channel=channel, user_id=lead.owner_id)
        for channel in owner_channels(lead)
        if by.user_id != lead.owner_id
    )
    if not lead.offers:  # it was given away without having been routed
        return Change(lead=replace(lead, claim=None), ends_claim=True, messages=alerts, events=(event,))
    offers = _offered_again(lead, giver, gone, now)
    change = notify_due(replace(lead, claim=None, unclaimed_at=None, offers=offers), unavailable, now)
    again = [
        offer
        for offer in change.lead.offers
        if offer.state == "notified" and any(each.user_id == offer.user_id and each.notified_at for each in lead.offers)
    ]
    known = {each.user_id: each for each in lead.offers}
    return replace(
        change,
        offers=tuple(each for each in change.lead.offers if known.get(each.user_id) != each),
        ends_claim=change.claim is None,
        messages=change.messages + offer_alerts("reoffer", again) + alerts,
        events=(event, *change.events),
    )


def _offered_again(lead: Lead, giver: int, gone: Collection[int], now: datetime) -> tuple[Offer, ...]:
    """Returns the offers as they are once the lead is given back; the waiting ones keep their distances."""
    back = [each for each in lead.offers if each.user_id != giver and each.state == "lost" and each.notified_at]
    back = [] if lead.is_exclusive else [each for each in back if each.user_id not in gone]
    waiting = [
        each
        for each in lead.offers
        if each.user_id != giver and each.state in ("withdrawn", "skipped", "lost") and not each.notified_at
    ]
    start = max((each.notify_at for each in back), default=min((each.notify_at for each in waiting), default=now))
    changed: dict[int, Offer] = {}
    for each in lead.offers:
        if each.user_id == giver and each.state == "won":
            changed[giver] = transitioned(each, "declined" if each.notified_at else "withdrawn", now)
        elif each in back:
            reason = None if each.reason == UNTOLD else each.reason
            changed[each.user_id] = replace(transitioned(each, "notified", now), notified_at=now, reason=reason)
        elif each in waiting:
            moment = max(now, later(now, each.notify_at - start))
            changed[each.user_id] = replace(transitioned(each, "scheduled", now), notify_at=moment)
        elif each.state == "lost" and each.user_id not in gone:
            changed[each.user_id] = transitioned(each, "expired", now)
    return tuple(changed.get(each.user_id, each) for each in lead.offers)
