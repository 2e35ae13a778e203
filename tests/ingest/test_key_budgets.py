"""An intake key has a budget of leads and of bytes: what is above it is stored at once and routed in its turn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest
from limits import parse

from leadroutes import api
from leadroutes.engine.engine import Engine
from leadroutes.errors import Misconfigured
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.ingest.key_budgets import EvenRate
from leadroutes.ingest.smtp_server import serving_mail
from leadroutes.ingest.vendor_api import VendorClient
from leadroutes.retry import RetryLater
from leadroutes.settings import Settings
from leadroutes.store.queue import REREAD_JOB
from tests.support.intake_app import IntakeApp
from tests.support.samples import sample
from tests.support.town import Town
from tests.support.vendor_server import ToVendor

JSON = {"Content-Type": "application/json"}


@asynccontextmanager
async def with_budget(intake: IntakeApp, **settings: Any) -> AsyncIterator[IntakeApp]:
    """One more process of the same service, with these settings."""
    own = replace(intake.settings, **settings)
    engine = Engine(intake.database)
    arrivals = Arrivals(engine, own, VendorClient(own, ToVendor(intake.vendor)))
    known = intake.town
    town = Town(
        intake.database,
        api.application(intake.database, engine, arrivals, own),
        known.users,
        known.tokens,
        known.team_id,
    )
    async with town.client(None) as client, serving_mail(own, arrivals) as mail:
        assert mail is not None
        yield IntakeApp(town, own, engine, arrivals, intake.vendor, client, mail)
    await arrivals.close()


def lead(number: int, **more: object) -> bytes:
    return msgspec.json.encode({"email": f"eve{number}@example.com", "first_name": "Eve", **more})


async def post(intake: IntakeApp, key: str, *numbers: int) -> list[httpx.Response]:
    return [await intake.post(key, lead(number), JSON) for number in numbers]


async def waiting(intake: IntakeApp) -> list[float]:
    """For how many seconds each job that reads again is still put off, in the order in which they came."""
    rows = await intake.database.fetch(
        "SELECT extract(epoch FROM execute_after - now())::float8 AS seconds FROM pgqueuer WHERE entrypoint = $1"
        " ORDER BY id", REREAD_JOB,
    )  # fmt: skip
    return [row["seconds"] for row in rows]


async def test_what_is_above_the_budget_is_stored_at_once_and_routed_in_its_turn(intake: IntakeApp) -> None:
    async with with_budget(intake, intake_per_key="3/hour") as busy:
        key = await busy.key()
        replies = await post(busy, key, *range(6))

        assert [reply.status_code for reply in replies] == [201, 201, 201, 202, 202, 202]
        answer = replies[3].json()
        assert (set(answer), answer["status"]) == ({"arrival_id", "status", "reason"}, "pending")
        assert answer["reason"].startswith("over_budget: more than 3 per 1 hour")
        bodies = await busy.database.fetch("SELECT body FROM arrivals WHERE status = 'pending' ORDER BY id")
        assert [row["body"] for row in bodies] == [lead(number) for number in (3, 4, 5)]
        assert (await busy.count("leads"), await busy.count("arrivals")) == (3, 6)
        first, second, third = await waiting(busy)
        assert 0 < first < second < third
        assert (second - first, third - second) == pytest.approx((1200, 1200), rel=0.01)

        await busy.reread()
        emails = await busy.database.fetch(
            "SELECT c.email FROM leads l JOIN contacts c ON c.id = l.contact_id ORDER BY l.id"
        )
        assert [row["email"] for row in emails] == [f"eve{number}@example.com" for number in range(6)]
        assert await busy.database.fetchval("SELECT count(*) FROM arrivals WHERE status = 'accepted'") == 6


async def test_another_key_and_leads_that_people_post_are_not_bound_by_it(intake: IntakeApp) -> None:
    async with with_budget(intake, intake_per_key="1/hour") as busy:
        key = await busy.key()
        assert [reply.status_code for reply in await post(busy, key, 0, 1)] == [201, 202]

        assert (await post(busy, await busy.key(source="Redfin"), 2))[0].status_code == 201
        contact = await busy.town.contact("alice")
        async with busy.town.client("alice") as alice:
            for _ in range(3):
                assert (await alice.post("/leads", json={"contact_id": contact})).status_code == 201


async def test_a_body_counts_its_leads(intake: IntakeApp) -> None:
    async with with_budget(intake, intake_per_key="5/hour") as busy:
        key = await busy.key()
        many = b"[" + b",".join(lead(number) for number in range(20)) + b"]"
        assert (await busy.post(key, many, JSON)).status_code == 201
        assert await busy.count("leads") == 20

        assert (await post(busy, key, 30))[0].status_code == 202
        assert (await waiting(busy))[0] > 3 * 3600, "the twenty have used up four hours, of which one may come at once"


async def test_what_was_put_off_counts_its_leads_when_it_is_read(intake: IntakeApp) -> None:
    async with with_budget(intake, intake_per_key="1/hour") as busy:
        key = await busy.key()
        await post(busy, key, 0)
        many = b"[" + b",".join(lead(number) for number in range(1, 6)) + b"]"
        assert (await busy.post(key, many, JSON)).status_code == 202
        assert (await post(busy, key, 9))[0].status_code == 202

        with pytest.raises(RetryLater) as again:
            await busy.reread()
        assert await busy.count("leads") == 6
        assert again.value.delay.total_seconds() > 4 * 3600 - 60


async def test_all_processes_know_that_a_key_is_above_its_budget(intake: IntakeApp) -> None:
    async with (
        with_budget(intake, intake_per_key="2/hour") as one,
        with_budget(intake, intake_per_key="2/hour") as other,
    ):
        key = await one.key()
        assert [reply.status_code for reply in await post(one, key, 0, 1, 2)] == [201, 201, 202]
        assert [reply.status_code for reply in await post(other, key, 3)] == [202]

        first, second = await waiting(one)
        assert first < second, "no arrival overtakes another one"


async def test_a_crowd_at_once_loses_nothing(intake: IntakeApp) -> None:
    async with with_budget(intake, intake_per_key="20/hour") as busy:
        key = await busy.key()
        replies = await asyncio.gather(*(busy.post(key, lead(number), JSON) for number in range(60)))

        statuses = [reply.status_code for reply in replies]
        assert set(statuses) == {201, 202}
        assert await busy.count("arrivals") == 60
        assert await busy.count("leads") == statuses.count(201) >= 20
        assert len(await waiting(busy)) == statuses.count(202)


async def test_the_same_bytes_above_the_budget_are_one_arrival(intake: IntakeApp) -> None:
    async with with_budget(intake, intake_per_key="1/hour") as busy:
        key = await busy.key()
        replies = await post(busy, key, 0, 1, 1)

        assert replies[1].json()["arrival_id"] == replies[2].json()["arrival_id"]
        assert (await busy.count("arrivals"), len(await waiting(busy))) == (2, 1)


async def test_a_sender_who_proves_nothing_uses_up_no_budget_of_one_who_does(intake: IntakeApp) -> None:
    async with with_budget(intake, intake_per_key="2/hour", intake_bytes_per_key="400/hour") as busy:
        key = await busy.guarded_key("zapier")
        guessed = [await busy.post(key, lead(n), JSON | {"X-Intake-Key": "guessed"}) for n in range(12)]
        assert {reply.status_code for reply in guessed} == {401, 429}
        assert await busy.count("arrivals") < 12
        assert int(guessed[-1].headers["retry-after"]) > 0

        secrets = busy.arrivals.secrets_of(await busy.arrivals.open(key))
        good = JSON | {"X-Intake-Key": next(iter(secrets.values()))}
        answers = [await busy.post(key, lead(20 + n, x="y" * 300), good) for n in range(3)]
        assert [reply.status_code for reply in answers] == [201, 201, 202]
        await busy.database.execute("UPDATE intake_keys SET secrets = $1", busy.arrivals._vault.seal({"other": "word"}))
        await busy.reread()
        assert await busy.count("leads") == 3, "whoever has proved something has not to prove it again"


async def test_bytes_beyond_all_measure_are_refused_until_later_and_not_stored(intake: IntakeApp) -> None:
    async with with_budget(intake, intake_bytes_per_key="5000/day") as busy:
        key = await busy.key()
        large = [await busy.post(key, lead(number, message="x" * 2000), JSON) for number in range(4)]

        assert [reply.status_code for reply in large] == [201, 201, 201, 429]
        assert large[3].json()["name"] == "TooManyRequests"
        assert 1 <= int(large[3].headers["retry-after"]) <= 86_400
        assert await busy.count("arrivals") == 3
        assert (await post(busy, await busy.key(source="Redfin"), 7))[0].status_code == 201


async def test_mail_above_the_budget_is_stored_and_mail_beyond_all_measure_comes_again(intake: IntakeApp) -> None:
    mail = sample("portal-metadata-email").body
    async with with_budget(intake, intake_per_key="1/hour", intake_bytes_per_key=f"{len(mail) + 200}/day") as busy:
        key = await busy.key()
        await busy.send(mail, key)
        await busy.send(mail.replace(b"\r\n\r\n", b"\r\n\r\nAgain. ", 1), key)
        assert (await busy.arrival())["status"] == "pending"
        await busy.reread()
        assert (await busy.arrival())["format"] == "email"

        with pytest.raises(Exception, match="451"):
            await busy.send(mail.replace(b"\r\n\r\n", b"\r\n\r\nOnce more. ", 1), key)


async def test_with_off_nothing_is_counted(intake: IntakeApp) -> None:
    settings = Settings.load({"LEADROUTES_INTAKE_PER_KEY": "off", "LEADROUTES_INTAKE_BYTES_PER_KEY": "OFF"})
    assert (settings.intake_per_key, settings.intake_bytes_per_key) == (None, None)
    with pytest.raises(Misconfigured, match="LEADROUTES_INTAKE_PER_KEY"):
        Settings.load({"LEADROUTES_INTAKE_PER_KEY": "many"})
    async with with_budget(intake, intake_per_key=None, intake_bytes_per_key=None) as free:
        key = await free.key()
        assert {reply.status_code for reply in await post(free, key, *range(5))} == {201}


def test_a_pace_lets_so_much_come_at_once_and_then_as_much_in_each_span() -> None:
    pace = EvenRate(parse("60/minute"))
    admitted = []
    for tenth in range(3 * 600):
        if not pace.wait("k", tenth / 10):
            pace.count("k", 1, tenth / 10)
            admitted.append(tenth // 600)

    assert [admitted.count(minute) for minute in range(3)] == pytest.approx([120, 60, 60], abs=1)
    assert pace.wait("another", 0) == 0
    for key in range(5000):
        pace.count(key, 1, 1000.0)
    assert len(pace._even_at) < 5002
    pace.count("k", 1, 2000.0)
    assert len(pace._even_at) == 1, "keys of which nothing more has to be known are forgotten"
