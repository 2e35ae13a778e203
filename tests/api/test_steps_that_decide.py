"""Conditions and variants of a campaign's step, and its results, through the API."""

import pytest

from tests.support.api import ask, create

CONDITIONS = {"all": [{"field": "replied", "is": "equal", "value": False},
                      {"field": "hours_since_inquiry", "is": "at least", "value": 24}]}  # fmt: skip
SENTENCE = "the contact has not replied and hours since the inquiry is at least 24"
MAIL = {"type": "Email Contact", "timing_type": "Delay by Minutes", "delay_by_seconds": 0}


@pytest.fixture
async def actions(town):
    """The URL of the actions of a campaign of Alice's."""
    campaign = await create(town, "alice", "/campaigns", {"name": "Drip"})
    return f"/campaigns/{campaign['id']}/actions"


@pytest.fixture
async def halves(town):
    """Two templates of Alice's, one part each."""
    return [{"template_id": await town.template("alice"), "share": 1} for _ in range(2)]


async def test_conditions_and_variants_are_answered_as_they_were_written(town, actions, halves):
    body = MAIL | {"conditions": CONDITIONS, "variants": halves, "smallest_difference": "3"}
    made = await create(town, "alice", actions, body)
    assert (made["conditions"], made["conditions_text"], made["variants"]) == (CONDITIONS, SENTENCE, halves)
    assert (made["template_id"], made["smallest_difference"]) == (None, 3)
    assert list(made)[-4:] == ["conditions", "conditions_text", "variants", "smallest_difference"]

    url = f"{actions}/{made['id']}"
    refused = await ask(town, "alice", "PATCH", url, json={"template_id": halves[0]["template_id"]})
    assert list(refused.json["errors"]) == ["variants"]
    plain = {"template_id": halves[0]["template_id"], "variants": None, "conditions": None}
    changed = (await ask(town, "alice", "PATCH", url, json=plain)).json
    assert (changed["template_id"], changed["variants"], changed["conditions_text"]) == (
        halves[0]["template_id"], None, None
    )  # fmt: skip
    replaced = (await ask(town, "alice", "PUT", url, json=body)).json
    assert (replaced["template_id"], replaced["variants"]) == (None, halves)


WRONG = [
    ({"conditions": {"field": "steps_sent", "is": "at least", "value": "many"}}, ["conditions.value"]),
    ({"conditions": {"field": "opened", "is": "known"}}, ["conditions.field"]),
    ({"conditions": {"field": "custom.Kids", "is": "known"}}, ["conditions.field"]),
    ({"conditions": CONDITIONS, "type": "Agent Task - No Reminder"}, ["conditions"]),
    ({"variants": []}, ["variants"]),
    ({"variants": "@halves", "type": "Agent Task - No Reminder"}, ["variants"]),
    ({"variants": [{"template_id": "@", "share": 1}]}, ["variants"]),
    ({"variants": [{"template_id": "@", "share": 1}] * 11}, ["variants"]),
    ({"variants": [{"template_id": "@", "share": 1}] * 2}, ["variants[1].template_id"]),
    ({"variants": [{"template_id": "@", "share": 0}, {"share": 1.5, "x": 1}]},
     ["variants[0].share", "variants[1].share", "variants[1].template_id", "variants[1].x"]),
    ({"variants": [{"template_id": "@", "share": True}, 5]}, ["variants[0].share", "variants[1]"]),
    ({"variants": [{"template_id": "@", "share": 1}, {"template_id": "@dave", "share": 1}]},
     ["variants[1].template_id"]),
    ({"variants": [{"template_id": "@", "share": 1}, {"template_id": 10**30, "share": 1}]},
     ["variants[1].template_id"]),
    ({"smallest_difference": 0}, ["smallest_difference"]),
    ({"smallest_difference": 51}, ["smallest_difference"]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "wrong"), WRONG, ids=[str(case[0])[:60] for case in WRONG])
async def test_what_is_wrong_is_answered_by_its_path(town, actions, halves, body, wrong):
    mine, daves = halves[0]["template_id"], await town.template("dave")
    if body.get("variants") == "@halves":
        body = body | {"variants": halves}
    elif "variants" in body:
        filled = [
            {name: {"@": mine, "@dave": daves}.get(value, value) for name, value in each.items()}
            if isinstance(each, dict)
            else each
            for each in body["variants"]
        ]
        body = body | {"variants": filled}
    reply = await ask(town, "alice", "POST", actions, json=MAIL | body)
    assert reply.status == 400, reply.body
    assert sorted(reply.json["errors"]) == wrong
    assert all(text.startswith(name) for name, text in reply.json["errors"].items())
    assert (await ask(town, "alice", "GET", actions)).json["total"] == 0


async def test_a_template_that_is_a_variant_is_not_deleted(town, actions, halves):
    made = await create(town, "alice", actions, MAIL | {"variants": halves})
    url = f"/templates/{halves[1]['template_id']}"
    assert (await ask(town, "alice", "DELETE", url)).status == 409
    await ask(town, "alice", "DELETE", f"{actions}/{made['id']}")
    assert (await ask(town, "alice", "DELETE", url)).status == 200


async def test_results_are_those_of_the_callers_own_contacts(town, actions, halves):
    step = await create(town, "alice", actions, MAIL | {"variants": halves})
    first, second = (each["template_id"] for each in halves)
    for template_id, sent, replied in ((first, 800, 80), (second, 1_000, 160)):
        for figure, number in (("sent", sent), ("delivered", sent - 1), ("bounced", 1), ("replied", replied)):
            await town.database.execute(
                "INSERT INTO step_results (owner_id, action_id, template_id, figure, number)"
                " VALUES ($1, $2, $3, $4, $5)",
                town.users["alice"], step["id"], template_id, figure, number,
            )  # fmt: skip
    url = actions.replace("actions", "results")

    found = (await ask(town, "alice", "GET", url)).json

    assert list(found) == ["campaign_id", "data", "comparisons", "warnings"]
    arm = found["data"][1]
    assert {name: arm[name] for name in ("action_id", "template_id", "sent", "delivered", "bounced", "replied")} == {
        "action_id": step["id"], "template_id": second, "sent": 1000, "delivered": 999, "bounced": 1, "replied": 160,
    }  # fmt: skip
    assert (arm["opted_out"], arm["share"]) == (0, 1)
    assert arm["rates"]["replied"]["share"] == 0.16
    [comparison] = found["comparisons"]
    assert (comparison["template_id"], comparison["against_template_id"], comparison["planned"]) == (second, first, 686)
    assert comparison["state"] == "different"
    assert comparison["text"].startswith("It gets more replies: a difference of 6.0 percentage points, between 2.9")
    [warning] = found["warnings"]
    assert (warning["action_id"], warning["code"]) == (step["id"], "split_not_as_planned")
    for name in ("bob", "dave"):
        assert (await ask(town, name, "GET", url)).status == 404
    assert (await ask(town, "alice", "GET", "/campaigns/999/results")).status == 404


async def test_a_user_has_one_default_signature(town):
    first = await create(town, "bob", "/signatures", {"name": "Short", "text_body": "Bob"})
    second = await create(town, "bob", "/signatures", {"name": "Long", "html_body": "<b>Bob Town</b>"})
    assert (first["is_default"], second["is_default"], second["text_body"]) == (True, False, None)
    changed = await ask(town, "bob", "PATCH", f"/signatures/{second['id']}", json={"is_default": True})
    assert changed.json["is_default"] is True
    assert (await ask(town, "bob", "GET", f"/signatures/{first['id']}")).json["is_default"] is False
    third = await create(town, "bob", "/signatures", {"name": "New", "text_body": "B", "is_default": "true"})
    listed = (await ask(town, "bob", "GET", "/signatures?is_default=true")).json["data"]
    assert [each["id"] for each in listed] == [third["id"]]
    await ask(town, "bob", "DELETE", f"/signatures/{third['id']}")
    assert (await ask(town, "bob", "GET", "/signatures?is_default=true")).json["total"] == 0
    empty = await ask(town, "bob", "PATCH", f"/signatures/{first['id']}", json={"text_body": "  "})
    assert list(empty.json["errors"]) == ["text_body"]
    assert (await ask(town, "alice", "GET", f"/signatures/{first['id']}")).status == 404
    assert (await ask(town, "alice", "GET", "/signatures")).json["total"] == 0
