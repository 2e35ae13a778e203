"""What is fetched: only what the rule allows, outside of every transaction, again and again until it is there."""

import asyncio
import hashlib
import hmac
import json
from typing import Any

import pytest

from leadroutes.ingest.arrivals import MAX_ATTEMPTS
from leadroutes.ingest.vendor_api import MAX_CERTIFICATE_BYTES
from leadroutes.intake.results import Refused
from leadroutes.retry import RetryLater
from leadroutes.store.queue import REREAD_JOB
from leadroutes.worker.worker import Worker
from tests.support.api import ask
from tests.support.intake_app import IntakeApp, expected_of
from tests.support.samples import certificate, sample, secrets
from tests.support.vendor_server import Answer

WEBHOOK = sample("facebook-leadgen")
LEADGEN_ID, REPLY = next(iter((WEBHOOK.graph or {}).items()))
EXPIRED = {"error": {"message": "Error validating access token", "code": 190}}
JSON = {"Content-Type": "application/json"}


def webhook(*ids: Any) -> bytes:
    changes = [{"field": "leadgen", "value": {"leadgen_id": each, "created_time": 1784567890}} for each in ids]
    return json.dumps({"object": "page", "entry": [{"id": "1", "changes": changes}]}).encode()


def signed(body: bytes) -> dict[str, str]:
    digest = hmac.new(secrets()["facebook"]["app_secret"].encode(), body, hashlib.sha256).hexdigest()
    return JSON | {"X-Hub-Signature-256": f"sha256={digest}"}


def reply(leadgen_id: str, email: str) -> dict[str, Any]:
    return {"id": leadgen_id, "field_data": [{"name": "email", "values": [email]}]}


@pytest.fixture
async def key(intake: IntakeApp) -> str:
    return await intake.guarded_key("facebook", access_token="page-token")


# -- Facebook's leads


async def test_an_error_of_the_graph_api_leaves_it_pending_until_it_is_read(intake: IntakeApp, key: str) -> None:
    intake.vendor.tell(f"/{LEADGEN_ID}", EXPIRED, 400)
    await intake.post(key, WEBHOOK.body, WEBHOOK.headers)
    with pytest.raises(RetryLater) as again:
        await intake.reread(attempt=3)
    assert again.value.delay.total_seconds() == 120
    row = await intake.arrival()
    assert (row["status"], row["reason"]) == ("pending", "graph_error: Error validating access token")

    intake.vendor.tell(f"/{LEADGEN_ID}", REPLY)
    await intake.reread(attempt=4)
    assert await intake.stored() == expected_of(WEBHOOK)
    assert await intake.count("arrivals") == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, b"oops"),
        Answer(200, b"{"),
        Answer(200, b"[]"),
        Answer(200, b'{"id": "1"}'),
        Answer(200, b"x" * 2_000_000),
        Answer(302, b"", {"Location": "http://127.0.0.1/elsewhere"}),
        Answer(200, b'{"error": {"message": "a\\u0000b\\ud800"}}'),
    ],
    ids=["a fault", "no JSON", "a list", "no fields", "too much", "another address", "strange words"],
)
async def test_whatever_the_graph_api_answers_nothing_is_lost(intake: IntakeApp, key: str, answer: Answer) -> None:
    intake.vendor.answers[f"/{LEADGEN_ID}"] = answer
    await intake.post(key, WEBHOOK.body, WEBHOOK.headers)
    with pytest.raises(RetryLater):
        await intake.reread()
    assert (await intake.arrival())["status"] == "pending"
    assert intake.vendor.targets == [f"/{LEADGEN_ID}"], "no redirect is followed"


async def test_after_days_of_attempts_it_stays_pending_for_a_person_to_replay(intake: IntakeApp, key: str) -> None:
    await intake.post(key, WEBHOOK.body, WEBHOOK.headers)
    await intake.reread(attempt=MAX_ATTEMPTS)
    [arrival_id] = (await ask(intake.town, "alice", "GET", "/arrivals?status=pending")).ids
    intake.vendor.tell(f"/{LEADGEN_ID}", REPLY)
    replayed = await ask(intake.town, "alice", "POST", f"/arrivals/{arrival_id}/replay")
    assert (replayed.status, replayed.json["source_id"]) == (201, 1)


async def test_without_a_token_no_vendor_is_asked_and_it_waits_for_one(intake: IntakeApp) -> None:
    guarded_by_address = await intake.key("facebook")
    assert (await intake.post(guarded_by_address, webhook("7"), JSON)).json() == {"success": True}
    with pytest.raises(RetryLater, match="access_token"):
        await intake.reread()
    assert intake.vendor.asked == []


async def test_of_two_leads_the_one_that_is_there_is_offered_at_once(intake: IntakeApp, key: str) -> None:
    body = webhook("1", "2")
    headers = signed(body)
    intake.vendor.tell("/1", reply("1", "mia@example.com"))
    intake.vendor.tell("/2", EXPIRED, 400)
    await intake.post(key, body, headers)
    with pytest.raises(RetryLater):
        await intake.reread()
    assert (await intake.count("leads"), (await intake.arrival())["status"]) == (1, "pending")
    intake.vendor.tell("/2", reply("2", "noa@example.com"))
    await intake.reread()
    assert (await intake.count("leads"), (await intake.arrival())["status"]) == (2, "accepted")
    touches = "SELECT count(*) FROM lead_events WHERE kind = 'touched'"
    assert await intake.database.fetchval(touches) == 0, "reading it again is not an inquiry"


@pytest.mark.parametrize("leadgen_id", ["../me/accounts", "1?fields=x", "me", "1" * 33, "١", "1/2", "http://x"])
async def test_an_id_that_is_not_a_number_is_never_asked_for(intake: IntakeApp, key: str, leadgen_id: str) -> None:
    body = webhook(leadgen_id)
    assert (await intake.post(key, body, signed(body))).status_code == 200
    with pytest.raises(RetryLater):
        await intake.reread()
    assert intake.vendor.asked == []


async def test_the_worker_reads_what_is_pending(intake: IntakeApp, key: str) -> None:
    intake.vendor.tell(f"/{LEADGEN_ID}", REPLY)
    await intake.post(key, WEBHOOK.body, WEBHOOK.headers)
    tasks = {REREAD_JOB: intake.arrivals.reread}
    worker = Worker(intake.database, intake.engine, intake.settings, tasks)
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(20):
        while (await intake.arrival())["status"] == "pending":  # noqa: ASYNC110 -- another task changes it
            await asyncio.sleep(0.02)
    worker.stop()
    await running
    assert await intake.stored() == expected_of(WEBHOOK)


# -- Zillow's certificates and subscriptions


def certificate_path(name: str) -> str:
    address: str = json.loads(sample(name).body)["SigningCertURL"]
    return "/" + address.removeprefix("https://").partition("/")[2]


async def test_a_certificate_is_fetched_once(intake: IntakeApp) -> None:
    key = await intake.guarded_key("zillow-techconnect")
    first, second = sample("zillow-techconnect"), sample("zillow-techconnect-relay")
    for each in (first, second):
        intake.vendor.answers[certificate_path(each.name)] = Answer(200, certificate(""))
    assert (await intake.post(key, first.body, first.headers)).status_code == 201
    assert (await intake.post(key, second.body, second.headers)).status_code == 201
    assert len(intake.vendor.targets) == len({certificate_path(first.name), certificate_path(second.name)})
    assert intake.vendor.asked[0][0].startswith("sns.us-west-2.amazonaws.com")


async def test_without_its_certificate_a_lead_is_pending_not_lost(intake: IntakeApp) -> None:
    key = await intake.guarded_key("zillow-techconnect")
    each = sample("zillow-techconnect")
    intake.vendor.answers[certificate_path(each.name)] = Answer(503)
    answer = await intake.post(key, each.body, each.headers)
    assert (answer.status_code, answer.json()["reason"]) == (202, "no_certificate")
    intake.vendor.answers[certificate_path(each.name)] = Answer(200, certificate(""))
    await intake.reread()
    assert await intake.stored() == expected_of(each)


async def test_who_does_not_know_the_password_makes_us_fetch_nothing(intake: IntakeApp) -> None:
    key = await intake.guarded_key("zillow-techconnect")
    for name in ("zillow-techconnect", "zillow-sns-subscription"):
        each = sample(name)
        bare = {header: value for header, value in each.headers.items() if header != "Authorization"}
        assert (await intake.post(key, each.body, bare)).status_code == 401
    await intake.reread()
    assert intake.vendor.asked == []


ELSEWHERE = [
    "http://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription",
    "https://sns.us-west-2.amazonaws.com.example.net/",
    "https://sns.us-west-2.amazonaws.com:8443/",
    "https://user@sns.us-west-2.amazonaws.com/",
    "https://sns.us-west-2.amazonaws.com@127.0.0.1/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://s3.amazonaws.com/",
    "https://sns.us-west-2.evil.amazonaws.com/",
    "https://sns.us-west-2.amazonaws.com\\@127.0.0.1/",
    "file:///etc/passwd",
    "",
]


@pytest.mark.parametrize("address", ELSEWHERE)
async def test_no_other_address_that_a_body_names_is_ever_asked(intake: IntakeApp, address: str) -> None:
    key = await intake.key("zillow-techconnect")
    body = json.loads(sample("zillow-sns-subscription").body) | {"SubscribeURL": address}
    answer = await intake.post(key, json.dumps(body).encode(), JSON)
    assert (answer.status_code, answer.json()["message"].split(":")[0]) == (400, "bad_url")
    await intake.reread()
    with pytest.raises(Refused):
        await intake.arrivals._reader._vendors.confirm(address)
    with pytest.raises(Refused):
        await intake.arrivals._reader._vendors.fetch_certificate(address)
    assert intake.vendor.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(302, b"", {"Location": "http://169.254.169.254/"}),
        Answer(200, b"-----BEGIN CERTIFICATE-----" + b"x" * MAX_CERTIFICATE_BYTES),
        Answer(200, b"no certificate"),
        Answer(404),
    ],
    ids=["moved", "too large", "another thing", "not there"],
)
async def test_only_a_certificate_is_one(intake: IntakeApp, answer: Answer) -> None:
    each = sample("zillow-techconnect")
    intake.vendor.answers[certificate_path(each.name)] = answer
    key = await intake.guarded_key("zillow-techconnect")
    assert (await intake.post(key, each.body, each.headers)).status_code == 202
    assert intake.vendor.targets == [certificate_path(each.name)]


async def test_a_subscription_that_cannot_be_confirmed_now_is_confirmed_later(intake: IntakeApp) -> None:
    each = sample("zillow-sns-subscription")
    await intake.post(await intake.key("zillow-techconnect"), each.body, each.headers)
    intake.vendor.answers["/"] = [Answer(500), Answer(200)]
    with pytest.raises(RetryLater):
        await intake.reread()
    assert (await intake.arrival())["status"] == "pending"
    await intake.reread()
    assert (await intake.arrival())["status"] == "accepted"
