"""Test leads: made through an intake key to see what happens to its leads, with the addresses of whoever asks for it.

A test lead is routed, offered and claimed as any other. It belongs to a contact of its own, and is counted nowhere.
"""

import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from leadroutes.domain.arrival import ArrivalItem, ReceivedArrival, StoredArrival
from leadroutes.domain.audit_row import AuditRow
from leadroutes.errors import Invalid, NotFound
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.intake.reading import read
from leadroutes.store import statement
from leadroutes.store.audit import note_act
from leadroutes.store.postgres import Database, Transaction

FORMAT: Final = "zapier"
CHOSEN: Final = ("message", "type", "price", "mls_id", "street_address", "city", "state", "zipcode")
"""What the caller may say of the property, as the route may depend on it."""
MESSAGE: Final = "This is a test lead of Lead Routes. It is counted nowhere and can be removed."


async def send_test_lead(
    arrivals: Arrivals,
    owner_id: int,
    key_id: int,
    user_id: int,
    given: Mapping[str, Any],
    act: AuditRow | None = None,
) -> StoredArrival:
    """Makes a test lead as if it had come through this key, with the names and addresses of this user.

    Raises NotFound for a key of another owner, and Invalid for a field that is not in CHOSEN or not a text.
    """
    database = arrivals.engine.database
    key = await database.fetchrow(*statement("find_own_intake_key").bind(owner_id=owner_id, key_id=key_id))
    if key is None:
        raise NotFound.record(key_id)
    chosen = _chosen(given)
    person = await database.fetchrow(*statement("find_person").bind(user_id=user_id))
    assert person is not None
    fields = {"lead_id": f"test-{secrets.token_hex(8)}", "message": MESSAGE, **person, **chosen}
    body = msgspec.json.encode({name: value for name, value in fields.items() if value is not None})
    headers = {"content-type": "application/json"}
    reading = read(body, headers, format=FORMAT)
    if not reading.inquiries:
        raise Invalid("A test lead needs an e-mail or a phone of your account at which you can be reached")
    received = ReceivedArrival(
        owner_id=owner_id,
        intake_key_id=key_id,
        lead_source_id=key["lead_source_id"],
        contact_source_id=key["contact_source_id"],
        body=body,
        headers=headers,
        format=FORMAT,
        inquiries=reading.inquiries,
        is_proven=True,
        is_test_lead=True,
        act=act,
    )
    return await arrivals.store(ArrivalItem(arrival=received))


def _chosen(given: Mapping[str, Any]) -> dict[str, str]:
    faults = {
        name: f"{name}: expected one of {', '.join(CHOSEN)}" if name not in CHOSEN else f"{name}: expected a text"
        for name, value in given.items()
        if name not in CHOSEN or isinstance(value, bool) or not isinstance(value, str | int | Decimal | None)
    }
    if faults:
        raise Invalid.fields(faults)
    return {name: str(value) for name, value in given.items() if value not in (None, "")}


async def remove_test_leads(database: Database, owner_id: int, act: AuditRow | None = None) -> int:
    """Removes all test leads of an owner with what belongs to them. Returns how many there were."""

    async def work(transaction: Transaction) -> int:
        removed: int = await transaction.fetchval(*statement("delete_test_leads").bind(owner_id=owner_id))
        if removed:
            note_act(transaction, act)
        return removed

    return await database.run(work)
