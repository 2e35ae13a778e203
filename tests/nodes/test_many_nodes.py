"""Two services and two workers on one database: no leader, and it makes no difference whom one asks."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest

from leadroutes.operations.doctor import examine
from leadroutes.store.postgres import Database
from tests.support.cluster import Cluster, leave
from tests.support.processes import SERVE_ONLY, WORKER, node
from tests.support.story import Story

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def pair(cluster: Cluster) -> AsyncIterator[tuple[Story, Story]]:
    """The same story at either of two services."""
    environment = cluster.environment | {"LEADROUTES_RATE_PER_ADDRESS": "500/minute"}
    async with AsyncExitStack() as running:
        first, second, *_ = [
            await running.enter_async_context(node(environment, *arguments))
            for arguments in (SERVE_ONLY, SERVE_ONLY, WORKER, WORKER)
        ]
        here = await cluster.at(first.address)
        there = Story(here.database, here.town, here.mailbox, here.settings, second.address, ids=here.ids)
        await here.set_up()
        there.key = here.key
        yield here, there
        await leave(here)
        await leave(there)


async def test_a_rule_that_is_changed_here_decides_there_at_once(pair: tuple[Story, Story]) -> None:
    """Both have decided by the rules before, so both have them at hand."""
    here, there = pair
    await here.option("bob", rank=1)
    carol = await here.option("carol", rank=2)
    await here.route()
    for number, story in enumerate((here, there)):
        lead = await story.inquire(f"mia{number}")
        assert await story.states(lead["id"]) == {"bob": "notified", "carol": "scheduled"}

    for number in range(5):
        for asked, other in ((here, there), (there, here)):
            first = "carol" if asked is here else "bob"
            changed = await asked["alice"].patch(
                f"/team-member-distribution-options/{carol}", json={"rank": 0 if first == "carol" else 2}
            )
            assert changed.status_code == 200, changed.text
            lead = await other.inquire(f"{first}{number}")
            assert (await other.states(lead["id"]))[first] == "notified", "decided by the rules before"


async def test_who_is_let_in_is_known_everywhere_at_once(pair: tuple[Story, Story]) -> None:
    here, there = pair
    token = (await here.post("alice", "/intake-keys", lead_source_id=1))["key"]
    body = {"email": "mia@example.org", "name": "Mia Lund"}
    assert (await there["anonymous"].post(f"/intake/{token}", json=body)).status_code == 201

    [key] = [each for each in (await here.get("alice", "/intake-keys"))["data"] if each["last_used_at"]]
    assert (await here["alice"].delete(f"/intake-keys/{key['id']}")).status_code == 200

    assert (await there["anonymous"].post(f"/intake/{token}", json=body)).status_code == 404


@pytest.mark.parametrize("method", ["Round Robin", "Least Loaded"])
async def test_what_is_due_is_done_once_and_leads_are_shared_fairly(
    pair: tuple[Story, Story], database: Database, method: str
) -> None:
    here, there = pair
    await here.change_team(order_method=method)
    for name in ("bob", "carol"):
        await here.option(name)
    await here.route()

    leads = await asyncio.gather(*(story.inquire(f"mia{n}{story is here}") for n in range(10) for story in pair))
    first = await here.mailbox.wait_for(20, lambda mail: str(mail["Subject"]).startswith("New lead"))
    assert Counter(mail["To"] for mail in first) == {"bob@example.com": 10, "carol@example.com": 10}
    await here.pass_time(minutes=5)
    mails = await here.mailbox.wait_for(40, lambda mail: str(mail["Subject"]).startswith("New lead"))
    assert Counter(mail["To"] for mail in mails) == {"bob@example.com": 20, "carol@example.com": 20}
    claims = await asyncio.gather(
        *(story.claim(who, lead["id"]) for lead in leads for who, story in zip(("bob", "carol"), pair, strict=True))
    )

    assert Counter(claim.status_code for claim in claims) == {200: 20, 409: 20}
    assert await there.ledger() == {"received": 20, "claimed": 20}
    assert (await examine(database)).violation is None


async def test_a_rate_limit_is_of_each_process_for_itself(cluster: Cluster) -> None:
    environment = cluster.environment | {"LEADROUTES_RATE_PER_ADDRESS": "3/hour"}
    async with node(environment, *SERVE_ONLY) as first, node(environment, *SERVE_ONLY) as second:
        for each in (first, second):
            async with httpx.AsyncClient(base_url=each.address, trust_env=False) as client:
                statuses = [(await client.get("/me")).status_code for _ in range(4)]
            assert statuses == [401, 401, 401, 429]
