"""What becomes of a routed lead at a due moment, a claim, a decline, an assignment, or when no one reacts.

Every function takes the lead as it is and returns the Change that follows. Nothing here reads a clock.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter

from msgspec.structs import replace

from leadroutes.domain.alerts import claimed_alerts, offer_alerts, unclaimed_alerts, unclaimed_channels, won_alerts
from leadroutes.domain.model import SHORTEST_WAIT, Absence, Change, Claim, Lead, LeadEvent, Message, Offer, Via
from leadroutes.domain.moments import later
from leadroutes.domain.no_one import absences_that_count, is_waiting, look_again, when_nobody
from leadroutes.domain.states import OPEN_STATES, skipped, transitioned
from leadroutes.errors import AlreadyClaimed, Conflict, NotFound

TURN_PASSED = "the next member's turn had already started"
UNDO_WITHIN = timedelta(minutes=10)
NO_MEMBER_AVAILABLE = "no member of the line-up is available"


# ------------------------------------------------------------------------------------------------ the start


def start(lead: Lead, offers: Sequence[Offer], unavailable: Mapping[int, Absence], now: datetime) -> Change:
    """Start the rollout of a lead without offers: of these, all scheduled, those that are due at once are notified."""
    return _carry_out(lead, offers, absences_that_count((), unavailable, now), now)


def claim_for_owner(lead: Lead, now: datetime) -> Change:
    """Target Myself: the owner gets the lead at once, and an alert."""
    claim = Claim(user_id=lead.owner_id, claimed_at=now, via="Auto")
    offer = transitioned(_owner_offer(lead, None, now), "won", now)
    after = replace(lead, offers=(offer,), claim=claim)
    return Change(
        lead=after,
        offers=(offer,),
        claim=claim,
        messages=tuple(won_alerts(lead, claim, offer)),
        events=(LeadEvent(kind="claimed", user_id=lead.owner_id, detail={"via": "Auto"}),),
    )


def offer_to_owner(lead: Lead, reason: str, now: datetime) -> Change:
    """Nothing fits: the owner gets the only offer, is notified at once, and has to claim like anyone else."""
    offer = _owner_offer(lead, reason, now)
    others = tuple(each for each in lead.offers if each.user_id != lead.owner_id)
    after = replace(
        lead, offers=(*others, offer), was_offered_to_owner=True, lapses_at=later(now, SHORTEST_WAIT), unclaimed_at=None
    )
    return Change(lead=after, offers=(offer,), messages=offer_alerts("offer", (offer,)))


def _owner_offer(lead: Lead, reason: str | None, now: datetime) -> Offer:
    return Offer(
        user_id=lead.owner_id,
        team_id=None,
        place=1 + max((offer.place for offer in lead.offers), default=-1),
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


def notify_due(
    lead: Lead, unavailable: Mapping[int, Absence], now: datetime, spared: Collection[int] = frozenset()
) -> Change:
    """Carry out every scheduled offer that is due; `unavailable` says who cannot be notified, and why.

    It names who of the scheduled and the skipped ones is not available. `spared`: members who may go on claiming the
    lead, under Exclusive too.
    """
    if lead.claim is not None:
        closed = tuple(_closed_by_claim(offer, lead.claim, now) for offer in lead.offers)
        return _change(lead, replace(lead, offers=closed), ())
    unavailable = absences_that_count(lead.offers, unavailable, now)
    return _carry_out(lead, lead.offers, unavailable, now, spared, waits=is_waiting(lead.offers))


def _carry_out(
    lead: Lead,
    planned: Sequence[Offer],
    unavailable: Mapping[int, Absence],
    now: datetime,
    spared: Collection[int] = frozenset(),
    *,
    waits: bool = False,
) -> Change:
    """`planned`: the offers as they are before anything is due; they are new if the lead has none."""
    offers = {offer.user_id: offer for offer in planned}
    events: list[LeadEvent] = []
    while True:
        if waits:
            events += look_again(lead, offers, unavailable, now)
        group, has_later = _due_first(offers.values(), now)
        if group and unavailable and all(offer.user_id in unavailable for offer in group):
            events += _skip_away(offers, unavailable, now)
            group, has_later = _due_first(offers.values(), now)
        if not group:
            again = when_nobody(lead, planned, offers, unavailable, now)
            if not again:
                break
            events += again
            waits = is_waiting(offers.values())
            unavailable = absences_that_count(offers.values(), unavailable, now)
            continue
        if unavailable:
            events += _skip(offers, [offer for offer in group if offer.user_id in unavailable], unavailable, now)
            group = [offer for offer in group if offer.user_id not in unavailable]
        winner = next((offer for offer in group if offer.assign_automatically), None)
        if winner is not None:
            offers |= _not_yet_notified(planned, offers)
            offers[winner.user_id] = _notified(winner, now)
            return _won(lead, offers, Claim(user_id=winner.user_id, claimed_at=now, via="Auto"), events)
        if lead.is_exclusive and has_later:
            passed = Absence(reason=TURN_PASSED)
            events += _skip(offers, group, dict.fromkeys((offer.user_id for offer in group), passed), now)
        else:
            events += _notify_together(lead, offers, group, now, spared)
        if not has_later:
            break  # someone is notified, and nothing more is due
    return _finish(lead, offers, events, now)


def _skip_away(offers: dict[int, Offer], unavailable: Mapping[int, Absence], now: datetime) -> list[LeadEvent]:
    """Skips the first in line as long as no one of a moment is available; the next ones move up to now."""
    line = sorted([each for each in offers.values() if each.state == "scheduled"], key=_moment)
    first = next((each.notify_at for each in line if each.user_id not in unavailable), None)
    if first is None:
        return _skip(offers, line, unavailable, now)
    away = bisect_left(line, first, key=_moment)
    if first > now:
        for offer in line[away : bisect_right(line, first, key=_moment)]:
            offers[offer.user_id] = replace(offer, notify_at=now)
    return _skip(offers, line[:away], unavailable, now)


_moment = attrgetter("notify_at")  # offers are in order of place, which sorting by moment leaves as it is


def _not_yet_notified(planned: Sequence[Offer], offers: Mapping[int, Offer]) -> dict[int, Offer]:
    """Returns the offers that fell due at the same moment as the one that takes the lead, as they were before."""
    return {
        before.user_id: before
        for before in planned
        if before.state == "scheduled" and offers[before.user_id].state == "notified"
    }


def _due_first(offers: Iterable[Offer], now: datetime) -> tuple[list[Offer], bool]:
    """Returns the offers that are due of the earliest moment, in order of place, and whether later ones are due."""
    first, has_later = now, False
    group: list[Offer] = []
    for offer in offers:
        moment = offer.notify_at
        if moment > now or offer.state != "scheduled":
            continue
        if group and moment != first:
            has_later = True
        if not group or moment < first:
            first, group = moment, [offer]
        elif moment == first:
            group.append(offer)
    return sorted(group, key=_place), has_later


def _place(offer: Offer) -> int:
    return offer.place


def _notify_together(
    lead: Lead, offers: dict[int, Offer], group: Sequence[Offer], now: datetime, spared: Collection[int]
) -> list[LeadEvent]:
    """Notify a group; under Exclusive those who were notified before may no longer claim."""
    events = []
    if lead.is_exclusive:
        for offer in list(offers.values()):
            if offer.state == "notified" and offer.user_id not in spared:
                offers[offer.user_id] = transitioned(offer, "expired", now)
                events.append(LeadEvent(kind="expired", user_id=offer.user_id))
    for offer in group:
        offers[offer.user_id] = _notified(offer, now)
    return events


def _notified(offer: Offer, now: datetime) -> Offer:
    """The lead does not wait for this member any more."""
    reason = None if offer.available_from is not None else offer.reason
    return replace(transitioned(offer, "notified", now), reason=reason, available_from=None)


def _skip(
    offers: dict[int, Offer], group: Sequence[Offer], absences: Mapping[int, Absence], now: datetime
) -> list[LeadEvent]:
    events = []
    for offer in group:
        absence = absences[offer.user_id]
        offers[offer.user_id] = skipped(offer, absence, now)
        events.append(LeadEvent(kind="skipped", user_id=offer.user_id, detail={"reason": absence.reason}))
    return events


def bring_forward(offers: dict[int, Offer], now: datetime) -> None:
    """Bring the next offers in line forward to now; the others keep their moments."""
    line = [offer for offer in offers.values() if offer.state == "scheduled"]
    first = min([offer.notify_at for offer in line], default=now)
    if first > now:
        offers.update({offer.user_id: replace(offer, notify_at=now) for offer in line if offer.notify_at == first})


def _finish(lead: Lead, offers: dict[int, Offer], events: list[LeadEvent], now: datetime) -> Change:
    """What follows while no one has the lead: a new moment at which it lapses, or the end if no one is left."""
    last_moments = [offer.notified_at or offer.notify_at for offer in offers.values() if offer.state in OPEN_STATES]
    if not last_moments:
        before = replace(lead, offers=tuple(offers.values()))
        if lead.unclaimed_at is not None:  # it is over already: whoever took it as due has waited for that to be stored
            return _change(lead, before, events)
        if any(offer.notified_at for offer in offers.values()):
            after = unclaim(before, now)
        else:
            after = offer_to_owner(before, NO_MEMBER_AVAILABLE, now)
        return _combine(lead, after, events)
    lapses_at = None if lead.unclaimed_at else later(max(last_moments), lead.wait)
    after_lead = replace(lead, offers=tuple(offers.values()), lapses_at=lapses_at)
    return _change(lead, after_lead, events)


def _combine(before: Lead, change: Change, events: list[LeadEvent]) -> Change:
    """Returns a change that follows another one as a change of the lead as it was at first."""
    whole = _change(before, change.lead, [*events, *change.events])
    alerted = {(message.user_id, message.channel) for message in change.messages}
    fresh = tuple(message for message in whole.messages if (message.user_id, message.channel) not in alerted)
    return replace(whole, messages=fresh + change.messages)


def _change(before: Lead, after: Lead, events: Sequence[LeadEvent]) -> Change:
    """Returns the offers that differ, and an alert to everyone who has just been notified."""
    known = {offer.user_id: offer for offer in before.offers}
    changed = after.offers
    if known:
        changed = tuple([each for each in changed if (was := known.get(each.user_id)) is not each and was != each])
    notified = [offer for offer in changed if offer.state == "notified" and not _was_notified(known, offer)]
    return Change(lead=after, offers=changed, messages=offer_alerts("offer", notified), events=tuple(events))


def _was_notified(known: Mapping[int, Offer], offer: Offer) -> bool:
    before = known.get(offer.user_id)
    return before is not None and before.notified_at is not None


# ----------------------------------------------------------------------------------------------- no one claims


def unclaim(lead: Lead, now: datetime) -> Change:
    """No one claimed in time: the owner gets an alert and an offer; all who were notified may still claim."""
    reopened = {
        offer.user_id: transitioned(offer, "notified", now) for offer in lead.offers if offer.state == "expired"
    }
    messages: tuple[Message, ...] = ()
    if not lead.was_offered_to_owner:
        channels = unclaimed_channels(lead)
        owner = replace(
            _owner_offer(lead, None, now), has_text_alert="text" in channels, has_email_alert="email" in channels
        )
        own = next((offer for offer in lead.offers if offer.user_id == lead.owner_id), None)
        if own is not None:
            owner = own if own.state == "notified" else _offered_after_all(own, now)
        reopened[owner.user_id] = owner
        messages = unclaimed_alerts(lead)
    changed = {offer.user_id: offer for offer in lead.offers} | reopened
    after = replace(lead, offers=tuple(changed.values()), lapses_at=None, unclaimed_at=now)
    known = {offer.user_id: offer for offer in lead.offers}
    return Change(
        lead=after,
        offers=tuple(offer for offer in after.offers if known.get(offer.user_id) != offer),
        messages=messages,
        events=(LeadEvent(kind="unclaimed"),),
    )


def _offered_after_all(offer: Offer, now: datetime) -> Offer:
    """The offer of an owner who was passed over: why, and when it would have been due, does not count any more."""
    at = min(offer.notify_at, now)
    return replace(transitioned(offer, "notified", now), notify_at=at, reason=None, available_from=None)


def withdraw(lead: Lead, reason: str, now: datetime) -> Change | None:
    """No one may claim the lead any more; no one is notified, not even the owner. It counts as unclaimed from now on.

    None: someone has it, or it has been withdrawn already.
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


# ------------------------------------------------------------------------------------------------- someone acts


def claim(lead: Lead, user_id: int, via: Via, now: datetime) -> Change | None:
    """The user takes the lead. None: the user has it already.

    Raises NotFound if the user was never notified of it, Conflict if the user has declined, the time is over or it is
    junk, and AlreadyClaimed if someone else has it.
    """
    if lead.claim is not None and lead.claim.user_id == user_id:
        return None
    offer = _own_offer(lead, user_id)
    refuse_when_claimed(lead)
    if offer.state == "declined":
        raise Conflict("You have declined this lead")
    refuse_when_junk(lead)
    if offer.state != "notified":
        raise Conflict("Your time to claim this lead is over")
    offers = {each.user_id: each for each in lead.offers}
    return _won(lead, offers, Claim(user_id=user_id, claimed_at=now, via=via), [], by_user_id=user_id)


def _own_offer(lead: Lead, user_id: int) -> Offer:
    """Returns the offer that the user was notified of. Raises NotFound if there is none or the member has left."""
    offer = next((offer for offer in lead.offers if offer.user_id == user_id), None)
    if offer is None or offer.notified_at is None or offer.state == "withdrawn":
        raise NotFound.record(lead.id)
    return offer


def refuse_when_claimed(lead: Lead) -> None:
    """Raises AlreadyClaimed; the engine looks up the winner's name."""
    if lead.claim is not None:
        raise AlreadyClaimed(lead.claim.user_id, lead.claim.claimed_at)


def refuse_when_over(lead: Lead) -> None:
    """Raises Conflict for a lead that was withdrawn while it was held: it is unclaimed and has no offer."""
    refuse_when_junk(lead)
    if lead.unclaimed_at is not None and not lead.offers:
        raise Conflict("This lead is over: its contact was erased, or it was junk while it was held")


def refuse_when_junk(lead: Lead) -> None:
    """Raises Conflict for a lead that is junk."""
    if lead.is_junk:
        raise Conflict("This lead is junk")


def decline(lead: Lead, user_id: int, unavailable: Mapping[int, Absence], now: datetime) -> Change | None:
    """The user declines. None: the user has declined before. If no one else can claim, the next member moves up."""
    offer = _own_offer(lead, user_id)
    if offer.state == "declined":
        return None
    refuse_when_claimed(lead)
    if offer.state != "notified":
        raise Conflict("Your time to answer this offer is over")
    offers = {each.user_id: each for each in lead.offers}
    offers[user_id] = transitioned(offer, "declined", now)
    return _continue(lead, offers, unavailable, [LeadEvent(kind="declined", user_id=user_id, by_user_id=user_id)], now)


def undo_decline(lead: Lead, user_id: int, now: datetime) -> Change:
    """The member takes a decline back. Raises Conflict where it is too late, or something has happened since."""
    offer = _own_offer(lead, user_id)
    refuse_when_claimed(lead)
    if offer.state != "declined" or offer.closed_at is None:
        raise Conflict("You have not declined this lead")
    if now - offer.closed_at > UNDO_WITHIN:
        raise Conflict("You declined this lead more than 10 minutes ago")
    if lead.unclaimed_at is not None:
        raise Conflict("No one is left to answer: the rollout of this lead has ended")
    if lead.is_exclusive and any(each.state == "notified" for each in lead.offers):
        raise Conflict("The next member has been notified in the meantime")
    offers = {each.user_id: each for each in lead.offers} | {user_id: transitioned(offer, "notified", now)}
    event = LeadEvent(kind="decline undone", user_id=user_id, by_user_id=user_id)
    return _finish(lead, offers, [event], now)


def withdraw_members(
    lead: Lead, gone: Mapping[int, str], unavailable: Mapping[int, Absence], by_user_id: int | None, now: datetime
) -> Change | None:
    """Members have left: their notified offers are withdrawn. If no one else can claim, the next member moves up.

    `gone` says who has left, and why. Scheduled offers are skipped later, when they are due. None: no offer of
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
    lead: Lead, offers: dict[int, Offer], unavailable: Mapping[int, Absence], events: list[LeadEvent], now: datetime
) -> Change:
    """Some may no longer claim. If no one else is notified, the next member moves up; else the rest stays as it is."""
    after = replace(lead, offers=tuple(offers.values()))
    if lead.unclaimed_at is not None:
        return _change(lead, after, events)
    if not any(each.state == "notified" for each in offers.values()):
        bring_forward(offers, now)
    change = notify_due(replace(after, offers=tuple(offers.values())), unavailable, now)
    return replace(change, offers=_change(lead, change.lead, ()).offers, events=(*events, *change.events))


def assign(lead: Lead, user_id: int, by_user_id: int, now: datetime, note: str | None = None) -> Change | None:
    """The owner, or whoever has the lead, assigns it; again, it moves. None: the user has it already."""
    if lead.claim is not None and lead.claim.user_id == user_id:
        return None
    offers = {offer.user_id: offer for offer in lead.offers}
    change = _won(lead, offers, Claim(user_id=user_id, claimed_at=now, via="Assigned"), [], by_user_id=by_user_id)
    if note:
        *others, event = change.events
        change = replace(change, events=(*others, replace(event, detail={**(event.detail or {}), "note": note})))
    return change


# ------------------------------------------------------------------------------------------------- someone has the lead


def _won(
    lead: Lead, offers: dict[int, Offer], claim: Claim, events: list[LeadEvent], by_user_id: int | None = None
) -> Change:
    """Someone has the lead: scheduled offers are withdrawn, and those who were notified learn who has it."""
    now = claim.claimed_at
    known = {offer.user_id: offer for offer in lead.offers}
    to_notify = [offer.user_id for offer in lead.offers if offer.notified_at and offer.state in ("notified", "expired")]
    if lead.claim is not None:
        to_notify.append(lead.claim.user_id)
    for offer in list(offers.values()):
        offers[offer.user_id] = _closed_by_claim(offer, claim, now)
    after = replace(lead, offers=tuple(offers.values()), claim=claim, lapses_at=None)
    alerts = [
        message
        for user_id in to_notify
        if user_id != claim.user_id
        for message in claimed_alerts(lead, user_id, known.get(user_id))
    ]
    alerts += won_alerts(lead, claim, offers.get(claim.user_id))
    kind = "assigned" if claim.via == "Assigned" else "claimed"
    return Change(
        lead=after,
        offers=tuple(offer for offer in after.offers if known.get(offer.user_id) != offer),
        claim=claim,
        messages=tuple(alerts),
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
