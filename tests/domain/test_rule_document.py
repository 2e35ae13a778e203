"""Rules as a document: what is written is read again and changes only what it says, and faults have a place."""

import json
from typing import Any, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields

from leadroutes.domain.conditions import Conditions
from leadroutes.domain.document_text import UnreadableDocument, is_rules, read_document, write_document
from leadroutes.domain.laid_over import laid_over
from leadroutes.domain.model import ListingAgent, Member, Rules
from leadroutes.domain.rule_difference import difference
from leadroutes.domain.rule_document import RuleDocument, document_of
from leadroutes.domain.rule_fields import KINDS
from leadroutes.domain.rule_records import records_of
from tests.support.builders import ALICE, BOB, CAROL, DAVE, ZILLOW, option, route, team
from tests.support.rule_documents import DENVER, NAMES, RULES, over, rules, texts

# ---------------------------------------------------------------------------------------------------- every field


def test_every_field_of_the_model_is_declared() -> None:
    """A field that is not would be lost by a restore, and by a document, without anyone noticing."""
    for kind in KINDS:
        if kind.model is not None:
            declared = {each.name for each in kind.fields} | kind.apart
            assert {each.name for each in fields(kind.model)} == declared, kind.noun
            assert not {each.name for each in kind.fields} & kind.apart
    assert {each.name for each in fields(Rules)} == {
        "owner_id", "people", "campaigns", "teams", "routes", "listing_agents",
    }  # fmt: skip


def test_declared_words_are_those_of_the_model() -> None:
    hints = {kind.name: get_type_hints(kind.model) for kind in KINDS if kind.model is not None}
    allowed = {(kind, name): getattr(hint, "__args__", ()) for kind in hints for name, hint in hints[kind].items()}
    for kind in KINDS:
        for each in kind.fields:
            words = getattr(each.kind, "allowed", None)
            if words is not None and (args := allowed[kind.name, each.name]):
                literal = args if isinstance(args[0], str) else args[0].__args__
                assert words == literal, each.name


# ---------------------------------------------------------------------------------------------- export, then load


conditions = st.sampled_from(
    [
        None,
        Conditions.read({"field": "price", "is": "at least", "value": 300000.5}),
        Conditions.read({
            "all": [{"field": "state", "is": "one of", "value": ["CO", "no"]},
                    {"not": {"field": "city", "is": "known"}}]
        }),
        Conditions.read({"field": "custom.gone", "is": "equal", "value": "01"}),
    ]
)  # fmt: skip


@st.composite
def any_rules(draw: st.DrawFn) -> Rules:
    teams = []
    for number in range(draw(st.integers(0, 3))):
        users = draw(st.lists(st.sampled_from([ALICE, BOB, CAROL, DAVE]), unique=True))
        members = tuple(
            Member(
                id=100 * number + user_id, user_id=user_id,
                request_status=draw(st.sampled_from(["Accepted", "Pending", "Declined"])),
                option=(has := draw(st.none() | st.builds(option, rank=st.none() | st.integers(-5, 5),
                                                          mins_until_lead_offer=st.integers(0, 9),
                                                          assign_automatically=st.booleans()))),
                option_id=None if has is None else 1000 * number + user_id,
            )
            for user_id in users
        )  # fmt: skip
        teams.append(
            team(*members, id=10 + number, name=draw(st.sampled_from(["Denver", "Denver (#11)", "no"]) | texts),
                 order_method=draw(st.sampled_from(["Rank", "Time", "Round Robin"])),
                 distribution_zipcodes=tuple(
                     draw(st.lists(st.sampled_from(["80202", "01234", "K1A0B1"]), unique=True))),
                 connect_on_claim=draw(st.booleans()))
        )  # fmt: skip
    routes = [
        route(id=200 + number, name=f"{draw(texts)}{number}" if draw(st.booleans()) else None,
              lead_source_id=draw(st.sampled_from([ZILLOW, 7, 1000])), contact_source_id=draw(st.integers(1, 3)),
              campaign_id=draw(st.sampled_from([1, 2, 99])), filter=draw(st.none() | texts),
              conditions=draw(conditions),
              team_id=draw(st.sampled_from([None, *(each.id for each in teams)])), priority=draw(st.integers(-9, 9)),
              distribution_target=draw(st.sampled_from(["Myself", "Team Rollout"])))
        for number in range(draw(st.integers(0, 6)))
    ]  # fmt: skip
    agents = [
        ListingAgent(id=5 + number, mls_id=f"R{number}", user_id=BOB) for number in range(draw(st.integers(0, 2)))
    ]
    return rules(*teams, *routes, *agents)


@settings(deadline=None, max_examples=60)
@given(any_rules(), st.sampled_from(["yaml", "json"]), st.booleans())
def test_a_loaded_export_changes_nothing(present: Rules, form: Any, prune: bool) -> None:
    text = write_document(document_of(present, NAMES), form)

    assert text == write_document(document_of(present, NAMES), form)
    found = laid_over(read_document(text.encode()), present, NAMES, prune=prune)

    assert found.faults == ()
    assert difference(records_of(present), records_of(found.rules)) == []
    assert found.rules == present


def test_teams_that_are_called_as_others_are_spelled_stay_apart() -> None:
    called = ["Denver", "Denver", "Denver (#11)", "Denver (#11) (#12)"]
    teams = [team(id=10 + number, name=name) for number, name in enumerate(called)]
    routes = [route(id=200 + each.id, team_id=each.id, filter=str(each.id)) for each in teams]
    present = rules(*teams, *routes)
    found = laid_over(read_document(write_document(document_of(present, NAMES)).encode()), present, NAMES, prune=True)

    assert (found.faults, found.rules) == ((), present)


@settings(deadline=None, max_examples=60)
@given(any_rules(), any_rules(), st.booleans())
def test_what_was_loaded_is_what_an_export_says(present: Rules, wished: Rules, prune: bool) -> None:
    """Also over other rules: a second load changes nothing, and with `prune` nothing else is left."""
    document = document_of(wished, NAMES)
    found = laid_over(document, present, NAMES, prune=prune)
    if found.faults:  # a name that two have, a campaign that is gone
        return
    again = laid_over(document, found.rules, NAMES, prune=prune)

    assert again.faults == ()
    assert difference(records_of(found.rules), records_of(again.rules)) == []
    if prune:
        exported = document_of(found.rules, NAMES).content
        assert [each["name"] for each in exported["routes"]].count(None) == [
            each["name"] for each in document.content["routes"]
        ].count(None)
        assert len(exported["teams"]) == len(document.content["teams"])


@settings(deadline=None, max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**17), 10**17) | texts | st.text("-:#'\"{}[],&*!|>%@` \n\t0"),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=12,
    )
)
def test_any_text_that_is_written_is_read_again(value: Any) -> None:
    content = {"rules": 1, "value": value}
    for form in ("yaml", "json"):
        read = read_document(write_document(RuleDocument(content), form).encode())  # type: ignore[arg-type]
        assert json.dumps(read.content) == json.dumps(content)


# ------------------------------------------------------------------------------------------------- laying it over


@pytest.mark.parametrize(
    ("content", "prune", "expected"),
    [
        ({"routes": [{"name": "Portals", "priority": 5}]}, False, ["Route 100: priority 0 → 5"]),
        ({"routes": [{"name": "Portals", "campaign": "Sellers: all of them", "is_active": False}]}, False,
         ["Route 100: active yes → no", "Route 100: campaign Buyers → Sellers: all of them"]),
        # who has no name, or a new one, is found by sources, filter and conditions
        ({"routes": [{"lead_source": "Zillow", "contact_source": "Portals (#1)", "filter": "Seller", "priority": 6}]},
         False, ["Route 101: priority 5 → 6"]),
        ({"routes": [{"name": "All", "lead_source": "Zillow", "contact_source": "Portals (#1)", "filter": "Seller"}]},
         False, ["Route 101: name none → “All”"]),
        ({"routes": [{"name": "Portals", "distribution_target": "Myself"}]}, False,
         ["Route 100: goes to Team Rollout → Myself", "Route 100: team by Specific Team → none",
          "Route 100: team Denver → none"]),
        ({"routes": []}, False, []),
        ({"teams": []}, True, [f"teams | teams: {route} needs a team that the document does not name"
                               for route in ("the route 'Portals'", "route 101")]),
        ({"routes": [], "teams": []}, True,
         ["Team 10: removed (name “Denver”, minutes until next alert 5)",
          ("Route 100: removed (name “Portals”, lead source Zillow, contact source Portals (#1), goes to Team Rollout,"
          " team by Specific Team, team Denver, campaign Buyers)"),
          ("Route 101: removed (lead source Zillow, contact source Portals (#1), priority 5, filter “Seller”,"
          " goes to Team Rollout, team by Specific Team, team Denver, campaign Buyers)")]),
        ({"teams": [{"name": "Denver", "members": [
            {"user": "BOB@example.com", "option": {"weight": 2}},
            {"user": "carol@example.com", "option": {"assign_automatically": False}}]}]}, False,
         ["New member (carol@example.com in Denver): added",
          "Option 23 (Bob@example.com in Denver): weight 1 → 2",
          "New option (carol@example.com in Denver): added (rank 3, assigns automatically no)"]),
        ({"teams": [{"name": "Denver", "members": [{"user": "bob@example.com"}]}]}, True,
         ["Member 20 (alice@example.com in Denver): removed (request Accepted)",
          "Option 23 (Bob@example.com in Denver): removed (rank 2, assigns automatically no, alert by e-mail yes)"]),
        ({"teams": [{"name": "Boulder", "order_method": "Time", "mins_until_next_alert": 9,
                     "distribution_zipcodes": ["80301-1234", 80302, "80301"]}]}, False,
         ["New team Boulder: added (name “Boulder”, order method Time, zipcodes 80301, 80302)",
          "New member (alice@example.com in Boulder): added (request Accepted)"]),
        ({"teams": [{"name": "Denver", "distribution_zipcodes": ["80202"]}]}, False, ["Team 10: zipcodes 80202 added"]),
        ({"listing_agents": [{"mls_id": "R 1", "user": "bob@example.com"}]}, False,
         ["New listing agent: added (“R 1”, Bob@example.com)"]),
        ({"teams": [{"name": "Denver", "members": [{"user": "carol@example.com"}]}],
          "listing_agents": [{"mls_id": "R 1", "user": "carol@example.com"}]}, False,
         ["New member (carol@example.com in Denver): added", "New listing agent: added (“R 1”, carol@example.com)"]),
        # what is wrong
        ({"listing_agents": [{"mls_id": "R 1", "user": "carol@example.com"}]}, False,
         [("listing_agents[0].user | listing_agents[0].user: 'carol@example.com' was given; expected a member of a"
          " team")]),
        ({"routes": [{"name": "Portals", "team": "Denvr"}]}, False,
         ["routes[0].team | routes[0].team: 'Denvr' was given; expected a team of yours: Denver"]),
        ({"routes": [{"name": "Portals", "contact_source": "Portals"}]}, False,
         [("routes[0].contact_source | routes[0].contact_source: 'Portals' was given; expected a contact source of"
          " yours: Portals (#1), Portals (#2)")]),
        ({"routes": [{"name": "New", "lead_source": "Zillow"}]}, False,
         [f"routes[0].{name} | routes[0].{name} is required"
          for name in ("contact_source", "distribution_target", "campaign")]),
        ({"routes": [{"name": "Portals"}, {"name": "Portals"}]}, False,
         ["routes[1] | routes[1]: this route was given a second time"]),
        ({"routes": [{"name": "Portals", "team": None}]}, False,
         ["routes[0].team | routes[0].team is required with Specific Team"]),
        ({"routes": [{"name": "Portals", "conditions": {"field": "custom.Rooms", "is": "known"}}]}, False,
         [("routes[0].conditions.field | routes[0].conditions.field: 'custom.Rooms' was given; expected custom. and one"
          " of Budget")]),
        ({"teams": [{"name": "Denver", "members": [{"user": "erin@example.com"}]}]}, False,
         [("teams[0].members[0].user | teams[0].members[0].user: 'erin@example.com' was given; expected the e-mail of"
          " a user")]),
        ({"teams": [{"name": "Denver", "members": [{"user": "bob@example.com"}, {"user": "Bob@example.com"}]}]}, False,
         ["teams[0].members[1] | teams[0].members[1]: this member was given a second time"]),
        ({"teams": [{"order_method": "Fast"}]}, False,
         [("teams[0].order_method | teams[0].order_method: 'Fast' was given; expected one of Rank, Time, Round Robin,"
          " Simultaneous, Least Loaded, Longest Idle")]),
        ({"teams": [{}]}, False, ["teams[0].name | teams[0].name is required"]),
        ({"teams": [{"name": "Denver", "mins_until_next_alert": True}]}, False,
         [("teams[0].mins_until_next_alert | teams[0].mins_until_next_alert: true was given; expected a whole number"
          " from 0 to 2147483647")]),
    ],
)  # fmt: skip
def test_a_document_changes_what_it_says(content: dict[str, Any], prune: bool, expected: list[str]) -> None:
    assert over({"rules": 1, **content}, prune=prune) == expected


def test_a_name_that_is_taken_by_a_route_that_is_not_mentioned_is_refused() -> None:
    content = {
        "routes": [{"name": None, "lead_source": "Zillow", "contact_source": "Portals (#1)", "filter": "Seller"}]
    }
    assert over({"rules": 1, **content}) == []
    renamed = rules(DENVER, route(name="A"), route(id=101, name="B"))
    assert over({"rules": 1, "routes": [{"name": "A", "priority": 1}, {"name": "B", "priority": 2}]}, renamed) == [
        "Route 100: priority 0 → 1", "Route 101: priority 0 → 2",
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------ where a fault is

TEXT = """rules: 1
teams:
  - name: Denver
    order_method: Fast
    colour: red
routes:
  - {name: Portals, team: Denver, conditions: {all: [{field: price, is: between, value: [3, 2]}]}}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TEXT, ["5:13 teams[0].colour", "4:19 teams[0].order_method", "7:82 routes[0].conditions.all[0].value"]),
        ('{"rules": 1,\n "teams": [{"name": 5, "members": 6}]}', ["2:35 teams[0].members"]),
        ('{"rules": 2}', ["1:11 rules"]),
        ("teams: []\n", ["1:1 rules"]),
    ],
)
def test_a_fault_has_a_line_and_a_column(text: str, expected: list[str]) -> None:
    faults = laid_over(read_document(text.encode()), RULES, NAMES).faults
    assert [f"{fault.line}:{fault.column} {fault.field}" for fault in faults] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"rules: 1\nrules: 2\n", "line 2, column 1: rules was given a second time"),
        (b"rules: 1\nteams: [\n",
         "line 3, column 1: the text is not YAML: while parsing a flow node did not find expected node content"),
        (b"rules: &a 1\n", "line 1, column 8: anchors and aliases are not expected"),
        (b"rules: 1\nteams: *a\n", "line 2, column 8: anchors and aliases are not expected"),
        (b"rules: !!python/object:os.system 1\n",
         "line 1, column 8: tags such as tag:yaml.org,2002:python/object:os.system are not expected"),
        (b"rules: 1\n---\nrules: 1\n", "line 2, column 1: one document is expected, and another one begins here"),
        (b"rules: \xff\n", "line 1, column 8: the text is not UTF-8"),
        (b"", "line 1, column 1: the document is empty; expected fields, the first of them rules: 1"),
        (b"- 1\n", "line 1, column 1: fields are expected, the first of them rules: 1"),
        (b"[" * 100_000, "line 1, column 25: at most 24 levels are expected"),
        (b"a: " + b"[" * 100, "line 1, column 27: at most 24 levels are expected"),
        (b'{"rules": 1,}', "line 1, column 13: the text is not JSON: } was not expected here"),
        (b'{"rules": 1', "line 1, column 12: the text ends too early"),
        (b'{"rules": 1} 2', "line 1, column 14: the text is not JSON: 2 was not expected here"),
        (b'{"rules": 01}', "line 1, column 11: the text is not JSON: 01 is not a value"),
        (b'{"rules": 1, "rules": 1}', "line 1, column 14: rules was given a second time"),
        (b'{"rules": NaN}', "line 1, column 11: the text is not JSON: NaN is not a value"),
        (b'{"a": "\\ud800"}', 'line 1, column 7: the text is not JSON: "\\ud800" is not a value'),
        (b"x" * 1_048_577, "line 1, column 1: 1048577 bytes were given; expected at most 1048576"),
    ],
)  # fmt: skip
def test_a_text_that_is_not_a_document_is_refused_at_its_place(text: bytes, expected: str) -> None:
    with pytest.raises(UnreadableDocument) as raised:
        read_document(text)
    assert str(raised.value) == expected


@given(st.binary(max_size=80) | st.text("{}[],:\"\\ -\n#&!'ar1", max_size=60).map(str.encode))
def test_no_text_does_harm(data: bytes) -> None:
    try:
        document = read_document(data)
    except UnreadableDocument:
        return
    laid_over(document, RULES, NAMES)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["rules", "teams", "routes", "listing_agents", "name", "members", "user",
                                         "option", "conditions", "team", "distribution_zipcodes", "mls_id"]),
                        inner, max_size=4),
                    max_leaves=20))  # fmt: skip
def test_no_content_does_harm(content: Any) -> None:
    laid_over(RuleDocument({"rules": 1, **content} if isinstance(content, dict) else content), RULES, NAMES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b"rules: 1\n", True), (b'{"rules": 1}', True), (b'{\n  "teams": [], "x": 1,\n  "rules": 1}', True),
     (b"# a comment\nrules: 1\n", True), (b'{"brokerage": {"owner": "x"}, "lead_routes": []}', False)],
)  # fmt: skip
def test_rules_are_told_from_other_files(text: bytes, expected: bool) -> None:
    assert is_rules(text) is expected


def test_a_large_document_is_read_in_one_piece() -> None:
    many = rules(DENVER, *(route(id=1000 + number, name=f"Route {number}", priority=number) for number in range(1500)))
    text = write_document(document_of(many, NAMES))

    assert len(text) > 400_000
    assert laid_over(read_document(text.encode()), many, NAMES).rules == many


def test_a_document_is_a_value_that_processes_can_exchange() -> None:
    document = read_document(TEXT.encode())
    assert msgspec.json.decode(msgspec.json.encode(document), type=RuleDocument) == document
