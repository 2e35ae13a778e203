"""A lead that is junk, and one that is not after all; the turn that it took is given back once."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadroutes.domain.giving_back import give_back
from leadroutes.domain.junk import IS_JUNK, Junk, mark_as_junk, undo_junk
from leadroutes.domain.model import Change, Initiator, Lead
from leadroutes.domain.rollout import assign, claim, notify_due, withdraw
from leadroutes.domain.routing import decide, wait_of
from leadroutes.domain.turns import Turns, give_turn_back, take_turn, take_turn_back
from leadroutes.domain.untold import could_not_tell
from leadroutes.errors import AlreadyClaimed, Conflict
from tests.support.builders import ALICE, BOB, CAROL, DAVE, facts, minutes, ranked, route, rule_set, states
from tests.support.examples import examples

SPAM, DUPLICATE = Junk(reason="spam"), Junk(reason="duplicate")


def started(**changes: object) -> Lead:
    return decide(rule_set(route(), ranked(BOB, CAROL, **changes)), 1, facts(), minutes(0)).change.lead


def claimed(user_id: int = BOB) -> Lead:
    change = claim(started(), user_id, "None", minutes(1))
    assert change is not None
    return change.lead


def junk(lead: Lead, by: int = ALICE, at: float = 2) -> Change:
    change = mark_as_junk(lead, SPAM, by, minutes(at))
    assert change is not None
    return change


def alerts_of(change: Change) -> list[tuple[int, str]]:
    return [(each.user_id, each.kind) for each in change.messages]


def test_a_lead_that_no_one_has_is_over() -> None:
    change = junk(started())
    assert states(change.lead) == {BOB: "expired", CAROL: "withdrawn"}
    assert (change.lead.unclaimed_at, change.lead.lapses_at) == (minutes(2), None)
    assert [event.kind for event in change.events] == ["junk", "expired", "unclaimed"]
    assert change.events[0].detail == {"reason": "spam"}
    assert alerts_of(change) == [], "Alice knows, and no one else is alerted"


def test_a_claimed_lead_stays_claimed_and_the_owner_is_alerted() -> None:
    change = junk(claimed(), by=BOB)
    assert change.lead.claim is not None
    assert states(change.lead) == {BOB: "won", CAROL: "withdrawn"}
    assert [(event.kind, event.user_id, event.by_user_id) for event in change.events] == [("junk", BOB, BOB)]
    assert alerts_of(change) == [(ALICE, "junk")]


@pytest.mark.parametrize(
    ("known", "said", "kinds", "alerts"),
    [
        (SPAM, SPAM, None, None),
        (SPAM, DUPLICATE, ["junk"], []),
        (Junk(reason="other", note="a test"), Junk(reason="other", note="a bot"), ["junk"], []),
    ],
    ids=["the same", "another reason", "another note"],
)
def test_the_last_reason_counts_and_the_owner_is_alerted_once(
    known: Junk, said: Junk, kinds: list[str] | None, alerts: list[object] | None
) -> None:
    lead = junk(claimed(), by=BOB).lead
    change = mark_as_junk(lead, said, BOB, minutes(3), known=known)
    assert (change and [event.kind for event in change.events]) == kinds
    assert (alerts_of(change) if change else None) == alerts


@pytest.mark.parametrize("call", [lambda lead: junk(lead, by=CAROL), lambda lead: undo_junk(lead, CAROL)])
def test_only_whoever_has_the_lead_and_its_owner_say_so(call) -> None:
    with pytest.raises(AlreadyClaimed):
        call(claimed())
    with pytest.raises(Conflict, match="You do not have this lead any more"):
        call(started())


def test_an_imported_lead_remains_history() -> None:
    lead = Lead(owner_id=ALICE, id=1, owner_has_phone=False, wait=wait_of(None), is_exclusive=False, offers=())
    change = mark_as_junk(lead, SPAM, ALICE, minutes(1), is_imported=True)
    assert change is not None
    assert change.lead.unclaimed_at is None
    held = mark_as_junk(lead, SPAM, ALICE, minutes(1))
    assert held is not None
    assert held.lead.unclaimed_at == minutes(1)


def test_nothing_happens_to_a_junk_lead_any_more() -> None:
    lead = junk(started()).lead
    with pytest.raises(Conflict, match="This lead is junk"):
        claim(lead, BOB, "None", minutes(3))
    assert could_not_tell(lead, {BOB}, {}, minutes(3)) is None
    with pytest.raises(Conflict, match="This lead is junk"):
        give_back(junk(claimed()).lead, {}, (), Initiator(user_id=BOB), minutes(3))
    given = assign(lead, DAVE, ALICE, minutes(3))
    assert given is not None
    assert given.claim is not None, "the owner may assign at any time"


@pytest.mark.parametrize("at", [3, 90])
def test_a_due_moment_that_finds_the_lead_over_changes_nothing(at: float) -> None:
    """A lead may be over by the time at which whoever took it as due has its lock."""
    erased = withdraw(started(), "its contact was erased", minutes(2))
    assert erased is not None
    for lead in (junk(started()).lead, erased.lead):
        change = notify_due(lead, {}, minutes(at))
        assert (change.lead, change.offers, change.messages, change.events) == (lead, (), (), ())


def test_offers_do_not_come_back() -> None:
    lead = junk(started()).lead
    change = undo_junk(lead, ALICE)
    assert change is not None
    assert (change.lead.is_junk, states(change.lead)) == (False, {BOB: "expired", CAROL: "withdrawn"})
    assert [(event.kind, event.by_user_id) for event in change.events] == [("junk undone", ALICE)]
    assert undo_junk(change.lead, ALICE) is None
    assert IS_JUNK == "the lead is junk"


# ----------------------------------------------------------------------------------------------------------- turns

THREE = [(BOB, 1), (CAROL, 1), (DAVE, 1)]


def test_the_turn_comes_back_once_in_place_of_the_junk_lead() -> None:
    first, turns = take_turn(THREE, Turns())
    assert first == BOB
    turns = give_turn_back(turns, BOB, 1)
    order = []
    for _ in range(4):
        first, turns = take_turn(THREE, turns)
        order.append(first)
    assert order == [BOB, CAROL, DAVE, BOB]
    assert turns.given_back == ()


def test_turns_wait_in_line_until_their_members_are_available() -> None:
    turns = give_turn_back(give_turn_back(Turns(), DAVE, 1), BOB, 2)
    first, turns = take_turn(THREE[:2], turns)
    assert (first, turns.given_back) == (BOB, ((DAVE, 1),)), "Dave is away and goes on waiting"
    first, turns = take_turn(THREE[:2], turns)
    assert (first, turns.given_back) == (CAROL, ((DAVE, 1),)), "Bob has just had a turn"
    first, turns = take_turn(THREE, turns)
    assert (first, turns.given_back) == (DAVE, ())


def test_members_without_weight_wait_while_others_have_some() -> None:
    turns = give_turn_back(Turns(), BOB, 1)
    assert take_turn([(BOB, 0), (CAROL, 1)], turns)[0] == CAROL
    assert take_turn([(BOB, 0), (CAROL, 0)], turns)[0] == BOB


def test_a_turn_that_waits_is_taken_back_and_one_that_was_used_is_not() -> None:
    turns = give_turn_back(give_turn_back(Turns(), BOB, 1), BOB, 2)
    after = take_turn_back(turns, BOB, 2)
    assert after is not None
    assert after.given_back == ((BOB, 1),)
    assert take_turn_back(take_turn(THREE, after)[1], BOB, 1) is None


@settings(max_examples=examples(500))
@given(
    st.lists(
        st.tuples(st.sets(st.integers(1, 5), min_size=1), st.lists(st.booleans(), min_size=1, max_size=12)), max_size=20
    )
)
def test_whatever_is_junk_turns_of_equal_weight_differ_by_one_at_most(
    stretches: list[tuple[set[int], list[bool]]],
) -> None:
    """A turn that was given back counts for the junk lead whose place it takes; that of a junk lead does not count."""
    turns, lead_id, had, outstanding = Turns(), 0, Counter[int](), Counter[int]()
    for present, leads in stretches:
        candidates = [(user_id, 1) for user_id in sorted(present)]
        counted: Counter[int] = Counter()
        for is_junk in leads:
            lead_id += 1
            waiting = len(turns.given_back)
            first, turns = take_turn(candidates, turns)
            if len(turns.given_back) < waiting:
                outstanding[first] -= 1
            else:
                counted[first] += 1
            had[first] += 1
            if is_junk:
                turns = give_turn_back(turns, first, lead_id)
                outstanding[first] += 1
        assert max(counted[user_id] for user_id in present) - min(counted[user_id] for user_id in present) <= 1
    assert Counter(user_id for user_id, _ in turns.given_back) == +outstanding
