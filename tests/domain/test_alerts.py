"""Which alerts go over which channels, and what follows when every alert to a member has failed, as tables."""

from typing import Any

import pytest
from msgspec.structs import replace

from leadroutes.domain.alerts import UNTOLD
from leadroutes.domain.giving_back import give_back
from leadroutes.domain.model import Absence, AlertChoice, Change, Initiator, Lead, RuleSet, Team
from leadroutes.domain.rollout import assign, claim, decline, notify_due, unclaim
from leadroutes.domain.routing import decide
from leadroutes.domain.untold import could_not_tell
from tests.support.builders import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
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
)  # fmt: skip

PHONE = "303-555-0142"


def choosing(rules: RuleSet, user_id: int, phone: str | None = None, **chosen: tuple[str, ...]) -> RuleSet:
    """The rule set with what one user has chosen; the rest as it is by default."""
    choice = AlertChoice(**{"won": (), "claimed": ("notice",), "unclaimed": ("email", "text")} | chosen)
    person = replace(rules.rules.people[user_id], alerts=choice, phone=phone)
    return RuleSet(rules.number, replace(rules.rules, people={**rules.rules.people, user_id: person}))


def started(rules: RuleSet) -> Lead:
    return decide(rules, 1, facts(), NOON).change.lead


def alerts(change: Change | None, kind: str) -> set[tuple[int, str]]:
    assert change is not None
    return {(each.user_id, each.channel) for each in change.messages if each.kind == kind}


# -- what users choose


@pytest.mark.parametrize(
    ("chosen", "phone", "expected"),
    [
        (("notice",), None, {"email"}),
        (("text",), PHONE, {"text"}),
        (("text",), None, set()),
        (("notice", "text"), PHONE, {"email", "text"}),
        (("notice", "email"), None, {"email"}),
        (("email", "push"), None, {"email", "push"}),
        ((), None, set()),
    ],
)
def test_who_has_the_lead_is_said_over_the_chosen_channels(
    chosen: tuple[str, ...], phone: str | None, expected: set[str]
) -> None:
    rules = choosing(rule_set(route(), ranked(BOB, CAROL)), BOB, phone, claimed=chosen)
    lead = notify_due(started(rules), {}, minutes(5)).lead
    change = claim(lead, CAROL, "None", minutes(6))
    assert alerts(change, "claimed") == {(BOB, channel) for channel in expected}


def test_no_one_hears_more_by_having_chosen_nothing() -> None:
    lead = notify_due(started(rule_set(route(), ranked(BOB, CAROL))), {}, minutes(5)).lead
    change = claim(lead, CAROL, "None", minutes(6))
    assert alerts(change, "claimed") == {(BOB, "email")}
    assert alerts(change, "won") == set()


@pytest.mark.parametrize(
    ("chosen", "expected"), [((), set()), (("email", "push"), {"email", "push"}), (("text",), set())]
)
def test_who_claims_a_lead_hears_of_it_only_if_they_want_to(chosen: tuple[str, ...], expected: set[str]) -> None:
    rules = choosing(rule_set(route(), ranked(BOB)), BOB, won=chosen)
    change = claim(started(rules), BOB, "None", minutes(1))
    assert alerts(change, "won") == {(BOB, channel) for channel in expected}


@pytest.mark.parametrize(
    ("chosen", "assigned", "automatic"),
    [
        ((), {"email"}, {"email"}),
        (("text",), {"text"}, {"email", "text"}),
        (("push",), {"email"}, {"email", "push"}),
    ],
)
def test_who_is_given_a_lead_hears_of_it_in_any_case(
    chosen: tuple[str, ...], assigned: set[str], automatic: set[str]
) -> None:
    rules = choosing(rule_set(route(), ranked(BOB)), BOB, PHONE, won=chosen)
    change = assign(started(rules), BOB, ALICE, minutes(1))
    assert alerts(change, "won") == {(BOB, channel) for channel in assigned}

    rules = choosing(rule_set(route(), team(member(BOB, assign_automatically=True))), BOB, PHONE, won=chosen)
    change = decide(rules, 1, facts(), NOON).change
    assert alerts(change, "won") == {(BOB, channel) for channel in automatic}


@pytest.mark.parametrize(
    ("chosen", "phone", "expected", "flags"),
    [
        (("email", "text"), PHONE, {"email", "text"}, (True, True)),
        (("email", "text"), None, {"email"}, (False, True)),
        (("text",), PHONE, {"text"}, (True, False)),
        ((), PHONE, {"push"}, (False, False)),
    ],
)
def test_the_owner_hears_that_no_one_claimed_as_chosen(
    chosen: tuple[str, ...], phone: str | None, expected: set[str], flags: tuple[bool, bool]
) -> None:
    rules = choosing(rule_set(route(), ranked(BOB)), ALICE, phone, unclaimed=chosen)
    change = unclaim(started(rules), minutes(20))
    assert alerts(change, "unclaimed") == {(ALICE, channel) for channel in expected}
    offer = offer_of(change.lead, ALICE)
    assert (offer.has_text_alert, offer.has_email_alert) == flags
    assert offer.state == "notified"


def test_a_member_without_channels_may_still_have_a_browser() -> None:
    rules = rule_set(route(), team(member(BOB, has_email_alert=False)))
    assert alerts(decide(rules, 1, facts(), NOON).change, "offer") == {(BOB, "push")}


# -- every alert has failed


def failed(of_team: Team, after: float = 1, *untold: int, lead: Lead | None = None, **more: Any) -> Change | None:
    given = lead or started(rule_set(route(), of_team, **more))
    return could_not_tell(given, untold or (BOB,), {}, minutes(after))


def test_the_next_is_asked_at_once_and_the_first_may_still_claim() -> None:
    change = failed(ranked(BOB, CAROL, DAVE), 1)
    assert change is not None
    assert states(change.lead) == {BOB: "notified", CAROL: "notified", DAVE: "scheduled"}
    assert offer_of(change.lead, BOB).reason == UNTOLD
    assert offer_of(change.lead, CAROL).notified_at == minutes(1)
    assert offer_of(change.lead, DAVE).notify_at == minutes(10), "the others keep their moments"
    assert alerts(change, "untold") == {(ALICE, "email")}
    assert alerts(change, "offer") == {(CAROL, "email")}
    assert [(event.kind, event.user_id) for event in change.events] == [("alerts failed", BOB)]
    assert {offer.user_id for offer in change.offers} == {BOB, CAROL}, "only what changed is written"
    assert claim(change.lead, BOB, "None", minutes(2)) is not None


def test_under_exclusive_the_notice_of_the_next_does_not_end_the_offer_but_a_later_one_does() -> None:
    change = failed(ranked(BOB, CAROL, DAVE, offer_mode="Exclusive"), 1)
    assert change is not None
    assert states(change.lead) == {BOB: "notified", CAROL: "notified", DAVE: "scheduled"}
    assert claim(change.lead, BOB, "None", minutes(2)) is not None
    later = notify_due(change.lead, {}, minutes(10))
    assert states(later.lead) == {BOB: "expired", CAROL: "expired", DAVE: "notified"}


def test_the_last_member_stays_and_the_lead_lapses_when_it_would_have() -> None:
    lead = started(rule_set(route(), ranked(BOB), phone=PHONE))
    change = failed(ranked(BOB), lead=lead)
    assert change is not None
    assert states(change.lead) == {BOB: "notified"}
    assert change.lead.lapses_at == lead.lapses_at
    assert change.lead.unclaimed_at is None
    assert alerts(change, "untold") == {(ALICE, "email"), (ALICE, "text")}


def test_an_owner_in_the_line_up_gets_no_alert_about_it_but_the_next_is_asked() -> None:
    change = failed(ranked(ALICE, BOB), 1, ALICE)
    assert change is not None
    assert states(change.lead) == {ALICE: "notified", BOB: "notified"}
    assert alerts(change, "untold") == set()


def test_an_owner_to_whom_the_lead_fell_changes_nothing() -> None:
    lead = started(rule_set())
    assert states(lead) == {ALICE: "notified"}
    assert could_not_tell(lead, {ALICE}, {}, minutes(1)) is None


def test_what_was_done_is_not_done_twice() -> None:
    change = failed(ranked(BOB, CAROL))
    assert change is not None
    assert could_not_tell(change.lead, {BOB}, {}, minutes(2)) is None


def test_a_claimed_lead_is_left_alone() -> None:
    change = claim(started(rule_set(route(), ranked(BOB, CAROL))), BOB, "None", minutes(1))
    assert change is not None
    assert could_not_tell(change.lead, {BOB}, {}, minutes(2)) is None


def test_members_of_one_rank_wait_for_each_other() -> None:
    """Carol was notified with Bob, and has the time that was promised."""
    both = team(member(BOB, rank=1), member(CAROL, rank=1), member(DAVE, rank=2))
    change = failed(both)
    assert change is not None
    assert states(change.lead)[DAVE] == "scheduled"
    assert alerts(change, "untold") == {(ALICE, "email")}
    again = could_not_tell(change.lead, {BOB, CAROL}, {}, minutes(2))
    assert again is not None
    assert states(again.lead)[DAVE] == "notified"


def test_a_failure_that_is_known_late_does_not_hurry_the_next_but_one() -> None:
    lead = notify_due(started(rule_set(route(), ranked(BOB, CAROL, DAVE))), {}, minutes(5)).lead
    change = failed(ranked(BOB), 6, BOB, lead=lead)
    assert change is not None
    assert states(change.lead) == {BOB: "notified", CAROL: "notified", DAVE: "scheduled"}
    assert alerts(change, "untold") == {(ALICE, "email")}


def test_who_is_not_available_is_passed_over() -> None:
    lead = started(rule_set(route(), ranked(BOB, CAROL, DAVE)))
    change = could_not_tell(lead, {BOB}, {CAROL: Absence(reason="paused")}, minutes(1))
    assert change is not None
    assert states(change.lead) == {BOB: "notified", CAROL: "skipped", DAVE: "notified"}


def test_on_an_unclaimed_lead_the_owner_is_notified_and_no_one_is_asked() -> None:
    lead = unclaim(started(rule_set(route(), ranked(BOB))), minutes(20)).lead
    change = could_not_tell(lead, {BOB}, {}, minutes(21))
    assert change is not None
    assert alerts(change, "untold") == {(ALICE, "email")}
    assert change.lead.unclaimed_at == minutes(20)


def test_a_lead_that_is_given_back_is_offered_as_if_nothing_had_failed() -> None:
    change = failed(ranked(BOB, CAROL))
    assert change is not None
    won = claim(change.lead, CAROL, "None", minutes(2))
    assert won is not None
    back = give_back(won.lead, {}, (), Initiator(user_id=CAROL), minutes(3))
    assert offer_of(back.lead, BOB).reason is None
    assert alerts(back, "reoffer") == {(BOB, "email")}
    again = could_not_tell(back.lead, {BOB}, {}, minutes(4))
    assert again is not None
    assert offer_of(again.lead, BOB).reason == UNTOLD


def test_declining_after_it_goes_on_as_ever() -> None:
    change = failed(ranked(BOB, CAROL, DAVE))
    assert change is not None
    declined = decline(change.lead, CAROL, {}, minutes(2))
    assert declined is not None
    assert states(declined.lead) == {BOB: "notified", CAROL: "declined", DAVE: "scheduled"}
