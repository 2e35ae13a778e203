"""The one reader of the Cookie header, and that a session is found by it however the header is written."""

import pytest

from leadroutes.web.cookies import cookie_of
from tests.support.web_app import WebApp

TOKEN = "a-Z_09"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([f"leadroutes={TOKEN}"], TOKEN),
        ([f"a=b; leadroutes={TOKEN}; c=d"], TOKEN),
        ([f"a=b;leadroutes={TOKEN};"], TOKEN),
        ([f" leadroutes = {TOKEN} "], TOKEN),
        ([f'leadroutes="{TOKEN}"'], TOKEN),
        (["a=b", f"leadroutes={TOKEN}"], TOKEN),
        ([f"leadroutes=old; leadroutes={TOKEN}"], TOKEN),
        (["leadroutes=a=b"], "a=b"),
        (["leadroutes="], ""),
        (["leadroutes"], None),
        (["notleadroutes=a", "leadroutes2=b", "Leadroutes=c"], None),
        (['leadroutes="'], '"'),
        ([], None),
    ],
)
def test_a_cookie_is_found_by_its_name(headers: list[str], expected: str | None) -> None:
    assert cookie_of(headers, "leadroutes") == expected


async def test_a_session_goes_on_beside_cookies_of_others(web_app: WebApp) -> None:
    browser = await web_app.sign_in("bob")
    token = browser.cookies["leadroutes"]
    for header, status in (
        (f"x=y; leadroutes={token}", 200),
        (f'leadroutes="{token}"; z', 200),
        ('leadroutes="\\\\"', 303),
    ):
        assert (await web_app.browser().get("/app", headers={"Cookie": header})).status_code == status
