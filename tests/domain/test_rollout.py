"""What becomes of a routed lead, as tables and as invariants that hold whatever happens in whatever order."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from leadroutes.domain.model import ORDER_METHODS, Absence, Change, Lead, RuleSet, Team
from leadroutes.domain.rollout import assign, claim, decline, notify_due, unclaim
from leadroutes.domain.routing import decide, stored_lead, unavailable
from leadroutes.domain.states import LEAD_TRANSITIONS, OFFER_TRANSITIONS, lead_state, transitioned
from leadroutes.domain.turns import Turns
from leadroutes.errors import AlreadyClaimed, Conflict, NotFound, Problem
from tests.support.builders import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    ERIN,
    NOON,
    facts,
    member,
    minutes,
    offer_of,
    ranked,
    route,
    rule_set,
    states,
    team,
)


def started(of_team: Team, **changes: Any) -> Lead:
    return decide(rule_set(route(), of_team, **changes), 1, facts(), NOON).change.lead


def due(lead: Lead, after: float, gone: dict[int, str] | None = None) -> Change:
    return notify_due(lead, gone or {}, minutes(after))


def notifications(change: Change) -> set[tuple[int, str, str]]:
    return {(message.user_id, message.kind, message.channel) for message in change.messages}


# -- an offer falls due


def test_the_next_is_notified_when_due_and_the_first_may_still_claim() -> None:
    change = due(started(ranked(BOB, CAROL, DAVE)), 5)
    assert states(change.lead) == {BOB: "notified", CAROL: "notified", DAVE: "scheduled"}
    assert notifications(change) == {(CAROL, "offer", "email")}
    assert change.offers == (offer_of(change.lead, CAROL),), "only what changed is written"


def test_under_exclusive_only_the_latest_may_claim() -> None:
    change = due(started(ranked(BOB, CAROL, offer_mode="Exclusive")), 5)
    assert states(change.lead) == {BOB: "expired", CAROL: "notified"}
    with pytest.raises(Conflict):
        claim(change.lead, BOB, "None", minutes(6))


def test_equal_ranks_stay_open_together_under_exclusive() -> None:
    lead = started(team(member(BOB, rank=1), member(CAROL, rank=1), member(DAVE, rank=2), offer_mode="Exclusive"))
    assert states(lead) == {BOB: "notified", CAROL: "notified", DAVE: "scheduled"}
    assert states(due(lead, 5).lead) == {BOB: "expired", CAROL: "expired", DAVE: "notified"}


def test_a_timer_that_is_late_fires_once_for_all_that_is_due() -> None:
    change = due(started(ranked(BOB, CAROL, DAVE, ERIN)), 11)
    assert states(change.lead) == {BOB: "notified", CAROL: "notified", DAVE: "notified", ERIN: "scheduled"}


def test_late_under_exclusive_the_last_who_is_due_is_notified_and_the_others_are_skipped() -> None:
    change = due(started(ranked(BOB, CAROL, DAVE, ERIN, offer_mode="Exclusive")), 11)
    assert states(change.lead) == {BOB: "expired", CAROL: "skipped", DAVE: "notified", ERIN: "scheduled"}
    assert notifications(change) == {(DAVE, "offer", "email")}


def test_who_is_not_available_is_skipped_and_the_next_moves_up() -> None:
    change = due(started(ranked(BOB, CAROL, DAVE, ERIN)), 5, {CAROL: Absence(reason="the member has left the team")})
    assert states(change.lead) == {BOB: "notified", CAROL: "skipped", DAVE: "notified", ERIN: "scheduled"}
    assert offer_of(change.lead, CAROL).reason == "the member has left the team"
    assert offer_of(change.lead, ERIN).notify_at == minutes(15)


def test_automatic_assignment_in_the_middle_closes_the_rollout() -> None:
    lead = started(team(member(BOB, rank=1), member(CAROL, rank=2, assign_automatically=True), member(DAVE, rank=3)))
    change = due(lead, 5)
    assert states(change.lead) == {BOB: "lost", CAROL: "won", DAVE: "withdrawn"}
    assert notifications(change) == {(BOB, "claimed", "email"), (CAROL, "won", "email")}
    assert change.claim is not None
    assert change.claim.claimed_at == minutes(5)
    assert change.lead.lapses_at is None


def test_nothing_happens_before_its_moment() -> None:
    lead = started(ranked(BOB, CAROL))
    change = due(lead, 4.9)
    assert (change.lead, change.offers, change.messages) == (lead, (), ())


# -- claiming


def test_a_claim_closes_everybody_elses_offer_and_tells_those_who_knew() -> None:
    lead = due(started(ranked(BOB, CAROL, DAVE)), 5).lead
    change = claim(lead, CAROL, "Email", minutes(6))
    assert change is not None
    assert states(change.lead) == {BOB: "lost", CAROL: "won", DAVE: "withdrawn"}
    assert notifications(change) == {(BOB, "claimed", "email")}
    assert change.claim is not None
    assert (change.claim.user_id, change.claim.via) == (CAROL, "Email")


def test_the_winner_is_notified_by_text_where_no_mail_is_wanted_and_never_by_a_call() -> None:
    flags = [("BOB", BOB, (True, True, False)), ("CAROL", CAROL, (True, False, False)), ("DAVE", DAVE, (False,) * 3)]
    members = [
        member(user_id, rank=1, has_call_alert=call, has_text_alert=text, has_email_alert=mail)
        for _, user_id, (call, text, mail) in flags
    ]
    change = claim(started(team(*members, member(ERIN, rank=1))), ERIN, "None", minutes(1))
    assert change is not None
    assert notifications(change) == {(BOB, "claimed", "text"), (CAROL, "claimed", "email")}


def test_the_winner_asking_again_changes_nothing() -> None:
    lead = started(ranked(BOB))
    change = claim(lead, BOB, "None", minutes(1))
    assert change is not None
    assert claim(change.lead, BOB, "None", minutes(2)) is None


def test_a_loser_learns_who_has_it_and_a_member_never_notified_learns_nothing() -> None:
    won = claim(due(started(ranked(BOB, CAROL, DAVE)), 5).lead, BOB, "None", minutes(6))
    assert won is not None
    with pytest.raises(AlreadyClaimed) as conflict:
        claim(won.lead, CAROL, "None", minutes(7))
    assert (conflict.value.user_id, conflict.value.claimed_at) == (BOB, minutes(6))
    for stranger in (DAVE, ERIN):
        with pytest.raises(NotFound):
            claim(won.lead, stranger, "None", minutes(7))


def test_an_offer_that_was_never_notified_cannot_be_claimed() -> None:
    with pytest.raises(NotFound):
        claim(started(ranked(BOB, CAROL)), CAROL, "None", minutes(1))


# -- declining


def test_when_the_only_one_who_could_claim_declines_the_next_is_notified_now() -> None:
    change = decline(started(ranked(BOB, CAROL, DAVE)), BOB, {}, minutes(1))
    assert change is not None
    assert states(change.lead) == {BOB: "declined", CAROL: "notified", DAVE: "scheduled"}
    assert offer_of(change.lead, CAROL).notify_at == minutes(1)
    assert offer_of(change.lead, DAVE).notify_at == minutes(10)
    assert notifications(change) == {(CAROL, "offer", "email")}
    assert {offer.user_id for offer in change.offers} == {BOB, CAROL}


def test_while_someone_else_can_claim_a_decline_moves_no_one_up() -> None:
    change = decline(due(started(ranked(BOB, CAROL, DAVE)), 5).lead, CAROL, {}, minutes(6))
    assert change is not None
    assert states(change.lead) == {BOB: "notified", CAROL: "declined", DAVE: "scheduled"}
    assert offer_of(change.lead, DAVE).notify_at == minutes(10)
    assert change.messages == ()


def test_when_all_have_declined_it_is_unclaimed_at_once_and_the_owner_is_alerted() -> None:
    change = decline(started(ranked(BOB)), BOB, {}, minutes(1))
    assert change is not None
    assert change.lead.unclaimed_at == minutes(1)
    assert states(change.lead) == {BOB: "declined", ALICE: "notified"}
    assert notifications(change) == {(ALICE, "unclaimed", "email")}


def test_declining_moves_on_to_who_is_assigned_automatically() -> None:
    lead = started(team(member(BOB, rank=1), member(CAROL, rank=2, assign_automatically=True)))
    change = decline(lead, BOB, {}, minutes(1))
    assert change is not None
    assert states(change.lead) == {BOB: "declined", CAROL: "won"}
    assert change.claim is not None


def test_declining_twice_is_the_same_and_claiming_afterwards_is_refused() -> None:
    change = decline(started(ranked(BOB, CAROL)), BOB, {}, minutes(1))
    assert change is not None
    assert decline(change.lead, BOB, {}, minutes(2)) is None
    with pytest.raises(Conflict, match="declined"):
        claim(change.lead, BOB, "None", minutes(2))


# -- no one claims


def test_a_lead_that_no_one_claims_is_unclaimed_and_the_owner_gets_an_offer() -> None:
    lead = started(ranked(BOB), phone="+13035550101")
    change = unclaim(lead, minutes(15))
    assert change.lead.unclaimed_at == minutes(15)
    assert change.lead.lapses_at is None
    assert states(change.lead) == {BOB: "notified", ALICE: "notified"}
    assert notifications(change) == {(ALICE, "unclaimed", "email"), (ALICE, "unclaimed", "text")}


def test_an_owner_who_was_passed_over_is_offered_what_no_one_claims_after_all() -> None:
    """Nothing says any more that the owner was skipped, nor that the offer is due later."""
    away = Absence(reason="off", available_from=minutes(60), kind="away", timezone="UTC")
    change = decline(started(ranked(BOB, ALICE)), BOB, {ALICE: away}, minutes(2))
    assert change is not None
    owner = offer_of(change.lead, ALICE)
    assert (owner.state, owner.notified_at, owner.reason, owner.available_from) == ("notified", minutes(2), None, None)
    assert owner.notify_at <= minutes(2)
    assert change.lead.unclaimed_at == minutes(2)


def test_once_unclaimed_everyone_who_was_notified_may_claim_even_after_exclusive() -> None:
    lead = due(started(ranked(BOB, CAROL, offer_mode="Exclusive")), 5).lead
    after = unclaim(lead, minutes(20)).lead
    assert states(after) == {BOB: "notified", CAROL: "notified", ALICE: "notified"}
    assert claim(after, BOB, "None", minutes(30)) is not None


def test_what_fell_to_the_owner_becomes_unclaimed_without_a_second_alert() -> None:
    lead = decide(rule_set(), 1, facts(), NOON).change.lead
    change = unclaim(lead, minutes(15))
    assert change.lead.unclaimed_at == minutes(15)
    assert change.messages == ()


def test_the_wait_is_fifteen_minutes_or_the_teams_own_if_that_is_longer() -> None:
    assert started(ranked(BOB, mins_until_next_alert=5)).lapses_at == minutes(15)
    assert started(ranked(BOB, mins_until_next_alert=40)).lapses_at == minutes(40)
    assert started(ranked(BOB, CAROL, mins_until_next_alert=40)).lapses_at == minutes(80)


# -- assigning


def test_the_owner_assigns_and_assigns_again_and_everyone_concerned_is_notified() -> None:
    lead = due(started(ranked(BOB, CAROL, DAVE)), 5).lead
    first = assign(lead, DAVE, ALICE, minutes(6))
    assert first is not None
    assert states(first.lead) == {BOB: "lost", CAROL: "lost", DAVE: "won"}
    assert notifications(first) == {(BOB, "claimed", "email"), (CAROL, "claimed", "email"), (DAVE, "won", "email")}
    second = assign(first.lead, ERIN, ALICE, minutes(7))
    assert second is not None
    assert states(second.lead) == {BOB: "lost", CAROL: "lost", DAVE: "lost"}
    assert notifications(second) == {(DAVE, "claimed", "email"), (ERIN, "won", "email")}
    assert second.claim is not None
    assert second.claim.via == "Assigned"
    assert assign(second.lead, ERIN, ALICE, minutes(8)) is None


# -- the table of states


def test_no_offer_leaves_the_table_and_every_state_can_be_reached() -> None:
    reached, news = {"scheduled"}, {"scheduled"}
    while news:
        news = {after for state in news for after in OFFER_TRANSITIONS[state]} - reached
        reached |= news
    assert reached == set(OFFER_TRANSITIONS)
    scheduled = replace(offer_of(started(ranked(BOB, CAROL)), CAROL), state="withdrawn")
    with pytest.raises(AssertionError, match="never goes from withdrawn to declined"):
        transitioned(scheduled, "declined", NOON)


# -- whatever happens

ACTIONS = st.one_of(
    st.tuples(st.just("wait"), st.integers(0, 30)),
    st.tuples(st.just("claim"), st.sampled_from([ALICE, BOB, CAROL, DAVE, ERIN])),
    st.tuples(st.just("decline"), st.sampled_from([ALICE, BOB, CAROL, DAVE])),
    st.tuples(st.just("assign"), st.sampled_from([ALICE, BOB, ERIN])),
)
MEMBERS = st.lists(
    st.builds(
        lambda user_id, rank, wait, automatic, status: member(
            user_id, status, rank=rank, mins_until_lead_offer=wait, assign_automatically=automatic
        ),
        st.sampled_from([ALICE, BOB, CAROL, DAVE]),
        st.integers(1, 3),
        st.integers(0, 20),
        st.sampled_from([False, False, False, True]),
        st.sampled_from(["Accepted", "Accepted", "Pending"]),
    ),
    unique_by=lambda each: each.user_id,
    max_size=4,
)


def act(lead: Lead, rules: RuleSet, action: tuple[str, int], now: datetime) -> Change | None:
    kind, number = action
    try:
        match kind:
            case "claim":
                return claim(lead, number, "None", now)
            case "decline":
                return decline(lead, number, unavailable(rules, lead.offers), now)
            case "assign":
                return assign(lead, number, ALICE, now)
            case _:
                change = notify_due(lead, unavailable(rules, lead.offers), now)
                lapses_at = change.lead.lapses_at
                if lapses_at is not None and lapses_at <= now:
                    lapsed = unclaim(change.lead, now)
                    return replace(lapsed, messages=change.messages + lapsed.messages)
                return change
    except Problem:
        return None


def holds(lead: Lead, now: datetime) -> None:
    """What must be true of every lead at every moment."""
    by_state = Counter(offer.state for offer in lead.offers)
    assert len({offer.user_id for offer in lead.offers}) == len(lead.offers), "no one is offered a lead twice"
    assert lead.offers or lead.claim, "a lead always has an offer or a claim"
    if lead.claim is not None:
        assert by_state["scheduled"] == by_state["notified"] == 0
        assert lead.lapses_at is None
        winners = [offer.user_id for offer in lead.offers if offer.state == "won"]
        assert winners in ([], [lead.claim.user_id])
        return
    assert by_state["won"] == by_state["lost"] == by_state["withdrawn"] == 0
    owner_declined = any(offer.user_id == ALICE and offer.state == "declined" for offer in lead.offers)
    assert by_state["notified"] + by_state["scheduled"] > 0 or owner_declined, (
        "someone can claim it, or will be able to"
    )
    if lead.unclaimed_at is None:
        assert lead.lapses_at is not None
    else:
        assert lead.lapses_at is None
        assert by_state["scheduled"] == by_state["expired"] == 0
        assert any(offer.user_id == ALICE and offer.state in ("notified", "declined") for offer in lead.offers)
    assert (
        all(offer.notify_at >= now for offer in lead.offers if offer.state == "scheduled") or lead.unclaimed_at is None
    )


@settings(max_examples=400)
@given(
    MEMBERS,
    st.sampled_from(ORDER_METHODS),
    st.sampled_from(["Cumulative", "Exclusive"]),
    st.integers(0, 6),
    st.sets(st.sampled_from([BOB, CAROL]), max_size=2),
    st.lists(ACTIONS, max_size=12),
)
def test_whatever_happens_a_lead_stays_sound(
    members: list[Any], order: Any, mode: Any, step: int, gone: set[int], actions: list[tuple[str, int]]
) -> None:
    of_team = team(*members, order_method=order, offer_mode=mode, mins_until_next_alert=step)
    rules = rule_set(route(), of_team, inactive=tuple(gone))
    decision = decide(rules, 1, facts(), NOON, Turns())
    lead, now = decision.change.lead, NOON
    alerts = Counter((m.user_id, m.channel) for m in decision.change.messages if m.kind == "offer")
    holds(lead, now)
    for action in actions:
        now += timedelta(minutes=action[1] if action[0] == "wait" else 1)
        stored = stored_lead(
            rules,
            rules.rules.teams.get(decision.team_id or 0),
            owner_id=ALICE,
            lead_id=1,
            offers=lead.offers,
            claim=lead.claim,
            lapses_at=lead.lapses_at,
            unclaimed_at=lead.unclaimed_at,
        )
        assert stored == lead, "what the database keeps of a lead is all there is to it"
        change = act(lead, rules, action, now)
        if change is None:
            continue
        for offer in change.offers:
            before = next((each for each in lead.offers if each.user_id == offer.user_id), None)
            assert before is None or before.state == offer.state or offer.state in OFFER_TRANSITIONS[before.state]
        if lead_state(lead) != lead_state(change.lead):
            assert lead_state(change.lead) in LEAD_TRANSITIONS[lead_state(lead)]
        lead = change.lead
        alerts.update((m.user_id, m.channel) for m in change.messages if m.kind == "offer")
        holds(lead, now)
    assert max(alerts.values(), default=0) <= 1, "no one is alerted twice to the same lead"
