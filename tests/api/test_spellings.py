"""However an e-mail or a phone is spelt, the doctor finds it again in the contact that it identifies."""

import pytest

from leadroutes.operations.doctor import examine
from leadroutes.store import accounts

EMAILS = (
    "mia\u200b@example.com", "MIA@Example.com", "Mia <mia@example.com>", "mailto:mia@example.com?subject=x",
    "mía@exämple.com", "mia\u00a0@example.com", "x@example.com;mia@example.com", "mia@example.com\u00ad",
    "İ@example.com", "\u212aim@example.com", "ﬁ@example.com",
)  # fmt: skip
PHONES = (
    "+44 20 7946 0", "+20 7946 0", "+1234567", "(303) 555\u200b-0142", "303 555 0142 x12", "303-555-0142 ext. 5550",
    "303.555.0142 or 720 555 0199", "+1 303 555 0142 / +44 20 7946 0", "①303 555 0142", "+44 20 79²46 0",
    "303\u00ad555\u00ad0142", "+٤٤ ٢٠ ٧٩٤٦ ٠",
)  # fmt: skip
SPELLINGS = [*(("email", each) for each in EMAILS), *(("phone", each) for each in PHONES)]


@pytest.mark.parametrize(("kind", "text"), SPELLINGS)
async def test_a_contact_that_a_client_makes(town, kind, text):
    column = "mobile_phone" if kind == "phone" else kind
    async with town.client("alice") as client:
        assert (await client.post("/contacts", json={"first_name": "Mia", column: text})).status_code == 201
    outcome = await examine(town.database)
    assert outcome.violations == (), str(outcome)


@pytest.mark.parametrize(("kind", "text"), SPELLINGS)
async def test_a_lead_that_a_stranger_sends(town, kind, text):
    async with town.database.transaction() as transaction:
        key = await accounts.issue_intake_key(transaction, town.users["alice"], "Website", None, None)
    async with town.client(None) as client:
        answer = await client.post(f"/intake/{key}", json={"first_name": "Mia", "message": "Call me", kind: text})
        assert answer.status_code in (200, 201)
    outcome = await examine(town.database)
    assert outcome.violations == (), str(outcome)
