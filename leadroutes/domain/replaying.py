"""The stored decision about a lead, made again from its rule set and its facts, and compared byte for byte. Pure.

Compared is what a decision says and nothing after it overwrites: the route, the team, whose turn it was, the agents who
came before the usual line, and the line-up with places, ranks, channels and moments. Afterwards a moment may move to an
earlier one, when others are skipped, and to a later one after a lead was given back, or where no one was notified at
first: then the lead may wait for returns, or be offered anyway. A team that is removed leaves its offers, which do not
name it any more.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from leadroutes.domain.model import Facts, Offer, RuleSet
from leadroutes.domain.rollout import NO_MEMBER_AVAILABLE
from leadroutes.domain.routing import decide
from leadroutes.domain.turns import Turns

AHEAD = 10**9  # credits with which a user is first, whatever the others have


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDecision:
    """A decision as it was stored with its lead."""

    lead_id: int
    routed_at: datetime
    facts: Facts
    route_id: int | None
    team_id: int | None
    offers: Sequence[Offer]
    was_given_back: bool = False


@dataclass(frozen=True, slots=True)
class Replay:
    """Both decisions as JSON; None: the facts that it needs have been erased."""

    stored: bytes
    again: bytes | None

    @property
    def is_same(self) -> bool:
        return self.again is None or self.again == self.stored


def replay(rule_set: RuleSet, stored: StoredDecision) -> Replay:
    """Returns the stored decision, and the one that the same rules make of the same facts now."""
    facts = stored.facts
    if facts.is_erased:
        return Replay(_written(stored.route_id, stored.team_id, facts, stored.offers), None)
    turns = Turns({facts.turn: AHEAD}) if facts.turn is not None else None
    decision = decide(rule_set, stored.lead_id, replace(facts, turn=None), stored.routed_at, turns)
    decided = [offer for offer in decision.change.lead.offers if offer.team_id is not None]
    places = {offer.user_id: offer for offer in decided}
    may_move = stored.was_given_back or all(each.notified_at is None for each in decision.change.lead.offers)
    others = {rule_set.rules.owner_id} - places.keys()
    retained = [
        _as_decided(offer, places.get(offer.user_id), may_move=may_move)
        for offer in stored.offers
        if _is_of_team(offer, stored, others)
    ]
    route_id = decision.route.id if decision.route else None
    before = _written(stored.route_id, stored.team_id, facts, retained)
    return Replay(before, _written(route_id, decision.team_id, decision.facts, decided))


def _is_of_team(offer: Offer, stored: StoredDecision, others: Collection[int]) -> bool:
    """`others`: users whose offers without a team were never of one."""
    if offer.team_id is None:
        return stored.team_id is not None and offer.user_id not in others
    return offer.team_id == stored.team_id


def _as_decided(offer: Offer, decided: Offer | None, *, may_move: bool) -> Offer:
    """Returns a stored offer without what may have happened to it since."""
    if decided is None:
        return offer
    has_moved = offer.notify_at < decided.notify_at or may_move
    if offer.reason == NO_MEMBER_AVAILABLE:  # the lead has fallen to its owner, who is in the line-up
        offer = replace(offer, has_text_alert=decided.has_text_alert, has_email_alert=decided.has_email_alert)
    # E-mail takes the place of channels that could not be used then.
    is_fallback = offer.has_email_alert and bool(decided.channels)
    return replace(
        offer,
        notify_at=decided.notify_at if has_moved else offer.notify_at,
        has_email_alert=decided.has_email_alert if is_fallback else offer.has_email_alert,
    )


def _written(route_id: int | None, team_id: int | None, facts: Facts, offers: Sequence[Offer]) -> bytes:
    line_up: list[dict[str, Any]] = [
        {
            "user_id": offer.user_id, "place": offer.place, "rank": offer.rank, "notify_at": offer.notify_at,
            "assign_automatically": offer.assign_automatically, "has_call_alert": offer.has_call_alert,
            "has_text_alert": offer.has_text_alert, "has_email_alert": offer.has_email_alert,
        }
        for offer in sorted(offers, key=lambda each: each.place)
    ]  # fmt: skip
    return msgspec.json.encode(
        {"route_id": route_id, "team_id": team_id, "turn": facts.turn, "heads": facts.heads, "line_up": line_up}
    )
