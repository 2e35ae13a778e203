"""A trial of a draft on past leads by `leadroutes try`, from the start of the command to its end."""

from collections.abc import AsyncIterator

import msgspec

from bench import programs
from bench.figures import Figure
from bench.ground import Ground
from bench.sizes import Sizes

OWNER, USERS, MEMBERS, ROUTES = 2, 40, 20, 100
LEADS = 100_000  # for which the targets hold
SECONDS, MEGABYTES = 10.0, 500.0

# By turns in place of by rank; and what is dear, of some contacts, goes to the owner.
DRAFT = """
rules: 1
teams:
  - name: North Side
    order_method: Round Robin
routes:
  - name: Dear ones
    lead_source: {source}
    contact_source: Portals
    campaign: Follow-up
    distribution_target: Myself
    priority: -1
    conditions:
      all:
        - {{field: price, is: at least, value: 600000}}
        - {{field: contact_tags, is: equal, value: VIP}}
"""


async def measure(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """An owner with many routes, and a team of which most members are asked."""
    async with ground.database("try") as plot:
        await plot.put_in(
            "found", users=USERS, owners=OWNER, members=MEMBERS, routes=ROUTES, first_routes=ROUTES
        )  # fmt: skip
        await plot.put_in("past_leads", owner=OWNER, leads=sizes.imported)
        await plot.settle()
        source = await plot.fetchval("SELECT name FROM lead_sources WHERE id = 1")
        draft = plot.file("draft.yaml")
        draft.write_text(DRAFT.format(source=source), encoding="utf-8")
        out = await programs.run(
            "-m", "bench.trial", str(draft), f"agent{OWNER}@example.com", DATABASE_URL=plot.url
        )  # fmt: skip
        *said, measured = out.decode().rstrip().split("\n")
        if not any(f"{sizes.imported:,} leads" in line for line in said):
            raise programs.Failed(f"not all leads were tried: {said[:1]}")
        if (written := await plot.fetchval("SELECT count(*) FROM rule_trials")) != 0:
            raise programs.Failed(f"{written} trials were stored")
    found = msgspec.json.decode(measured, type=dict[str, float])
    is_full = sizes.imported == LEADS
    name = f"{sizes.imported:,} past leads, {ROUTES} routes, {MEMBERS} members by rank, and a draft by turns"
    yield Figure(
        scenario="try", name=name, value=found["seconds"], unit="s", less_is_better=True,
        target=SECONDS if is_full else None, details={"cpu_seconds": round(found["cpu_seconds"], 1)},
    )  # fmt: skip
    yield Figure(
        scenario="try", name="memory of the three processes, at most", value=found["megabytes"], unit="MB",
        less_is_better=True, target=MEGABYTES if is_full else None,
    )  # fmt: skip
