"""The page of alerts: which kind goes where, quiet time, browsers, and a test of each channel."""

import re

import httpx

from leadroutes.channels import open_channels
from leadroutes.engine.push_keys import load_push_keys
from leadroutes.security.vault import Vault
from leadroutes.store.messages import MessageKey
from leadroutes.worker.delivery import MessageDelivery
from tests.support.mailbox import Mailbox, to
from tests.support.page_forms import follow, form, words_of
from tests.support.push_service import PushServer
from tests.support.web_app import WebApp, with_settings

PATH = "/app/me/alerts"


async def press(browser: httpx.AsyncClient, do: str, on: object = None, **fields: object) -> httpx.Response:
    hidden = form((await browser.get(PATH)).text, do, on)
    return await browser.post(PATH, data=hidden | fields)


def checked(page: str) -> set[tuple[str, str]]:
    return set(re.findall(r'<input type="checkbox" name="(\w+)" value="(\w+)" checked>', page))


async def preferences(web_app: WebApp, name: str = "bob") -> dict[str, object] | None:
    row = await web_app.database.fetchrow(
        "SELECT * FROM alert_preferences WHERE user_id = $1", web_app.town.users[name]
    )
    return dict(row) if row is not None else None


# ---------------------------------------------------------------------------------------------------- preferences


async def test_the_page_shows_what_is_done_by_default_and_stores_nothing(web_app: WebApp) -> None:
    page = (await (await web_app.sign_in("bob")).get(PATH)).text
    assert checked(page) == {
        ("claimed", "notice"), ("unclaimed", "email"), ("unclaimed", "text"), ("replied", "email"), ("replied", "text")
    }  # fmt: skip
    assert await preferences(web_app) is None
    assert f'href="{PATH}" aria-current="page"' in page


async def test_bob_chooses_channels_and_a_quiet_time(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    chosen = {
        "won": "email",
        "claimed": ["notice", "push"],
        "digest": "email",
        "quiet_from": "22:00",
        "quiet_to": "07:00",
    }
    page = await follow(bob, await press(bob, "save", **chosen))

    assert "It is saved." in page
    assert checked(page) == {("won", "email"), ("claimed", "notice"), ("claimed", "push"), ("digest", "email")}
    stored = await preferences(web_app)
    assert stored is not None
    assert (stored["won"], stored["unclaimed"], stored["replied"]) == (["email"], [], [])
    assert (stored["quiet_from"], stored["quiet_to"]) == ("22:00", "07:00")
    assert stored["digest_at"] is not None
    page = await follow(bob, await press(bob, "save", won="email"))
    assert 'name="quiet_from" type="time" value=""' in page


async def test_half_a_quiet_time_is_explained_at_its_field(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    refused = await press(bob, "save", won="email", quiet_from="22:00", quiet_to="")
    assert refused.status_code == 422
    assert "Fill in both times, such as 22:00 and 07:00, or none." in words_of(refused.text)
    assert 'value="22:00"' in refused.text
    assert ("won", "email") in checked(refused.text), "nothing that was typed is lost"
    assert await preferences(web_app) is None
    refused = await press(bob, "save", quiet_from="22:00", quiet_to="22:00")
    assert "Choose an end that is not the beginning." in words_of(refused.text)


async def test_of_two_open_forms_the_second_shows_both_versions(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    old = form((await bob.get(PATH)).text, "save")
    await press(bob, "save", won="email")
    stale = await bob.post(PATH, data=old | {"won": "text"})
    assert stale.status_code == 409
    assert "Someone has changed this" in stale.text


# ------------------------------------------------------------------------------------------------------- browsers


async def test_a_browser_is_allowed_listed_and_stopped(web_app: WebApp, push_service: PushServer) -> None:
    served = with_settings(web_app, push_services=push_service.url)
    bob = await served.sign_in("bob")
    phone = push_service.browser()
    page = (await bob.get(PATH)).text
    key = (await load_push_keys(web_app.database, Vault.of(served.settings))).public_key
    assert f'data-push-key="{key}" hidden' in page, "without a script there is no button that does nothing"
    page = await follow(bob, await press(bob, "allow", endpoint=phone.endpoint, **phone.keys))

    assert "Alerts are shown in this browser from now on." in page
    assert f'data-endpoint="{phone.endpoint}"' in page
    [row] = await web_app.database.fetch("SELECT * FROM push_subscriptions")
    assert (row["user_id"], row["auth"]) == (web_app.town.users["bob"], phone.keys["auth"])
    assert phone.keys["auth"] not in page
    page = await follow(bob, await press(bob, "stop", row["id"]))
    assert "No browser shows them yet." in page
    assert await web_app.database.fetchval("SELECT count(*) FROM push_subscriptions") == 0


async def test_what_no_browser_gives_is_refused(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    refused = await press(bob, "allow", endpoint="http://127.0.0.1:1/x", p256dh="x", auth="y")
    assert refused.status_code == 409
    assert "This browser did not give what notifications need." in words_of(refused.text)
    assert await web_app.database.fetchval("SELECT count(*) FROM push_subscriptions") == 0


async def test_no_one_stops_the_browser_of_someone_else(web_app: WebApp, push_service: PushServer) -> None:
    await push_service.allowed(web_app.database, web_app.town.users["bob"])
    number = await web_app.database.fetchval("SELECT id FROM push_subscriptions")
    carol = await web_app.sign_in("carol")
    hidden = form((await carol.get(PATH)).text, "save")
    await carol.post(PATH, data=hidden | {"do": "stop", "id": number})
    assert await web_app.database.fetchval("SELECT count(*) FROM push_subscriptions") == 1


async def test_every_kind_of_browser_has_its_instructions(web_app: WebApp) -> None:
    words = words_of((await (await web_app.sign_in("bob")).get(PATH)).text)
    names = ("iPhone and iPad", "Chrome, Edge, Samsung Internet", "Firefox", "Safari on a Mac", "Add to Home Screen")
    assert [name for name in names if name not in words] == []


# ---------------------------------------------------------------------------------------------------------- tests


async def test_without_a_channel_there_is_nothing_to_test(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    page = (await bob.get(PATH)).text
    assert "No channel is set up yet." in page
    refused = await bob.post(PATH, data=form(page, "save") | {"do": "test", "channel": "email"})
    assert refused.status_code == 422
    assert await web_app.database.fetchval("SELECT count(*) FROM messages WHERE kind = 'test'") == 0


async def test_each_channel_sends_a_test_and_says_what_became_of_it(web_app: WebApp, push_service: PushServer) -> None:
    async with Mailbox() as mailbox:
        served = with_settings(web_app, smtp_url=mailbox.url, push_services=push_service.url)
        phone = await push_service.allowed(web_app.database, web_app.town.users["bob"])
        bob = await served.sign_in("bob")
        for channel in ("email", "push"):
            assert "It is on its way." in await follow(bob, await press(bob, "test", channel))
        assert "On its way" in (await bob.get(PATH)).text
        again = await press(bob, "test", "email")
        assert again.status_code == 409
        assert "Wait a minute" in again.text
        await deliver_tests(served)
        page = (await bob.get(PATH)).text

    [mail] = [each for each in mailbox.mails if to("bob")(each)]
    assert mail["Subject"] == "A test of your alerts"
    assert [(each["title"], each["path"]) for each in phone.shown] == [("A test of your alerts", "me/alerts")]
    assert words_of(page).count("Sent, ") == 2
    assert await web_app.database.fetchval("SELECT count(*) FROM messages WHERE kind = 'test'") == 2


async def test_a_test_that_fails_says_why(web_app: WebApp) -> None:
    async with Mailbox() as mailbox:
        mailbox.answers = ["550 5.1.1 no such mailbox"]
        served = with_settings(web_app, smtp_url=mailbox.url)
        bob = await served.sign_in("bob")
        await press(bob, "test", "email")
        await deliver_tests(served)
        page = words_of((await bob.get(PATH)).text)
    assert "It failed" in page
    assert "550 5.1.1 no such mailbox" in page


async def deliver_tests(served: WebApp) -> None:
    channels = open_channels(served.settings)
    delivery = MessageDelivery(served.database, channels, served.settings)
    for row in await served.database.fetch("SELECT owner_id, id FROM messages WHERE kind = 'test' ORDER BY id"):
        await delivery.deliver(MessageKey(row["owner_id"], row["id"]))
    await delivery.close()
    for channel in channels.values():
        if channel is not None:
            await channel.close()
