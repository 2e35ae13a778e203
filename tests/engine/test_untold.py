"""Every alert about an offer has failed: the next member is asked and the owner notified, whatever ends in between."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from leadroutes.domain.model import Initiator
from leadroutes.engine.engine import Engine
from leadroutes.operations.doctor import examine
from leadroutes.store.calls import settle_call
from leadroutes.store.listener import WAKE_CHANNEL
from leadroutes.store.messages import DeliveryLog, DeliveryOutcome, MessageKey
from leadroutes.store.postgres import Database
from leadroutes.store.provider_states import ProviderReport, note_report
from leadroutes.store.returned_mails import ReturnedTo, fail_message
from tests.support.brokerage import Brokerage

FAILED = DeliveryOutcome(state="failed", reason="the mail server said 550 5.1.1 unknown", address="bob@example.com")


async def ask(brokerage: Brokerage) -> int:
    return (await brokerage.ask()).stored.lead_ids[0]


async def note(database: Database, where: str, outcome: DeliveryOutcome = FAILED) -> None:
    """These messages have this outcome, as the worker notes it."""
    log = DeliveryLog(database)
    for row in await database.fetch(f"SELECT owner_id, id FROM messages WHERE {where} ORDER BY id"):
        message = await log.begin(MessageKey(row["owner_id"], row["id"]))
        assert message is not None
        assert await log.note(MessageKey(row["owner_id"], row["id"]), message.attempts, outcome)


async def reasons(brokerage: Brokerage, lead_id: int) -> dict[str, tuple[str, str | None]]:
    rows = await brokerage.town.database.fetch(
        "SELECT username, state, reason FROM offers JOIN users ON users.id = user_id WHERE lead_id = $1", lead_id
    )
    return {row["username"]: (row["state"], row["reason"]) for row in rows}


async def alerts_to_owners(brokerage: Brokerage) -> list[str]:
    rows = await brokerage.town.database.fetch(
        "SELECT username, channel FROM messages JOIN users ON users.id = user_id WHERE kind = 'untold' ORDER BY 1, 2"
    )
    return [f"{row['username']} by {row['channel']}" for row in rows]


UNTOLD = ("notified", "could not be told")


async def test_in_rank_the_next_is_asked_at_once(brokerage: Brokerage) -> None:
    lead_id = await ask(brokerage)
    await note(brokerage.town.database, "kind = 'offer'")
    moment = await brokerage.engine.run_due()

    assert await reasons(brokerage, lead_id) == {"bob": UNTOLD, "carol": ("notified", None)}
    assert await alerts_to_owners(brokerage) == ["alice by email"]
    assert moment is not None
    assert moment > brokerage.town.now, "nothing is left to do at once"
    history = await brokerage.engine.history(brokerage.owner_id, lead_id)
    assert ("alerts failed", brokerage.town.users["bob"]) in [(each["kind"], each["user_id"]) for each in history]
    assert (await brokerage.engine.ledger(brokerage.owner_id))["on_offer"] == 1
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])
    assert (await brokerage.states(lead_id)) == {"bob": "won", "carol": "lost"}


async def test_under_exclusive_the_offer_stays_claimable(brokerage: Brokerage) -> None:
    await brokerage.town.database.execute("UPDATE teams SET offer_mode = 'Exclusive'")
    lead_id = await ask(brokerage)
    await note(brokerage.town.database, "kind = 'offer'")
    await brokerage.engine.run_due()

    assert await reasons(brokerage, lead_id) == {"bob": UNTOLD, "carol": ("notified", None)}
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])


async def test_when_no_one_is_left_the_lead_stays_on_offer(brokerage: Brokerage) -> None:
    lead_id = await ask(brokerage)
    lapses_at = await brokerage.town.database.fetchval("SELECT lapses_at FROM leads")
    await note(brokerage.town.database, "kind = 'offer'")
    await brokerage.engine.run_due()
    await note(brokerage.town.database, "kind = 'offer' AND state = 'queued'")
    await brokerage.engine.run_due()

    assert await reasons(brokerage, lead_id) == {"bob": UNTOLD, "carol": UNTOLD}
    assert await alerts_to_owners(brokerage) == ["alice by email", "alice by email"]
    assert (await brokerage.engine.ledger(brokerage.owner_id))["on_offer"] == 1
    assert await brokerage.town.database.fetchval("SELECT lapses_at FROM leads") is not None
    assert lapses_at is not None


async def test_an_owner_in_the_line_up_is_passed_over_in_silence(brokerage: Brokerage) -> None:
    town = brokerage.town
    await town.option("alice", town.team_id, "alice", rank=0)
    lead_id = await ask(brokerage)
    await note(town.database, "kind = 'offer'")
    await brokerage.engine.run_due()

    assert await reasons(brokerage, lead_id) == {
        "alice": UNTOLD, "bob": ("notified", None), "carol": ("scheduled", None)
    }  # fmt: skip
    assert await alerts_to_owners(brokerage) == []


@pytest.mark.parametrize(
    "other",
    [
        DeliveryOutcome(state="suppressed", reason="no text channel is configured"),
        DeliveryOutcome(state="sent", address="303-555-0142"),
        DeliveryOutcome(state="unknown", reason="it may have arrived"),
        None,
    ],
    ids=["suppressed", "sent", "unknown", "still to be sent"],
)
async def test_one_alert_that_has_not_failed_is_enough(brokerage: Brokerage, other: DeliveryOutcome | None) -> None:
    await brokerage.town.database.execute("UPDATE team_member_distribution_options SET has_text_alert = true")
    lead_id = await ask(brokerage)
    await note(brokerage.town.database, "kind = 'offer' AND channel = 'email'")
    if other is not None:
        await note(brokerage.town.database, "kind = 'offer' AND channel = 'text'", other)
    await brokerage.engine.run_due()

    assert await reasons(brokerage, lead_id) == {"bob": ("notified", None), "carol": ("scheduled", None)}
    assert await alerts_to_owners(brokerage) == []
    assert await brokerage.town.database.fetchval("SELECT count(*) FROM failed_notices") == 0


async def test_a_notification_in_a_browser_does_not_count(brokerage: Brokerage) -> None:
    await brokerage.town.database.execute(
        "INSERT INTO push_subscriptions (user_id, endpoint, p256dh, auth) VALUES ($1, 'https://x', 'a', 'b')",
        brokerage.town.users["bob"],
    )
    lead_id = await ask(brokerage)
    await note(brokerage.town.database, "kind = 'offer' AND channel = 'push'")
    await brokerage.engine.run_due()
    assert await reasons(brokerage, lead_id) == {"bob": ("notified", None), "carol": ("scheduled", None)}

    sent = DeliveryOutcome(state="sent", address="browsers")
    await brokerage.town.database.execute("UPDATE messages SET state = 'queued' WHERE channel = 'push'")
    await note(brokerage.town.database, "kind = 'offer' AND channel = 'push'", sent)
    await note(brokerage.town.database, "kind = 'offer' AND channel = 'email' AND state = 'queued'")
    await brokerage.engine.run_due()
    assert await reasons(brokerage, lead_id) == {"bob": UNTOLD, "carol": ("notified", None)}


async def test_it_is_done_once_however_often_it_fails(brokerage: Brokerage) -> None:
    lead_id, bob = await ask(brokerage), brokerage.town.users["bob"]
    for _ in range(3):
        await note(brokerage.town.database, f"kind = 'offer' AND state = 'queued' AND user_id = {bob}")
        await brokerage.engine.run_due()
        await brokerage.town.database.execute("UPDATE messages SET state = 'queued' WHERE state = 'failed'")
    assert (await reasons(brokerage, lead_id))["bob"] == UNTOLD
    assert await alerts_to_owners(brokerage) == ["alice by email"]


async def test_a_failure_after_the_claim_changes_nothing(brokerage: Brokerage) -> None:
    lead_id = await ask(brokerage)
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])
    await note(brokerage.town.database, "kind = 'offer'")
    await brokerage.engine.run_due()
    assert await reasons(brokerage, lead_id) == {"bob": ("won", None), "carol": ("withdrawn", None)}
    assert await alerts_to_owners(brokerage) == []
    assert await brokerage.town.database.fetchval("SELECT count(*) FROM failed_notices") == 0


async def test_nothing_is_lost_with_the_process_that_noted_it(brokerage: Brokerage) -> None:
    """It dies right after the outcome is on disk; another one finds what is to be done."""
    lead_id = await ask(brokerage)
    await note(brokerage.town.database, "kind = 'offer'")
    other = Engine(brokerage.town.database)
    assert [each.sentence for each in (await examine(brokerage.town.database)).violations] == [
        (
            "No alert about a lead that can still be claimed has failed permanently, unless an agent did not answer the"
            " phone."
        )
    ]
    await other.run_due()
    assert await reasons(brokerage, lead_id) == {"bob": UNTOLD, "carol": ("notified", None)}


async def test_two_workers_who_note_two_failures_at_once_lose_neither(brokerage: Brokerage) -> None:
    """The second failure is not committed yet when a third process looks at the first one."""
    database = brokerage.town.database
    await database.execute("UPDATE team_member_distribution_options SET has_text_alert = true")
    lead_id = await ask(brokerage)
    await note(database, "kind = 'offer' AND channel = 'email'")
    async with database.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("UPDATE messages SET state = 'failed' WHERE kind = 'offer' AND channel = 'text'")
        await brokerage.engine.run_due()
        assert (await reasons(brokerage, lead_id))["bob"] == ("notified", None)
        await transaction.commit()
    await brokerage.engine.run_due()
    assert await reasons(brokerage, lead_id) == {"bob": UNTOLD, "carol": ("notified", None)}
    assert await alerts_to_owners(brokerage) == ["alice by email"]


async def test_a_failure_that_waits_for_whoever_looks_is_found_next_time(brokerage: Brokerage) -> None:
    """The other way round: the look has begun, and the second failure is committed behind it."""
    database = brokerage.town.database
    await database.execute("UPDATE team_member_distribution_options SET has_text_alert = true")
    lead_id = await ask(brokerage)
    await note(database, "kind = 'offer' AND channel = 'email'")
    async with database.pool.acquire() as looking:
        transaction = looking.transaction()
        await transaction.start()
        await looking.execute("SELECT FROM failed_notices FOR UPDATE")
        failing = asyncio.create_task(
            database.execute("UPDATE messages SET state = 'failed' WHERE kind = 'offer' AND channel = 'text'")
        )
        await wait_until_blocked(database)
        await looking.execute("DELETE FROM failed_notices")
        await transaction.commit()
    await failing
    await brokerage.engine.run_due()
    assert await reasons(brokerage, lead_id) == {"bob": UNTOLD, "carol": ("notified", None)}


async def wait_until_blocked(database: Database) -> None:
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(10):
        while not await database.fetchval(blocked):  # noqa: ASYNC110 -- the database tells no one
            await asyncio.sleep(0.01)


async def test_two_workers_act_once(brokerage: Brokerage) -> None:
    """Two processes whose timers see the same failures of many leads."""
    database = brokerage.town.database
    lead_ids = [(await brokerage.ask(email=f"p{number}@example.org")).stored.lead_ids[0] for number in range(20)]
    await note(database, "kind = 'offer'")
    await asyncio.gather(*(Engine(database).run_due() for _ in range(2)), brokerage.engine.run_due())
    await brokerage.engine.run_due()

    for lead_id in lead_ids:
        assert await reasons(brokerage, lead_id) == {"bob": UNTOLD, "carol": ("notified", None)}
    assert len(await alerts_to_owners(brokerage)) == 20
    assert await database.fetchval("SELECT count(*) FROM lead_events WHERE kind = 'alerts failed'") == 20


async def report_text(database: Database, key: MessageKey) -> None:
    report = ProviderReport(
        owner_id=key.owner_id, message_id=key.id, provider_id="SM1", state="undelivered", error_code=30003
    )
    await note_report(database, report, is_callback=True)


async def report_mail(database: Database, key: MessageKey) -> None:
    returned = ReturnedTo(key.owner_id, key.id)
    await database.run(lambda transaction: fail_message(transaction, returned, "the mail came back"))


async def report_call(database: Database, key: MessageKey) -> None:
    for provider_id in ("CA1", "SM1"):
        await database.execute(
            "INSERT INTO calls (owner_id, message_id, lead_id, user_id, token_hash, number, created_at, provider_id,"
            " outcome, ended_at) SELECT owner_id, id, lead_id, user_id, convert_to($2, 'UTF8'), address, created_at,"
            " $2, 'busy', created_at FROM messages WHERE id = $1",
            key.id, provider_id,
        )  # fmt: skip
    await settle_call(database, key)


@pytest.mark.parametrize(("channel", "report"), [("text", report_text), ("email", report_mail), ("call", report_call)])
async def test_the_worker_learns_at_once_of_a_failure_that_is_reported_later(
    brokerage: Brokerage, channel: str, report: Callable[[Database, MessageKey], Awaitable[None]]
) -> None:
    database = brokerage.town.database
    lead_id = await ask(brokerage)
    message_id = await database.fetchval(
        "UPDATE messages SET channel = $1, state = 'sent', provider_id = 'SM1', address = '+13035550142'"
        " WHERE kind = 'offer' RETURNING id", channel,
    )  # fmt: skip
    woken = asyncio.Event()
    async with database.pool.acquire() as listening:
        await listening.add_listener(WAKE_CHANNEL, lambda *_: woken.set())
        await report(database, MessageKey(brokerage.owner_id, message_id))
        await asyncio.wait_for(woken.wait(), 10)
        await listening.reset()
    await brokerage.engine.run_due()
    assert (await reasons(brokerage, lead_id))["bob"] == UNTOLD


async def test_after_giving_back_only_the_new_alerts_count(brokerage: Brokerage) -> None:
    lead_id = await ask(brokerage)
    await note(brokerage.town.database, "kind = 'offer'")
    await brokerage.engine.run_due()
    carol = brokerage.town.users["carol"]
    await brokerage.engine.claim(brokerage.owner_id, lead_id, carol)
    await brokerage.engine.give_back(brokerage.owner_id, lead_id, Initiator(user_id=carol))
    assert (await reasons(brokerage, lead_id))["bob"] == ("notified", None)
    await note(brokerage.town.database, "kind = 'reoffer'")
    await brokerage.engine.run_due()
    assert (await reasons(brokerage, lead_id))["bob"] == UNTOLD


async def test_the_owner_reads_who_was_not_reached(brokerage: Brokerage) -> None:
    await ask(brokerage)
    await note(brokerage.town.database, "kind = 'offer'")
    await brokerage.engine.run_due()
    row = await brokerage.town.database.fetchrow("SELECT owner_id, id FROM messages WHERE kind = 'untold'")
    message: Any = await DeliveryLog(brokerage.town.database).begin(MessageKey(row["owner_id"], row["id"]))
    assert message.lead.untold_names == "Bob Town"
