"""Every sample comes through the door that it was made for, and what is stored of it is what it says."""

import json

import pytest

from tests.support.intake import Doors, expected_of
from tests.support.samples import Sample, certificate, sample, samples
from tests.support.vendor_server import Answer

LEADS = [each for each in samples() if "action" not in each.expected and each.graph is None]
MAILS = [each for each in LEADS if each.format == "email"]
EXPECTED_ANSWERS = {
    "realtor-push": {"status_code": 200, "message": "OK"},
    "liondesk-v1-submission": {"error": 0, "errorText": "", "action": "NewSubmission"},
}


@pytest.fixture
def certificates(doors: Doors) -> None:
    """Amazon hands out the samples' certificate, wherever it is asked for one."""
    for each in samples():
        if each.format == "zillow-techconnect":
            path = json.loads(each.body)["SigningCertURL"].removeprefix("https://").partition("/")[2]
            doors.vendor.answers[f"/{path}"] = Answer(200, certificate(""))


@pytest.mark.parametrize("each", LEADS, ids=lambda each: each.name)
@pytest.mark.parametrize("is_guarded", [True, False], ids=["with secrets", "the address is the secret"])
async def test_it_comes_in_over_http(doors: Doors, certificates: None, each: Sample, is_guarded: bool) -> None:
    key = await (doors.guarded_key(each.format) if is_guarded else doors.key())
    answer = await doors.post(key, each.body, each.headers)

    vendors_own = EXPECTED_ANSWERS.get(each.name)
    assert answer.status_code == (200 if vendors_own else 201), answer.text
    assert (vendors_own or {}).items() <= answer.json().items()
    assert await doors.stored() == expected_of(each)
    assert bytes((await doors.arrival())["body"]) == each.body


@pytest.mark.parametrize("each", MAILS, ids=lambda each: each.name)
async def test_it_comes_in_by_mail(doors: Doors, each: Sample) -> None:
    await doors.send(each.body, await doors.key())

    assert await doors.stored() == expected_of(each)
    kept = bytes((await doors.arrival())["body"])
    assert kept.replace(b"\r\n", b"\n").rstrip() == each.body.replace(b"\r\n", b"\n").rstrip()


async def test_the_lead_that_facebook_only_names_is_fetched(doors: Doors) -> None:
    each = sample("facebook-leadgen")
    assert each.graph is not None
    [(leadgen_id, reply)] = each.graph.items()
    doors.vendor.tell(f"/{leadgen_id}", reply)
    key = await doors.guarded_key("facebook", access_token="page-token")
    answer = await doors.post(key, each.body, each.headers)

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert (await doors.arrival())["status"] == "pending"
    await doors.reread()
    assert (await doors.arrival())["status"] == "accepted"
    assert await doors.stored() == expected_of(each)
    [(_, target, headers)] = doors.vendor.asked
    assert headers["authorization"] == "Bearer page-token"
    assert "page-token" not in target, "addresses stand in logs"


async def test_a_subscription_is_confirmed_by_one_get(doors: Doors, certificates: None) -> None:
    each = sample("zillow-sns-subscription")
    doors.vendor.answers["/"] = Answer(200, b"<ConfirmSubscriptionResponse/>")
    answer = await doors.post(await doors.guarded_key("zillow-techconnect"), each.body, each.headers)

    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    await doors.reread()
    await doors.reread()
    row = await doors.arrival()
    assert (row["status"], row["reason"]) == ("accepted", "a control message: confirm_subscription")
    confirmations = [target for _, target, _ in doors.vendor.asked if target.startswith("/?")]
    assert [f"https://sns.us-west-2.amazonaws.com{target}" for target in confirmations] == [each.expected["get"]]
    assert await doors.count("leads") == 0
