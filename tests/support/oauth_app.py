"""The whole house in one process, and applications that Dave runs: one with a secret, one without."""

import base64
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from leadroutes.server import app
from leadroutes.settings import Settings
from leadroutes.store import accounts
from leadroutes.store.accounts import ApplicationCredentials, NewApplication
from leadroutes.store.postgres import Database
from leadroutes.store.sessions import add_session
from tests.support.databases import administer, with_database
from tests.support.town import Town

HOST = "http://town"
PASSWORD = "correct horse battery"
CALLBACK = "https://app.example/cb"
VERIFIER = "a-verifier-of-forty-three-characters-or-more"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


@dataclass
class OAuthApp:
    """`dialer` has a secret, `phone` none; both come back to CALLBACK."""

    town: Town
    application: Any
    dialer: ApplicationCredentials
    phone: ApplicationCredentials
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.town.database

    def browser(self, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.application, raise_app_exceptions=True)
        client = httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers)
        self.clients.append(client)
        return client

    async def sign_in(self, name: str) -> httpx.AsyncClient:
        """A browser in which this person is signed in; the form itself is tested elsewhere."""
        token = await add_session(self.database, self.town.users[name])
        return self.browser(Cookie=f"leadroutes={token}")

    async def register(self, *redirect_uris: str, has_secret: bool = True) -> ApplicationCredentials:
        wanted = NewApplication("Another", list(redirect_uris), has_secret=has_secret)
        return await accounts.add_application(self.database, "dave@example.com", wanted)

    def question(self, application: ApplicationCredentials | None = None, **changed: str | None) -> dict[str, str]:
        """What an application asks for; None leaves a parameter out."""
        application = application or self.dialer
        usual = {"response_type": "code", "client_id": application.client_id, "redirect_uri": CALLBACK, "state": "s 1&"}
        if application.client_secret is None:
            usual |= PKCE
        return {name: value for name, value in (usual | changed).items() if value is not None}

    async def code(
        self, name: str = "alice", application: ApplicationCredentials | None = None, **changed: str | None
    ) -> str:
        """A code that this person has allowed."""
        browser = await self.sign_in(name)
        question = self.question(application, **changed)
        answer = await browser.post("/oauth2/authorize", params=question, data={"answer": "allow"})
        assert answer.status_code == 302, answer.text
        return parameters(answer)["code"]

    async def ask_token(self, application: ApplicationCredentials | None = None, **fields: Any) -> httpx.Response:
        """POST as JSON, with the secret in the body if there is one; None leaves a field out."""
        application = application or self.dialer
        client = {"client_id": application.client_id, "client_secret": application.client_secret}
        body = {name: value for name, value in (client | fields).items() if value is not None}
        return await self.browser().post("/oauth2/token", json=body)

    async def exchange(
        self, code: str, application: ApplicationCredentials | None = None, **changed: Any
    ) -> httpx.Response:
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK} | changed
        return await self.ask_token(application, **fields)

    async def refresh(
        self, token: str, application: ApplicationCredentials | None = None, **more: Any
    ) -> httpx.Response:
        return await self.ask_token(application, grant_type="refresh_token", refresh_token=token, **more)

    async def tokens(self, name: str = "alice", **changed: str | None) -> dict[str, Any]:
        answer = await self.exchange(await self.code(name, **changed))
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    async def who(self, access_token: str) -> str | int:
        """The username behind a token, or the status of the refusal."""
        answer = await self.browser().get("/me", headers={"Authorization": f"Bearer {access_token}"})
        return answer.json()["username"] if answer.status_code == 200 else answer.status_code


def parameters(answer: httpx.Response) -> dict[str, str]:
    """What an answer's redirection carries."""
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query, keep_blank_values=True))


@pytest.fixture(scope="session")
async def open_oauth_app(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[OAuthApp]:
    """One house for all tests; each finds it swept."""
    name = f"leadroutes_oauth_{os.getpid()}"
    await administer(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    database = await Database.open(Settings(), url=with_database(server_url, name))
    await database.load_clock()
    settings = Settings(public_url=HOST, data=tmp_path_factory.mktemp("data"), secret="of the tests", body_timeout=0.2)
    built = app.build_app(settings, database)
    town = await Town.create(database, built)
    await database.execute("UPDATE users SET password_hash = $1", accounts.hash_password(PASSWORD))
    dialer = await accounts.add_application(database, "dave@example.com", NewApplication("Dialer", [CALLBACK]))
    public = NewApplication("Phone", [CALLBACK], has_secret=False)
    public_one = await accounts.add_application(database, "dave@example.com", public)
    yield OAuthApp(town, built, dialer, public_one)
    await built.arrivals.close()
    await database.close()
    await administer(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def oauth_app(open_oauth_app: OAuthApp) -> AsyncIterator[OAuthApp]:
    """As it was when it was opened."""
    oauth_app = open_oauth_app
    yield oauth_app
    for client in oauth_app.clients:
        await client.aclose()
    oauth_app.clients.clear()
    for sweep in (
        "DELETE FROM grants", "DELETE FROM sessions", "UPDATE users SET is_active = true",
        "DELETE FROM applications WHERE name NOT IN ('Dialer', 'Phone')",
        "DELETE FROM access_tokens t USING applications a WHERE a.name = 'Phone' AND t.created_at > a.created_at",
    ):  # fmt: skip
        await oauth_app.database.execute(sweep)
