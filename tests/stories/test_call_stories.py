"""Calls to agents: who presses 1 has the lead, whoever is late hears who has it, and at night no phone rings."""

import asyncio
import re

import httpx
import pytest

from tests.support.call_story import MIA, PHONES, CallStory
from tests.support.provider import NUMBER, number_record, sign
from tests.support.provider_calls import Person

QUESTION = "A new lead from Zillow: Mia, in Denver, a buyer. Press 1 to claim, 2 to pass, 3 to hear it again."
DETAILS = "It is yours. Mia Lund, at 303-555-0199, in Denver."
AGAIN = f"{DETAILS} Press 3 to hear it again."


async def lead_of(story: CallStory, lead_id: int) -> dict[str, object]:
    lead: dict[str, object] = await story.story.get("alice", f"/leads/{lead_id}")
    return lead


async def test_whoever_presses_1_has_the_lead_and_hears_how_to_reach_the_person(call_story: CallStory) -> None:
    await call_story.option("bob")
    await call_story.story.route()
    call_story.at("bob", Person(keys=("1", "3")))
    lead = await call_story.inquire()
    call = await call_story.phones.call_to(PHONES["bob"])
    assert call.form["From"] == NUMBER
    assert call.said == [QUESTION, AGAIN, AGAIN]
    assert call.dialled == []
    claimed = await lead_of(call_story, lead["id"])
    assert (claimed["claimed_by_user_id"], claimed["claimed_via"]) == (call_story.story.town.users["bob"], "Phone")
    message = await call_story.message(provider_state="completed")
    assert (message["state"], message["provider_id"], message["text_body"]) == ("sent", call.record["sid"], QUESTION)
    assert message["delivered_at"] is not None
    audit = await call_story.story.get("alice", "/audit")
    [act] = [each for each in audit["data"] if each["resource"] == "/leads/:id/claim"]
    assert (act["user_id"], act["record_id"]) == (call_story.story.town.users["bob"], lead["id"])


async def test_the_secret_of_a_call_is_stored_as_a_hash(call_story: CallStory) -> None:
    await call_story.option("bob")
    await call_story.story.route()
    call_story.at("bob", Person())
    await call_story.inquire()
    call = await call_story.phones.call_to(PHONES["bob"])
    found = re.search(r"/twilio/calls/([\w-]+)", call.form["Url"])
    assert found is not None
    for table in ("calls", "messages", "provider_requests", "message_callbacks"):
        rows = await call_story.story.database.fetch(f"SELECT t::text AS row FROM {table} t")
        assert all(found[1] not in row["row"] for row in rows), table


async def test_2_passes_and_the_next_member_is_called(call_story: CallStory) -> None:
    await call_story.option("bob", rank=1)
    await call_story.option("carol", rank=2)
    await call_story.story.route()
    call_story.at("bob", Person(keys=("2",)))
    call_story.at("carol", Person(keys=("1",)))
    lead = await call_story.inquire()
    passed = await call_story.phones.call_to(PHONES["bob"])
    assert passed.said == [QUESTION, "You have passed. Goodbye."]
    await call_story.phones.call_to(PHONES["carol"])
    assert await call_story.story.states(lead["id"]) == {"bob": "declined", "carol": "won"}


async def test_3_repeats_and_other_keys_mean_nothing(call_story: CallStory) -> None:
    await call_story.option("bob")
    await call_story.story.route()
    call_story.at("bob", Person(keys=("3", "7", "3", "1")))
    await call_story.inquire()
    call = await call_story.phones.call_to(PHONES["bob"])
    assert call.said == [QUESTION, QUESTION, f"That key has no meaning here. {QUESTION}", QUESTION, AGAIN]


async def test_a_machine_hears_the_preview_twice_and_nothing_happens(call_story: CallStory) -> None:
    await call_story.option("bob")
    await call_story.story.route()
    call_story.at("bob", Person())
    lead = await call_story.inquire(message="I can be reached at 303-555-0142")
    call = await call_story.phones.call_to(PHONES["bob"])
    assert call.said == [QUESTION, QUESTION]
    assert await call_story.story.states(lead["id"]) == {"bob": "notified"}
    await call_story.message(state="sent", provider_state="completed")


async def test_all_who_are_notified_together_ring_and_calls_that_still_ring_are_ended(call_story: CallStory) -> None:
    await call_story.story.change_team(mins_until_next_alert=0)
    await call_story.option("bob")
    await call_story.option("carol")
    await call_story.option("alice")
    await call_story.story.route()
    waits = asyncio.Event()
    call_story.at("bob", Person(keys=("1",), waits_for=waits))
    call_story.at("carol", Person(line="rings"))
    call_story.at("alice", Person(keys=("1",), waits_for=waits))
    lead = await call_story.inquire()
    for name in ("alice", "bob", "carol"):
        await call_story.phones.call_to(PHONES[name], is_done=False)
    waits.set()
    calls = {name: await call_story.phones.call_to(PHONES[name]) for name in ("alice", "bob", "carol")}
    assert calls["carol"].status == "canceled"
    assert calls["carol"].said == []
    [winner] = [name for name in ("alice", "bob") if calls[name].said[-1] == AGAIN]
    [other] = {"alice", "bob"} - {winner}
    assert calls[other].said == [QUESTION, f"{winner.title()} Town has claimed it. Goodbye."]
    states = {"alice": "lost", "bob": "lost", "carol": "lost"} | {winner: "won"}
    assert await call_story.story.states(lead["id"]) == states
    message = await call_story.message(
        f"channel = 'call' AND user_id = {call_story.story.town.users['carol']}", provider_state="canceled"
    )
    assert message["state"] == "sent"
    assert await call_story.messages("channel = 'call' AND leaves_at IS NOT NULL") == []


async def test_fifty_press_1_at_once_and_one_has_it(call_story: CallStory) -> None:
    agents = {f"agent{number}": f"+1303555{1000 + number}" for number in range(50)}
    for agent, phone in agents.items():
        await call_story.story.town.add_user(agent, phone=phone)
    await call_story.story.change_team(mins_until_next_alert=0)
    await call_story.story.join(*agents)
    together = asyncio.Barrier(50)
    for agent, phone in agents.items():
        await call_story.option(agent)
        call_story.phones.at(phone, Person(keys=("1",), waits_for=together))
    await call_story.option("bob")
    call_story.at("bob", Person(line="rings"))
    await call_story.story.route()
    lead = await call_story.inquire()
    calls = [await call_story.phones.call_to(phone) for phone in agents.values()]
    [winner] = [call for call in calls if call.said[-1] == AGAIN]
    names = {f"{agent.title()} Town has claimed it. Goodbye." for agent, phone in agents.items() if phone == winner.to}
    assert {call.said[-1] for call in calls if call is not winner} == names
    assert (await call_story.phones.call_to(PHONES["bob"])).status == "canceled"
    states = list((await call_story.story.states(lead["id"])).values())
    assert (states.count("won"), states.count("lost")) == (1, 50)


async def test_a_claim_on_the_page_ends_the_calls_that_ring(call_story: CallStory) -> None:
    await call_story.story.change_team(mins_until_next_alert=0)
    await call_story.option("bob")
    await call_story.option("carol", has_email_alert=True)
    await call_story.story.route()
    call_story.at("bob", Person(line="rings"))
    call_story.at("carol", Person(line="rings"))
    lead = await call_story.inquire()
    for name in ("bob", "carol"):
        await call_story.phones.call_to(PHONES[name], is_done=False)
    assert (await call_story.story.claim("carol", lead["id"])).status_code == 200
    for name in ("bob", "carol"):
        assert (await call_story.phones.call_to(PHONES[name])).status == "canceled"


async def test_whoever_picks_up_after_the_claim_hears_who_has_it(call_story: CallStory) -> None:
    await call_story.story.change_team(mins_until_next_alert=0)
    await call_story.option("bob")
    await call_story.story.route()
    waits = asyncio.Event()
    call_story.at("bob", Person(keys=("3", "1"), waits_for=waits))
    lead = await call_story.inquire()
    await call_story.phones.call_to(PHONES["bob"], is_done=False)
    answer = await call_story.story["alice"].post(
        f"/leads/{lead['id']}/assignment", json={"user_id": call_story.story.town.users["carol"]}
    )
    assert answer.status_code == 200
    waits.set()
    call = await call_story.phones.call_to(PHONES["bob"])
    assert call.said == [QUESTION, "Carol Town has claimed it. Goodbye."]


async def test_a_lead_that_is_given_to_a_member_is_said_by_a_call(call_story: CallStory) -> None:
    await call_story.option("bob", assign_automatically=True)
    await call_story.story.route()
    call_story.at("bob", Person(keys=("2", "1")))
    await call_story.inquire()
    call = await call_story.phones.call_to(PHONES["bob"])
    given = "You have a new lead from Zillow: Mia, in Denver, a buyer. Press 1 to hear the details, 3 to hear it again."
    assert call.said == [given, f"That key has no meaning here. {given}", AGAIN]


# -------------------------------------------------------------------------------------------------- no one picks up


@pytest.mark.parametrize("line", ["busy", "no-answer", "failed"])
async def test_a_phone_that_no_one_answers_is_rung_once_more_after_a_minute(call_story: CallStory, line: str) -> None:
    await call_story.option("bob")
    await call_story.story.route()
    call_story.at("bob", Person(line=line), Person(keys=("1",)))  # type: ignore[arg-type]
    lead = await call_story.inquire()
    await call_story.phones.call_to(PHONES["bob"])
    waiting = await call_story.message(state="queued", provider_state=line)
    assert waiting["reason"].endswith("; called again after a minute")
    assert (waiting["leaves_at"] - waiting["created_at"]).total_seconds() == pytest.approx(60, abs=20)
    await call_story.story.pass_time(seconds=61)
    second = await call_story.phones.call_to(PHONES["bob"], 2)
    assert second.said == [QUESTION, AGAIN]
    assert (await lead_of(call_story, lead["id"]))["claimed_via"] == "Phone"
    message = await call_story.message(state="sent", provider_state="completed", provider_id=second.record["sid"])
    assert message["reason"] is None


async def test_after_the_second_time_the_message_has_failed(call_story: CallStory) -> None:
    await call_story.option("bob", has_email_alert=True)
    await call_story.story.route()
    call_story.at("bob", Person(line="busy"))
    await call_story.inquire()
    await call_story.phones.call_to(PHONES["bob"])
    await call_story.message(state="queued", provider_state="busy")
    await call_story.story.pass_time(seconds=61)
    await call_story.phones.call_to(PHONES["bob"], 2)
    message = await call_story.message(state="failed")
    assert message["reason"] == "the phone was busy, twice"
    await call_story.story.pass_time(minutes=4)
    assert len(call_story.phones.made_to(PHONES["bob"])) == 2


async def test_no_one_is_called_again_about_a_lead_that_someone_has(call_story: CallStory) -> None:
    await call_story.story.change_team(mins_until_next_alert=0)
    await call_story.option("bob")
    await call_story.option("carol", has_call_alert=False, has_email_alert=True)
    await call_story.story.route()
    call_story.at("bob", Person(line="busy"))
    lead = await call_story.inquire()
    await call_story.phones.call_to(PHONES["bob"])
    await call_story.message(state="queued", provider_state="busy")
    assert (await call_story.story.claim("carol", lead["id"])).status_code == 200
    await call_story.story.pass_time(seconds=61)
    message = await call_story.message(state="suppressed")
    assert message["reason"] == "Carol Town had claimed the lead"
    assert len(call_story.phones.calls) == 1


# ---------------------------------------------------------------------------------------- keys that are not from there


async def test_a_forged_key_does_nothing(call_story: CallStory) -> None:
    await call_story.option("bob")
    await call_story.story.route()
    call_story.at("bob", Person(line="rings"))
    lead = await call_story.inquire()
    call = await call_story.phones.call_to(PHONES["bob"], is_done=False)
    address = f"{call.form['Url'].partition('#')[0]}?step=1&after=question"
    form = {"CallSid": call.record["sid"], "To": call.to, "Digits": "1"}
    for signature in ("", "bm8=", sign(address, form, "another token"), sign(address, form | {"Digits": "2"})):
        answer = await call_story.provider.post(address, form, signature=signature)
        assert answer.status_code == 403
    assert await call_story.story.states(lead["id"]) == {"bob": "notified"}
    assert await call_story.story.database.fetchval("SELECT count(*) FROM provider_requests") == 0


@pytest.mark.parametrize("lie", ["number", "call"])
async def test_a_key_from_elsewhere_is_refused(call_story: CallStory, lie: str) -> None:
    """The provider has signed it, but it is not the call that was made to the agent."""
    await call_story.option("bob")
    await call_story.story.route()
    call_story.at("bob", Person(line="rings"))
    lead = await call_story.inquire()
    call = await call_story.phones.call_to(PHONES["bob"], is_done=False)
    await call_story.message(state="sent")
    address = f"{call.form['Url'].partition('#')[0]}?step=1&after=question"
    form = {"CallSid": call.record["sid"], "To": call.to, "Digits": "1"}
    form |= {"To": PHONES["carol"]} if lie == "number" else {"CallSid": "CA0"}
    answer = await call_story.provider.post(address, form)
    assert answer.status_code == 200
    assert "This lead was not offered to this number. Goodbye." in answer.text
    assert await call_story.story.states(lead["id"]) == {"bob": "notified"}


async def test_an_address_that_leads_nowhere_is_answered_with_a_sentence_or_an_error(call_story: CallStory) -> None:
    base = "http://127.0.0.1:8080/twilio/calls/"
    form = {"CallSid": "CA1", "To": PHONES["bob"]}
    answer: httpx.Response = await call_story.provider.post(f"{base}unknown", form)
    assert (answer.status_code, "not offered" in answer.text) == (200, True)
    for address in (f"{base}unknown?step=x", f"{base}unknown?step=1&after=claim", f"{base}unknown?after=question"):
        assert (await call_story.provider.post(address, form)).status_code == 400
    assert (await call_story.provider.post(f"{base}unknown", {"To": PHONES["bob"]})).status_code == 400


async def test_a_step_that_is_delivered_twice_is_answered_the_same_and_done_once(call_story: CallStory) -> None:
    await call_story.option("bob")
    await call_story.story.route()
    call_story.at("bob", Person(keys=("3", "1", "3"), has_doubles=True))
    lead = await call_story.inquire()
    call = await call_story.phones.call_to(PHONES["bob"])
    assert call.said == [QUESTION, QUESTION, AGAIN, AGAIN]
    history = await call_story.story.get("alice", f"/leads/{lead['id']}/history")
    events = history["data"] if isinstance(history, dict) else history
    assert [event["kind"] for event in events].count("claimed") == 1


async def test_a_key_that_is_replayed_after_the_lead_was_given_back_claims_nothing(call_story: CallStory) -> None:
    await call_story.option("bob")
    await call_story.option("carol", rank=1)
    await call_story.story.route()
    call_story.at("bob", Person(keys=("1",)), Person(line="rings"))
    call_story.at("carol", Person())
    lead = await call_story.inquire()
    call = await call_story.phones.call_to(PHONES["bob"])
    address = next(each for each in call.addresses if each.endswith(" 1")).removesuffix(" 1")
    assert (await call_story.story["bob"].post(f"/leads/{lead['id']}/give-back", json={})).status_code == 200
    before = await call_story.story.states(lead["id"])
    form = {
        "AccountSid": call_story.provider.settings["twilio_account"], "ApiVersion": "2010-04-01",
        "CallSid": call.record["sid"], "Direction": "outbound-api", "From": NUMBER, "To": call.to, "Called": call.to,
        "CallStatus": "in-progress", "Digits": "1",
    }  # fmt: skip
    answer = await call_story.provider.post(address, form)
    assert answer.status_code == 200
    assert await call_story.story.states(lead["id"]) == before
    assert (await lead_of(call_story, lead["id"]))["claimed_by_user_id"] is None


# ------------------------------------------------------------------------------------------------------------- at night


@pytest.mark.parametrize("hour", [22, 3, 6])
async def test_at_night_an_agent_is_not_called_but_written_to(call_story: CallStory, hour: int) -> None:
    await call_story.set_hour(hour)
    await call_story.option("bob")
    await call_story.story.route()
    call_story.at("bob", Person(keys=("1",)))
    await call_story.inquire()
    message = await call_story.message(state="suppressed")
    assert message["reason"] == "no calls between 22:00 and 07:00 (America/Denver)"
    instead = await call_story.message("kind = 'offer' AND channel <> 'call'", state="sent")
    assert (instead["kind"], instead["user_id"]) == ("offer", call_story.story.town.users["bob"])
    assert call_story.phones.calls == []


async def test_at_night_whoever_is_written_to_anyway_gets_no_second_alert(call_story: CallStory) -> None:
    await call_story.set_hour(23)
    await call_story.option("bob", has_email_alert=True, has_text_alert=True)
    await call_story.story.route()
    await call_story.inquire()
    await call_story.message(state="suppressed")
    assert sorted(each["channel"] for each in await call_story.messages("kind = 'offer'")) == ["call", "email", "text"]


async def test_an_option_may_allow_calls_at_night(call_story: CallStory) -> None:
    await call_story.set_hour(3)
    await call_story.option("bob", has_night_calls=True)
    await call_story.story.route()
    call_story.at("bob", Person(keys=("1",)))
    await call_story.inquire()
    assert (await call_story.phones.call_to(PHONES["bob"])).said == [QUESTION, AGAIN]


async def test_the_night_is_that_of_the_zone_which_the_agent_has_set(call_story: CallStory) -> None:
    await call_story.set_hour(21)
    changed = await call_story.story["bob"].patch("/me", json={"timezone": "America/New_York"})  # where it is 23:30
    assert changed.status_code == 200
    await call_story.option("bob")
    await call_story.story.route()
    await call_story.inquire()
    message = await call_story.message(state="suppressed")
    assert message["reason"] == "no calls between 22:00 and 07:00 (America/New_York)"


# ----------------------------------------------------------------------------------------------------------- connecting


async def test_the_winner_is_connected_and_hears_the_details_afterwards(call_story: CallStory) -> None:
    await call_story.story.change_team(connect_on_claim=True)
    await call_story.option("bob")
    await call_story.story.route()
    call_story.at("bob", Person(keys=("1",)))
    call_story.phones.at(MIA, Person(line="no-answer"))
    await call_story.inquire()
    call = await call_story.phones.call_to(PHONES["bob"])
    assert call.said == [QUESTION, f"{DETAILS} You are being connected.", AGAIN]
    [dialled] = call.dialled
    assert (dialled["number"], dialled["callerId"], dialled["timeout"]) == (MIA, NUMBER, "20")


@pytest.mark.parametrize("hour", [7, 21])
async def test_outside_the_lawful_hours_no_one_is_connected(call_story: CallStory, hour: int) -> None:
    await call_story.set_hour(hour)
    await call_story.story.change_team(connect_on_claim=True)
    await call_story.option("bob")
    await call_story.story.route()
    call_story.at("bob", Person(keys=("1",)))
    await call_story.inquire()
    call = await call_story.phones.call_to(PHONES["bob"])
    assert call.said == [QUESTION, AGAIN]
    assert call.dialled == []


async def test_the_hours_count_in_every_zone_that_is_known_of_the_person(call_story: CallStory) -> None:
    """It is 19:30 in Denver, and 21:30 where the number belongs."""
    await call_story.set_hour(19)
    await call_story.story.change_team(connect_on_claim=True)
    await call_story.option("bob")
    await call_story.story.route()
    call_story.at("bob", Person(keys=("1",)))
    await call_story.inquire(phone="+12125550199")
    assert (await call_story.phones.call_to(PHONES["bob"])).dialled == []


@pytest.mark.parametrize(
    ("agents", "owners", "caller"),
    [
        ("+13035550111", None, "+13035550111"),
        ("(303) 555-0111", "+13035550122", "+13035550111"),
        (None, "+13035550122", "+13035550122"),
        ("+13035550999", "+13035550122", "+13035550122"),
        ("+13035550999", "+13035550998", NUMBER),
    ],
)
async def test_the_person_sees_a_number_of_the_account(
    call_story: CallStory, agents: str | None, owners: str | None, caller: str
) -> None:
    call_story.provider.numbers += [number_record("+13035550111"), number_record("+13035550122")]
    for name, phone in (("bob", agents), ("alice", owners)):
        await call_story.story.database.execute(
            "UPDATE users SET system_phone = $2 WHERE id = $1", call_story.story.town.users[name], phone
        )
    await call_story.story.change_team(connect_on_claim=True)
    await call_story.option("bob")
    await call_story.story.route()
    call_story.at("bob", Person(keys=("1",)))
    await call_story.inquire()
    [dialled] = (await call_story.phones.call_to(PHONES["bob"])).dialled
    assert dialled["callerId"] == caller


# ------------------------------------------------------------------------------------------------- what strangers typed


@pytest.mark.parametrize(
    "name",
    [
        "</Say><Dial>+19005550100</Dial><Say>",
        "\"'><Hangup/>",
        "😀 Zoë 🏡",
        "Mia & Luis",
        "&#60;Hangup/&#62;",
        "A" * 5_000,
        "Anna " * 1_000,
    ],
)
async def test_a_name_is_said_and_is_never_an_instruction(call_story: CallStory, name: str) -> None:
    """The phone carries out whatever it is asked to: a verb that came out of a name would be done, or fail."""
    await call_story.option("bob")
    await call_story.story.route()
    call_story.at("bob", Person(keys=("1", "3")))
    await call_story.inquire(first_name=name, last_name=name, city=name, type=name, message=name)
    call = await call_story.phones.call_to(PHONES["bob"])
    assert len(call.said) == 3
    assert call.dialled == []
    assert all(len(each) < 600 and "<" not in each for each in call.said)
    assert call.said[0].startswith("A new lead from Zillow: ")
    assert call.said[1].startswith("It is yours. ")
