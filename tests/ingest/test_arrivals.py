"""A lead arrives: once, for one contact, as one lead, and with what happens next, whoever comes at the same instant."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import cast

import pytest

from leadroutes.domain.arrival import NewLead, StoredArrival
from leadroutes.engine.engine import Engine
from leadroutes.errors import Conflict, NotFound
from leadroutes.ingest.arrivals import Arrivals, IdempotentRequest
from leadroutes.store.postgres import Database
from leadroutes.store.screens import account_topic
from tests.support.brokerage import KEY, Brokerage
from tests.support.screens import watching


async def count(database: Database, table: str) -> int:
    number: int = await database.fetchval(f"SELECT count(*) FROM {table}")
    return number


async def test_a_new_person_becomes_a_contact_a_lead_and_a_rollout(brokerage: Brokerage, database: Database) -> None:
    answer = await brokerage.ask(phone="(303) 555-0199", zip="80205", message="Is it still for sale?")
    assert answer.stored.is_new
    [lead_id] = answer.stored.lead_ids
    assert await brokerage.states(lead_id) == {"bob": "notified", "carol": "scheduled"}
    contact = await database.fetchrow("SELECT * FROM contacts")
    assert contact is not None
    assert (contact["email"], contact["mobile_phone"]) == ("mia@example.com", "+13035550199")
    assert contact["time_zone"] == "America/Denver"
    assert contact["source_id"] == await database.fetchval("SELECT id FROM contact_sources WHERE name = 'Zillow'")
    first = await database.fetchrow("SELECT notify_at, created_at FROM offers JOIN leads ON leads.id = lead_id LIMIT 1")
    assert first is not None
    assert first["notify_at"] == first["created_at"]
    assert await count(database, "pgqueuer") == 1


async def test_where_a_contact_is_an_inquirys_zipcode_tells_before_the_phone_does(
    brokerage: Brokerage, database: Database
) -> None:
    async def zone() -> str:
        found: str = await database.fetchval("SELECT time_zone FROM contacts")
        return found

    await brokerage.ask(phone="(303) 555-0199", message="one")
    assert await zone() == "America/Denver"
    await brokerage.ask(phone="(303) 555-0199", zip="96813", message="two")
    assert await zone() == "Pacific/Honolulu"
    await brokerage.ask(phone="(303) 555-0199", zip="10001", message="three", property_address="1 Main St")
    assert await zone() == "Pacific/Honolulu"


async def test_a_body_is_stored_byte_for_byte_without_its_secrets(brokerage: Brokerage, database: Database) -> None:
    body = b'{"email":"mia@example.com" , "x": "\xff"}'
    headers = {"Content-Type": "application/json", "Authorization": "Basic c2VjcmV0", "X-System": "IDX"}
    await brokerage.arrivals.ingest(KEY, body, headers)
    row = await database.fetchrow("SELECT body, headers FROM arrivals")
    assert row is not None
    assert row["body"] == body
    assert "X-System" in row["headers"]
    assert "c2VjcmV0" not in row["headers"]


async def test_what_is_not_understood_is_stored_and_rejected_with_a_reason(
    brokerage: Brokerage, database: Database
) -> None:
    answer = await brokerage.arrivals.ingest(KEY, b"\x00\x01 nothing we know", {})
    assert answer.refusal is not None
    assert answer.stored.status == "rejected"
    assert answer.stored.lead_ids == ()
    row = await database.fetchrow("SELECT status, reason, body FROM arrivals WHERE id = $1", answer.stored.arrival_id)
    assert row is not None
    assert (row["status"], row["body"]) == ("rejected", b"\x00\x01 nothing we know")
    assert row["reason"]
    ledger = await brokerage.engine.ledger(brokerage.owner_id)
    assert (ledger["received"], ledger["rejected"]) == (1, 1)


async def test_open_screens_hear_of_what_is_not_understood(brokerage: Brokerage, database: Database) -> None:
    topic = account_topic(brokerage.owner_id)
    async with watching(database, [topic]) as changes:
        await brokerage.arrivals.ingest(KEY, b"\x00\x01 nothing we know", {})
        assert await anext(changes) == {topic}


async def test_a_key_that_is_unknown_or_revoked_opens_nothing(brokerage: Brokerage, database: Database) -> None:
    with pytest.raises(NotFound):
        await brokerage.arrivals.ingest("another", b"{}", {})
    await database.execute("UPDATE intake_keys SET revoked_at = now()")
    with pytest.raises(NotFound):
        await brokerage.ask()
    assert await count(database, "arrivals") == 0


async def test_the_same_bytes_within_a_day_are_the_same_arrival(brokerage: Brokerage, database: Database) -> None:
    first, second = await brokerage.ask(), await brokerage.ask()
    assert (first.stored.is_new, second.stored.is_new) == (True, False)
    assert first.stored.lead_ids == second.stored.lead_ids
    assert await count(database, "arrivals") == 1
    await database.move_clock(timedelta(hours=25))
    third = await brokerage.ask()
    assert third.stored.is_new
    assert await count(database, "contacts") == 1


async def test_the_same_vendor_lead_three_times_is_one_lead(brokerage: Brokerage, database: Database) -> None:
    answers = [await brokerage.ask(lead_id="Z-1", message=text) for text in ("one", "two", "three")]
    assert [answer.stored.is_new for answer in answers] == [True, False, False]
    assert len({answer.stored.lead_ids for answer in answers}) == 1
    await database.move_clock(timedelta(days=400))
    late = await brokerage.ask(lead_id="Z-1", email="someone.else@example.com", message="four")
    assert late.stored.lead_ids == answers[0].stored.lead_ids, "a vendor's id decides even when the person differs"
    assert await count(database, "leads") == 1


async def test_the_same_person_about_the_same_property_touches_the_open_lead(
    brokerage: Brokerage, database: Database
) -> None:
    first = await brokerage.ask(message="Hello", mls="123")
    for fields in ({"mls": "123"}, {"message": "no property named"}, {"mls": "123", "address": "9 Elm St"}):
        touch = await brokerage.ask(**fields)
        assert touch.stored.status == "touch"
        assert touch.stored.lead_ids == first.stored.lead_ids
    other = await brokerage.ask(mls="456")
    assert other.stored.is_new
    assert await count(database, "contacts") == 1
    kinds = [event["kind"] for event in await brokerage.engine.history(brokerage.owner_id, first.stored.lead_ids[0])]
    assert kinds.count("touched") == 3


async def test_a_touch_fills_gaps_and_overwrites_nothing(brokerage: Brokerage, database: Database) -> None:
    await brokerage.ask(name="Mia", message="Hello")
    await brokerage.ask(
        first_name="Maria", last_name="Lund", phone="303-555-0199", message="again", mls="77", price="9"
    )
    contact = await database.fetchrow("SELECT first_name, last_name, mobile_phone FROM contacts")
    assert contact is not None
    assert tuple(contact) == ("Mia", "Lund", "+13035550199")
    lead = await database.fetchrow("SELECT text_body, mls_id, listing_price FROM leads")
    assert lead is not None
    assert tuple(lead) == ("Hello", "77", "9")


async def test_a_day_later_the_same_inquiry_is_a_new_lead(brokerage: Brokerage, database: Database) -> None:
    await brokerage.ask(message="one")
    await database.move_clock(timedelta(hours=23))
    assert not (await brokerage.ask(message="two")).stored.is_new, "made or touched within 24 hours"
    await database.move_clock(timedelta(hours=23))
    assert not (await brokerage.ask(message="three")).stored.is_new
    await database.move_clock(timedelta(hours=24, seconds=1))
    assert (await brokerage.ask(message="four")).stored.is_new


async def test_email_comes_before_phone_and_relay_addresses_identify_no_one(
    brokerage: Brokerage, database: Database
) -> None:
    await brokerage.ask(email="mia@example.com", phone="303-555-0101")
    await brokerage.ask(email="noor@example.com", phone="303-555-0102")
    await brokerage.ask(email="MIA@example.com ", phone="303-555-0102", message="who am I?")
    assert await count(database, "contacts") == 2
    owner = await database.fetchval("SELECT contact_id FROM contact_identities WHERE value = '+13035550102'")
    assert owner == await database.fetchval("SELECT id FROM contacts WHERE email = 'noor@example.com'")
    for name in ("Ada", "Bo"):
        await brokerage.ask(name=name, email="same@convo.zillow.com")
    assert await count(database, "contacts") == 4


async def test_an_idempotency_key_answers_the_first_lead_and_refuses_another_body(brokerage: Brokerage) -> None:
    first = await brokerage.ask("k-1", message="one")
    again = await brokerage.ask("k-1", message="one")
    assert (again.stored.lead_ids, again.stored.is_new) == (first.stored.lead_ids, False)
    with pytest.raises(Conflict, match="Idempotency-Key"):
        await brokerage.ask("k-1", message="two")


async def test_an_idempotency_key_of_the_day_before_refuses_nothing(brokerage: Brokerage, database: Database) -> None:
    await brokerage.ask("k-1", message="one")
    await database.move_clock(timedelta(hours=25))
    first = await brokerage.ask(message="two")
    again = await brokerage.ask("k-1", message="two")
    assert (again.stored.lead_ids, again.stored.is_new) == (first.stored.lead_ids, False)


async def test_test_leads_and_updates_are_stored_and_start_nothing(brokerage: Brokerage, database: Database) -> None:
    answer = await brokerage.ask(test="true")
    assert (answer.stored.status, answer.stored.lead_ids) == ("test", ())
    assert await count(database, "leads") == await count(database, "messages") == 0
    assert await brokerage.engine.ledger(brokerage.owner_id) == dict.fromkeys(
        ("received", "claimed", "on_offer", "unclaimed", "held", "rejected", "imported", "junk"), 0
    )


async def test_several_leads_in_one_body_become_several_leads(brokerage: Brokerage, database: Database) -> None:
    body = b'[{"email":"a@example.com"},{"email":"b@example.com"},{"email":"a@example.com","message":"again"}]'
    answer = await brokerage.arrivals.ingest(KEY, body, {"Content-Type": "application/json"})
    assert len(set(answer.stored.lead_ids)) == 2
    assert answer.stored.lead_ids[2] == answer.stored.lead_ids[0], "the third only touches the first"
    assert await count(database, "contacts") == 2


async def test_post_leads_always_makes_a_lead_and_can_hold_it(brokerage: Brokerage, database: Database) -> None:
    contact_id = await brokerage.town.contact("alice")
    lead = NewLead(owner_id=brokerage.owner_id, contact_id=contact_id, creator_user_id=brokerage.owner_id, source_id=1)
    first, second = [await brokerage.arrivals.post_lead(lead) for _ in range(2)]
    assert first.lead_ids != second.lead_ids
    held = NewLead(
        owner_id=brokerage.owner_id,
        contact_id=contact_id,
        creator_user_id=brokerage.owner_id,
        source_id=1,
        distribute=False,
    )
    third = await brokerage.arrivals.post_lead(held)
    assert await brokerage.states(third.lead_ids[0]) == {}
    assert (await brokerage.engine.ledger(brokerage.owner_id))["held"] == 1
    await database.move_clock(timedelta(hours=2))
    for _ in range(2):
        await brokerage.engine.distribute(brokerage.owner_id, third.lead_ids[0])
    assert await brokerage.states(third.lead_ids[0]) == {"bob": "notified", "carol": "scheduled"}
    moments = await database.fetchrow(
        "SELECT notify_at = routed_at AND routed_at > created_at FROM offers JOIN leads ON leads.id = lead_id"
        " WHERE lead_id = $1 AND place = 0",
        third.lead_ids[0],
    )
    assert moments is not None
    assert moments[0], "a lead that is routed later counts from that moment"


async def test_an_idempotency_key_counts_at_post_leads_too(brokerage: Brokerage) -> None:
    contact_id = await brokerage.town.contact("alice")
    lead = NewLead(owner_id=brokerage.owner_id, contact_id=contact_id, creator_user_id=brokerage.owner_id, source_id=1)
    one, two = [
        await brokerage.arrivals.post_lead(lead, idempotency=IdempotentRequest("/leads", "k", b"body"))
        for _ in range(2)
    ]
    assert (one.lead_ids, one.is_new, two.is_new) == (two.lead_ids, True, False)


# -- at the same instant, through several processes (each has its own engine, cache and group commit)


async def processes(brokerage: Brokerage, count_: int) -> list[Arrivals]:
    return [Arrivals(Engine(brokerage.town.database)) for _ in range(count_)]


def body_of(email: str, **fields: object) -> bytes:
    pairs = ",".join(f'"{name}":"{value}"' for name, value in ({"email": email} | fields).items())
    return f"{{{pairs}}}".encode()


async def test_two_arrivals_of_a_new_person_at_once_make_one_contact_and_one_lead(
    brokerage: Brokerage, database: Database
) -> None:
    doors = await processes(brokerage, 4)
    headers = {"Content-Type": "application/json"}
    for person in range(5):
        await asyncio.gather(
            *(
                doors[n % 4].ingest(KEY, body_of(f"p{person}@example.com", message=f"message {n}"), headers)
                for n in range(8)
            )
        )
    assert await count(database, "contacts") == 5
    assert await count(database, "leads") == 5
    assert await database.fetchval("SELECT count(*) FROM arrivals WHERE status = 'touch'") == 35


async def test_the_same_vendor_id_at_once_makes_one_lead(brokerage: Brokerage, database: Database) -> None:
    doors = await processes(brokerage, 4)
    bodies = [body_of(f"p{n}@example.com", lead_id="Z-9") for n in range(12)]
    answers = await asyncio.gather(
        *(doors[n % 4].ingest(KEY, body, {"Content-Type": "application/json"}) for n, body in enumerate(bodies))
    )
    assert await count(database, "leads") == 1
    assert Counter(answer.stored.is_new for answer in answers) == {True: 1, False: 11}


async def test_round_robin_over_a_hundred_parallel_arrivals_shares_turns_evenly(
    brokerage: Brokerage, database: Database
) -> None:
    await database.execute("UPDATE teams SET order_method = 'Round Robin'")
    await brokerage.town.option("alice", brokerage.town.team_id, "alice", rank=3)
    doors = await processes(brokerage, 4)
    await asyncio.gather(
        *(
            doors[n % 4].ingest(KEY, body_of(f"p{n}@example.com"), {"Content-Type": "application/json"})
            for n in range(100)
        )
    )
    rows = await database.fetch("SELECT user_id, count(*) AS turns FROM offers WHERE place = 0 GROUP BY user_id")
    turns = [row["turns"] for row in rows]
    assert sum(turns) == 100
    assert len(turns) == 3
    assert max(turns) - min(turns) <= 1


async def test_a_decision_is_never_made_by_rules_that_were_replaced_before_it(brokerage: Brokerage) -> None:
    await brokerage.ask(email="one@example.com")
    await brokerage.town.database.execute("UPDATE team_member_distribution_options SET rank = 3 WHERE rank = 1")
    answer = await brokerage.ask(email="two@example.com")
    assert await brokerage.states(answer.stored.lead_ids[0]) == {"carol": "notified", "bob": "scheduled"}


async def test_one_that_cannot_be_stored_does_not_keep_out_the_others(brokerage: Brokerage, database: Database) -> None:
    contact_id = await brokerage.town.contact("alice")
    good = NewLead(owner_id=brokerage.owner_id, contact_id=contact_id, creator_user_id=brokerage.owner_id, source_id=1)
    bad = NewLead(owner_id=brokerage.owner_id, contact_id=contact_id, creator_user_id=987654, source_id=1)
    answers = await asyncio.gather(
        *(brokerage.arrivals.post_lead(lead) for lead in (good, bad, good)), return_exceptions=True
    )
    assert [isinstance(answer, Exception) for answer in answers] == [False, True, False]
    assert await count(database, "leads") == 2


async def test_a_rejected_arrival_can_be_read_again_once_its_reader_is_mended(
    brokerage: Brokerage, database: Database
) -> None:
    await database.execute("UPDATE intake_keys SET format = 'email'")
    answer = await brokerage.ask()
    assert answer.stored.status == "rejected"
    await database.execute("UPDATE intake_keys SET format = 'zapier'")
    assert answer.stored.arrival_id is not None
    again = await brokerage.arrivals.replay(brokerage.owner_id, answer.stored.arrival_id)
    assert again.stored.status == "accepted"
    assert again.stored.arrival_id == answer.stored.arrival_id
    assert await database.fetchval("SELECT status FROM arrivals") == "accepted"
    with pytest.raises(Conflict):
        await brokerage.arrivals.replay(brokerage.owner_id, answer.stored.arrival_id)


async def test_an_arrival_in_the_moment_in_which_both_batches_end_is_stored_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ends = asyncio.Event()

    class Still:
        """Both commits are answered in the same turn of the loop, and the next arrival comes in that turn, too."""

        async def run_prepared(self, work: Callable[[object], Awaitable[list[StoredArrival]]]) -> list[StoredArrival]:
            await ends.wait()
            return await work(None)

        def forget_when_reconnected(self, forget: object) -> None:
            """There is nothing to be connected to."""

        @property
        def listener(self) -> "Still":
            return self

    async def receive(_transaction: object, _rule_sets: object, items: Sequence[object]) -> list[StoredArrival]:
        return [StoredArrival(owner_id=1) for _ in items]

    monkeypatch.setattr("leadroutes.ingest.arrivals.store_arrivals", receive)
    arrivals = Arrivals(Engine(cast("Database", Still())))
    lead = NewLead(owner_id=1, contact_id=1, creator_user_id=1)

    async def post_at_the_end() -> StoredArrival:
        await ends.wait()
        return await arrivals.post_lead(lead)

    posted = []
    for post in (arrivals.post_lead(lead), arrivals.post_lead(lead), post_at_the_end()):
        posted.append(asyncio.create_task(post))
        for _ in range(3):
            await asyncio.sleep(0)
    ends.set()
    async with asyncio.timeout(5):
        assert await asyncio.gather(*posted) == [StoredArrival(owner_id=1)] * 3
