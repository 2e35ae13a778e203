"""Requests that the provider of texts and calls makes: each is dealt with once, and answered the same for ever.

What they mean is decided elsewhere.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from leadroutes.errors import Unavailable
from leadroutes.store import statement
from leadroutes.store.postgres import Database

PATIENCE: Final = timedelta(seconds=30)  # after which a request that was not answered is dealt with again
POLL_INTERVAL, MAX_POLLS = 0.2, 50  # seconds; how often it is looked whether another process has answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request is answered with; None: nothing. `owner_id` and `contact_id`: about whom it says something."""

    text: str | None = None
    owner_id: int | None = None
    contact_id: int | None = None


async def answer_once(database: Database, key: str, work: Callable[[], Awaitable[Answer]]) -> str | None:
    """Returns the answer to the request with this key: that of `work`, or what `work` answered the first time.

    `work` is run again only where the process that ran it ended before its answer was stored. Raises Unavailable while
    another process is at it for longer than the provider waits.
    """
    for _ in range(MAX_POLLS):
        row = await database.fetchrow(*statement("take_provider_request").bind(key=key, patience=PATIENCE))
        assert row is not None
        if row["is_taken"]:
            return await _answer(database, key, work)
        if row["is_answered"]:
            return str(row["answer"]) if row["answer"] is not None else None
        await asyncio.sleep(POLL_INTERVAL)
    raise Unavailable("This request is being dealt with", retry_after=5)


async def _answer(database: Database, key: str, work: Callable[[], Awaitable[Answer]]) -> str | None:
    try:
        answer = await work()
        await database.execute(
            *statement("answer_provider_request").bind(
                key=key, answer=answer.text, owner_id=answer.owner_id, contact_id=answer.contact_id
            )
        )
    except BaseException:
        await asyncio.shield(database.execute(*statement("release_provider_request").bind(key=key)))
        raise
    return answer.text
