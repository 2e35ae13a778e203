"""A key of Alice's and a body that can be posted to it."""

import pytest

from leadroutes.store import accounts
from leadroutes.store.postgres import Database
from tests.support.town import Town

BODY = b'{"name": "Mia Lund", "email": "mia@example.com", "lead_type": "Buyer"}'


@pytest.fixture
async def key(database: Database) -> str:
    town = await Town.create(database)
    async with database.transaction() as transaction:
        return await accounts.issue_intake_key(transaction, town.users["alice"], "Zillow", None, None)
