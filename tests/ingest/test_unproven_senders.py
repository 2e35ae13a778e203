"""What comes through a key that proves nothing stays with its own inquiry; what a proven key brings, everybody has.

The keys: a form's, which is in a web page, another form's, and a portal's, which only the portal knows.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from leadroutes.engine.engine import Engine
from leadroutes.errors import Conflict
from leadroutes.ingest.arrivals import Arrivals, IntakeResult
from leadroutes.operations.csv_import import import_leads
from leadroutes.settings import Settings
from leadroutes.store import statement
from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage

JSON = {"Content-Type": "application/json"}
NORA, VERA, DAVE = "nora@example.com", "vera@example.com", "dave@example.com"
PHONE, OTHER_PHONE = "+13035550142", "+13035550143"


@dataclass
class Sources:
    brokerage: Brokerage

    @property
    def database(self) -> Database:
        return self.brokerage.town.database

    async def form(self, **fields: Any) -> IntakeResult:
        return await self.send("form", fields)

    async def portal(self, **fields: Any) -> IntakeResult:
        return await self.send("portal", fields)

    async def send(self, key: str, fields: dict[str, Any], idempotency_key: str | None = None) -> IntakeResult:
        body = msgspec.json.encode(fields)
        return await self.brokerage.arrivals.ingest(key, body, JSON, idempotency_key=idempotency_key)

    async def contact(self, contact_id: int | None) -> dict[str, Any]:
        row = await self.database.fetchrow("SELECT * FROM contacts WHERE id = $1", contact_id)
        assert row is not None
        return dict(row)

    async def lead(self, answer: IntakeResult) -> dict[str, Any]:
        row = await self.database.fetchrow("SELECT * FROM leads WHERE id = $1", answer.stored.lead_ids[0])
        assert row is not None
        return dict(row)

    async def identities(self) -> dict[str, tuple[int, bool]]:
        rows = await self.database.fetch("SELECT value, contact_id, is_proven FROM contact_identities")
        return {row["value"]: (row["contact_id"], row["is_proven"]) for row in rows}


@pytest.fixture
async def sources(brokerage: Brokerage) -> Sources:
    for name, is_private in (("form", False), ("another form", False), ("portal", True)):
        digest = hashlib.sha256(name.encode()).digest()
        columns = {"key_hash": digest, "lead_source_id": 1, "created_at": brokerage.town.now, "is_private": is_private}
        await brokerage.town.insert("intake_keys", owner_id=brokerage.owner_id, **columns)
    return Sources(brokerage)


def who(answer: IntakeResult) -> int | None:
    [fate] = answer.stored.lead_outcomes
    return fate.contact_id


def what(answer: IntakeResult) -> str:
    [fate] = answer.stored.lead_outcomes
    return fate.status


# ------------------------------------------------------------------------------------- what a stranger brings


async def test_a_stranger_touches_the_lead_of_someone_and_fills_nothing(sources: Sources) -> None:
    first = await sources.portal(first_name="Nora", email=NORA)
    before = (await sources.contact(who(first)), await sources.lead(first))
    touch = await sources.form(
        name="Dave Lane", email=NORA, phone=PHONE, message="Call me there", zip="80203", street_address="7 Quiet Ln"
    )
    assert (who(touch), what(touch)) == (who(first), "touched")
    contact, lead = await sources.contact(who(first)), await sources.lead(first)
    assert contact == before[0]
    changed = {name for name, value in lead.items() if value != before[1][name]}
    assert changed <= {"touched_at", "modified_at"}
    assert list(await sources.identities()) == [NORA]
    history = await sources.brokerage.engine.history(sources.brokerage.owner_id, lead["id"])
    [detail] = [msgspec.json.decode(each["detail"]) for each in history if each["kind"] == "touched"]
    assert (detail["phone"], detail["message"], detail["last_name"]) == (PHONE, "Call me there", "Lane")


async def test_through_the_leads_own_key_gaps_of_the_lead_are_filled_and_none_of_the_contact(sources: Sources) -> None:
    first = await sources.form(email=NORA)
    assert what(await sources.form(email=NORA, phone=PHONE, message="Is it free?")) == "touched"
    other = await sources.send("another form", {"email": NORA, "message": "No", "city": "Denver"})
    assert what(other) == "touched"
    assert ((await sources.lead(first))["text_body"], (await sources.lead(first))["city"]) == ("Is it free?", None)
    assert (await sources.contact(who(first)))["mobile_phone"] is None
    await sources.portal(email=NORA, phone=OTHER_PHONE, city="Denver")
    assert (await sources.lead(first))["city"] == "Denver", "a proven key fills what it finds"
    assert (await sources.contact(who(first)))["mobile_phone"] == OTHER_PHONE


async def test_an_update_and_a_known_id_of_a_stranger_fill_nothing_either(sources: Sources) -> None:
    """The id was first given about a lead of the portal's."""
    first = await sources.portal(first_name="Nora", email=NORA)
    for words in ("One", "Two"):
        await sources.form(lead_id="9", email=NORA, phone=PHONE, message=words)
    assert (await sources.lead(first))["text_body"] is None
    assert (await sources.contact(who(first)))["mobile_phone"] is None


async def test_a_phone_that_a_stranger_gave_does_not_join_another_address(sources: Sources) -> None:
    dave = await sources.form(first_name="Dave", email=DAVE, phone=PHONE)
    vera = await sources.portal(first_name="Vera", email=VERA, phone=PHONE, message="I accept")
    assert (what(vera), who(vera) != who(dave)) == ("new", True)
    assert (await sources.lead(dave))["text_body"] is None
    assert (await sources.identities())[PHONE] == (who(vera), True), "it passes to whoever proves it"
    assert who(await sources.portal(first_name="Vera", phone=PHONE)) == who(vera)
    await all_is_well(sources)


async def test_a_phone_that_a_stranger_gave_stays_with_the_first_of_two_strangers(sources: Sources) -> None:
    dave = await sources.form(first_name="Dave", email=DAVE, phone=PHONE)
    vera = await sources.form(first_name="Vera", email=VERA, phone=PHONE)
    assert who(vera) != who(dave)
    assert (await sources.identities())[PHONE] == (who(dave), False)
    assert who(await sources.form(phone=PHONE)) == who(dave), "no address contradicts"


async def test_without_an_address_that_contradicts_a_phone_joins(sources: Sources) -> None:
    first = await sources.form(first_name="Vera", phone=PHONE)
    assert who(await sources.portal(first_name="Vera", email=VERA, phone=PHONE)) == who(first)
    identities = await sources.identities()
    assert identities == {VERA: (who(first), True), PHONE: (who(first), True)}
    relay = "a1@convo.zillow.com"
    assert who(await sources.form(email=relay, phone=PHONE)) == who(first), "a relay address contradicts no one"


async def test_within_one_body_the_same_holds(sources: Sources) -> None:
    body = [{"email": NORA}, {"email": NORA, "phone": PHONE}, {"email": DAVE, "phone": PHONE}]
    body_bytes = msgspec.json.encode(body)
    answer = await sources.brokerage.arrivals.ingest("form", body_bytes, JSON)
    nora, again, dave = answer.stored.lead_outcomes
    assert (nora.contact_id, nora.status, again.status) == (again.contact_id, "new", "touched")
    assert (dave.contact_id != nora.contact_id, dave.status) == (True, "new")


# ------------------------------------------------------------------------------------ what a proven key brings


async def test_further_addresses_stay_with_their_leads_and_identify_the_contact(sources: Sources) -> None:
    emails = [f"tri{number}@example.com" for number in range(4)]
    answers = [
        await sources.portal(name="Tri Vale", email=email, phone=PHONE, mls=str(number))
        for number, email in enumerate(emails, 1)
    ]
    assert {what(each) for each in answers} == {"new"}
    [contact_id] = {who(each) for each in answers}
    given = [msgspec.json.decode((await sources.lead(each))["inquirer"])["email"] for each in answers]
    assert given == emails
    assert who(await sources.portal(name="Tri Vale", email=emails[3], mls="9")) == contact_id
    touched = await sources.portal(email="tri5@example.com", phone=PHONE, mls="9")
    assert what(touched) == "touched"
    assert who(await sources.form(email="tri5@example.com", mls="10")) == contact_id
    await all_is_well(sources)


async def test_an_import_counts_as_proven_and_takes_no_phone_on_a_strangers_word(
    sources: Sources, database: Database
) -> None:
    dave = await sources.form(first_name="Dave", email=DAVE, phone=PHONE)
    csv = f"name,email,phone,received at\nVera Mill,{VERA},{PHONE},2026-01-02T10:00:00Z\n".encode()
    report = await import_leads(
        database, csv, "alice@example.com", route=False, dry_run=False, tell=lambda _done, _of: None
    )
    assert report.imported == 1
    vera, is_proven = (await sources.identities())[PHONE]
    assert (vera != who(dave), is_proven) == (True, True)
    row = await database.fetchrow("SELECT inquirer FROM leads WHERE is_imported")
    assert row is not None
    assert msgspec.json.decode(row["inquirer"])["email"] == VERA
    await all_is_well(sources)


async def test_what_was_there_before_counts_as_proven(sources: Sources, database: Database) -> None:
    """A contact that the previous version wrote: it names neither what is proven nor who inquired."""
    contact = await sources.brokerage.town.insert(
        "contacts", owner_id=sources.brokerage.owner_id, email=NORA, mobile_phone=PHONE,
        created_at=sources.brokerage.town.now, modified_at=sources.brokerage.town.now,
    )  # fmt: skip
    for kind, value in (("email", NORA), ("phone", PHONE)):
        await database.execute(
            "INSERT INTO contact_identities (owner_id, kind, value, contact_id) VALUES ($1, $2, $3, $4)",
            sources.brokerage.owner_id, kind, value, contact,
        )  # fmt: skip
    assert who(await sources.portal(email=VERA, phone=PHONE)) == contact


# ------------------------------------------------------------------------------------------------- vendors' ids


async def test_an_id_that_a_stranger_has_taken_first_swallows_no_lead(sources: Sources) -> None:
    taken = await sources.form(email=DAVE, lead_id="1001")
    real = await sources.portal(email=NORA, lead_id="1001")
    assert (what(taken), what(real)) == ("new", "new")
    assert what(await sources.send("another form", {"email": VERA, "lead_id": "1001"})) == "new"
    assert what(await sources.form(email="eve@example.com", lead_id="1001")) == "new"


async def test_an_id_through_an_unproven_key_counts_for_the_same_person(sources: Sources) -> None:
    first = await sources.form(email=DAVE, phone=PHONE, lead_id="1001", mls="5")
    by_email = await sources.form(email=DAVE, lead_id="1001", mls="6")
    by_phone = await sources.form(phone=PHONE, lead_id="1001", mls="7")
    assert {each.stored.lead_ids for each in (by_email, by_phone)} == {first.stored.lead_ids}
    assert (what(by_email), what(by_phone)) == ("repeated", "repeated")
    shared = await sources.form(email=NORA, phone=PHONE, lead_id="1001", mls="8")
    assert what(shared) == "new", "a phone may be shared"
    assert what(await sources.form(email=NORA, phone=PHONE, lead_id="1001", mls="9")) == "repeated"


async def test_through_a_proven_key_an_id_decides_even_when_the_person_differs(sources: Sources) -> None:
    first = await sources.portal(email=DAVE, submission_id="7")
    again = await sources.portal(email=NORA, submission_id="7", message="Me again")
    assert (again.stored.lead_ids, what(again)) == (first.stored.lead_ids, "repeated")
    assert list(await sources.identities()) == [DAVE]


@pytest.mark.parametrize("key", ["form", "portal"])
async def test_a_bare_id_decides_for_the_same_person_only(sources: Sources, key: str) -> None:
    ann = await sources.send(key, {"id": 3, "name": "Ann Lee", "email": "ann@example.com", "mls": "1"})
    bob = await sources.send(key, {"id": 3, "name": "Bob Roe", "email": "bob@example.com", "mls": "1"})
    assert (what(ann), what(bob)) == ("new", "new")
    assert ann.stored.lead_ids != bob.stored.lead_ids
    again = await sources.send(key, {"id": 3, "email": "bob@example.com", "mls": "2"})
    assert (again.stored.lead_ids, what(again)) == (bob.stored.lead_ids, "repeated")


# ------------------------------------------------------------------------------------------- Idempotency-Key


async def test_an_idempotency_key_counts_for_its_intake_key(sources: Sources) -> None:
    first = await sources.send("form", {"email": DAVE}, "order-1001")
    other = await sources.send("portal", {"email": NORA}, "order-1001")
    assert (what(first), what(other)) == ("new", "new")
    again = await sources.send("form", {"email": DAVE}, "order-1001")
    assert (again.stored.lead_ids, what(again)) == (first.stored.lead_ids, "repeated")


async def test_another_body_under_an_idempotency_key_is_stored_and_refused(sources: Sources) -> None:
    await sources.send("form", {"email": DAVE}, "order-1001")
    with pytest.raises(Conflict, match="order-1001") as refused:
        await sources.send("form", {"email": NORA}, "order-1001")
    arrival_id = refused.value.data["arrival_id"]
    row = await sources.database.fetchrow("SELECT * FROM arrivals WHERE id = $1", arrival_id)
    assert row is not None
    assert (row["status"], row["reason"], row["lead_id"]) == ("rejected", refused.value.message, None)
    assert NORA.encode() in row["body"]
    replayed = await sources.brokerage.arrivals.replay(sources.brokerage.owner_id, arrival_id)
    assert what(replayed) == "new"
    assert await sources.database.fetchval("SELECT count(*) FROM leads") == 2


# ------------------------------------------------------------------------------------------------------- races


async def test_phones_of_arrivals_at_once_identify_only_whom_they_stand_in(sources: Sources, database_url: str) -> None:
    """Two processes; of one person's many phones three fit into the contact, the others are someone else's."""
    elsewhere = await Database.open(Settings(), url=database_url)
    await elsewhere.load_clock()
    others = Arrivals(Engine(elsewhere))
    try:
        for turn in range(12):
            ida = f"ida{turn}@example.com"
            first = await sources.portal(name="Ida", email=ida)
            phones = [f"+130355{turn:02}1{number:02}" for number in range(12)]
            bodies = [msgspec.json.encode({"email": ida, "phone": phone, "message": phone}) for phone in phones]
            doors = (sources.brokerage.arrivals, others)
            await asyncio.gather(
                *(doors[number % 2].ingest("portal", body, JSON) for number, body in enumerate(bodies))
            )
            contact = await sources.contact(who(first))
            standing = {contact[name] for name in ("mobile_phone", "home_phone", "office_phone")}
            assert len(standing & set(phones)) == 3
            owned = {value for value, (owner, _) in (await sources.identities()).items() if owner == who(first)}
            assert owned == {ida, *standing}
            otto = await sources.portal(name="Otto", phone=next(each for each in phones if each not in standing))
            assert (what(otto), who(otto) != who(first)) == ("new", True)
        await all_is_well(sources)
    finally:
        await others.close()
        await elsewhere.close()


async def test_a_stranger_and_a_portal_at_once_leave_one_holder_of_a_phone(sources: Sources) -> None:
    for turn in range(10):
        phone = f"+1303555{turn:04}"
        people = [{"email": f"{name}{turn}@example.com", "phone": phone} for name in ("dave", "vera")]
        _, vera = await asyncio.gather(sources.form(**people[0]), sources.portal(**people[1]))
        identities = await sources.identities()
        assert identities[phone] == (who(vera), True)
        assert identities[f"dave{turn}@example.com"][0] != who(vera)
    await all_is_well(sources)


async def all_is_well(sources: Sources) -> None:
    """An e-mail or phone that identifies a contact is stored in it, or an e-mail with an inquiry of it."""
    assert await sources.database.fetch(*statement("check_identities_match_contacts").bind()) == []
