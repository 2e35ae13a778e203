"""Shortens what libraries log while the database is away: a line a minute in place of a traceback for each attempt."""

import logging
import time

from leadroutes.store.connection_errors import CONNECTION_ERRORS

REPEAT_AFTER = 60.0  # seconds in which the same report is logged once
LIBRARIES = ("asyncpg", "asyncpg.pool", "pgqueuer")


class OneLineFilter(logging.Filter):
    """Removes the traceback from records whose exception means that the database is away."""

    def __init__(self) -> None:
        super().__init__()
        self._logged_at: dict[tuple[object, type[BaseException]], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, CONNECTION_ERRORS):
            return True
        now, key = time.monotonic(), (record.msg, type(error))
        if now - self._logged_at.get(key, float("-inf")) < REPEAT_AFTER:
            return False
        self._logged_at[key] = now
        record.msg, record.args = "%s: %r", (record.getMessage(), error)
        record.exc_info = record.exc_text = None
        return True


def silence_library_tracebacks() -> None:
    """Add the filter to the loggers of these libraries, for this process."""
    for name in LIBRARIES:
        logger = logging.getLogger(name)
        if not any(isinstance(each, OneLineFilter) for each in logger.filters):
            logger.addFilter(OneLineFilter())
