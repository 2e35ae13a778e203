"""A worker that is killed while it carries an edit of a campaign over; another one goes on where it was."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.drips import HOUR, MAIL, MANY, REMOVED, TASK, begin_drip
from tests.support.processes import WORKER, node, until
from tests.support.town import Town

CALLED = (120, "Call", "incomplete", MANY)
MAILED = ("Email Contact", 60, 1, True, None, MANY)
ADDED = {"template_id": 1, "delay_by_seconds": 5 * HOUR}
KINDS: dict[str, tuple[int | None, dict[str, Any] | None, list[tuple], list[tuple]]] = {
    "an added message": (None, MAIL | ADDED, [MAILED, ("Email Contact", 300, 1, True, None, MANY)], [CALLED]),
    "an added task": (
        None, TASK | {"delay_by_seconds": 5 * HOUR}, [MAILED], [CALLED, (300, "Call", "incomplete", MANY)]),
    "a moved message": (0, {"delay_by_seconds": 3 * HOUR}, [("Email Contact", 180, 1, True, None, MANY)], [CALLED]),
    "a removed message": (0, None, [("Email Contact", 60, 1, False, REMOVED, MANY)], [CALLED]),
}  # fmt: skip
LAST = (
    "SELECT FROM campaign_contacts WHERE id = (SELECT max(id) FROM campaign_contacts) FOR UPDATE",
    "SELECT FROM contact_communications WHERE id = (SELECT max(id) FROM contact_communications) FOR UPDATE",
)
WAITS_FOR_LOCK = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
)
SERVES_NO_ONE = (
    "SELECT NOT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE l.relation = 'changed_actions'::regclass AND a.pid <> pg_backend_pid())"
)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_edit_goes_on_after_its_worker_was_killed_in_the_middle_of_a_batch(
    town: Town, database_url: str, tmp_path: Path, kind: str
) -> None:
    """A lock that someone else has on the last contact holds the last batch up; the one before is committed."""
    number, body, messages, tasks = KINDS[kind]
    database, environment = town.database, {"DATABASE_URL": database_url, "LEADROUTES_DATA": str(tmp_path)}
    drip = await begin_drip(town)
    async with database.transaction() as other:
        await other.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # a process starts meanwhile
        for each in LAST:
            await other.execute(each)
        await drip.edit(number, body)
        at_first = await drip.left()
        async with node(environment, *WORKER) as killed:
            await until(lambda: database.fetchval(WAITS_FOR_LOCK))
            killed.process.kill()
            await killed.end()
        left = await drip.left()
        assert 0 < left < at_first, "some batches are done, and one was under way"
    await until(lambda: database.fetchval(SERVES_NO_ONE))
    assert await drip.left() == left, "nothing is done of the batch that was under way"
    assert [each[-1] for each in await drip.messages()] != [each[-1] for each in messages] or (
        await drip.tasks() != tasks
    )

    async with node(environment, *WORKER):

        async def is_done() -> bool:
            return not await drip.is_pending()

        await until(is_done)
    assert await drip.left() == 0
    assert await drip.messages() == messages
    assert await drip.tasks() == tasks
