"""Signatures on the account's page; conditions, variants and results on a campaign's; the address that mails lack."""

import json
from typing import Any

from tests.support.page_forms import filled, follow, words_of
from tests.support.web_app import WebApp


async def test_signatures_are_added_changed_and_removed(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    page = (await browser.get("/app/me")).text
    fields = filled(page, "add-signature")
    refused = await browser.post("/app/me", data=fields | {"name": "Short"})
    assert (refused.status_code, "Write how your mails end" in refused.text) == (422, True)
    page = await follow(browser, await browser.post("/app/me", data=fields | {"name": "Short", "text_body": "Al"}))
    assert "The signature is added" in page
    [row] = await web_app.database.fetch("SELECT id, is_default FROM signatures")
    assert row["is_default"]
    changing = filled(page, "change-signature", row["id"])
    page = await follow(browser, await browser.post("/app/me", data=changing | {"text_body": "<b>Alice</b>"}))
    assert "&lt;b&gt;Alice&lt;/b&gt;" in page
    stale = await browser.post("/app/me", data=changing | {"once": "", "text_body": "Again"})
    assert stale.status_code == 409
    removing = {"do": "remove-signature", "on": str(row["id"])}
    dave = await web_app.sign_in("dave")
    assert (await dave.post("/app/me", data=removing)).status_code == 404
    assert "The signature is removed" in await follow(browser, await browser.post("/app/me", data=removing))


async def campaign(web_app: WebApp) -> tuple[str, list[int]]:
    """The address of a campaign of Alice's with one step, and two templates."""
    town = web_app.town
    templates = [await town.template("alice", description=f"Words {name}") for name in "AB"]
    campaign_id = await town.campaign("alice", "Drip")
    await town.action("alice", campaign_id, template_id=templates[0])
    return f"/app/campaigns/{campaign_id}", templates


async def step_of(web_app: WebApp) -> Any:
    return await web_app.database.fetchrow("SELECT * FROM campaign_actions ORDER BY id DESC LIMIT 1")


async def test_a_step_gets_conditions_and_words_to_try_beside_its_own(web_app: WebApp) -> None:
    path, (first, second) = await campaign(web_app)
    browser = await web_app.sign_in("alice")
    step_id = (await step_of(web_app))["id"]
    opened = f"{path}?step={step_id}"
    typed = filled((await browser.get(opened)).text, "change-step", step_id)
    assert (typed["variant-1"], typed["share-1"], typed["share-0"]) == ("", "1", "1")

    page = (await browser.post(f"{opened}&press=add", data=typed | {"do": "rows", "delay": "7"})).text
    typed = filled(page, "change-step", step_id)
    assert (typed["delay"], typed["condition-0-field"]) == ("7", ""), "nothing that was typed is lost"
    asked = {"condition-0-field": "replied", "condition-0-is": "equal", "condition-0-value": "no",
             "variant-1": str(second), "share-1": "3", "smallest_difference": "4"}  # fmt: skip
    page = await follow(browser, await browser.post(opened, data=typed | asked))
    row = await step_of(web_app)
    assert json.loads(row["variants"]) == [{"template_id": first, "share": 1}, {"template_id": second, "share": 3}]
    assert (row["template_id"], row["smallest_difference"], row["delay_by_seconds"]) == (None, 4, 420)
    said = words_of(page)
    assert "Only if the contact has not replied." in said
    assert "Words A 25 % , Words B 75 %" in said, said
    assert "Used in Drip" in words_of((await browser.get(f"/app/templates/{second}")).text)

    typed = filled((await browser.get(opened)).text, "change-step", step_id)
    wrong = typed | {"condition-0-field": "price", "condition-0-value": "much", "share-1": "0"}
    refused = await browser.post(opened, data=wrong)
    assert refused.status_code == 422
    for words in ("Condition 1:", "Words 2:"):
        assert words in refused.text
    plain = typed | {"condition-0-field": "", "condition-0-value": "", "variant-1": ""}
    await follow(browser, await browser.post(opened, data=plain))
    row = await step_of(web_app)
    assert (row["template_id"], row["variants"], row["conditions"]) == (first, None, None)


async def test_whether_all_conditions_of_a_step_have_to_hold_or_one_is_changed_alone(web_app: WebApp) -> None:
    path, _ = await campaign(web_app)
    browser = await web_app.sign_in("alice")
    step_id = (await step_of(web_app))["id"]
    both = [{"field": "replied", "is": "equal", "value": False}, {"field": "city", "is": "equal", "value": "Denver"}]
    await web_app.database.execute(
        "UPDATE campaign_actions SET conditions = $1 WHERE id = $2", json.dumps({"all": both}), step_id
    )
    opened = f"{path}?step={step_id}"
    typed = filled((await browser.get(opened)).text, "change-step", step_id) | {"condition-group": "any"}
    await follow(browser, await browser.post(opened, data=typed))
    assert json.loads((await step_of(web_app))["conditions"]) == {"any": both}


async def test_a_new_step_with_a_condition_and_a_task_without(web_app: WebApp) -> None:
    path, (first, _) = await campaign(web_app)
    browser = await web_app.sign_in("alice")
    typed = filled((await browser.get(f"{path}?step=new")).text, "add-step") | {"template_id": "new"}
    page = (await browser.post(f"{path}?step=new&press=add", data=typed | {"do": "rows"})).text
    typed = filled(page, "add-step")
    assert typed["template_id"] == "new"
    asked = {"condition-0-field": "price", "condition-0-is": "at least", "condition-0-value": "$300,000",
             "variant-1": str(first)}  # fmt: skip
    await follow(browser, await browser.post(f"{path}?step=new", data=typed | asked))
    row = await step_of(web_app)
    assert row["conditions_text"] == "price is at least 300,000"
    assert [each["share"] for each in json.loads(row["variants"])] == [1, 1]
    opened = f"{path}?step={row['id']}"
    task = filled((await browser.get(opened)).text, "change-step", row["id"])
    task |= {"type": "Agent Task - Call Reminder", "description": "Call"}
    await follow(browser, await browser.post(opened, data=task))
    row = await step_of(web_app)
    assert row["type"] == "Agent Task - Call Reminder"
    assert (row["variants"], row["conditions"], row["template_id"]) == (None, None, None)


async def test_results_are_said_in_words_with_their_ranges(web_app: WebApp) -> None:
    path, (first, second) = await campaign(web_app)
    variants = json.dumps([{"template_id": first, "share": 1}, {"template_id": second, "share": 1}])
    step = await step_of(web_app)
    await web_app.database.execute(
        "UPDATE campaign_actions SET template_id = NULL, variants = $1 WHERE id = $2", variants, step["id"]
    )
    for template_id, sent, replied in ((first, 1000, 100), (second, 800, 150)):
        for figure, number in (("sent", sent), ("replied", replied)):
            await web_app.database.execute(
                "INSERT INTO step_results VALUES ($1, $2, $3, $4, $5)",
                web_app.brokerage.owner_id, step["id"], template_id, figure, number,
            )  # fmt: skip
    said = words_of((await (await web_app.sign_in("alice")).get(path)).text)
    assert "E-mail to the contact, at once, “Words B”: It gets more replies: a difference of 8.8 percentage" in said
    assert "The messages are not divided as the shares say" in said
    assert "100 10.0 % (8.3 to 12.0)" in said


async def test_the_board_says_that_mails_lack_an_address(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    lack = "Your follow-up mails lack a postal address"
    assert lack not in (await browser.get("/app/board")).text
    await campaign(web_app)
    assert lack in (await browser.get("/app/board")).text
    await web_app.database.execute("UPDATE users SET postal_address = '1 Main St' WHERE username = 'alice'")
    assert lack not in (await browser.get("/app/board")).text


async def test_placeholders_show_what_they_give_for_a_contact(web_app: WebApp) -> None:
    await web_app.town.contact("alice", first_name="Zoë", last_name="Ng", email="zoe@example.com")
    page = (await (await web_app.sign_in("alice")).get("/app/templates/new?with=zoe@example.com")).text
    assert "here for Zoë Ng" in words_of(page)
    assert "First name {{ contact.first_name }} Zoë" in words_of(page)
    assert "{{ campaign.name }}" in page
