"""Mia, who asks and is to be forgotten: what is looked for after the erasure, and what holds then."""

import re

from leadroutes.operations.doctor import examine
from leadroutes.operations.erasure import erase_contact
from tests.support.brokerage import Brokerage

MARK = "Xylophonia"
EMAIL = f"mia@{MARK.lower()}.example"
PHONE = "303-555-0101"
DIGITS = re.compile(r"303[^0-9]{0,3}555[^0-9]{0,3}0101")


def remaining_rows(rows: dict[str, list[str]]) -> list[str]:
    """The rows in which something of the person can still be read, bytes included."""
    encoded = MARK.encode().hex(), MARK.lower().encode().hex()
    return [
        f"{table}: {row}"
        for table, found in rows.items()
        for row in found
        if MARK.lower() in row.lower() or any(each in row for each in encoded) or DIGITS.search(row)
    ]


async def erase_and_check(brokerage: Brokerage, contact_id: int) -> dict[str, int]:
    """Erase, then the doctor finds nothing, and the ledger says what it said; what no one has may be unclaimed now."""
    database = brokerage.town.database
    before = await brokerage.engine.ledger(brokerage.owner_id)
    rows = await erase_contact(database, brokerage.owner_id, contact_id)
    after = await brokerage.engine.ledger(brokerage.owner_id)
    for ledger in (before, after):
        ledger["no one's"] = sum(ledger.pop(fate) for fate in ("on_offer", "unclaimed", "held"))
    assert after == before
    outcome = await examine(database)
    assert outcome.violation is None, str(outcome.violation)
    return rows


async def contact_of(brokerage: Brokerage, email: str = EMAIL) -> int:
    contact_id: int = await brokerage.town.database.fetchval(
        "SELECT contact_id FROM contact_identities WHERE value = $1", email
    )
    return contact_id
