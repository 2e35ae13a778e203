"""Errors of PostgreSQL and asyncpg by the remedy: to wait for the database, or to run the transaction again."""

import asyncio
import contextlib
from collections.abc import Iterator

import asyncpg
import structlog

from leadroutes.errors import Unavailable
from leadroutes.store.disk_space import OUT_OF_SPACE_MESSAGE, is_out_of_space

log = structlog.get_logger()

# The database is out of reach.
CONNECTION_ERRORS = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the connection was cut, and is used before that was noticed
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # 57: shut down, starting, crashed; or a statement was cancelled from outside
    asyncpg.InsufficientResourcesError,  # 53: too many connections, no memory, no space on the disk
    asyncpg.PostgresSystemError,  # 58: its files cannot be read or written
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
# Another transaction got in the way. ForeignKeyViolationError: a row was found, and has been deleted since.
RETRYABLE_ERRORS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.ForeignKeyViolationError)
# A pooler passed the statement to a connection that has not prepared it, or on which another client has.
STALE_STATEMENT_ERRORS = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)

STANDBY_MESSAGE = "This is a copy of the database, which takes no changes: make them where the original is"


@contextlib.contextmanager
def connection_errors_as_unavailable() -> Iterator[None]:
    """Raises Unavailable in place of each error that means that the database is out of reach."""
    try:
        yield
    except asyncpg.DataError:  # a subclass of InterfaceError, but its cause is a value that cannot be bound
        raise
    except STALE_STATEMENT_ERRORS as error:
        log.error("DATABASE_URL names a pooler that keeps no prepared statements: set LEADROUTES_STATEMENT_CACHE to 0")  # noqa: TRY400
        raise Unavailable from error
    except asyncpg.ReadOnlySQLTransactionError as error:
        raise Unavailable(STANDBY_MESSAGE) from error
    except CONNECTION_ERRORS as error:
        if is_out_of_space(error):
            raise Unavailable(OUT_OF_SPACE_MESSAGE, retry_after=30) from error
        raise Unavailable from error
