"""Notifications in a real Chromium: what the service worker shows, what replaces it, and where a tap leads."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from selenium.webdriver import Chrome
from websocket import create_connection

from leadroutes.channels import open_channels
from leadroutes.server.run import address_of, listen, running_service
from leadroutes.store.messages import MessageKey
from leadroutes.worker.delivery import MessageDelivery
from tests.support.browser import FAULTS, Phone, command, needs_chromium
from tests.support.push_service import FakeBrowser, PushServer
from tests.support.web_app import PASSWORD, WebApp

pytestmark = needs_chromium
SHOWN = """navigator.serviceWorker.getRegistration('/app').then((worker) => worker.getNotifications()).then((all) =>
  all.map(({ title, body, tag, silent, data }) => ({ title, body, tag, silent, path: data.path })))"""
# The browser's own push service is far away, so its answer is that of the one of this test.
SUBSCRIBE = """
PushManager.prototype.subscribe = async function (options) {
  window.asked = options;
  return { toJSON: () => (%s) };
};
"""


@pytest.fixture
async def served(web_app: WebApp, push_service: PushServer) -> AsyncIterator[WebApp]:
    listening = listen("127.0.0.1", 0)
    settings = replace(
        web_app.settings, public_url=address_of(listening), body_timeout=5, push_services=push_service.url
    )
    async with running_service(settings, web_app.database, listening, with_worker=False):
        yield replace(web_app, settings=settings)


async def sign_in(phone: Phone, served: WebApp, path: str) -> None:
    address = served.settings.public_url
    permission = {"permissions": ["notifications"], "origin": address}
    await command(phone, "Browser.grantPermissions", permission)
    await phone.open(f"{address}/sign-in?next={path}")
    await phone.fill_in(email="bob@example.com", password=PASSWORD)
    await phone.press()
    await phone.wait_until("document.body && document.body.matches('.app')")


async def deliver(served: WebApp) -> None:
    delivery = MessageDelivery(served.database, open_channels(served.settings), served.settings)
    for row in await served.database.fetch("SELECT owner_id, id FROM messages WHERE state = 'queued' ORDER BY id"):
        await delivery.deliver(MessageKey(row["owner_id"], row["id"]))
    await delivery.close()


async def push(phone: Phone, served: WebApp, shown: dict[str, Any]) -> None:
    """Hand a message to the service worker, once it is active, as the browser's push service does."""
    assert await phone.script("navigator.serviceWorker.ready.then((worker) => Boolean(worker.active))")
    await phone.do(lambda driver: _push(driver, served.settings.public_url, json.dumps(shown)))


def _push(driver: Chrome, origin: str, data: str) -> None:
    """Over a connection of its own, because the driver does not pass on the event that names the registration."""
    address = driver.capabilities["goog:chromeOptions"]["debuggerAddress"]
    targets = httpx.get(f"http://{address}/json").json()
    page = next(each for each in targets if each["type"] == "page" and each["url"].startswith(origin))
    connection = create_connection(page["webSocketDebuggerUrl"], suppress_origin=True, timeout=20)
    try:
        connection.send(json.dumps({"id": 1, "method": "ServiceWorker.enable"}))
        number = None
        while number is None:
            heard = json.loads(connection.recv())
            if heard.get("method") == "ServiceWorker.workerRegistrationUpdated":
                known = [each for each in heard["params"]["registrations"] if each["scopeURL"].startswith(origin)]
                number = known[0]["registrationId"] if known else None
        values = {"origin": origin, "registrationId": number, "data": data}
        connection.send(json.dumps({"id": 2, "method": "ServiceWorker.deliverPushMessage", "params": values}))
        while (answer := json.loads(connection.recv())).get("id") != 2:
            pass
        assert "error" not in answer, answer
    finally:
        connection.close()


async def pushed(phone: Phone, served: WebApp, payload: dict[str, Any], beginning: str) -> dict[str, Any]:
    """The only notification that is shown after this message, whose title begins like this.

    A worker that has just been activated may lose a message; a push service sends it again.
    """
    found: list[dict[str, Any]] = []
    for _ in range(4):
        await push(phone, served, payload)
        for _ in range(60):
            found = await phone.script(SHOWN)
            if len(found) == 1 and found[0]["title"].startswith(beginning):
                return found[0]
            await asyncio.sleep(0.05)
    raise AssertionError(f"{beginning!r} is not shown, but {found}")


async def test_an_alert_is_shown_replaced_and_leads_to_the_button(
    served: WebApp, phone: Phone, push_service: PushServer
) -> None:
    browser = await push_service.allowed(served.database, served.town.users["bob"])
    lead_id = await served.ask(name="Noor Haddad", email="noor@example.org", city="Denver", lead_type="Buyer")
    await deliver(served)
    await sign_in(phone, served, "/app")
    offered = browser.shown[-1]
    shown = await pushed(phone, served, offered, "New lead: Noor, in Denver, Buyer")
    assert (shown["tag"], shown["silent"]) == (f"lead-{lead_id}", False)

    await served.engine.assign(
        served.brokerage.owner_id, lead_id, served.town.users["carol"], served.brokerage.owner_id
    )
    await deliver(served)
    taken = await pushed(phone, served, browser.shown[-1], "Taken: Noor")
    assert (taken["tag"], taken["silent"]) == (shown["tag"], True)
    stored = await phone.script(
        "caches.keys().then((names) => Promise.all(names.map((each) => caches.open(each).then((one) => one.keys()))))"
        ".then((all) => all.flat().map((each) => new URL(each.url).pathname))"
    )
    assert sorted(stored) == ["/app/offline", "/assets/icon.svg", "/assets/pages.css"], "nothing of a lead"


async def test_from_the_tap_to_yours_it_is_one_more_tap(served: WebApp, phone: Phone, push_service: PushServer) -> None:
    browser = await push_service.allowed(served.database, served.town.users["bob"])
    await served.ask(name="Noor Haddad", email="noor@example.org", city="Denver", lead_type="Buyer")
    await deliver(served)
    await sign_in(phone, served, "/app")
    await phone.open(f"{served.settings.public_url}/app/{browser.shown[-1]['path']}")
    await phone.wait_for("A lead for you")
    await phone.press("button.claim")
    await phone.wait_for("noor@example.org")


async def test_a_phone_is_allowed_tested_and_stopped_on_the_page(
    served: WebApp, phone: Phone, push_service: PushServer
) -> None:
    browser: FakeBrowser = push_service.browser()
    given = json.dumps({"endpoint": browser.endpoint, "keys": browser.keys})
    await command(phone, "Page.addScriptToEvaluateOnNewDocument", {"source": SUBSCRIBE % given})
    await sign_in(phone, served, "/app/me/alerts")
    await phone.wait_for("Show alerts in this browser")
    assert await phone.do(lambda driver: driver.execute_script(FAULTS)) == []
    await phone.press("[data-allow]")
    await phone.wait_for("Alerts are shown in this browser from now on.")
    assert await phone.do(lambda driver: driver.execute_script(FAULTS)) == []
    [row] = await served.database.fetch("SELECT * FROM push_subscriptions")
    assert (row["endpoint"], row["p256dh"]) == (browser.endpoint, browser.keys["p256dh"])
    await phone.press("#tests button")
    await phone.wait_for("It is on its way.")
    await deliver(served)
    assert browser.titles == ["A test of your alerts"]
    await phone.press("#browsers li button")
    await phone.wait_for("No browser shows them yet.")
