"""Windows of campaigns over the API: what is stored and refused, what steps wait for, the preview and the calendar."""

from datetime import datetime, timedelta

import pytest

from leadroutes.domain.windows import SendingRules
from leadroutes.engine.engine import Engine
from tests.support.api import ask, create

OFFICE = {"weekly_hours": {"monday": [["09:00", "17:00"]], "tuesday": [["22:00", "06:00"]]}}
MONDAY_AT_SEVEN = datetime.fromisoformat("2027-01-04T14:00:00+00:00")  # in Denver


@pytest.fixture
async def campaign(town):
    await town.database.begin_clock(MONDAY_AT_SEVEN)
    record = await create(town, "alice", "/campaigns", {"name": "Drip", "send_window": OFFICE})
    return f"/campaigns/{record['id']}"


async def mail(town, campaign, seconds=0, **fields):
    template_id = await town.template("alice", subject="Hi", body="Hi {{ contact.first_name }}")
    body = {"type": "Email Contact", "template_id": template_id, "timing_type": "Delay by Minutes",
            "delay_by_seconds": seconds, **fields}  # fmt: skip
    return (await create(town, "alice", f"{campaign}/actions", body))["id"]


async def test_windows_are_stored_as_they_were_written(town, campaign):
    record = (await ask(town, "alice", "GET", campaign)).json
    assert (record["send_window"], record["first_answer_minutes"]) == (OFFICE, 0)
    changed = await ask(town, "alice", "PATCH", campaign, json={"send_window": None, "first_answer_minutes": "1440"})
    assert (changed.json["send_window"], changed.json["first_answer_minutes"]) == (None, 1440)


WRONG = [
    ({"send_window": "always"}, "send_window"),
    ({"send_window": {}}, "send_window.weekly_hours"),
    ({"send_window": {"weekly_hours": None}}, "send_window.weekly_hours"),
    ({"send_window": OFFICE | {"timezone": "UTC"}}, "send_window.timezone"),
    ({"send_window": {"weekly_hours": {"monday": [["09:00", "09:00"]]}}}, "send_window.weekly_hours.monday[0]"),
    ({"send_window": {"weekly_hours": {"monday": [["09:00", "12:00"], ["11:00", "13:00"]]}}},
     "send_window.weekly_hours.monday"),
    ({"first_answer_minutes": 1441}, "first_answer_minutes"),
    ({"first_answer_minutes": -1}, "first_answer_minutes"),
    ({"first_answer_minutes": None}, "first_answer_minutes"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "place"), WRONG)
async def test_what_is_wrong_is_named_by_its_place(town, campaign, body, place):
    answer = await ask(town, "alice", "PATCH", campaign, json=body)

    assert answer.status == 400
    assert list(answer.json["errors"]) == [place]
    assert (await ask(town, "alice", "GET", campaign)).json["send_window"] == OFFICE


async def test_tasks_have_no_window(town, campaign):
    body = {"type": "Agent Task - No Reminder", "timing_type": "Delay by Minutes", "delay_by_seconds": 0}
    answer = await ask(town, "alice", "POST", f"{campaign}/actions", json=body | {"send_window": OFFICE})
    assert (answer.status, list(answer.json["errors"])) == (400, ["send_window"])


async def test_mails_are_limited_by_sender_whatever_is_known_of_the_contact(town, campaign):
    campaign = f"/campaigns/{(await create(town, 'alice', '/campaigns', {'name': 'Open'}))['id']}"
    await mail(town, campaign)
    for number, zone in enumerate(("America/Denver", "America/New_York", None)):
        contact_id = await town.contact("alice", email=f"mia{number}@example.com", time_zone=zone)
        await ask(town, "alice", "POST", f"{campaign}/contacts", json={"contact_id": contact_id})

    await Engine(town.database, rules=SendingRules(mails_per_hour=1)).run_due()

    waiting = await town.database.fetch("SELECT waits_rule FROM contact_communications WHERE waits_until > send_at")
    assert [row["waits_rule"] for row in waiting] == ["1 mails in an hour"] * 2
    assert await town.database.fetchval("SELECT count(*) FROM messages WHERE kind = 'campaign'") == 1


async def test_a_step_says_what_it_waits_for_and_keeps_its_moment(town, campaign):
    await mail(town, campaign)
    contact_id = await town.contact("alice", email="mia@example.com", time_zone="America/Denver")
    started = await ask(town, "alice", "POST", f"{campaign}/contacts", json={"contact_id": contact_id})
    assert started.status == 201
    [before] = (await ask(town, "alice", "GET", "/contact-communications")).json["data"]
    assert before["waits_for"] is None

    await Engine(town.database).run_due()

    [step] = (await ask(town, "alice", "GET", "/contact-communications")).json["data"]
    assert (step["send_at"], step["is_active"]) == (before["send_at"], True)
    assert step["waits_for"] == {
        "until": "2027-01-04T16:00:00.000Z", "rule": "campaign's window",
        "text": "09:00 contact's time (Mon, MST): campaign's window",
    }  # fmt: skip
    await town.database.move_clock(timedelta(days=8))
    await ask(town, "alice", "PATCH", campaign, json={"send_window": {"weekly_hours": {}}})
    await Engine(town.database).run_due()
    [step] = (await ask(town, "alice", "GET", "/contact-communications")).json["data"]
    assert (step["is_active"], step["reason"], step["waits_for"]) == (False, "too late", None)


async def test_a_preview_is_for_those_who_see_campaign_and_contact(town, campaign):
    action_id = await mail(town, campaign)
    contact_id = await town.contact("alice", first_name="Mia", email="mia@example.com", time_zone="America/Denver")
    path = f"{campaign}/preview?contact_id={contact_id}"

    [shown] = (await ask(town, "alice", "GET", path)).json

    assert (shown["action_id"], shown["subject"], shown["leaves_at"]) == (action_id, "Hi", "2027-01-04T16:00:00.000Z")
    assert (shown["rule"], shown["window"]) == ("campaign's window", OFFICE)
    assert shown["text_body"].startswith("Hi Mia")
    assert (await ask(town, "dave", "GET", path)).status == 404
    for query in ("", "?contact_id=x", f"?contact_id={contact_id + 1}", "?other=1"):
        answer = await ask(town, "alice", "GET", f"{campaign}/preview{query}")
        assert answer.status == 400, query
    assert (await ask(town, "alice", "GET", "/campaigns/0/preview?contact_id=1")).status == 404


async def test_a_preview_warns_of_what_will_not_be_sent(town, campaign):
    await mail(town, campaign, template_id=None)
    await mail(town, campaign, type="Text Contact")
    await mail(town, campaign, timing_type="Exact Date and Time", dispatch_datetime="2026-01-01T00:00:00Z")
    await mail(town, campaign, send_window={"weekly_hours": {}})
    contact_id = await town.contact("alice")

    shown = (await ask(town, "alice", "GET", f"{campaign}/preview?contact_id={contact_id}")).json

    warnings = [" ".join(each["warnings"]) for each in sorted(shown, key=lambda each: each["action_id"])]
    expected = ("no template", "no mobile phone", "moment has passed", "No window lets it go")
    assert [words in warning for words, warning in zip(expected, warnings, strict=True)] == [True] * 4


async def test_the_calendar_counts_by_day_and_channel(town, campaign):
    await mail(town, campaign)
    await mail(town, campaign, 86_400)
    contact_id = await town.contact("alice", email="mia@example.com", time_zone="America/Denver")
    await ask(town, "alice", "POST", f"{campaign}/contacts", json={"contact_id": contact_id})
    await Engine(town.database).run_due()

    rows = (await ask(town, "alice", "GET", "/calendar?from=2027-01-01&to=2027-01-31")).json

    assert rows == [{"day": "2027-01-04", "channel": "email", "count": 1},
                    {"day": "2027-01-05", "channel": "email", "count": 1}]  # fmt: skip
    assert (await ask(town, "alice", "GET", "/calendar")).json == rows
    assert (await ask(town, "dave", "GET", "/calendar")).json == []


@pytest.mark.parametrize(
    ("query", "place"),
    [("from=2027-13-01", "from"), ("to=x", "to"), ("from=2027-01-02&to=2027-01-01", "to"),
     ("from=2027-01-01&to=2027-04-03", "to"), ("day=1", "day"), ("from=0001-01-01", "from")],
)  # fmt: skip
async def test_a_calendar_has_at_most_92_days(town, query, place):
    answer = await ask(town, "alice", "GET", f"/calendar?{query}")
    assert (answer.status, list(answer.json["errors"])) == (400, [place])


async def test_92_days_are_a_calendar(town):
    assert (await ask(town, "alice", "GET", "/calendar?from=2027-01-01&to=2027-04-02")).status == 200
