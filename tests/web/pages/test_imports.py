"""Imports and settings: an owner sends a file, matches its columns, checks and imports it; and what an account is."""

import re
from codecs import BOM_UTF8
from typing import Any, get_args

import httpx
import msgspec
import pytest

from leadroutes.intake.csv_import import WhyNot, WhyNull
from leadroutes.operations.import_jobs import ImportJobs
from leadroutes.store.queue import RowKey
from leadroutes.web.pages.imports import WHY
from tests.support.page_forms import filled
from tests.support.provider import Provider
from tests.support.web_app import WebApp, with_settings

FILE = b"""When,Who,Mail,Tel,Lead Source
2026-08-01,Mia Lund,mia@example.com,(303) 555-0101,Zillow
2026-08-02,Tom Berg,tom@example.com,,Website
yesterday or so,Eva Kern,eva@example.com,,Zillow
2026-08-03,No Address,,,Zillow
"""
MATCHED = {
    "do": "check", "meaning.0": "time", "meaning.1": "full", "meaning.2": "email", "meaning.3": "phone",
    "meaning.4": "source",
}  # fmt: skip


async def sent_file(alice: httpx.AsyncClient, content: bytes = FILE) -> str:
    """The path of the import."""
    files = {"file": ("old leads.csv", content, "text/csv")}
    answer = await alice.post("/app/import", data={"do": "upload"}, files=files)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def work(web_app: WebApp, path: str) -> None:
    """What a worker does with the job."""
    key = RowKey(web_app.town.users["alice"], int(path.rpartition("/")[2]))
    await ImportJobs(web_app.database).run(msgspec.json.encode(key), 1)


async def test_a_file_is_sent_matched_checked_and_imported(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    path = await sent_file(alice)
    page = (await alice.get(path)).text
    assert "old leads.csv" in page
    assert "mia@example.com · tom@example.com" in page, "samples of the cells"

    assert (await alice.post(path, data=MATCHED)).headers["location"] == path
    under_way = (await alice.get(path)).text
    assert "The file is being checked" in under_way
    assert "of 4 rows" in under_way
    assert "<html" not in (await alice.get(f"{path}?part=progress")).text
    assert 'value="remove"' not in under_way

    await work(web_app, path)
    checked = (await alice.get(path)).text
    assert "What would come of it" in checked
    assert "yesterday or so" in checked
    assert "neither an e-mail nor a phone" in checked
    assert not await web_app.database.fetchval("SELECT count(*) FROM contacts WHERE email = 'tom@example.com'")

    await alice.post(path, data={"do": "start"})
    await work(web_app, path)
    done = (await alice.get(path)).text
    assert "What came of it" in done
    report = await alice.post(path, data={"do": "report"})
    assert report.headers["content-type"].startswith("text/csv")
    assert report.content.startswith(BOM_UTF8)
    assert "No Address" in report.text
    assert "2 not taken" in (await alice.get("/app/import")).text
    assert "Mia Lund" in (await alice.get("/app/leads?state=imported")).text

    assert (await alice.post(path, data={"do": "start"})).status_code == 409
    assert (await alice.post(path, data={"do": "remove"})).headers["location"] == "/app/import"
    assert (await alice.get(path)).status_code == 404


def test_whatever_is_wrong_with_a_row_has_words() -> None:
    assert set(WHY) == {*get_args(WhyNot), *get_args(WhyNull)}


async def test_what_the_columns_mean_is_retained_where_the_date_is_wrong(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    path = await sent_file(alice)
    answer = await alice.post(path, data=MATCHED | {"meaning.0": "ignore", "received_at": "soon"})

    assert answer.status_code == 422
    assert "received_at" in answer.text
    assert re.search(r'<option value="full" selected>', answer.text)
    wrong = await alice.post(path, data=MATCHED | {"meaning.2": "shoe size"})
    assert wrong.status_code == 422


async def test_a_file_without_a_date_needs_one_for_all_rows(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    path = await sent_file(alice, b"Name,Mail\nMia Lund,mia@example.com\n")
    await alice.post(path, data={"do": "check", "meaning.0": "full", "meaning.1": "email"})
    await work(web_app, path)
    page = (await alice.get(path)).text
    assert 'value="start"' not in page
    assert "or give one date for all rows" in page

    sent = {"do": "check", "meaning.0": "full", "meaning.1": "email", "received_at": "2026-04-02"}
    await alice.post(path, data=sent)
    await work(web_app, path)
    assert 'value="start"' in (await alice.get(path)).text


async def test_columns_of_one_heading_are_asked_for_once(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    path = await sent_file(alice, b"Date Added,Email,Email\n2026-04-02,,mia@example.com\n2026-04-02,tom@example.com,\n")
    page = (await alice.get(path)).text
    assert page.count('<label for="check-meaning.') == 2
    assert "tom@example.com · mia@example.com" in page
    await alice.post(path, data=filled(page, "check"))
    await work(web_app, path)
    assert await web_app.database.fetchval("SELECT result ->> 'imported' FROM imports") == "2"


async def test_a_file_whose_columns_are_all_recognised_is_checked_as_it_is(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    path = await sent_file(alice, b"Date Added,Primary Email,Email 2\n2026-04-02,,mia@example.com\n")
    for meaning in ("ignore", "email"):  # and back to what was recognised
        answer = await alice.post(path, data={"do": "check", "meaning.2": meaning})
        assert answer.status_code == 303, answer.text
        await work(web_app, path)
    assert 'value="start"' in (await alice.get(path)).text


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({}, "Choose a file"),
        ({"file": ("a.csv", b"", "text/csv")}, "Choose a file"),
        ({"file": ("a.csv", b"only,headings\n", "text/csv")}, "0 rows"),
    ],
)
async def test_a_file_that_cannot_be_imported_is_refused(web_app: WebApp, files: Any, complaint: str) -> None:
    alice = await web_app.sign_in("alice")
    answer = await alice.post("/app/import", data={"do": "upload"}, files=files)

    assert answer.status_code == 422
    assert complaint in answer.text


async def test_no_one_reaches_the_import_of_another(web_app: WebApp) -> None:
    alice, dave = await web_app.sign_in("alice"), await web_app.sign_in("dave")
    path = await sent_file(alice)

    assert (await dave.get(path)).status_code == 404
    for do in ("check", "start", "report", "remove"):
        assert (await dave.post(path, data={"do": do})).status_code == 404, do
    assert "old leads.csv" not in (await dave.get("/app/import")).text


# -------------------------------------------------------------------------------------------------------- settings


async def administrator(web_app: WebApp) -> httpx.AsyncClient:
    await web_app.database.execute("UPDATE users SET is_admin = true WHERE id = $1", web_app.town.users["alice"])
    return await web_app.sign_in("alice")


def seen_in(page: str) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def test_an_owner_says_where_the_brokerage_is(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    page = (await alice.get("/app/settings")).text
    assert '<option value="America/Phoenix" >Mountain, no daylight saving (Phoenix)</option>' in page
    sent = {"do": "save", "timezone": "America/Phoenix", "postal_address": "1 Main St\nPhoenix", "seen": seen_in(page)}

    assert (await alice.post("/app/settings", data=sent)).status_code == 303
    row = await web_app.database.fetchrow("SELECT * FROM users WHERE id = $1", web_app.town.users["alice"])
    assert (row["timezone"], row["postal_address"]) == ("America/Phoenix", "1 Main St\nPhoenix")

    stale = await alice.post("/app/settings", data=sent | {"timezone": "America/Denver"})
    assert (stale.status_code, "Someone has changed this" in stale.text) == (409, True)
    for zone in ("", "Denver", "x" * 300):
        wrong = await alice.post("/app/settings", data=sent | {"timezone": zone, "seen": ""})
        assert wrong.status_code == 422, zone
        assert "1 Main St" in wrong.text


async def test_an_owner_sees_when_things_are_removed_and_no_channels(web_app: WebApp) -> None:
    alice = await with_settings(web_app, keep_arrivals=45).sign_in("alice")
    page = (await alice.get("/app/settings")).text

    assert "after 45 days" in page
    assert "Channels" not in page
    assert "Example brokerage" not in page
    for do in ("send_test", "load_example", "remove_example"):
        assert (await alice.post("/app/settings", data={"do": do})).status_code == 403, do


async def test_an_administrator_sees_what_to_add_for_mail(web_app: WebApp) -> None:
    alice = await administrator(web_app)
    page = (await alice.get("/app/settings")).text

    assert "LEADROUTES_SMTP_URL=smtp://" in page
    assert "LEADROUTES_TWILIO_ACCOUNT=" in page
    answer = await alice.post("/app/settings", data={"do": "send_test"})
    assert (answer.status_code, "no email channel is configured" in answer.text) == (409, True)


async def test_an_administrator_sees_the_channel_of_texts_and_tries_it(web_app: WebApp, provider: Provider) -> None:
    texting = with_settings(web_app, **provider.settings)
    await web_app.database.execute(
        "UPDATE users SET is_admin = true, phone = '+13035550141' WHERE id = $1", web_app.town.users["alice"]
    )
    alice = await texting.sign_in("alice")
    page = (await alice.get("/app/settings")).text
    assert "LEADROUTES_TWILIO_ACCOUNT" not in page
    answer = await alice.post("/app/settings", data={"do": "send_test", "channel": "text"})
    assert "The provider took a test text to +13035550141" in (await alice.get(answer.headers["location"])).text
    assert [text["to"] for text in provider.texts.values()] == ["+13035550141"]
    provider.password = "another"
    answer = await alice.post("/app/settings", data={"do": "send_test", "channel": "text"})
    assert (answer.status_code, "said 20003: Authenticate" in answer.text) == (409, True)
    wrong = await alice.post("/app/settings", data={"do": "send_test", "channel": "fax"})
    assert (wrong.status_code, "expected one of email, text" in wrong.text) == (422, True)


async def test_the_example_is_loaded_before_the_first_lead_only(web_app: WebApp) -> None:
    alice = await administrator(web_app)
    assert "before the first real lead only" in (await alice.get("/app/settings")).text
    assert (await alice.post("/app/settings", data={"do": "load_example"})).status_code == 409

    await web_app.database.execute("UPDATE users SET is_admin = true WHERE id = $1", web_app.town.users["dave"])
    dave = await web_app.sign_in("dave")
    await dave.post("/app/settings", data={"do": "load_example"})
    assert "It is loaded" in (await dave.get("/app/settings")).text
    await dave.post("/app/settings", data={"do": "remove_example"})
    assert "Load the example" in (await dave.get("/app/settings")).text


async def test_an_owner_takes_everything_along_and_nothing_of_others(web_app: WebApp) -> None:
    alice, dave = await web_app.sign_in("alice"), await web_app.sign_in("dave")
    leads = await alice.post("/app/settings", data={"do": "export", "what": "leads"})

    assert leads.headers["content-disposition"] == 'attachment; filename="leads.csv"'
    assert leads.content.startswith(BOM_UTF8)
    assert "Mia" in leads.text
    assert "Mia" not in (await dave.post("/app/settings", data={"do": "export", "what": "contacts"})).text
    assert (await alice.post("/app/settings", data={"do": "export", "what": "users"})).status_code == 422
