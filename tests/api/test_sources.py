"""Lead sources beyond their records: keys that are replaced, arrivals that are corrected, vendors' steps."""

from datetime import timedelta

import pytest

from leadroutes.domain.vendors import VENDORS
from leadroutes.intake.formats import BY_NAME
from tests.support.api import ask, create
from tests.support.town import Town

PERSON = {"first_name": "Tom", "email": "tom@example.com", "message": "Is it still there?"}
NO_CONTACT = {"message": "My e-mail is tom at example dot com"}


@pytest.fixture
async def key(town: Town):
    return await create(town, "alice", "/intake-keys", {"lead_source_id": 7})


@pytest.fixture
async def rejected(town: Town, key) -> int:
    """An arrival without a way to reach the person."""
    await ask(town, None, "POST", f"/intake/{key['key']}", json=NO_CONTACT)
    [arrival_id] = (await ask(town, "alice", "GET", "/arrivals?status=rejected")).ids
    return int(arrival_id)


# --------------------------------------------------------------------------------------------------------- keys


async def test_a_replaced_key_works_on_until_it_ends(town: Town, key) -> None:
    rotated = await ask(town, "alice", "POST", f"/intake-keys/{key['id']}/rotate", json={"days": 2})
    assert (rotated.status, rotated.json["id"]) == (200, key["id"])
    assert rotated.json["key"] != key["key"]
    assert rotated.json["url"] == f"https://leads.example/intake/{rotated.json['key']}"
    assert rotated.json["url"] in rotated.json["snippet"]
    for number, each in enumerate((key["key"], rotated.json["key"])):
        reply = await ask(town, None, "POST", f"/intake/{each}", json=PERSON | {"email": f"{number}@example.com"})
        assert reply.status == 201
    ended = town.now - timedelta(seconds=1)
    await town.database.execute("UPDATE intake_keys SET old_key_ends_at = $1", ended)
    assert (await ask(town, None, "POST", f"/intake/{key['key']}", json=PERSON)).status == 404
    assert (await ask(town, None, "POST", f"/intake/{rotated.json['key']}", json=PERSON)).status == 201


async def test_the_same_body_through_the_old_and_the_new_key_is_one_lead(town: Town, key) -> None:
    first = await ask(town, None, "POST", f"/intake/{key['key']}", json=PERSON)
    rotated = await ask(town, "alice", "POST", f"/intake-keys/{key['id']}/rotate")
    again = await ask(town, None, "POST", f"/intake/{rotated.json['key']}", json=PERSON)
    assert (again.status, again.json["id"]) == (200, first.json["id"])


async def test_a_key_that_is_replaced_twice_leaves_one_old_key(town: Town, key) -> None:
    for _ in range(2):
        await ask(town, "alice", "POST", f"/intake-keys/{key['id']}/rotate")
    assert (await ask(town, None, "POST", f"/intake/{key['key']}", json=PERSON)).status == 404


async def test_zero_days_end_the_old_key_at_once_and_wrong_days_are_named(town: Town, key) -> None:
    path = f"/intake-keys/{key['id']}/rotate"
    wrong = await ask(town, "alice", "POST", path, json={"days": 91})
    assert (wrong.status, wrong.json["errors"]) == (400, {"days": wrong.json["errors"]["days"]})
    assert "91 was given" in wrong.json["errors"]["days"]
    assert (await ask(town, "alice", "POST", path, json={"days": 0})).status == 200
    assert (await ask(town, None, "POST", f"/intake/{key['key']}", json=PERSON)).status == 404
    for name in ("bob", "dave"):
        assert (await ask(town, name, "POST", path, json={})).status == 404
    assert (await ask(town, "alice", "DELETE", f"/intake-keys/{key['id']}")).status == 200
    assert (await ask(town, "alice", "POST", path, json={})).status == 404


async def test_a_key_says_when_something_came_and_how_much_went_wrong(town: Town, key, rejected: int) -> None:
    shown = (await ask(town, "alice", "GET", f"/intake-keys/{key['id']}")).json
    arrival = (await ask(town, "alice", "GET", f"/arrivals/{rejected}")).json
    assert (shown["last_arrival_at"], shown["open_errors"]) == (arrival["received_at"], 1)
    await ask(town, "alice", "POST", f"/arrivals/{rejected}/handled", json={})
    assert (await ask(town, "alice", "GET", f"/intake-keys/{key['id']}")).json["open_errors"] == 0


# ------------------------------------------------------------------------------------------------------ arrivals


async def test_an_arrival_is_shown_as_it_came_and_as_it_is_read(town: Town, key) -> None:
    await ask(town, None, "POST", f"/intake/{key['key']}", json=PERSON | {"message": "a\u202eb\u0007"})
    [arrival_id] = (await ask(town, "alice", "GET", "/arrivals")).ids
    shown = (await ask(town, "alice", "GET", f"/arrivals/{arrival_id}/reading")).json
    assert (shown["status"], shown["format"], shown["content_type"]) == ("accepted", "zapier", "application/json")
    assert '"email": "tom@example.com"' in shown["raw"]
    assert (shown["is_cut"], shown["correction"], shown["refusals"]) == (False, None, [])
    [read] = shown["read"]
    assert (read["first_name"], read["email"]) == ("Tom", "tom@example.com")
    for name in ("bob", "dave"):
        assert (await ask(town, name, "GET", f"/arrivals/{arrival_id}/reading")).status == 404


async def test_a_body_that_has_been_removed_is_not_read(town: Town, rejected: int) -> None:
    await town.database.execute("UPDATE arrivals SET body = '', headers = '{}', emptied_at = $1", town.now)
    shown = (await ask(town, "alice", "GET", f"/arrivals/{rejected}/reading")).json
    assert (shown["raw"], shown["read"]) == (None, [])
    reply = await ask(town, "alice", "POST", f"/arrivals/{rejected}/correction", json={"fields": PERSON})
    assert reply.status == 409


async def test_corrected_fields_make_the_lead_and_leave_the_body_as_it_came(town: Town, rejected: int) -> None:
    before = (await ask(town, "alice", "GET", f"/arrivals/{rejected}/raw")).body
    fields = {"first_name": "Tom", "email": "tom@example.com", "message": "Hi", "price": 450000.4}
    reply = await ask(town, "alice", "POST", f"/arrivals/{rejected}/correction", json={"fields": fields})
    assert (reply.status, reply.json["text_body"], reply.json["listing_price"]) == (201, "Hi", "450000")
    assert (await ask(town, "alice", "GET", f"/arrivals/{rejected}/raw")).body == before
    arrival = (await ask(town, "alice", "GET", f"/arrivals/{rejected}")).json
    assert (arrival["status"], arrival["lead_id"]) == ("accepted", reply.json["id"])
    assert (arrival["corrected_by_user_id"], arrival["corrected_at"] is not None) == (town.users["alice"], True)
    shown = (await ask(town, "alice", "GET", f"/arrivals/{rejected}/reading")).json
    assert "at example dot com" in shown["raw"]
    assert '"tom@example.com"' in shown["correction"]
    assert shown["read"][0]["email"] == "tom@example.com"
    again = await ask(town, "alice", "POST", f"/arrivals/{rejected}/correction", json={"fields": fields})
    assert again.status == 409


async def test_a_corrected_body_is_read_in_place_of_the_one_that_came(town: Town, rejected: int) -> None:
    form = {"body": "email=tom%40example.com&first_name=Tom", "content_type": "application/x-www-form-urlencoded"}
    reply = await ask(town, "alice", "POST", f"/arrivals/{rejected}/correction", json=form)
    assert reply.status == 201
    assert (await ask(town, "alice", "GET", f"/contacts/{reply.json['contact_id']}")).json["email"] == "tom@example.com"


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "fields"),
        ({"fields": {}, "body": "x"}, "fields"),
        ({"fields": ["tom"]}, "fields"),
        ({"fields": {"emial": "tom@example.com"}}, "emial"),
        ({"fields": {"email": {"a": 1}}}, "email"),
        ({"body": ""}, "body"),
        ({"body": 7}, "body"),
        ({"body": "x", "content_type": "a\r\nb"}, "content_type"),
    ],
)
async def test_a_wrong_correction_names_the_field(town: Town, rejected: int, body, name: str) -> None:
    reply = await ask(town, "alice", "POST", f"/arrivals/{rejected}/correction", json=body)
    assert (reply.status, list(reply.json["errors"])) == (400, [name])
    assert await town.database.fetchval("SELECT correction FROM arrivals WHERE id = $1", rejected) is None


async def test_a_correction_that_cannot_be_read_is_rejected_with_its_own_reason(town: Town, rejected: int) -> None:
    reply = await ask(town, "alice", "POST", f"/arrivals/{rejected}/correction", json={"fields": {"first_name": "T"}})
    assert (reply.status, reply.json["status"]) == (200, "rejected")
    for name in ("bob", "dave"):
        assert (
            await ask(town, name, "POST", f"/arrivals/{rejected}/correction", json={"fields": PERSON})
        ).status == 404


async def test_handled_is_a_mark_that_can_be_taken_back(town: Town, key, rejected: int) -> None:
    path = f"/arrivals/{rejected}/handled"
    for _ in range(2):
        reply = await ask(town, "alice", "POST", path, json={})
        assert (reply.status, reply.json["is_handled"]) == (200, True)
        assert reply.json["handled_by_user_id"] == town.users["alice"]
    open_ones = "/arrivals?status=rejected&is_handled=false"
    assert (await ask(town, "alice", "GET", open_ones)).ids == []
    assert (await ask(town, "alice", "DELETE", path)).json["handled_at"] is None
    assert (await ask(town, "alice", "GET", open_ones)).ids == [rejected]
    for name in ("bob", "dave"):
        for method in ("POST", "DELETE"):
            assert (await ask(town, name, method, path)).status == 404
    await ask(town, None, "POST", f"/intake/{key['key']}", json=PERSON)
    [accepted] = (await ask(town, "alice", "GET", "/arrivals?status=accepted")).ids
    assert (await ask(town, "alice", "POST", f"/arrivals/{accepted}/handled", json={})).status == 409


# ------------------------------------------------------------------------------------------------------- vendors


async def test_every_vendor_has_steps_and_names_a_format_with_its_secrets(town: Town) -> None:
    shown = (await ask(town, "bob", "GET", "/intake-vendors")).json
    assert [each["name"] for each in shown] == [
        "zillow", "realtor", "facebook", "google", "website", "email", "zapier",
    ]  # fmt: skip
    for each in VENDORS:
        format_ = BY_NAME[each.format or ""]
        assert set(format_.needs) <= set(each.secrets) <= {*format_.needs, *format_.may_have}
        assert any("{address}" in step or "{mail_address}" in step for step in each.steps) or each.has_snippet
    assert 'action="{address}"' in next(each for each in shown if each["name"] == "website")["snippet"]


async def test_the_form_for_a_website_makes_a_lead(town: Town) -> None:
    key = await create(town, "alice", "/intake-keys", {"lead_source_id": 7, "format": "website"})
    assert f'action="{key["url"]}"' in key["snippet"]
    headers = {"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}
    form = b"first_name=Tom&last_name=&email=tom%40example.com&phone=&message=Hello"
    assert (await ask(town, None, "POST", f"/intake/{key['key']}", body=form, headers=headers)).status == 201
    zapier = await create(town, "alice", "/intake-keys", {"lead_source_id": 7, "format": "zapier"})
    assert "snippet" not in zapier
