"""Phone numbers on the pages, and texts of contacts on the pages of leads."""

import re
from dataclasses import replace

import httpx
import pytest

from leadroutes.ingest.received_texts import ReceivedTexts
from leadroutes.store.received_texts import NewText, add_received_text
from tests.support.provider import NUMBER, Provider, number_record
from tests.support.web_app import WebApp, with_settings

PATH = "/app/settings/phone-numbers"
MINE = "+13035550111"


@pytest.fixture
async def numbers(web_app: WebApp, provider: Provider) -> WebApp:
    """Alice is an administrator; the account has two numbers."""
    provider.numbers = [number_record(NUMBER), number_record(MINE)]
    await web_app.database.execute("UPDATE users SET is_admin = true WHERE username = 'alice'")
    return with_settings(web_app, **provider.settings)


def hidden(page: str, do: str) -> dict[str, str]:
    """The hidden fields of the first form of this name."""
    for each in re.findall(r"<form.*?</form>", page, re.DOTALL):
        if f'name="do" value="{do}"' in each:
            return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', each))
    raise AssertionError(f"no form {do}")


async def send(browser: httpx.AsyncClient, do: str, **fields: object) -> httpx.Response:
    page = (await browser.get(PATH)).text
    return await browser.post(PATH, data=hidden(page, do) | {name: str(value) for name, value in fields.items()})


async def say(web_app: WebApp, phone: str, body: str, number: str | None = NUMBER) -> None:
    """A text comes in and is dealt with."""
    database = web_app.database
    await add_received_text(database, NewText(provider_id=f"SM {body}", number=number, phone=phone, body=body))
    text_id = await database.fetchval("SELECT max(id) FROM received_texts")
    texts = ReceivedTexts(web_app.brokerage.arrivals, replace(web_app.settings, twilio_answers_stop=False))
    await texts.read(f'{{"owner_id":0,"id":{text_id}}}'.encode(), 1)


async def test_an_administrator_gives_a_number_to_an_agent_and_to_another_one(numbers: WebApp) -> None:
    alice = await numbers.sign_in("alice")
    bob, carol = numbers.town.users["bob"], numbers.town.users["carol"]
    answer = await send(alice, "add", number="303 555 0111", user_id=bob, intake_key_id="")
    assert answer.status_code == 303, answer.text
    page = (await alice.get(PATH)).text
    assert "The number (303) 555-0111 is added." in page
    assert "Bob Town" in page
    assert (await send(alice, "save", user_id=carol, intake_key_id="")).status_code == 303
    assert await numbers.database.fetchval("SELECT owner_id FROM phone_numbers") == carol
    assert (await send(alice, "remove")).status_code == 303
    assert "No number belongs to a user yet" in (await alice.get(PATH)).text


async def test_a_number_of_someone_else_is_refused_beside_the_field(numbers: WebApp) -> None:
    alice = await numbers.sign_in("alice")
    answer = await send(alice, "add", number="+13035550999", user_id=numbers.town.users["bob"], intake_key_id="")
    assert answer.status_code == 422
    assert "expected one of the provider" in answer.text
    assert 'value="+13035550999"' in answer.text, "what was typed is still there"


async def test_a_number_that_someone_has_changed_meanwhile_is_not_overwritten(numbers: WebApp) -> None:
    alice = await numbers.sign_in("alice")
    bob, carol = numbers.town.users["bob"], numbers.town.users["carol"]
    await send(alice, "add", number=MINE, user_id=bob, intake_key_id="")
    stale = hidden((await alice.get(PATH)).text, "save")
    await send(alice, "save", user_id=carol, intake_key_id="")
    answer = await alice.post(PATH, data=stale | {"user_id": str(numbers.town.users["dave"]), "intake_key_id": ""})
    assert answer.status_code == 409
    assert await numbers.database.fetchval("SELECT owner_id FROM phone_numbers") == carol


async def test_agents_do_not_open_it(numbers: WebApp) -> None:
    bob = await numbers.sign_in("bob")
    assert (await bob.get(PATH)).status_code in (403, 404)
    assert "phone-numbers" not in (await bob.get("/app/me")).text


async def test_texts_that_belong_to_no_one_are_shown_to_administrators(numbers: WebApp) -> None:
    await say(numbers, "+13035550177", "Is <b>anyone</b> there?")
    alice = await numbers.sign_in("alice")
    page = (await alice.get(PATH)).text
    assert "Texts that belong to no one" in page
    assert "Is &lt;b&gt;anyone&lt;/b&gt; there?" in page
    assert "(303) 555-0177" in page


async def test_the_conversation_is_on_the_page_of_the_lead(numbers: WebApp) -> None:
    await numbers.engine.claim(numbers.brokerage.owner_id, numbers.lead_id, numbers.town.users["bob"])
    contact_id = await numbers.database.fetchval("SELECT contact_id FROM leads WHERE id = $1", numbers.lead_id)
    await numbers.town.insert(
        "messages", owner_id=numbers.brokerage.owner_id, kind="campaign", channel="text", contact_id=contact_id,
        state="sent", address="+13035550147", text_body="Shall we meet?", created_at=numbers.town.now,
        sent_at=numbers.town.now,
    )  # fmt: skip
    await say(numbers, "+13035550147", "Yes, on <i>Sunday</i>")
    bob = await numbers.sign_in("bob")
    page = (await bob.get(f"/app/leads/{numbers.lead_id}")).text
    asked, answered = page.index("Shall we meet?"), page.index("Yes, on &lt;i&gt;Sunday&lt;/i&gt;")
    assert answered < asked, "the newest first"
    assert "Text from the contact" in page
