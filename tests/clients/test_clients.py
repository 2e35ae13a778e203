"""What people wrote against LionDesk drives the service unchanged: Feathers' own clients, and passport-liondesk."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from leadroutes.store import accounts
from leadroutes.store.accounts import NewApplication
from tests.support.javascript import NodeJs, RunningApp

PASSWORD = "correct horse battery"


@pytest.mark.parametrize("version", ["3", "4", "5"])
async def test_feathers_own_client_finds_everything_as_it_was(
    node_js: NodeJs, service: RunningApp, version: str
) -> None:
    code, printed = await node_js.run("feathers.cjs", version, service.url, service.town.tokens["alice"])

    assert code == 0, printed


async def test_passport_liondesk_signs_a_user_in(node_js: NodeJs, service: RunningApp) -> None:
    await accounts.set_password(service.town.database, "bob@example.com", PASSWORD)
    wanted = NewApplication("Dialer", ["http://127.0.0.1/cb"])
    made = await accounts.add_application(service.town.database, "dave@example.com", wanted)
    process = await node_js.start("passport.cjs", service.url, made.client_id, made.client_secret)
    try:
        own = (await process.stdout.readline()).decode().strip()
        assert own.startswith("http://127.0.0.1:"), own + (await process.stdout.read()).decode()
        async with httpx.AsyncClient(follow_redirects=True) as browser:
            allowed, refused = await sign_in(browser, own, "allow"), await sign_in(browser, own, "refuse")
            renewed = await browser.get(f"{own}/renew", params={"token": allowed["refreshToken"]})
            again = await browser.get(f"{own}/renew", params={"token": "0" * 40})
    finally:
        process.kill()
        await process.wait()

    assert allowed["profile"]["provider"] == "liondesk"
    assert (allowed["profile"]["username"], allowed["profile"]["emails"]) == ("bob", [{"value": "bob@example.com"}])
    assert allowed["profile"]["id"] == service.town.users["bob"]
    assert allowed["answer"]["scope"] == "read write"
    assert renewed.json()["refresh"] not in ("", None, allowed["refreshToken"])
    assert renewed.json()["answer"]["expires_in"] == 776_000
    assert "invalid_grant" in again.json()["error"]
    assert "denied" in str(refused)


async def sign_in(browser: httpx.AsyncClient, own: str, answer: str) -> dict:
    """What the application has learned at the end; the first time, the user signs in on the way."""
    page = await browser.get(f"{own}/auth")
    if page.url.path == "/sign-in":
        target = parse_qs(urlsplit(str(page.url)).query)["next"][0]
        form = {"email": "bob@example.com", "password": PASSWORD, "next": target}
        page = await browser.post(str(page.url.copy_with(query=None)), data=form)
    assert "Let Dialer in?" in page.text
    action = re.search('action="(/oauth2/authorize[^"]+)"', page.text)[1].replace("&amp;", "&")
    return (await browser.post(str(page.url.join(action)), data={"answer": answer})).json()
