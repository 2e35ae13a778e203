"""What the whole service logs at its most talkative, while every kind of secret passes through it: none of them."""

import io
import logging
import re
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import structlog

from leadroutes.observability import logs
from leadroutes.server.run import address_of, listen, running_service
from leadroutes.settings import Settings
from leadroutes.store import accounts
from leadroutes.store.accounts import NewApplication
from leadroutes.store.postgres import Database
from tests.support.town import Town

PASSWORD, SECRET, CALLBACK = "correct horse battery", "a secret of the tests", "https://app.example/cb"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that this process logs, its libraries included."""
    handlers, level = logging.root.handlers[:], logging.root.level
    written = io.StringIO()
    with redirect_stderr(written):
        logs.set_up(as_json=True, level=logging.DEBUG)
        logging.getLogger("httpcore").setLevel(logging.WARNING)  # that is us, the client
        yield written
    logging.root.handlers[:], logging.root.level = handlers, level
    structlog.reset_defaults()


async def test_no_secret_comes_into_the_log_of_the_whole_service(
    database: Database, tmp_path: Path, log: io.StringIO
) -> None:
    town = await Town.create(database)
    await database.execute("UPDATE users SET password_hash = $1", accounts.hash_password(PASSWORD))
    made = await accounts.add_application(database, "dave@example.com", NewApplication("Dialer", [CALLBACK]))
    listening = listen("127.0.0.1", 0)
    url = address_of(listening)
    settings = Settings(public_url=url, data=tmp_path, secret=SECRET, log_leads=True)
    secrets = {PASSWORD, SECRET, town.tokens["alice"], str(made.client_secret)}
    async with running_service(settings, database, listening), httpx.AsyncClient(base_url=url) as browser:
        secrets |= await _sign_in(browser)
        secrets |= await _let_in(browser, made.client_id, str(made.client_secret))
        secrets |= await _take_a_lead_in(browser, town)
        await _fail(browser, secrets)

    lines = log.getvalue()
    assert lines.count('"event"') > 3, "something was logged at all"
    assert len(secrets) > 10
    assert {secret for secret in secrets if secret in lines} == set()


async def _sign_in(browser: httpx.AsyncClient) -> set[str]:
    form = {"email": "alice@example.com", "password": PASSWORD}
    assert (await browser.post("/sign-in", data=form)).status_code == 303
    assert (await browser.post("/sign-in", data=form | {"password": "what-no-one-may-read"})).status_code == 403
    page = await browser.post("/app/me/tokens", data={"do": "issue", "scope": "read"})
    token = re.search("<pre>([0-9a-f]{40})</pre>", page.text)
    assert token is not None
    return {str(browser.cookies["leadroutes"]), "what-no-one-may-read", token[1]}


async def _let_in(browser: httpx.AsyncClient, client_id: str, client_secret: str) -> set[str]:
    question = {"response_type": "code", "client_id": client_id, "redirect_uri": CALLBACK}
    allowed = await browser.post("/oauth2/authorize", params=question, data={"answer": "allow"})
    code = parse_qs(urlsplit(allowed.headers["location"]).query)["code"][0]
    client = {"client_id": client_id, "client_secret": client_secret}
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    first = (await browser.post("/oauth2/token", json=client | fields)).json()
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = (await browser.post("/oauth2/token", data=refresh, auth=(client_id, client_secret))).json()
    assert (await browser.post("/oauth2/token", json=client | fields)).status_code == 400, "the code is used up"
    assert (await browser.post("/oauth2/revoke", data=client | {"token": second["refresh_token"]})).status_code == 200
    return {code, *(pair[name] for pair in (first, second) for name in ("access_token", "refresh_token"))}


async def _take_a_lead_in(browser: httpx.AsyncClient, town: Town) -> set[str]:
    headers = {"Authorization": f"Bearer {town.tokens['alice']}"}
    secret = {"secret": "hush-of-a-vendor-no-one-may-read"}
    plain = {"lead_source_id": 1, "format": "zapier"}
    key = (await browser.post("/intake-keys", json=plain, headers=headers)).json()
    with_secrets = {"lead_source_id": 1, "format": "zillow", "secrets": secret}
    refused = await browser.post("/intake-keys", json=with_secrets, headers=headers)
    lead = {"first_name": "Mia", "email": "mia@example.com", "message": "Is it there?"}
    assert (await browser.post(f"/intake/{key['key']}", json=lead)).status_code == 201
    assert (await browser.post(f"/intake/{key['key']}", content=b"\xff\x00")).status_code in (400, 422)
    assert refused.status_code in (201, 400)
    return {key["key"], secret["secret"]}


async def _fail(browser: httpx.AsyncClient, secrets: set[str]) -> None:
    """Each of them where it does not belong."""
    for secret in sorted(secrets):
        for path in (f"/intake/{secret}", f"/claim/{secret}", f"/{secret}", f"/me?access_token={secret}"):
            await browser.get(path, headers={"Authorization": f"Bearer {secret}"})
        broken = b"POST /" + secret.encode() + b" HTTP/9.9\r\n"
        await browser.post("/oauth2/token", content=broken, headers={"Content-Type": "application/json"})
