"""The migration that brings suppressions: whoever had unsubscribed, or does while the version before serves, has."""

from datetime import UTC, datetime

from leadroutes.store.migrate import migrate
from leadroutes.store.postgres import Database
from tests.older import older_than
from tests.support.town import Town

older = older_than("0014")
MAY = datetime(2026, 5, 2, 8, tzinfo=UTC)


async def suppressed(database: Database) -> list[tuple[str, str, datetime]]:
    rows = await database.fetch("SELECT value, reason, at FROM suppressions ORDER BY value, owner_id")
    return [tuple(row) for row in rows]


async def test_who_had_unsubscribed_is_suppressed_by_the_address_within_the_owner(older: Database) -> None:
    town = await Town.found(older)
    await town.contact("alice", email="Petra@example.com", unsubscribed_at=MAY)
    await town.contact("alice", email="petra@example.com ", unsubscribed_at=MAY.replace(day=3))
    await town.contact("dave", email="petra@example.com")
    await town.contact("alice", email="noa@example.com")
    await town.contact("alice", unsubscribed_at=MAY)  # erased: the version before marked them so
    await migrate(older)

    assert await suppressed(older) == [("petra@example.com", "unsubscribed", MAY)]


async def test_what_the_version_before_writes_down_meanwhile_counts_as_well(older: Database) -> None:
    town = await Town.found(older)
    contact_id = await town.contact("alice", email="Petra@example.com")
    await town.contact("alice", email="noa@example.com")
    await migrate(older)
    for moment in (MAY, MAY.replace(day=3)):
        await older.execute(
            "UPDATE contacts SET unsubscribed_at = coalesce(unsubscribed_at, $2) WHERE id = $1", contact_id, moment
        )

    assert await suppressed(older) == [("petra@example.com", "unsubscribed", MAY)]
