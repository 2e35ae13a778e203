"""Who comes first under Least Loaded and Longest Idle: what of the members is compared, and how a decision changes it.

Counted over all leads of one owner, whichever team they came through. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.model import Lead, Standing
from leadroutes.domain.workloads import NO_LEADS, Workload

LONGEST_TRANSACTION: Final = timedelta(minutes=5)


class FirstOffers(Struct, frozen=True, kw_only=True):
    """The leads on offer that count for a member, who was first in line and can still claim them.

    `last_id` is of the latest offer: the one with the larger id came later.
    """

    on_offer: int = 0
    last_at: datetime | None = None
    last_id: int = 0


NO_FIRST_OFFERS: Final = FirstOffers()


NO_STANDING: Final = Standing()

Standings = dict[int, Standing]  # by user


def standings_of(
    user_ids: Iterable[int], workloads: Mapping[int, Workload], first_offers: Mapping[int, FirstOffers]
) -> Standings:
    """Returns how the members stand, from what was read of them."""
    standings: Standings = {}
    got: list[tuple[int, datetime, int]] = []
    offered: list[tuple[int, datetime, int]] = []
    for user_id in user_ids:
        workload, offers = workloads.get(user_id, NO_LEADS), first_offers.get(user_id, NO_FIRST_OFFERS)
        moments = [at for at in (workload.last_lead_at, offers.last_at) if at is not None]
        standings[user_id] = Standing(workload.open_leads, offers.on_offer, 0, max(moments, default=None))
        if workload.last_lead_at is not None:
            got.append((workload.last_event_id, workload.last_lead_at, user_id))
        if offers.last_at is not None:
            offered.append((offers.last_id, offers.last_at, user_id))
    lasts: dict[int, tuple[datetime, int, int]] = {}
    for kind, found in enumerate((offered, got)):  # at the same moment the lead that a member got counts as later
        for at, id_, user_id in _never_earlier(found):
            lasts[user_id] = max((at, kind, id_), lasts.get(user_id, (at, -1, 0)))
    for place, user_id in enumerate(sorted(lasts, key=lasts.__getitem__), 1):
        standings[user_id] = replace(standings[user_id], last_place=place)
    return standings


def _never_earlier(found: Iterable[tuple[int, datetime, int]]) -> Iterator[tuple[datetime, int, int]]:
    """Yields (moment, id, user) in the order of the ids, none a little earlier than the one before.

    Ids are in the order of the decisions. Moments are those at which transactions began, which may have waited for one
    that began later. An offer that is much older than its id says has been made again.
    """
    latest: datetime | None = None
    for id_, at, user_id in sorted(found):
        if latest is None or not at <= latest < at + LONGEST_TRANSACTION:
            latest = at
        yield latest, id_, user_id


def note_lead(standings: Standings, lead: Lead, now: datetime) -> None:
    """A lead has been decided: the next decision sees who has it, or who is first in line for it."""
    first = (offer.user_id for offer in lead.offers if offer.place == 0 and offer.state == "notified")
    user_id = lead.claim.user_id if lead.claim is not None else next(first, None)
    standing = standings.get(user_id or 0)
    if user_id is None or standing is None:
        return
    is_claimed = lead.claim is not None
    standings[user_id] = Standing(
        standing.open_leads + is_claimed,
        standing.on_offer + (not is_claimed),
        1 + max(each.last_place for each in standings.values()),
        now,
    )


def in_order(order_method: str, ranked: Sequence[tuple[int, int]], standings: Mapping[int, Standing]) -> list[int]:
    """Returns the users in the order of the method. `ranked`: user id and weight, in the order of their ranks.

    Who has a weight of 0 comes after all others, by rank.
    """

    def key(candidate: tuple[int, tuple[int, int]]) -> tuple[bool, float, int, int]:
        rank, (user_id, weight) = candidate
        if weight <= 0:
            return True, 0, 0, rank
        standing = standings.get(user_id, NO_STANDING)
        load = standing.load / weight if order_method == "Least Loaded" else 0
        return False, load, standing.last_place, rank

    return [user_id for _, (user_id, _) in sorted(enumerate(ranked), key=key)]


def standing_in_words(standing: Standing) -> str:
    """Returns `3 open leads and 1 on offer`."""
    leads = "1 open lead" if standing.open_leads == 1 else f"{standing.open_leads:,} open leads"
    return f"{leads} and {standing.on_offer:,} on offer" if standing.on_offer else leads
