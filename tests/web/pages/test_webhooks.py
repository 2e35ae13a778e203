"""Webhooks on their pages: made, tried, changed, switched, their secret replaced, their deliveries sent again."""

import re

import httpx
import pytest

from leadroutes.domain.webhooks import EVENTS, TEST_EVENT
from leadroutes.web.pages.webhooks import EVENT_WORDS
from tests.support.hooks import Hooks
from tests.support.receiver import Receiver
from tests.support.web_app import WebApp, with_settings

URL = "https://hooks.example.com/a/secret/path"


async def made(alice: httpx.AsyncClient, web_app: WebApp, **sent: object) -> tuple[str, int]:
    """The page that shows the secret, and the webhook."""
    page = await alice.post(
        "/app/webhooks/new", data={"do": "make", "format": "standard", "url": URL, "which": "all"} | sent
    )
    assert page.status_code == 200, page.text
    return page.text, await web_app.database.fetchval("SELECT max(id) FROM webhooks")


async def webhook(web_app: WebApp) -> dict[str, object]:
    return dict(await web_app.database.fetchrow("SELECT * FROM webhooks ORDER BY id DESC LIMIT 1") or {})


async def test_a_webhook_is_made_and_its_secret_is_shown_once(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    page, webhook_id = await made(alice, web_app)
    found = re.search(r"<pre id=\"secret\">(whsec_[^<]+)</pre>", page)

    assert found is not None
    assert "It is shown only now" in page
    for path in ("/app/webhooks", f"/app/webhooks/{webhook_id}"):
        shown = (await alice.get(path)).text
        assert "hooks.example.com" in shown
        assert found[1] not in shown
    assert "secret/path" not in (await alice.get("/app/webhooks")).text, "the address of a chat is a secret"


async def test_some_events_for_a_chat(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    await made(alice, web_app, format="slack", which="some", events=["lead.arrived", "lead.claimed"])

    stored = await webhook(web_app)
    assert (stored["format"], stored["events"]) == ("slack", ["lead.arrived", "lead.claimed"])


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"url": ""}, "Fill in the address"),
        ({"url": "https://127.0.0.1/"}, "127.0.0.1 is an address inside"),
        ({"url": "http://example.com/"}, "expected https in place of http"),
        ({"which": "some"}, "Choose at least one event"),
        ({"which": "some", "events": "lead.flown"}, "expected a list of one or more of"),
        ({"format": "pigeon"}, "standard, slack, teams"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_lost(web_app: WebApp, sent: dict[str, str], complaint: str) -> None:
    alice = await web_app.sign_in("alice")
    data = {"do": "make", "format": "standard", "url": URL, "which": "all"} | sent
    answer = await alice.post("/app/webhooks/new", data=data)

    assert answer.status_code == 422
    assert complaint in answer.text
    assert data["url"] in answer.text
    assert await web_app.database.fetchval("SELECT count(*) FROM webhooks") == 0


async def test_it_is_changed_unless_someone_else_has_changed_it_meanwhile(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    _, webhook_id = await made(alice, web_app)
    path = f"/app/webhooks/{webhook_id}"
    seen = re.findall(r'name="seen" value="([^"]+)"', (await alice.get(path)).text)[0]
    data = {"do": "save", "url": "https://other.example.com/", "which": "some", "events": "lead.touched", "seen": seen}

    assert (await alice.post(path, data=data)).status_code == 303
    stored = await webhook(web_app)
    assert (stored["url"], stored["events"]) == ("https://other.example.com/", ["lead.touched"])
    assert (await alice.post(path, data=data | {"url": URL})).status_code == 409


async def test_it_is_switched_off_and_on(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    _, webhook_id = await made(alice, web_app)
    path = f"/app/webhooks/{webhook_id}"
    assert 'value="test"' in (await alice.get(path)).text
    for word, is_active in (("no", False), ("yes", True)):
        assert (await alice.post(path, data={"do": "switch", "is_active": word})).status_code == 303
        assert (await webhook(web_app))["is_active"] is is_active
        page = (await alice.get(path)).text
        assert ('value="test"' in page) is is_active, "no button that would only be refused"
    await web_app.database.execute(
        "UPDATE webhooks SET is_active = false, disabled_at = now(), disabled_reason = 'the receiver answered 410'"
    )
    for each in (path, "/app/webhooks"):
        page = (await alice.get(each)).text
        assert "switched off" in page
        assert "the receiver answered 410" in page


async def test_the_secret_is_replaced(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    first, webhook_id = await made(alice, web_app)
    page = (await alice.post(f"/app/webhooks/{webhook_id}", data={"do": "rotate"})).text

    old, new = (re.search(r"whsec_[A-Za-z0-9+/=&#;]+", each) for each in (first, page))
    assert old is not None
    assert new is not None
    assert old[0] != new[0]
    assert "The old secret still works for 24 hours" in page


async def test_a_test_is_seen_in_the_log_and_sent_again(web_app: WebApp, receiver: Receiver) -> None:
    app = with_settings(web_app, webhooks_to_private="127.0.0.0/8")
    hooks = Hooks(web_app.brokerage, app.settings)
    receiver.status, receiver.answer = 500, b"<script>alert(1)</script>"
    alice = await app.sign_in("alice")
    _, webhook_id = await made(alice, app, url=receiver.url)
    path = f"/app/webhooks/{webhook_id}"
    assert "Nothing has been sent yet" in (await alice.get(path)).text
    assert (await alice.post(path, data={"do": "test"})).status_code == 303
    await hooks.deliver_due()

    page = (await alice.get(path)).text
    assert "the receiver answered 500" in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    receiver.status = 200
    delivery_id = await app.database.fetchval("SELECT id FROM webhook_deliveries")
    data = {"do": "retry", "on": str(delivery_id), "delivery": str(delivery_id)}
    assert (await alice.post(path, data=data)).status_code == 303
    await hooks.deliver_due()
    assert "delivered" in (await alice.get(path)).text
    assert (await alice.post(path, data={"do": "retry", "delivery": "one"})).status_code == 422


async def test_a_long_log_goes_on(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    _, webhook_id = await made(alice, web_app)
    for _ in range(30):
        await alice.post(f"/app/webhooks/{webhook_id}", data={"do": "test"})
    page = (await alice.get(f"/app/webhooks/{webhook_id}")).text
    after = re.search(r"\?after=(\d+)", page)
    assert after is not None
    rest = (await alice.get(f"/app/webhooks/{webhook_id}?after={after[1]}&part=rows")).text
    assert page.count('class="who">A test') + rest.count('class="who">A test') == 30


def test_every_event_has_words() -> None:
    assert set(EVENT_WORDS) == {*EVENTS, TEST_EVENT}


async def test_it_is_removed(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    _, webhook_id = await made(alice, web_app)
    answer = await alice.post(f"/app/webhooks/{webhook_id}", data={"do": "remove"})

    assert answer.headers["location"].endswith("/app/webhooks")
    assert await web_app.database.fetchval("SELECT count(*) FROM webhooks") == 0
    assert (await alice.get(f"/app/webhooks/{webhook_id}")).status_code == 404


async def test_whose_it_is_not_sees_none(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    _, webhook_id = await made(alice, web_app)
    dave = await web_app.sign_in("dave")

    assert (await dave.get(f"/app/webhooks/{webhook_id}")).status_code == 404
    assert (await dave.post(f"/app/webhooks/{webhook_id}", data={"do": "remove"})).status_code == 404
    assert "hooks.example.com" not in (await dave.get("/app/webhooks")).text
