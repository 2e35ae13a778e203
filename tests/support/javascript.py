"""A service on a port of its own, and Node with the packages of package.json, installed once into a cache."""

import asyncio
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from leadroutes.server.run import address_of, listen, running_service
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from tests.support.town import Town

HERE = Path(__file__).parents[1] / "clients"


@dataclass(frozen=True)
class NodeJs:
    """Runs scripts of this folder with the installed packages."""

    packages: Path

    async def start(self, script: str, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            "node", str(HERE / script), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "NODE_PATH": str(self.packages)},
        )  # fmt: skip

    async def run(self, script: str, *arguments: str) -> tuple[int | None, str]:
        """The exit code, and what was printed."""
        process = await self.start(script, *arguments)
        printed, _ = await process.communicate()
        return process.returncode, printed.decode()


@dataclass(frozen=True)
class RunningApp:
    url: str
    town: Town


@pytest.fixture
async def service(database: Database, tmp_path: Path) -> AsyncIterator[RunningApp]:
    listening = listen("127.0.0.1", 0)
    url = address_of(listening)
    settings = Settings(public_url=url, data=tmp_path, secret="a secret of the tests")
    town = await Town.create(database)
    async with running_service(settings, database, listening, with_worker=False):
        yield RunningApp(url, town)


@pytest.fixture(scope="session")
def node_js() -> NodeJs:
    """Skipped, with the reason, where Node or its packages cannot be had; with CI=true they have to be."""
    if missing := [name for name in ("node", "npm") if shutil.which(name) is None]:
        return _leave_out(f"{' and '.join(missing)} cannot be found")
    lock = (HERE / "package-lock.json").read_bytes() + (HERE / "package.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leadroutes"
    place = cache / f"clients-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not place.exists() and (problem := _install(cache, place)):
        return _leave_out(f"the packages could not be installed: {problem}")
    return NodeJs(place / "node_modules")


def _install(cache: Path, place: Path) -> str | None:
    """Beside, then moved into place: half an installation does not count. None: it is there."""
    cache.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=cache))
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, beside)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=beside, capture_output=True, text=True, check=False)
    if done.returncode == 0 and not place.exists():
        beside.rename(place)
    shutil.rmtree(beside, ignore_errors=True)
    return None if place.exists() else (done.stdout + done.stderr)[-500:]


def _leave_out(reason: str) -> NodeJs:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
