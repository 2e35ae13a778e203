"""Steps that wait by settings that are others by now are decided anew, whichever processes run beside each other."""

import asyncio
from datetime import datetime, timedelta

import pytest

from leadroutes.domain.windows import SendingRules
from leadroutes.engine.engine import Engine
from leadroutes.store.postgres import Database
from tests.support.town import Town

STRICT, LAWFUL = SendingRules(), SendingRules(is_strict=False)
EVENING = datetime.fromisoformat("2027-01-16T20:30:00-07:00")  # a Saturday in Denver: lawful, and quiet since 17:00
TUESDAY = "2027-01-19 16:00:00+00:00"  # 09:00, after a holiday
SUNDAY = "2027-01-17 15:00:00+00:00"  # 08:00, lawful again


@pytest.fixture
async def town(database: Database) -> Town:
    town = await Town.create(database)
    await database.begin_clock(EVENING)
    return town


def engine(town: Town, rules: SendingRules) -> Engine:
    """A process of its own, with a provider of texts."""
    return Engine(town.database, ["text"], rules=rules)


async def begin(town: Town, *, kind: str = "Text Contact", contacts: int = 1, **columns: object) -> None:
    """A campaign with one step, which is due at once, for so many new contacts."""
    number = await town.database.fetchval("SELECT count(*) FROM campaigns")
    campaign_id = await town.campaign("alice", f"Drip {number}", **columns)
    await town.action("alice", campaign_id, type=kind, template_id=await town.template("alice"))
    for each in range(contacts):
        contact_id = await town.contact(
            "alice", email=f"mia{number}.{each}@example.com", mobile_phone=f"+1303555{number:02}{each:02}",
            time_zone="America/Denver",
        )  # fmt: skip
        await Engine(town.database).start_campaign(town.users["alice"], campaign_id, contact_id, town.users["alice"])


async def waits(town: Town) -> list[str | None]:
    """Until when each step waits; None: it has left."""
    rows = await town.database.fetch("SELECT taken_at, waits_until FROM contact_communications ORDER BY send_at, id")
    return [None if row["taken_at"] else str(row["waits_until"]) for row in rows]


async def version(town: Town) -> int:
    found: int = await town.database.fetchval("SELECT version FROM sending_rules")
    return found


async def test_other_quiet_hours_let_a_step_go_that_waited_for_them(town: Town) -> None:
    await begin(town)
    await engine(town, STRICT).run_due()
    assert await waits(town) == [TUESDAY]
    await engine(town, LAWFUL).run_due()
    assert await waits(town) == [None]


async def test_stricter_hours_hold_a_step_until_later(town: Town) -> None:
    await town.database.move_clock(timedelta(hours=2))
    await begin(town)
    await engine(town, LAWFUL).run_due()
    assert await waits(town) == [SUNDAY]
    await engine(town, STRICT).run_due()
    assert await waits(town) == [TUESDAY]


async def test_a_start_with_the_same_settings_changes_nothing(town: Town) -> None:
    await begin(town)
    await engine(town, STRICT).run_due()
    before = await town.database.fetch("SELECT xmin::text, * FROM contact_communications")
    await engine(town, STRICT).run_due()
    assert await town.database.fetch("SELECT xmin::text, * FROM contact_communications") == before
    assert await version(town) == 1


async def test_of_many_processes_that_begin_at_once_one_changes_the_rules(town: Town) -> None:
    await begin(town)
    await engine(town, STRICT).run_due()
    await asyncio.gather(*(engine(town, LAWFUL).run_due() for _ in range(6)))
    assert await version(town) == 2
    assert await waits(town) == [None]
    assert await town.database.fetchval("SELECT count(*) FROM messages") == 1


async def test_what_a_process_with_earlier_settings_holds_meanwhile_is_decided_anew_once(town: Town) -> None:
    earlier, later = engine(town, STRICT), engine(town, LAWFUL)
    for each in (earlier, later):
        await each.run_due()
    await begin(town)
    await earlier.run_due()
    assert await waits(town) == [TUESDAY]
    await later.run_due()
    assert await waits(town) == [None]

    await town.database.move_clock(timedelta(hours=2))
    await begin(town)
    await later.run_due()
    for _ in range(2):
        await earlier.run_due()
        assert await waits(town) == [None, SUNDAY], "its own settings count for what falls due only"


async def test_a_higher_limit_of_texts_counts_for_texts_that_wait(town: Town) -> None:
    await town.database.move_clock(timedelta(days=2, hours=16))  # Tuesday noon
    campaign_id = await town.campaign("alice", "Drip")
    template_id = await town.template("alice")
    for minutes in (0, 15, 30):
        await town.action(
            "alice", campaign_id, type="Text Contact", template_id=template_id, delay_by_seconds=60 * minutes
        )
    contact_id = await town.contact("alice", mobile_phone="+13035550199", time_zone="America/Denver")
    alice = town.users["alice"]
    few = engine(town, SendingRules(texts_per_day=2))
    await few.start_campaign(alice, campaign_id, contact_id, alice)
    for _ in range(3):
        await few.run_due()
        await town.database.move_clock(timedelta(minutes=16))
    assert [each is None for each in await waits(town)] == [True, True, False]
    await engine(town, SendingRules(texts_per_day=4)).run_due()
    assert await waits(town) == [None] * 3


@pytest.mark.parametrize("per_hour", [100, None])
async def test_a_higher_limit_of_mails_counts_for_mails_that_wait_for_their_turn(
    town: Town, per_hour: int | None
) -> None:
    few = SendingRules(mails_per_hour=2)
    await begin(town, kind="Email Contact", contacts=7)
    await engine(town, few).run_due()
    assert (await waits(town)).count(None) == 2
    before = await waits(town)
    await engine(town, few).run_due()
    assert await waits(town) == before
    await engine(town, SendingRules(mails_per_hour=per_hour)).run_due()
    assert await waits(town) == [None] * 7


async def test_a_lower_limit_of_mails_keeps_their_order(town: Town) -> None:
    await begin(town, kind="Email Contact", contacts=7)
    await engine(town, SendingRules(mails_per_hour=3)).run_due()
    await engine(town, SendingRules(mails_per_hour=1)).run_due()
    held = [each for each in await waits(town) if each is not None]
    assert len(held) == 4
    assert held == sorted(set(held)), "one in an hour, in the order of their moments"


async def test_messages_that_wait_in_the_queue_are_looked_at_again(town: Town) -> None:
    await begin(town, kind="Email Contact")
    await engine(town, STRICT).run_due()
    await town.database.execute("UPDATE messages SET leaves_at = now() + interval '100 years'")
    await engine(town, STRICT).run_due()
    assert await town.database.fetchval("SELECT leaves_at FROM messages") is not None
    await engine(town, LAWFUL).run_due()
    assert await town.database.fetchval("SELECT leaves_at FROM messages") is None
