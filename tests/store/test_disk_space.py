"""A disk that is full is a database that is away: 503 until there is room, and /readyz says so."""

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from leadroutes.errors import Unavailable
from leadroutes.store.connection_errors import CONNECTION_ERRORS, connection_errors_as_unavailable
from leadroutes.store.disk_space import DiskSpace, is_out_of_space
from leadroutes.store.postgres import Database
from tests.support.processes import ROOT

CLASSES = ("53", "57", "58")  # insufficient resources, operator intervention, system error


def errors() -> list[type[asyncpg.PostgresError]]:
    found = [each for each in vars(asyncpg).values() if isinstance(each, type) and getattr(each, "sqlstate", None)]
    return sorted({each for each in found if issubclass(each, asyncpg.PostgresError)}, key=lambda each: each.__name__)


@pytest.mark.parametrize("error", [each for each in errors() if each.sqlstate.startswith(CLASSES)])
def test_want_of_resources_and_a_server_that_goes_down_are_a_database_that_is_away(
    error: type[asyncpg.PostgresError],
) -> None:
    assert issubclass(error, CONNECTION_ERRORS)
    with pytest.raises(Unavailable) as unavailable, connection_errors_as_unavailable():
        raise error("no detail of it is shown")
    assert "no detail" not in unavailable.value.message
    is_room = error.sqlstate.startswith(("53", "58")) and error is not asyncpg.TooManyConnectionsError
    assert is_out_of_space(error("")) == is_room
    assert ("no room" in unavailable.value.message) == is_room


def test_faults_of_a_statement_are_not() -> None:
    others = [each for each in errors() if each.sqlstate[:2] in ("22", "23", "42", "54", "XX")]
    assert len(others) > 50
    assert [
        each
        for each in others
        if issubclass(each, CONNECTION_ERRORS) and each is not asyncpg.ReadOnlySQLTransactionError
    ] == []


async def test_after_a_refusal_room_is_tried_out_until_it_is_there() -> None:
    answers, tried = [OSError("full")], []

    async def probe() -> None:
        tried.append(None)
        if answers:
            raise answers.pop()

    disk_space = DiskSpace(probe)
    assert await disk_space.is_available()
    assert not tried, "as long as all goes well nothing is written to find out"
    disk_space.note_refusal(asyncpg.DiskFullError("full"))
    assert not await disk_space.is_available()
    assert not await disk_space.is_available()
    assert len(tried) == 1, "not with every look"
    disk_space._probed_at = float("-inf")
    assert await disk_space.is_available()
    assert len(tried) == 2


async def test_the_probe_leaves_nothing_behind(database: Database) -> None:
    database.disk_space.note_refusal(asyncpg.DiskFullError("full"))

    assert await database.disk_space.is_available()
    assert await database.fetchval("SELECT count(*) FROM room_probe") == 0


# ------------------------------------------------------------------------------------------------ a small disk


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 190 MB, where the embedded server's own user comes to as well."""
    above = Path(tempfile.mkdtemp(prefix="leadroutes-disk-"))
    above.chmod(0o755)
    disk = above / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=190m,mode=755", "tmpfs", str(disk)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("NOT TESTED: what happens when the disk is full (there is no `mount` here)")
    if done.returncode:
        pytest.skip(f"NOT TESTED: what happens when the disk is full ({done.stderr.strip()})")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=False)
    shutil.rmtree(above, ignore_errors=True)


def make_larger(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=400m", str(disk)], check=True)


async def service(disk: Path, log: Path) -> tuple[asyncio.subprocess.Process, str]:
    environment = {name: value for name, value in os.environ.items() if "LEADROUTES" not in name}
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "leadroutes", "serve", "--port", "0", cwd=ROOT, stderr=file,
            env={
                **environment, "LEADROUTES_DATA": str(disk), "LEADROUTES_LOG_JSON": "on",
                "LEADROUTES_LOG_LEADS": "off",
            },
        )  # fmt: skip
    while (address := address_in(log)) is None:
        assert process.returncode is None
        await asyncio.sleep(0.1)
    return process, address


def address_in(log: Path) -> str | None:
    lines = (json.loads(line) for line in log.read_text().splitlines() if '"listening"' in line)
    return next((line["address"] for line in lines), None)


async def leadroutes(disk: Path, *words: str, text: str = "") -> str:
    """The last word of what a command prints; the command has to succeed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "leadroutes", *words, cwd=ROOT, env={**os.environ, "LEADROUTES_DATA": str(disk)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate(text.encode())
    assert process.returncode == 0, out
    return out.decode().split()[-1]


async def becomes(client: httpx.AsyncClient, status: int) -> None:
    while (await client.get("/readyz")).status_code != status:  # noqa: ASYNC110 -- of another process
        await asyncio.sleep(0.2)


@pytest.mark.timeout(300)
async def test_a_full_disk_is_503_and_not_ready_until_there_is_room_and_nothing_is_lost(
    small_disk: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    process, address = await service(small_disk, log)
    try:
        email = "alice@example.com"
        await leadroutes(
            small_disk, "user", "add", email, "--first-name", "Alice", "--last-name", "Test", "--password-stdin",
            text="a good password",
        )  # fmt: skip
        key = await leadroutes(small_disk, "intake-key", "issue", email, "--lead-source", "Zillow")
        async with httpx.AsyncClient(base_url=address, timeout=60) as client:
            await becomes(client, 200)
            accepted = refused = 0
            while refused < 5:
                body = {"email": f"eve{accepted}@example.com", "note": secrets.token_hex(30_000)}
                reply = await client.post(f"/intake/{key}", json=body)
                assert reply.status_code in (201, 503), reply.text
                accepted += reply.status_code == 201
                refused += reply.status_code == 503
                if reply.status_code == 503:
                    assert int(reply.headers["retry-after"]) > 0
                    assert (await client.get("/readyz")).status_code == 503

            make_larger(small_disk)
            await becomes(client, 200)
            assert (await client.post(f"/intake/{key}", json={"email": "late@example.com"})).status_code == 201
            token = await leadroutes(small_disk, "token", "issue", email)
            headers = {"Authorization": f"Bearer {token}"}
            stored = await client.get("/leads?$limit=0", headers=headers)
            assert stored.json()["total"] == accepted + 1
        await leadroutes(small_disk, "doctor")
    finally:
        process.terminate()
        await process.wait()
    said = log.read_text()
    assert [line[-1500:] for line in said.splitlines() if "Traceback" in line] == []
    assert said.count("has no room") == said.count("has room again")
