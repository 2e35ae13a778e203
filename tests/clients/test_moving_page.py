"""What docs/moving-from-liondesk.md tells people to run answers what it says, in the order of the page."""

import asyncio
import os
import re
import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from leadroutes import api
from leadroutes.store import accounts
from leadroutes.store.accounts import NewApplication
from leadroutes.store.sessions import add_session
from leadroutes.web.pages import PAGES
from tests.support.javascript import RunningApp

PAGE = (Path(__file__).parents[2] / "docs" / "moving-from-liondesk.md").read_text(encoding="utf-8")
LINES = re.findall(r"^(curl .*)\n# (\d{3}) (.*)$", PAGE, re.MULTILINE)
CALLBACK = "https://dialer.example/callback"


async def run(line: str, environment: dict[str, str]) -> tuple[str, str]:
    """The status, and the body."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", f"{line} --silent --show-error --write-out '\\n%{{response_code}}'",
        env=os.environ | environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, error = await process.communicate()
    assert process.returncode == 0, error.decode()
    body, _, status = out.decode().rpartition("\n")
    return status, body


async def credentials(service: RunningApp) -> dict[str, str]:
    """What the page has people get with commands and on pages."""
    database = service.town.database
    wanted = NewApplication("Our dialer", [CALLBACK])
    made = await accounts.add_application(database, "alice@example.com", wanted)
    session = await add_session(database, service.town.users["alice"])
    question = {"response_type": "code", "client_id": made.client_id, "redirect_uri": CALLBACK, "scope": "write"}
    async with httpx.AsyncClient(base_url=service.url, headers={"Cookie": f"leadroutes={session}"}) as browser:
        allowed = await browser.post("/oauth2/authorize", params=question, data={"answer": "allow"})
    return {
        "TOKEN": service.town.tokens["alice"],
        "CLIENT_ID": made.client_id,
        "CLIENT_SECRET": made.client_secret or "",
        "CODE": parse_qs(urlsplit(allowed.headers["location"]).query)["code"][0],
    }


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
async def test_every_curl_line_answers_what_the_page_says(service: RunningApp) -> None:
    environment = await credentials(service)
    assert len(LINES) == len(re.findall("^curl ", PAGE, re.MULTILINE)) > 15
    for line, status, part in LINES:
        got, body = await run(line.replace("https://leads.example.com", service.url), environment)
        assert (got, part in body) == (status, True), (line, got, body)
        if "refresh_token" in body:
            environment["REFRESH_TOKEN"] = msgspec.json.decode(body)["refresh_token"]


def test_every_path_that_the_page_names_exists() -> None:
    page = re.sub("/+", "/", PAGE.replace("/KEY", "/:key"))
    named = set(re.findall(r"`(?:GET |POST |PATCH |DELETE )?(/[a-z0-9/:_-]+)`", page))
    pages = {f"/app{each.path}" for each in PAGES} | {"/docs", "/openapi.json", "/oauth2/authorize"}

    assert named - pages - set(api.paths()) == set()
