"""A lead that is given back, and a decline that is taken back, as tables."""

from datetime import timedelta

import pytest

from leadroutes.domain.giving_back import give_back
from leadroutes.domain.model import Absence, Change, Initiator, Lead, Team
from leadroutes.domain.moments import END_OF_TIME
from leadroutes.domain.rollout import assign, claim, decline, notify_due, undo_decline
from leadroutes.domain.routing import decide
from leadroutes.errors import AlreadyClaimed, Conflict, NotFound
from tests.support.builders import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    ERIN,
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


def started(of_team: Team) -> Lead:
    return decide(rule_set(route(), of_team), 1, facts(), minutes(0)).change.lead


def claimed(lead: Lead, user_id: int, at: float) -> Lead:
    change = claim(lead, user_id, "None", minutes(at))
    assert change is not None
    return change.lead


def returned(lead: Lead, at: float, *, by: int | None = None, unavailable: dict[int, Absence] | None = None) -> Change:
    assert lead.claim is not None
    return give_back(lead, unavailable or {}, (), Initiator(user_id=by or lead.claim.user_id), minutes(at))


def alerts(change: Change) -> set[tuple[int, str]]:
    return {(message.user_id, message.kind) for message in change.messages}


def test_the_rest_is_offered_it_and_keeps_its_distances() -> None:
    lead = notify_due(started(ranked(BOB, CAROL, DAVE, ERIN)), {}, minutes(5)).lead
    change = returned(claimed(lead, BOB, 7), 60)
    assert states(change.lead) == {BOB: "declined", CAROL: "notified", DAVE: "scheduled", ERIN: "scheduled"}
    assert alerts(change) == {(CAROL, "reoffer"), (ALICE, "given_back")}
    assert (offer_of(change.lead, DAVE).notify_at, offer_of(change.lead, ERIN).notify_at) == (minutes(65), minutes(70))
    assert offer_of(change.lead, CAROL).notified_at == minutes(60)
    assert (change.lead.claim, change.ends_claim, change.lead.unclaimed_at) == (None, True, None)
    assert change.lead.lapses_at == minutes(70 + 15)
    assert [event.kind for event in change.events] == ["given back"]


def test_if_no_one_else_had_been_notified_the_next_is_at_once() -> None:
    change = returned(claimed(started(ranked(BOB, CAROL, DAVE)), BOB, 1), 30)
    assert states(change.lead) == {BOB: "declined", CAROL: "notified", DAVE: "scheduled"}
    assert alerts(change) == {(CAROL, "offer"), (ALICE, "given_back")}
    assert offer_of(change.lead, DAVE).notify_at == minutes(35)


def test_under_exclusive_the_next_turn_comes_and_those_before_are_over() -> None:
    lead = notify_due(started(ranked(BOB, CAROL, DAVE, offer_mode="Exclusive")), {}, minutes(5)).lead
    change = returned(claimed(lead, CAROL, 6), 30)
    assert states(change.lead) == {BOB: "expired", CAROL: "declined", DAVE: "notified"}
    last = returned(claimed(change.lead, DAVE, 31), 40)
    assert states(last.lead) == {BOB: "notified", CAROL: "declined", DAVE: "declined", ALICE: "notified"}
    assert last.lead.unclaimed_at == minutes(40), "no turn is left, so all who had one may claim"


def test_whoever_was_skipped_is_asked_again_and_whoever_is_away_is_skipped_again() -> None:
    lead = notify_due(started(ranked(BOB, CAROL, DAVE)), {CAROL: Absence(reason="left")}, minutes(5)).lead
    assert states(lead)[CAROL] == "skipped"
    change = returned(claimed(lead, BOB, 6), 30, unavailable={CAROL: Absence(reason="left")})
    assert states(change.lead) == {BOB: "declined", CAROL: "skipped", DAVE: "notified"}
    assert states(returned(claimed(lead, BOB, 6), 30).lead)[CAROL] == "notified"


def test_whoever_gets_leads_without_asking_has_it_at_once() -> None:
    of_team = team(member(BOB, rank=1), member(CAROL, rank=2, assign_automatically=True))
    change = returned(claimed(started(of_team), BOB, 1), 30)
    assert change.claim is not None
    assert (change.claim.user_id, change.ends_claim) == (CAROL, False)
    assert states(change.lead) == {BOB: "declined", CAROL: "won"}


def test_distances_to_the_end_of_time_stay_there() -> None:
    """Days later, the last one of three who are 4,000 years apart is past what the calendar has."""
    change = assign(started(ranked(BOB, CAROL, DAVE, mins_until_next_alert=2**31 - 1)), CAROL, ALICE, minutes(1))
    assert change is not None
    after = returned(change.lead, 10 * 24 * 60, by=ALICE).lead
    assert states(after) == {BOB: "notified", CAROL: "withdrawn", DAVE: "scheduled"}
    assert offer_of(after, DAVE).notify_at == END_OF_TIME


def test_a_claim_that_was_assigned_without_an_offer_leaves_none() -> None:
    change = assign(started(ranked(BOB)), ERIN, ALICE, minutes(1))
    assert change is not None
    after = returned(change.lead, 2, by=ALICE)
    assert states(after.lead) == {BOB: "notified"}
    assert alerts(after) == {(BOB, "reoffer")}, "it was Alice who ended the claim"


def test_what_no_one_has_is_not_given_back() -> None:
    with pytest.raises(Conflict, match="No one has this lead"):
        give_back(started(ranked(BOB)), {}, (), Initiator(user_id=ALICE), minutes(1))


def test_those_who_have_left_are_not_offered_it_again() -> None:
    lead = notify_due(started(ranked(BOB, CAROL)), {}, minutes(5)).lead
    change = give_back(claimed(lead, BOB, 6), {}, {CAROL: Absence(reason="left")}, Initiator(user_id=BOB), minutes(7))
    assert states(change.lead) == {BOB: "declined", CAROL: "lost", ALICE: "notified"}


# ------------------------------------------------------------------------------------------------ undo of a decline


def declined(lead: Lead, user_id: int, at: float) -> Lead:
    change = decline(lead, user_id, {}, minutes(at))
    assert change is not None
    return change.lead


def test_a_decline_is_taken_back_within_ten_minutes() -> None:
    before = notify_due(started(ranked(BOB, CAROL, DAVE)), {}, minutes(5)).lead
    lead = declined(before, BOB, 6)
    change = undo_decline(lead, BOB, minutes(16))
    assert states(change.lead) == states(before)
    assert offer_of(change.lead, BOB) == offer_of(before, BOB)
    assert (change.messages, [event.kind for event in change.events]) == ((), ["decline undone"])
    with pytest.raises(Conflict, match="more than 10 minutes"):
        undo_decline(lead, BOB, minutes(16) + timedelta(seconds=1))
    with pytest.raises(Conflict, match="You have not declined"):
        undo_decline(lead, CAROL, minutes(7))
    with pytest.raises(NotFound):
        undo_decline(lead, ERIN, minutes(7))


def test_a_decline_stays_once_the_lead_is_claimed_unclaimed_or_the_turn_has_passed() -> None:
    lead = declined(started(ranked(BOB, CAROL)), BOB, 1)
    with pytest.raises(AlreadyClaimed):
        undo_decline(claimed(lead, CAROL, 2), BOB, minutes(3))
    with pytest.raises(Conflict, match="has ended"):
        undo_decline(declined(lead, CAROL, 2), BOB, minutes(3))
    exclusive = declined(started(ranked(BOB, CAROL, offer_mode="Exclusive")), BOB, 1)
    with pytest.raises(Conflict, match="next member"):
        undo_decline(exclusive, BOB, minutes(2))
