"""What the service answers about its rules once the leads have settled: a check, a trial, and why not this member.

Over HTTP, as the owner and the member would ask. What is not answered is noted as trouble of the cast.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from leadroutes.demo.agents import PATIENCE, Cast
from leadroutes.demo.script import DRAFT, DRAFT_IN_WORDS, OWNER, PAUSED

LONGEST_TRIAL = 30.0  # seconds


async def answers(cast: Cast) -> AsyncIterator[str]:
    """Yields a sentence for each question, as it is answered."""
    for question in (_check, _trial, _why_not):
        sentence = await question(cast)
        if sentence is not None:
            yield sentence


async def _check(cast: Cast) -> str | None:
    checked = await cast.ask(OWNER, "GET", "/rules/check")
    if checked is None:
        return None
    findings = checked["findings"]
    if not findings:
        cast.trouble.append("the check finds nothing")
        return None
    return f"The check has {_count(len(findings), 'finding')}, first: {findings[0]['message']}"


async def _trial(cast: Cast) -> str | None:
    """Tries on the leads of the demonstration what another rule would have done with them."""
    trial = await cast.ask(OWNER, "POST", "/rules/trials", {"draft": DRAFT, "since": "24h"})
    try:
        async with asyncio.timeout(LONGEST_TRIAL):
            while trial is not None and trial["state"] == "running":
                await asyncio.sleep(PATIENCE)
                trial = await cast.ask(OWNER, "GET", f"/rules/trials/{trial['id']}")
    except TimeoutError:
        cast.trouble.append(f"the trial takes more than {LONGEST_TRIAL:.0f} seconds")
        return None
    if trial is None:
        return None
    if trial["state"] != "finished":
        cast.trouble.append(f"the trial is {trial['state']}: {trial['reason']}")
        return None
    leads, moved = trial["totals"]["leads"], trial["moved"]["count"]
    return f"A trial: {DRAFT_IN_WORDS}, {moved} of {_count(leads, 'lead')} would go to someone else first"


async def _why_not(cast: Cast) -> str | None:
    """The newest lead that the member who is paused was skipped for."""
    passed = await cast.ask(PAUSED, "GET", "/passed-over")
    if passed is None:
        return None
    found: dict[str, Any] | None = next((row for row in passed["data"] if "paused" in row["reason"]), None)
    name = PAUSED.partition(".")[0].title()
    if found is None:
        cast.trouble.append(f"{name} was not passed over for a pause")
        return None
    return f"Why {name} was not offered the lead from {found['source']} ({found['outcome']}): {found['reason']}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
