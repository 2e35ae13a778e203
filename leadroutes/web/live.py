"""The stream that says that something has changed, and for whom; never what: the page reads that itself.

One stream per visible tab. It is quiet between changes, but for a comment that keeps proxies from closing it.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from starlette.responses import StreamingResponse

from leadroutes.store.postgres import Database
from leadroutes.store.screens import Screens, account_topic, user_topic
from leadroutes.web.page import Viewer

PING_SECONDS = 15.0
PAUSE = 1.0  # seconds between two messages to one screen
JITTER = 0.3  # seconds, so that many screens do not ask at the same moment
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def topics_of(viewer: Viewer, listens: Iterable[str]) -> dict[str, str]:
    """Returns the topics of a viewer with the names of the events that a page hears."""
    topics = {"user": user_topic(viewer.owner_id), "account": account_topic(viewer.owner_id)}
    return {topics[name]: name for name in listens if name in topics}


def stream(
    database: Database, topics: dict[str, str], is_signed_in: Callable[[], Awaitable[bool]]
) -> StreamingResponse:
    """Returns the stream. It begins by saying that everything may have changed, and ends with the session."""
    messages = _messages(database.screens, topics, is_signed_in)
    return StreamingResponse(messages, media_type="text/event-stream", headers=HEADERS)


async def _messages(
    screens: Screens, topics: dict[str, str], is_signed_in: Callable[[], Awaitable[bool]]
) -> AsyncIterator[str]:
    watch = screens.watch(topics)
    try:
        yield _events(sorted(topics.values()))
        async for changed in watch.changes(PING_SECONDS):
            if not changed:
                if not await is_signed_in():
                    return
                yield ": still here\n\n"
                continue
            await asyncio.sleep(random.uniform(0, JITTER))  # noqa: S311 -- spreads load
            yield _events(sorted({topics[topic] for topic in changed}))
            await asyncio.sleep(PAUSE - JITTER)
    finally:
        watch.close()


def _events(names: Iterable[str]) -> str:
    return "".join(f"event: {name}-changed\ndata: .\n\n" for name in names)
