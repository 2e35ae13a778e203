"""What docs/lead-sources.md tells people to run does what it says, against the service on loopback."""

import asyncio
import re
import shlex
import shutil
from collections import Counter
from pathlib import Path

import pytest

from leadroutes.intake.formats import FORMATS
from leadroutes.intake.results import REASONS
from leadroutes.server.app import LeadRoutesApp
from leadroutes.server.run import address_of, listen, serving_http
from tests.support.intake_app import IntakeApp

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "lead-sources.md").read_text(encoding="utf-8")
LINES = re.findall(r"^curl .*$", PAGE, re.MULTILINE)


async def run(line: str, key: str, http: str, smtp: str) -> str:
    """What curl tells as the status; for a mail that of its last answer."""
    command_line = line.replace("https://leads.example.com", http).replace("smtp://leads.example.com:25", smtp)
    words = shlex.split(command_line.replace("KEY", key))
    process = await asyncio.create_subprocess_exec(
        *words, "--silent", "--show-error", "--output", "/dev/null", "--write-out", "%{response_code}",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, error = await process.communicate()
    assert process.returncode == 0, error.decode()
    return out.decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
async def test_every_curl_line_brings_its_lead_in(intake: IntakeApp) -> None:
    application = LeadRoutesApp(intake.engine, intake.arrivals, intake.town.application, intake.town.application)
    listening = listen("127.0.0.1", 0)
    statuses: Counter[str] = Counter()
    async with serving_http(intake.settings, application, listening):
        for line in LINES:
            key = await intake.key()
            smtp = f"smtp://{intake.mail[0]}:{intake.mail[1]}"
            statuses[await run(line, key, address_of(listening), smtp)] += 1

    rows = await intake.database.fetch("SELECT format, status FROM arrivals ORDER BY id")
    assert {row["format"] for row in rows} == {each.name for each in FORMATS}
    assert Counter(row["status"] for row in rows) == {"accepted": len(FORMATS) - 1, "pending": 1}
    assert set(statuses) <= {"200", "201", "250"}
    assert await intake.count("leads") == len(FORMATS) - 1


@pytest.mark.parametrize("each", FORMATS, ids=lambda each: each.name)
def test_the_table_names_the_secrets_of_every_format(each: object) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith("|") and f"`{each.name}`" in line)  # type: ignore[attr-defined]
    named = set(re.findall(r"`([a-z_]+)`", row.split("|")[3]))

    assert named == {*each.needs, *each.may_have}  # type: ignore[attr-defined]


def test_every_reason_for_a_refusal_is_explained() -> None:
    assert {why for why in REASONS if f"`{why}`" not in PAGE} == {"unknown_format"}
