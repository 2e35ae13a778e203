"""Campaigns in a document of rules: what is written is read again and changes only what it says."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadroutes.domain.document_text import read_document, write_document
from leadroutes.domain.laid_over import laid_over
from leadroutes.domain.rule_document import RuleDocument, document_of
from leadroutes.domain.rule_fields import CAMPAIGN, STEP
from leadroutes.domain.rule_records import Records
from tests.support.builders import ALICE, BOB
from tests.support.rule_documents import NAMES, RULES, over, texts


def step(step_id: int, campaign_id: int = 1, **fields: Any) -> dict[str, Any]:
    usual = {
        "type": "Email Contact", "template_id": 3, "timing_type": "Delay by Minutes", "delay_by_seconds": 60,
        "trigger_type": 1, "is_stopped_on_text_reply": False, "smallest_difference": 5,
    }  # fmt: skip
    blank = dict.fromkeys((each.name for each in STEP.fields), None)
    return {"id": step_id, "campaign_id": campaign_id} | blank | usual | fields


def campaign(campaign_id: int, name: str, **fields: Any) -> dict[str, Any]:
    usual = {"is_broker_sharing_on": False, "send_window": None, "first_answer_minutes": 0, "stops_on": ["reply"],
             "pause_on_offer": False}  # fmt: skip
    return {"id": campaign_id, "name": name} | usual | fields


def campaign_records(*records: dict[str, Any]) -> Records:
    steps = {each["id"]: each for each in records if "campaign_id" in each}
    return {CAMPAIGN.name: {each["id"]: each for each in records if "campaign_id" not in each}, STEP.name: steps}


windows = st.sampled_from([None, {"weekly_hours": {"tuesday": [["09:00", "17:00"]], "monday": []}}])
messages = st.fixed_dictionaries({
    "type": st.sampled_from(["Email Contact", "Text Contact", "Call Contact"]),
    "assigned_user_id": st.sampled_from([None, ALICE, BOB, 77]),
    "send_window": windows,
    "conditions": st.sampled_from([None, {"field": "replied", "is": "equal", "value": False}]),
    "smallest_difference": st.integers(1, 50),
}).flatmap(lambda fields: st.one_of(
    st.fixed_dictionaries({"template_id": st.sampled_from([None, 1, 2, 3, 88])}),
    st.fixed_dictionaries({"template_id": st.none(), "variants": st.permutations([1, 2, 3, 88]).map(
        lambda ids: [{"template_id": each, "share": place + 1} for place, each in enumerate(ids[:3])])}),
).map(lambda more: fields | more))  # fmt: skip
tasks = st.fixed_dictionaries({
    "type": st.sampled_from(["Agent Task - No Reminder", "Agent Task - Call Reminder"]), "template_id": st.none(),
    "description": st.none() | texts,
})  # fmt: skip
timings = st.sampled_from([
    {"delay_by_seconds": 0}, {"timing_type": "Delay by Day and Time", "delay_by_seconds": None, "delay_by_days": 2,
                              "dispatch_time": "09:30"},
    {"timing_type": "Exact Date and Time", "delay_by_seconds": None,
     "dispatch_datetime": datetime.fromisoformat("2027-03-01T16:00:00+00:00")},
])  # fmt: skip


@st.composite
def any_campaigns(draw: st.DrawFn) -> Records:
    names = draw(st.lists(st.sampled_from(["Buyers", "Drip (#2)", "no"]) | texts, max_size=3, unique_by=str.casefold))
    found = []
    for number, name in enumerate(names, 1):
        found.append(
            campaign(number, name, send_window=draw(windows), first_answer_minutes=draw(st.integers(0, 1440)),
                     stops_on=draw(st.none() | st.lists(st.sampled_from(["reply", "claim"]), unique=True)),
                     pause_on_offer=draw(st.booleans()), is_broker_sharing_on=draw(st.booleans()))
        )  # fmt: skip
        for place, said in enumerate(draw(st.lists(messages | tasks, max_size=4))):
            found.append(step(10 * number + place, number, **said | draw(timings)))
    return campaign_records(*found)


@settings(deadline=None, max_examples=100)
@given(any_campaigns(), st.sampled_from(["yaml", "json"]), st.booleans())
def test_loaded_campaigns_change_nothing(present: Records, form: Any, prune: bool) -> None:
    text = write_document(document_of(RULES, NAMES, present), form)
    found = laid_over(read_document(text.encode()), RULES, NAMES, present, prune=prune)

    assert found.faults == ()
    assert found.campaigns == present
    assert found.rules == RULES


@settings(deadline=None, max_examples=100)
@given(any_campaigns(), any_campaigns())
def test_campaigns_become_what_an_export_of_others_says(present: Records, wished: Records) -> None:
    """Whatever was there before. What has no name here means nothing there, so that it is left out."""
    for each in wished[STEP.name].values():
        each["assigned_user_id"] = None if each["assigned_user_id"] == 77 else each["assigned_user_id"]
        each["template_id"] = 3 if each["template_id"] == 88 else each["template_id"]
        if each["variants"] is not None:
            each["variants"] = [part for part in each["variants"] if part["template_id"] != 88]
    document = RuleDocument({"rules": 1, "campaigns": document_of(RULES, NAMES, wished).content["campaigns"]})
    found = laid_over(document, RULES, NAMES, present, prune=True)

    assert found.faults == ()
    again = document_of(RULES, NAMES, found.campaigns).content["campaigns"]
    named = {each["name"].casefold(): each for each in document.content["campaigns"]}
    for each in again:
        if each["name"].casefold() in named:
            wanted = named[each["name"].casefold()]
            assert sorted(map(str, each.pop("actions"))) == sorted(map(str, wanted["actions"]))
            assert each == {name: value for name, value in wanted.items() if name != "actions"}
    assert laid_over(document, RULES, NAMES, found.campaigns, prune=True).campaigns == found.campaigns


DRIP = campaign_records(
    campaign(1, "Buyers"), step(10, delay_by_seconds=60), step(11, delay_by_seconds=120), campaign(2, "Sellers")
)
MAIL = {"type": "Email Contact", "template": "no", "timing_type": "Delay by Minutes"}


@pytest.mark.parametrize(
    ("campaigns", "prune", "expected"),
    [
        ([{"name": "BUYERS", "pause_on_offer": True}], False,
         ["Campaign 1: name “Buyers” → “BUYERS”", "Campaign 1: waits for the claim no → yes"]),
        ([{"name": "Buyers", "stops_on": None}], True, ["Campaign 1: stops on reply → none"]),
        ([], True, []),
        ([{"name": "Drip", "actions": [MAIL | {"delay_by_seconds": 0}]}], False,
         [("New campaign Drip: added (name “Drip”, stops on reply, conversation)"),
          ("New campaign step (Drip): added (type “Email Contact”, template no, timing “Delay by Minutes”,"
           " delay 0 seconds, counted from the start of the campaign)")]),
        # one that is put between others changes none of them, and one that is changed is the one that is left
        ([{"name": "Buyers", "actions": [MAIL | {"delay_by_seconds": each} for each in (60, 90, 120)]}], True,
         [("New campaign step (Buyers): added (type “Email Contact”, template no, timing “Delay by Minutes”,"
           " delay 1 minute 30 seconds, counted from the start of the campaign)")]),
        ([{"name": "Buyers", "actions": [MAIL | {"delay_by_seconds": each} for each in (120, 90)]}], True,
         ["Campaign step 10 (Buyers): delay 1 minute → 1 minute 30 seconds"]),
        ([{"name": "Buyers", "actions": [MAIL | {"delay_by_seconds": 120}]}], False, []),
        ([{"name": "Buyers", "actions": [MAIL | {"delay_by_seconds": 120}]}], True,
         [("Campaign step 10 (Buyers): removed (type “Email Contact”, template no, timing “Delay by Minutes”,"
           " delay 1 minute, counted from the start of the campaign)")]),
        # what is wrong
        ([{}], False, ["campaigns[0].name | campaigns[0].name is required"]),
        ([{"name": "a"}, {"name": "A"}], False,
         ["campaigns[1] | campaigns[1]: this campaign was given a second time"]),
        ([{"name": "a", "stops_on": ["sun"]}], False,
         [("campaigns[0].stops_on[0] | campaigns[0].stops_on[0]: 'sun' was given; expected one of reply, conversation,"
           " claim, appointment")]),
        ([{"name": "a", "actions": [MAIL]}], False,
         [("campaigns[0].actions[0].delay_by_seconds | campaigns[0].actions[0].delay_by_seconds is required with"
           " Delay by Minutes")]),
        ([{"name": "a", "actions": [MAIL | {"delay_by_seconds": 0, "template": "Hello"}]}], False,
         [("campaigns[0].actions[0].template | campaigns[0].actions[0].template: 'Hello' was given; expected a"
           " template of yours: Hello (#1), Hello (#2)")]),
        ([{"name": "a", "actions": [MAIL | {"delay_by_seconds": 0, "assigned_user": "dave@example.com"}]}], False,
         [("campaigns[0].actions[0].assigned_user | campaigns[0].actions[0].assigned_user: 'dave@example.com' was"
           " given; expected the e-mail of a member who has accepted, or yours")]),
        ([{"name": "a", "actions": [{"type": "Agent Task - No Reminder", "timing_type": "Recurring",
                                     "recurrence": "FREQ=SOMETIMES", "send_window": {"weekly_hours": {}}}]}], False,
         [("campaigns[0].actions[0].send_window | campaigns[0].actions[0].send_window: only Email Contact,"
           " Call Contact, Text Contact have a window"),
          ("campaigns[0].actions[0].recurrence | campaigns[0].actions[0].recurrence: 'FREQ=SOMETIMES' was given;"
           " expected one rule of RFC 5545, daily or slower, that comes within ten years, such as"
           " FREQ=WEEKLY;BYDAY=MO")]),
    ],
)  # fmt: skip
def test_campaigns_of_a_document_change_what_it_says(campaigns: list[Any], prune: bool, expected: list[str]) -> None:
    assert over({"rules": 1, "campaigns": campaigns}, campaigns=DRIP, prune=prune) == expected


def test_a_route_may_name_a_campaign_that_the_document_adds() -> None:
    content = {"rules": 1, "campaigns": [{"name": "Drip"}], "routes": [{"name": "Portals", "campaign": "Drip"}]}
    found = laid_over(RuleDocument(content), RULES, NAMES, DRIP)

    [added] = found.campaigns[CAMPAIGN.name].keys() - DRIP[CAMPAIGN.name].keys()
    assert found.rules.routes[0].campaign_id == added
