"""What becomes of a lead when no one of its line-up is available: it waits for whoever is back, or is offered anyway.

These functions change the offers of a rollout in place, and return what is recorded about it. Pure.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Final

from msgspec.structs import replace

from leadroutes.domain.availability import moment_in_words
from leadroutes.domain.model import Absence, Lead, LeadEvent, Offer
from leadroutes.domain.moments import later
from leadroutes.domain.states import OPEN_STATES, skipped, transitioned

OFFERED_ANYWAY: Final = "offered anyway: no one was available"

Offers = dict[int, Offer]  # by user
Absences = Mapping[int, Absence]


def when_nobody(
    lead: Lead, planned: Iterable[Offer], offers: Offers, absences: Absences, now: datetime
) -> list[LeadEvent]:
    """Nothing is due. If everyone was skipped and no one ever notified, it does what the team wants then.

    `planned`: the offers as they were before. []: nothing follows.
    """
    if any(each.state in OPEN_STATES or each.notified_at for each in offers.values()):
        return []
    match lead.when_nobody_is_available:
        case "Hold":
            return wait_for_returns(lead, offers, absences, now)
        case "Offer Anyway" if not _is_offered_anyway(offers.values()):
            return offer_anyway(planned, offers, absences, now)
        case _:
            return []


# ------------------------------------------------------------------------------------------------------- Hold


def is_waiting(offers: Iterable[Offer]) -> bool:
    """Returns whether a lead waits for members who are expected back."""
    for each in offers:  # noqa: SIM110 -- every decision asks it, and a generator takes twice as long
        if each.available_from is not None and each.state == "scheduled":
            return True
    return False


def wait_for_returns(lead: Lead, offers: Offers, absences: Absences, now: datetime) -> list[LeadEvent]:
    """Everyone whose return is known is asked at that moment, each a step after the one before; [] if none is known."""
    if not _plan_returns(lead, offers, absences, now):
        return []
    first = min((each for each in offers.values() if each.state == "scheduled"), key=moment_and_place)
    return [LeadEvent(kind="waiting", user_id=first.user_id, detail={"reason": first.reason})]


def look_again(lead: Lead, offers: Offers, absences: Absences, now: datetime) -> list[LeadEvent]:
    """A lead waits, and something is due, or someone may be back.

    As long as no one was notified, all are planned again, and who is available is due now. Afterwards whoever is due
    and still away is asked at the next return, or no more if that is unknown.
    """
    if not any(each.notified_at for each in offers.values()):
        waiting = {each.user_id for each in offers.values() if each.state == "scheduled"}
        if _plan_returns(lead, offers, absences, now):
            return _events(offers, waiting & {each.user_id for each in offers.values() if each.state == "skipped"})
        return []
    events: list[LeadEvent] = []
    for offer in list(offers.values()):
        absence = absences.get(offer.user_id)
        if offer.state != "scheduled" or offer.notify_at > now or absence is None:
            continue
        if absence.available_from is None:
            offers[offer.user_id] = skipped(offer, absence, now)
            events += _events(offers, {offer.user_id})
        else:
            offers[offer.user_id] = _scheduled(offer, absence.available_from, absence.available_from, absence.timezone)
    return events


def _plan_returns(lead: Lead, offers: Offers, absences: Absences, now: datetime) -> bool:
    """Schedules everyone whose return is known, and skips the others. Returns whether there is anyone."""
    line_up = [each for each in offers.values() if each.team_id is not None and each.state in ("scheduled", "skipped")]
    returns = [(now, each) for each in line_up if each.user_id not in absences]
    returns += [
        (moment, each)
        for each in line_up
        if each.user_id in absences and (moment := absences[each.user_id].available_from) is not None
    ]
    if not returns:
        return False
    moment = None
    for back, offer in sorted(returns, key=lambda each: (each[0], each[1].place)):
        moment = back if moment is None else max(back, later(moment, lead.step))
        absence = absences.get(offer.user_id)
        known = offer.available_from if absence is None and offer.state == "scheduled" else None
        timezone = absence.timezone if absence is not None else None
        offers[offer.user_id] = _scheduled(offer, moment, known or back, timezone)
    for offer in line_up:
        if offers[offer.user_id] is offer and offer.state == "scheduled":
            offers[offer.user_id] = skipped(offer, absences[offer.user_id], now)
    return True


def _scheduled(offer: Offer, moment: datetime, back: datetime, timezone: str | None) -> Offer:
    """`timezone` None: the member is back, and the reason stays what it was."""
    if offer.state == "skipped":
        reason = offer.reason if timezone is None else None
        offer = replace(transitioned(offer, "scheduled", moment), reason=reason)
    reason = offer.reason if timezone is None else f"back {moment_in_words(back, timezone)}"
    return replace(offer, notify_at=moment, reason=reason, available_from=back)


def _events(offers: Offers, user_ids: Iterable[int]) -> list[LeadEvent]:
    return [
        LeadEvent(kind="skipped", user_id=user_id, detail={"reason": offers[user_id].reason})
        for user_id in sorted(user_ids)
    ]


# The order in which offers fall due.
moment_and_place: Final[Callable[[Offer], tuple[datetime, int]]] = attrgetter("notify_at", "place")


# ----------------------------------------------------------------------------------------------- Offer Anyway


def absences_that_count(offers: Iterable[Offer], absences: Absences, now: datetime) -> Absences:
    """Returns those of members who are not back by now; for a lead that is offered anyway only pauses, and who is gone.

    So every return that a lead waits for is to come: one that is not would be due, and planned again, without end.
    """
    if not absences:
        return absences
    is_anyway = _is_offered_anyway(offers)
    return {
        user_id: each
        for user_id, each in absences.items()
        if (each.available_from is None or each.available_from > now) and not (is_anyway and each.kind == "away")
    }


def _is_offered_anyway(offers: Iterable[Offer]) -> bool:
    for each in offers:  # noqa: SIM110 -- as above
        if each.reason == OFFERED_ANYWAY:
            return True
    return False


def offer_anyway(planned: Iterable[Offer], offers: Offers, absences: Absences, now: datetime) -> list[LeadEvent]:
    """Who is only away is asked as planned at first, the first of them now; [] if there is no one."""
    moments = {each.user_id: each.notify_at for each in planned}
    away = [
        each
        for each in offers.values()
        if each.state == "skipped" and each.user_id in absences and absences[each.user_id].kind == "away"
    ]
    if not away:
        return []
    start = min(moments[each.user_id] for each in away)
    for each in away:
        moment = later(now, moments[each.user_id] - start)
        offers[each.user_id] = replace(transitioned(each, "scheduled", now), notify_at=moment, reason=OFFERED_ANYWAY)
    return [LeadEvent(kind="offered anyway")]
