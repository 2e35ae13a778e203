"""What becomes of a routed lead: what a due moment, a claim, a decline, an assignment or silence leads to.

Every function takes the lead as it stands and answers the Change that follows. Nothing here reads a clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from leadroutes.domain.model import (
    SHORTEST_WAIT,
    Change,
    ChannelName,
    Claim,
    Lead,
    LeadEvent,
    Message,
    MessageKind,
    Offer,
    Via,
)
from leadroutes.domain.moments import END_OF_TIME, later
from leadroutes.domain.states import transitioned
from leadroutes.errors import Conflict, NotFound

OPEN_STATES = ("scheduled", "notified")
TURN_PASSED = "his turn had passed before he could be told"
NO_MEMBER_AVAILABLE = "nobody of the line-up is available"


# ------------------------------------------------------------------------------------------------ it begins


def start(lead: Lead, unavailable: Mapping[int, str], now: datetime) -> Change:
    """The rollout of a lead whose offers are all scheduled: those that are due at once are carried out."""
    change = notify_due(lead, unavailable, now)
    return replace(change, offers=change.lead.offers)


def claim_for_owner(lead: Lead, now: datetime) -> Change:
    """Target Myself: the owner has the lead at once, and is told."""
    claim = Claim(user_id=lead.owner_id, claimed_at=now, via="Auto")
    offer = transitioned(_owner_offer(lead, None, now), "won", now)
    after = replace(lead, offers=(offer,), claim=claim)
    return Change(
        lead=after,
        offers=(offer,),
        claim=claim,
        messages=_messages("won", (offer,)),
        events=(LeadEvent(kind="claimed", user_id=lead.owner_id, detail={"via": "Auto"}),),
    )


def offer_to_owner(lead: Lead, reason: str, now: datetime) -> Change:
    """Nothing fits: the owner gets the one offer, is told at once, and has to claim like anybody else."""
    offer = _owner_offer(lead, reason, now)
    others = tuple(each for each in lead.offers if each.user_id != lead.owner_id)
    after = replace(
        lead, offers=(*others, offer), was_offered_to_owner=True, lapses_at=later(now, SHORTEST_WAIT), unclaimed_at=None
    )
    return Change(lead=after, offers=(offer,), messages=_messages("offer", (offer,)))


def _owner_offer(lead: Lead, reason: str | None, now: datetime) -> Offer:
    return Offer(
        user_id=lead.owner_id,
        team_id=None,
        place=len(lead.offers),
        notify_at=now,
        rank=None,
        assign_automatically=False,
        has_call_alert=False,
        has_text_alert=lead.owner_has_phone,
        has_email_alert=True,
        state="notified",
        reason=reason,
        notified_at=now,
    )


# ----------------------------------------------------------------------------------------- an offer falls due


def notify_due(lead: Lead, unavailable: Mapping[int, str], now: datetime) -> Change:
    """Carry out every scheduled offer whose moment has come; `unavailable` says who cannot be told, and why."""
    offers = {offer.user_id: offer for offer in lead.offers}
    if lead.claim is not None:
        closed = {user_id: _closed_by_claim(offer, lead.claim, now) for user_id, offer in offers.items()}
        return _change(lead, replace(lead, offers=tuple(closed.values())), ())
    events: list[LeadEvent] = []
    while group := _next_group(offers.values(), until=now):
        events += _skip(offers, [offer for offer in group if offer.user_id in unavailable], unavailable, now)
        present = [offer for offer in group if offer.user_id not in unavailable]
        winner = next((offer for offer in present if offer.assign_automatically), None)
        if winner is not None:
            offers |= _not_yet_notified(lead, offers)
            offers[winner.user_id] = transitioned(winner, "notified", now)
            return _won(lead, offers, Claim(user_id=winner.user_id, claimed_at=now, via="Auto"), events)
        if not present:
            _bring_forward(offers, now)
        elif lead.is_exclusive and _next_group(offers.values(), until=now, after=group[0].notify_at):
            events += _skip(offers, present, dict.fromkeys((offer.user_id for offer in present), TURN_PASSED), now)
        else:
            events += _notify_together(lead, offers, present, now)
    return _finish(lead, offers, events, now)


def _not_yet_notified(lead: Lead, offers: Mapping[int, Offer]) -> dict[int, Offer]:
    """Offers that fell due in the same moment as the one that takes the lead, as they were: nobody has been told."""
    return {
        before.user_id: before
        for before in lead.offers
        if before.state == "scheduled" and offers[before.user_id].state == "notified"
    }


def _next_group(
    offers: Iterable[Offer], *, until: datetime = END_OF_TIME, after: datetime | None = None
) -> list[Offer]:
    """The scheduled offers of the earliest moment (at the most `until`, later than `after`), in order of place."""
    first = until
    group: list[Offer] = []
    for offer in offers:
        moment = offer.notify_at
        if moment > first or offer.state != "scheduled" or (after is not None and moment <= after):
            continue
        if moment < first:
            first, group = moment, []
        group.append(offer)
    return sorted(group, key=_place)


def _place(offer: Offer) -> int:
    return offer.place


def _notify_together(lead: Lead, offers: dict[int, Offer], group: Sequence[Offer], now: datetime) -> list[LeadEvent]:
    """Tell a group; under Exclusive those told before may no longer claim."""
    events = []
    if lead.is_exclusive:
        for offer in list(offers.values()):
            if offer.state == "notified":
                offers[offer.user_id] = transitioned(offer, "expired", now)
                events.append(LeadEvent(kind="expired", user_id=offer.user_id))
    for offer in group:
        offers[offer.user_id] = transitioned(offer, "notified", now)
    return events


def _skip(
    offers: dict[int, Offer], group: Iterable[Offer], reasons: Mapping[int, str], now: datetime
) -> list[LeadEvent]:
    events = []
    for offer in group:
        reason = reasons[offer.user_id]
        offers[offer.user_id] = replace(transitioned(offer, "skipped", now), reason=reason)
        events.append(LeadEvent(kind="skipped", user_id=offer.user_id, detail={"reason": reason}))
    return events


def _bring_forward(offers: dict[int, Offer], now: datetime) -> None:
    """The next in line moves up to now; the others keep their moments."""
    for offer in _next_group(offers.values()):
        if offer.notify_at > now:
            offers[offer.user_id] = replace(offer, notify_at=now)


def _finish(lead: Lead, offers: dict[int, Offer], events: list[LeadEvent], now: datetime) -> Change:
    """What follows when nobody has it: a new moment at which it lapses, or, with nobody left, what comes then."""
    standing = [offer.notified_at or offer.notify_at for offer in offers.values() if offer.state in OPEN_STATES]
    if not standing:
        before = replace(lead, offers=tuple(offers.values()))
        if any(offer.notified_at for offer in offers.values()):
            after = unclaim(before, now)
        else:
            after = offer_to_owner(before, NO_MEMBER_AVAILABLE, now)
        return _combine(lead, after, events)
    lapses_at = None if lead.unclaimed_at else later(max(standing), lead.wait)
    after_lead = replace(lead, offers=tuple(offers.values()), lapses_at=lapses_at)
    return _change(lead, after_lead, events)


def _combine(before: Lead, change: Change, events: list[LeadEvent]) -> Change:
    """A change of a change, seen from where the lead stood at first."""
    whole = _change(before, change.lead, [*events, *change.events])
    notified = {(message.user_id, message.channel) for message in change.messages}
    fresh = tuple(message for message in whole.messages if (message.user_id, message.channel) not in notified)
    return replace(whole, messages=fresh + change.messages)


def _change(before: Lead, after: Lead, events: Sequence[LeadEvent]) -> Change:
    """The offers that differ, and an alert to everyone who has just been notified."""
    known = {offer.user_id: offer for offer in before.offers}
    changed = tuple(offer for offer in after.offers if known.get(offer.user_id) != offer)
    notified = [offer for offer in changed if offer.state == "notified" and not _was_notified(known, offer)]
    return Change(lead=after, offers=changed, messages=_messages("offer", notified), events=tuple(events))


def _was_notified(known: Mapping[int, Offer], offer: Offer) -> bool:
    before = known.get(offer.user_id)
    return before is not None and before.notified_at is not None


# ----------------------------------------------------------------------------------------------- nobody claims


def unclaim(lead: Lead, now: datetime) -> Change:
    """Nobody claimed in time: the owner is alerted once and gets an offer; all who were notified may still claim."""
    reopened = {
        offer.user_id: transitioned(offer, "notified", now) for offer in lead.offers if offer.state == "expired"
    }
    messages: tuple[Message, ...] = ()
    if not lead.was_offered_to_owner:
        owner = _owner_offer(lead, None, now)
        own = next((offer for offer in lead.offers if offer.user_id == lead.owner_id), None)
        if own is not None:
            owner = own if own.state == "notified" else transitioned(own, "notified", now)
        reopened[owner.user_id] = owner
        messages = tuple(
            Message(kind="unclaimed", channel=channel, user_id=lead.owner_id) for channel in _owner_channels(lead)
        )
    changed = {offer.user_id: offer for offer in lead.offers} | reopened
    after = replace(lead, offers=tuple(changed.values()), lapses_at=None, unclaimed_at=now)
    known = {offer.user_id: offer for offer in lead.offers}
    return Change(
        lead=after,
        offers=tuple(offer for offer in after.offers if known.get(offer.user_id) != offer),
        messages=messages,
        events=(LeadEvent(kind="unclaimed"),),
    )


def withdraw(lead: Lead, reason: str, now: datetime) -> Change | None:
    """Nobody may claim it any more and nobody is told, the owner neither; it counts as unclaimed, whatever it was.

    None: somebody has it, or it is over already.
    """
    if lead.claim is not None:
        return None
    events = [LeadEvent(kind="expired", user_id=offer.user_id) for offer in lead.offers if offer.state == "notified"]
    if lead.unclaimed_at is None:
        events.append(LeadEvent(kind="unclaimed", detail={"reason": reason}))
    offers = tuple(_withdrawn(offer, now) for offer in lead.offers)
    after = replace(lead, offers=offers, lapses_at=None, unclaimed_at=lead.unclaimed_at or now)
    return _change(lead, after, events) if after != lead else None


def _withdrawn(offer: Offer, now: datetime) -> Offer:
    match offer.state:
        case "scheduled":
            return transitioned(offer, "withdrawn", now)
        case "notified":
            return transitioned(offer, "expired", now)
        case _:
            return offer


def _owner_channels(lead: Lead) -> tuple[ChannelName, ...]:
    return ("text", "email") if lead.owner_has_phone else ("email",)


# ------------------------------------------------------------------------------------------------- somebody acts


def claim(lead: Lead, user_id: int, via: Via, now: datetime) -> Change | None:
    """The user takes the lead. None: he has it already. NotFound: he was never notified of it.

    Conflict: he declined it, his turn is over, or (with `data`) somebody else has it.
    """
    if lead.claim is not None and lead.claim.user_id == user_id:
        return None
    offer = _own_offer(lead, user_id)
    refuse_when_claimed(lead)
    if offer.state == "declined":
        raise Conflict("You have declined this lead")
    if offer.state != "notified":
        raise Conflict("Your time to claim this lead is over")
    offers = {each.user_id: each for each in lead.offers}
    return _won(lead, offers, Claim(user_id=user_id, claimed_at=now, via=via), [], by_user_id=user_id)


def _own_offer(lead: Lead, user_id: int) -> Offer:
    """The offer that the user was notified of. NotFound: there is none, or it was withdrawn when the member left."""
    offer = next((offer for offer in lead.offers if offer.user_id == user_id), None)
    if offer is None or offer.notified_at is None or offer.state == "withdrawn":
        raise NotFound.record(lead.id)
    return offer


def refuse_when_claimed(lead: Lead) -> None:
    """Conflict, whose data says who has it; the engine knows his name and words the message."""
    if lead.claim is not None:
        data = {"claimed_by_user_id": lead.claim.user_id, "claimed_at": lead.claim.claimed_at}
        raise Conflict("This lead has already been claimed", data=data)


def refuse_when_over(lead: Lead) -> None:
    """Conflict for a lead that was still held when it was withdrawn: only that one is unclaimed without an offer."""
    if lead.unclaimed_at is not None and not lead.offers:
        raise Conflict("The contact of this lead was erased")


def decline(lead: Lead, user_id: int, unavailable: Mapping[int, str], now: datetime) -> Change | None:
    """The user does not want it. None: he has said so before. With nobody else to claim, the next one moves up."""
    offer = _own_offer(lead, user_id)
    if offer.state == "declined":
        return None
    refuse_when_claimed(lead)
    if offer.state != "notified":
        raise Conflict("Your time to answer this offer is over")
    offers = {each.user_id: each for each in lead.offers}
    offers[user_id] = transitioned(offer, "declined", now)
    return _continue(lead, offers, unavailable, [LeadEvent(kind="declined", user_id=user_id, by_user_id=user_id)], now)


def withdraw_members(
    lead: Lead, gone: Mapping[int, str], unavailable: Mapping[int, str], by_user_id: int | None, now: datetime
) -> Change | None:
    """Members have left: what they were notified of is withdrawn. With nobody else to claim, the next one moves up.

    `gone` says who, and why. Those who were not notified yet are skipped when their moment comes. None: nothing of
    theirs is open.
    """
    if lead.claim is not None:
        return None
    offers = {each.user_id: each for each in lead.offers}
    events = []
    for offer in lead.offers:
        if offer.user_id in gone and offer.state in ("notified", "expired"):
            reason = gone[offer.user_id]
            offers[offer.user_id] = replace(transitioned(offer, "withdrawn", now), reason=reason)
            detail = {"reason": reason}
            events.append(LeadEvent(kind="withdrawn", user_id=offer.user_id, by_user_id=by_user_id, detail=detail))
    return _continue(lead, offers, unavailable, events, now) if events else None


def _continue(
    lead: Lead, offers: dict[int, Offer], unavailable: Mapping[int, str], events: list[LeadEvent], now: datetime
) -> Change:
    """Some may no longer claim: with nobody else notified, the next one moves up; else the rest stays as it is."""
    after = replace(lead, offers=tuple(offers.values()))
    if lead.unclaimed_at is not None:
        return _change(lead, after, events)
    if not any(each.state == "notified" for each in offers.values()):
        _bring_forward(offers, now)
    change = notify_due(replace(after, offers=tuple(offers.values())), unavailable, now)
    return replace(change, offers=_change(lead, change.lead, ()).offers, events=(*events, *change.events))


def assign(lead: Lead, user_id: int, by_user_id: int, now: datetime) -> Change | None:
    """The owner gives the lead to somebody. None: he has it already. May be done again; then it moves."""
    if lead.claim is not None and lead.claim.user_id == user_id:
        return None
    offers = {offer.user_id: offer for offer in lead.offers}
    change = _won(lead, offers, Claim(user_id=user_id, claimed_at=now, via="Assigned"), [], by_user_id=by_user_id)
    own = offers.get(user_id)
    channels: tuple[ChannelName, ...] = own.channels if own is not None and own.channels else ("email",)
    messages = tuple(Message(kind="won", channel=channel, user_id=user_id) for channel in channels)
    return replace(change, messages=change.messages + messages)


# ------------------------------------------------------------------------------------------------- somebody has it


def _won(
    lead: Lead, offers: dict[int, Offer], claim: Claim, events: list[LeadEvent], by_user_id: int | None = None
) -> Change:
    """One has it: what was not yet sent is withdrawn, and those who had been notified learn who has it."""
    now = claim.claimed_at
    known = {offer.user_id: offer for offer in lead.offers}
    to_tell = [offer.user_id for offer in lead.offers if offer.notified_at and offer.state in ("notified", "expired")]
    if lead.claim is not None:
        to_tell.append(lead.claim.user_id)
    for offer in list(offers.values()):
        offers[offer.user_id] = _closed_by_claim(offer, claim, now)
    after = replace(lead, offers=tuple(offers.values()), claim=claim, lapses_at=None)
    winner = offers.get(claim.user_id)
    messages = [
        Message(kind="claimed", channel=channel, user_id=user_id)
        for user_id in to_tell
        if user_id != claim.user_id and (channel := _quiet_channel(known.get(user_id))) is not None
    ]
    if claim.via == "Auto" and winner is not None:
        messages += _messages("won", (winner,))
    kind = "assigned" if claim.via == "Assigned" else "claimed"
    return Change(
        lead=after,
        offers=tuple(offer for offer in after.offers if known.get(offer.user_id) != offer),
        claim=claim,
        messages=tuple(messages),
        events=(*events, LeadEvent(kind=kind, user_id=claim.user_id, by_user_id=by_user_id, detail={"via": claim.via})),
    )


def _closed_by_claim(offer: Offer, claim: Claim, now: datetime) -> Offer:
    if offer.user_id == claim.user_id:
        return offer if offer.state == "won" else transitioned(offer, "won", now)
    match offer.state:
        case "scheduled":
            return transitioned(offer, "withdrawn", now)
        case "notified" | "expired" | "won":
            return transitioned(offer, "lost", now)
        case _:
            return offer


def _quiet_channel(offer: Offer | None) -> ChannelName | None:
    """Return the channel that notifies someone of a claim: one e-mail or text, never a call; None without alerts."""
    if offer is None:
        return "email"
    if offer.has_text_alert and not offer.has_email_alert:
        return "text"
    return "email" if offer.channels else None


def _messages(kind: MessageKind, offers: Iterable[Offer]) -> tuple[Message, ...]:
    return tuple(
        Message(kind=kind, channel=channel, user_id=offer.user_id) for offer in offers for channel in offer.channels
    )
