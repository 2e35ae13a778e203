"""Why a lead has passed a member by, and why it went where it went, as sentences."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from leadroutes.domain.availability import moment_in_words
from leadroutes.domain.model import Absence, Facts, Standing
from leadroutes.domain.passed_over import PassedLead, outcome_in_words, reason_in_words, why_not_you
from leadroutes.domain.rollout import claim, decline, notify_due
from leadroutes.domain.routing import decide, explain
from leadroutes.domain.turns import Turns
from leadroutes.domain.why import Addressee, for_member, in_words, span_in_words
from tests.support.builders import ALICE, BOB, CAROL, DAVE, ERIN, facts, member, minutes, ranked, route, rule_set, team

DENVER = "America/Denver"


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("paused", "You were paused"),
        ("paused until Mon 12 Jan 09:00", "You were paused until Mon 12 Jan 09:00"),
        ("off until Mon 12 Jan 09:00", "You were off until Mon 12 Jan 09:00"),
        ("outside working hours", "You were outside your working hours"),
        ("outside working hours until Tue 13 Jan 09:00", "You were outside your working hours until Tue 13 Jan 09:00"),
        ("back Mon 12 Jan 09:00", "You were not back before Mon 12 Jan 09:00"),
        ("open leads: 5 of 5", "You had as many open leads as you may: 5 of 5"),
        ("leads today: 3 of 3", "You had got as many leads that day as you may: 3 of 3"),
        ("leads this week: 10 of 10", "You had got as many leads that week as you may: 10 of 10"),
        ("account is inactive", "Your account was not active"),
        ("membership request is Declined", "You had declined to be in the team"),
        ("no distribution option for this team", "You had no distribution option in the team"),
        ("no alert by call or text can be sent to the member", "No alert by call or text could be sent to you"),
        ("the next member's turn had already started", "The next member's turn had already started"),
        ("the moon was full", "You were skipped: the moon was full"),
        (None, "You were skipped"),
    ],
)
def test_reasons_become_sentences(reason: str | None, sentence: str) -> None:
    assert why_not_you(reason) == sentence


GONE_BY = PassedLead(
    state="withdrawn", reason=None, at=minutes(2), routed_at=minutes(0), notify_at=minutes(10), lead_state="claimed",
    claimed_at=minutes(2), via="None", winner="Bob",
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "sentence", "outcome"),
    [
        ({"was_winners_turn": True}, "It was Bob's turn, and Bob claimed it after 2 minutes", "claimed by Bob"),
        ({"was_winners_turn": True, "winner": None}, "It was someone else's turn, and they claimed it after 2 minutes",
         "claimed by someone else"),
        ({}, "Bob claimed it after 2 minutes, before you at Tue 24 Nov 05:10", "claimed by Bob"),
        ({"winner": None}, "Someone else claimed it after 2 minutes, before you at Tue 24 Nov 05:10",
         "claimed by someone else"),
        ({"via": "Auto", "claimed_at": minutes(0), "was_winners_turn": True},
         "It was Bob's turn, and Bob got it at once", "claimed by Bob"),
        ({"via": "Assigned"}, "It was assigned to Bob after 2 minutes", "claimed by Bob"),
        ({"claimed_at": minutes(9)}, "Someone had it before it was your turn", "claimed by Bob"),
        ({"claimed_at": None, "lead_state": "unclaimed", "is_junk": True}, "It was junk before it was your turn",
         "junk"),
        ({"claimed_at": None, "lead_state": "unclaimed"}, "It was over before it was your turn", "unclaimed"),
        ({"state": "skipped", "reason": "paused", "claimed_at": None, "lead_state": "on offer"}, "You were paused",
         "on offer"),
        ({"state": "left out", "reason": "no distribution option for this team"},
         "You had no distribution option in the team", "claimed by Bob"),
    ],
)  # fmt: skip
def test_what_has_passed_a_member_by_is_one_sentence(changes: dict[str, Any], sentence: str, outcome: str) -> None:
    lead = replace(GONE_BY, **changes)
    assert (reason_in_words(lead, DENVER), outcome_in_words(lead)) == (sentence, outcome)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ({"seconds": -5}, "less than a minute"), ({"seconds": 59}, "less than a minute"), ({"minutes": 1}, "1 minute"),
        ({"minutes": 59.9}, "59 minutes"), ({"hours": 1}, "1 hour"), ({"hours": 47}, "47 hours"),
        ({"days": 2}, "2 days"),
    ],
)  # fmt: skip
def test_spans_are_said_in_their_largest_unit(span: dict[str, float], words: str) -> None:
    assert span_in_words(timedelta(**span)) == words


# ----------------------------------------------------------------------------------------------- why it went there


def test_each_member_is_explained_in_words() -> None:
    of_team = team(
        member(BOB, rank=1), member(CAROL, rank=2), member(DAVE, rank=3), replace(member(ERIN), option=None),
        order_method="Round Robin", mins_until_next_alert=10,
    )  # fmt: skip
    rules = rule_set(route(), of_team)
    decision = decide(rules, 1, facts(), minutes(0), Turns())
    declined = decline(decision.change.lead, BOB, {CAROL: Absence(reason="paused")}, minutes(3))
    assert declined is not None
    won = claim(declined.lead, DAVE, "None", minutes(4))
    assert won is not None
    said = words_of(rules, decision.facts, won.lead.offers)
    assert said == {
        BOB: "It was the member's turn; notified Tue 24 Nov 05:00, at once; the member declined",
        CAROL: "Skipped: paused",
        DAVE: "Notified Tue 24 Nov 05:03, 3 minutes after the lead was routed; the member has the lead",
        ERIN: "Not in the line-up: no distribution option for this team",
    }


def words_of(rules: Any, decided: Facts, offers: Any) -> dict[int, str]:
    explained = explain(rules, decided, offers)
    members = in_words(explained, offers, Addressee(ALICE, DENVER), minutes(0), turn=decided.turn)["members"]
    return {each["user_id"]: each["words"] for each in members}


def test_those_who_wait_and_those_who_came_too_late_read_their_moment() -> None:
    rules = rule_set(route(), ranked(BOB, CAROL))
    lead = decide(rules, 1, facts(), minutes(0)).change.lead
    assert words_of(rules, facts(), lead.offers)[CAROL] == (
        "To be notified Tue 24 Nov 05:05, 5 minutes after the lead was routed"
    )
    won = claim(lead, BOB, "None", minutes(1))
    assert won is not None
    assert words_of(rules, facts(), won.lead.offers)[CAROL] == (
        "Not notified: someone had the lead, or it was over, before Tue 24 Nov 05:05"
    )


def test_what_was_counted_stands_beside_the_moment() -> None:
    rules = rule_set(route(), team(member(BOB, weight=2), order_method="Least Loaded"))
    decision = decide(rules, 1, facts(), minutes(0), None, {BOB: Standing(3, 1, 1, minutes(-9))})
    offers = decision.change.lead.offers
    [line] = in_words(explain(rules, decision.facts, offers), offers, Addressee(ALICE), minutes(0))["members"]
    assert line["words"] == (
        "First in line: fewest open leads for their weight; notified Tue 24 Nov 12:00, at once;"
        " counted: 3 open leads and 1 on offer, weight 2"
    )


@pytest.mark.parametrize(("user_id", "before", "lines"), [(BOB, 0, [BOB]), (DAVE, 2, [DAVE]), (ALICE, None, [])])
def test_a_member_reads_the_own_line_and_how_many_came(user_id: int, before: int | None, lines: list[int]) -> None:
    rules = rule_set(route(), ranked(BOB, CAROL, DAVE))
    lead = notify_due(decide(rules, 1, facts(), minutes(0)).change.lead, {}, minutes(5)).lead
    explained = in_words(explain(rules, facts(), lead.offers), lead.offers, Addressee(user_id), minutes(0))
    shown = for_member(explained, user_id)
    assert (shown["before"], [each["user_id"] for each in shown["members"]]) == (before, lines)
    assert (shown["routes"], shown["team"], shown["outcome"]) == ([], None, "offered to the team")


def test_the_reader_is_you() -> None:
    rules = rule_set(route(), ranked(BOB, order_method="Round Robin"))
    decision = decide(rules, 1, facts(), minutes(0), Turns())
    won = claim(decision.change.lead, BOB, "None", minutes(1))
    assert won is not None
    explained, turn = explain(rules, decision.facts, won.lead.offers), decision.facts.turn
    [line] = in_words(explained, won.lead.offers, Addressee(BOB), minutes(0), turn=turn)["members"]
    assert line["words"] == "It was your turn; notified Tue 24 Nov 12:00, at once; you have the lead"


def test_moments_are_those_of_a_zone() -> None:
    assert moment_in_words(minutes(0), "Asia/Tokyo") == "Tue 24 Nov 21:00"
