"""Every sample comes through the door that it was made for, and what is stored of it is what it says."""

import json

import pytest

from tests.support.intake_app import IntakeApp, expected_of
from tests.support.samples import Sample, certificate, sample, samples
from tests.support.vendor_server import Answer

LEADS = [each for each in samples() if "action" not in each.expected and each.graph is None]
MAILS = [each for each in LEADS if each.format == "email"]
EXPECTED_ANSWERS = {
    "realtor-push": {"status_code": 200, "message": "OK"},
    "liondesk-v1-submission": {"error": 0, "errorText": "", "action": "NewSubmission"},
}


@pytest.fixture
def certificates(intake: IntakeApp) -> None:
    """Amazon hands out the samples' certificate, wherever it is asked for one."""
    for each in samples():
        if each.format == "zillow-techconnect":
            path = json.loads(each.body)["SigningCertURL"].removeprefix("https://").partition("/")[2]
            intake.vendor.answers[f"/{path}"] = Answer(200, certificate(""))


@pytest.mark.parametrize("each", LEADS, ids=lambda each: each.name)
@pytest.mark.parametrize("is_guarded", [True, False], ids=["with secrets", "the address is the secret"])
async def test_it_comes_in_over_http(intake: IntakeApp, certificates: None, each: Sample, is_guarded: bool) -> None:
    key = await (intake.guarded_key(each.format) if is_guarded else intake.key())
    answer = await intake.post(key, each.body, each.headers)

    vendors_own = EXPECTED_ANSWERS.get(each.name)
    assert answer.status_code == (200 if vendors_own else 201), answer.text
    assert (vendors_own or {}).items() <= answer.json().items()
    assert await intake.stored() == expected_of(each)
    assert bytes((await intake.arrival())["body"]) == each.body


@pytest.mark.parametrize("each", MAILS, ids=lambda each: each.name)
async def test_it_comes_in_by_mail(intake: IntakeApp, each: Sample) -> None:
    await intake.send(each.body, await intake.key())

    assert await intake.stored() == expected_of(each)
    stored = bytes((await intake.arrival())["body"])
    assert stored.replace(b"\r\n", b"\n").rstrip() == each.body.replace(b"\r\n", b"\n").rstrip()


async def test_the_lead_that_facebook_only_names_is_fetched(intake: IntakeApp) -> None:
    each = sample("facebook-leadgen")
    assert each.graph is not None
    [(leadgen_id, reply)] = each.graph.items()
    intake.vendor.tell(f"/{leadgen_id}", reply)
    key = await intake.guarded_key("facebook", access_token="page-token")
    answer = await intake.post(key, each.body, each.headers)

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert (await intake.arrival())["status"] == "pending"
    await intake.reread()
    assert (await intake.arrival())["status"] == "accepted"
    assert await intake.stored() == expected_of(each)
    [(_, target, headers)] = intake.vendor.asked
    assert headers["authorization"] == "Bearer page-token"
    assert "page-token" not in target, "addresses stand in logs"


async def test_a_subscription_is_confirmed_by_one_get(intake: IntakeApp, certificates: None) -> None:
    each = sample("zillow-sns-subscription")
    intake.vendor.answers["/"] = Answer(200, b"<ConfirmSubscriptionResponse/>")
    answer = await intake.post(await intake.guarded_key("zillow-techconnect"), each.body, each.headers)

    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    await intake.reread()
    await intake.reread()
    row = await intake.arrival()
    assert (row["status"], row["reason"]) == ("accepted", "a control message: confirm_subscription")
    confirmations = [target for _, target, _ in intake.vendor.asked if target.startswith("/?")]
    assert [f"https://sns.us-west-2.amazonaws.com{target}" for target in confirmations] == [each.expected["get"]]
    assert await intake.count("leads") == 0
