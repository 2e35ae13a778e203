"""Leads from arrival to the end, by chance: whatever happens, what is stored says who can claim them, and since when.

Each step sees the lead as the database keeps it, which changes only some columns of an offer.
"""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from leadroutes.domain.giving_back import give_back
from leadroutes.domain.junk import Junk, mark_as_junk, undo_junk
from leadroutes.domain.model import ORDER_METHODS, WHEN_NOBODY, Absence, Change, Initiator, Lead, Offer, RuleSet, Team
from leadroutes.domain.replaying import StoredDecision, replay
from leadroutes.domain.rollout import (
    assign,
    claim,
    decline,
    notify_due,
    unclaim,
    undo_decline,
    withdraw,
    withdraw_members,
)
from leadroutes.domain.routing import decide, stored_lead
from leadroutes.domain.untold import could_not_tell
from leadroutes.errors import Problem
from tests.support.builders import ALICE, BOB, CAROL, DAVE, ERIN, NOON, facts, member, route, rule_set, team

LIVES = 3_000
EVERYONE = [ALICE, BOB, CAROL, DAVE, ERIN]
ACTS = ["due"] * 4 + [
    "claim",
    "decline",
    "undo",
    "give back",
    "assign",
    "junk",
    "not junk",
    "leave",
    "untold",
    "withdraw",
]
CHANGED = (
    "notify_at", "state", "reason", "notified_at", "closed_at", "available_from", "has_text_alert", "has_email_alert",
)  # fmt: skip


def absences(chance: Random, now: datetime) -> dict[int, Absence]:
    found = {}
    for user_id in EVERYONE:
        kind: Any = chance.choice(["away", "paused", "gone"])
        back = None if kind == "gone" or chance.random() < 0.3 else now + timedelta(minutes=chance.choice([1, 7, 600]))
        if chance.random() < 0.5:
            found[user_id] = Absence(reason="off", available_from=back, kind=kind, timezone="UTC")
    return found


def some_team(chance: Random) -> Team:
    members = [
        member(
            user_id, rank=chance.randint(1, 3), mins_until_lead_offer=chance.choice([0, 0, 5, 20]),
            assign_automatically=chance.random() < 0.15, weight=chance.randint(0, 2),
        )
        for user_id in chance.sample(EVERYONE, chance.randint(1, 4))
    ]  # fmt: skip
    return team(
        *members, order_method=chance.choice(ORDER_METHODS), mins_until_next_alert=chance.choice([0, 5, 30]),
        offer_mode=chance.choice(["Cumulative", "Exclusive"]), when_nobody_is_available=chance.choice(WHEN_NOBODY),
    )  # fmt: skip


def happen(chance: Random, what: str, lead: Lead, away: dict[int, Absence], now: datetime) -> Change | None:
    user_id = chance.choice(EVERYONE)
    match what:
        case "due" if any(each.state == "scheduled" and each.notify_at <= now for each in lead.offers):
            return notify_due(lead, away, now)
        case "due":
            return unclaim(lead, now) if lead.lapses_at is not None and lead.lapses_at <= now else None
        case "claim":
            return claim(lead, user_id, "None", now)
        case "decline":
            return decline(lead, user_id, away, now)
        case "undo":
            return undo_decline(lead, user_id, now)
        case "give back":
            return give_back(lead, away, (), Initiator(user_id=ALICE), now)
        case "assign":
            return assign(lead, user_id, ALICE, now)
        case "junk":
            return mark_as_junk(lead, Junk(reason="spam"), ALICE, now)
        case "not junk":
            return undo_junk(lead, ALICE)
        case "leave" if user_id != ALICE:
            left = away | {user_id: Absence(reason="left")}
            return withdraw_members(lead, {user_id: "left"}, left, None, now)
        case "untold":
            return could_not_tell(lead, {user_id}, away, now)
        case "withdraw":
            return withdraw(lead, "its contact was erased", now)
    return None


def is_sound(lead: Lead) -> None:
    states = {offer.user_id: offer.state for offer in lead.offers}
    is_open = {"scheduled", "notified"} & set(states.values())
    winners = [user_id for user_id, state in states.items() if state == "won"]
    if lead.claim is not None:
        assert not is_open
        assert winners in ([], [lead.claim.user_id])
    else:
        assert not winners
        assert is_open or lead.unclaimed_at is not None, "someone can claim it, or will be able to"
        assert not (is_open and lead.is_junk)
    assert (lead.lapses_at is None) is (lead.claim is not None or lead.unclaimed_at is not None)
    for offer in lead.offers:
        assert offer.notified_at is None or offer.notify_at <= offer.notified_at, "no one is notified before the moment"
        assert (offer.notified_at is None) or offer.state != "scheduled"
        assert offer.notified_at is not None or offer.state not in ("notified", "expired", "declined")


def stored_after(offers: dict[int, Offer], change: Change) -> dict[int, Offer]:
    after = dict(offers)
    for each in change.offers:
        known = offers.get(each.user_id)
        after[each.user_id] = (
            each if known is None else replace(known, **{name: getattr(each, name) for name in CHANGED})
        )
    assert {user_id: each.state for user_id, each in after.items()} == {
        each.user_id: each.state for each in change.lead.offers
    }, "all that has changed is written"
    return after


def live(chance: Random, rules: RuleSet) -> None:
    now = NOON
    agent = chance.choice([None, *EVERYONE])
    decision = decide(rules, 1, facts(absent=absences(chance, now), assigned_user_id=agent), now)
    lead, was_given_back = decision.change.lead, False
    offers = {each.user_id: each for each in lead.offers}
    for _ in range(chance.randint(1, 14)):
        is_sound(lead)
        stored = StoredDecision(
            lead_id=1, routed_at=NOON, facts=decision.facts, route_id=decision.route.id if decision.route else None,
            team_id=decision.team_id, offers=list(offers.values()), was_given_back=was_given_back,
        )  # fmt: skip
        assert replay(rules, stored).is_same
        now += timedelta(minutes=chance.choice([0, 1, 2, 5, 15, 40]))
        lead = stored_lead(
            rules, rules.rules.teams.get(decision.team_id or 0), owner_id=ALICE, lead_id=1,
            offers=sorted(offers.values(), key=lambda each: each.place), claim=lead.claim, lapses_at=lead.lapses_at,
            unclaimed_at=lead.unclaimed_at, is_junk=lead.is_junk,
        )  # fmt: skip
        what = chance.choice(ACTS)
        try:
            change = happen(chance, what, lead, absences(chance, now), now)
        except Problem:
            continue
        if change is not None:
            offers, lead = stored_after(offers, change), change.lead
            was_given_back = was_given_back or what == "give back"


@pytest.mark.parametrize("first", range(0, LIVES, 500))
def test_whatever_happens_what_is_stored_of_a_lead_holds(first: int) -> None:
    for number in range(first, first + 500):
        chance = Random(number)
        returning: Any = chance.choice(["Route Again", "Same Agent"])
        rules = rule_set(
            route(returning_contact=returning), some_team(chance), phone=chance.choice([None, "+13035550100"])
        )
        try:
            live(chance, rules)
        except AssertionError as error:
            raise AssertionError(f"in the life {number}") from error
