"""Health, the description, a database that is away, and the whole through a real socket."""

import asyncio
import base64
import hashlib
import html
import re

import jsonschema
import pytest
import uvicorn

from leadroutes import api
from leadroutes.api.resources import RESOURCES
from leadroutes.clock import Clock, machine_time
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from tests.support.api import ask
from tests.support.town import Town

# ------------------------------------------------------------------------------------------------------ health


async def test_alive_is_answered_without_a_token_and_ready_when_a_worker_beats(town):
    assert (await ask(town, None, "GET", "/healthz")).json == {"status": "ok"}
    silent = await ask(town, None, "GET", "/readyz")
    assert (silent.status, silent.json["name"]) == (503, "Unavailable")
    assert int(silent.headers["retry-after"]) > 0
    await town.database.execute("INSERT INTO worker_heartbeats VALUES ('w', clock_timestamp())")
    assert (await ask(town, None, "GET", "/readyz")).json["status"] == "ok"
    await town.database.execute("UPDATE worker_heartbeats SET beat_at = now() - interval '5 minutes'")
    assert (await ask(town, None, "GET", "/readyz")).status == 503


async def test_ready_reports_a_machine_whose_clock_is_off(town):
    await town.database.execute("INSERT INTO worker_heartbeats VALUES ('w', clock_timestamp())")
    assert "clock_seconds_ahead" not in (await ask(town, None, "GET", "/readyz")).json
    town.database.clock = Clock(machine=lambda: machine_time() - 3600)
    await town.database.load_clock()
    reply = await ask(town, None, "GET", "/readyz")
    assert (reply.status, reply.json["status"]) == (200, "ok")
    assert -3700 < reply.json["clock_seconds_ahead"] < -3500


async def test_a_database_that_is_away_is_503_with_retry_after(database_url):
    database = await Database.open(Settings(), url=database_url)
    town = await Town.create(database, None)
    town.application = api.application(database, None, None, Settings())
    await database.pool.close()
    for method, target in (("GET", "/me"), ("POST", "/tags"), ("GET", "/readyz"), ("GET", "/lead-sources")):
        reply = await ask(town, None if target == "/readyz" else "alice", method, target, json={"content": "x"})
        assert (reply.status, reply.json["name"]) == (503, "Unavailable")
        assert int(reply.headers["retry-after"]) > 0
    assert (await ask(town, None, "GET", "/healthz")).status == 200


async def test_an_internal_error_reveals_nothing(town):
    """The engine is missing, which no request can bring about."""
    broken = Town(town.database, api.application(town.database, None, None, Settings()), town.users, town.tokens)
    reply = await ask(broken, "alice", "GET", "/ledger")

    assert reply.status == 500
    assert reply.json == {
        "name": "GeneralError", "message": "Internal server error", "code": 500, "className": "general-error",
        "errors": {},
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------- description


@pytest.fixture(scope="session")
async def description(shared):
    return (await ask(shared, None, "GET", "/openapi.json")).json


async def test_every_path_is_described_and_every_description_is_a_path(description):
    described = {re.sub(r"\{[a-z]+_\d\}|\{id\}", ":id", path).replace("{key}", ":key") for path in description["paths"]}

    assert description["openapi"] == "3.1.0"
    assert described == set(api.paths()) - {"/docs", "/openapi.json"}
    ids = [each["operationId"] for item in description["paths"].values() for name, each in item.items()
           if name != "parameters"]  # fmt: skip
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
async def test_answers_are_as_described(catalog, description, resource):
    template = re.sub(":id", "{id}", resource.path)
    operation = description["paths"][template]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    listed = await ask(catalog.town, "alice", "GET", f"{catalog.urls[resource.path]}?$limit=1000")
    whole = schema | {"components": description["components"]}

    jsonschema.Draft202012Validator(whole).validate(listed.json)
    record_schema = description["components"]["schemas"][
        schema["properties"]["data"]["items"]["$ref"].rpartition("/")[2]
    ]
    assert list(record_schema["properties"]) == list(resource.answered)


async def test_the_page_for_people_runs_no_script(shared):
    reply = await ask(shared, None, "GET", "/docs", headers={"Accept": "text/html"})
    text = reply.body.decode()
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert f"style-src 'sha256-{digest}'" in reply.headers["content-security-policy"]
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in text
    assert "style=" not in text
    for resource in RESOURCES:
        assert f">{resource.path}</h2>" in text


async def test_the_page_for_people_has_landmarks_and_links_that_lead_somewhere(shared):
    text = (await ask(shared, None, "GET", "/docs")).body.decode()
    targets = set(re.findall(r' href="#([^"]+)"', text))
    ids = re.findall(r' id="([^"]+)"', text)

    assert [text.count(f"<{tag}") for tag in ("main", "nav", "h1", "header>")] == [1, 1, 1, 1]
    assert text.count("<section ") == text.count("<h2 ") == len(RESOURCES) + 1
    assert len(ids) == len(set(ids))
    assert targets <= set(ids)
    assert set(re.findall(r' href="(/[^"]*)"', text)) == {"/", "/app/me/tokens", "/openapi.json"}


async def test_every_resource_has_an_example_that_can_be_called(catalog):
    text = html.unescape((await ask(catalog.town, None, "GET", "/docs")).body.decode())
    example = r"<code>curl -H \"Authorization: Bearer \$TOKEN\" 'https://leads\.example([^']+)'</code>"
    examples = re.findall(example, text)

    assert [path.partition("?")[0].replace("/1", "/:id") for path in examples[1:]] == [each.path for each in RESOURCES]
    for target in examples:
        reply = await ask(catalog.town, "erin", "GET", target)
        assert reply.status == 200 or (reply.status == 404 and "/1/" in target), target
        assert reply.status == 404 or "data" in reply.json or target == "/me"


async def test_under_a_path_the_description_leads_there(database):
    settings = Settings(public_url="https://example.com/leads")
    town = await Town.create(database, api.application(database, None, None, settings))
    served = (await ask(town, None, "GET", "/openapi.json")).json
    text = (await ask(town, None, "GET", "/docs")).body.decode()

    assert served["servers"] == [{"url": "https://example.com/leads"}]
    flow = served["components"]["securitySchemes"]["oauth2"]["flows"]["authorizationCode"]
    assert flow["tokenUrl"] == "https://example.com/leads/oauth2/token"
    assert set(re.findall(r' href="(/[^"]*)"', text)) == {"/leads/", "/leads/app/me/tokens", "/leads/openapi.json"}
    assert "'https://example.com/leads/me'" in html.unescape(text)


# ------------------------------------------------------------------------------------------- through a real socket


@pytest.fixture
async def port(town):
    config = uvicorn.Config(town.application, port=0, log_level="error", lifespan="on", loop="none")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 -- it has no event to wait for
        await asyncio.sleep(0)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def speak(port, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


RAW = [
    ("//lead-sources?name=Zillow", 200, b'{"total":1,'),
    ("///Lead-Sources//1/", 200, b'{"id":1,"name":"Zillow"}'),
    ("/lead-sources?name%5B%24in%5D%5B%5D=Sign+Call&name[$in][]=Open%20House", 200, b'{"total":2,'),
    ("/lead%2Dsources", 404, b'"url":"/lead%2Dsources"'),
    ("/lead-sources/%201?x", 400, b"Invalid query parameter x"),
    ("/lead-sources/%201", 404, b"No record found for id '%201'"),
    ("/lead-sources/../me", 404, b"Page not found"),
    ("/lead-sources?name=%zz", 200, b'{"total":0,'),
    ("/lead-sources?name[$ne]=" + "x" * 8000, 200, b'{"total":15,'),
]


@pytest.mark.parametrize(("target", "status", "part"), RAW, ids=[case[0][:40] for case in RAW])
async def test_paths_arrive_as_they_were_sent(town, port, target, status, part):
    head = (
        f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {town.tokens['alice']}\r\nConnection: close\r\n\r\n"
    )
    answer = await speak(port, head.encode())

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert part in answer


async def test_a_body_through_the_socket(town, port):
    body = b'{"data":{"name":"Yard sign"}}'
    head = (
        f"POST //lead-sources HTTP/1.1\r\nHost: x\r\nAuthorization: bearer  {town.tokens['alice']} \r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    answer = await speak(port, head.encode() + body)
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert answer.endswith(b'{"id":1000,"name":"Yard sign"}')
    twice = (
        "GET /me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\nConnection: close\r\n\r\n"
    )
    assert b"No access token" in await speak(port, twice.encode())


# rules: raw-blanks
async def test_a_raw_blank_in_the_request_line_is_refused_at_once(port):
    answer = await speak(port, b"GET /lead-sources?name=Sign Call HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
