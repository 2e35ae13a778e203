"""Addresses that must not be written to: entered, seen and lifted by the owner and by whoever has the contact."""

import pytest

from tests.support.api import ask
from tests.support.town import Town

EMAIL = {"channel": "email", "value": "petra@example.com"}


async def suppress(town: Town, name: str = "alice", **changes: object) -> dict:
    reply = await ask(town, name, "POST", "/suppressions", json=EMAIL | changes)
    assert reply.status == 201, reply.body
    return reply.json


async def of_contact(town: Town, contact_id: int, name: str = "alice") -> dict | None:
    reply = await ask(town, name, "GET", f"/contacts/{contact_id}")
    assert reply.status == 200, reply.body
    return reply.json["email_suppression"]


async def test_one_is_entered_in_its_normal_form_and_shown_with_every_contact_that_has_the_address(town: Town) -> None:
    first = await town.contact("alice", email="petra@example.com")
    second = await town.contact("alice", email=" PETRA@Example.com")
    other = await town.contact("alice", email="noa@example.com")
    made = await suppress(town, value="Petra Lowe <PETRA@example.com>")
    assert made == {
        "id": made["id"], "owner_user_id": town.users["alice"], **EMAIL, "reason": "manual", "at": made["at"],
        "source_message_id": None, "by_user_id": town.users["alice"],
    }  # fmt: skip
    for contact_id in (first, second):
        shown = await of_contact(town, contact_id)
        assert shown == {
            "id": made["id"], "reason": "manual", "text": "the e-mail address has been suppressed by hand",
            "at": made["at"], "by_user_id": town.users["alice"], "source_message_id": None,
        }  # fmt: skip
    assert await of_contact(town, other) is None
    listed = await ask(town, "alice", "GET", "/suppressions?value=PETRA@example.com&reason=manual")
    assert listed.json["data"] == [made]


async def test_the_same_address_for_the_same_reason_is_suppressed_once(town: Town) -> None:
    await suppress(town)
    again = await ask(town, "alice", "POST", "/suppressions", json=EMAIL | {"value": "PETRA@example.com"})
    assert again.status == 409
    await suppress(town, reason="bounced")
    await suppress(town, "dave")
    assert (await ask(town, "alice", "GET", "/suppressions")).json["total"] == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"channel": "email"}, "value"),
        ({"value": "petra@example.com"}, "channel"),
        ({"channel": "email", "value": "petra"}, "value"),
        ({"channel": "email", "value": "303-555-0101"}, "value"),
        ({"channel": "text", "value": "petra@example.com"}, "value"),
        ({"channel": "fax", "value": "petra@example.com"}, "channel"),
        ({**EMAIL, "reason": "because"}, "reason"),
        ({**EMAIL, "at": "yesterday"}, "at"),
        ({"channel": "email", "value": None}, "value"),
    ],
)
async def test_what_cannot_be_suppressed_is_refused_by_field(town: Town, body: dict, field: str) -> None:
    reply = await ask(town, "alice", "POST", "/suppressions", json=body)
    assert reply.status == 400
    assert set(reply.json["errors"]) == {field}
    assert await town.database.fetchval("SELECT count(*) FROM suppressions") == 0


async def test_a_phone_is_stored_in_e164(town: Town) -> None:
    made = await suppress(town, channel="text", value="(303) 555-0101")
    assert made["value"] == "+13035550101"


async def test_what_the_person_has_asked_for_is_lifted_with_their_consent_only_and_stays_on_record(town: Town) -> None:
    contact_id = await town.contact("alice", email="petra@example.com")
    made = await suppress(town, reason="unsubscribed")
    path = f"/suppressions/{made['id']}"
    for query, body in (("", {}), ("?consent=", {}), ("", {"consent": " "}), ("?consent=%20", {"consent": None})):
        reply = await ask(town, "alice", "DELETE", path + query, json=body)
        assert (reply.status, set(reply.json["errors"])) == (400, {"consent"})
    too_long = await ask(town, "alice", "DELETE", path, json={"consent": "x" * 201})
    assert (too_long.status, set(too_long.json["errors"])) == (400, {"consent"})
    assert await of_contact(town, contact_id) is not None

    lifted = await ask(town, "alice", "DELETE", path, json={"consent": "By phone, 17 January"})
    assert (lifted.status, lifted.json) == (200, made)
    assert await of_contact(town, contact_id) is None
    assert (await ask(town, "alice", "GET", path)).status == 404
    assert (await ask(town, "alice", "DELETE", path, json={"consent": "again"})).status == 404
    row = await town.database.fetchrow("SELECT ended_at, ended_by_user_id, consent FROM suppressions")
    assert row["ended_at"] is not None
    assert (row["ended_by_user_id"], row["consent"]) == (town.users["alice"], "By phone, 17 January")
    assert (await suppress(town, reason="unsubscribed"))["id"] != made["id"], "it can be asked for again"


@pytest.mark.parametrize("reason", ["bounced", "manual", "imported"])
async def test_what_the_person_has_not_asked_for_is_lifted_without_a_word(town: Town, reason: str) -> None:
    made = await suppress(town, reason=reason)
    assert (await ask(town, "alice", "DELETE", f"/suppressions/{made['id']}")).status == 200


async def test_consent_may_be_in_the_query(town: Town) -> None:
    made = await suppress(town, reason="complained")
    reply = await ask(town, "alice", "DELETE", f"/suppressions/{made['id']}?consent=By%20mail&$select=reason")
    assert (reply.status, reply.json) == (200, {"id": made["id"], "reason": "complained"})
    assert await town.database.fetchval("SELECT consent FROM suppressions") == "By mail"


async def test_another_reason_stays_when_one_is_lifted(town: Town) -> None:
    contact_id = await town.contact("alice", email="petra@example.com")
    bounced = await suppress(town, reason="bounced")
    await suppress(town, reason="unsubscribed", at="2026-05-02T08:00:00Z")
    assert (await ask(town, "alice", "DELETE", f"/suppressions/{bounced['id']}")).status == 200
    shown = await of_contact(town, contact_id)
    assert shown is not None
    assert (shown["reason"], shown["at"]) == ("unsubscribed", "2026-05-02T08:00:00.000Z")


async def test_the_agent_who_has_the_contact_enters_sees_and_lifts_it_in_the_owners_account(town: Town) -> None:
    contact_id = await town.contact("alice", email="Petra@example.com", assigned_user_id=town.users["bob"])
    made = await suppress(town, "bob")
    assert (made["owner_user_id"], made["by_user_id"]) == (town.users["alice"], town.users["bob"])
    for name in ("alice", "bob"):
        assert (await ask(town, name, "GET", "/suppressions")).ids == [made["id"]]
        shown = await of_contact(town, contact_id, name)
        assert shown is not None
        assert shown["by_user_id"] == town.users["bob"]
    for name in ("carol", "dave"):
        assert (await ask(town, name, "GET", "/suppressions")).ids == []
        assert (await ask(town, name, "DELETE", f"/suppressions/{made['id']}")).status == 404
    assert (await ask(town, "bob", "DELETE", f"/suppressions/{made['id']}")).status == 200


async def test_an_agent_sees_no_others_of_the_owner_and_a_stranger_changes_nothing_there(town: Town) -> None:
    await town.contact("alice", email="petra@example.com", assigned_user_id=town.users["bob"])
    await suppress(town, value="noa@example.com")
    assert (await ask(town, "bob", "GET", "/suppressions")).ids == []
    made = await suppress(town, "dave")
    assert made["owner_user_id"] == town.users["dave"]
    assert (await ask(town, "alice", "GET", "/suppressions?value=petra@example.com")).ids == []


async def test_one_of_an_erased_person_shows_no_address(town: Town) -> None:
    contact_id = await town.contact("alice", email="petra@example.com")
    made = await suppress(town, reason="unsubscribed")
    await town.database.execute("UPDATE suppressions SET value = NULL")
    reply = await ask(town, "alice", "GET", f"/suppressions/{made['id']}")
    assert reply.json["value"] is None
    assert await of_contact(town, contact_id) is not None


async def test_a_step_says_why_it_will_not_leave_while_it_waits(town: Town) -> None:
    contact_id = await town.contact("alice", email="petra@example.com")
    campaign_id = await town.campaign("alice")
    for type_ in ("Email Contact", "Text Contact"):
        await town.action("alice", campaign_id, type=type_, delay_by_seconds=600)
    started = await ask(town, "alice", "POST", f"/campaigns/{campaign_id}/contacts", json={"contact_id": contact_id})
    assert started.status == 201
    made = await suppress(town, reason="unsubscribed")

    async def reasons() -> list[tuple[bool, str | None]]:
        data = (await ask(town, "alice", "GET", "/contact-communications")).json["data"]
        return [(each["is_active"], each["reason"]) for each in data]

    assert await reasons() == [(True, "the contact has unsubscribed from e-mails"), (True, None)]
    await ask(town, "alice", "DELETE", f"/suppressions/{made['id']}?consent=yes")
    assert await reasons() == [(True, None), (True, None)]


async def test_a_step_that_was_stopped_says_by_whom_in_the_outbox_too_until_it_goes_again(town: Town) -> None:
    contact_id = await town.contact("alice", email="petra@example.com", assigned_user_id=town.users["bob"])
    campaign_id = await town.campaign("alice")
    await town.action("alice", campaign_id, delay_by_seconds=600)
    await ask(town, "alice", "POST", f"/campaigns/{campaign_id}/contacts", json={"contact_id": contact_id})
    [step] = (await ask(town, "bob", "GET", "/contact-communications")).ids
    path = f"/contact-communications/{step}"
    stopped = (await ask(town, "bob", "PATCH", path, json={"is_active": False})).json
    [message] = (await ask(town, "alice", "GET", "/messages")).json["data"]
    assert (stopped["completing_user_id"], stopped["reason"]) == (town.users["bob"], "it was stopped by Bob Town")
    assert (message["state"], message["reason"]) == ("suppressed", "it was stopped by Bob Town")

    going = (await ask(town, "bob", "PATCH", path, json={"is_active": True})).json
    assert (going["is_active"], going["completing_user_id"], going["reason"]) == (True, None, None)


async def test_a_campaign_that_is_stopped_for_a_contact_leaves_its_steps_with_the_reason(town: Town) -> None:
    contact_id = await town.contact("alice", email="petra@example.com")
    campaign_id = await town.campaign("alice")
    for delay in (60, 600):
        await town.action("alice", campaign_id, delay_by_seconds=delay)
    run = await ask(town, "alice", "POST", f"/campaigns/{campaign_id}/contacts", json={"contact_id": contact_id})
    path = f"/campaigns/{campaign_id}/contacts/{run.json['id']}"
    assert (await ask(town, "alice", "DELETE", path)).status == 200

    steps = (await ask(town, "alice", "GET", "/contact-communications")).json["data"]
    reason = "the campaign was stopped by Alice Town"
    assert [(each["is_active"], each["reason"]) for each in steps] == [(False, reason)] * 2
    messages = (await ask(town, "alice", "GET", "/messages")).json["data"]
    assert [(each["state"], each["reason"]) for each in messages] == [("suppressed", reason)] * 2


async def test_a_step_whose_moment_had_passed_at_the_start_says_so(town: Town) -> None:
    contact_id = await town.contact("alice", email="petra@example.com")
    campaign_id = await town.campaign("alice")
    past = town.now.replace(year=2020)
    await town.action(
        "alice", campaign_id, timing_type="Exact Date and Time", delay_by_seconds=None, dispatch_datetime=past
    )
    await ask(town, "alice", "POST", f"/campaigns/{campaign_id}/contacts", json={"contact_id": contact_id})

    [step] = (await ask(town, "alice", "GET", "/contact-communications")).json["data"]
    assert (step["is_active"], step["reason"]) == (False, "its moment had passed when the campaign began")
    [message] = (await ask(town, "alice", "GET", "/messages")).json["data"]
    assert message["reason"] == step["reason"]


async def test_a_step_that_an_earlier_version_stopped_does_not_look_like_one_that_was_sent(town: Town) -> None:
    """It has no message that could say why."""
    contact_id = await town.contact("alice", email="petra@example.com")
    for columns in ({"completing_user_id": town.users["bob"]}, {}, {"sent_from_user_id": town.users["alice"]}):
        await town.insert(
            "contact_communications", owner_id=town.users["alice"], contact_id=contact_id, type="Email Contact",
            is_active=False, send_at=town.now, completed_at=town.now, **columns,
        )  # fmt: skip
    data = (await ask(town, "alice", "GET", "/contact-communications")).json["data"]
    assert [each["reason"] for each in data] == ["it was stopped by Bob Town", "it was not sent", None]


async def test_the_list_is_answered_as_a_file_that_comes_in_elsewhere(town: Town) -> None:
    made = await suppress(town, value="=cmd@example.com", reason="unsubscribed", at="2026-05-02T08:00:00Z")
    await suppress(town, channel="text", value="(303) 555-0101", at="2026-05-03T08:00:00Z")
    await suppress(town, "dave", value="noa@example.com")
    await ask(town, "alice", "DELETE", f"/suppressions/{made['id']}", json={"consent": "=HYPERLINK(1)"})
    reply = await ask(town, "alice", "GET", "/suppressions/export")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert reply.headers["content-disposition"] == 'attachment; filename="suppressions.csv"'
    head, lifted, phone = reply.body.decode().splitlines()
    assert head == "channel,value,reason,at,entered_by,ended_at,ended_by,consent"
    assert lifted.startswith("email,'=cmd@example.com,unsubscribed,2026-05-02T08:00:00Z,alice@example.com,")
    assert lifted.endswith(",alice@example.com,'=HYPERLINK(1)")
    assert phone == "text,+13035550101,manual,2026-05-03T08:00:00Z,alice@example.com,,,"

    sent = await ask(
        town, "dave", "POST", "/suppressions/import", body=reply.body, headers={"Content-Type": "text/csv"}
    )
    assert sent.json == {"added": 1, "known": 0, "lifted": 1, "refused": 0, "faults": []}


async def test_the_list_is_of_ones_own_account(town: Town) -> None:
    await suppress(town)
    reply = await ask(town, "bob", "GET", "/suppressions/export")
    assert (reply.status, reply.body.decode().count("\n")) == (200, 1)
    assert (await ask(town, None, "GET", "/suppressions/export")).status == 401
