"""Imports in the background: a file is sent, its columns are matched, it is checked, imported, and continued."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from leadroutes.errors import Conflict
from leadroutes.operations.erasure import erase_contact
from leadroutes.operations.import_jobs import ImportJobs
from leadroutes.store.queue import IMPORT_JOB, RowKey
from tests.support.api import ask
from tests.support.town import Town

CSV = {"Content-Type": "text/csv"}
FILE = b"""When,Who,Mail,Tel,Lead Source
2026-08-01,Mia Lund,mia@example.com,(303) 555-0101,Zillow
2026-08-02,Tom Berg,tom@example.com,,Website
yesterday or so,Eva Kern,eva@example.com,,Zillow
2026-08-03,No Address,,,Zillow
"""
COLUMNS = {"When": "time", "Who": "full", "Mail": "email", "Tel": "phone"}


async def send(town: Town, file: bytes = FILE, name: str = "alice", query: str = "?file_name=old%20leads.csv") -> Any:
    reply = await ask(town, name, "POST", f"/imports{query}", body=file, headers=CSV)
    assert reply.status == 201, reply.body
    return reply.json


async def post(town: Town, path: str, name: str = "alice") -> Any:
    return await ask(town, name, "POST", path, json={})


async def shown(town: Town, sent: Any) -> Any:
    return (await ask(town, "alice", "GET", f"/imports/{sent['id']}")).json


def payload(town: Town, sent: Any) -> bytes:
    return msgspec.json.encode(RowKey(town.users["alice"], sent["id"]))


async def work(town: Town, sent: Any) -> Any:
    """Does what a worker does with the job, and returns the import."""
    await ImportJobs(town.database).run(payload(town, sent), 1)
    return await shown(town, sent)


@pytest.fixture
async def matched(town: Town) -> Any:
    sent = await send(town)
    reply = await ask(town, "alice", "PATCH", f"/imports/{sent['id']}", json={"columns": COLUMNS})
    assert (reply.status, reply.json["columns"]) == (200, COLUMNS)
    return sent


async def test_what_the_columns_seem_to_mean_comes_with_samples(town: Town) -> None:
    sent = await send(town)
    assert (sent["file_name"], sent["state"], sent["rows_total"], sent["has_file"]) == (
        "old leads.csv", "stored", 4, True,
    )  # fmt: skip
    assert sent["headings"][2] == {
        "heading": "Mail", "meaning": None, "samples": ["mia@example.com", "tom@example.com", "eva@example.com"],
    }  # fmt: skip
    assert sent["headings"][4]["meaning"] == "source"


async def test_a_check_says_what_would_be_made_and_makes_nothing(town: Town, matched: Any) -> None:
    begun = await post(town, f"/imports/{matched['id']}/dry-run")
    assert (begun.status, begun.json["state"]) == (202, "checking")
    assert await town.database.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = $1", IMPORT_JOB) == 1
    checked = await work(town, matched)
    assert (checked["state"], checked["rows_done"], checked["reason"]) == ("checked", 4, None)
    result = checked["result"]
    assert (result["rows"], result["imported"], result["rejected"], result["is_check"]) == (4, 2, 2, True)
    assert [(each["line"], each["why"]) for each in checked["problems"]] == [(4, "bad_date"), (5, "no_contact")]
    assert checked["problems"][1]["expected"] == "an e-mail address or a phone number that can be used"
    assert await town.database.fetchval("SELECT count(*) FROM leads") == 0
    report = await ask(town, "alice", "GET", f"/imports/{matched['id']}/report")
    assert (report.status, report.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert b"bad_date" in report.body


async def test_a_check_of_a_file_whose_columns_are_not_matched_says_what_is_missing(town: Town) -> None:
    sent = await send(town)
    await post(town, f"/imports/{sent['id']}/dry-run")
    checked = await work(town, sent)
    assert checked["state"] == "checked"
    assert "no column holds when the lead came in" in checked["reason"]
    await post(town, f"/imports/{sent['id']}/start")
    failed = await work(town, sent)
    assert failed["state"] == "failed"
    await ask(town, "alice", "PATCH", f"/imports/{sent['id']}", json={"columns": COLUMNS})
    assert (await post(town, f"/imports/{sent['id']}/start")).status == 202
    assert (await work(town, sent))["result"]["imported"] == 2


async def test_an_import_makes_leads_that_are_history_once(town: Town, matched: Any) -> None:
    assert (await post(town, f"/imports/{matched['id']}/start")).status == 202
    done = await work(town, matched)
    assert (done["state"], done["result"]["imported"], done["result"]["rejected"]) == ("done", 2, 2)
    assert (await ask(town, "alice", "GET", "/ledger")).json["imported"] == 2
    for path in ("start", "dry-run"):
        assert (await post(town, f"/imports/{matched['id']}/{path}")).status == 409
    assert (await ask(town, "alice", "PATCH", f"/imports/{matched['id']}", json={"columns": {}})).status == 409
    again = await send(town)
    await ask(town, "alice", "PATCH", f"/imports/{again['id']}", json={"columns": COLUMNS})
    await post(town, f"/imports/{again['id']}/start")
    result = (await work(town, again))["result"]
    assert (result["imported"], result["known"]) == (0, 2)


async def test_a_column_can_be_ignored_and_a_date_given_for_all_rows(town: Town) -> None:
    sent = await send(town, b"email,message\nmia@example.com,secret\n")
    change = {"columns": {"message": "ignore"}, "received_at": "2026-08-01"}
    await ask(town, "alice", "PATCH", f"/imports/{sent['id']}", json=change)
    await post(town, f"/imports/{sent['id']}/start")
    assert (await work(town, sent))["result"]["imported"] == 1
    [lead] = (await ask(town, "alice", "GET", "/leads")).json["data"]
    assert (lead["text_body"], lead["created_at"][:10]) == (None, "2026-08-01")


def many(rows: int) -> bytes:
    lines = (f"2026-08-01,{number}@example.com" for number in range(rows))
    return "\n".join(("received_at,email", *lines)).encode()


async def until(condition: Callable[[], Any]) -> None:
    while not await condition():  # noqa: ASYNC110 -- the database is asked, as any client would
        await asyncio.sleep(0.01)


async def test_an_import_goes_on_after_its_process_has_ended_and_reports_all_rows_as_its_own(town: Town) -> None:
    sent = await send(town, many(5000))
    await post(town, f"/imports/{sent['id']}/start")
    task = asyncio.create_task(ImportJobs(town.database).run(payload(town, sent), 1))
    await until(lambda: town.database.fetchval("SELECT count(*) > 0 FROM import_batches"))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert 0 < await town.database.fetchval("SELECT count(*) FROM leads") < 5000
    assert (await shown(town, sent))["state"] == "importing"
    done = await work(town, sent)
    assert (done["state"], done["result"]["imported"], done["result"]["known"]) == ("done", 5000, 0)
    assert await town.database.fetchval("SELECT count(*) FROM leads") == 5000


async def test_an_import_that_two_workers_run_doubles_nothing(town: Town) -> None:
    sent = await send(town, many(1500))
    await post(town, f"/imports/{sent['id']}/start")
    jobs: Sequence[Any] = [ImportJobs(town.database).run(payload(town, sent), 1) for _ in range(2)]
    await asyncio.gather(*jobs)
    assert await town.database.fetchval("SELECT count(*) FROM leads") == 1500
    assert (await shown(town, sent))["state"] == "done"


async def test_one_import_of_an_owner_is_under_way_at_a_time(town: Town, matched: Any) -> None:
    other = await send(town)
    replies = await asyncio.gather(*(post(town, f"/imports/{each['id']}/start") for each in (matched, other)))
    assert sorted(reply.status for reply in replies) == [202, 409]
    [begun] = [each for each, reply in zip((matched, other), replies, strict=True) if reply.status == 202]
    assert (await ask(town, "alice", "DELETE", f"/imports/{begun['id']}")).status == 409
    await work(town, begun)
    assert (await ask(town, "alice", "DELETE", f"/imports/{begun['id']}")).status == 200
    assert await town.database.fetchval("SELECT count(*) FROM import_files") == 1


async def test_an_import_belongs_to_its_owner(town: Town, matched: Any) -> None:
    for name in ("bob", "dave"):
        for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/report"), ("POST", "/start"),
                             ("POST", "/dry-run")):  # fmt: skip
            reply = await ask(town, name, method, f"/imports/{matched['id']}{path}", json={})
            assert reply.status == 404, (name, method, path)
        assert (await ask(town, name, "GET", "/imports")).json["total"] == 0
    assert (await ask(town, "alice", "GET", f"/imports/{matched['id']}/report")).status == 404


@pytest.mark.parametrize(
    ("file", "headers", "said"),
    [
        (b"", CSV, "The file is empty"),
        (b"email,received_at\n", CSV, "The file has 0 rows"),
        (b"email\n" + b"a@example.com\n" * 100_001, CSV, "The file has 100001 rows"),
        (b"{}", {"Content-Type": "application/json"}, "Content-Type: application/json was given"),
    ],
    ids=["empty", "no rows", "too many rows", "JSON"],
)
async def test_a_file_that_is_none_is_refused(town: Town, file: bytes, headers: dict[str, str], said: str) -> None:
    reply = await ask(town, "alice", "POST", "/imports", body=file, headers=headers)
    assert reply.status == 400
    assert reply.json["message"].startswith(said)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"columns": {"Mail": "e-mail"}}, "columns"),
        ({"columns": ["Mail"]}, "columns"),
        ({"received_at": "some day"}, "received_at"),
    ],
)
async def test_a_wrong_match_names_the_field(town: Town, matched: Any, body: dict[str, Any], name: str) -> None:
    reply = await ask(town, "alice", "PATCH", f"/imports/{matched['id']}", json=body)
    assert (reply.status, list(reply.json["errors"])) == (400, [name])


async def test_an_erasure_removes_the_files_that_may_name_the_contact(town: Town, matched: Any) -> None:
    contact_id = await town.contact("alice")
    await post(town, f"/imports/{matched['id']}/start")
    with pytest.raises(Conflict, match="under way"):
        await erase_contact(town.database, town.users["alice"], contact_id)
    await work(town, matched)
    assert (await erase_contact(town.database, town.users["alice"], contact_id))["imports"] == 1
    left = await shown(town, matched)
    assert (left["state"], left["has_file"], left["headings"], left["problems"]) == ("done", False, None, None)


@pytest.mark.parametrize("zero", [b"\0", b"\\u0000"])
async def test_a_zero_in_a_file_is_no_fault_however_it_is_written(town: Town, zero: bytes) -> None:
    """A heading and a cell of the report go into the database as JSON, which takes no zero."""
    file = b"Email,Phone,Received at,Ne" + zero + b"ws\nann@example.com,ask " + zero + b"me,2026-01-02,\n"
    sent = await send(town, file)
    await post(town, f"/imports/{sent['id']}/start")
    done = await work(town, sent)
    assert (done["state"], done["result"]["imported"], done["result"]["warnings"]) == ("done", 1, 1)
