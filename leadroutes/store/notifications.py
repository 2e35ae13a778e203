"""Alerts as their users want them: browsers that show notifications, preferences, digests, tests of a channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from leadroutes.domain.agent_hours import agent_zone
from leadroutes.domain.alert_times import next_digest
from leadroutes.domain.alerts import DEFAULTS
from leadroutes.domain.message import MorningDigest
from leadroutes.store import statement
from leadroutes.store.leads import wake_worker
from leadroutes.store.messages import enqueue
from leadroutes.store.postgres import Database, Transaction

MOST_BROWSERS = 20  # of one user; the newest stay
MOST_NAMED = 10  # leads of a digest
MOST_COUNTED = 1_000
TEST_PAUSE = timedelta(minutes=1)  # between two tests of one channel by one user
DAY = timedelta(days=1)


# ------------------------------------------------------------------------------------------------------- browsers


@dataclass(frozen=True, slots=True)
class PushSubscription:
    """A browser that shows notifications."""

    id: int
    endpoint: str
    p256dh: str
    auth: str


async def list_push_subscriptions(database: Database, user_id: int) -> list[PushSubscription]:
    """Returns the browsers of a user."""
    rows = await database.fetch(*statement("list_push_subscriptions").bind(user_id=user_id))
    return [PushSubscription(**row) for row in rows]


async def add_push_subscription(
    transaction: Transaction, user_id: int, endpoint: str, keys: dict[str, str], browser: str | None
) -> int:
    """Adds a browser, or gives one that is known to this user, and returns its id. The oldest beyond 20 are removed."""
    added: int = await transaction.fetchval(
        *statement("add_push_subscription").bind(
            user_id=user_id, endpoint=endpoint, p256dh=keys["p256dh"], auth=keys["auth"], browser=browser
        )
    )
    await transaction.execute(*statement("trim_push_subscriptions").bind(user_id=user_id, most=MOST_BROWSERS))
    return added


async def remove_push_subscription(database: Database, gone: PushSubscription) -> None:
    """Removes a browser that its push service does not know any more."""
    await database.execute(
        *statement("remove_push_subscription").bind(subscription_id=gone.id, p256dh=gone.p256dh, auth=gone.auth)
    )


# ---------------------------------------------------------------------------------------------------- preferences


async def change_preferences(transaction: Transaction, user_id: int, sent: dict[str, Any]) -> None:
    """Stores what a user has chosen, by the names of the fields; the rest stays as it was, or as it is by default."""
    row = await transaction.fetchrow(*statement("find_alert_preferences").bind(user_id=user_id))
    assert row is not None
    chosen = {name: row[name] if row[name] is not None else list(default) for name, default in DEFAULTS.items()}
    chosen |= {"quiet_from": row["quiet_from"], "quiet_to": row["quiet_to"]} | sent
    digest_at = row["digest_at"]
    if not chosen["digest"]:
        digest_at = None
    elif digest_at is None:
        digest_at = next_digest(transaction.now, agent_zone(row["timezone"], row["phone"], None))
    await transaction.execute(*statement("set_alert_preferences").bind(user_id=user_id, digest_at=digest_at, **chosen))
    await wake_worker(transaction)


# -------------------------------------------------------------------------------------------------------- digests


async def queue_digests(
    transaction: Transaction, user_ids: Sequence[int], wanted: Sequence[bool], next_at: Sequence[datetime]
) -> None:
    """Queues the digests of users whose moment has come, and moves it; lists of equal length."""
    rows = await transaction.fetch(
        *statement("queue_digests").bind(
            user_ids=list(user_ids), wanted=list(wanted), next_at=list(next_at), now=transaction.now
        )
    )
    await enqueue(transaction.connection, [(row["owner_id"], row["id"]) for row in rows])


async def load_digest(database: Database, user_id: int) -> MorningDigest:
    """Returns what a user's digest says at this moment."""
    now = database.clock.now()
    row = await database.fetchrow(
        *statement("load_digest").bind(user_id=user_id, since=now - DAY, until=now + DAY / 2, most=MOST_COUNTED)
    )
    assert row is not None
    leads = await database.fetch(*statement("list_inbox_leads").bind(user_id=user_id, now=now, most=MOST_NAMED + 1))
    return MorningDigest(
        claimed=row["claimed"],
        tasks=row["tasks"],
        waiting=tuple(each["name"].strip() or "someone without a name" for each in leads[:MOST_NAMED]),
        has_more=len(leads) > MOST_NAMED,
    )


# ---------------------------------------------------------------------------------------------------------- tests


async def add_test_message(transaction: Transaction, user_id: int, channel: str) -> bool:
    """Queues a message by which a user tries a channel. Returns False where one was asked for within a minute."""
    added = await transaction.fetchval(
        *statement("add_test_message").bind(
            user_id=user_id, channel=channel, now=transaction.now, after=transaction.now - TEST_PAUSE
        )
    )
    if added is not None:
        await enqueue(transaction.connection, [(user_id, added)])
    return added is not None


async def list_test_messages(database: Database, user_id: int) -> dict[str, asyncpg.Record]:
    """Returns the last test of each channel by a user."""
    rows = await database.fetch(*statement("list_test_messages").bind(user_id=user_id))
    return {row["channel"]: row for row in rows}
