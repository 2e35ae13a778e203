"""A secret is asked for before anything else; without one the address is the secret. Nothing refused is lost."""

import base64
import json

import pytest

from leadroutes.errors import NotFound
from leadroutes.intake.formats import BY_NAME, FORMATS
from leadroutes.security.vault import Vault
from leadroutes.store import accounts
from tests.support.api import ask
from tests.support.intake_app import IntakeApp
from tests.support.samples import Sample, basic, sample, samples, secrets

GUARDED = [each for each in samples() if BY_NAME[each.format].secrets and each.format != "zillow-techconnect"]
JSON = {"Content-Type": "application/json"}
PERSON = b'{"first_name": "Mia", "email": "mia@example.com"}'


@pytest.mark.parametrize("each", GUARDED, ids=lambda each: each.name)
async def test_a_wrong_secret_is_401_and_the_body_is_stored(intake: IntakeApp, each: Sample) -> None:
    chosen = BY_NAME[each.format]
    key = await intake.key(each.format, given=dict.fromkeys(chosen.needs, "another"))
    answer = await intake.post(key, each.body, each.headers)

    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers
    row = await intake.arrival()
    assert (row["status"], bytes(row["body"])) == ("rejected", each.body)
    assert row["reason"].startswith(("bad_secret", "bad_signature"))
    assert await intake.count("leads") == 0


async def test_what_is_not_a_body_at_all_is_first_asked_for_its_secret(intake: IntakeApp) -> None:
    answer = await intake.post(await intake.guarded_key("zapier"), b"{ nothing", JSON)

    assert answer.status_code == 401


async def test_the_same_bytes_with_the_right_secret_take_the_refused_ones_place(intake: IntakeApp) -> None:
    """As SNS does, which sends its password only once it has been asked for it."""
    each = sample("liondesk-v1-submission")
    key = await intake.guarded_key("liondesk-v1")
    bare = {name: value for name, value in each.headers.items() if name != "Authorization"}
    refused = await intake.post(key, each.body, bare)
    again = await intake.post(key, each.body, bare)
    accepted = await intake.post(key, each.body, each.headers)

    assert (refused.status_code, again.status_code, accepted.status_code) == (401, 401, 200)
    assert refused.headers["www-authenticate"].startswith("Basic")
    assert accepted.json()["error"] == 0
    assert (await intake.count("arrivals"), await intake.count("leads")) == (1, 1)
    assert (await intake.arrival())["status"] == "accepted"
    assert (await intake.engine.ledger(intake.owner_id))["rejected"] == 0


async def test_whoever_may_choose_the_format_cannot_get_around_the_secret(intake: IntakeApp) -> None:
    body = {"lead_source_id": 1, "secrets": {"x_intake_key": "s"}}
    reply = await ask(intake.town, "alice", "POST", "/intake-keys", json=body)
    assert (reply.status, list(reply.json["errors"])) == (400, ["secrets"])
    key = await intake.guarded_key("zapier")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await intake.post(key, b"email=mia%40example.com", form)).status_code == 401
    assert (await intake.client.post("/v1/events", content=b"{}", auth=(key, ""))).status_code == 401


@pytest.mark.parametrize(
    ("format_", "given", "word"),
    [
        ("website", {"x": "y"}, "has no secrets"),
        ("google", {"key": "y"}, "expected, for google, google_key"),
        ("liondesk-v1", {"api_key": "y"}, "user_key is missing"),
        ("google", {"google_key": ""}, "expected an object"),
        ("google", {}, "expected an object"),
        ("google", ["google_key"], "expected an object"),
    ],
)
async def test_secrets_that_are_not_the_formats_are_named(
    intake: IntakeApp, format_: str, given: object, word: str
) -> None:
    body = {"lead_source_id": 1, "format": format_, "secrets": given}
    reply = await ask(intake.town, "alice", "POST", "/intake-keys", json=body)

    assert reply.status == 400
    assert word in reply.json["errors"]["secrets"]


@pytest.mark.parametrize("format_", [each.name for each in FORMATS if each.secrets])
async def test_a_key_made_through_the_api_asks_for_its_secrets_and_never_shows_them(
    intake: IntakeApp, format_: str
) -> None:
    chosen = BY_NAME[format_]
    section = secrets()[chosen.secrets or ""]
    given = {name: section[name] for name in chosen.needs}
    body = {"lead_source_id": 1, "format": format_, "secrets": given}
    made = await ask(intake.town, "alice", "POST", "/intake-keys", json=body)
    shown = await ask(intake.town, "alice", "GET", f"/intake-keys/{made.json['id']}")
    row = await intake.database.fetchrow("SELECT * FROM intake_keys")

    assert made.status == 201
    assert made.json["mail_address"] == f"{made.json['key']}@leads.example.com"
    for value in given.values():
        assert value not in made.body.decode() + shown.body.decode() + str(dict(row or {}))
    opened = await intake.arrivals.open(made.json["key"])
    assert intake.arrivals.secrets_of(opened) == given


async def test_secrets_sealed_under_another_installations_secret_let_no_one_in(intake: IntakeApp) -> None:
    sealed = Vault("another installation's").seal({"x_intake_key": "zapier-test-only-2208"})
    async with intake.database.transaction() as transaction:
        key = await accounts.issue_intake_key(transaction, intake.owner_id, "Other", None, "zapier", sealed)
    each = sample("zapier-flat")

    assert (await intake.post(key, each.body, each.headers)).status_code == 401


async def test_no_secret_of_a_sender_is_stored_in_the_clear(intake: IntakeApp) -> None:
    for name in ("realtor-push", "zillow-rentals", "liondesk-v1-submission"):
        each = sample(name)
        await intake.post(await intake.guarded_key(each.format), each.body, each.headers)
        row = str(dict(await intake.arrival()))
        for value in secrets()[BY_NAME[each.format].secrets or ""].values():
            assert value not in row
            assert base64.b64encode(value.encode()).decode().rstrip("=") not in row


# -- read again


async def test_what_was_refused_is_accepted_once_the_secret_is_mended(intake: IntakeApp) -> None:
    each = sample("realtor-push")
    key = await intake.key("realtor-push", given={"x_api_key": "mistyped"})
    await intake.post(key, each.body, each.headers)
    arrival_id = (await intake.arrival())["id"]
    still = await ask(intake.town, "alice", "POST", f"/arrivals/{arrival_id}/replay")
    assert still.status == 401, "a replay does not let in whom the door refused"

    sealed = Vault.of(intake.settings).seal({"x_api_key": secrets()["realtor"]["x_api_key"]})
    await accounts.set_intake_secrets(intake.database, key, sealed)
    mended = await ask(intake.town, "alice", "POST", f"/arrivals/{arrival_id}/replay")
    assert (mended.status, mended.json["source_id"]) == (201, 1)
    assert (await intake.arrival())["status"] == "accepted"
    assert (await ask(intake.town, "alice", "POST", f"/arrivals/{arrival_id}/replay")).status == 409


async def test_a_key_whose_secrets_are_removed_is_guarded_by_its_address(intake: IntakeApp) -> None:
    key = await intake.guarded_key("zapier")
    assert (await intake.post(key, PERSON, JSON)).status_code == 401
    await accounts.set_intake_secrets(intake.database, key, None)
    assert (await intake.post(key, PERSON, JSON)).status_code == 201
    with pytest.raises(NotFound):
        await accounts.set_intake_secrets(intake.database, "999999", None)


# -- other ways in


async def test_follow_up_boss_senders_give_the_key_as_user_name(intake: IntakeApp) -> None:
    each = sample("followupboss-event")
    key = await intake.key("followupboss")
    headers = {"Content-Type": "application/json"}
    for auth in ((key, "password"), ("another", ""), (key.upper(), "")):
        refused = await intake.client.post("/v1/events", content=each.body, headers=headers, auth=auth)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic")
    assert (await intake.client.post("/v1/events", content=each.body, headers=headers)).status_code == 401
    assert await intake.count("arrivals") == 0
    accepted = await intake.client.post(
        "/v1/events", content=each.body, headers=headers | {"Authorization": basic(key)}
    )
    assert accepted.status_code == 201
    again = await intake.client.post("/v1/events", content=each.body, headers=headers, auth=(key, ""))
    assert (again.status_code, again.json()["id"]) == (200, accepted.json()["id"])
    assert key not in str(dict(await intake.arrival()))
    activity = json.dumps({"type": "Viewed Property", "person": {"emails": [{"value": "mia@example.com"}]}}).encode()
    reply = await intake.client.post("/v1/events", content=activity, headers=headers, auth=(key, ""))
    assert (reply.status_code, reply.json()["reason"].split(":")[0]) == (200, "not_a_lead")


async def test_facebook_makes_sure_of_the_address(intake: IntakeApp) -> None:
    key = await intake.guarded_key("facebook", verify_token="facebook-verify-test-only")
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "facebook-verify-test-only"}
    answer = await intake.client.get(f"/intake/{key}", params=asked)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    for changes in ({"hub.verify_token": "wrong"}, {"hub.verify_token": ""}, {"hub.mode": "unsubscribe"}):
        assert (await intake.client.get(f"/intake/{key}", params=asked | changes)).status_code == 403
    assert (await intake.client.get("/intake/another", params=asked)).status_code == 404
    other = await intake.client.get(f"/intake/{await intake.key()}", params=asked)
    assert (other.status_code, other.headers["allow"]) == (405, "POST, OPTIONS")


async def test_the_old_partner_api_answers_in_its_own_words(intake: IntakeApp) -> None:
    key = await intake.guarded_key("liondesk-v1")
    headers = sample("liondesk-v1-submission").headers
    echo = await intake.post(key, b'{"action": "Echo", "msg": "hello"}', headers)
    assert echo.json() == {"error": 0, "errorText": "", "action": "Echo", "msg": "hello"}
    anonymous = await intake.post(key, b'{"action": "NewSubmission", "firstname": "Mia"}', headers)
    assert (anonymous.status_code, anonymous.json()["error"]) == (200, 1)
    assert anonymous.json()["errorText"]
