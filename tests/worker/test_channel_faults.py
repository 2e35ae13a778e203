"""What is wrong with the settings or the mail server is not wrong with a message: nothing fails, and it is said."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from leadroutes.channels import open_channels
from leadroutes.channels.envelope import DeliveryError
from leadroutes.operations.doctor import examine
from leadroutes.retry import RetryLater
from leadroutes.settings import Settings
from leadroutes.store.channel_faults import list_channel_faults
from leadroutes.store.messages import MessageKey
from leadroutes.store.postgres import Database
from leadroutes.worker.channel_health import ChannelHealth
from leadroutes.worker.delivery import MAX_ATTEMPTS, MessageDelivery
from tests.support.brokerage import Brokerage
from tests.support.mailbox import Mailbox
from tests.support.sender import Sender

REFUSED_FOR_A_DAY = 24 * 60 // 5  # tries, one in five minutes


class Server(Mailbox):
    """A mail server that answers as it is set to at each stage; None: as usual."""

    def __init__(self) -> None:
        super().__init__()
        self.to_sender: str | None = None
        self.to_recipient: Callable[[str], str | None] = lambda _: None

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.to_sender is not None:
            return self.to_sender
        envelope.mail_from, envelope.mail_options = address, options
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if answer := self.to_recipient(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"


@asynccontextmanager
async def posting(database: Database, settings: Settings) -> AsyncIterator[Sender]:
    channels = open_channels(settings)
    sender = Sender(database, MessageDelivery(database, channels, settings))
    yield sender
    for channel in channels.values():
        if channel is not None:
            await channel.close()


async def try_again(sender: Sender, *message_ids: int) -> None:
    """Each once more, by a process that has not waited for anything."""
    for message_id in message_ids:
        for known in sender.delivery._health._channels.values():
            known.held_until = 0.0
        with pytest.raises(RetryLater):
            await sender.deliver(message_id)


async def alerts(brokerage: Brokerage, count: int) -> list[int]:
    for number in range(count):
        await brokerage.ask(email=f"mia{number}@example.com")
    rows = await brokerage.town.database.fetch("SELECT id FROM messages WHERE kind = 'offer' ORDER BY id")
    return [row["id"] for row in rows]


@pytest.mark.parametrize(
    ("to_sender", "to_recipient"),
    [
        ("530 5.7.0 Authentication required", None),
        ("554 5.7.1 Sender address rejected", None),
        ("550 no such sender", None),
        ("451 4.3.0 try again later", None),
        (None, "554 5.7.1 Relay access denied"),
        (None, "550 5.1.8 <leads@brokerage.example>: Sender address rejected: Domain not found"),
        (None, "450 4.1.8 <leads@brokerage.example>: Sender address rejected: Domain not found"),
        (None, "553 5.1.7 Sender address is not valid"),
        (None, "530 5.7.0 Must issue a STARTTLS command first"),
    ],
)
async def test_a_server_that_refuses_the_sender_for_a_day_costs_no_alert(
    brokerage: Brokerage, database: Database, settings: Settings, to_sender: str | None, to_recipient: str | None
) -> None:
    async with Server() as server, posting(database, replace(settings, smtp_url=server.url)) as sender:
        server.to_sender, server.to_recipient = to_sender, lambda _: to_recipient
        first, second = await alerts(brokerage, 2)
        for _ in range(REFUSED_FOR_A_DAY):
            await try_again(sender, first)
        await try_again(sender, second)
        state, reason = await sender.outcome(first)
        assert state == "queued"
        assert (to_sender or to_recipient or "?") in (reason or "")
        assert await database.fetchval("SELECT attempts FROM messages WHERE id = $1", first) == 0

        [fault] = await list_channel_faults(database)
        assert (fault["channel"], fault["waiting"]) == ("email", 2)
        outcome = await examine(database)
        [violation] = outcome.violations
        assert violation.sentence == "Every channel that is configured sends its messages."
        assert f"channel email, reason {fault['reason']}" in str(outcome)

        server.to_sender, server.to_recipient = None, lambda _: None
        for known in sender.delivery._health._channels.values():
            known.held_until = 0.0
        await sender.deliver(first)
        await sender.deliver(second)
        assert len(server.mails) == 2
        assert await list_channel_faults(database) == []


async def test_a_login_that_is_refused_is_not_the_fault_of_a_message(
    brokerage: Brokerage, database: Database, settings: Settings
) -> None:
    async with Server() as server:
        url = server.url.replace("smtp://", "smtp://leads:wrong@")
        async with posting(database, replace(settings, smtp_url=url)) as sender:
            [message_id] = await alerts(brokerage, 1)
            await try_again(sender, message_id)
            assert (await sender.outcome(message_id))[0] == "queued"
            assert len(await list_channel_faults(database)) == 1


async def test_while_a_channel_does_not_work_one_message_tries_it_for_all(
    brokerage: Brokerage, database: Database, settings: Settings
) -> None:
    async with Server() as server, posting(database, replace(settings, smtp_url=server.url)) as sender:
        server.to_sender = "554 5.7.1 Sender address rejected"
        ids = await alerts(brokerage, 5)
        for message_id in ids:
            with pytest.raises(RetryLater) as again:
                await sender.deliver(message_id)
            assert 1 <= again.value.delay.total_seconds() <= 300
        assert len(server.connections) == 1
        states = await database.fetch("SELECT state, reason, attempts FROM messages WHERE kind = 'offer'")
        assert {(row["state"], row["attempts"]) for row in states} == {("queued", 0)}
        assert all("Sender address rejected" in row["reason"] for row in states)


async def test_a_fault_that_is_stored_while_a_message_is_taken_does_not_stay(database: Database) -> None:
    """Both are under way at once, on connections of their own, and either may be stored first."""
    for number in range(20):
        health = ChannelHealth(database)
        error = DeliveryError("421 not now", blame="channel")
        fault = health.note_fault("email", MessageKey(1, number), "bob@example.com", error)
        await asyncio.gather(fault, health.note_works("email"))
        assert health.why_held("email") is None
        assert await list_channel_faults(database) == []


async def test_an_end_that_could_not_be_stored_is_stored_after_the_next_message(database: Database) -> None:
    health = ChannelHealth(database)
    await health.note_fault("email", MessageKey(1, 1), "bob@example.com", DeliveryError("421", blame="channel"))
    async with database.transaction() as transaction:
        await transaction.execute("LOCK TABLE channel_faults")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(health.note_works("email"), 0.1)
    assert len(await list_channel_faults(database)) == 1

    await health.note_works("email")
    assert await list_channel_faults(database) == []


async def test_one_agent_whose_address_is_refused_fails_and_all_others_get_theirs(
    brokerage: Brokerage, database: Database, settings: Settings
) -> None:
    async with Server() as server, posting(database, replace(settings, smtp_url=server.url)) as sender:
        server.to_recipient = lambda address: "550 5.1.1 no such user" if address.startswith("bob") else None
        await database.execute("UPDATE team_member_distribution_options SET rank = 1")
        await database.execute("UPDATE users SET rules_version = rules_version + 1")
        await brokerage.ask()
        messages = await database.fetch(
            "SELECT m.id, u.email FROM messages m JOIN users u ON u.id = m.user_id WHERE m.kind = 'offer' ORDER BY m.id"
        )
        for row in messages:
            await sender.deliver(row["id"])
        outcomes = {row["email"]: (await sender.outcome(row["id"]))[0] for row in messages}
        assert outcomes["bob@example.com"] == "failed"
        assert set(outcomes.values()) == {"failed", "sent"}
        assert await list_channel_faults(database) == []
        violated = [each.sentence for each in (await examine(database)).violations]
        assert any(each.startswith("No alert about a lead that can still be claimed") for each in violated)


async def test_a_policy_that_refuses_one_address_only_is_that_message_s(
    brokerage: Brokerage, database: Database, settings: Settings
) -> None:
    async with Server() as server, posting(database, replace(settings, smtp_url=server.url)) as sender:
        refusal = "550 5.7.1 blocked by the policy of the recipient"
        refused, passed = await alerts(brokerage, 2)
        server.to_recipient = lambda _: refusal
        await try_again(sender, refused)
        server.to_recipient = lambda _: None
        await sender.deliver(passed)
        server.to_recipient = lambda _: refusal
        await sender.deliver(refused)
        assert (await sender.outcome(refused))[0] == "failed"
        assert (await sender.outcome(passed))[0] == "sent"


async def test_a_server_that_cannot_be_reached_for_days_loses_nothing(
    brokerage: Brokerage, database: Database, settings: Settings
) -> None:
    [message_id] = await alerts(brokerage, 1)
    async with posting(database, replace(settings, smtp_url="smtp://127.0.0.1:9")) as sender:
        for _ in range(2 * MAX_ATTEMPTS):
            await try_again(sender, message_id)
    async with Server() as server, posting(database, replace(settings, smtp_url=server.url)) as sender:
        await sender.deliver(message_id)
        assert len(server.mails) == 1


class Slow(Server):
    """Something happens while the server takes its time over a recipient."""

    def __init__(self, meddle: Callable[[], Any]) -> None:
        super().__init__()
        self.meddle = meddle

    async def handle_RCPT(self, *given: Any) -> str:  # noqa: N802
        await self.meddle()
        return await super().handle_RCPT(*given)


async def test_who_has_waited_for_the_server_looks_again_before_the_words_leave(
    brokerage: Brokerage, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadroutes.worker.delivery.RECHECK_AFTER", -1.0)  # every look is too old
    [message_id] = await alerts(brokerage, 1)
    lead_id = await database.fetchval("SELECT lead_id FROM messages WHERE id = $1", message_id)

    async def claim() -> None:
        await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])

    async with Slow(claim) as server, posting(database, replace(settings, smtp_url=server.url)) as sender:
        await sender.deliver(message_id)
        assert server.mails == []
    state, reason = await sender.outcome(message_id)
    assert state == "suppressed"
    assert "had claimed the lead" in (reason or "")
