"""Phones: alerts by text beside a crowd of campaign texts, agents who all press a key at once, texts that come in.

The provider is a program on this machine that answers at once; its own requests are those of the load.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from bench import programs
from bench.figures import Figure
from bench.ground import Ground, Plot
from bench.load import PERCENTILES, Plan, at_part, request, write_requests
from bench.scenarios.arrival import MEMBERS, found
from bench.scenarios.claim import found_offered
from bench.scenarios.due import put_clock
from bench.sizes import Sizes
from leadroutes.security.provider_signature import HEADER, signed

OWNERS = 20
ACCOUNT, TOKEN, NUMBER = "AC000000000000000000000000000bench", "token", "+13035550100"
PUBLIC_URL = "http://bench"
TEXTS_PER_SECOND = 200
ALERTS_PER_SECOND = 100
SECONDS = 10  # of alerts
LAWFUL = 18  # o'clock UTC, noon where the contacts live: at night no campaign writes texts
AHEAD = 2.0  # seconds before the stream begins
PATIENCE = 120.0  # seconds
CONNECTIONS = 16  # of the provider, for texts that come in

# When the first message of each offer should have left, in real time.
DUE = """
SELECT m.owner_id || '.' || m.id AS name,
       extract(epoch FROM real_anchor + (o.notify_at - domain_anchor) / scale)::float8 AS due
FROM messages m JOIN offers o ON o.owner_id = m.owner_id AND o.id = m.offer_id, domain_clock
WHERE m.kind = 'offer' AND m.channel = 'text' AND o.notify_at BETWEEN $1 AND $2"""
BY_TEXT = """
UPDATE users SET phone = '+1303' || 7000000 + id;
UPDATE team_member_distribution_options SET has_text_alert = true, has_email_alert = false;
UPDATE offers SET has_text_alert = true, has_email_alert = false WHERE state = 'scheduled'"""
CAMPAIGNS_BY_TEXT = """
UPDATE templates SET template_type = 'Text', subject = NULL;
UPDATE contacts SET mobile_phone = '+1720' || 7000000 + id;
UPDATE contact_communications SET type = 'Text Contact'"""
IS_CROWD_QUEUED = "SELECT NOT EXISTS (SELECT FROM contact_communications WHERE taken_at IS NULL)"
CALLS = """
UPDATE users SET phone = '+1303' || 7000000 + id;
INSERT INTO messages (owner_id, kind, channel, lead_id, offer_id, user_id, state, created_at, sent_at)
SELECT owner_id, 'offer', 'call', lead_id, id, user_id, 'sent', now(), now() FROM offers;
INSERT INTO calls (owner_id, message_id, lead_id, user_id, token_hash, number, provider_id, created_at, answered_at)
SELECT m.owner_id, m.id, m.lead_id, m.user_id,
       sha256(convert_to('call-' || m.lead_id || '-' || m.user_id, 'UTF8')), u.phone,
       'CA' || m.lead_id || '.' || m.user_id, now(), now()
FROM messages m JOIN users u ON u.id = m.user_id"""


async def measure(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """Texts out, key presses, texts in."""
    async with ground.database("texts") as plot:
        yield await _texts_out(plot, sizes)
    async with ground.database("presses") as plot:
        yield await _presses(plot, sizes)
    async with ground.database("texts_in") as plot:
        async for figure in _texts_in(plot, sizes):
            yield figure


def _settings(url: str = "http://127.0.0.1:9") -> Mapping[str, str]:
    return {
        "LEADROUTES_TWILIO_URL": f"{url}/2010-04-01",
        "LEADROUTES_TWILIO_ACCOUNT": ACCOUNT,
        "LEADROUTES_TWILIO_TOKEN": TOKEN,
        "LEADROUTES_TWILIO_FROM": NUMBER,
        "LEADROUTES_TEXTS_PER_SECOND": str(TEXTS_PER_SECOND),
        "LEADROUTES_PUBLIC_URL": PUBLIC_URL,
    }


async def _texts_out(plot: Plot, sizes: Sizes) -> Figure:
    """From the moment at which an offer is due until its text is at the provider."""
    crowd_due = datetime.now(UTC).replace(hour=LAWFUL, minute=0) + timedelta(days=1)
    stream_due = crowd_due + timedelta(days=1)
    alerts, crowd = min(ALERTS_PER_SECOND * SECONDS, sizes.steady), sizes.due
    await found(plot, OWNERS)
    await plot.put_in(
        "waiting_steps", owners=OWNERS, steps=crowd, due=crowd_due.isoformat(), apart=0, per_contact=1
    )  # texts to the same contact would keep their distance
    await plot.execute(CAMPAIGNS_BY_TEXT)
    first = stream_due + timedelta(seconds=AHEAD)
    await plot.put_in(
        "waiting_leads", users=OWNERS, owners=OWNERS, members=MEMBERS, leads=alerts, notified=1, due=first.isoformat(),
        apart=1 / ALERTS_PER_SECOND,
    )  # fmt: skip
    await plot.execute(BY_TEXT)
    await plot.keep_rule_sets(OWNERS)
    await plot.settle()
    async with (
        programs.provider() as provider,
        programs.worker(plot.url, plot.file("worker.log"), **_settings(provider.url)),
    ):
        await put_clock(plot, crowd_due)
        while not await plot.fetchval(IS_CROWD_QUEUED):  # noqa: ASYNC110 -- the worker does it
            await asyncio.sleep(0.2)
        await provider.taken()
        await put_clock(plot, stream_due)
        until = first + timedelta(seconds=alerts / ALERTS_PER_SECOND)
        late = await _lateness(plot, provider, first, until, alerts)
    latencies = {name: at_part(late, part) * 1000 for name, part in PERCENTILES.items()}
    return Figure(
        scenario="phones",
        name=f"lateness of texts to agents at {ALERTS_PER_SECOND} a second, p99, beside {crowd:,} campaign texts",
        value=latencies["p99"],
        unit="ms",
        target=1000,
        less_is_better=True,
        details={"latencies": latencies},
    )


async def _lateness(
    plot: Plot, provider: programs.Provider, first: datetime, until: datetime, alerts: int
) -> list[float]:
    """Returns the seconds of each, in order."""
    taken: dict[str, float] = {}
    async with asyncio.timeout(PATIENCE), plot.ground.connection(plot.url) as connection:
        while True:
            taken |= await provider.taken()
            rows = await connection.fetch(DUE, first, until)
            if len(rows) >= alerts and all(row["name"] in taken for row in rows):
                return sorted(taken[row["name"]] - row["due"] for row in rows)
            await asyncio.sleep(0.2)


async def _presses(plot: Plot, sizes: Sizes) -> Figure:
    """Every agent of a large team presses 1 at once, one lead after the other; each hears the outcome."""
    await found_offered(plot, 1, sizes.claimers, sizes.races)
    await plot.execute(CALLS)
    worst = {"p50": 0.0, "p99": 0.0, "max": 0.0}
    async with programs.serve(plot.url, plot.file("serve.log"), "--no-worker", **_settings()) as running:
        for lead_id in range(1, sizes.races + 1):
            presses = [_press(lead_id, user_id) for user_id in range(1, sizes.claimers + 1)]
            file = write_requests(plot.file("presses"), presses)
            outcome = await programs.load(Plan(port=running.port, connections=sizes.claimers, requests=file), 200)
            worst = {name: max(value, outcome.latencies[name]) for name, value in worst.items()}
    if (claims := await plot.fetchval("SELECT count(*) FROM claims WHERE via = 'Phone'")) != sizes.races:
        raise programs.Failed(f"{sizes.races} leads were asked for by phone; {claims} were claimed")
    return Figure(
        scenario="phones",
        name=f"{sizes.claimers} agents press 1 at once: one winner, the last to hear ({sizes.races} races)",
        value=worst["max"],
        unit="ms",
        target=1000,
        less_is_better=True,
        details={"latencies": worst},
    )


def _press(lead_id: int, user_id: int) -> bytes:
    path = f"/twilio/calls/call-{lead_id}-{user_id}?step=1&after=question"
    number = f"+1303{7_000_000 + user_id}"
    return _asked(path, {"CallSid": f"CA{lead_id}.{user_id}", "To": number, "From": NUMBER, "Digits": "1"})


async def _texts_in(plot: Plot, sizes: Sizes) -> AsyncIterator[Figure]:
    """Contacts write; each text is stored before it is answered, and dealt with by the worker of the same service."""
    await found(plot, OWNERS)
    file = write_requests(plot.file("texts"), [_text(number) for number in range(sizes.mails)])
    async with programs.serve(plot.url, plot.file("serve.log"), **_settings()) as running:
        outcome = await programs.load(Plan(port=running.port, connections=CONNECTIONS, requests=file), 200)
    if (stored := await plot.fetchval("SELECT count(*) FROM received_texts")) != sizes.mails:
        raise programs.Failed(f"{sizes.mails} texts were answered; {stored} are there")
    yield Figure(
        scenario="phones",
        name=f"texts that come in, {CONNECTIONS} connections of the provider",
        value=outcome.rate,
        unit="texts/s",
        target=500,
        details={"latencies": outcome.latencies},
    )
    yield Figure(
        scenario="phones", name="the answer to a text that comes in, p99", value=outcome.latencies["p99"], unit="ms",
        target=100, less_is_better=True,
    )  # fmt: skip


def _text(number: int) -> bytes:
    sender = f"+1720{7_000_000 + number % 500}"
    fields = {"MessageSid": f"SM{number}", "From": sender, "To": NUMBER, "Body": f"Yes, {number}"}
    return _asked("/twilio/messages", fields)


def _asked(path: str, fields: Mapping[str, str]) -> bytes:
    """A form as the provider signs it."""
    body = urlencode(fields).encode()
    signature = signed(TOKEN, f"{PUBLIC_URL}{path}", fields.items())
    head = request("POST", path, None, Content_Type="application/x-www-form-urlencoded",
                   Content_Length=str(len(body)), **{HEADER: signature})  # fmt: skip
    return head + body
