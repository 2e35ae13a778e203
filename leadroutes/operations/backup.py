"""Backup and restore: PostgreSQL's own pg_dump and pg_restore, from the embedded server's wheel or from the PATH.

It does not depend on the tables; what must not be sent again after a restore is marked by one statement of the store.
"""

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import asyncpg

from leadroutes.errors import Conflict, Invalid, Misconfigured, Unavailable
from leadroutes.security.private_files import private_file
from leadroutes.settings import Settings
from leadroutes.settings.values import join_database_url, split_database_url
from leadroutes.store import statement
from leadroutes.store.analyze import analyze_all
from leadroutes.store.campaigns import repeat_held_birthdays
from leadroutes.store.connection_errors import connection_errors_as_unavailable
from leadroutes.store.embedded import bundled_programs, start_embedded_server
from leadroutes.store.hosts import Hosts, each_host
from leadroutes.store.migrate import LOCK, migrate, migrations
from leadroutes.store.postgres import Database

MAGIC = b"PGDMP"  # the beginning of pg_dump's custom format
DUMP_OPTIONS = ("--schema=public", "--no-owner", "--no-privileges")
NOW = "(SELECT domain_anchor + (clock_timestamp() - real_anchor) * scale FROM domain_clock)"
# What pg_restore sets for the session that replays its script, and the PostgreSQL that was the first to know it.
SET_SINCE = {"transaction_timeout": 17}


@dataclass(frozen=True, slots=True)
class Target:
    """A database for PostgreSQL's programs; the password is passed in the environment, which `ps` does not show."""

    url: str
    environment: dict[str, str]
    major: int
    is_empty: bool
    others: int  # connections other than this process's


async def write_backup(settings: Settings, file: Path) -> int:
    """Writes a consistent backup to `file` and returns its size in bytes. If it fails, no file is left behind.

    Raises Conflict if the database is empty: probably it is the wrong one.
    """
    target = await _find_target(settings)
    if target.is_empty:
        raise Conflict("There is nothing in the database: is it the one that the service uses?")
    dump = _oldest("pg_dump", target.major)
    with private_file(file) as unfinished:
        await _run(target, dump, "--format=custom", *DUMP_OPTIONS, f"--file={unfinished}", f"--dbname={target.url}")
    return _size(file)


def _size(file: Path) -> int:
    return file.stat().st_size


async def restore_backup(settings: Settings, file: Path, *, replace: bool, moved: bool) -> int:
    """Restores a backup in one transaction. Returns how many messages to contacts are held back; none with `moved`.

    Raises Conflict if another session is connected, if the database is not empty and `replace` is false, or if the
    file is broken, not a backup of Lead Routes, or of a newer version.
    """
    _check(file)
    target = await _find_target(settings)
    _require_no_sessions(target)
    if not target.is_empty and not replace:
        raise Conflict("The database is not empty; --replace puts the backup in the place of all that is there")
    with tempfile.TemporaryDirectory(prefix="leadroutes-restore-") as directory:
        begin, script, end = (Path(directory, name) for name in ("begin.sql", "restore.sql", "end.sql"))
        begin.write_text(_beginning(), encoding="utf-8")
        end.write_text(_ending(moved=moved), encoding="utf-8")
        await _run(target, _newest("pg_restore"), *DUMP_OPTIONS, f"--file={script}", str(file))
        _adapt_script(script, target.major)
        _require_no_sessions(await _find_target(settings))
        held = await _replay(target, begin, script, end)
    await _migrate(settings)
    return held


def _check(file: Path) -> None:
    with file.open("rb") as opened:
        if opened.read(len(MAGIC)) != MAGIC:
            raise Invalid(f"{file}: expected a file that leadroutes backup has written")


def _require_no_sessions(target: Target) -> None:
    """Raises Conflict if other sessions exist: a running service caches rules, which the backup may not have."""
    if target.others:
        raise Conflict(
            f"The database has {target.others} other connections: stop every leadroutes serve and worker, and whatever"
            " else is connected, then restore"
        )


def _beginning() -> str:
    cleared = statement("clear_schema").inline(lock=str(LOCK))
    return f"{cleared};\n"


def _ending(*, moved: bool) -> str:
    """What a contact may have been sent between the backup and now must not be sent twice; answers how much that is."""
    known = ",".join(name for name, _ in migrations())
    approved = statement("approve_restored").inline(known_migrations=f"'{{{known}}}'")
    held = statement("hold_back_messages").inline(now=NOW)
    counted = r"\echo 0" if moved else f"{held};"
    return f"{approved};\nSET search_path = public;\n{counted}\n"


def _adapt_script(script: Path, major: int) -> None:
    """Removes settings that an older server does not know. They precede all data."""
    unknown = [f"SET {name} = " for name, since in SET_SINCE.items() if major < since]
    suited = script.with_suffix(".suited")
    with script.open("rb") as read, suited.open("wb") as written:
        for line in read:
            if line.startswith((b"CREATE ", b"COPY ")):
                written.write(line)
                break
            if not line.startswith(tuple(each.encode() for each in unknown)):
                written.write(line)
        shutil.copyfileobj(read, written)
    suited.replace(script)


async def _replay(target: Target, *scripts: Path) -> int:
    """Runs the scripts in one transaction; an error changes nothing. Returns the number that the last script prints."""
    output = await _run(
        target, _newest("psql"), "--no-psqlrc", "--quiet", "--single-transaction", "--tuples-only",
        "--no-align", "--set=ON_ERROR_STOP=1", f"--dbname={target.url}", *(f"--file={script}" for script in scripts),
    )  # fmt: skip
    return int(output.split()[-1])


async def _migrate(settings: Settings) -> None:
    """Migrates a backup of an older version, and collects statistics, without which the first hours would be slow."""
    database = await Database.open(settings)
    try:
        await migrate(database)
        await database.run(repeat_held_birthdays)
        await analyze_all(database)
    finally:
        await database.close()


# ------------------------------------------------------------------------------------------------ where and with what


async def _find_target(settings: Settings) -> Target:
    if settings.database_url is None:
        url = await asyncio.to_thread(start_embedded_server, settings.data)
    else:
        url = settings.listen_url or settings.database_url
    with _connection_errors_as_problems(), connection_errors_as_unavailable():
        connection = await Hosts(url).connect()
        try:
            major = connection.get_server_version().major
            [found] = await connection.fetch(*statement("inspect_database").bind())
        finally:
            await connection.close()
    address, password = _without_password(url)
    environment = {**os.environ, **({"PGPASSWORD": password} if password is not None else {})}
    if len(each_host(url)) > 1:
        environment["PGTARGETSESSIONATTRS"] = "read-write"
    return Target(address, environment, major, found["is_empty"], found["others"])


@contextlib.contextmanager
def _connection_errors_as_problems() -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        raise Unavailable(f"PostgreSQL cannot be reached: {error.__cause__}") from error
    except asyncpg.PostgresError as error:
        raise Misconfigured(f"PostgreSQL does not let us in: {error}") from error


def _without_password(url: str) -> tuple[str, str | None]:
    """Returns the address without its password, and the password from before the hosts or from the options."""
    parts = split_database_url(url)
    people, at, hosts = parts.netloc.rpartition("@")
    user, colon, password = people.partition(":")
    options = parts.query.split("&") if parts.query else []
    among = [each.partition("=")[2] for each in options if each.startswith("password=")]
    query = "&".join(each for each in options if not each.startswith("password="))
    address = join_database_url(parts._replace(netloc=f"{user}{at}{hosts}", query=query))
    return address, unquote(among[-1] if among else password) if among or colon else None


def _oldest(name: str, major: int) -> str:
    """Returns the oldest program that is not older than the server. Raises Misconfigured if there is none."""
    programs = sorted(_programs(name))
    found = next((path for version, path in programs if version >= major), None)
    if found is None:
        known = ", ".join(sorted({str(version) for version, _ in programs})) or "none"
        raise Misconfigured(f"{name} of PostgreSQL {major} or newer is needed; there are those of {known}")
    return found


def _newest(name: str) -> str:
    """Returns the newest program: it reads older dumps and servers. Raises Misconfigured if there is none."""
    found = max(_programs(name), default=None)
    if found is None:
        raise Misconfigured(f"{name} of PostgreSQL is needed, and it is not on the PATH")
    return found[1]


def _programs(name: str) -> Iterable[tuple[int, str]]:
    """Yields (major version, path) of the programs in the wheel, in Debian's directories and on the PATH."""
    yield from ((version, str(directory / name)) for version, directory in bundled_programs().items())
    for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}"):
        if path.parts[-3].isdigit():
            yield int(path.parts[-3]), str(path)
    if (on_path := shutil.which(name)) and (version := _version(on_path)):
        yield version, on_path


def _version(program: str) -> int | None:
    """Returns the major version from the output `pg_dump (PostgreSQL) 16.4`; None if the program cannot be run."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        output = subprocess.run(  # noqa: S603 -- a path found by this module
            [program, "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
        if found := re.search(r"\) (\d+)", output):
            return int(found[1])
    return None


async def _run(target: Target, program: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        program, *arguments, env=target.environment, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        output, errors = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
    if process.returncode != 0:
        lines = errors.decode("utf-8", "replace").strip().splitlines() or [f"it ended with {process.returncode}"]
        faults = [line for line in lines if "error:" in line.lower()] or lines
        raise Conflict(re.sub(r"psql:/[^\s:]+(?::[0-9]+)?: ", "", f"{Path(program).name}: {' '.join(faults[:3])}"))
    return output.decode("utf-8", "replace")
