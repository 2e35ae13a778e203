"""Processes that are started with other settings than before: what waits by the earlier ones is decided anew."""

from datetime import datetime

import pytest

from leadroutes.store.postgres import Database
from tests.support.cluster import Cluster
from tests.support.processes import SERVE_ONLY, WORKER, node, until
from tests.support.provider import ACCOUNT, NUMBER, Provider
from tests.support.story import Story

pytestmark = pytest.mark.timeout(300)

SATURDAY_EVENING = datetime.fromisoformat("2027-01-16T18:30:00-07:00")  # lawful in Denver, and quiet since 17:00
MIA = "+13035550199"
STRICT = {"LEADROUTES_QUIET_HOURS": "strict"}
LAWFUL = {"LEADROUTES_QUIET_HOURS": "law"}


@pytest.fixture
async def environment(cluster: Cluster, provider: Provider, database: Database) -> dict[str, str]:
    """What the processes of a Saturday evening are given."""
    await database.begin_clock(SATURDAY_EVENING)
    provider.password = "a-token-without-blanks"
    return cluster.environment | {
        "LEADROUTES_TWILIO_URL": f"{provider.url}/2010-04-01",
        "LEADROUTES_TWILIO_ACCOUNT": ACCOUNT,
        "LEADROUTES_TWILIO_TOKEN": provider.password,
        "LEADROUTES_TWILIO_FROM": NUMBER,
    }


async def begin(story: Story) -> None:
    """Alice's campaign, whose only step is a text, begins for Mia."""
    campaign = (await story.post("alice", "/campaigns", name="Follow-up"))["id"]
    folder = await story.post("alice", "/template-folders", name="Texts")
    template = await story.post("alice", "/templates", template_folder_id=folder["id"], template_type="Text", body="Hi")
    await story.post(
        "alice", f"/campaigns/{campaign}/actions", type="Text Contact", template_id=template["id"],
        timing_type="Delay by Minutes", delay_by_seconds=60,
    )  # fmt: skip
    story.ids["campaign"] = campaign
    await join(story, MIA)


async def join(story: Story, phone: str) -> None:
    """The campaign begins for one more contact, and its step falls due."""
    contact = await story.post("alice", "/contacts", mobile_phone=phone)
    await story.post("alice", f"/campaigns/{story.ids['campaign']}/contacts", contact_id=contact["id"])
    await story.pass_time(minutes=2)


async def wait_until_held(database: Database, moment: str, count: int = 1) -> None:
    """Returns once so many steps, which are all there are, wait until this moment."""

    async def is_so() -> bool:
        rows = await database.fetch("SELECT waits_until FROM contact_communications")
        return [str(row["waits_until"]) for row in rows] == [moment] * count

    await until(is_so)


TUESDAY = "2027-01-19 16:00:00+00:00"  # 09:00, after a holiday
SUNDAY = "2027-01-17 15:00:00+00:00"  # 08:00


async def test_after_a_restart_with_other_quiet_hours_a_text_that_waited_leaves(
    cluster: Cluster, environment: dict[str, str], provider: Provider, database: Database
) -> None:
    async with node(environment, *SERVE_ONLY) as serving:
        async with node(environment | STRICT, *WORKER) as worker:
            await begin(await cluster.at(serving.address))
            await wait_until_held(database, TUESDAY)
            assert await worker.stop() == 0
        async with node(environment | LAWFUL, *WORKER) as worker:
            [text] = await provider.wait_for(1)
            assert await worker.stop() == 0
    assert text["to"] == MIA


async def test_while_workers_run_with_different_settings_what_waits_follows_the_one_that_was_started_last(
    cluster: Cluster, environment: dict[str, str], provider: Provider, database: Database
) -> None:
    async with node(environment, *SERVE_ONLY) as serving, node(environment | LAWFUL, *WORKER) as earlier:
        story = await cluster.at(serving.address)
        await story.pass_time(hours=4)
        await begin(story)
        await wait_until_held(database, SUNDAY)
        async with node(environment | STRICT, *WORKER) as later:
            await wait_until_held(database, TUESDAY)
            for number in range(2, 6):  # whichever of the two takes it first
                await join(story, f"+1303555010{number}")
                await wait_until_held(database, TUESDAY, number)
            assert await earlier.stop() == 0
            assert await later.stop() == 0
    assert provider.texts == {}
