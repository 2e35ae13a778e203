"""A Feathers server on SQLite, which the API is measured beside: its packages, installed once, and its process.

Without Node and npm there is none, and nothing is compared.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from bench.programs import Failed, run_program, talking

HERE = Path(__file__).parent / "feathers"
FILES = ("package.json", "package-lock.json")


async def packages() -> Path | None:
    """Returns the folder of the packages, after installing them where they are missing; None without Node and npm."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    content = b"".join([(HERE / name).read_bytes() for name in FILES])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leadroutes"
    place = cache / f"bench-{hashlib.sha256(content).hexdigest()[:16]}"
    if not place.exists():
        await _install(cache, place)
    return place / "node_modules"


async def _install(cache: Path, place: Path) -> None:
    """Beside, then moved into place: half an installation does not count."""
    await asyncio.to_thread(cache.mkdir, parents=True, exist_ok=True)
    beside = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=cache))
    try:
        for name in FILES:
            await asyncio.to_thread(shutil.copy, HERE / name, beside)
        await run_program("npm", "ci", "--prefix", str(beside), "--no-audit", "--no-fund")
        await asyncio.to_thread(beside.rename, place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextlib.asynccontextmanager
async def feathers(directory: Path, routes: int) -> AsyncIterator[int | None]:
    """Yields the port of a server with so many routes in a new file of the directory; None where there is no Node."""
    found = await packages()
    if found is None:
        yield None
        return
    place = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=directory))
    command = ("node", str(HERE / "server.cjs"), str(place / "routes.sqlite"), str(routes))
    async with talking(*command, NODE_PATH=str(found)) as (process, port):
        yield port
        if process.returncode is not None:
            raise Failed(f"the Feathers server ended with {process.returncode}")
