"""A worker that is killed while it removes a campaign; another one goes on where it was."""

from pathlib import Path

from leadroutes.operations.doctor import examine
from tests.support.api import ask
from tests.support.drips import GONE, MANY, begin_drip
from tests.support.processes import WORKER, node, until
from tests.support.town import Town

WAITS_FOR_LOCK = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
)
SERVES_NO_ONE = (
    "SELECT NOT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE l.relation = 'removed_campaigns'::regclass AND a.pid <> pg_backend_pid())"
)
OUTCOMES = (
    "SELECT m.state, m.reason, count(*)::int AS number FROM contact_communications s"
    " LEFT JOIN messages m ON m.owner_id = s.owner_id AND m.communication_id = s.id GROUP BY 1, 2"
)


async def test_a_removal_goes_on_after_its_worker_was_killed_in_the_middle_of_a_batch(
    town: Town, database_url: str, tmp_path: Path
) -> None:
    """A lock that someone else has on the last step holds the last batch up; those before are committed."""
    database, environment = town.database, {"DATABASE_URL": database_url, "LEADROUTES_DATA": str(tmp_path)}
    drip = await begin_drip(town)
    async with database.transaction() as other:
        await other.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # a process starts meanwhile
        await other.execute(
            "SELECT FROM contact_communications WHERE id = (SELECT max(id) FROM contact_communications) FOR UPDATE"
        )
        removed = await ask(town, "alice", "DELETE", drip.path)
        assert removed.status == 200, removed.body
        async with node(environment, *WORKER) as killed:
            await until(lambda: database.fetchval(WAITS_FOR_LOCK))
            killed.process.kill()
            await killed.end()
        left = await drip.open_steps()
        assert 0 < left < MANY, "some batches are done, and one was under way"
    await until(lambda: database.fetchval(SERVES_NO_ONE))
    assert await drip.open_steps() == left, "nothing is done of the batch that was under way"

    async with node(environment, *WORKER):

        async def is_done() -> bool:
            return not await database.fetchval("SELECT count(*) FROM removed_campaigns")

        await until(is_done)
    assert [tuple(row) for row in await database.fetch(OUTCOMES)] == [("suppressed", GONE, MANY)]
    assert await database.fetchval("SELECT count(*) FROM campaign_contacts") == 0
    assert (await examine(database)).violation is None
