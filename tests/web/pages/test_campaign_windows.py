"""Windows on the pages: a campaign's and a step's as time fields, the preview with a contact, the calendar."""

import re
from typing import Any

import pytest

from leadroutes.domain.windows import MOST_RANGES, read_send_window
from leadroutes.web.pages.week_fields import read_week, week_rows
from leadroutes.web.sent import Sent
from tests.support.page_forms import follow, form, words_of
from tests.support.web_app import WebApp

OFFICE = {"weekly_hours": {"monday": [["09:00", "12:30"], ["13:00", "24:00"]]}}


def sent(**fields: str) -> Sent:
    return Sent({name: [value] for name, value in fields.items()})


def test_hours_are_shown_and_read_back() -> None:
    rows = week_rows(OFFICE)
    assert rows[0] == ("monday", "Monday", [("09:00", "12:30"), ("13:00", "00:00")])
    assert rows[1] == ("tuesday", "Tuesday", [("", "")])
    fields = {
        f"{day}_{end}_{number}": value
        for day, _, hours in rows
        for number, pair in enumerate(hours)
        for end, value in zip(("from", "to"), pair, strict=True)
    }
    assert read_week(sent(**fields)) == OFFICE
    assert read_week(sent()) is None


def test_as_many_hours_of_a_day_as_the_api_takes_are_read_back() -> None:
    """What the form shows and does not read would be lost when anything else of the step is saved."""
    ranges = [[f"{hour:02}:00", f"{hour:02}:30"] for hour in range(MOST_RANGES)]
    window = {"weekly_hours": {"friday": ranges}}
    assert read_send_window(window, "send_window") == window
    [shown] = [hours for day, _, hours in week_rows(window) if day == "friday"]
    fields = {
        f"friday_{end}_{number}": value
        for number, pair in enumerate(shown)
        for end, value in zip(("from", "to"), pair, strict=True)
    }
    assert read_week(sent(**fields)) == window


WRONG = [
    ({"monday_from_0": "09:00"}, "monday_from_0", "fill in both times"),
    ({"friday_from_0": "09:00", "friday_to_0": "09:00"}, "friday_from_0", "two different times"),
    ({"friday_from_0": "x", "friday_to_0": "y"}, "friday_from_0", "two times of day"),
]


@pytest.mark.parametrize(("fields", "place", "words"), WRONG)
def test_what_is_wrong_is_said_at_its_day(fields: dict[str, str], place: str, words: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 -- the fields of its errors are looked at
        read_week(sent(**fields))
    errors: Any = caught.value.errors  # type: ignore[attr-defined]
    assert list(errors) == [place]
    assert words in errors[place]


async def path_of(web_app: WebApp) -> str:
    return f"/app/campaigns/{await web_app.database.fetchval('SELECT id FROM campaigns ORDER BY id LIMIT 1')}"


async def test_a_window_is_saved_shown_refused_and_undone(web_app: WebApp) -> None:
    browser, path = await web_app.sign_in("alice"), await path_of(web_app)
    page = (await browser.get(path)).text
    assert "Messages leave at any time of day." in words_of(page)
    hours = {"monday_from_0": "09:00", "monday_to_0": "00:00", "first_answer_minutes": "5"}

    saved = await follow(browser, await browser.post(path, data=form(page, "window") | hours))

    assert "Messages leave Monday 09:00–24:00, in the contact’s time zone." in words_of(saved)
    for wrong in (
        {"monday_to_0": ""}, *({"first_answer_minutes": given} for given in ("1441", "-1", "9" * 5_000, "five", "1.5")),
    ):  # fmt: skip
        refused = await browser.post(path, data=form(saved, "window") | hours | wrong)
        assert refused.status_code == 422, wrong
        assert "One thing is not right yet" in refused.text
    token = re.search(r'name="undo" value="([^"]+)"', saved)
    assert token is not None
    undone = await follow(browser, await browser.post("/app/undo", data={"undo": token[1], "back": path}))
    assert "Messages leave at any time of day." in words_of(undone)


async def test_a_step_has_a_window_of_its_own(web_app: WebApp) -> None:
    browser, path = await web_app.sign_in("alice"), await path_of(web_app)
    page = (await browser.get(f"{path}?step=new")).text
    step = {"type": "Email Contact", "template_id": "new", "timing_type": "Delay by Minutes", "delay": "1",
            "delay_unit": "60", "trigger_type": "1", "tuesday_from_0": "10:00", "tuesday_to_0": "12:00"}  # fmt: skip

    added = await follow(browser, await browser.post(path, data=form(page, "add-step") | step))

    assert "Leaves Tuesday 10:00–12:00, in the contact’s time zone." in words_of(added)
    contact_id = await web_app.town.contact("alice", time_zone="America/Denver", email="new@example.com")
    preview = words_of((await browser.get(f"{path}/preview?contact_id={contact_id}")).text)
    assert "waits for 10:00" in preview
    assert "step's window" in preview


async def test_a_preview_and_a_calendar_of_nothing_say_so(web_app: WebApp) -> None:
    browser, path = await web_app.sign_in("alice"), await path_of(web_app)
    assert "No contact of yours fits" in (await browser.get(f"{path}/preview?with=no-one-has-this-name")).text
    assert "Nothing leaves in these weeks" in (await browser.get("/app/calendar?from=2020-01-01")).text
    assert (await browser.get("/app/calendar?from=x")).status_code == 200
