"""One lead can be followed through the log by two numbers, and no one is recognised there."""

import asyncio
import io
import json
from datetime import timedelta
from typing import Any

import pytest
import structlog

from leadroutes.domain.arrival import NewLead, StoredArrival
from leadroutes.observability import logs
from leadroutes.store.messages import MessageKey
from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage
from tests.support.mailbox import Mailbox
from tests.support.sender import Sender


def lines(log_output: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log_output.readouterr().err.splitlines()]


async def test_a_lead_can_be_followed_from_arrival_to_claim(
    brokerage: Brokerage, sender: Sender, log_output: pytest.CaptureFixture[str]
) -> None:
    answer = await brokerage.ask(message="Call me at (303) 555-0199")
    [lead_id] = answer.stored.lead_ids
    await sender.delivery.deliver(MessageKey(brokerage.owner_id, await sender.the_only()))
    await brokerage.town.database.move_clock(timedelta(minutes=6))
    await brokerage.engine.run_due()
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["carol"])

    found = lines(log_output)
    assert [line["event"] for line in found] == [
        "lead arrived", "lead routed", "lead offered", "message", "lead offered", "lead claimed",
    ]  # fmt: skip
    assert {(line["owner"], line["lead"]) for line in found} == {(brokerage.owner_id, lead_id)}
    assert found[1]["outcome"] == "offered"
    assert found[2]["users"] == [brokerage.town.users["bob"]]
    assert found[3]["state"] == "sent"
    assert found[5]["user"] == brokerage.town.users["carol"]
    assert all(line["timestamp"] and line["level"] == "info" for line in found)


async def test_no_one_is_recognised_in_the_log(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, log_output: pytest.CaptureFixture[str]
) -> None:
    mailbox.answers = ["550 no such person as bob@example.com"]
    await brokerage.ask(message="Call me at (303) 555-0199", phone="303-555-0199")
    await sender.delivery.deliver(MessageKey(brokerage.owner_id, await sender.the_only()))

    text = log_output.readouterr().err
    assert '"state":"failed"' in text
    assert not any(word in text for word in ("mia", "Mia", "Lund", "bob@", "0199"))


def test_what_a_library_says_of_someone_is_blanked(log_output: pytest.CaptureFixture[str]) -> None:
    logs.set_up(as_json=True)
    structlog.get_logger().warning(
        "a mail server said: 550 mia.lund+home@mail.example.org is unknown, call +13035550199"
    )
    structlog.get_logger().error(
        "refused", error='violates "x"\nDETAIL:  Failing row contains (1, Mia, Lund).\nHINT: y'
    )

    text = log_output.readouterr().err
    assert "[e-mail]" in text
    assert "[phone]" in text
    assert "Lund" not in text
    assert "HINT: y" in text


def test_lines_for_people_tell_the_same(capsys: pytest.CaptureFixture[str], log_output: object) -> None:
    logs.set_up(as_json=False)
    logs.write_lead_lines([{"event": "lead claimed", "owner": 1, "lead": 2, "user": None}])

    line = capsys.readouterr().err
    assert "[info     ] lead claimed" in line
    assert line.endswith("owner=1 lead=2\n")


def test_a_log_without_leads_stays_without_them(capsys: pytest.CaptureFixture[str], log_output: object) -> None:
    logs.set_up(as_json=True, tells_leads=False)
    logs.write_lead_lines([{"event": "lead claimed", "owner": 1, "lead": 2}])

    assert capsys.readouterr().err == ""


async def test_a_log_that_no_one_takes_any_more_undoes_nothing(
    brokerage: Brokerage, database: Database, log_output: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What reads standard error has died, or its disk is full: what is committed is answered as committed."""

    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    [lead_id] = (await brokerage.ask()).stored.lead_ids
    contact_id = await database.fetchval("SELECT id FROM contacts")
    monkeypatch.setattr("sys.stderr", Broken())
    lead = NewLead(owner_id=brokerage.owner_id, contact_id=contact_id, creator_user_id=brokerage.owner_id)
    assert (await brokerage.arrivals.post_lead(lead)).is_new
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])
    assert await database.fetchval("SELECT count(*) FROM leads") == 2


async def test_what_cannot_be_noted_of_a_commit_does_not_make_it_again(
    brokerage: Brokerage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    await brokerage.ask()
    contact_id = await database.fetchval("SELECT id FROM contacts")
    monkeypatch.setattr("leadroutes.ingest.batch.log_arrivals", fail)
    lead = NewLead(owner_id=brokerage.owner_id, contact_id=contact_id, creator_user_id=brokerage.owner_id)
    answers = await asyncio.gather(*(brokerage.arrivals.post_lead(lead) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoredArrival] * 3
    assert await database.fetchval("SELECT count(*) FROM leads") == 4
