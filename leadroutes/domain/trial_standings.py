"""How members stand during a trial, of which Least Loaded and Longest Idle compare: what the run has given and offered.

What will happen is noted as soon as a lead has been decided, and counts once its moment has come. Pure.
"""

from bisect import insort
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import IntEnum
from heapq import heappop, heappush

from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.model import RuleSet
from leadroutes.domain.standings import FirstOffers, Standings, standings_of
from leadroutes.domain.workloads import Workload


class FirstOffer(Struct, frozen=True):
    """That the member who is first in line can claim a lead: from when, and until when, in spans from its arrival.

    `notified` is when that member was notified, which under Exclusive may have been long before. `until` None: for
    ever, as no one claims it.
    """

    user_id: int
    notified: timedelta
    since: timedelta
    until: timedelta | None = None


class _What(IntEnum):
    GOT = 0
    OPENED = 1
    CLOSED = 2
    OFFERED = 3
    OFFER_ENDED = 4
    OFFER_COUNTS = 5
    OFFER_COUNTS_NO_MORE = 6


class _Of(Struct):
    """What is counted of one member now."""

    open_leads: int = 0
    on_offer: int = 0
    last_lead_at: datetime | None = None
    last_event: int = 0
    offered: list[
        tuple[datetime, int]
    ] = []  # in order: when the member was notified of leads on offer, and their numbers


class TrialStandings:
    """Of one rule set, while it decides leads in order of arrival."""

    def __init__(self, rule_set: RuleSet) -> None:
        self._open_for = rule_set.open_for
        self._coming: list[tuple[datetime, int, _What, int, datetime, int]] = []  # a heap: moment, order, and what
        self._of: dict[int, _Of] = {}
        self._noted = self._leads = self._events = 0

    def at(self, moment: datetime, user_ids: Iterable[int]) -> Standings:
        """Returns how these members stand at a moment, never earlier than the one that was asked about before."""
        while self._coming and self._coming[0][0] <= moment:
            _, _, what, user_id, at, lead = heappop(self._coming)
            self._happen(what, self._of.setdefault(user_id, _Of()), at, lead)
        known = {user_id: self._of[user_id] for user_id in user_ids if user_id in self._of}
        lasts = sorted((of.offered[-1], user_id) for user_id, of in known.items() if of.offered)
        offers = {user_id: FirstOffers(on_offer=of.on_offer) for user_id, of in known.items()}
        for number, ((last_at, _), user_id) in enumerate(lasts, start=1):
            offers[user_id] = replace(offers[user_id], last_at=last_at, last_id=number)
        workloads = {
            user_id: Workload(open_leads=of.open_leads, last_lead_at=of.last_lead_at, last_event_id=of.last_event)
            for user_id, of in known.items()
        }
        return standings_of(user_ids, workloads, offers)

    def note(
        self, arrived_at: datetime, first_offers: Iterable[FirstOffer], got: tuple[int, datetime] | None
    ) -> None:  # fmt: skip
        """The next lead has been decided: who was first in line for it and when, and who gets it (user and moment)."""
        self._leads += 1
        open_until = arrived_at + self._open_for
        if got is not None:
            user_id, got_at = got
            self._expect(got_at, _What.GOT, user_id)
            if got_at < open_until:
                self._expect(got_at, _What.OPENED, user_id)
                self._expect(open_until, _What.CLOSED, user_id)
        for offer in first_offers:
            since = arrived_at + offer.since
            ends = [] if offer.until is None else [arrived_at + offer.until]
            ends += [got[1]] if got is not None else []
            end = min(ends, default=None)
            if end is not None and end <= since:
                continue
            notified_at = arrived_at + offer.notified
            self._expect(since, _What.OFFERED, offer.user_id, notified_at)
            if end is not None:
                self._expect(end, _What.OFFER_ENDED, offer.user_id, notified_at)
            if since < open_until:
                self._expect(since, _What.OFFER_COUNTS, offer.user_id)
                self._expect(min(end or open_until, open_until), _What.OFFER_COUNTS_NO_MORE, offer.user_id)

    def _expect(self, moment: datetime, what: _What, user_id: int, at: datetime | None = None) -> None:
        self._noted += 1
        heappush(self._coming, (moment, self._noted, what, user_id, at or moment, self._leads))

    def _happen(self, what: _What, of: _Of, at: datetime, lead: int) -> None:
        self._events += 1
        match what:
            case _What.GOT:
                of.last_lead_at, of.last_event = at, self._events
            case _What.OPENED:
                of.open_leads += 1
            case _What.CLOSED:
                of.open_leads -= 1
            case _What.OFFERED:
                insort(of.offered, (at, lead))
            case _What.OFFER_ENDED:
                of.offered.remove((at, lead))
            case _What.OFFER_COUNTS:
                of.on_offer += 1
            case _What.OFFER_COUNTS_NO_MORE:
                of.on_offer -= 1
