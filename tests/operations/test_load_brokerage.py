"""A brokerage from a file: all of it or nothing, once, and a clear word where the file is wrong."""

import codecs
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadroutes.errors import Invalid, NotFound
from leadroutes.operations.brokerage_file import read_brokerage
from leadroutes.operations.load_brokerage import load_brokerage
from leadroutes.store.postgres import Database

EXAMPLE = Path(__file__).parents[2] / "examples" / "brokerage.json"
OWNER = "rosalind.vale@example.com"

KINDS = (
    "users", "teams", "team_members", "team_member_distribution_options", "lead_sources", "contact_sources",
    "template_folders", "templates", "campaigns", "campaign_actions", "lead_routes",
)  # fmt: skip


def example(change: Callable[[dict[str, Any]], object] = lambda _: None) -> bytes:
    brokerage = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    change(brokerage)
    return json.dumps(brokerage).encode()


async def counts(database: Database) -> dict[str, int]:
    return {kind: await database.fetchval(f"SELECT count(*) FROM {kind}") for kind in KINDS}


async def test_a_brokerage_is_loaded_with_everything_in_its_file(database: Database) -> None:
    loaded = await load_brokerage(database, read_brokerage(example()), OWNER)

    assert dict(loaded.added) == {
        "users": 13, "lead_sources": 0, "contact_sources": 11, "teams": 4, "team_members": 17,
        "team_member_distribution_options": 15, "template_folders": 4, "templates": 11, "campaigns": 4, "actions": 18,
        "lead_routes": 10,
    }  # fmt: skip
    assert loaded.given["lead_sources"] == 8, "all of them are in the catalogue"


async def test_loading_it_again_adds_nothing(database: Database) -> None:
    await load_brokerage(database, read_brokerage(example()), OWNER)
    before = await counts(database)

    again = await load_brokerage(database, read_brokerage(example()), OWNER.upper())

    assert set(again.added.values()) == {0}
    assert await counts(database) == before


async def test_pending_and_declined_members_stay_what_they_are(database: Database) -> None:
    await load_brokerage(database, read_brokerage(example()), OWNER)

    rows = await database.fetch(
        "SELECT teams.name, users.username, request_status FROM team_members JOIN teams ON teams.id = team_id"
        " JOIN users ON users.id = user_id WHERE request_status <> 'Accepted' ORDER BY 1, 2"
    )

    assert [tuple(row) for row in rows] == [
        ("Denver Metro", "beatriz.oconnell", "Declined"), ("First Response", "hank.lindgren", "Pending")
    ]  # fmt: skip


async def test_the_creator_of_a_team_is_a_member_of_it(database: Database) -> None:
    await load_brokerage(database, read_brokerage(example()), OWNER)

    assert await database.fetchval(
        "SELECT count(*) FROM team_members JOIN users ON users.id = user_id"
        " WHERE username = 'rosalind.vale' AND request_status = 'Accepted'"
    ) == 4  # fmt: skip


async def test_whoever_claims_is_whoever_has_the_contact_and_a_name_is_that_user(database: Database) -> None:
    await load_brokerage(database, read_brokerage(example()), OWNER)

    rows = await database.fetch(
        "SELECT campaign_actions.description, users.username FROM campaign_actions"
        " LEFT JOIN users ON users.id = assigned_user_id WHERE campaign_actions.type LIKE 'Agent Task%'"
    )
    assigned = {row["description"]: row["username"] for row in rows}

    assert assigned["First call. Ask for the time frame and the lender."] is None
    assert assigned["Call before the report goes out."] == "beatriz.oconnell"


async def test_people_without_a_password_cannot_sign_in(database: Database) -> None:
    await load_brokerage(database, read_brokerage(example()), OWNER)

    assert await database.fetchval("SELECT count(*) FROM users WHERE password_hash IS NOT NULL") == 0


async def test_an_owner_who_is_here_replaces_the_owner_of_the_file(database: Database) -> None:
    def without_the_owner(brokerage: dict[str, Any]) -> None:
        del brokerage["users"][0]

    await load_brokerage(database, read_brokerage(example()), OWNER)
    alice = await database.fetchval(
        "INSERT INTO users (email, created_at, modified_at) VALUES ('alice@example.com', now(), now()) RETURNING id"
    )

    await load_brokerage(database, read_brokerage(example(without_the_owner)), "alice@example.com")

    assert await database.fetchval("SELECT count(*) FROM lead_routes WHERE owner_id = $1", alice) == 10


async def test_the_conditions_of_a_route_are_loaded_with_their_sentence(database: Database) -> None:
    conditions = {"field": "price", "is": "at least", "value": "300000"}
    changed = example(lambda brokerage: put(brokerage, "lead_routes.0.conditions", conditions))
    for _ in range(2):
        await load_brokerage(database, read_brokerage(changed), OWNER)
    rows = await database.fetch(
        "SELECT conditions::text AS given, conditions_text AS said FROM lead_routes WHERE conditions IS NOT NULL"
    )
    assert [row["said"] for row in rows] == ["price is at least 300,000"]
    assert json.loads(rows[0]["given"]) == conditions | {"value": 300_000}
    assert await database.fetchval("SELECT count(*) FROM lead_routes") == 10


async def test_all_that_can_be_set_of_a_campaign_is_loaded(database: Database) -> None:
    window, conditions = (
        {"weekly_hours": {"tuesday": [["09:00", "17:00"]]}},
        {"field": "replied", "is": "equal", "value": False},
    )
    shares = [{"template": "Buyer 1: we got your request", "share": 2},
              {"template": "Buyer 2: details and showing times", "share": 1}]  # fmt: skip

    def with_more(brokerage: dict[str, Any]) -> None:
        brokerage["campaigns"][0] |= {
            "send_window": window, "first_answer_minutes": 5, "stops_on": ["claim"], "pause_on_offer": True,
        }  # fmt: skip
        step = brokerage["campaigns"][0]["actions"][1]
        step |= {"template": None, "variants": shares, "send_window": window, "conditions": conditions,
                 "smallest_difference": 3}  # fmt: skip

    for _ in range(2):
        await load_brokerage(database, read_brokerage(example(with_more)), OWNER)

    [campaign, other] = await database.fetch(
        "SELECT id, send_window::text, first_answer_minutes, stops_on, pause_on_offer FROM campaigns"
        " ORDER BY id LIMIT 2"
    )
    assert json.loads(campaign["send_window"]) == window
    assert list(campaign)[2:] == [5, ["claim"], True]
    assert list(other)[1:] == [None, 0, ["reply", "conversation"], False]
    [step] = await database.fetch(
        "SELECT send_window::text, conditions::text, conditions_text, variants::text, smallest_difference, template_id"
        " FROM campaign_actions WHERE variants IS NOT NULL"
    )
    assert (json.loads(step["send_window"]), json.loads(step["conditions"])) == (window, conditions)
    assert (step["conditions_text"], step["smallest_difference"]) == ("the contact has not replied", 3)
    templates = await database.fetch("SELECT id, description FROM templates")
    names = {row["id"]: row["description"] for row in templates}
    found = [{"template": names[each["template_id"]], "share": each["share"]} for each in json.loads(step["variants"])]
    assert found == shares
    assert step["template_id"] is None


async def test_a_stranger_cannot_own_what_is_loaded(database: Database) -> None:
    with pytest.raises(NotFound, match=r"dave@example\.com"):
        await load_brokerage(database, read_brokerage(example()), "dave@example.com")

    assert await database.fetchval("SELECT count(*) FROM users") == 0


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("teams.2.order_method", "Alphabet", ["teams[2].order_method", "'Alphabet'", "Rank, Time, Round Robin"]),
        ("teams.1.mins_until_next_alert", -5, ["teams[1].mins_until_next_alert", ">= 0"]),
        ("teams.1.name", "First Response", ["teams[1].name", "'First Response'", "second time"]),
        ("teams.0.colour", "red", ["teams[0]", "colour"]),
        ("lead_routes.3.team_selection_method", "Zip", ["lead_routes[3].team_selection_method", "'Zip'", "Zipcode"]),
        ("lead_routes.0.team", None, ["lead_routes[0].team", "missing"]),
        ("lead_routes.1.conditions", {"not": {"field": "price", "is": "near"}}, ["lead_routes[1].conditions.not.is"]),
        ("lead_routes.1.conditions", [], ["lead_routes[1].conditions"]),
        ("campaigns.0.actions.1.delay_by_seconds", None, ["campaigns[0].actions[1].delay_by_seconds", "missing"]),
        ("campaigns.0.actions.3.dispatch_time", "25:00", ["campaigns[0].actions[3].dispatch_time", "'25:00'", "HH:MM"]),
        ("campaigns.0.actions.0.timing_type", "Recurring", ["campaigns[0].actions[0].recurrence", "missing"]),
        ("campaigns.0.actions.2.template", "Buyer 1", ["campaigns[0].actions[2].template", "'Buyer 1'", "takes none"]),
        ("campaigns.3.actions.2.dispatch_datetime", "soon", ["campaigns[3].actions[2].dispatch_datetime"]),
        ("campaigns.0.send_window", {}, ["campaigns[0].send_window.weekly_hours is required"]),
        ("campaigns.0.stops_on", ["sun"], ["campaigns[0].stops_on[0]", "'sun'", "reply, conversation"]),
        ("campaigns.0.first_answer_minutes", 1441, ["campaigns[0].first_answer_minutes", "<= 1440"]),
        (
            "campaigns.0.actions.1.send_window",
            {"weekly_hours": {"sun": []}},
            ["campaigns[0].actions[1].send_window.weekly_hours.sun"],
        ),
        (
            "campaigns.0.actions.2.conditions",
            {"field": "city", "is": "known"},
            ["campaigns[0].actions[2].conditions", "takes none"],
        ),
        (
            "campaigns.0.actions.1.conditions",
            {"field": "sun", "is": "known"},
            ["campaigns[0].actions[1].conditions.field"],
        ),
        ("campaigns.0.actions.1.variants", [{"template": "a", "share": 1}], ["campaigns[0].actions[1].variants"]),
        (
            "campaigns.0.actions.1.variants",
            [{"template": "a", "share": 1}, {"template": "b", "share": 1}],
            ["campaigns[0].actions[1].variants", "the place of template"],
        ),
        ("team_member_distribution_options.0.rank", 2**31, ["team_member_distribution_options[0].rank", "2147483647"]),
        ("lead_routes.0.priority", -(2**31) - 1, ["lead_routes[0].priority", "-2147483648"]),
        ("campaigns.0.actions.1.delay_by_seconds", 2**31, ["campaigns[0].actions[1].delay_by_seconds", "2147483647"]),
        ("teams.1.name", "First\0", ["teams[1].name", r"'First\x00'", "character 0"]),
        ("brokerage.address", {"a\0": "b"}, ["brokerage.address", "character 0"]),
        (
            "campaigns.3.actions.2.dispatch_datetime",
            "0001-01-01T00:00:00Z",
            ["campaigns[3].actions[2].dispatch_datetime", "0001-01-01"],
        ),
        (
            "campaigns.0.actions.2",
            {"type": "Agent Task - No Reminder", "timing_type": "Recurring", "recurrence": "FREQ=NOW"},
            ["campaigns[0].actions[2].recurrence", "'FREQ=NOW'", "RFC"],
        ),
    ],
)
def test_a_wrong_field_is_named_with_its_place(place: str, value: Any, words: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        read_brokerage(example(lambda brokerage: put(brokerage, place, value)))

    assert all(word in caught.value.message for word in words), caught.value.message


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("lead_routes.4.conditions", {"field": "custom.Budget", "is": "known"},
         ["lead_routes[4].conditions.field", "'custom.Budget'"]),
        ("lead_routes.4.campaign", "Nothing", ["lead_routes[4].campaign", "'Nothing'", "Social Nurture"]),
        ("team_members.0.user", "unknown", ["team_members[0].user", "'unknown'", "imani.osterhaus"]),
        ("templates.2.template_folder", "Attic", ["templates[2].template_folder", "'Attic'", "Buyers"]),
        ("campaigns.1.actions.1.assigned_user", "ghost", ["campaigns[1].actions[1].assigned_user", "'ghost'"]),
        ("users.4.timezone", "Mars/Olympus", ["users[4].timezone", "'Mars/Olympus'", "America/Denver"]),
        ("users.4.phone", "12", ["users[4].phone", "'12'"]),
        (
            "team_member_distribution_options.0.user", "ray.castellucci",
            ["team_member_distribution_options[0].user", "First Response"],
        ),
    ],
)  # fmt: skip
async def test_an_unknown_name_is_reported_and_nothing_is_stored(
    database: Database, place: str, value: Any, words: list[str]
) -> None:
    brokerage = read_brokerage(example(lambda each: put(each, place, value)))

    with pytest.raises(Invalid) as caught:
        await load_brokerage(database, brokerage, OWNER)

    assert all(word in caught.value.message for word in words), caught.value.message
    assert await database.fetchval("SELECT count(*) FROM users") == 0


def test_a_byte_order_mark_may_begin_the_file() -> None:
    assert read_brokerage(codecs.BOM_UTF8 + example()) == read_brokerage(example())


def test_a_file_in_another_character_set_is_refused_in_words() -> None:
    latin = example(lambda brokerage: put(brokerage, "teams.1.name", "Gr\xfcn"))
    with pytest.raises(Invalid, match="UTF-8"):
        read_brokerage(latin.replace(rb"\u00fc", b"\xfc"))
    with pytest.raises(Invalid, match="UTF-8"):
        read_brokerage(example().decode().encode("utf-16"))


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff", b'{"brokerage": 1}', b'{"users": []}'])
def test_a_file_that_is_not_a_brokerage_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        read_brokerage(content)


def put(brokerage: dict[str, Any], place: str, value: Any) -> None:
    *path, last = (int(step) if step.isdigit() else step for step in place.split("."))
    target: Any = brokerage
    for step in path:
        target = target[step]
    target[last] = value
