"""The morning's digest: asked for, once a day at half past seven by the user's clock, and only with something in it."""

from datetime import UTC, datetime, timedelta

import pytest

from leadroutes.operations.doctor import examine
from leadroutes.store.notifications import change_preferences
from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage
from tests.support.mailbox import Mailbox, text_of
from tests.support.sender import Sender

DENVER = "America/Denver"


async def choose(brokerage: Brokerage, name: str, **chosen: object) -> None:
    async def work(transaction: object) -> None:
        await change_preferences(transaction, brokerage.town.users[name], dict(chosen))  # type: ignore[arg-type]

    await brokerage.town.database.run(work)


async def go_to(brokerage: Brokerage, moment: datetime) -> None:
    """The domain's clock is at least there, and everything that was due until then is done."""
    await brokerage.town.database.move_clock(moment - brokerage.town.now)
    await brokerage.engine.run_due()


async def digests(database: Database) -> list[tuple[str, str]]:
    rows = await database.fetch(
        "SELECT username, channel FROM messages JOIN users ON users.id = user_id WHERE kind = 'digest'"
        " ORDER BY messages.id"
    )
    return [tuple(row) for row in rows]


async def due_at(brokerage: Brokerage, name: str) -> datetime:
    found: datetime = await brokerage.town.database.fetchval(
        "SELECT digest_at FROM alert_preferences WHERE user_id = $1", brokerage.town.users[name]
    )
    return found


async def test_no_one_gets_a_digest_unasked(brokerage: Brokerage) -> None:
    await go_to(brokerage, brokerage.town.now + timedelta(days=2))
    assert await digests(brokerage.town.database) == []


@pytest.mark.parametrize(
    ("before", "due"),
    [
        # the clock goes forward on 14 March 2027, and back on 7 November 2027
        ("2027-03-13 15:00", ("2027-03-14 13:30", "2027-03-15 13:30")),
        ("2027-11-06 14:00", ("2027-11-07 14:30", "2027-11-08 14:30")),
    ],
    ids=["forward", "back"],
)
async def test_there_is_one_a_day_over_both_nights_on_which_clocks_change(
    brokerage: Brokerage, before: str, due: tuple[str, str]
) -> None:
    database = brokerage.town.database
    await database.execute("UPDATE users SET timezone = $1", DENVER)
    await database.begin_clock(datetime.fromisoformat(before).replace(tzinfo=UTC))
    await choose(brokerage, "bob", digest=["email"])
    first, second = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in due)

    assert await due_at(brokerage, "bob") == first
    await go_to(brokerage, first - timedelta(seconds=1))
    assert await digests(database) == []
    await go_to(brokerage, first)
    assert await digests(database) == [("bob", "email")]
    assert await due_at(brokerage, "bob") == second
    await go_to(brokerage, second)
    assert await digests(database) == [("bob", "email")] * 2


async def test_one_that_is_late_comes_once(brokerage: Brokerage) -> None:
    await choose(brokerage, "bob", digest=["email"])
    await go_to(brokerage, brokerage.town.now + timedelta(days=5))
    assert await digests(brokerage.town.database) == [("bob", "email")]
    assert await due_at(brokerage, "bob") > brokerage.town.now


async def test_a_user_who_has_moved_gets_it_by_the_new_clock(brokerage: Brokerage) -> None:
    database = brokerage.town.database
    await database.execute("UPDATE users SET timezone = 'America/New_York'")
    await choose(brokerage, "bob", digest=["email"])
    before = await due_at(brokerage, "bob")
    await database.execute("UPDATE users SET timezone = 'America/Los_Angeles'")
    await go_to(brokerage, before)
    assert await digests(database) == []
    assert await due_at(brokerage, "bob") == before + timedelta(hours=3)
    await go_to(brokerage, before + timedelta(hours=3))
    assert await digests(database) == [("bob", "email")]


async def test_it_goes_over_the_chosen_channels_and_to_the_browsers(brokerage: Brokerage) -> None:
    database, users = brokerage.town.database, brokerage.town.users
    await database.execute("UPDATE users SET phone = '303-555-0142' WHERE id = $1", users["carol"])
    for name, chosen in (("bob", ["text", "email"]), ("carol", ["text"]), ("dave", ["push"]), ("alice", ["push"])):
        await choose(brokerage, name, digest=chosen)
    for name in ("carol", "dave"):
        await database.execute(
            "INSERT INTO push_subscriptions (user_id, endpoint, p256dh, auth) VALUES ($1, $2, 'a', 'b')",
            users[name], f"https://push.example/{name}",
        )  # fmt: skip
    await go_to(brokerage, brokerage.town.now + timedelta(days=1))
    assert sorted(await digests(database)) == [("bob", "email"), ("carol", "push"), ("carol", "text"), ("dave", "push")]
    assert (await examine(database)).violations == ()


async def test_who_wants_none_any_more_gets_none(brokerage: Brokerage) -> None:
    await choose(brokerage, "bob", digest=["email"])
    await choose(brokerage, "bob", digest=[])
    await choose(brokerage, "carol", digest=["email"])
    await brokerage.town.database.execute(
        "UPDATE users SET is_active = false WHERE id = $1", brokerage.town.users["carol"]
    )
    await go_to(brokerage, brokerage.town.now + timedelta(days=2))
    assert await digests(brokerage.town.database) == []


async def test_it_says_what_there_is_to_do(brokerage: Brokerage, sender: Sender, mailbox: Mailbox) -> None:
    database, bob = brokerage.town.database, brokerage.town.users["bob"]
    await choose(brokerage, "bob", digest=["email"])
    await go_to(brokerage, await due_at(brokerage, "bob") - timedelta(minutes=10))
    lead_id = (await brokerage.ask()).stored.lead_ids[0]
    await brokerage.engine.claim(brokerage.owner_id, lead_id, bob)
    await brokerage.town.insert(
        "tasks", owner_id=bob, assigned_user_id=bob, action_type="Call Contact", status="incomplete",
        description="Call back",
        due_at=brokerage.town.now, created_at=brokerage.town.now, modified_at=brokerage.town.now,
    )  # fmt: skip
    await go_to(brokerage, await due_at(brokerage, "bob"))
    message_id = await sender.the_only("kind = 'digest'")
    await sender.deliver(message_id)

    assert await sender.outcome(message_id) == ("sent", None)
    mail = mailbox.mails[-1]
    assert mail["Subject"] == "Your leads this morning: 1 to contact"
    assert "New since yesterday: 1. Not contacted yet: Mia Lund. Tasks due today: 1." in text_of(mail)
    assert "https://leads.example/app" in text_of(mail)
    row = await database.fetchrow(
        "SELECT concat_ws(' ', subject, text_body, html_body) FROM messages WHERE kind = 'digest'"
    )
    assert row[0] == mail["Subject"], "no name is stored that erasing the contact would not find"
    assert await database.fetchval("SELECT owner_id FROM messages WHERE kind = 'digest'") == bob


async def test_with_nothing_to_say_none_is_sent(brokerage: Brokerage, sender: Sender, mailbox: Mailbox) -> None:
    await choose(brokerage, "bob", digest=["email"])
    await go_to(brokerage, await due_at(brokerage, "bob"))
    message_id = await sender.the_only("kind = 'digest'")
    await sender.deliver(message_id)
    assert await sender.outcome(message_id) == ("suppressed", "there is nothing to report")
    assert mailbox.mails == []
