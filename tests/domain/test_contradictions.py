"""Conditions that can never be met, and conditions that follow from others: tables, and that nothing is guessed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadroutes.domain.conditions import Conditions
from leadroutes.domain.contradictions import contradiction, follows

OWN_FIELDS = ("custom.shoe size",)
MONDAY = {"monday": [["09:00", "17:00"]]}


def comparison(field: str, operator: str, *value: Any) -> dict[str, Any]:
    return {"field": field, "is": operator} | ({"value": value[0]} if value else {})


def within(hours: Any, zone: str = "America/Denver") -> dict[str, Any]:
    return comparison("received_at", "within", {"timezone": zone, "weekly_hours": hours})


def not_(part: dict[str, Any]) -> dict[str, Any]:
    return {"not": part}


IMPOSSIBLE: list[tuple[str, list[dict[str, Any]], str | None]] = [
    # comparisons that all have to hold; the filter of the route
    ("prices that do not meet", [comparison("price", "at least", 5), comparison("price", "at most", 3)], None),
    ("no whole dollar between", [comparison("price", "between", [5.2, 5.8])], None),
    ("a price below every price", [comparison("price", "at most", 0)], None),
    ("all that is left is excluded", [comparison("price", "between", [1, 2]), comparison("price", "none of", [1, 2])],
     None),
    ("known and unknown", [comparison("city", "known"), comparison("city", "unknown")], None),
    ("known and not known", [comparison("city", "known"), not_(comparison("city", "known"))], None),
    ("two cities", [comparison("city", "equal", "Denver"), comparison("city", "equal", "Boulder")], None),
    ("a city and not this city",
     [comparison("city", "equal", "Denver"), not_(comparison("city", "equal", " DENVER "))], None),
    ("lists without a common value",
     [comparison("state", "one of", ["CO", "Wyoming"]), comparison("state", "one of", ["TX", "NM"])], None),
    ("a list of which each is excluded",
     [comparison("state", "one of", ["Colorado"]), comparison("state", "none of", ["co", "WY"])], None),
    ("a value without the text in it",
     [comparison("city", "equal", "Denver"), comparison("city", "contains", "Lake")], None),
    ("two beginnings",
     [comparison("zipcode", "begins with", "802"), comparison("zipcode", "begins with", "803")], None),
    ("a beginning that is excluded",
     [comparison("zipcode", "begins with", "8020"), not_(comparison("zipcode", "begins with", "802"))], None),
    ("a part that is excluded",
     [comparison("message", "contains", "garden shed"), not_(comparison("message", "contains", "shed"))], None),
    ("a missing value that is different from nothing", [not_(comparison("city", "different", "Denver")),
     comparison("city", "different", "Denver")], None),
    ("a tag and not this tag",
     [comparison("contact_tags", "equal", "VIP"), comparison("contact_tags", "different", "vip")], None),
    ("a tag and no tag", [comparison("contact_tags", "equal", "VIP"), comparison("contact_tags", "unknown")], None),
    ("a tag with a comma", [comparison("contact_tags", "equal", "VIP, gold")], None),
    ("new and known", [comparison("contact_is_new", "equal", True), comparison("contact_is_new", "equal", False)],
     None),
    ("at no time", [within({})], None),
    ("hours that do not meet", [within(MONDAY), within({"tuesday": [["09:00", "17:00"]]})], None),
    ("hours that do not meet in two zones",
     [within({"monday": [["09:00", "10:00"]]}), within({"monday": [["09:00", "10:00"]]}, "America/New_York")], None),
    ("not at any time", [not_(within(None))], None),
    ("another type than the filter", [comparison("type", "one of", ["Seller", "Renter"])], "Buyer"),
    ("no type although there is a filter", [comparison("type", "unknown")], "Buyer"),
    ("a field that is gone", [comparison("custom.hat size", "equal", "7")], None),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "type_"), [row[1:] for row in IMPOSSIBLE], ids=[row[0] for row in IMPOSSIBLE])
def test_conditions_that_can_never_be_met_are_found(parts: list[dict[str, Any]], type_: str | None) -> None:
    beside = comparison("source_named", "known")

    for nested in ({"all": [beside, *parts]}, {"all": [{"any": [beside, {"not": beside}]}, {"all": parts}]}):
        impossible = contradiction(Conditions.read(nested), type_, OWN_FIELDS)
        assert impossible is not None
        assert {wish.comparison.field for wish in impossible} <= {part.get("field", "") for part in parts} | {
            part["not"]["field"] for part in parts if "not" in part
        } | {"type"}


POSSIBLE: list[tuple[str, list[dict[str, Any]], str | None]] = [
    ("a single price", [comparison("price", "at least", 5), comparison("price", "at most", 5)], None),
    ("a price beside those that are excluded",
     [comparison("price", "between", [1, 3]), comparison("price", "none of", [1, 2])], None),
    ("no price", [comparison("price", "unknown"), comparison("price", "different", 3)], None),
    ("two spellings of a state",
     [comparison("state", "equal", "Colorado"), comparison("state", "one of", ["co", "wy"])], None),
    ("a zipcode of nine digits",
     [comparison("zipcode", "equal", "80205-1234"), comparison("zipcode", "begins with", "802")], None),
    ("two beginnings of which one continues the other",
     [comparison("city", "begins with", "New"), comparison("city", "begins with", "New York")], None),
    ("two tags", [comparison("contact_tags", "equal", "VIP"), comparison("contact_tags", "equal", "gold")], None),
    ("a tag of a list of which one is excluded",
     [comparison("contact_tags", "one of", ["VIP", "gold"]), comparison("contact_tags", "different", "vip")], None),
    ("a night", [within({"sunday": [["22:00", "06:00"]]}), within({"monday": [["05:00", "07:00"]]})], None),
    ("an hour that two zones share",
     [within({"monday": [["09:00", "11:30"]]}), within({"monday": [["13:00", "14:00"]]}, "America/New_York")], None),
    ("outside of hours", [within(MONDAY), not_(within({"monday": [["09:00", "16:59"]]}))], None),
    ("the type of the filter", [comparison("type", "equal", "buyer")], "Buyer"),
    ("a field of the owner's", [comparison("custom.Shoe Size", "equal", "9")], None),
    ("a field that is gone is missing", [comparison("custom.hat size", "unknown")], None),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "type_"), [row[1:] for row in POSSIBLE], ids=[row[0] for row in POSSIBLE])
def test_conditions_that_can_be_met_are_not_accused(parts: list[dict[str, Any]], type_: str | None) -> None:
    assert contradiction(Conditions.read({"all": parts}), type_, OWN_FIELDS) is None


def test_as_few_comparisons_as_possible_are_named() -> None:
    low, high = comparison("price", "at most", 300_000), comparison("price", "at least", 500_000)
    conditions = {"all": [comparison("price", "known"), high, comparison("city", "equal", "Denver"), low]}

    impossible = contradiction(Conditions.read(conditions), None, ())

    assert impossible is not None
    assert [str(wish) for wish in impossible] == ["price is at least 500,000", "price is at most 300,000"]


def test_an_alternative_that_is_possible_is_enough() -> None:
    never = {"all": [comparison("price", "at least", 5), comparison("price", "at most", 3)]}

    assert contradiction(Conditions.read({"any": [never, comparison("city", "known")]}), None, ()) is None
    assert contradiction(Conditions.read({"any": [never, never]}), None, ()) is not None


def test_too_many_alternatives_are_not_accused() -> None:
    either = {"any": [comparison("city", "equal", str(number)) for number in range(7)]}
    other = {"any": [comparison("city", "equal", str(number)) for number in range(10, 17)]}

    assert contradiction(Conditions.read({"all": [either] * 6}), None, ()) is None
    assert contradiction(Conditions.read({"all": [either, other]}), None, ()) is not None


FOLLOWS: list[tuple[str, dict[str, Any] | None, dict[str, Any] | None, bool]] = [
    # the earlier one; the later one; whether all leads of the later one meet the earlier one
    ("none", None, comparison("price", "known"), True),
    ("equal", comparison("price", "known"), comparison("price", "known"), True),
    ("a lower price", comparison("price", "at least", 3), comparison("price", "at least", 5), True),
    ("a higher price", comparison("price", "at least", 5), comparison("price", "at least", 3), False),
    ("a longer list", comparison("state", "one of", ["CO", "WY"]), comparison("state", "equal", "Colorado"), True),
    ("a shorter list", comparison("state", "equal", "CO"), comparison("state", "one of", ["CO", "WY"]), False),
    ("known", comparison("city", "known"), comparison("city", "begins with", "D"), True),
    ("a shorter beginning", comparison("zipcode", "begins with", "80"), comparison("zipcode", "begins with", "802"),
     True),
    ("another field", comparison("city", "known"), comparison("state", "known"), False),
    ("one more comparison", comparison("price", "known"),
     {"all": [comparison("price", "at least", 5), comparison("city", "known")]}, True),
    ("one comparison fewer", {"all": [comparison("price", "known"), comparison("city", "known")]},
     comparison("price", "known"), False),
    ("one of two", {"any": [comparison("price", "known"), comparison("city", "known")]}, comparison("city", "known"),
     True),
    ("longer hours", within({"monday": [["08:00", "18:00"]]}), within(MONDAY), True),
    ("shorter hours", within(MONDAY), within({"monday": [["08:00", "18:00"]]}), False),
    ("no conditions at all", comparison("price", "known"), None, False),
]  # fmt: skip


@pytest.mark.parametrize(("earlier", "later", "expected"), [row[1:] for row in FOLLOWS], ids=[r[0] for r in FOLLOWS])
def test_what_follows(earlier: dict[str, Any] | None, later: dict[str, Any] | None, expected: bool) -> None:
    read = [Conditions.read(each) if each is not None else None for each in (earlier, later)]

    assert follows(read[0], read[1]) is expected


# ------------------------------------------------------------------------------------------------ never a guess

NUMBERS = st.integers(1, 6)
CITIES = st.sampled_from(["Denver", "Denver North", "Aurora", "Au"])
TAGS = st.sampled_from(["vip", "gold", "old"])
COMPARISONS = st.one_of(
    st.builds(comparison, st.just("price"), st.sampled_from(["equal", "different", "at least", "at most"]), NUMBERS),
    st.builds(comparison, st.just("price"), st.sampled_from(["one of", "none of"]), st.lists(NUMBERS, min_size=1)),
    st.builds(
        comparison,
        st.just("city"),
        st.sampled_from(["equal", "different", "contains", "begins with"]),
        CITIES,
    ),
    st.builds(comparison, st.just("city"), st.sampled_from(["known", "unknown"])),
    st.builds(comparison, st.just("contact_tags"), st.sampled_from(["equal", "different"]), TAGS),
    st.builds(comparison, st.just("contact_is_new"), st.just("equal"), st.booleans()),
)
TREES = st.recursive(
    COMPARISONS,
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map(lambda each: {"all": each}),
        st.lists(parts, min_size=1, max_size=3).map(lambda each: {"any": each}),
        parts.map(not_),
    ),
    max_leaves=6,
).filter(lambda tree: _levels(tree) <= 4)
FACTS = st.fixed_dictionaries(
    {"contact_is_new": st.booleans()},
    optional={
        "price": st.integers(1, 8),
        "city": st.sampled_from(["Denver", "denver north", "Aurora", "Auburn", "X"]),
        "contact_tags": st.lists(TAGS, min_size=1, max_size=3),
    },
)


def _levels(tree: dict[str, Any]) -> int:
    parts = tree.get("all") or tree.get("any") or ([tree["not"]] if "not" in tree else [])
    return 1 + max(map(_levels, parts), default=0)


@given(tree=TREES, other=TREES, facts=FACTS)
def test_no_lead_ever_contradicts_the_answer(tree: dict[str, Any], other: dict[str, Any], facts: Any) -> None:
    earlier, later = Conditions.read(tree), Conditions.read(other)

    if later.hold(facts):
        assert contradiction(later, None, ()) is None
    if follows(earlier, later):
        assert earlier.hold(facts) or not later.hold(facts)
