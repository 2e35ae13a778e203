"""What is retained no longer goes, in small batches, once an hour; what is in use stays, and no one waits for it."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from leadroutes.errors import Conflict
from leadroutes.operations.doctor import examine
from leadroutes.operations.import_jobs import store_import
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from leadroutes.store.sessions import add_session, find_session
from leadroutes.worker.retention import BATCH_SIZE, clean, clean_when_due
from leadroutes.worker.worker import Worker
from tests.support.brokerage import Brokerage
from tests.support.hooks import Hooks
from tests.support.sender import Sender

DAY = timedelta(days=1)
SHORT = Settings(keep_arrivals=7, keep_messages=7, keep_claim_links=7, keep_rule_sets=7, keep_queue_log=7)


async def swept(database: Database, settings: Settings = SHORT) -> dict[str, int]:
    """What was cleaned, without what was not; afterwards the doctor finds nothing."""
    cleaned = await clean(database, settings, asyncio.Event())
    outcome = await examine(database)
    assert outcome.violation is None, str(outcome.violation)
    return {what: rows for what, rows in cleaned.items() if rows}


async def deliver(sender: Sender) -> int:
    message_id = await sender.the_only()
    await sender.deliver(message_id)
    await sender.database.execute("DELETE FROM pgqueuer")
    return message_id


async def test_what_is_young_stays(brokerage: Brokerage, sender: Sender) -> None:
    await brokerage.ask("a key")
    await deliver(sender)

    assert await swept(brokerage.town.database) == {}


async def test_nothing_that_someone_wrote_goes_unless_that_is_set(brokerage: Brokerage, sender: Sender) -> None:
    await brokerage.ask()
    await deliver(sender)
    await brokerage.town.database.move_clock(1000 * DAY)
    cleaned = await clean(brokerage.town.database, Settings(), asyncio.Event())

    assert "arrivals" not in cleaned
    assert "messages" not in cleaned


async def test_old_arrivals_are_emptied_and_say_so(brokerage: Brokerage) -> None:
    database = brokerage.town.database
    answer = await brokerage.ask(email="unknown", phone="none")
    assert answer.stored.status == "rejected"
    assert answer.stored.arrival_id is not None
    await database.move_clock(8 * DAY)
    assert (await swept(database))["arrivals"] == 1
    assert (await swept(database)).get("arrivals") is None, "only once"

    row = await database.fetchrow("SELECT body, headers, status FROM arrivals")
    assert row is not None
    assert (row["body"], row["headers"], row["status"]) == (b"", "{}", "rejected")
    with pytest.raises(Conflict, match="has been removed"):
        await brokerage.arrivals.replay(brokerage.owner_id, answer.stored.arrival_id)


async def test_an_arrival_that_is_pending_stays(brokerage: Brokerage) -> None:
    database = brokerage.town.database
    await brokerage.ask(email="unknown", phone="none")
    await database.execute("UPDATE arrivals SET status = 'pending'")
    await database.move_clock(8 * DAY)

    assert "arrivals" not in await swept(database)


async def test_old_messages_lose_their_words_once_they_are_over(brokerage: Brokerage, sender: Sender) -> None:
    database = brokerage.town.database
    await brokerage.ask()
    await deliver(sender)
    await database.move_clock(8 * DAY)
    await swept(database)

    row = await database.fetchrow("SELECT * FROM messages")
    assert row is not None
    assert (row["subject"], row["text_body"], row["html_body"]) == (None, None, None)
    assert (row["state"], row["address"]) == ("sent", "bob@example.com")


async def test_a_message_that_is_tried_again_keeps_its_words(brokerage: Brokerage) -> None:
    database = brokerage.town.database
    await brokerage.ask()
    await database.execute("UPDATE messages SET text_body = 'Hello', attempts = 1")
    await database.move_clock(8 * DAY)

    assert "messages" not in await swept(database)


async def test_old_claim_links_lead_nowhere(brokerage: Brokerage, sender: Sender) -> None:
    database = brokerage.town.database
    await brokerage.ask()
    await deliver(sender)
    await database.move_clock(6 * DAY)
    assert "claim_links" not in await swept(database)
    await database.move_clock(2 * DAY)

    assert (await swept(database))["claim_links"] == 1


async def test_old_calls_are_removed(brokerage: Brokerage) -> None:
    database = brokerage.town.database
    await brokerage.ask()
    await database.execute(
        "INSERT INTO calls (owner_id, message_id, lead_id, user_id, token_hash, number, created_at)"
        " SELECT owner_id, id, lead_id, user_id, 'x', '+13035550002', $1 FROM messages WHERE kind = 'offer'",
        database.clock.now(),
    )
    await database.move_clock(6 * DAY)
    assert "calls" not in await swept(database)
    await database.move_clock(2 * DAY)

    assert (await swept(database))["calls"] == 1


async def test_keys_go_once_they_count_no_longer_and_those_of_vendors_and_imports_never(brokerage: Brokerage) -> None:
    database = brokerage.town.database
    await brokerage.ask("an idempotency key", lead_id="vendor-1")
    for scope in ("vendor 1", "import"):
        await database.execute(
            "INSERT INTO idempotency_keys SELECT owner_id, $1, 'vendor-1', NULL, lead_id, arrival_id, created_at"
            " FROM idempotency_keys WHERE scope LIKE 'key %' ON CONFLICT DO NOTHING",
            scope,
        )
    await database.move_clock(timedelta(hours=23, minutes=59))
    assert "idempotency_keys" not in await swept(database)
    await database.move_clock(timedelta(minutes=5))

    assert (await swept(database))["idempotency_keys"] == 2
    assert await database.fetchval("SELECT array_agg(scope ORDER BY scope) FROM idempotency_keys") == [
        "import",
        "vendor 1",
    ]


async def test_sessions_go_when_they_are_over(brokerage: Brokerage) -> None:
    database = brokerage.town.database
    token = await add_session(database, brokerage.owner_id)
    await add_session(database, brokerage.owner_id)
    await database.execute(
        "UPDATE sessions SET expires_at = now() - interval '1 second' WHERE token_hash ="
        " (SELECT token_hash FROM sessions WHERE token_hash <> sha256($1::text::bytea) LIMIT 1)",
        token,
    )

    assert await swept(database) == {"sessions": 1}
    assert await find_session(database, token) is not None


async def test_what_was_typed_goes_after_an_hour_also_where_no_one_types_again(brokerage: Brokerage) -> None:
    database = brokerage.town.database
    await database.execute(
        "INSERT INTO typed_forms (token_hash, user_id, path, fields, typed_at)"
        " SELECT n::text::bytea, $1, '/app/contacts/1', '{}', now() - n * interval '50 minutes'"
        " FROM generate_series(1, 3) n", brokerage.owner_id,
    )  # fmt: skip

    assert await swept(database) == {"typed_forms": 2}
    assert await database.fetchval("SELECT count(*) FROM typed_forms") == 1


async def test_rule_sets_stay_with_the_leads_that_they_decided(brokerage: Brokerage) -> None:
    database = brokerage.town.database
    await brokerage.ask()
    [decided] = await database.fetch("SELECT number FROM rule_sets")
    for number in range(1, 4):
        await database.execute(
            "INSERT INTO rule_sets (owner_id, number, rules, created_at)"
            " SELECT owner_id, number + $1::int, rules, created_at FROM rule_sets WHERE number = $2",
            number,
            decided["number"],
        )
    await database.move_clock(8 * DAY)

    assert (await swept(database))["rule_sets"] == 2
    assert [
        row["number"] - decided["number"] for row in await database.fetch("SELECT number FROM rule_sets ORDER BY 1")
    ] == [
        0,
        3,
    ], "the one that decided, and the latest, which may be the present one"


async def test_a_rule_set_that_was_followed_just_now_stays_a_while(brokerage: Brokerage) -> None:
    database = brokerage.town.database
    await brokerage.ask()
    await database.execute("UPDATE rule_sets SET number = number + 1000")
    await database.execute("UPDATE leads SET rule_set = rule_set + 1000")
    await database.move_clock(8 * DAY)
    values = "SELECT owner_id, number + $1::int, rules, $2 FROM rule_sets LIMIT 1"
    await database.execute(f"INSERT INTO rule_sets {values}", 1, database.clock.now() - 8 * DAY)
    await database.execute(f"INSERT INTO rule_sets {values}", 2, database.clock.now())

    assert "rule_sets" not in await swept(database)


async def test_the_log_of_the_queue_goes_after_its_days(database: Database) -> None:
    log = "INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint) SELECT now() - $1::interval, 1,"
    await database.execute(f"{log} 'successful', 0, 'deliver' FROM generate_series(1, 3)", 8 * DAY)
    await database.execute(f"{log} 'successful', 0, 'deliver'", DAY)
    counted = "INSERT INTO pgqueuer_statistics (created, count, priority, status, entrypoint)"
    await database.execute(f"{counted} VALUES (now() - $1::interval, 5, 0, 'successful', 'deliver')", 8 * DAY)

    assert await swept(database) == {"queue_log": 3, "queue_statistics": 1}


# ----------------------------------------------------------------------------------------------- how it goes about


async def test_many_rows_go_in_small_batches(brokerage: Brokerage) -> None:
    database = brokerage.town.database
    await database.execute(
        "INSERT INTO sessions SELECT sha256(n::text::bytea), $1, now(), now() - interval '1 day'"
        " FROM generate_series(1, $2) n",
        brokerage.owner_id,
        2 * BATCH_SIZE + 7,
    )

    assert await swept(database) == {"sessions": 2 * BATCH_SIZE + 7}


async def test_a_locked_row_is_passed_over(brokerage: Brokerage) -> None:
    database = brokerage.town.database
    await brokerage.ask()
    await database.move_clock(8 * DAY)
    async with database.transaction() as transaction:
        await transaction.execute("SELECT FROM arrivals FOR UPDATE")
        assert "arrivals" not in await swept(database)

    assert (await swept(database))["arrivals"] == 1


async def test_the_cleaning_waits_for_no_one(brokerage: Brokerage, sender: Sender) -> None:
    """Another session holds every row that is due, of every kind: the cleaning skips them, and takes them later."""
    database = brokerage.town.database
    await brokerage.ask("a key")
    await deliver(sender)
    await add_session(database, brokerage.owner_id)
    await database.execute("UPDATE sessions SET expires_at = now() - interval '1 day'")
    await database.execute(
        "INSERT INTO rule_sets SELECT owner_id, number - 1, rules, created_at FROM rule_sets LIMIT 1"
    )
    await database.execute(
        "INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint)"
        " VALUES (now() - interval '8 days', 1, 'successful', 0, 'deliver')"
    )
    await database.execute(
        "INSERT INTO pgqueuer_statistics (created, count, priority, status, entrypoint)"
        " VALUES (now() - interval '8 days', 5, 0, 'successful', 'deliver')"
    )
    application_id = await brokerage.town.insert(
        "applications", user_id=brokerage.owner_id, name="App", client_id="app", redirect_uris=[]
    )
    grant_id = await brokerage.town.insert(
        "grants", user_id=brokerage.owner_id, application_id=application_id, scope=["read"]
    )
    await database.execute(
        "INSERT INTO authorization_codes VALUES ('x', $1, 'https://app', NULL, now() - interval '2 days')", grant_id
    )
    await database.move_clock(8 * DAY)
    tables = ("arrivals", "messages", "claim_tokens", "idempotency_keys", "sessions", "authorization_codes",
              "pgqueuer_log", "pgqueuer_statistics", "rule_sets")  # fmt: skip
    async with database.transaction() as transaction:
        for table in tables:
            await transaction.execute(f"SELECT FROM {table} FOR UPDATE")
        assert await asyncio.wait_for(swept(database), 30) == {}

    assert len(await swept(database)) == len(tables)


async def test_one_worker_cleans_in_an_hour(database: Database) -> None:
    assert await clean_when_due(database, SHORT, asyncio.Event()) is None, "the installation is new"
    await database.execute("UPDATE cleaning SET begun_at = now() - interval '61 minutes'")
    outcomes = await asyncio.gather(*(clean_when_due(database, SHORT, asyncio.Event()) for _ in range(4)))

    assert sum(outcome is not None for outcome in outcomes) == 1


async def test_a_worker_cleans_up_while_it_works(brokerage: Brokerage, tmp_path: Path) -> None:
    database = brokerage.town.database
    await brokerage.ask()
    await database.move_clock(8 * DAY)
    await database.execute("UPDATE cleaning SET begun_at = now() - interval '61 minutes'")
    worker = Worker(database, brokerage.engine, Settings(data=tmp_path, keep_arrivals=7))
    task = asyncio.create_task(worker.run())
    async with asyncio.timeout(20):
        while not await database.fetchval("SELECT emptied_at IS NOT NULL FROM arrivals"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    worker.stop()
    await asyncio.wait_for(task, 20)


async def test_deliveries_to_webhooks_go_after_30_days_also_those_that_wait(hooks: Hooks) -> None:
    await hooks.add("http://127.0.0.1:9/")
    await hooks.brokerage.ask()
    assert "deliveries" not in await swept(hooks.database)
    await hooks.database.execute("UPDATE webhook_deliveries SET created_at = now() - interval '30 days 1 second'")
    assert (await swept(hooks.database))["deliveries"] == 2

    assert await hooks.deliveries() == []


async def test_files_of_imports_go_and_their_results_stay(brokerage: Brokerage) -> None:
    database = brokerage.town.database
    import_id = await store_import(database, brokerage.owner_id, b"received_at,email\n2026-08-01,a@example.com\n", None)
    assert "imports" not in await swept(database)
    await database.move_clock(8 * DAY)
    assert (await swept(database))["imports"] == 1

    assert await database.fetchval("SELECT count(*) FROM import_files") == 0
    assert await database.fetchval("SELECT id FROM imports") == import_id
