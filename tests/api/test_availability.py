"""Hours, pauses, time off and what the creator of a team sets: who sees and changes what, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest

from leadroutes.api.values import Moment
from tests.support.api import Reply, ask
from tests.support.town import Town

OFFICE = {"monday": [["09:00", "12:30"], ["13:30", "18:00"]], "friday": [["22:00", "06:00"]]}
KEYS = [
    "id", "user_id", "timezone", "weekly_hours", "is_paused", "paused_until", "available_now", "available_from",
]  # fmt: skip


async def availability(town: Town, whose: str, reader: str | None = None) -> Any:
    reply = await ask(town, reader or whose, "GET", f"/availabilities/{town.users[whose]}")
    assert reply.status == 200, reply.body
    return reply.json


async def say(town: Town, whose: str, by: str | None = None, method: str = "PATCH", **body: Any) -> Reply:
    return await ask(town, by or whose, method, f"/availabilities/{town.users[whose]}", json=body)


def after(town: Town, **span: float) -> str:
    return Moment.written((town.now + timedelta(**span)).replace(microsecond=0))


async def test_everyone_has_an_availability_from_the_beginning(town: Town) -> None:
    await town.database.execute("UPDATE users SET timezone = 'America/Denver' WHERE username = 'bob'")
    found = await availability(town, "bob")
    assert list(found) == KEYS
    assert found == {
        "id": town.users["bob"], "user_id": town.users["bob"], "timezone": "America/Denver", "weekly_hours": None,
        "is_paused": False, "paused_until": None, "available_now": True, "available_from": None,
    }  # fmt: skip


async def test_a_user_the_creators_of_the_users_teams_and_administrators_see_it(town: Town) -> None:
    bob = town.users["bob"]
    await town.member("dave", await town.team("dave"), "bob", request_status="Pending")
    seen = {name: (await ask(town, name, "GET", f"/availabilities/{bob}")).status for name in town.users}
    assert seen == {"alice": 200, "bob": 200, "carol": 404, "dave": 404}
    changed = {name: (await say(town, "bob", by=name, is_paused=False)).status for name in town.users}
    assert changed == {"alice": 403, "bob": 200, "carol": 404, "dave": 404}
    await town.database.execute("UPDATE users SET is_admin = true WHERE username = 'dave'")
    assert (await say(town, "bob", by="dave", is_paused=True)).status == 200
    assert len((await ask(town, "dave", "GET", "/availabilities")).ids) == 4
    assert sorted((await ask(town, "alice", "GET", "/availabilities")).ids) == sorted(
        town.users[name] for name in ("alice", "bob", "carol")
    )
    assert (await ask(town, "bob", "POST", "/availabilities", json={})).status == 405
    assert (await ask(town, "bob", "DELETE", f"/availabilities/{bob}")).status == 405


async def test_hours_are_answered_as_they_were_written_and_put_resets_them(town: Town) -> None:
    reply = await say(town, "bob", weekly_hours=OFFICE, timezone="Europe/Berlin")
    assert (reply.json["weekly_hours"], reply.json["timezone"]) == (OFFICE, "Europe/Berlin")
    reply = await say(town, "bob", method="PUT", is_paused=True)
    assert (reply.json["weekly_hours"], reply.json["timezone"], reply.json["is_paused"]) == (None, "UTC", True)
    assert (await say(town, "bob", weekly_hours={})).json["available_now"] is False


REFUSED: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("an unknown zone", {"timezone": "Mars/Olympus"}, "timezone", ["'Mars/Olympus'", "America/Denver"]),
    ("an unknown day", {"weekly_hours": {"someday": []}}, "weekly_hours.someday", ["'someday'", "monday"]),
    ("equal ends", {"weekly_hours": {"monday": [["09:00", "09:00"]]}}, "weekly_hours.monday[0]", ["09:00 to 09:00"]),
    ("an overlap", {"weekly_hours": {"sunday": [["22:00", "06:00"]], "monday": [["05:00", "07:00"]]}},
     "weekly_hours.monday", ["05:00 to 07:00", "22:00 to 06:00 of sunday"]),
    ("too many", {"weekly_hours": {"monday": [[f"{n // 2:02}:{n % 2 * 30:02}", f"{n // 2:02}:{n % 2 * 30 + 29:02}"]
                                              for n in range(25)]}}, "weekly_hours", ["24 pairs"]),
    ("a text", {"weekly_hours": "always"}, "weekly_hours", ["'always'", "an object"]),
    ("an end in the past", {"paused_until": "2020-01-01T00:00:00Z"}, "paused_until", ["2020-01-01", "in the future"]),
    ("no zone", {"timezone": None}, "timezone", ["null"]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "field", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_what_is_wrong_is_named_and_nothing_is_stored(
    town: Town, body: dict[str, Any], field: str, words: list[str]
) -> None:
    reply = await say(town, "bob", **{"is_paused": True} | body)
    assert reply.status == 400, reply.body
    assert all(word in reply.json["errors"][field] for word in words), reply.json["errors"]
    assert (await availability(town, "bob"))["is_paused"] is False


async def test_a_pause_with_and_without_an_end(town: Town) -> None:
    until = after(town, hours=5)
    for body, expected in (
        ({"is_paused": True}, (True, None)),
        ({"paused_until": until}, (True, until)),
        ({"weekly_hours": None}, (True, until)),
        ({"is_paused": True}, (True, until)),
        ({"paused_until": None}, (True, None)),
        ({"is_paused": False}, (False, None)),
        ({"paused_until": None}, (False, None)),
        ({"is_paused": True, "paused_until": until}, (True, until)),
    ):
        reply = await say(town, "bob", **body)
        assert (reply.json["is_paused"], reply.json["paused_until"]) == expected, body
    assert (reply.json["available_now"], reply.json["available_from"]) == (False, until)
    contradiction = await say(town, "bob", is_paused=False, paused_until=after(town, hours=6))
    assert contradiction.status == 400
    assert "is_paused" in contradiction.json["errors"]
    await town.database.move_clock(timedelta(hours=6))
    over = await availability(town, "bob", reader="alice")
    assert [over[name] for name in KEYS[4:]] == [False, None, True, None]
    for body, expected in (({"paused_until": None}, (False, None)), ({"is_paused": True}, (True, None))):
        reply = await say(town, "bob", **body)
        assert (reply.json["is_paused"], reply.json["paused_until"]) == expected, body


async def test_available_now_says_only_what_the_user_said(town: Town) -> None:
    bob = town.users["bob"]
    option = await town.option("alice", town.team_id, "bob")
    body = {"is_paused": True, "max_open_leads": 0}
    reply = await ask(town, "alice", "PATCH", f"/team-member-distribution-options/{option}", json=body)
    assert reply.status == 200, reply.body
    span = {"starts_at": after(town, hours=-1), "ends_at": after(town, hours=3)}
    assert (await ask(town, "alice", "POST", "/time-off", json={"user_id": bob, **span})).status == 201
    assert (await availability(town, "bob"))["available_now"] is True
    assert (await ask(town, "bob", "POST", "/time-off", json=span)).status == 201
    found = await availability(town, "bob", reader="alice")
    assert (found["available_now"], found["available_from"]) == (False, span["ends_at"])
    selected = await ask(town, "alice", "GET", "/availabilities?$select=available_from&$limit=50")
    assert {"id": bob, "available_from": span["ends_at"]} in selected.json["data"]


FOREVER = ["9999-12-31T23:59:59.999Z", "9999-12-30T00:00:00.000Z"]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Denver"])
@pytest.mark.parametrize("until", FOREVER)
async def test_an_agent_who_is_away_for_ever_stops_no_lead(town: Town, until: str, zone: str) -> None:
    """East of London the calendar's last evening is in the year 10000."""
    for name in ("alice", "bob", "carol"):
        await town.option("alice", town.team_id, name, has_email_alert=True)
    assert (await say(town, "bob", timezone=zone, paused_until=until)).status == 200
    assert (await say(town, "carol", timezone=zone, weekly_hours=OFFICE)).status == 200
    off = await ask(town, "carol", "POST", "/time-off", json={"starts_at": "2020-01-01", "ends_at": until})
    assert off.status == 201, off.body
    paused = {"is_paused": True, "paused_until": until}
    option = await town.database.fetchval(
        "SELECT id FROM team_member_distribution_options WHERE user_id = $1", town.users["alice"]
    )
    target = f"/team-member-distribution-options/{option}"
    assert (await ask(town, "alice", "PATCH", target, json=paused)).status == 200
    for choice in ("Owner", "Hold", "Offer Anyway"):
        changed = {"when_nobody_is_available": choice}
        assert (await ask(town, "alice", "PATCH", f"/teams/{town.team_id}", json=changed)).status == 200
        route = await town.route("alice")
        source = await town.database.fetchval("SELECT lead_source_id FROM lead_routes WHERE id = $1", route)
        body = {"contact_id": await town.contact("alice"), "source_id": source}
        lead = await ask(town, "alice", "POST", "/leads", json=body)
        assert lead.status == 201, lead.body
        for path in (f"/leads/{lead.json['id']}/routing", f"/leads/{lead.json['id']}/history", "/availabilities"):
            assert (await ask(town, "alice", "GET", path)).status == 200, path


# ------------------------------------------------------------------------------------------------------ time off


async def take_off(town: Town, by: str, **body: Any) -> Reply:
    span = {"starts_at": after(town, days=1), "ends_at": after(town, days=2)}
    return await ask(town, by, "POST", "/time-off", json=span | body)


async def test_time_off_is_ones_own_or_of_an_accepted_member(town: Town) -> None:
    alice, bob, dave = (town.users[name] for name in ("alice", "bob", "dave"))
    own = await take_off(town, "bob", note="Surgery")
    assert (own.status, own.json["user_id"], own.json["creator_user_id"], own.json["note"]) == (
        201,
        bob,
        bob,
        "Surgery",
    )
    made = await take_off(town, "alice", user_id=bob, note="Training")
    assert (made.json["user_id"], made.json["creator_user_id"], made.json["note"]) == (bob, alice, None)
    for by, user_id in (("alice", dave), ("bob", alice), ("dave", bob)):
        refused = await take_off(town, by, user_id=user_id)
        assert (refused.status, list(refused.json["errors"])) == (400, ["user_id"])


async def test_who_sees_time_off_and_its_note(town: Town) -> None:
    bob = town.users["bob"]
    own = (await take_off(town, "bob", note="Surgery")).json["id"]
    made = (await take_off(town, "alice", user_id=bob, note="Training")).json["id"]
    other = (await take_off(town, "carol")).json["id"]
    await town.member("dave", await town.team("dave"), "bob")
    seen = {}
    for name in town.users:
        found = (await ask(town, name, "GET", "/time-off")).json["data"]
        seen[name] = {each["id"]: each["note"] for each in found}
    assert seen == {
        "alice": {own: None, made: None, other: None},
        "bob": {own: "Surgery", made: "Training"},
        "carol": {other: None},
        "dave": {own: None},
    }
    await town.database.execute("DELETE FROM team_members WHERE user_id = $1", bob)
    assert sorted((await ask(town, "alice", "GET", "/time-off")).ids) == [made, other]


async def test_only_the_maker_changes_time_off(town: Town) -> None:
    made = (await take_off(town, "alice", user_id=town.users["bob"])).json["id"]
    own = (await take_off(town, "bob")).json["id"]
    for by, record, status in (
        ("bob", made, 403), ("alice", own, 403), ("carol", own, 404), ("bob", own, 200), ("alice", made, 200),
    ):  # fmt: skip
        reply = await ask(town, by, "PATCH", f"/time-off/{record}", json={"ends_at": after(town, days=3)})
        assert reply.status == status, (by, reply.body)
        if status != 200:
            assert (await ask(town, by, "DELETE", f"/time-off/{record}")).status == status
    backwards = await ask(town, "bob", "PATCH", f"/time-off/{own}", json={"starts_at": after(town, days=3)})
    assert list(backwards.json["errors"]) == ["ends_at"]
    assert (await ask(town, "bob", "DELETE", f"/time-off/{own}")).status == 200


# ------------------------------------------------------------------------------- what the creator of a team sets


async def test_caps_and_a_pause_are_set_by_the_creator_and_seen_by_members(town: Town) -> None:
    option = await town.option("alice", town.team_id, "bob")
    url, until = f"/team-member-distribution-options/{option}", after(town, hours=4)
    body = {"paused_until": until, "max_open_leads": 0, "max_leads_per_day": 3, "max_leads_per_week": None}
    reply = await ask(town, "alice", "PATCH", url, json=body)
    assert {name: reply.json[name] for name in ("is_paused", *body)} == {"is_paused": True, **body}
    assert (await ask(town, "bob", "GET", url)).json == reply.json
    assert (await ask(town, "bob", "PATCH", url, json={"is_paused": False})).status == 403
    for wrong in ({"max_open_leads": -1}, {"max_leads_per_day": 1.5}, {"paused_until": after(town, hours=-1)}):
        refused = await ask(town, "alice", "PATCH", url, json=wrong)
        assert (refused.status, list(refused.json["errors"])) == (400, list(wrong))
    await town.database.move_clock(timedelta(hours=5))
    later = (await ask(town, "alice", "GET", url)).json
    assert (later["is_paused"], later["paused_until"]) == (False, None)


async def test_what_happens_when_nobody_is_available_is_one_of_three(town: Town) -> None:
    url = f"/teams/{town.team_id}"
    assert (await ask(town, "alice", "GET", url)).json["when_nobody_is_available"] == "Owner"
    for each in ("Hold", "Offer Anyway", "Owner"):
        reply = await ask(town, "alice", "PATCH", url, json={"when_nobody_is_available": each})
        assert reply.json["when_nobody_is_available"] == each
    assert (await ask(town, "alice", "PATCH", url, json={"when_nobody_is_available": "Wait"})).status == 400
