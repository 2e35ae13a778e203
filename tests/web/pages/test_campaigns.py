"""Campaigns as their owner sees and changes them: the list, ready-made ones, steps, contacts, what is not theirs."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html import unescape
from typing import Any

import httpx
import pytest

from leadroutes.domain.segments import count_segments
from leadroutes.sandbox.processes import run_sandboxed
from leadroutes.sandbox.templates import CHECK_TEMPLATE
from leadroutes.web.pages.campaign_steps import duration, neighbour, timeline, when
from leadroutes.web.ready_made import ready_campaigns
from tests.support.page_forms import follow, form, words_of
from tests.support.web_app import WebApp

STEP = {
    "do": "add-step", "type": "Agent Task - Call Reminder", "timing_type": "Delay by Minutes", "delay": "2",
    "delay_unit": "3600", "trigger_type": "1", "description": "Call and ask for the time frame.",
}  # fmt: skip


async def undo(browser: httpx.AsyncClient, page: str) -> str:
    token = re.search(r'name="undo" value="([^"]+)"', page)
    assert token, words_of(page)[:300]
    back = re.search(r'name="back" value="([^"]+)"', page)
    return await follow(browser, await browser.post("/app/undo", data={"undo": token[1], "back": back[1]}))


async def send(browser: httpx.AsyncClient, path: str, fields: Mapping[str, Any]) -> httpx.Response:
    return await browser.post(path, data=fields)


async def actions(web_app: WebApp) -> list[dict[str, Any]]:
    rows = await web_app.database.fetch("SELECT * FROM campaign_actions ORDER BY id")
    return [dict(row) for row in rows]


async def campaign_of(web_app: WebApp) -> int:
    return await web_app.database.fetchval("SELECT id FROM campaigns ORDER BY id LIMIT 1")


# ------------------------------------------------------------------------------------------------------------ the list


async def test_the_list_says_how_many_steps_who_is_in_it_and_which_routes_start_it(web_app: WebApp) -> None:
    campaign_id = await campaign_of(web_app)
    await web_app.town.action("alice", campaign_id, delay_by_seconds=60)
    page = (await (await web_app.sign_in("alice")).get("/app/campaigns")).text

    assert "Follow-up" in page
    assert "1 step" in words_of(page)
    assert "runs for 1 contact" in words_of(page)
    assert re.search(r"started by \w", words_of(page))


async def test_the_list_goes_on_by_key_and_shows_no_one_elses(web_app: WebApp) -> None:
    for number in range(60):
        await web_app.town.campaign("alice", f"Campaign {number}.")
    await web_app.town.campaign("dave", "Dave's own")
    browser = await web_app.sign_in("alice")
    first = (await browser.get("/app/campaigns")).text
    more = re.search(r'href="(/app/campaigns\?before=\d+)"', first)
    second = (await browser.get(more[1] + "&part=items")).text

    found = [int(each) for each in re.findall(r"Campaign (\d+)\.", first + second)]
    assert found == list(range(59, -1, -1))
    assert "Dave&#39;s own" not in first + second
    assert (await browser.get("/app/campaigns?before=x")).status_code == 400


async def test_a_member_without_an_account_has_no_such_page(web_app: WebApp) -> None:
    browser = await web_app.sign_in("bob")
    for path in ("/app/campaigns", "/app/campaigns/new", f"/app/campaigns/{await campaign_of(web_app)}"):
        assert (await browser.get(path)).status_code == 404
        assert (await browser.post(path, data={"do": "add", "name": "Mine"})).status_code == 404


# ----------------------------------------------------------------------------------------------------------- a new one


def test_there_are_five_ready_made_campaigns() -> None:
    assert [each.name for each in ready_campaigns().values()] == [
        "New buyer", "New seller", "Rental", "Open house", "Long nurture"
    ]  # fmt: skip


@pytest.mark.parametrize("key", list(ready_campaigns()))
async def test_the_words_of_a_ready_made_campaign_are_right(key: str) -> None:
    steps = ready_campaigns()[key].steps
    templates = [each.template_fields for each in steps if each.template_fields]

    for fields in templates:
        for text in (fields["subject"] or "", fields["body"]):
            assert await run_sandboxed(CHECK_TEMPLATE, text, owner=1) == ""
        if fields["template_type"] == "Text":
            assert fields["body"].endswith("Reply STOP to opt out.")
            assert count_segments(re.sub(r"\{\{.*?\}\}", "Springfield Av", fields["body"])).count <= 2
        else:
            assert fields["subject"]
    assert len({fields["description"] for fields in templates}) == len(templates)
    assert all(each.description for each in steps if not each.template_fields)


async def test_a_ready_made_campaign_becomes_the_owners(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    page = (await browser.get("/app/campaigns/new")).text
    for key, ready in ready_campaigns().items():
        fields = form(page, "ready", key) | {"name": ready.name}
        first = await send(browser, "/app/campaigns/new", fields)
        again = await send(browser, "/app/campaigns/new", fields)
        shown = await follow(browser, first)

        assert again.headers["location"] == first.headers["location"], "the form acts once"
        assert f"<h1>{ready.name}</h1>" in shown
        assert all(each.template in unescape(shown) for each in ready.steps)
        for each in ready.steps:
            assert when({"delay_by_days": None, "dispatch_time": None, "recurrence": None} | each.action) in shown
    assert len(await actions(web_app)) == sum(len(each.steps) for each in ready_campaigns().values())


async def test_a_second_campaign_of_the_same_kind_shares_the_templates(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    for name in ("New buyer", "New buyer, Tampa"):
        answer = await send(browser, "/app/campaigns/new", {"do": "ready", "on": "new-buyer", "name": name})
        assert answer.status_code == 303

    names = await web_app.database.fetch("SELECT description FROM templates WHERE description LIKE 'New buyer%'")
    assert len(names) == len({row["description"] for row in names}) == 7
    assert await web_app.database.fetchval("SELECT count(*) FROM template_folders WHERE name = 'New buyer'") == 1


async def test_nothing_stays_of_a_campaign_that_cannot_be_made(web_app: WebApp) -> None:
    await web_app.database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE check_violation; END $$"
    )
    await web_app.database.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON campaign_actions FOR EACH ROW WHEN (NEW.delay_by_days = 11)"
        " EXECUTE FUNCTION refuse()"
    )
    browser = await web_app.sign_in("alice")
    before = await counted(web_app)
    answer = await send(browser, "/app/campaigns/new", {"do": "ready", "on": "new-buyer", "name": "New buyer"})

    assert answer.status_code == 422
    assert await counted(web_app) == before


async def counted(web_app: WebApp) -> tuple[int, ...]:
    row = await web_app.database.fetchrow(
        "SELECT (SELECT count(*) FROM campaigns), (SELECT count(*) FROM templates),"
        " (SELECT count(*) FROM template_folders), (SELECT count(*) FROM campaign_actions)"
    )
    return tuple(row.values())


async def test_a_name_that_is_taken_is_said_at_the_field_and_nothing_is_made(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    before = await counted(web_app)
    for do, on in (("ready", "rental"), ("add", "")):
        answer = await send(browser, "/app/campaigns/new", {"do": do, "on": on, "name": "FOLLOW-UP 1"})
        assert answer.status_code == 422
        assert "You have a campaign of this name already" in answer.text
        assert 'value="FOLLOW-UP 1"' in answer.text
        assert 'aria-invalid="true"' in answer.text
    assert (await send(browser, "/app/campaigns/new", {"do": "add", "name": " "})).status_code == 422
    assert (await send(browser, "/app/campaigns/new", {"do": "ready", "on": "x", "name": "X"})).status_code == 422
    assert await counted(web_app) == before


async def test_an_empty_campaign_asks_for_its_first_step(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    page = await follow(browser, await send(browser, "/app/campaigns/new", {"do": "add", "name": "Lake homes"}))

    assert "A new step" in page
    assert form(page, "add-step")


# ------------------------------------------------------------------------------------------------------------ its name


async def test_a_campaign_is_renamed_and_that_is_undone(web_app: WebApp) -> None:
    path = f"/app/campaigns/{await campaign_of(web_app)}"
    browser = await web_app.sign_in("alice")
    page = (await browser.get(path)).text
    renamed = await follow(browser, await send(browser, path, form(page, "rename") | {"name": "Buyers"}))
    assert "<h1>Buyers</h1>" in renamed
    assert "<h1>Follow-up 1</h1>" in await undo(browser, renamed)

    stale = await send(browser, path, form(renamed, "rename") | {"name": "Mine"})
    assert stale.status_code == 409
    assert "As it is now" in stale.text


async def test_a_campaign_that_a_route_starts_stays(web_app: WebApp) -> None:
    campaign_id = await campaign_of(web_app)
    browser = await web_app.sign_in("alice")
    answer = await send(browser, f"/app/campaigns/{campaign_id}", {"do": "remove"})
    assert answer.status_code == 409
    assert "A route starts this campaign" in answer.text

    other = await web_app.town.campaign("alice", "Unused")
    page = await follow(browser, await send(browser, f"/app/campaigns/{other}", {"do": "remove"}))
    assert "The campaign is gone" in page


# ----------------------------------------------------------------------------------------------------------- its steps


async def test_a_step_is_added_changed_moved_removed_and_each_is_undone(web_app: WebApp) -> None:
    campaign_id = await campaign_of(web_app)
    path = f"/app/campaigns/{campaign_id}"
    first = await web_app.town.action(
        "alice", campaign_id, type="Agent Task - No Reminder", delay_by_seconds=60, description="Look at the lead."
    )
    browser = await web_app.sign_in("alice")

    added = await follow(browser, await send(browser, f"{path}?step=new", STEP))
    step = (await actions(web_app))[1]
    assert (step["delay_by_seconds"], step["description"]) == (7200, "Call and ask for the time frame.")
    assert "after 2 hours" in added
    assert "after 2 hours" not in await undo(browser, added)

    await send(browser, f"{path}?step=new", STEP)
    step = (await actions(web_app))[1]
    opened = (await browser.get(f"{path}?step={step['id']}")).text
    fields = form(opened, "change-step", step["id"])
    later = STEP | fields | {"timing_type": "Delay by Day and Time", "delay_by_days": "3", "dispatch_time": "17:30"}
    changed = await follow(browser, await send(browser, f"{path}?step={step['id']}", later))
    assert "after 3 days, at 5:30 PM" in changed
    assert (
        await send(browser, f"{path}?step={step['id']}", later | {"once": "", "description": "B"})
    ).status_code == 409
    assert "after 2 hours" in await undo(browser, changed)

    moved = await follow(browser, await send(browser, path, {"do": "move-step", "on": step["id"], "to": "earlier"}))
    assert {each["id"]: each["delay_by_seconds"] for each in await actions(web_app)} == {first: 7200, step["id"]: 60}
    assert moved.index("Call and ask") < moved.index("Look at the lead.")
    nowhere = await send(browser, path, {"do": "move-step", "on": step["id"], "to": "earlier"})
    assert nowhere.status_code == 422

    removed = await follow(browser, await send(browser, path, {"do": "remove-step", "on": step["id"]}))
    assert "Call and ask" not in removed
    assert "Call and ask" in await undo(browser, removed)


WRONG_STEPS: list[tuple[dict[str, str], str, str]] = [
    ({"delay": "soon"}, "delay", "Say how long after the start"),
    ({"delay": "99999999999"}, "delay", "Say how long after the start"),
    ({"type": "Fax"}, "type", "Choose what happens"),
    ({"timing_type": "Never"}, "timing_type", "Choose when the step comes"),
    ({"description": " "}, "description", "Say what is to be done"),
    ({"timing_type": "Delay by Day and Time", "delay_by_days": "-1", "dispatch_time": "25:00"}, "delay_by_days",
     "as a whole number"),
    ({"timing_type": "Exact Date and Time", "dispatch_datetime": "tomorrow"}, "dispatch_datetime", "Say the date"),
    ({"timing_type": "Recurring", "recurrence": "other", "rule": "FREQ=SECONDLY"}, "recurrence", "RFC 5545"),
    ({"timing_type": "Recurring", "recurrence": ""}, "recurrence", "Say how often"),
    ({"type": "Email Contact", "timing_type": "Recurring", "template_id": "new"}, "timing_type", "Only tasks"),
    ({"type": "Email Contact", "template_id": ""}, "template_id", "Choose what the message says"),
    ({"type": "Email Contact", "template_id": "987654"}, "template_id", "expected a template of yours"),
    ({"assigned_user_id": "987654"}, "assigned_user_id", "expected a user that you see"),
]  # fmt: skip


async def test_a_step_that_is_not_right_is_said_at_the_field_and_nothing_is_lost(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    path = f"/app/campaigns/{await campaign_of(web_app)}?step=new"
    for fields, field, words in WRONG_STEPS:
        answer = await send(browser, path, STEP | {"rule": "FREQ=DAILY;COUNT=3"} | fields)

        assert answer.status_code == 422, fields
        assert re.search(rf'id="add-step-{field}-error">.*{words}', answer.text), (fields, words_of(answer.text)[:400])
        assert (fields.get("description") or STEP["description"]) in answer.text
    assert await actions(web_app) == []


TIMES: list[tuple[dict[str, str], str]] = [
    ({"delay": "0"}, "at once"),
    ({"delay": "90", "delay_unit": "60"}, "after 1 hour 30 minutes"),
    ({"timing_type": "Delay by Day and Time", "delay_by_days": "0", "dispatch_time": "09:00"}, "at the next 9:00 AM"),
    ({"timing_type": "Delay by Day and Time", "delay_by_days": "1", "dispatch_time": "00:05"},
     "after 1 day, at 12:05 AM"),
    ({"timing_type": "Exact Date and Time", "dispatch_datetime": "2031-12-24T08:30"}, "Dec 24, 2031, 8:30 AM UTC"),
    ({"timing_type": "Recurring", "recurrence": "FREQ=WEEKLY"}, "every week"),
    ({"timing_type": "Recurring", "recurrence": "other", "rule": "FREQ=DAILY;INTERVAL=9"}, "by the rule FREQ=DAILY;"),
    ({"timing_type": "Delay by Day and Time", "delay_by_days": "0", "dispatch_time": "09:00", "trigger_type": "2"},
     "on the birthday, at 9:00 AM"),
]  # fmt: skip


async def test_every_kind_of_time_can_be_chosen_and_shown_again(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    path = f"/app/campaigns/{await campaign_of(web_app)}"
    for fields, words in TIMES:
        page = await follow(browser, await send(browser, f"{path}?step=new", STEP | fields))
        assert words in words_of(page)

        step = (await actions(web_app))[-1]
        opened = (await browser.get(f"{path}?step={step['id']}")).text
        prefix = f"change-step-{step['id']}"
        shown = dict(re.findall(rf'<input id="{prefix}-(\w+)"[^>]* value="([^"]*)"', opened))
        chosen = dict(
            re.findall(
                rf'<select id="{prefix}-(\w+)"(?:(?!</select>).)*<option value="([^"]*)" selected', opened, re.DOTALL
            )
        )
        again = form(opened, "change-step", step["id"]) | {"description": STEP["description"]} | shown | chosen
        answer = await send(browser, f"{path}?step={step['id']}", again)
        assert answer.status_code == 303, words_of(answer.text)[:300]
        assert (await actions(web_app))[-1] == step


async def test_an_exact_moment_that_is_saved_unchanged_keeps_its_seconds(web_app: WebApp) -> None:
    browser, campaign_id = await web_app.sign_in("alice"), await campaign_of(web_app)
    path, at = f"/app/campaigns/{campaign_id}", datetime(2031, 12, 24, 8, 30, 41, tzinfo=UTC)
    step_id = await web_app.town.action(
        "alice", campaign_id, type=STEP["type"], timing_type="Exact Date and Time", dispatch_datetime=at,
        delay_by_seconds=None, description=STEP["description"],
    )  # fmt: skip
    page = (await browser.get(f"{path}?step={step_id}")).text
    typed = {"timing_type": "Exact Date and Time", "dispatch_datetime": "2031-12-24T08:30", "description": "New"}
    await send(browser, f"{path}?step={step_id}", STEP | form(page, "change-step", step_id) | typed)

    [step] = await actions(web_app)
    assert (step["dispatch_datetime"], step["description"]) == (at, "New")


async def test_a_new_message_is_written_beside_its_preview(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    path = f"/app/campaigns/{await campaign_of(web_app)}"
    mail = STEP | {"type": "Email Contact", "template_id": "new"}
    page = await follow(browser, await send(browser, f"{path}?step=new", mail))
    [step] = await actions(web_app)
    fields = form(page, "words", step["template_id"])
    written = fields | {
        "description": "First mail", "subject": "About {{ property.street_address }}",
        "body": "Hi {{ contact.first_name }}, shall we meet?",
    }  # fmt: skip
    opened = f"{path}?step={step['id']}"
    preview = await send(browser, opened + "&frame=mail", written | {"do": "preview"})
    saved = await send(browser, opened, written)

    assert "Hi Mia, shall we meet?" in preview.text
    assert "About 12 Elm Street" in preview.text
    assert "sandbox" in preview.headers["content-security-policy"]
    assert "First mail" in await follow(browser, saved)
    assert "shall we meet?" in (await browser.get(f"{opened}&frame=mail")).text

    wrong = await send(browser, opened, written | {"once": "", "seen": "", "body": "Hi\nyou {{ contact.first_name"})
    assert wrong.status_code == 422
    assert "Line 2 is not right" in wrong.text


async def test_another_owners_campaign_is_not_there(web_app: WebApp) -> None:
    campaign_id = await web_app.town.campaign("dave", "Dave's own")
    step_id = await web_app.town.action("dave", campaign_id, delay_by_seconds=60)
    template_id = await web_app.town.template("dave")
    browser = await web_app.sign_in("alice")
    own = f"/app/campaigns/{await campaign_of(web_app)}"

    assert (await browser.get(f"/app/campaigns/{campaign_id}")).status_code == 404
    for do in ("rename", "remove", "add-step", "add-contact"):
        answer = await send(
            browser, f"/app/campaigns/{campaign_id}", STEP | {"do": do, "name": "Mine", "contact_id": "1"}
        )
        assert answer.status_code == 404
    for fields in ({"do": "change-step"}, {"do": "move-step"}, {"do": "remove-step"}):
        assert (await send(browser, own, STEP | fields | {"on": step_id})).status_code == 404
    assert (await send(browser, own, {"do": "remove-contact", "on": "987654"})).status_code == 404
    words = {
        "do": "words",
        "on": template_id,
        "template_type": "Email",
        "subject": "x",
        "body": "x",
        "description": "x",
    }
    assert (await send(browser, own, words)).status_code == 404


async def test_a_campaign_of_the_broker_can_be_started_and_not_changed(web_app: WebApp) -> None:
    campaign_id = await web_app.town.campaign("dave", "Comes along", is_default=True)
    step_id = await web_app.town.action("dave", campaign_id, delay_by_seconds=60)
    browser = await web_app.sign_in("alice")
    page = (await browser.get(f"/app/campaigns/{campaign_id}?step={step_id}")).text

    assert "You can start it for your contacts, and not change it." in page
    assert "change-step" not in page
    assert "remove-step" not in page
    for do in ("rename", "remove-step", "add-step"):
        answer = await send(browser, f"/app/campaigns/{campaign_id}", STEP | {"do": do, "on": step_id, "name": "Mine"})
        assert answer.status_code in (400, 403), do
        assert "You may" in answer.text


# --------------------------------------------------------------------------------------------------------- who is in it


async def test_a_contact_is_found_added_and_taken_out_again(web_app: WebApp) -> None:
    campaign_id = await campaign_of(web_app)
    path = f"/app/campaigns/{campaign_id}"
    template_id = await web_app.town.template("alice", description="Hello")
    await web_app.town.action("alice", campaign_id, delay_by_seconds=3600, template_id=template_id)
    noor = await web_app.town.contact("alice", first_name="Noor", last_name="Haddad", email="noor@example.com")
    browser = await web_app.sign_in("alice")

    for typed in ("noor@example.com", "Noor Haddad", "Noor"):
        assert "Add Noor Haddad" in (await browser.get(path, params={"find": typed})).text
    assert "No contact of yours fits" in (await browser.get(path, params={"find": "no-one@example.com"})).text

    fields = {"do": "add-contact", "contact_id": noor}
    page = await follow(browser, await send(browser, path, fields))
    assert "Noor Haddad is in the campaign" in words_of(page)
    assert re.search(r"Next, .*: E-mail to the contact \(Hello\)", words_of(page))
    assert (await send(browser, path, fields)).status_code == 409
    assert "Noor Haddad" not in words_of(await undo(browser, page)).partition("Who is in it")[2]

    page = await follow(browser, await send(browser, path, fields))
    run = re.search(r'href="([^"]*out=(\d+))#[^"]*" aria-label="Take out Noor Haddad"', page)
    asked = (await browser.get(unescape(run[1]))).text
    assert "Adding the contact again begins from the start" in asked
    taken_out = await send(browser, path, form(asked, "remove-contact", run[2]))
    page = await follow(browser, taken_out)
    assert "The campaign has stopped for this contact" in page
    assert "Noor" not in words_of(page).partition("Who is in it")[2]
    assert "Noor Haddad" in words_of(await undo(browser, page)).partition("Who is in it")[2]


async def test_contacts_go_on_by_key_and_another_owners_are_not_shown(web_app: WebApp) -> None:
    campaign_id = await web_app.town.campaign("dave", "Comes along", is_default=True)
    for owner, count in (("alice", 60), ("dave", 3)):
        for number in range(count):
            contact = await web_app.town.contact(owner, first_name=f"{owner} {number}.")
            await web_app.town.insert(
                "campaign_contacts", owner_id=web_app.town.users[owner], campaign_id=campaign_id, contact_id=contact,
                created_at=web_app.town.now,
            )  # fmt: skip
    browser = await web_app.sign_in("alice")
    first = (await browser.get(f"/app/campaigns/{campaign_id}")).text
    more = re.search(rf'hx-get="(/app/campaigns/{campaign_id}\?before=\d+[^"]*part=contacts)"', first)
    second = (await browser.get(unescape(more[1]))).text

    shown = re.findall(r'"who">\s*(?:<a[^>]*>)?\s*alice (\d+)\.', first + second)
    assert [int(each) for each in shown] == list(range(59, -1, -1))
    assert "dave" not in first + second
    stranger = await web_app.town.contact("dave", first_name="Secret")
    answer = await send(browser, f"/app/campaigns/{campaign_id}", {"do": "add-contact", "contact_id": stranger})
    assert answer.status_code == 422
    assert "Secret" not in answer.text


# ---------------------------------------------------------------------------------------------------------------- pure


def step(number: int, **fields: Any) -> dict[str, Any]:
    names = ("delay_by_seconds", "delay_by_days", "dispatch_time", "dispatch_datetime", "recurrence")
    return dict.fromkeys(names) | {"id": number, "trigger_type": 1, "timing_type": "Delay by Minutes"} | fields


STEPS = [
    step(1, timing_type="Delay by Day and Time", delay_by_days=1, dispatch_time="09:30"),
    step(2, delay_by_seconds=120),
    step(3, delay_by_seconds=120),
    step(4, timing_type="Recurring", recurrence="FREQ=DAILY"),
    step(5, trigger_type=2, delay_by_seconds=0),
    step(6, timing_type="Exact Date and Time", dispatch_datetime="2031-01-01T00:00:00.000Z"),
    step(7, delay_by_seconds=0),
]


def test_steps_are_in_the_order_in_which_they_come() -> None:
    assert [[each["id"] for each in steps] for _, steps in timeline(STEPS)] == [[7, 2, 3, 1], [6], [4], [5]]


@pytest.mark.parametrize(
    ("moving", "is_earlier", "found"),
    [(7, True, None), (7, False, 2), (2, True, 7), (2, False, 1), (1, True, 3), (1, False, None), (4, True, None),
     (9, True, None)],
)  # fmt: skip
def test_a_step_changes_places_with_the_nearest_that_comes_at_another_moment(
    moving: int, is_earlier: bool, found: int | None
) -> None:
    other = neighbour(STEPS, moving, is_earlier=is_earlier)

    assert (other and other["id"]) == found


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (60, "1 minute"), (90, "1 minute 30 seconds"), (86_400, "1 day"), (172_860, "2 days 1 minute")],
)
def test_a_duration_is_said_in_words(seconds: int, words: str) -> None:
    assert duration(seconds) == words
