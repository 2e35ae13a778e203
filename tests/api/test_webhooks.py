"""Webhooks through the API: the secret is shown once, addresses inside are refused, deliveries are repeated."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from leadroutes import api
from leadroutes.domain.webhooks import EVENTS
from leadroutes.security.vault import Vault
from tests.support.api import Reply, ask
from tests.support.hooks import Hooks
from tests.support.receiver import Receiver
from tests.support.town import Town

URL = "https://example.com/leads"


@pytest.fixture
def open_town(hooks: Hooks) -> Town:
    """Alice's town with the API on it, under the settings that allow loopback."""
    town, brokerage = hooks.brokerage.town, hooks.brokerage
    town.application = api.application(town.database, brokerage.engine, brokerage.arrivals, hooks.settings)
    return town


@pytest.fixture
def closed_town(hooks: Hooks) -> Town:
    """The same under settings that allow no address inside."""
    town, brokerage = hooks.brokerage.town, hooks.brokerage
    settings = replace(hooks.settings, webhooks_to_private=None)
    town.application = api.application(town.database, brokerage.engine, brokerage.arrivals, settings)
    return town


async def make(town: Town, name: str = "alice", **body: Any) -> Reply:
    return await ask(town, name, "POST", "/webhooks", json={"url": URL} | body)


async def test_the_secret_is_shown_once_and_stored_encrypted(open_town: Town, hooks: Hooks) -> None:
    made = await make(open_town, events=["lead.arrived"])

    assert made.status == 201
    secret = made.json["secret"]
    assert secret.startswith("whsec_")
    assert made.json | {"secret": None} == made.json | {
        "secret": None, "url": URL, "events": ["lead.arrived"], "format": "standard", "is_active": True,
        "disabled_at": None, "disabled_reason": None,
    }  # fmt: skip
    shown = await ask(open_town, "alice", "GET", f"/webhooks/{made.json['id']}")
    assert "secret" not in shown.json
    assert shown.json == {name: value for name, value in made.json.items() if name != "secret"}
    row = dict(await open_town.database.fetchrow("SELECT * FROM webhooks") or {})
    assert secret not in str(row)
    assert Vault.of(hooks.settings).unseal(row["secret"]) == {"secret": secret}
    assert secret not in str(await open_town.database.fetch("SELECT * FROM audit_entries"))


async def test_a_rotation_shows_a_new_secret_once(open_town: Town) -> None:
    made = await make(open_town)
    rotated = await ask(open_town, "alice", "POST", f"/webhooks/{made.json['id']}/rotation")

    assert rotated.status == 200
    assert rotated.json["secret"] != made.json["secret"]
    row = await open_town.database.fetchrow("SELECT old_secret, old_secret_ends_at - now() AS life FROM webhooks")
    assert row is not None
    assert row["old_secret"] is not None
    assert timedelta(hours=23) < row["life"] <= timedelta(hours=24)


@pytest.mark.parametrize(
    ("body", "field", "complaint"),
    [
        ({"url": None}, "url", "url"),
        ({"url": "example.com"}, "url", "'example.com' was given; expected an address such as https://"),
        ({"url": "http://example.com/"}, "url", "expected https in place of http"),
        ({"url": "https://127.0.0.1/"}, "url", "127.0.0.1 is an address inside"),
        ({"url": "https://2130706433/"}, "url", "127.0.0.1 is an address inside"),
        ({"url": "https://[::1]/"}, "url", "::1 is an address inside"),
        ({"url": "https://localhost/"}, "url", "localhost is inside"),
        ({"url": "https://169.254.169.254/latest"}, "url", "is an address inside"),
        ({"url": "https://a:b@example.com/"}, "url", "without a user and a password"),
        ({"url": f"https://example.com/{'x' * 2048}"}, "url", "2048"),
        ({"events": ["lead.flown"]}, "events", "expected a list of one or more of lead.arrived"),
        ({"events": []}, "events", "expected a list of one or more of"),
        ({"events": "lead.arrived"}, "events", "expected a list"),
        ({"events": [["lead.arrived"]]}, "events", "expected a list"),
        ({"format": "carrier pigeon"}, "format", "standard, slack, teams"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_what_is_wrong_is_said_with_what_is_expected(
    closed_town: Town, method: str, body: dict[str, Any], field: str, complaint: str
) -> None:
    made = await make(closed_town)
    path = "/webhooks" if method == "POST" else f"/webhooks/{made.json['id']}"
    reply = await ask(closed_town, "alice", method, path, json={"url": URL} | body if method == "POST" else body)

    assert reply.status == 400, reply.body
    assert complaint in reply.json["errors"][field]
    assert await closed_town.database.fetchval("SELECT count(*) FROM webhooks") == 1
    assert (await ask(closed_town, "alice", "GET", f"/webhooks/{made.json['id']}")).json["url"] == URL


async def test_where_the_operator_allows_it_a_webhook_may_lead_inside(open_town: Town) -> None:
    assert (await make(open_town, url="http://127.0.0.1:9000/")).status == 201
    assert (await make(open_town, url="http://10.0.0.1:9000/")).status == 400


async def test_events_are_each_listed_once_and_null_means_all(open_town: Town) -> None:
    made = await make(open_town, events=["lead.claimed", "lead.arrived", "lead.claimed"])
    assert made.json["events"] == ["lead.claimed", "lead.arrived"]
    every = await ask(open_town, "alice", "PATCH", f"/webhooks/{made.json['id']}", json={"events": None})
    assert every.json["events"] is None
    assert (await make(open_town, events=list(EVENTS))).status == 201


async def test_others_neither_see_nor_change_it(open_town: Town) -> None:
    webhook_id = (await make(open_town)).json["id"]
    for name in ("bob", "dave"):
        assert (await ask(open_town, name, "GET", "/webhooks")).json["total"] == 0
        for method, path in (
            ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotation"), ("POST", "/test"),
            ("GET", "/deliveries"), ("POST", "/deliveries/1/retry"),
        ):  # fmt: skip
            reply = await ask(open_town, name, method, f"/webhooks/{webhook_id}{path}", json={})
            assert reply.status == 404, (name, method, path)


async def test_an_account_has_fifty_at_most(open_town: Town) -> None:
    for _ in range(50):
        assert (await make(open_town)).status == 201
    assert (await make(open_town)).status == 400
    assert (await make(open_town, "dave")).status == 201


async def test_a_test_is_delivered_and_its_log_is_seen(open_town: Town, hooks: Hooks, receiver: Receiver) -> None:
    receiver.status, receiver.answer = 500, b"not yet"
    made = (await make(open_town, url=receiver.url)).json
    path = f"/webhooks/{made['id']}"
    sent = await ask(open_town, "alice", "POST", f"{path}/test")
    assert (sent.status, sent.json["type"], sent.json["state"]) == (201, "webhook.test", "waiting")
    await hooks.deliver_due()

    [delivery] = (await ask(open_town, "alice", "GET", f"{path}/deliveries")).json["data"]
    assert delivery["id"] == sent.json["id"]
    assert (delivery["state"], delivery["reason"]) == ("waiting", "the receiver answered 500")
    [tried] = delivery["tries"]
    assert (tried["status"], tried["answer"], tried["error"]) == (500, "not yet", None)
    assert Webhook(made["secret"]).verify(receiver.messages[0].body, receiver.messages[0].headers)["data"] == {
        "webhook_id": made["id"], "text": "This is a test of your webhook.",
    }  # fmt: skip
    assert (await ask(open_town, "alice", "GET", f"{path}/deliveries?state=failed")).json["total"] == 0
    assert (await ask(open_town, "alice", "GET", f"{path}/deliveries?type=webhook.test")).json["total"] == 1


@pytest.mark.parametrize("state", ["failed", "waiting", "delivered"])
async def test_a_delivery_is_sent_again_at_once_with_the_same_id(
    open_town: Town, hooks: Hooks, receiver: Receiver, state: str
) -> None:
    path = f"/webhooks/{(await make(open_town, url=receiver.url)).json['id']}"
    receiver.statuses = [] if state == "delivered" else [500]
    delivery_id = (await ask(open_town, "alice", "POST", f"{path}/test")).json["id"]
    await hooks.deliver_due()
    if state == "failed":
        await open_town.database.execute("UPDATE webhook_deliveries SET state = 'failed', due_at = NULL")
    again = await ask(open_town, "alice", "POST", f"{path}/deliveries/{delivery_id}/retry")
    assert (again.status, again.json["state"], again.json["tried"]) == (200, "waiting", 0)
    await hooks.deliver_due()

    shown = (await ask(open_town, "alice", "GET", f"{path}/deliveries/{delivery_id}")).json
    assert (shown["state"], len(shown["tries"])) == ("delivered", 2)
    assert len({message.id for message in receiver.messages}) == 1


async def test_what_cannot_be_sent_is_refused(open_town: Town) -> None:
    path = f"/webhooks/{(await make(open_town)).json['id']}"
    delivery_id = (await ask(open_town, "alice", "POST", f"{path}/test")).json["id"]
    await open_town.database.execute("UPDATE webhook_deliveries SET state = 'withdrawn', due_at = NULL, data = NULL")
    erased = await ask(open_town, "alice", "POST", f"{path}/deliveries/{delivery_id}/retry")
    assert (erased.status, erased.json["message"]) == (409, "The contact was erased, and nothing is left to be sent")
    await ask(open_town, "alice", "PATCH", path, json={"is_active": False})
    for call in (f"{path}/test", f"{path}/deliveries/{delivery_id}/retry"):
        off = await ask(open_town, "alice", "POST", call)
        assert (off.status, off.json["message"]) == (409, "The webhook is switched off; switch it on first")
    assert (await ask(open_town, "alice", "POST", f"{path}/deliveries/987654/retry")).status == 404


async def test_switching_it_on_again_forgets_why_it_was_off(open_town: Town) -> None:
    webhook_id = (await make(open_town)).json["id"]
    await open_town.database.execute(
        "UPDATE webhooks SET is_active = false, disabled_at = now(), disabled_reason = 'gone', given_up = 10,"
        " failing_since = now()"
    )
    on = await ask(open_town, "alice", "PATCH", f"/webhooks/{webhook_id}", json={"is_active": True})

    assert (on.json["is_active"], on.json["disabled_at"], on.json["disabled_reason"]) == (True, None, None)
    row = await open_town.database.fetchrow("SELECT given_up, failing_since FROM webhooks")
    assert row is not None
    assert tuple(row) == (0, None)


async def test_what_is_done_is_in_the_audit(open_town: Town) -> None:
    path = f"/webhooks/{(await make(open_town)).json['id']}"
    await ask(open_town, "alice", "PATCH", path, json={"format": "slack"})
    await ask(open_town, "alice", "POST", f"{path}/rotation")
    await ask(open_town, "alice", "DELETE", path)

    rows = await open_town.database.fetch("SELECT method, resource, changes FROM audit_entries ORDER BY id")
    assert [(row["method"], row["resource"]) for row in rows] == [
        ("POST", "/webhooks"), ("PATCH", "/webhooks"), ("POST", "/webhooks/:id/rotation"), ("DELETE", "/webhooks"),
    ]  # fmt: skip
    assert json.loads(rows[1]["changes"]) == [{"field": "format", "before": "standard", "after": "slack"}]


async def test_with_a_webhook_its_deliveries_go(open_town: Town) -> None:
    path = f"/webhooks/{(await make(open_town)).json['id']}"
    await ask(open_town, "alice", "POST", f"{path}/test")
    assert (await ask(open_town, "alice", "DELETE", path)).status == 200
    assert await open_town.database.fetchval("SELECT count(*) FROM webhook_deliveries") == 0
