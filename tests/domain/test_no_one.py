"""When no one of the line-up is available: the owner, waiting for a return, and offering anyway."""

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from leadroutes.domain.model import Absence, Change, Lead, Team
from leadroutes.domain.no_one import OFFERED_ANYWAY
from leadroutes.domain.rollout import assign, decline, notify_due
from leadroutes.domain.routing import decide
from leadroutes.domain.turns import Turns
from leadroutes.domain.untold import could_not_tell
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


def off(back: float | None, kind: Any = "away") -> Absence:
    """Someone who is back so many minutes after noon; None: no one knows when."""
    return Absence(reason="off", available_from=None if back is None else minutes(back), kind=kind, timezone="UTC")


def arrived(of_team: Team, turns: Turns | None = None, /, **absent: Absence) -> Change:
    """What becomes of a lead at noon; the absent by name."""
    by_id = {
        {"alice": ALICE, "bob": BOB, "carol": CAROL, "dave": DAVE, "erin": ERIN}[name]: each
        for name, each in absent.items()
    }
    return decide(rule_set(route(), of_team), 1, facts(absent=by_id), NOON, turns).change


def holding(*user_ids: int, **changes: Any) -> Team:
    return ranked(*user_ids, when_nobody_is_available="Hold", **changes)


def planned(lead: Lead) -> list[tuple[int, float]]:
    """Who waits for which minute, in this order."""
    waiting = [each for each in lead.offers if each.state == "scheduled"]
    return sorted(((each.user_id, _minute(each.notify_at)) for each in waiting), key=lambda each: each[1])


def _minute(moment: datetime) -> float:
    return (moment - NOON).total_seconds() / 60


def kinds(change: Change) -> list[str]:
    return [each.kind for each in change.events]


# -- Owner


def test_by_default_the_owner_is_offered_the_lead() -> None:
    change = arrived(ranked(BOB, CAROL), bob=off(60), carol=off(30))
    assert states(change.lead) == {BOB: "skipped", CAROL: "skipped", ALICE: "notified"}
    bob = offer_of(change.lead, BOB)
    assert (bob.reason, bob.available_from) == ("off", minutes(60))


# -- Hold

PLANS: list[tuple[str, Team, dict[str, Absence], list[tuple[int, float]]]] = [
    ("in the order of return", holding(BOB, CAROL, DAVE), {"bob": off(60), "carol": off(20), "dave": off(40)},
     [(CAROL, 20), (DAVE, 40), (BOB, 60)]),
    ("a step after the one before", holding(BOB, CAROL, DAVE), {"bob": off(60), "carol": off(60), "dave": off(62)},
     [(BOB, 60), (CAROL, 65), (DAVE, 70)]),
    ("all at once where the team has no step", holding(BOB, CAROL, mins_until_next_alert=0),
     {"bob": off(60), "carol": off(60)}, [(BOB, 60), (CAROL, 60)]),
    ("whose return is not known is skipped", holding(BOB, CAROL), {"bob": off(None), "carol": off(20)}, [(CAROL, 20)]),
    ("a pause ends, too", holding(BOB, CAROL), {"bob": off(60, "paused"), "carol": off(None, "paused")}, [(BOB, 60)]),
]  # fmt: skip


@pytest.mark.parametrize(("of_team", "absent", "expected"), [row[1:] for row in PLANS], ids=[row[0] for row in PLANS])
def test_a_lead_waits_for_everyone_whose_return_is_known(
    of_team: Team, absent: dict[str, Absence], expected: list[tuple[int, float]]
) -> None:
    change = arrived(of_team, **absent)
    assert planned(change.lead) == expected
    assert change.messages == ()
    assert change.lead.lapses_at == minutes(expected[-1][1] + 15)
    first = offer_of(change.lead, expected[0][0])
    assert (first.reason, first.available_from) == (f"back Tue 24 Nov {first.notify_at:%H:%M}", first.notify_at)
    assert kinds(change)[-1] == "waiting"


@pytest.mark.parametrize("back", [0, -60], ids=["now", "before"])
@pytest.mark.parametrize("kind", ["away", "paused"])
@pytest.mark.parametrize("wish", ["Hold", "Offer Anyway", "Owner"])
def test_whose_return_is_past_is_back(back: float, kind: str, wish: Any) -> None:
    """Whatever says that they are away: a lead that waited for such a return would never be decided."""
    of_team = ranked(BOB, CAROL, when_nobody_is_available=wish)
    change = arrived(of_team, bob=off(back, kind), carol=off(60, kind))
    assert states(change.lead) == {BOB: "notified", CAROL: "scheduled"}
    waiting = arrived(holding(BOB, CAROL), bob=off(60, kind), carol=off(90, kind)).lead
    late = notify_due(waiting, {BOB: off(60 + back, kind), CAROL: off(90, kind)}, minutes(60))
    assert states(late.lead) == {BOB: "notified", CAROL: "scheduled"}


def test_where_no_return_is_known_the_owner_is_offered_it() -> None:
    change = arrived(holding(BOB, CAROL), bob=off(None), carol=off(None))
    assert states(change.lead) == {BOB: "skipped", CAROL: "skipped", ALICE: "notified"}


def test_an_owner_in_the_line_up_to_whom_it_has_fallen_stays_whom_it_fell_to() -> None:
    """Also where no alert could be sent; that stays the reason of the offer once it is stored with its team."""
    lead = arrived(holding(ALICE, BOB), alice=off(60), bob=off(30)).lead
    fallen = notify_due(lead, {ALICE: off(None), BOB: off(None)}, minutes(30)).lead
    stored = replace(fallen, offers=tuple(replace(each, team_id=10) for each in fallen.offers))
    assert states(stored) == {ALICE: "notified", BOB: "skipped"}
    assert could_not_tell(stored, {ALICE}, {}, minutes(31)) is None


def test_at_the_return_the_member_is_notified_and_the_others_follow() -> None:
    lead = arrived(holding(BOB, CAROL), bob=off(60), carol=off(60)).lead
    change = notify_due(lead, {}, minutes(60))
    assert states(change.lead) == {BOB: "notified", CAROL: "scheduled"}
    assert [(each.user_id, each.kind) for each in change.messages] == [(BOB, "offer")]
    bob = offer_of(change.lead, BOB)
    assert (bob.reason, bob.available_from) == (None, None)
    assert change.lead.lapses_at == minutes(65 + 15)
    later = notify_due(change.lead, {}, minutes(65))
    assert states(later.lead) == {BOB: "notified", CAROL: "notified"}
    assert later.lead.lapses_at == minutes(65 + 15)


def test_who_is_still_away_is_scheduled_anew_and_then_no_more() -> None:
    lead = arrived(holding(BOB, CAROL), bob=off(60), carol=off(90)).lead
    again = notify_due(lead, {BOB: off(120), CAROL: off(90)}, minutes(60))
    assert planned(again.lead) == [(CAROL, 90), (BOB, 120)]
    assert again.messages == ()
    never = notify_due(again.lead, {BOB: off(120), CAROL: off(None)}, minutes(90))
    assert states(never.lead) == {BOB: "scheduled", CAROL: "skipped"}
    assert kinds(never) == ["skipped"]
    over = notify_due(never.lead, {BOB: off(None), CAROL: off(None)}, minutes(120))
    assert states(over.lead) == {BOB: "skipped", CAROL: "skipped", ALICE: "notified"}


def test_who_comes_back_early_is_notified_at_once_also_who_was_skipped() -> None:
    lead = arrived(holding(BOB, CAROL, DAVE), bob=off(None), carol=off(60), dave=off(70)).lead
    change = notify_due(lead, {CAROL: off(60), DAVE: off(70)}, minutes(10))
    assert states(change.lead) == {BOB: "notified", CAROL: "scheduled", DAVE: "scheduled"}
    assert planned(change.lead) == [(CAROL, 60), (DAVE, 70)]


def test_after_someone_was_notified_who_is_due_and_away_waits_for_the_next_return() -> None:
    lead = arrived(holding(BOB, CAROL), bob=off(60), carol=off(60)).lead
    notified = notify_due(lead, {}, minutes(60)).lead
    change = notify_due(notified, {CAROL: off(300)}, minutes(65))
    assert planned(change.lead) == [(CAROL, 300)]
    assert states(notify_due(notified, {CAROL: off(None)}, minutes(65)).lead) == {BOB: "notified", CAROL: "skipped"}


def test_after_a_decline_the_next_is_asked_when_back() -> None:
    lead = notify_due(arrived(holding(BOB, CAROL), bob=off(60), carol=off(90)).lead, {CAROL: off(90)}, minutes(60)).lead
    change = decline(lead, BOB, {CAROL: off(90)}, minutes(61))
    assert change is not None
    assert states(change.lead) == {BOB: "declined", CAROL: "scheduled"}
    assert planned(change.lead) == [(CAROL, 90)]
    assert change.lead.unclaimed_at is None


def test_who_is_assigned_automatically_has_it_at_the_return() -> None:
    of_team = team(
        member(BOB, rank=1, assign_automatically=True), member(CAROL, rank=2), when_nobody_is_available="Hold"
    )
    lead = arrived(of_team, bob=off(60), carol=off(90)).lead
    change = notify_due(lead, {CAROL: off(90)}, minutes(60))
    assert change.claim is not None
    assert (change.claim.user_id, states(change.lead)) == (BOB, {BOB: "won", CAROL: "withdrawn"})


def test_a_lead_that_waits_can_be_assigned() -> None:
    change = assign(arrived(holding(BOB, CAROL), bob=off(60), carol=off(90)).lead, CAROL, ALICE, minutes(5))
    assert change is not None
    assert states(change.lead) == {BOB: "withdrawn", CAROL: "won"}


def test_under_exclusive_the_one_who_is_back_later_replaces_the_first() -> None:
    lead = arrived(holding(BOB, CAROL, offer_mode="Exclusive"), bob=off(60), carol=off(90)).lead
    lead = notify_due(lead, {CAROL: off(90)}, minutes(60)).lead
    assert states(notify_due(lead, {}, minutes(90)).lead) == {BOB: "expired", CAROL: "notified"}


def test_turns_go_to_who_is_available_and_waiting_takes_none() -> None:
    members = (member(BOB, rank=1), member(CAROL, rank=2))
    rules = rule_set(route(), team(*members, order_method="Round Robin", when_nobody_is_available="Hold"))
    one = decide(rules, 1, facts(absent={BOB: off(60)}), NOON, Turns())
    assert (one.facts.turn, states(one.change.lead)) == (CAROL, {CAROL: "notified", BOB: "scheduled"})
    none = decide(rules, 1, facts(absent={BOB: off(60), CAROL: off(30)}), NOON, Turns())
    assert (none.facts.turn, none.turns, planned(none.change.lead)) == (None, None, [(CAROL, 30), (BOB, 60)])


# -- Offer Anyway


def test_offered_anyway_only_pauses_count_and_the_steps_stay() -> None:
    of_team = ranked(BOB, CAROL, DAVE, ERIN, when_nobody_is_available="Offer Anyway")
    change = arrived(of_team, bob=off(60, "paused"), carol=off(60), dave=off(None), erin=off(5))
    assert states(change.lead) == {BOB: "skipped", CAROL: "notified", DAVE: "scheduled", ERIN: "scheduled"}
    assert planned(change.lead) == [(DAVE, 5), (ERIN, 10)]
    assert kinds(change)[-1] == "offered anyway"
    assert offer_of(change.lead, CAROL).reason == OFFERED_ANYWAY
    away = {BOB: off(60, "paused"), DAVE: off(None), ERIN: off(90, "paused")}
    later = notify_due(change.lead, away, minutes(10))
    assert states(later.lead) == {BOB: "skipped", CAROL: "notified", DAVE: "notified", ERIN: "skipped"}


def test_where_all_are_paused_or_gone_nothing_is_offered_anyway() -> None:
    of_team = ranked(BOB, CAROL, when_nobody_is_available="Offer Anyway")
    change = arrived(of_team, bob=off(60, "paused"), carol=off(None, "gone"))
    assert states(change.lead) == {BOB: "skipped", CAROL: "skipped", ALICE: "notified"}


# -- what is stored


def test_the_decision_can_be_repeated_from_the_facts() -> None:
    rules = rule_set(route(), holding(BOB, CAROL))
    decision = decide(rules, 1, facts(absent={BOB: off(60), CAROL: off(None)}), NOON)
    assert decide(rules, 1, decision.facts, NOON) == decision
