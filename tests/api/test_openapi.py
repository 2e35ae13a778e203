"""The description against the running service: schemathesis sends what it allows and what it forbids, all checks on.

A few examples of each call in every run, beside the edges of each field; `bin/check --deep` asks for ten thousand.
"""

import asyncio
import sys
from pathlib import Path

import pytest

from leadroutes.api.operations import OPERATIONS
from leadroutes.server.run import address_of, listen, running_service
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from tests.support.examples import EXAMPLES
from tests.support.town import Town

ROOT = Path(__file__).parents[2]
SEED = 20260116


@pytest.mark.timeout(7200)
async def test_schemathesis_finds_nothing(database: Database, tmp_path: Path) -> None:
    town = await Town.create(database)
    await database.execute("UPDATE users SET is_admin = true, is_broker = true WHERE username = 'alice'")
    listening = listen("127.0.0.1", 0)
    url = address_of(listening)
    settings = Settings(public_url=url, data=tmp_path, secret="a secret of the tests")
    async with running_service(settings, database, listening):
        process = await asyncio.create_subprocess_exec(
            *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/openapi.json", "--no-color"),
            *("--checks", "all", "--continue-on-failure", "--generation-database", "none", "--seed", str(SEED)),
            *("--max-examples", str(-(-EXAMPLES // len(OPERATIONS))), "--warnings", "off"),
            *("--header", f"Authorization: Bearer {town.tokens['alice']}"),
            cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()[-20_000:]
    assert f"Tested: {len(OPERATIONS)}" in output.decode()
