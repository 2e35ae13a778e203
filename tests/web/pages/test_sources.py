"""Lead sources and what came in: an owner makes an address, tries it, replaces it, and corrects what was not read."""

import re
from typing import Any

import httpx
import pytest

from leadroutes.ingest.arrivals import Arrivals
from tests.support.page_forms import words_of
from tests.support.web_app import WebApp, with_settings

GOOGLE = {"do": "make", "kind": "google", "secret.google_key": "a-long-key-of-ours"}


async def source_of(web_app: WebApp, name: str = "Zillow") -> int:
    return int(await web_app.database.fetchval("SELECT id FROM lead_sources WHERE name = $1 LIMIT 1", name))


async def made(alice: httpx.AsyncClient, web_app: WebApp, **sent: str) -> tuple[str, dict[str, Any]]:
    """The page that shows a new address, and the key."""
    source_id = str(await source_of(web_app))
    page = await alice.post("/app/sources/new", data=GOOGLE | {"lead_source_id": source_id} | sent)
    assert page.status_code == 200, page.text
    return page.text, await last_key(web_app)


async def last_key(web_app: WebApp) -> dict[str, Any]:
    return dict(await web_app.database.fetchrow("SELECT * FROM intake_keys ORDER BY id DESC LIMIT 1"))


def address_in(page: str) -> str:
    found = re.search(r'value="(http[^"]+/intake/[^"]+)"', page)
    assert found is not None
    return found[1].removeprefix("http://town")


async def undo(browser: httpx.AsyncClient, path: str) -> None:
    token = re.search(r'name="undo" value="([^"]+)"', (await browser.get(path)).text)
    assert token is not None
    await browser.post("/app/undo", data={"undo": token[1], "back": path})


async def test_an_address_is_made_and_shown_once_with_the_vendors_steps(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    page, key = await made(alice, web_app)

    assert "It is shown only now" in page
    assert f"<code>http://town{address_in(page)}</code>" in page, "the address is in the steps"
    assert key["format"] == "google"
    assert "a-long-key-of-ours" not in page
    listed = (await alice.get("/app/sources")).text
    assert "Google Ads lead forms" in listed
    assert address_in(page) not in listed
    assert address_in(page) not in (await alice.get(f"/app/sources/{key['lead_source_id']}")).text


async def test_a_form_for_a_website_is_copied_with_the_address_in_it(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    page, _ = await made(alice, web_app, kind="website", name="Our open houses")

    assert f"&lt;form action=&#34;http://town{address_in(page)}&#34;" in page
    assert 'data-copy="snippet"' in page
    assert await source_of(web_app, "Our open houses")


@pytest.mark.parametrize("kind", ["zillow", "realtor", "facebook", "google", "website", "zapier"])
async def test_every_vendor_has_a_form_with_what_its_key_needs(web_app: WebApp, kind: str) -> None:
    alice = await web_app.sign_in("alice")
    page = (await alice.get(f"/app/sources/new?kind={kind}")).text
    data = {"do": "make", "kind": kind, "lead_source_id": str(await source_of(web_app))}
    data |= dict.fromkeys(re.findall(r'name="(secret\.[^"]+)"', page), "a-secret-of-20-letters")

    assert (await alice.post("/app/sources/new", data=data)).status_code == 200


async def test_without_a_mailbox_the_page_says_what_is_missing(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    page = (await alice.get("/app/sources/new?kind=email")).text
    assert "LEADROUTES_MAIL_DOMAIN" in page
    assert 'value="make"' not in page

    alice = await with_settings(web_app, mail_domain="in.example.com").sign_in("alice")
    page, _ = await made(alice, web_app, kind="email")
    assert "@in.example.com" in page


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"secret.google_key": ""}, "anyone who knows the address could send leads"),
        ({"lead_source_id": ""}, "Choose a lead source"),
        ({"lead_source_id": "one"}, "expected the id of a record"),
        ({"lead_source_id": "999999"}, "lead_source_id"),
        ({"kind": "carrier pigeon"}, "Choose first where the leads come from"),
        ({"name": "x" * 201}, "200"),
    ],
)
async def test_what_is_wrong_with_a_new_source_is_said_and_nothing_is_lost(
    web_app: WebApp, sent: dict[str, str], complaint: str
) -> None:
    alice = await web_app.sign_in("alice")
    before = await web_app.database.fetchval("SELECT count(*) FROM intake_keys")
    data = GOOGLE | {"lead_source_id": str(await source_of(web_app)), "name": ""} | sent
    answer = await alice.post("/app/sources/new", data=data)

    assert answer.status_code == 422
    assert complaint in answer.text
    assert await web_app.database.fetchval("SELECT count(*) FROM intake_keys") == before
    if sent.get("kind") is None and "secret.google_key" not in sent:
        assert "a-long-key-of-ours" in answer.text


async def test_an_address_is_replaced_closed_and_said_to_be_public(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    _, key = await made(alice, web_app)
    path = f"/app/sources/{key['lead_source_id']}"

    rotated = await alice.post(path, data={"do": "rotate", "on": str(key["id"]), "key": str(key["id"]), "days": "7"})
    assert "The old address works until" in rotated.text
    assert address_in(rotated.text)
    wrong = await alice.post(path, data={"do": "rotate", "on": str(key["id"]), "key": str(key["id"]), "days": "8"})
    assert (wrong.status_code, "Choose how long" in wrong.text) == (422, True)

    await alice.post(path, data={"do": "private", "key": str(key["id"])})
    assert (await last_key(web_app))["is_private"] is False
    await undo(alice, path)
    assert (await last_key(web_app))["is_private"] is True

    await alice.post(path, data={"do": "revoke", "key": str(key["id"])})
    assert f"address {key['id']}" not in (await alice.get(path)).text


async def test_an_address_that_someone_else_changed_is_not_overwritten(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    _, key = await made(alice, web_app)
    path = f"/app/sources/{key['lead_source_id']}"
    stale = {"do": "private", "on": str(key["id"]), "key": str(key["id"]), "seen": "0123456789abcdef"}

    answer = await alice.post(path, data=stale)

    assert answer.status_code == 409
    assert "Someone has changed this" in answer.text


async def test_a_test_lead_is_shown_where_it_went_and_removed(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    _, key = await made(alice, web_app)
    path = f"/app/sources/{key['lead_source_id']}"

    answer = await alice.post(
        path, data={"do": "test", "on": str(key["id"]), "key": str(key["id"]), "zipcode": "80202"}
    )
    assert answer.status_code == 303, answer.text
    page = (await alice.get(answer.headers["location"])).text
    lead = re.search(r'href="(/app/leads/\d+)"', page)
    assert lead is not None
    assert "Your test lead" in page
    assert (await alice.get(lead[1])).status_code == 200

    await alice.post(path, data={"do": "remove_tests"})
    assert (await alice.get(lead[1])).status_code == 404
    assert "Your test lead" not in (await alice.get(answer.headers["location"])).text


async def test_a_form_that_is_sent_twice_makes_one_address(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    page = (await alice.get("/app/sources/new?kind=google")).text
    once = re.search(r'name="once" value="([^"]+)"', page)
    assert once is not None
    data = GOOGLE | {"lead_source_id": str(await source_of(web_app)), "once": once[1]}
    before = await web_app.database.fetchval("SELECT count(*) FROM intake_keys")

    for _ in range(2):
        await alice.post("/app/sources/new", data=data)

    assert await web_app.database.fetchval("SELECT count(*) FROM intake_keys") == before + 1


async def test_no_one_reaches_the_addresses_of_another(web_app: WebApp) -> None:
    alice, dave = await web_app.sign_in("alice"), await web_app.sign_in("dave")
    _, key = await made(alice, web_app, name="Alice's own")
    source_id = await source_of(web_app, "Alice's own")

    assert (await dave.get(f"/app/sources/{source_id}")).status_code == 404
    shared = await source_of(web_app)
    for do in ("rotate", "revoke", "private", "test"):
        sent = {"do": do, "key": str(key["id"]), "days": "7", "is_private": "yes"}
        assert (await dave.post(f"/app/sources/{shared}", data=sent)).status_code == 404, do
    assert (await last_key(web_app))["revoked_at"] is None


async def test_an_agent_has_no_such_pages(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    home = (await bob.get("/app")).text
    for path in ("/app/sources", "/app/sources/new", "/app/arrivals", "/app/import", "/app/settings"):
        assert (await bob.get(path)).status_code == 404
        assert f'href="{path}"' not in home


async def test_what_is_typed_survives_the_end_of_the_session_without_the_secrets(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    once = re.search(r'name="once" value="([^"]+)"', (await alice.get("/app/sources/new?kind=google")).text)
    assert once is not None
    await alice.post("/sign-out")

    await alice.post("/app/sources/new", data=GOOGLE | {"name": "Ours", "once": once[1]})

    typed = await web_app.database.fetch("SELECT fields::text AS fields FROM typed_forms")
    assert ["Ours" in each["fields"] for each in typed] == [True]
    assert "a-long-key-of-ours" not in typed[0]["fields"]


# ------------------------------------------------------------------------------------------------------- arrivals


async def unread(web_app: WebApp, alice: httpx.AsyncClient, body: str = "first_name=Tom&note=<b>call</b>") -> int:
    """An arrival without any address of a person."""
    page, _ = await made(alice, web_app, kind="website")
    key, kind = address_in(page).removeprefix("/intake/"), {"content-type": "application/x-www-form-urlencoded"}
    await Arrivals(web_app.engine, web_app.settings).ingest(key, body.encode(), kind)
    return int(await web_app.database.fetchval("SELECT max(id) FROM arrivals"))


async def test_what_could_not_be_read_is_shown_as_it_came_and_as_it_is_read(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    arrival_id = await unread(web_app, alice)
    page = (await alice.get(f"/app/arrivals/{arrival_id}")).text

    assert "neither an e-mail nor a phone" in page
    assert "first_name=Tom&amp;note=&lt;b&gt;call&lt;/b&gt;" in page
    assert "<b>call</b>" not in page
    listed = (await alice.get("/app/arrivals?status=open")).text
    assert f"/app/arrivals/{arrival_id}" in listed
    assert "Mia" in (await alice.get("/app/arrivals")).text, "a lead is named by its person"


async def test_an_arrival_is_corrected_field_by_field(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    path = f"/app/arrivals/{await unread(web_app, alice)}"

    refused = await alice.post(path, data={"do": "correct", "fields.first_name": "Tom", "fields.city": "Denver"})
    assert refused.status_code == 422
    assert "without one no lead can come of it" in refused.text
    assert 'value="Denver"' in refused.text

    answer = await alice.post(
        path, data={"do": "correct", "fields.first_name": "Tom", "fields.email": "tom@example.com"}
    )
    assert answer.status_code == 303, answer.text
    page = (await alice.get(path)).text
    assert "there is a lead now" in page
    assert "To the lead" in page
    assert "Corrected by" in page
    again = await alice.post(path, data={"do": "correct", "fields.email": "tom@example.com"})
    assert again.status_code == 409


async def test_an_arrival_is_corrected_as_text_and_read_again(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    path = f"/app/arrivals/{await unread(web_app, alice)}"

    await alice.post(path, data={"do": "replay"})
    assert "there is no lead yet" in (await alice.get(path)).text
    blank = await alice.post(path, data={"do": "correct_text", "body": " "})
    assert blank.status_code == 422

    sent = {"do": "correct_text", "body": "first_name=Tom&email=tom@example.com", "content_type": ""}
    assert (await alice.post(path, data=sent)).status_code == 303
    assert "To the lead" in (await alice.get(path)).text


async def test_an_arrival_is_marked_and_opened_again(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    arrival_id = await unread(web_app, alice)
    sent = {"do": "handled", "id": str(arrival_id), "is_handled": "yes", "status": "open"}

    answer = await alice.post("/app/arrivals", data=sent)
    assert answer.headers["location"] == "/app/arrivals?status=open"
    assert "Nothing waits for you" in (await alice.get("/app/arrivals?status=open")).text
    await alice.post("/app/arrivals", data=sent | {"is_handled": "no"})
    await undo(alice, "/app/arrivals")
    assert "says" in (await alice.get(f"/app/arrivals/{arrival_id}")).text


async def test_the_board_asks_for_what_waits_and_for_nothing_that_is_dealt_with(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    waits = 'href="/app/arrivals?status=open">What could not be read waits to be corrected'
    assert waits not in (await alice.get("/app/board")).text
    path = f"/app/arrivals/{await unread(web_app, alice)}"
    assert waits in (await alice.get("/app/board")).text

    await alice.post(path, data={"do": "handled", "id": path.rpartition("/")[2], "is_handled": "yes"})
    board = (await alice.get("/app/board")).text
    assert waits not in board
    assert re.search("<dt>rejected</dt><dd>1</dd>", board), "the ledger still has it"

    await alice.post(path, data={"do": "correct", "fields.email": "tom@example.com"})
    page = words_of((await alice.get(path)).text)
    assert "new lead" in page
    assert "Nothing is to be done about it" not in page, "it has become a lead after all"


async def test_no_one_sees_or_corrects_what_came_in_for_another(web_app: WebApp) -> None:
    alice, dave = await web_app.sign_in("alice"), await web_app.sign_in("dave")
    arrival_id = await unread(web_app, alice)
    path = f"/app/arrivals/{arrival_id}"

    assert (await dave.get(path)).status_code == 404
    for do in ("replay", "correct", "correct_text", "handled"):
        sent = {"do": do, "id": str(arrival_id), "is_handled": "yes", "fields.email": "x@example.com", "body": "x"}
        assert (await dave.post(path, data=sent)).status_code == 404, do
    assert "Nothing came in yet" in (await dave.get("/app/arrivals")).text


@pytest.mark.parametrize("query", ["status=x", "key=x", "after=-1"])
async def test_filters_that_the_page_does_not_offer_are_refused(web_app: WebApp, query: str) -> None:
    alice = await web_app.sign_in("alice")
    assert (await alice.get(f"/app/arrivals?{query}")).status_code == 400


async def test_the_list_of_arrivals_goes_on_by_key(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    for number in range(51):
        await web_app.ask(name=f"Person{number:02d} Lund", email=f"p{number}@example.org")
    first = (await alice.get("/app/arrivals?status=accepted")).text
    more = re.search(r'hx-get="([^"]+)"', first)
    assert more is not None
    second = (await alice.get(more[1].replace("&amp;", "&"))).text

    assert first.count('class="who"') == 50
    assert "Person50" in first
    assert "Person00" in second
    assert "<html" not in second
