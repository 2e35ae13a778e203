"""How alerts reach a user: browsers that show notifications, and preferences, in the API."""

from typing import Any

import pytest

from leadroutes.api.resources.alerts import ALERT_PREFERENCES
from tests.support.api import Reply, ask
from tests.support.catalog import POINT
from tests.support.town import Town

ENDPOINT = "https://fcm.googleapis.com/fcm/send/bob"
KEYS = {"p256dh": POINT, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}
BY_DEFAULT = {
    "won": [], "claimed": ["notice"], "unclaimed": ["email", "text"], "replied": ["email", "text"], "digest": [],
    "quiet_from": None, "quiet_to": None,
}  # fmt: skip


async def allow(town: Town, name: str, **changes: Any) -> Reply:
    return await ask(town, name, "POST", "/push-subscriptions", json={"endpoint": ENDPOINT, "keys": KEYS} | changes)


# ------------------------------------------------------------------------------------------------------- browsers


async def test_a_browser_is_added_listed_and_removed_by_its_user_alone(town: Town) -> None:
    added = await allow(town, "bob", browser="Chrome on Android")
    assert added.status == 201
    assert set(added.json) == {"id", "endpoint", "browser", "created_at"}, "the keys are never shown"
    assert (added.json["endpoint"], added.json["browser"]) == (ENDPOINT, "Chrome on Android")
    assert (await ask(town, "bob", "GET", "/push-subscriptions")).json["data"] == [added.json]
    path = f"/push-subscriptions/{added.json['id']}"
    for other in ("alice", "carol", "dave"):
        assert (await ask(town, other, "GET", "/push-subscriptions")).json["total"] == 0
        assert (await ask(town, other, "DELETE", path)).status == 404
    assert (await ask(town, "bob", "DELETE", path)).json == added.json
    assert (await ask(town, "bob", "DELETE", path)).status == 404


async def test_the_same_browser_again_is_one_with_its_new_keys(town: Town) -> None:
    first, again = await allow(town, "bob"), await allow(town, "bob", keys=KEYS | {"auth": "A" * 22})
    assert first.json["id"] == again.json["id"]
    assert await town.database.fetchval("SELECT auth FROM push_subscriptions") == "A" * 22


async def test_a_browser_shows_alerts_to_whoever_allowed_it_last(town: Town) -> None:
    await allow(town, "bob")
    await allow(town, "carol")
    assert (await ask(town, "bob", "GET", "/push-subscriptions")).json["total"] == 0
    assert (await ask(town, "carol", "GET", "/push-subscriptions")).json["total"] == 1


async def test_the_newest_twenty_stay(town: Town) -> None:
    for number in range(22):
        await allow(town, "bob", endpoint=f"{ENDPOINT}/{number}")
    found = (await ask(town, "bob", "GET", "/push-subscriptions?$limit=100")).json["data"]
    assert [each["endpoint"] for each in found] == [f"{ENDPOINT}/{number}" for number in range(2, 22)]


async def test_a_browser_that_is_allowed_anew_is_among_the_newest(town: Town) -> None:
    await allow(town, "carol", endpoint=f"{ENDPOINT}/old")
    for number in range(20):
        await allow(town, "bob", endpoint=f"{ENDPOINT}/{number}")
    added = await allow(town, "bob", endpoint=f"{ENDPOINT}/old")
    assert (added.status, added.json["endpoint"]) == (201, f"{ENDPOINT}/old")
    found = (await ask(town, "bob", "GET", "/push-subscriptions?$limit=100")).json["data"]
    assert {each["endpoint"] for each in found} == {f"{ENDPOINT}/{number}" for number in ("old", *range(1, 20))}


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"endpoint": "http://127.0.0.1:1/x"}, "endpoint", "an https address of a known push service"),
        ({"endpoint": "https://push.example.com/x"}, "endpoint", "an https address of a known push service"),
        ({"endpoint": "https://169.254.169.254/latest"}, "endpoint", "an https address of a known push service"),
        ({"endpoint": None}, "endpoint", "is required"),
        ({"endpoint": "x" * 1001}, "endpoint", "text of up to 1000 characters"),
        ({"keys": None}, "keys", "is required"),
        ({"keys": {}}, "keys", "an object with texts"),
        ({"keys": {"p256dh": POINT}}, "keys", "expected p256dh"),
        ({"keys": KEYS | {"more": "x"}}, "keys", "expected p256dh"),
        ({"keys": KEYS | {"p256dh": POINT[:-4]}}, "keys", "p256dh is not one"),
        ({"keys": KEYS | {"p256dh": "B" + "A" * 86}}, "keys", "p256dh is not one"),
        ({"keys": KEYS | {"auth": "short"}}, "keys", "auth is not one"),
        ({"keys": "p256dh"}, "keys", "expected an object"),
        ({"browser": 7}, "browser", "text of up to 100 characters"),
    ],
)
async def test_what_no_browser_says_is_refused(town: Town, changes: dict[str, Any], field: str, expected: str) -> None:
    refused = await allow(town, "bob", **changes)
    assert refused.status == 400
    assert expected in refused.json["errors"][field]
    assert await town.database.fetchval("SELECT count(*) FROM push_subscriptions") == 0


async def test_closing_the_account_forgets_its_browsers(town: Town) -> None:
    await town.database.execute("UPDATE users SET is_admin = true WHERE username = 'alice'")
    await allow(town, "bob")
    await ask(town, "bob", "PATCH", f"/alert-preferences/{town.users['bob']}", json={"digest": ["email"]})
    assert (await ask(town, "alice", "PATCH", f"/users/{town.users['bob']}", json={"is_active": False})).status == 200
    assert await town.database.fetchval("SELECT count(*) FROM push_subscriptions") == 0


# ---------------------------------------------------------------------------------------------------- preferences


async def change(town: Town, name: str, **changes: Any) -> Reply:
    return await ask(town, name, "PATCH", f"/alert-preferences/{town.users[name]}", json=changes)


async def test_everyone_has_a_record_from_the_beginning(town: Town) -> None:
    bob = town.users["bob"]
    assert (await ask(town, "bob", "GET", f"/alert-preferences/{bob}")).json == {"id": bob, **BY_DEFAULT}
    listed = (await ask(town, "bob", "GET", "/alert-preferences")).json
    assert (listed["total"], listed["data"]) == (1, [{"id": bob, **BY_DEFAULT}])
    for other in ("alice", "carol", "dave"):
        assert (await ask(town, other, "GET", f"/alert-preferences/{bob}")).status == 404
        assert (await ask(town, other, "PATCH", f"/alert-preferences/{bob}", json={"won": []})).status == 404
    assert (await ask(town, "bob", "POST", "/alert-preferences", json={})).status == 405
    assert await town.database.fetchval("SELECT count(*) FROM alert_preferences") == 0, "reading stores nothing"


async def test_what_is_chosen_stays_and_the_rest_is_as_it_was(town: Town) -> None:
    changed = await change(town, "bob", won=["text", "email", "text"], quiet_from="22:00", quiet_to="07:00:30")
    expected = BY_DEFAULT | {"won": ["text", "email"], "quiet_from": "22:00", "quiet_to": "07:00:30"}
    assert (changed.status, changed.json) == (200, {"id": town.users["bob"], **expected})
    changed = await change(town, "bob", claimed=[], unclaimed=None, digest=["push"])
    expected |= {"claimed": [], "unclaimed": [], "digest": ["push"]}
    assert changed.json == {"id": town.users["bob"], **expected}
    assert (await change(town, "bob")).json == changed.json
    assert await town.database.fetchval("SELECT digest_at IS NOT NULL FROM alert_preferences") is True
    await change(town, "bob", digest=[], quiet_from=None, quiet_to=None)
    row = await town.database.fetchrow("SELECT digest_at, quiet_from, quiet_to FROM alert_preferences")
    assert tuple(row) == (None, None, None)


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"won": ["pigeon"]}, "won", "a list of any of email, text, push"),
        ({"won": "email"}, "won", "a list of any of"),
        ({"won": ["notice"]}, "won", "a list of any of email, text, push"),
        ({"claimed": ["call"]}, "claimed", "a list of any of notice, email, text, push"),
        ({"digest": [None]}, "digest", "a list of any of"),
        ({"digest": {"email": True}}, "digest", "a list of any of"),
        ({"quiet_from": "22:00"}, "quiet_to", "expected a time of day"),
        ({"quiet_to": "07:00"}, "quiet_from", "expected a time of day"),
        ({"quiet_from": "25:00", "quiet_to": "07:00"}, "quiet_from", "a time of day, HH:MM"),
        ({"quiet_from": "07:00", "quiet_to": "07:00:00"}, "quiet_to", "another time than quiet_from"),
        ({"quiet_from": 22, "quiet_to": "07:00"}, "quiet_from", "a time of day"),
    ],
)
async def test_what_cannot_be_chosen_is_refused_in_words(
    town: Town, changes: dict[str, Any], field: str, expected: str
) -> None:
    refused = await change(town, "bob", **changes)
    assert refused.status == 400
    assert expected in refused.json["errors"][field]
    assert await town.database.fetchval("SELECT count(*) FROM alert_preferences") == 0


async def test_half_of_a_quiet_time_cannot_be_taken_away(town: Town) -> None:
    await change(town, "bob", quiet_from="22:00", quiet_to="07:00")
    refused = await change(town, "bob", quiet_to=None)
    assert refused.json["errors"].keys() == {"quiet_to"}
    assert (await change(town, "bob", quiet_to="22:00")).status == 400
    assert (await change(town, "bob", quiet_to="06:00")).json["quiet_to"] == "06:00"


async def test_what_a_decision_depends_on_makes_a_new_rule_set(town: Town) -> None:
    async def versions() -> dict[str, int]:
        rows = await town.database.fetch("SELECT username, rules_version FROM users")
        return {row["username"]: row["rules_version"] for row in rows}

    before = await versions()
    await change(town, "bob", claimed=[])
    after = await versions()
    assert {name for name in before if after[name] != before[name]} == {"alice", "bob"}
    await change(town, "bob", digest=["email"], replied=[], quiet_from="22:00", quiet_to="07:00")
    assert await versions() == after
    await change(town, "bob", claimed=["email"])
    assert (await versions())["alice"] == after["alice"] + 1


async def test_the_audit_names_what_was_changed(town: Town) -> None:
    await change(town, "bob", won=["email"])
    await allow(town, "bob")
    entries = (await ask(town, "bob", "GET", "/audit")).json["data"]
    assert {(each["method"], each["resource"]) for each in entries} == {
        ("PATCH", "/alert-preferences"), ("POST", "/push-subscriptions")
    }  # fmt: skip
    assert "fcm.googleapis" not in str(entries)
    assert POINT not in str(entries)


def test_every_kind_is_described() -> None:
    assert all(each.note for each in ALERT_PREFERENCES.fields if each.name != "id")
