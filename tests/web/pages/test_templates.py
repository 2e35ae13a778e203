"""Templates as their owner writes them: folders, the editor, its preview in a frame, faults at their fields."""

import re
from html import unescape

import pytest

from leadroutes.web.pages.template_preview import fault_in_words
from tests.support.page_forms import follow, form, words_of
from tests.support.web_app import WebApp

LETTER = {
    "template_type": "Email", "description": "First answer", "subject": "About {{ property.street_address }}",
    "body": "Hi {{ contact.first_name }},\n\nshall we meet?",
}  # fmt: skip


async def test_a_template_is_written_changed_copied_and_removed(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    assert "You have no template yet" in (await browser.get("/app/templates")).text
    new = (await browser.get("/app/templates/new")).text
    fields = form(new, "add") | LETTER | {"template_folder_id": "", "folder_name": "Buyers"}
    # A preview leaves the form as it is: it can still be saved.
    assert (await browser.post("/app/templates/new?frame=mail", data=fields | {"do": "preview"})).status_code == 200
    made = await browser.post("/app/templates/new", data=fields)
    again = await browser.post("/app/templates/new", data=fields)
    page = await follow(browser, made)
    path = made.headers["location"]

    assert again.headers["location"] == path
    assert "No campaign uses it yet" in page
    saved = form(page, "save") | LETTER | {"body": "Hello"}
    assert "Hello" in await follow(browser, await browser.post(path, data=saved))
    stale = await browser.post(path, data=saved | {"once": "", "body": "Good day"})
    assert stale.status_code == 409
    assert "Good day" in stale.text
    assert "As it is now" in stale.text

    copied = await browser.post(path, data={"do": "duplicate"})
    assert "First answer (copy)" in await follow(browser, copied)
    assert "The template is gone" in await follow(browser, await browser.post(path, data={"do": "remove"}))
    assert (await browser.get(path)).status_code == 404


async def test_a_template_in_use_names_its_campaigns_and_stays(web_app: WebApp) -> None:
    template_id = await web_app.town.template("alice", description="Hello")
    await web_app.town.action(
        "alice", await web_app.database.fetchval("SELECT min(id) FROM campaigns"), template_id=template_id
    )
    browser = await web_app.sign_in("alice")

    assert "used in Follow-up 1" in words_of((await browser.get("/app/templates")).text)
    assert "Used in Follow-up 1" in words_of((await browser.get(f"/app/templates/{template_id}")).text)
    answer = await browser.post(f"/app/templates/{template_id}", data={"do": "remove"})
    assert answer.status_code == 409
    assert "A campaign uses this template" in answer.text


CAST = ("alice", "bob", "dave")
WRONG = [
    ({"body": "Hi\n{{ contact.first_name"}, "body", "Line 2 is not right: .* That line is: {{ contact.first_name"),
    ({"subject": "{% for %}"}, "subject", "Line 1 is not right"),
    ({"body": "{{ contact.first_name | shout }}"}, "body", "unknown filter: shout"),
    ({"body": "{% include 'x' %}"}, "body", "Line 1 is not right"),
    ({"body": " "}, "body", "Write what the message says"),
    ({"subject": ""}, "subject", "Give the mail a subject"),
    ({"description": ""}, "description", "Give the template a name"),
    ({"template_type": "Fax"}, "template_type", "Choose what kind of message"),
    ({"template_folder_id": "987654"}, "template_folder_id", "expected a template folder of yours"),
]


async def test_what_is_wrong_is_said_at_the_field_and_nothing_is_lost(web_app: WebApp) -> None:
    template_id = await web_app.town.template("alice", description="Hello")
    folders = await web_app.database.fetchval("SELECT count(*) FROM template_folders")
    browser = await web_app.sign_in("alice")
    for do, path in (("add", "/app/templates/new"), ("save", f"/app/templates/{template_id}")):
        for fields, field, words in WRONG:
            folder = {"folder_name": "" if "template_folder_id" in fields else "New one"} if do == "add" else {}
            answer = await browser.post(path, data={"do": do} | LETTER | folder | fields)

            assert answer.status_code == 422, fields
            shown = unescape(answer.text)
            assert re.search(rf'id="{do}-{field}-error">.*{words}', shown), (fields, words_of(shown)[:500])
            assert (LETTER | fields)["body"] in shown
    assert await web_app.database.fetchval("SELECT count(*) FROM template_folders") == folders
    assert await web_app.database.fetchval("SELECT count(*) FROM templates") == 1


async def test_a_preview_is_a_document_without_rights(web_app: WebApp) -> None:
    body = "<p>Hi {{ contact.first_name }}</p><script>alert(1)</script><img src='https://evil.example/x.png'>"
    template_id = await web_app.town.template("alice", description="Hello", body=body)
    browser = await web_app.sign_in("alice")
    path = f"/app/templates/{template_id}"
    page = (await browser.get(path)).text
    for view in ("mail", "phone", "text", "nonsense"):
        answer = await browser.get(path, params={"frame": view})
        policy = answer.headers["content-security-policy"]

        assert answer.status_code == 200
        assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox" in policy
        assert "frame-ancestors 'self'" in policy
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
        assert "Mia" in answer.text
        assert ("<script>" in answer.text) == (view != "text")
    assert "<script>alert" not in page
    assert "sandbox" in re.search(r"<iframe[^>]+>", page)[0]
    assert "/unsubscribe/example" in (await browser.get(path, params={"frame": "text"})).text


async def test_a_preview_says_with_whom_and_how_many_segments(web_app: WebApp) -> None:
    await web_app.town.contact("alice", first_name="Noor", last_name="Haddad", email="noor@example.com")
    await web_app.town.contact("dave", first_name="Secret", last_name="Haddad", email="secret@example.com")
    browser = await web_app.sign_in("alice")
    text = {"do": "preview", "template_type": "Text", "body": "Hi {{ contact.first_name }}, about {{ property.city }}"}

    async def shown(**fields: str) -> str:
        return words_of((await browser.post("/app/templates/new?frame=text", data=text | fields)).text)

    assert "With Noor Haddad 1 segment : 23 characters (GSM-7), 137 left" in await shown()
    assert "With Mia Lund" in await shown(**{"with": "mia@example.com"})
    assert "Hi Mia, about Denver" in await shown(**{"with": "Mia Lund"})
    assert "no contact fits “secret@example.com”" in await shown(**{"with": "secret@example.com"})
    assert "2 segments : 161 characters" in await shown(body="a" * 161)
    assert "(UCS-2), 60 left in the last one. Fewer characters fit, because of ’" in await shown(body="It’s ready")
    assert "Line 1 is not right" in await shown(body="{{ contact")
    assert "no contact fits" in await shown(**{"with": "one two " * 20})
    agents = {name: await shown(body="{{ agent.email }}", sender_id=str(web_app.town.users[name])) for name in CAST}
    assert [f"{name}@example.com" in words for name, words in agents.items()] == [True, True, False]
    await web_app.database.execute("DELETE FROM contacts WHERE last_name = 'Haddad'")
    dave = (await (await web_app.sign_in("dave")).get("/app/templates/new?frame=mail&with=mia")).text
    assert "With an example, as there is no contact yet (no contact fits “mia”)" in words_of(dave)
    assert "Hi Mia," in dave


async def test_folders_are_added_renamed_and_removed_when_empty(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    page = await follow(browser, await browser.post("/app/templates", data={"do": "add-folder", "name": "Buyers"}))
    path = re.search(r'action="(/app/templates\?folder=(\d+))"', page)
    fields = form(page, "rename-folder", path[2])
    page = await follow(browser, await browser.post(path[1], data=fields | {"name": "Sellers"}))
    assert "<h1>Sellers</h1>" in page
    assert (await browser.post(path[1], data=fields | {"once": "", "name": "Renters"})).status_code == 409
    assert (await browser.post(path[1], data=fields | {"once": "", "seen": "", "name": " "})).status_code == 422

    await web_app.town.template("alice", template_folder_id=int(path[2]))
    full = await browser.post(path[1], data={"do": "remove-folder", "on": path[2]})
    assert full.status_code == 409
    assert "The folder holds templates" in full.text
    await web_app.database.execute("DELETE FROM templates")
    assert "The folder “Sellers” is gone" in await follow(
        browser, await browser.post(path[1], data={"do": "remove-folder", "on": path[2]})
    )


async def test_the_list_goes_on_by_key_within_a_folder(web_app: WebApp) -> None:
    first = await web_app.town.template("alice", description="Number 0.")
    folder_id = await web_app.database.fetchval("SELECT template_folder_id FROM templates WHERE id = $1", first)
    for number in range(1, 60):
        await web_app.town.template("alice", description=f"Number {number}.", template_folder_id=folder_id)
    await web_app.town.template("alice", description="Elsewhere")
    browser = await web_app.sign_in("alice")
    page = (await browser.get(f"/app/templates?folder={folder_id}")).text
    more = re.search(r'hx-get="(/app/templates\?[^"]*part=items)"', page)
    rest = (await browser.get(unescape(more[1]))).text

    assert [int(each) for each in re.findall(r"Number (\d+)\.", page + rest)] == list(range(59, -1, -1))
    assert "Elsewhere" not in page + rest
    assert (await browser.get("/app/templates?folder=x")).status_code == 400


async def test_another_owners_templates_are_not_there(web_app: WebApp) -> None:
    template_id = await web_app.town.template("dave", description="Secret")
    folder_id = await web_app.database.fetchval("SELECT template_folder_id FROM templates")
    browser = await web_app.sign_in("alice")
    path = f"/app/templates/{template_id}"

    assert "Secret" not in (await browser.get("/app/templates")).text
    for query in ("", "?frame=mail"):
        assert (await browser.get(path + query)).status_code == 404
    for do in ("save", "duplicate", "remove"):
        assert (await browser.post(path, data=LETTER | {"do": do})).status_code == 404
    for do in ("rename-folder", "remove-folder"):
        answer = await browser.post("/app/templates", data={"do": do, "on": folder_id, "name": "Mine"})
        assert answer.status_code == 404
    answer = await browser.post("/app/templates/new", data=LETTER | {"do": "add", "template_folder_id": folder_id})
    assert answer.status_code == 422
    assert (await (await web_app.sign_in("bob")).get("/app/templates")).status_code == 404


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("body: The template cannot be processed: line 2: expected '}}'",
         "Line 2 is not right: expected '}}'. That line is: {{ x"),
        ("The template cannot be processed: line 9: odd", "Line 9 is not right: odd."),
        ("The template cannot be processed: nested too deeply",
         "A placeholder or tag is not right: nested too deeply."),
        ("subject: The template uses an unknown filter: shout", "The template uses an unknown filter: shout"),
    ],
)  # fmt: skip
def test_a_fault_is_said_with_its_line(fault: str, words: str) -> None:
    assert fault_in_words(fault, "Subject", "Hi\n{{ x\nyou") == words
