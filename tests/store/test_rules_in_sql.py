"""What SQL decides as a row may have changed since it was read, it decides as the domain does: by the same tables."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from leadroutes.domain.arrival import ArrivalItem, ReceivedArrival, StoredArrival
from leadroutes.domain.inquiry import Inquiry
from leadroutes.domain.model import Claim, Lead
from leadroutes.domain.routing import decide
from leadroutes.domain.states import lead_state
from leadroutes.ingest.batch import store_arrivals
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.routing import RuleSets
from tests.support.builders import ALICE, NOON, facts, ranked, route, rule_set
from tests.support.filling import CONTACTS, LEAD_STATES, LEADS
from tests.support.town import Town

CONTACT_COLUMNS = (
    "first_name", "last_name", "email", "secondary_email", "mobile_phone", "home_phone", "office_phone", "time_zone"
)  # fmt: skip
LEAD_COLUMNS = ("text_body", "mls_id", "listing_price", "type", "street_address", "city", "state", "zipcode")


async def receive(database: Database, owner_id: int, inquiries: Sequence[Inquiry]) -> None:
    """All of them under one id of the source, in one batch."""
    arrival = ReceivedArrival(
        owner_id=owner_id,
        intake_key_id=owner_id,
        lead_source_id=1,
        contact_source_id=None,
        body=b"",
        headers={},
        format="flat",
        inquiries=tuple(replace(inquiry, vendor_id="v-1") for inquiry in inquiries),
        is_proven=True,
    )

    async def work(transaction: Transaction) -> None:
        [stored] = await store_arrivals(transaction, RuleSets(), [ArrivalItem(arrival=arrival)])
        assert isinstance(stored, StoredArrival)

    await database.run(work)


Cases = Sequence[tuple[str, list[Inquiry], dict[str, Any]]]


async def filled(
    database: Database, cases: Cases, table: str, columns: Sequence[str], *, is_one_batch: bool
) -> dict[str, dict[str, Any]]:
    """What the inquiries of each case have made of the only row of an owner, by the name of the case."""
    town, found = await Town.create(database), {}
    for number, (name, inquiries, _) in enumerate(cases):
        owner_id = await town.add_user(f"owner {number}", email=f"owner{number}@example.com")
        key = {"key_hash": bytes([number]), "lead_source_id": 1, "created_at": town.now, "is_private": True}
        await town.insert("intake_keys", owner_id=owner_id, id=owner_id, **key)
        for part in [inquiries] if is_one_batch else [[inquiry] for inquiry in inquiries]:
            await receive(database, owner_id, part)
        [row] = await database.fetch(f"SELECT {', '.join(columns)} FROM {table} WHERE owner_id = $1", owner_id)
        found[name] = {column: value for column, value in row.items() if value is not None}
    return found


BATCHES = pytest.mark.parametrize("is_one_batch", [True, False], ids=["the domain, in one batch", "SQL, in several"])


@BATCHES
async def test_a_leads_gaps_are_filled_by_one_rule(database: Database, is_one_batch: bool) -> None:
    found = await filled(database, LEADS, "leads", LEAD_COLUMNS, is_one_batch=is_one_batch)
    assert found == {name: expected for name, _, expected in LEADS}


@BATCHES
async def test_a_contacts_gaps_are_filled_by_one_rule(database: Database, is_one_batch: bool) -> None:
    found = await filled(database, CONTACTS, "contacts", CONTACT_COLUMNS, is_one_batch=is_one_batch)
    assert found == {name: {"email": "mia@example.com", **expected} for name, _, expected in CONTACTS}


MOMENT = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def test_a_lead_is_where_the_domain_says(database: Database) -> None:
    decided, stored = [], []
    for is_claimed, is_unclaimed, is_routed, is_imported, _ in LEAD_STATES:
        lead = _lead(is_claimed=is_claimed, is_unclaimed=is_unclaimed)
        decided.append(lead_state(lead, is_routed=is_routed, is_imported=is_imported))
        moments = [MOMENT if each else None for each in (is_claimed, is_unclaimed, is_routed)]
        stored.append(await database.fetchval("SELECT lead_state($1, $2, $3, $4)", *moments, is_imported))

    assert decided == stored == [row[-1] for row in LEAD_STATES]


def _lead(*, is_claimed: bool, is_unclaimed: bool) -> Lead:
    lead = decide(rule_set(route(), ranked(ALICE)), 1, facts(), NOON).change.lead
    claim = Claim(user_id=ALICE, claimed_at=NOON, via="None") if is_claimed else None
    return replace(lead, claim=claim, unclaimed_at=NOON if is_unclaimed else None)
