"""Conditions of routes: what is refused and where, when they hold, which comparison failed first, and the sentence."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadroutes.domain.condition_fields import FIELDS, OPERATORS, TRUE_OF_MISSING
from leadroutes.domain.condition_words import conditions_text, expectation
from leadroutes.domain.conditions import Conditions, conditions_in, unknown_fields
from leadroutes.domain.faults import Faults

HOURS = {"timezone": "America/Denver", "weekly_hours": {"monday": [["09:00", "17:00"]]}}


def comparison(field: str, operator: str, *value: Any) -> dict[str, Any]:
    return {"field": field, "is": operator} | ({"value": value[0]} if value else {})


PRICE = comparison("price", "at least", 300_000)
STATE = comparison("state", "one of", ["CO", "WY"])

# ------------------------------------------------------------------------------------------------------ what holds

HOLDS: list[tuple[str, Any, Any, bool]] = [
    # field, operator and value; the fact; whether it holds
    ("price at least 300000", comparison("price", "at least", 300_000), 300_000, True),
    ("price below it", comparison("price", "at least", 300_000), 299_999, False),
    ("price at most", comparison("price", "at most", 300_000), 300_000, True),
    ("price between, lower end", comparison("price", "between", [1, 2]), 1, True),
    ("price between, upper end", comparison("price", "between", [1, 2]), 2, True),
    ("price outside", comparison("price", "between", [1, 2]), 3, False),
    ("price equal to a numeric text", comparison("price", "equal", "300000.0"), 300_000, True),
    ("price different", comparison("price", "different", 1), 1, False),
    ("price one of", comparison("price", "one of", [1, "2"]), 2, True),
    ("price none of", comparison("price", "none of", [1, 2]), 2, False),
    ("price known", comparison("price", "known"), 1, True),
    ("price unknown", comparison("price", "unknown"), 1, False),
    ("zipcode as a team compares it", comparison("zipcode", "equal", "80205-1234"), "80205", True),
    ("zipcode with a zero that was lost", comparison("zipcode", "one of", ["2139"]), "02139", True),
    ("zipcode begins with", comparison("zipcode", "begins with", "802"), "80205", True),
    ("zipcode begins with another", comparison("zipcode", "begins with", "02"), "80205", False),
    ("city in another case with blanks", comparison("city", "equal", " dENVER "), "Denver", True),
    ("city contains", comparison("city", "contains", "LAKE"), "Salt Lake City", True),
    ("state by name", comparison("state", "equal", "Colorado"), "CO", True),
    ("state of the lead by name", comparison("state", "one of", ["co"]), "colorado", True),
    ("a state of another country", comparison("state", "equal", "ontario"), "Ontario", True),
    ("type", comparison("type", "different", "SELLER"), "Seller", False),
    ("e-mail domain", comparison("email_domain", "equal", "@Example.com"), "example.com", True),
    ("phone in another spelling", comparison("phone", "equal", "(303) 555-0142"), "+13035550142", True),
    ("phone begins with", comparison("phone", "begins with", "+1 303"), "+13035550142", True),
    ("area code", comparison("area_code", "one of", ["720", "303"]), "303", True),
    ("country", comparison("phone_country", "equal", "us"), "US", True),
    ("a field of the owner's in another case", comparison("custom.Shoe Size", "equal", "9"), "9", True),
    ("has the tag", comparison("contact_tags", "equal", "vip"), ["Buyer", "VIP"], True),
    ("has one of the tags", comparison("contact_tags", "one of", ["vip", "x"]), ["VIP"], True),
    ("does not have the tag", comparison("contact_tags", "different", "vip"), ["VIP"], False),
    ("has none of the tags", comparison("contact_tags", "none of", ["x", "y"]), ["VIP"], True),
    ("has a tag", comparison("contact_tags", "known"), ["VIP"], True),
    ("has no tag", comparison("contact_tags", "unknown"), ["VIP"], False),
    ("is new", comparison("contact_is_new", "equal", True), True, True),
    ("is not new", comparison("contact_is_new", "equal", False), True, False),
    ("within, Monday 09:00 in Denver", comparison("received_at", "within", HOURS), "2026-11-23T16:00:00Z", True),
    ("within, a minute before", comparison("received_at", "within", HOURS), "2026-11-23T15:59:59Z", False),
    ("always", comparison("received_at", "within", HOURS | {"weekly_hours": None}), "2026-11-23T15:59:59Z", True),
]


@pytest.mark.parametrize(("given_", "fact", "expected"), [row[1:] for row in HOLDS], ids=[row[0] for row in HOLDS])
def test_when_a_comparison_holds(given_: dict[str, Any], fact: Any, expected: bool) -> None:
    key = given_["field"].lower()
    assert Conditions.read(given_).hold({key: fact}) is expected
    assert Conditions.read({"not": given_}).hold({key: fact}) is not expected


SAMPLES: dict[str, Any] = {
    "equal": "1", "different": "1", "one of": ["1"], "none of": ["1"], "at least": 1, "at most": 1, "between": [1, 2],
    "contains": "1", "begins with": "1", "within": HOURS,
}  # fmt: skip
VALUES = {"phone": "+13035550142", "area_code": "303", "phone_country": "US", "contact_is_new": True}


def sample(field: str, operator: str) -> dict[str, Any]:
    """A valid comparison of each field by each of its operators."""
    if operator not in SAMPLES:
        return comparison(field, operator)
    value = SAMPLES[operator]
    if field in VALUES and operator not in ("contains", "begins with"):
        value = [VALUES[field]] if isinstance(value, list) else VALUES[field]
    return comparison(field, operator, value)


ALL_FIELDS = [(name, operator) for name, about in FIELDS.items() for operator in OPERATORS[about.kind]]
ALL_FIELDS += [("custom.Budget", operator) for operator in OPERATORS["text"]]


@pytest.mark.parametrize(("field", "operator"), ALL_FIELDS)
def test_on_a_missing_value_only_unknown_different_and_none_of_are_true(field: str, operator: str) -> None:
    conditions = Conditions.read(sample(field, operator))
    assert conditions.hold({}) is (operator in TRUE_OF_MISSING)
    assert Conditions.read({"not": sample(field, operator)}).hold({}) is (operator not in TRUE_OF_MISSING)
    assert conditions_text(conditions)
    assert conditions_in(json.dumps(conditions.given)) == conditions


# ------------------------------------------------------------------------------------------------ what is refused


def nested(levels: int) -> Any:
    value: Any = comparison("price", "known")
    for _ in range(levels - 1):
        value = {"not": value}
    return value


MANY = [comparison("price", "known")] * 51
WRONG: list[tuple[str, Any, dict[str, list[str]]]] = [
    ("no object", [], {"": ["a list", "an object"]}),
    ("a text", "price", {"": ["'price'"]}),
    ("an empty object", {}, {"": ["an object", "all, any or not"]}),
    ("no form at all", {"x": 1}, {"": ["an object", "all, any or not"]}),
    ("no field", {"is": "known"}, {".field": ["required"]}),
    ("two forms", {"all": [PRICE], "not": STATE}, {"": ["all and not", "one of them"]}),
    ("a group and a comparison", {"any": [PRICE], **STATE}, {"": ["any and field"]}),
    ("an unknown key", PRICE | {"or": 1}, {".or": ["not known", "field, is, value"]}),
    ("an unknown key of a group", {"all": [PRICE], "x": 1}, {".x": ["not known", "all"]}),
    ("an empty list", {"all": []}, {".all": ["a list", "one condition or more"]}),
    ("no list", {"any": PRICE}, {".any": ["an object"]}),
    ("null inside", {"not": None}, {".not": ["null"]}),
    ("its path", {"all": [PRICE, comparison("price", "at least", "much")]}, {".all[1].value": ["'much'", "a number"]}),
    ("each fault", {"any": [{"not": {"field": "x"}}, comparison("city", "at least", 3)]},
     {".any[0].not.field": ["'x'", "price, zipcode"], ".any[1].is": ["'at least'", "contains"]}),
    ("an unknown field", comparison("Price", "known"), {".field": ["'Price'"]}),
    ("no operator", {"field": "price"}, {".is": ["required"]}),
    ("an operator that is a list", {"field": "price", "is": ["known"]}, {".is": ["a list"]}),
    ("a field that is an object", {"field": {}, "is": "known"}, {".field": ["an object"]}),
    ("custom without a name", comparison("custom. ", "known"), {".field": ["'custom. '"]}),
    ("no value", {"field": "city", "is": "equal"}, {".value": ["required"]}),
    ("a value where none belongs", comparison("city", "known", None), {".value": ["null", "takes no value"]}),
    ("null", comparison("city", "equal", None), {".value": ["null", "text"]}),
    ("blank", comparison("city", "equal", "  "), {".value": ["not empty"]}),
    ("U+0000", comparison("city", "equal", "a\0"), {".value": ["text"]}),
    ("a number for a text", comparison("zipcode", "equal", 80205), {".value": ["80205", "text"]}),
    ("a list for one", comparison("city", "equal", ["Denver"]), {".value": ["a list"]}),
    ("one for a list", comparison("city", "one of", "Denver"), {".value": ["'Denver'", "a list"]}),
    ("an empty list of values", comparison("city", "none of", []), {".value": ["a list with one value"]}),
    ("a wrong one of a list", comparison("price", "one of", [1, True]), {".value[1]": ["true", "a number"]}),
    ("201 values", comparison("city", "one of", ["x"] * 201), {".value": ["201 values", "200"]}),
    ("between one", comparison("price", "between", [1]), {".value": ["two numbers"]}),
    ("first above second", comparison("price", "between", [2, 1]), {".value": ["2 to 1", "smaller"]}),
    ("not a number", comparison("price", "equal", float("nan")), {".value": ["nan"]}),
    ("not finite", comparison("price", "at most", Decimal("Infinity")), {".value": ["Infinity"]}),
    ("too large", comparison("price", "equal", 10**16), {".value": ["number from"]}),
    ("truth as text", comparison("contact_is_new", "equal", "true"), {".value": ["'true'", "true or false"]}),
    ("not a phone", comparison("phone", "one of", ["+13035550142", "12"]), {".value[1]": ["'12'", "phone number"]}),
    ("not an area code", comparison("area_code", "equal", "03"), {".value": ["'03'", "303"]}),
    ("not a country", comparison("phone_country", "equal", "USA"), {".value": ["'USA'", "US"]}),
    ("no hours", comparison("received_at", "within", {}), {".value.timezone": ["required"], ".value.weekly_hours": []}),
    ("hours in a list", comparison("received_at", "within", []), {".value": ["a list"]}),
    ("no zone", comparison("received_at", "within", HOURS | {"timezone": "Denver"}), {".value.timezone": ["'Denver'"]}),
    ("a zone that is a list", comparison("received_at", "within", HOURS | {"timezone": []}), {".value.timezone": []}),
    ("more than hours", comparison("received_at", "within", HOURS | {"x": 1}), {".value": ["an object"]}),
    ("wrong hours", comparison("received_at", "within", HOURS | {"weekly_hours": {"x": []}}),
     {".value.weekly_hours.x": ["'x'"]}),
    ("6 levels", nested(6), {".not.not.not.not.not": ["5 levels"]}),
    ("51 comparisons", {"all": MANY}, {"": ["50 comparisons"]}),
    ("51 comparisons in two groups", {"all": [{"any": MANY[:25]}, {"any": MANY[:26]}]}, {"": ["50 comparisons"]}),
]  # fmt: skip


@pytest.mark.parametrize(("given_", "expected"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_everything_that_is_wrong_is_named_by_its_path(given_: Any, expected: dict[str, list[str]]) -> None:
    with pytest.raises(Faults) as refused:
        Conditions.read(given_)
    found = refused.value.found
    assert set(found) == {f"conditions{path}" for path in expected}
    for path, words in expected.items():
        message = found[f"conditions{path}"]
        assert message.startswith(f"conditions{path}")
        assert all(word in message for word in words), message


def test_the_limits_themselves_are_allowed() -> None:
    for given_ in (nested(5), {"all": MANY[:50]}, comparison("city", "one of", [f"c{n}" for n in range(200)])):
        assert Conditions.read(given_).given == given_


def test_numbers_are_stored_as_numbers_and_all_else_as_it_was_written() -> None:
    given_ = {"all": [comparison("price", "one of", ["1", Decimal("2.50"), 3.0]), comparison("city", "equal", " x ")]}
    stored = Conditions.read(given_).given
    assert stored == {"all": [comparison("price", "one of", [1, 2.5, 3]), comparison("city", "equal", " x ")]}
    assert msgspec.json.decode(msgspec.json.encode(stored)) == stored


def test_what_a_later_version_has_written_never_holds_and_says_so() -> None:
    conditions = Conditions.stored({"field": "moon", "is": "full"})
    assert not conditions.hold({})
    failure = conditions.first_failure({})
    assert failure is not None
    assert expectation(failure) == "“conditions that this version can read”"
    assert conditions_in('{"field": "moon", "is": "full"}') is None


def test_fields_of_the_owners_are_compared_without_regard_to_case() -> None:
    conditions = Conditions.read({"any": [comparison("custom.BUDGET", "known"), comparison("custom.Pool.x", "known")]})
    assert unknown_fields(conditions.custom_fields, ["Budget", "Pool.X"]) == {}
    wrong = unknown_fields(conditions.custom_fields, ["Budget"])
    assert list(wrong) == ["conditions.any[1].field"]
    assert "'custom.Pool.x' was given; expected custom. and one of Budget" in wrong["conditions.any[1].field"]
    assert len(unknown_fields(conditions.custom_fields, [])) == 2


# ------------------------------------------------------------------------------------------ a naive evaluator agrees

FACTS = st.fixed_dictionaries(
    {},
    optional={
        "price": st.integers(0, 4),
        "city": st.sampled_from(["a", "AB", " b "]),
        "contact_tags": st.lists(st.sampled_from(["a", "B"]), min_size=1),
        "contact_is_new": st.booleans(),
    },
)
LEAVES = st.one_of(
    st.builds(comparison, st.just("price"), st.sampled_from(["equal", "different", "at least", "at most"]),
              st.integers(0, 4)),
    st.builds(lambda low, more: comparison("price", "between", [low, low + more]), st.integers(0, 4),
              st.integers(0, 2)),
    st.builds(comparison, st.sampled_from(["city", "contact_tags"]), st.sampled_from(["one of", "none of"]),
              st.lists(st.sampled_from(["A", "b", "ab"]), min_size=1, max_size=2)),
    st.builds(comparison, st.just("city"), st.sampled_from(["equal", "different", "contains", "begins with"]),
              st.sampled_from(["a", "B"])),
    st.builds(comparison, st.sampled_from(["price", "city", "contact_tags"]), st.sampled_from(["known", "unknown"])),
    st.builds(comparison, st.just("contact_is_new"), st.just("equal"), st.booleans()),
)  # fmt: skip


def trees(levels: int) -> st.SearchStrategy[Any]:
    if levels == 1:
        return LEAVES
    inside = trees(levels - 1)
    groups = st.lists(inside, min_size=1, max_size=3)
    return st.one_of(
        LEAVES,
        st.builds(lambda parts: {"all": parts}, groups),
        st.builds(lambda parts: {"any": parts}, groups),
        st.builds(lambda part: {"not": part}, inside),
    )


def naive(tree: dict[str, Any], facts: dict[str, Any]) -> bool:
    """What the words say, without anything that was prepared."""
    if "all" in tree:
        return not [part for part in tree["all"] if not naive(part, facts)]
    if "any" in tree:
        return bool([part for part in tree["any"] if naive(part, facts)])
    if "not" in tree:
        return not naive(tree["not"], facts)
    operator, wanted, found = tree["is"], tree.get("value"), facts.get(tree["field"])
    if found is None:
        return operator in ("unknown", "different", "none of")
    if operator in ("known", "unknown"):
        return operator == "known"

    def plain(value: Any) -> Any:
        return value.strip().lower() if isinstance(value, str) else value

    found = [plain(each) for each in found] if isinstance(found, list) else [plain(found)]
    wanted = [plain(each) for each in wanted] if isinstance(wanted, list) else [plain(wanted)]
    match operator:
        case "equal" | "one of":
            return any(each in wanted for each in found)
        case "different" | "none of":
            return all(each not in wanted for each in found)
        case "at least":
            return bool(found[0] >= wanted[0])
        case "at most":
            return bool(found[0] <= wanted[0])
        case "between":
            return bool(wanted[0] <= found[0] <= wanted[1])
        case "contains":
            return wanted[0] in found[0]
    return bool(found[0].startswith(wanted[0]))


@given(trees(4), FACTS)
def test_a_naive_evaluator_agrees_and_the_first_failure_is_one(tree: Any, facts: dict[str, Any]) -> None:
    conditions = Conditions.read(tree)
    assert conditions.given == tree
    assert conditions.hold(facts) is naive(tree, facts)
    failure = conditions.first_failure(facts)
    assert (failure is None) is naive(tree, facts)
    if failure is not None:
        assert naive(failure.comparison.as_json, facts) is failure.is_negated
        assert expectation(failure)
    assert conditions_text(conditions)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
KEYS = st.sampled_from(["all", "any", "not", "field", "is", "value", "timezone", "weekly_hours", "monday", "x"])
WORDS = st.sampled_from([*FIELDS, "custom.x", *(each for names in OPERATORS.values() for each in names)])
JUNK = st.recursive(
    SCALARS | WORDS, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(KEYS, inside, max_size=4)
)


@given(JUNK)
def test_any_json_is_read_or_refused_by_path(value: Any) -> None:
    faults: dict[str, str] = {}
    conditions = None
    try:
        conditions = Conditions.read(value)
    except Faults as refused:
        faults = refused.found
    if conditions is not None:
        assert conditions_in(msgspec.json.encode(conditions.given).decode()) == conditions
    else:
        assert faults
        assert all(path.startswith("conditions") for path in faults)


# ------------------------------------------------------------------------------------------------ which failed first

FAILURES: list[tuple[str, Any, dict[str, Any], tuple[str, str]]] = [
    ("the comparison", PRICE, {"price": 1}, ("price", "at least 300,000")),
    ("the first of all", {"all": [STATE, PRICE]}, {"state": "CO"}, ("price", "at least 300,000")),
    ("the first of any", {"any": [STATE, PRICE]}, {}, ("state", "CO or WY")),
    ("what should not be", {"not": STATE}, {"state": "WY"}, ("state", "not CO or WY")),
    ("what should not be of several", {"not": {"any": [PRICE, STATE]}}, {"state": "WY"}, ("state", "not CO or WY")),
    ("the first of all that should not be", {"not": {"all": [PRICE, STATE]}}, {"state": "WY", "price": 10**6},
     ("price", "not at least 300,000")),
    ("not not", {"not": {"not": PRICE}}, {}, ("price", "at least 300,000")),
    ("inside", {"all": [{"any": [PRICE]}, STATE]}, {"state": "CO"}, ("price", "at least 300,000")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given_", "facts", "expected"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES]
)
def test_the_first_comparison_that_failed(given_: Any, facts: dict[str, Any], expected: tuple[str, str]) -> None:
    failure = Conditions.read(given_).first_failure(facts)
    assert failure is not None
    assert (failure.comparison.field, expectation(failure)) == expected


# ----------------------------------------------------------------------------------------------------- the sentence

SENTENCES: list[tuple[Any, str]] = [
    ({"all": [comparison("price", "between", [300_000, 500_000]), STATE]},
     "price from 300,000 to 500,000 and state is CO or WY"),
    ({"any": [STATE, {"all": [PRICE, comparison("city", "equal", "Salt Lake City")]}]},
     "state is CO or WY or (price is at least 300,000 and city is “Salt Lake City”)"),
    ({"all": [{"all": [PRICE]}, {"any": [STATE]}]}, "price is at least 300,000 and state is CO or WY"),
    ({"not": comparison("message", "contains", "pool")}, "not (message contains pool)"),
    (comparison("price", "at most", 1234.5), "price is at most 1,234.5"),
    (comparison("zipcode", "begins with", "802"), "zipcode begins with 802"),
    (comparison("type", "different", "Seller"), "type is not Seller"),
    (comparison("type", "none of", ["Seller"]), "type is not Seller"),
    (comparison("type", "none of", ["Seller", "Renter", "x y"]), "type is neither Seller nor Renter nor “x y”"),
    (comparison("city", "one of", ["A", "B", "or"]), "city is A, B or “or”"),
    (comparison("mls_id", "known"), "MLS id is known"),
    (comparison("email", "unknown"), "e-mail is unknown"),
    (comparison("custom.Shoe size", "equal", "9"), "“Shoe size” is 9"),
    (comparison("contact_tags", "equal", "VIP"), "the contact has the tag VIP"),
    (comparison("contact_tags", "one of", ["VIP", "Buyer"]), "the contact has the tag VIP or Buyer"),
    (comparison("contact_tags", "none of", ["VIP", "Buyer"]), "the contact does not have the tag VIP or Buyer"),
    (comparison("contact_tags", "different", "VIP"), "the contact does not have the tag VIP"),
    (comparison("contact_tags", "known"), "the contact has a tag"),
    (comparison("contact_tags", "unknown"), "the contact has no tag"),
    (comparison("contact_is_new", "equal", True), "this is the contact’s first lead"),
    (comparison("contact_is_new", "equal", False), "this is not the contact’s first lead"),
    (comparison("received_at", "within", HOURS), "received Monday 09:00–17:00 (America/Denver)"),
    (comparison("received_at", "within", HOURS | {"weekly_hours": None}), "received at any time (America/Denver)"),
]  # fmt: skip


@pytest.mark.parametrize(("given_", "sentence"), SENTENCES)
def test_the_sentence(given_: Any, sentence: str) -> None:
    assert conditions_text(Conditions.read(given_)) == sentence
