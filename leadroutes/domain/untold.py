"""What follows when every alert about an offer has failed: the next member is asked, and the owner notified. Pure."""

from collections.abc import Collection, Mapping
from datetime import datetime

from msgspec.structs import replace

from leadroutes.domain.alerts import UNTOLD, owner_channels
from leadroutes.domain.model import Absence, Change, Lead, LeadEvent, Message, Offer
from leadroutes.domain.rollout import NO_MEMBER_AVAILABLE, bring_forward, notify_due


def could_not_tell(
    lead: Lead, untold: Collection[int], unavailable: Mapping[int, Absence], now: datetime
) -> Change | None:
    """The owner is notified, and the next member moves up at once. The offers stay as they are, and can be claimed.

    `untold`: the users of whose offers every alert has failed. None: nothing follows, because someone has the lead, it
    is junk, it was done before, or the user is the owner, to whom the lead fell.
    """
    found = {
        each.user_id: replace(each, reason=UNTOLD)
        for each in lead.offers
        if each.user_id in untold and each.team_id is not None and each.state in ("notified", "expired")
        and each.reason not in (UNTOLD, NO_MEMBER_AVAILABLE)
    }  # fmt: skip
    if lead.claim is not None or lead.is_junk or not found:
        return None
    after = replace(lead, offers=tuple(found.get(each.user_id, each) for each in lead.offers))
    change = _go_on(after, found.values(), unavailable, now)
    known = {each.user_id: each for each in lead.offers}
    events = tuple(LeadEvent(kind="alerts failed", user_id=user_id) for user_id in found)
    return replace(
        change,
        offers=tuple(each for each in change.lead.offers if known.get(each.user_id) != each),
        messages=(*change.messages, *_owner_alerts(lead, found)),
        events=(*events, *change.events),
    )


def _go_on(lead: Lead, found: Collection[Offer], unavailable: Mapping[int, Absence], now: datetime) -> Change:
    """The next member is asked, unless someone who was notified later, or with them, can still claim the lead."""
    waiting = [each for each in found if each.state == "notified" and each.notified_at is not None]
    if lead.unclaimed_at is not None or not any(_is_the_last(lead, each) for each in waiting):
        return Change(lead=lead)
    offers = {each.user_id: each for each in lead.offers}
    bring_forward(offers, now)
    spared = frozenset(each.user_id for each in waiting)
    return notify_due(replace(lead, offers=tuple(offers.values())), unavailable, now, spared)


def _is_the_last(lead: Lead, offer: Offer) -> bool:
    assert offer.notified_at is not None
    return not any(
        each.state == "notified"
        and each.reason != UNTOLD
        and each.notified_at is not None
        and each.notified_at >= offer.notified_at
        for each in lead.offers
    )


def _owner_alerts(lead: Lead, found: Collection[int]) -> tuple[Message, ...]:
    """Owners get no alert about their own offer."""
    if not set(found) - {lead.owner_id}:
        return ()
    return tuple(Message(kind="untold", channel=channel, user_id=lead.owner_id) for channel in owner_channels(lead))
