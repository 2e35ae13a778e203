"""The page of a campaign with many steps, or with a change that many contacts wait for."""

import re

from tests.support.page_forms import follow, form, words_of
from tests.support.web_app import WebApp

OFFICE = '{"weekly_hours": {"monday": [["09:00", "17:00"]], "thursday": [["09:00", "17:00"]]}}'


async def long_campaign(web_app: WebApp, steps: int) -> tuple[str, list[int]]:
    """The path of a campaign's page, and its steps."""
    town = web_app.town
    campaign_id = await town.campaign("alice", "A year of news")
    template_id = await town.template("alice", subject="What homes like the one you asked about have sold for")
    delays = [86_400 * number for number in range(1, steps + 1)]
    made = [
        await town.action("alice", campaign_id, template_id=template_id, delay_by_seconds=each, send_window=OFFICE)
        for each in delays
    ]
    return f"/app/campaigns/{campaign_id}", made


def pressable(page: str, kind: str) -> list[int]:
    return [int(each) for each in re.findall(rf'form="step-{kind}" name="on" value="(\d+)"', page)]


async def test_steps_share_the_forms_that_their_buttons_send(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    path, steps = await long_campaign(web_app, 20)
    page = (await browser.get(path)).text

    assert page.count("<form") < len(steps), "one for all steps, not several in each"
    for kind, those in (("earlier", steps[1:]), ("later", steps[:-1]), ("remove", steps)):
        assert pressable(page, kind) == those
        assert page.count(f'id="step-{kind}"') == 1
    sent = form(page, "move-step") | {"on": str(steps[1])}
    moved = await follow(browser, await browser.post(path, data=sent))
    assert moved.index(f'id="step-{steps[1]}"') < moved.index(f'id="step-{steps[0]}"')


async def test_a_campaign_of_forty_steps_is_light_and_its_open_step_has_all_buttons(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    path, steps = await long_campaign(web_app, 40)
    page = (await browser.get(path)).text
    opened = (await browser.get(path, params={"step": steps[7]})).text

    assert len(page.encode()) < 60_000
    for kind in ("earlier", "later", "remove"):
        assert pressable(page, kind) == []
        assert pressable(opened, kind) == [steps[7]]


async def test_a_change_that_is_still_carried_over_says_so(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    path, [step_id] = await long_campaign(web_app, 1)
    assert "carried over" not in words_of((await browser.get(path)).text)
    await web_app.database.execute(
        "INSERT INTO changed_actions (owner_id, campaign_id, action_id, changed_at, part, after_id, left_count)"
        " VALUES ($1, $2, $3, $4, 'messages', 0, 2300)",
        web_app.brokerage.owner_id, int(path.rsplit("/", 1)[1]), step_id, web_app.town.now,
    )  # fmt: skip
    page = words_of((await browser.get(path)).text)

    assert "A change is being carried over: 2,300 contacts left." in page
