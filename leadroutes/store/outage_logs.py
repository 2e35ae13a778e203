"""Libraries report that the database is away with a traceback for each attempt; here that becomes a line a minute."""

import logging
import time

from leadroutes.store.connection_errors import CONNECTION_ERRORS

REPEAT_AFTER = 60.0  # seconds in which the same report is logged once
LIBRARIES = ("asyncpg", "asyncpg.pool", "pgqueuer")


class OneLineFilter(logging.Filter):
    """Of what is logged with an exception that means that the database is away: the line, without the traceback."""

    def __init__(self) -> None:
        super().__init__()
        self._said_at: dict[tuple[object, type[BaseException]], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, CONNECTION_ERRORS):
            return True
        now, news = time.monotonic(), (record.msg, type(error))
        if now - self._said_at.get(news, float("-inf")) < REPEAT_AFTER:
            return False
        self._said_at[news] = now
        record.msg, record.args = "%s: %r", (record.getMessage(), error)
        record.exc_info = record.exc_text = None
        return True


def silence_library_tracebacks() -> None:
    """For this process."""
    for name in LIBRARIES:
        logger = logging.getLogger(name)
        if not any(isinstance(each, OneLineFilter) for each in logger.filters):
            logger.addFilter(OneLineFilter())
