"""Texts of agents that come in: claims and passes by number, help, and words of stopping."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from leadroutes.ingest.received_texts import ReceivedTexts
from leadroutes.operations.doctor import examine
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from leadroutes.store.received_texts import NewText, add_received_text
from tests.support.brokerage import Brokerage
from tests.support.campaigns import add_agents
from tests.support.phones import BOBS, CAROLS, MIAS, OURS, Phones


async def claims(database: Database) -> list[tuple[int, str, str]]:
    rows = await database.fetch("SELECT lead_id, username, via FROM claims JOIN users ON id = user_id ORDER BY 1")
    return [(row["lead_id"], row["username"], row["via"]) for row in rows]


# -------------------------------------------------------------------------------------------------- claims and passes


async def test_a_number_claims_its_lead_and_the_winner_reads_who_it_is(phones: Phones, database: Database) -> None:
    first = await phones.offered(("bob", BOBS))
    second = await phones.offered(("bob", BOBS), phone="303-555-0199", street_address="12 Grape St.")
    await phones.say(BOBS, "2")
    assert await claims(database) == [(second, "bob", "Text")]
    email = await database.fetchval("SELECT email FROM contacts ORDER BY id DESC LIMIT 1")
    assert await phones.answers(BOBS) == [f"Yours: Mia Lund, 303-555-0199, {email}, 12 Grape St."]
    assert await database.fetchval("SELECT sent_from FROM messages WHERE kind = 'answer'") == OURS
    assert (await phones.brokerage.states(first))["bob"] == "notified"
    act = await database.fetchrow("SELECT resource, record_id, user_id FROM audit_entries ORDER BY id DESC LIMIT 1")
    assert act is not None
    assert tuple(act) == ("/leads/:id/claim", second, phones.brokerage.town.users["bob"])
    assert (await examine(database)).violation is None


async def test_who_was_not_first_reads_who_was_and_when(phones: Phones, database: Database) -> None:
    await database.execute("UPDATE users SET first_name = 'Ben' WHERE username = 'bob'")
    await database.execute("UPDATE users SET timezone = 'America/New_York' WHERE username = 'carol'")
    lead_id = await phones.offered(("bob", BOBS), ("carol", CAROLS))
    await phones.say(BOBS, "claim 1")
    await phones.say(CAROLS, "1Y")
    await phones.say(CAROLS, "pass 1")
    local = await database.fetchval("SELECT to_char(claimed_at AT TIME ZONE 'America/New_York', 'HH24:MI') FROM claims")
    assert await phones.answers(CAROLS) == [f"Ben claimed it at {local}."] * 2
    await phones.say(BOBS, "3")
    await phones.say(BOBS, "1")
    await phones.say(BOBS, "1N")
    assert await claims(database) == [(lead_id, "bob", "Text")]
    first, help_, again, own = await phones.answers(BOBS)
    assert first == again
    assert help_ == "No lead is open for you at the moment."
    assert own == "It is yours already. To give it back, open the lead."


async def test_a_pass_moves_the_lead_on(phones: Phones, database: Database) -> None:
    await database.execute("UPDATE teams SET mins_until_next_alert = 5")
    lead_id = await phones.offered(("bob", BOBS))
    await phones.say(BOBS, "1N")
    assert await phones.brokerage.states(lead_id) == {"bob": "declined", "carol": "notified"} or (
        await phones.brokerage.states(lead_id)
    ) == {"bob": "declined", "carol": "scheduled"}
    assert await phones.answers(BOBS) == ["You have passed on it."]
    await phones.say(BOBS, "1")
    assert (await phones.answers(BOBS))[1:] == ["You have declined this lead."]
    assert await claims(database) == []


async def test_a_word_alone_means_the_only_open_offer(phones: Phones, database: Database) -> None:
    first = await phones.offered(("bob", BOBS))
    second = await phones.offered(("bob", BOBS))
    await phones.say(BOBS, "Y")
    assert await claims(database) == []
    assert await phones.answers(BOBS) == ["Open: 1, 2. Reply a number to claim that lead, with N to pass: 1N."]
    await phones.say(BOBS, "2")
    await phones.say(BOBS, "claim")
    assert await claims(database) == [(first, "bob", "Text"), (second, "bob", "Text")]
    await phones.say(BOBS, "Y")
    assert (await phones.answers(BOBS))[-1] == "No lead is open for you at the moment."


@pytest.mark.parametrize("body", ["YES", "START", "STOP", "yes!"])
async def test_yes_start_and_stop_never_claim(phones: Phones, database: Database, body: str) -> None:
    await phones.offered(("bob", BOBS))
    await phones.say(BOBS, body)
    assert await claims(database) == []


async def test_two_who_share_a_phone_act_each_by_their_own_number(phones: Phones, database: Database) -> None:
    lead_id = await phones.offered(("bob", BOBS), ("carol", BOBS))
    await phones.say(BOBS, "Y")
    assert await claims(database) == [], "two offers are open at this phone"
    await phones.say(BOBS, "2")
    assert await claims(database) == [(lead_id, "carol", "Text")]


async def test_a_number_counts_only_from_the_phone_that_it_was_sent_to(phones: Phones, database: Database) -> None:
    await phones.offered(("bob", BOBS))
    await phones.say("+13035550777", "1")
    await phones.say("+13035550777", "Y")
    assert await claims(database) == []
    assert await phones.answers("+13035550777") == []
    assert await phones.outcomes() == {"unknown": 2}


async def test_after_a_day_without_an_offer_a_number_is_no_reply(phones: Phones, database: Database) -> None:
    await phones.offered(("bob", BOBS))
    await database.move_clock(timedelta(hours=24))
    await phones.say(BOBS, "1")
    assert await claims(database) == []
    await phones.offered(("bob", BOBS))
    await phones.say(BOBS, "1")
    assert [each[1:] for each in await claims(database)] == [("bob", "Text")], "the number means what it meant"


async def test_whoever_has_left_the_team_cannot_claim(phones: Phones, database: Database) -> None:
    await phones.offered(("bob", BOBS))
    await database.execute(
        "UPDATE team_members SET request_status = 'Declined' WHERE user_id = $1", phones.brokerage.town.users["bob"]
    )
    await database.execute("UPDATE users SET rules_version = rules_version + 1 WHERE id = $1", phones.owner_id)
    await phones.say(BOBS, "1")
    assert await claims(database) == []
    assert await phones.answers(BOBS) == ["This lead is not offered to you any more."]


async def test_two_hundred_agents_answer_at_once_and_one_wins(phones: Phones, database: Database) -> None:
    agents = await add_agents(phones.brokerage, 200)
    lead_id = await phones.offered()
    numbers = [await phones.send(lead_id, agent, f"+1303556{number:04d}") for number, agent in enumerate(agents)]
    assert set(numbers) == {1}
    texts = [await phones.come_in(f"+1303556{number:04d}", "1") for number in range(200)]
    await asyncio.gather(*(phones.read(text_id) for text_id in texts))
    assert len(await claims(database)) == 1
    rows = await database.fetch("SELECT text_body FROM messages WHERE kind = 'answer'")
    assert Counter(row["text_body"].partition(" ")[0] == "Yours:" for row in rows) == {True: 1, False: 199}
    assert await phones.outcomes() == {"claim": 200}


async def test_a_text_that_two_processes_read_acts_once(phones: Phones, database: Database) -> None:
    await phones.offered(("bob", BOBS))
    text_id = await phones.come_in(BOBS, "1")
    await asyncio.gather(*(phones.read(text_id) for _ in range(5)))
    assert len(await phones.answers(BOBS)) == 1
    again = NewText(provider_id=f"SM{next(phones.ids)}", number=OURS, phone=BOBS, body="1")
    assert await add_received_text(database, again)
    assert not await add_received_text(database, again)


async def test_help_is_given_five_times_an_hour_and_answers_always(phones: Phones, database: Database) -> None:
    await phones.offered(("bob", BOBS))
    for number in range(8):
        await phones.say(BOBS, f"what? {number}")
    assert await phones.answers(BOBS) == ["Reply 1 to claim the lead, 1N to pass."] * 5
    await phones.say(BOBS, "1N")
    assert (await phones.answers(BOBS))[-1] == "You have passed on it."
    await database.execute("UPDATE reply_phones SET helped_at = ARRAY[now() - interval '61 minutes'] || helped_at[2:5]")
    await phones.say(BOBS, "Y")
    assert (await phones.answers(BOBS))[-1] == "No lead is open for you at the moment."


async def test_an_agent_without_open_offers_may_say_what_they_like(phones: Phones) -> None:
    await phones.offered(("bob", BOBS))
    await phones.say(BOBS, "1N")
    await phones.say(BOBS, "Thanks!")
    assert await phones.answers(BOBS) == ["You have passed on it."]
    assert await phones.outcomes() == {"pass": 1, "ignored": 1}


# ------------------------------------------------------------------------------------------------- an agent stops


async def test_an_agents_stop_is_noted_and_reported_to_the_owner_and_start_undoes_it(
    phones: Phones, database: Database
) -> None:
    await phones.offered(("bob", BOBS))
    await phones.say(BOBS, "Stop")
    await phones.say(BOBS, "STOP")
    assert await database.fetchval("SELECT is_phone_stopped($1)", BOBS)
    rows = await database.fetch("SELECT channel, user_id FROM messages WHERE kind = 'texts_stopped'")
    assert [tuple(row) for row in rows] == [("email", phones.owner_id)]
    assert await phones.answers(BOBS, "confirmation") == [
        "You get no more texts from us. Reply START to get them again."
    ]
    await phones.say(BOBS, "start")
    assert not await database.fetchval("SELECT is_phone_stopped($1)", BOBS)
    assert (await phones.answers(BOBS, "confirmation"))[1:] == ["You get texts from us again. Reply STOP to end them."]


@pytest.mark.parametrize(("setting", "opt_out_type"), [(True, None), (False, "STOP"), (True, "STOP")])
async def test_what_the_provider_answers_we_do_not(
    brokerage: Brokerage, phones: Phones, setting: bool, opt_out_type: str | None, database: Database
) -> None:
    phones.texts = ReceivedTexts(brokerage.arrivals, Settings(twilio_answers_stop=setting))
    await phones.offered(("bob", BOBS))
    await phones.say(BOBS, "STOP", opt_out_type=opt_out_type)
    assert await phones.answers(BOBS, "confirmation") == []
    assert await database.fetchval("SELECT is_phone_stopped($1)", BOBS)


# --------------------------------------------------------------------------------------------- contacts stop and start


async def test_a_contacts_stop_counts_for_every_owner_at_once(phones: Phones, database: Database) -> None:
    town, dave = phones.brokerage.town, phones.brokerage.town.users["dave"]
    await phones.offered(phone=MIAS)
    contact_id = await database.fetchval("SELECT id FROM contacts")
    await phones.write_to(contact_id, MIAS)
    await phones.say(MIAS, "please stop texting me")
    await phones.say(MIAS, "STOP")
    assert await phones.suppressed() == [(phones.owner_id, MIAS)]
    assert len(await phones.answers(MIAS, "confirmation")) == 1

    seen = await town.insert("contacts", owner_id=dave, created_at=town.now, modified_at=town.now, home_phone=MIAS)
    assert await database.fetchval("SELECT is_phone_stopped_for($1, $2)", dave, MIAS), "also before it is seen"
    await database.execute(
        "INSERT INTO contact_identities (owner_id, kind, value, contact_id) VALUES ($1, 'phone', $2, $3)",
        dave, MIAS, seen,
    )  # fmt: skip
    assert await phones.suppressed() == sorted([(phones.owner_id, MIAS), (dave, MIAS)])

    await database.execute(
        "UPDATE suppressions SET ended_at = $2 WHERE owner_id = $1", dave, town.now + timedelta(seconds=1)
    )
    assert not await database.fetchval("SELECT is_phone_stopped_for($1, $2)", dave, MIAS), "the own row only"
    assert await database.fetchval("SELECT is_phone_stopped_for($1, $2)", phones.owner_id, MIAS)

    await database.move_clock(timedelta(minutes=1))
    await phones.say(MIAS, "stop")
    assert await database.fetchval("SELECT is_phone_stopped_for($1, $2)", dave, MIAS), "they have asked again"
    assert len(await phones.suppressed()) == 2

    await phones.say(MIAS, "YES")
    assert len(await phones.suppressed()) == 2, "YES lifts nothing"
    await phones.say(MIAS, "Unstop")
    assert await phones.suppressed() == []
    assert not await database.fetchval("SELECT is_phone_stopped_for($1, $2)", phones.owner_id, MIAS)


async def test_texts_of_a_phone_are_read_in_the_order_in_which_they_came(phones: Phones, database: Database) -> None:
    """Whichever process is faster, and whichever ends in between, the last word counts."""
    await phones.offered(phone=MIAS)
    await phones.say(MIAS, "STOP")
    started, other = await phones.come_in(MIAS, "START"), await phones.come_in(BOBS, "STOP")
    stopped = await phones.come_in(MIAS, "STOP")
    await phones.read(stopped)
    await phones.read(started)
    assert await database.fetchval("SELECT is_phone_stopped($1)", MIAS)
    assert not await database.fetchval("SELECT is_phone_stopped($1)", BOBS), "another phone's is not read with it"
    await phones.read(other)
    assert await database.fetchval("SELECT is_phone_stopped($1)", BOBS)
    assert await phones.outcomes() == {"stop": 3, "start": 1}


async def test_a_text_that_cannot_be_read_holds_no_other_up_for_long_and_lifts_no_later_stop(
    phones: Phones, database: Database
) -> None:
    await phones.offered(phone=MIAS)
    started = await phones.come_in(MIAS, "START")
    await database.move_clock(timedelta(seconds=1))
    stopped = await phones.come_in(MIAS, "STOP")
    await database.move_clock(timedelta(minutes=10))
    await phones.read(stopped)
    assert await phones.outcomes() == {"stop": 1, None: 1}
    await phones.read(started)
    assert await phones.suppressed() == [(phones.owner_id, MIAS)]
    assert await database.fetchval("SELECT is_phone_stopped($1)", MIAS)
    await phones.say(MIAS, "START")
    assert await phones.suppressed() == []


async def test_a_stop_of_someone_who_is_not_known_makes_no_lead_and_gets_no_answer(
    phones: Phones, database: Database
) -> None:
    await phones.give_number("bob", with_key=True)
    for body in ("STOP", "START", "HELP", "take me off your list"):
        await phones.say(MIAS, body, number="+13035550111")
    assert await database.fetchval("SELECT count(*) FROM leads") == 0
    assert await database.fetchval("SELECT count(*) FROM messages") == 0
    assert await database.fetchval("SELECT is_phone_stopped($1)", MIAS)


async def test_help_is_answered_to_contacts_who_were_written_to(phones: Phones, database: Database) -> None:
    await phones.offered(phone=MIAS)
    await phones.say(MIAS, "help")
    assert await phones.answers(MIAS, "confirmation") == [], "nothing was ever sent there"
    await phones.write_to(await database.fetchval("SELECT id FROM contacts"), MIAS)
    for _ in range(7):
        await phones.say(MIAS, "HELP")
    assert len(await phones.answers(MIAS, "confirmation")) == 5
