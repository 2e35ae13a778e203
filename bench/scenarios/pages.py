"""The web application of an owner who has been here for years: pages, what lives on them, their weight, open streams.

The rows are those of sql/large_owner.sql, with a thousand routes and a hundred members, and a campaign of many steps,
which is the newest one. One connection asks.
"""

import asyncio
import time
from collections.abc import AsyncIterator

from bench import programs
from bench.figures import Figure
from bench.ground import Ground, Plot
from bench.load import Plan, request, write_requests
from bench.people import bearer
from bench.sizes import Sizes
from leadroutes.web.pages import PAGES

SCENARIO = "pages"
PAGE, REPORT, FRAGMENT, PREVIEW = 50.0, 300.0, 5.0, 100.0  # milliseconds: 95 of 100
WEIGHT = 60.0  # kB of a page
SEEN = 2.0  # seconds from a claim to the last screen that it concerns
STREAM = 100.0  # kB of memory of an open stream
STREAMS, CONCERNED, MANY = 200, 20, 500
OWNER, MEMBER = 1, 2  # users; the member is offered what waits, and has claimed a part of what was
ROUTES, MEMBERS, STEPS = 1000, 100, 40
TIMES, LIVE_TIMES = 40, 400  # a page is asked for; a part of one that is open is asked for again and again
RECORDS = {
    "campaigns": "campaigns", "contacts": "contacts", "leads": "leads", "routes": "lead_routes",
    "sources": "lead_sources", "teams": "teams", "templates": "templates",
}  # fmt: skip


async def measure(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """Every page that the owner has, the fragments of those that change by themselves, then the streams."""
    async with ground.database("pages") as plot:
        members = min(MEMBERS, sizes.agents)
        routes = min(ROUTES, sizes.routes)
        await plot.put_in(
            "found", users=sizes.agents + 2, owners=1, members=members, routes=routes, first_routes=routes
        )
        await plot.put_in("large_owner", leads=sizes.leads, agents=sizes.agents)
        await plot.put_in(
            "waiting_leads", users=sizes.agents + 2, owners=1, members=members, leads=5, notified=members,
            due="infinity", apart=0,
        )  # fmt: skip
        await plot.put_in("long_campaign", steps=STEPS)
        await plot.keep_rule_sets(1)
        await plot.execute("UPDATE users SET is_admin = true WHERE id = 1; SELECT recount(1)")
        await plot.settle()
        await _sign_in(plot)
        async with programs.serve(plot.url, plot.file("serve.log"), "--no-worker") as running:
            for path in await _paths(plot):
                yield await _page(plot, running.port, _name(path), path, _limit(path))
            offered = await plot.fetchval("SELECT max(id) FROM leads")
            for name, path, user_id in (
                ("the board's fragment", "/app/board?part=board", OWNER),
                ("the inbox's fragment, of a member", "/app?part=inbox", MEMBER),
                ("the fragment of a lead on offer, for its owner", f"/app/leads/{offered}?part=now", OWNER),
                ("the fragment of a lead on offer, for a member", f"/app/leads/{offered}?part=now", MEMBER),
            ):
                yield await _page(plot, running.port, name, path, FRAGMENT, user_id, LIVE_TIMES)
            async for figure in _streams(running, sizes):
                yield figure


def _cookie(user_id: int) -> str:
    return f"leadroutes=session-{user_id}"


async def _sign_in(plot: Plot) -> None:
    """A session of every user, whose token is computed from the user's id."""
    await plot.execute(
        "INSERT INTO sessions (token_hash, user_id, expires_at)"
        " SELECT sha256(convert_to('session-' || id, 'UTF8')), id, now() + interval '1 day' FROM users"
    )


async def _paths(plot: Plot) -> list[str]:
    """Every page of an administrator that can be opened by its path, or for the newest record of the owner."""
    found = []
    for page in PAGES:
        if page.for_team_leads:  # no one else opens it
            continue
        path = "/app" + page.path.rstrip("/")
        if "{id}" in path:
            table = RECORDS.get(page.path.split("/")[1])
            newest = await plot.fetchval(f"SELECT max(id) FROM {table}") if table else None
            if newest is None:
                continue
            path = path.replace("{id}", str(newest))
        found.append(path)
    return found


def _name(path: str) -> str:
    return f"{path}, {STEPS} steps" if path.startswith("/app/campaigns/") and not path.endswith("/new") else path


def _limit(path: str) -> float:
    return REPORT if "/reports" in path else PREVIEW if path.endswith("/preview") else PAGE


async def _page(
    plot: Plot, port: int, name: str, path: str, limit: float, user_id: int = OWNER, times: int = TIMES
) -> Figure:
    asked = request("GET", path, Cookie=_cookie(user_id))
    file = write_requests(plot.file("requests"), [asked] * times)
    try:
        outcome = await programs.load(Plan(port=port, connections=1, requests=file), 200)
    except programs.Failed as failed:
        raise programs.Failed(f"{path}: {failed}") from failed
    weight = len(await _answer(port, asked)) / 1000
    return Figure(
        scenario=SCENARIO,
        name=f"{name}: p95",
        value=outcome.latencies["p95"],
        unit="ms",
        target=limit,
        less_is_better=True,
        details={"latencies": outcome.latencies, "kB": round(weight, 1), "is light": weight < WEIGHT},
    )


async def _answer(port: int, asked: bytes) -> bytes:
    """One whole answer; its length is in its head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(asked)
        head = await reader.readuntil(b"\r\n\r\n")
        [line] = [each for each in head.lower().split(b"\r\n") if each.startswith(b"content-length:")]
        return await reader.readexactly(int(line.partition(b":")[2]))
    finally:
        writer.close()


# ------------------------------------------------------------------------------------------------------------ streams


class _Stream:
    """An open screen: what it has heard, and when."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int, user_id: int) -> "_Stream":
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("GET", "/app/live?to=user", Cookie=_cookie(user_id)))
        stream = cls(reader, writer)
        await stream.hear()  # it begins by saying that everything may have changed
        return stream

    async def hear(self) -> float:
        """Returns the moment of the next event."""
        await self.reader.readuntil(b"-changed\n")
        return time.perf_counter()


async def _streams(running: programs.Running, sizes: Sizes) -> AsyncIterator[Figure]:
    """The time from a claim to the screens of those to whom the lead was offered, and the memory of all streams."""
    members = min(CONCERNED, sizes.agents - 1)
    before = running.memory
    concerned = [await _Stream.open(running.port, user_id) for user_id in range(2, members + 2)]
    others = [await _Stream.open(running.port, 1) for _ in range(STREAMS - members)]
    begun = time.perf_counter()
    claim = request("POST", f"/leads/{sizes.leads + 1}/claim", b"", Authorization=bearer(2))
    await _answer(running.port, claim)
    heard = await asyncio.wait_for(asyncio.gather(*(stream.hear() for stream in concerned)), 30)
    yield Figure(
        scenario=SCENARIO,
        name=f"from a claim to the last of {members} screens that it concerns, of {STREAMS} open",
        value=max(heard) - begun,
        unit="s",
        target=SEEN,
        less_is_better=True,
    )
    others += [await _Stream.open(running.port, 1) for _ in range(MANY - STREAMS)]
    yield Figure(
        scenario=SCENARIO,
        name=f"memory of an open stream, of {MANY}",
        value=(running.memory - before) * 1000 / MANY,
        unit="kB",
        target=STREAM,
        less_is_better=True,
    )
    for stream in (*concerned, *others):
        stream.writer.close()
