"""Contacts: found, changed, tagged, written to or not, merged, exported, erased; and who may not."""

import re

import httpx
import pytest

from tests.support.page_forms import form, words_of
from tests.support.races import overtaken
from tests.support.web_app import WebApp


async def new_contact(browser: httpx.AsyncClient, **fields: str) -> str:
    """The path of the page of a contact that was entered by hand."""
    answer = await browser.post("/app/contacts/new", data={"do": "add", "is_new": "yes", **fields})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def undo(browser: httpx.AsyncClient, path: str) -> httpx.Response:
    token = re.search(r'name="undo" value="([^"]+)"', (await browser.get(path)).text)
    assert token is not None, "nothing to undo"
    return await browser.post("/app/undo", data={"undo": token[1], "back": path})


async def mias(web_app: WebApp) -> int:
    return await web_app.database.fetchval("SELECT contact_id FROM leads WHERE id = $1", web_app.lead_id)


async def test_contacts_are_found_by_name_phone_and_tag(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    path = await new_contact(alice, first_name="Noor", last_name="Haddad", mobile_phone="604 555 0100", tags="vip, <b>")

    assert "Noor Haddad" in (await alice.get("/app/contacts?search=noor+6045550100")).text
    assert "Noor Haddad" in (await alice.get("/app/contacts?tag=VIP")).text
    assert "&lt;b&gt;" in (await alice.get("/app/contacts")).text
    assert "No contact found" in (await alice.get("/app/contacts?search=unknown")).text
    assert (await alice.get(path)).status_code == 200
    assert (await alice.get("/app/contacts?after=x")).status_code == 400


async def test_the_list_of_contacts_goes_on_by_key(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    await web_app.database.execute(
        "INSERT INTO contacts (owner_id, first_name, created_at, modified_at)"
        " SELECT $1, 'Person ' || n, now(), now() FROM generate_series(1, 51) n",
        web_app.town.users["alice"],
    )
    first = (await alice.get("/app/contacts")).text
    more = re.search(r'hx-get="([^"]+)"', first[first.index("Show more") - 400 :])
    assert more is not None
    second = (await alice.get(more[1].replace("&amp;", "&"))).text

    assert first.count('class="who"') == 50
    assert "Person 1<" in second


async def test_a_contact_that_is_known_is_shown_before_a_second_one_is_stored(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    typed = {"do": "add", "first_name": "Mia", "email": "mia@example.com", "company": "Lund & Co"}
    answer = await alice.post("/app/contacts/new", data=typed)

    assert answer.status_code == 422
    assert f"/app/contacts/{await mias(web_app)}" in answer.text
    assert 'value="Lund &amp; Co"' in answer.text
    assert (await alice.post("/app/contacts/new", data={**typed, "is_new": "yes"})).status_code == 303
    unnamed = await alice.post("/app/contacts/new", data={"do": "add", "tags": "vip"})
    assert "A name, an e-mail or a phone is needed" in unnamed.text
    wrong = await alice.post("/app/contacts/new", data={"do": "add", "first_name": "A", "email": "not an address"})
    assert wrong.status_code == 422
    assert 'value="not an address"' in wrong.text


@pytest.mark.parametrize(("typed", "status"), [("-", 303), ("n/a", 303), ("Mia", 303), ("call 555-0142, please", 422)])
async def test_only_a_phone_is_compared_with_those_that_are_known(web_app: WebApp, typed: str, status: int) -> None:
    alice = await web_app.sign_in("alice")
    known = f"/app/contacts/{await mias(web_app)}"
    assert (await alice.post(known, data={"do": "edit", "mobile_phone": "(303) 555-0142"})).status_code == 303
    new = {"do": "add", "first_name": "Noor", "mobile_phone": typed}
    answer = await alice.post("/app/contacts/new", data=new)
    assert answer.status_code == status, words_of(answer.text)


async def test_a_contact_is_edited_with_its_own_fields(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    field_id = await web_app.database.fetchval(
        "INSERT INTO custom_fields (owner_id, data_type, name) VALUES ($1, 'Text', 'Pets') RETURNING id",
        web_app.town.users["alice"],
    )
    path = f"/app/contacts/{await mias(web_app)}"
    hidden = form((await alice.get(path)).text, "edit")
    changed = {**hidden, "last_name": "Holm", "company": "Holm & Co", "email": "mia@example.com",
               f"custom-{field_id}": "Two cats"}  # fmt: skip

    assert (await alice.post(path, data=changed)).status_code == 303
    page = (await alice.get(path)).text
    assert 'value="Holm"' in page
    assert 'value="Two cats"' in page
    wrong = await alice.post(path, data={**form(page, "edit"), "email": "nowhere", "company": "Still here"})
    assert wrong.status_code == 422
    assert 'value="Still here"' in wrong.text


@pytest.mark.parametrize("before", [None, "Lund", ""], ids=["nothing", "a text", "an empty text"])
async def test_what_someone_changes_at_the_same_moment_is_not_lost(web_app: WebApp, before: str | None) -> None:
    """Also where nothing was stored before: the page has compared, and waits to store."""
    contact_id = await mias(web_app)
    await web_app.database.execute("UPDATE contacts SET company = $1 WHERE id = $2", before, contact_id)
    alice, path = await web_app.sign_in("alice"), f"/app/contacts/{contact_id}"
    mine = form((await alice.get(path)).text, "edit") | {"company": "Mine"}

    answer = await overtaken(
        alice.post(path, data=mine),
        web_app.database,
        "UPDATE contacts SET company = 'Theirs' WHERE id = $1",
        contact_id,
    )

    assert answer.status_code == 409
    assert "Theirs" in answer.text
    assert 'value="Mine"' in answer.text
    assert await web_app.database.fetchval("SELECT company FROM contacts WHERE id = $1", contact_id) == "Theirs"


async def test_a_stale_edit_shows_both_versions_and_a_form_sent_twice_acts_once(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    path = f"/app/contacts/{await mias(web_app)}"
    early = form((await alice.get(path)).text, "edit")
    await web_app.database.execute("UPDATE contacts SET last_name = 'Berg' WHERE id = $1", await mias(web_app))

    stale = await alice.post(path, data={**early, "last_name": "Holm"})
    assert stale.status_code == 409
    assert "Berg" in stale.text
    assert 'value="Holm"' in stale.text
    again = form(stale.text, "edit")
    assert (await alice.post(path, data={**again, "last_name": "Holm"})).status_code == 303

    once = form((await alice.get(path)).text, "note")
    for _ in range(2):
        assert (await alice.post(path, data={**once, "description": "Likes gardens"})).status_code == 303
    assert (await alice.get(path)).text.count("Likes gardens") == 1


async def test_tags_are_added_and_removed_and_both_can_be_undone(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    path = f"/app/contacts/{await mias(web_app)}"

    async def tags() -> str | None:
        return await web_app.database.fetchval("SELECT tags FROM contacts WHERE id = $1", await mias(web_app))

    await alice.post(path, data={"do": "tag", "tag": "garden, Pool"})
    assert await tags() == "garden, Pool"
    await alice.post(path, data={"do": "tag", "tag": "POOL"})
    assert await tags() == "garden, Pool"
    await alice.get(path)
    await alice.post(path, data={"do": "untag", "on": "garden", "tag": "garden"})
    assert await tags() == "Pool"
    await undo(alice, path)
    assert await tags() == "garden, Pool"
    assert (await alice.post(path, data={"do": "tag", "tag": " , "})).status_code == 422
    assert (await alice.post(path, data={"do": "tag", "tag": "x" * 600})).status_code == 422


async def test_addresses_are_added_changed_and_removed(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    path = f"/app/contacts/{await mias(web_app)}"
    assert (await alice.post(path, data={"do": "address", "type": "Home"})).status_code == 422
    await alice.post(path, data={"do": "address", "type": "Home", "street_address_1": "1 Oak Road", "city": "Denver"})
    page = (await alice.get(path)).text
    assert "Home, 1 Oak Road, Denver" in page
    await alice.post(path, data={**form(page, "change_address"), "type": "Mailing", "street_address_1": "2 Oak Road"})
    page = (await alice.get(path)).text
    assert "Mailing, 2 Oak Road" in page
    await alice.post(path, data=form(page, "remove_address"))
    await undo(alice, path)
    assert "Mailing, 2 Oak Road" in (await alice.get(path)).text


async def test_whether_campaigns_may_write_is_said_stopped_and_allowed_again(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    path = f"/app/contacts/{await mias(web_app)}"
    assert "E-mails may be sent to mia@example.com" in (await alice.get(path)).text
    chosen = {"do": "suppress", "address": "email mia@example.com", "reason": "stopped"}
    assert (await alice.post(path, data=chosen)).status_code == 303
    page = (await alice.get(path)).text
    assert "the contact has asked for no more messages" in page

    assert (await alice.post(path, data=chosen)).status_code == 422
    assert (await alice.post(path, data={**chosen, "address": "email other@example.com"})).status_code == 422
    lift = form(page, "lift")
    refused = await alice.post(path, data={**lift, "consent": ""})
    assert refused.status_code == 422
    assert "consent" in refused.text
    assert (await alice.post(path, data={**form(page, "lift"), "consent": "On the phone"})).status_code == 303
    assert "E-mails may be sent to mia@example.com" in (await alice.get(path)).text


async def test_campaigns_are_started_and_stopped_for_a_contact(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    campaign_id = await web_app.town.insert(
        "campaigns", owner_id=web_app.town.users["alice"], name="Long nurture", name_key="long nurture",
        created_at=web_app.town.now, modified_at=web_app.town.now,
    )  # fmt: skip
    path = f"/app/contacts/{await mias(web_app)}"
    start = {"do": "start", "campaign_id": str(campaign_id)}
    assert (await alice.post(path, data=start)).status_code == 303
    page = (await alice.get(path)).text
    assert "Stop Long nurture" in page
    assert (await alice.post(path, data=start)).status_code == 422
    assert (await alice.post(path, data={"do": "start", "campaign_id": ""})).status_code == 422
    await alice.post(path, data=form(page, "stop"))
    assert "Stop Long nurture" not in (await alice.get(path)).text
    await alice.post(path, data=start)
    await undo(alice, path)
    assert "Stop Long nurture" not in (await alice.get(path)).text
    assert (await alice.post(path, data={"do": "start", "campaign_id": "999999"})).status_code in (404, 422)


async def test_merging_shows_what_wins_and_keeps_both(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    other = await new_contact(alice, first_name="Maria", email="maria@example.org", company="Lund Inc", tags="pool")
    path = f"/app/contacts/{await mias(web_app)}"
    found = (await alice.get(f"{path}?merge=maria")).text
    link = re.search(r'href="([^"]+\?with=\d+)#merging"', found)
    assert link is not None
    compared = (await alice.get(link[1])).text
    assert "not Maria" in compared
    assert "Lund Inc" in compared
    assert (await alice.post(path, data=form(compared, "merge"))).status_code == 303
    assert "maria@example.org" in (await alice.get(path)).text
    gone = await alice.get(other)
    assert gone.status_code == 404
    assert "merged" in gone.text
    assert (await alice.post(path, data={"do": "merge", "contact_id": path.rpartition("/")[2]})).status_code == 422


async def test_a_contact_is_exported_and_erased_by_its_owner(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    path = f"/app/contacts/{await mias(web_app)}"
    file = await alice.get(f"{path}?download=all")
    assert file.headers["content-disposition"].startswith("attachment")
    assert "mia@example.com" in file.text
    assert "Erase for good" in (await alice.get(path)).text

    assert (await alice.post(path, data={"do": "erase"})).headers["location"] == "/app/contacts"
    assert "mia@example.com" not in (await alice.get("/app/contacts")).text


async def test_an_agent_sees_the_contact_of_a_lead_but_neither_merges_exports_nor_erases(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    await bob.post("/app", data=form((await bob.get("/app")).text, "claim"))
    path = f"/app/contacts/{await mias(web_app)}"
    page = (await bob.get(path)).text

    assert "Mia Lund" in page
    assert "Erase" not in page
    assert "Mia Lund" in (await bob.get("/app/contacts")).text
    assert (await bob.get(f"{path}?download=all")).status_code == 403
    assert (await bob.post(path, data={"do": "erase"})).status_code == 403
    assert (await bob.post(path, data={"do": "note", "description": "Called"})).status_code == 303


ACTS = (
    "edit", "tag", "untag", "address", "change_address", "remove_address", "note", "talked", "task", "finish", "start",
    "stop", "suppress", "lift", "merge", "erase",
)  # fmt: skip


async def test_no_one_sees_or_changes_the_contact_of_another(web_app: WebApp) -> None:
    dave = await web_app.sign_in("dave")
    path = f"/app/contacts/{await mias(web_app)}"

    assert (await dave.get(path)).status_code == 404
    assert (await dave.get(f"{path}?download=all")).status_code == 404
    for do in ACTS:
        answer = await dave.post(
            path,
            data={"do": do, "tag": "x", "description": "x", "city": "x", "contact_id": "1", "task_id": "1",
                  "action_type": "None", "suppression_id": "1", "address": "email mia@example.com", "address_id": "1",
                  "campaign_id": "1", "run_id": "1"},
        )  # fmt: skip
        assert answer.status_code in (400, 404), do
    own = await new_contact(dave, first_name="Dora")
    stolen = await dave.post(own, data={"do": "merge", "contact_id": path.rpartition("/")[2]})
    assert stolen.status_code == 422
    assert "Mia" not in stolen.text


@pytest.mark.parametrize("path", ["/app/contacts", "/app/contacts/new", "/app/contacts/1"])
async def test_contacts_are_for_those_who_are_signed_in(web_app: WebApp, path: str) -> None:
    assert (await web_app.browser().get(path)).status_code == 303
