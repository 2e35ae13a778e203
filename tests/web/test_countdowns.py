"""A countdown ends a sentence, which is plain English with a script and without one, on every page that has one."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from html import unescape

import pytest

from leadroutes.server.run import address_of, listen, running_service
from tests.support.browser import Phone, needs_chromium
from tests.support.every_page import EveryPage
from tests.support.web_app import PASSWORD, WebApp

SENTENCES = re.compile(r"<p[^>]*>(?:(?!</p>).)*role=\"timer\".*?</p>", re.DOTALL)
TIMER = re.compile(r'<(\w+)(?P<about>[^>]*role="timer"[^>]*)>(?P<still>.*?)</\1>', re.DOTALL)
# How a sentence that has a countdown may go on where its own words end.
STILL = re.compile(r"\w (until|on) [A-Z][a-z]{2} \d+, (\d{4}, )?\d+:\d\d [AP]M [A-Z]{3}(\.|$)")
COUNTED = re.compile(r"\w (for|in) 4:59(, until [A-Z][a-z]{2} \d+, (\d{4}, )?\d+:\d\d [AP]M [A-Z]{3})?(\.|$)")
TWO_WORDS = re.compile(r"\b(for|in|within|until|on|at|now) (for|in|until|on|at)\b")


def sentences(page: str) -> Iterator[tuple[str, str]]:
    """Each paragraph that counts down: as it is without a script, and as the script shows it."""
    for found in SENTENCES.findall(page):
        yield _words(TIMER.sub(r"\g<still>", found)), _words(TIMER.sub(_counted, found))


def _counted(timer: re.Match[str]) -> str:
    given = dict(re.findall(r'data-(before|after|until|seconds)="([^"]*)"', timer["about"]))
    assert "until" in given or "seconds" in given
    return f"{given.get('before', '')} 4:59{given.get('after', '')}".strip()


def _words(markup: str) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", "", markup)).split())


def faults_in(page: str) -> list[str]:
    faults = []
    for still, counted in sentences(page):
        faults += [still] if not STILL.search(still) or TWO_WORDS.search(still) else []
        faults += [counted] if not COUNTED.search(counted) or TWO_WORDS.search(counted) else []
    return faults


def without_moments(text: str) -> str:
    return re.sub(r"[A-Z][a-z]{2} \d+, (\d{4}, )?\d+:\d\d [AP]M [A-Z]{3}", "THEN", text)


async def shown(web_app: WebApp, name: str, path: str) -> list[tuple[str, str]]:
    page = (await (await web_app.sign_in(name)).get(path)).text
    assert faults_in(page) == []
    return [(without_moments(still), without_moments(counted)) for still, counted in sentences(page)]


async def test_every_page_counts_down_in_plain_english(every_page: EveryPage) -> None:
    """Leads on offer to one after the other, of which some are offered to one agent alone."""
    seen = []
    for name in ("alice", "bob"):
        browser = await every_page.app.sign_in(name)
        for path in every_page.paths:
            page = (await browser.get(path)).text
            assert faults_in(page) == [], path
            seen += [path] if "data-until" in page else []
            in_sentences = "".join(SENTENCES.findall(page))
            assert page.count('role="timer"') == in_sentences.count('role="timer"'), f"{path}: not in a paragraph"
    assert {"/app", "/app/board"} <= set(seen)


async def test_the_inbox_says_how_long_an_offer_is_good(web_app: WebApp) -> None:
    assert await shown(web_app, "bob", "/app") == [
        (
            "Can be claimed until THEN. Carol Town is asked as well on THEN.",
            "Can be claimed for 4:59. Carol Town is asked as well in 4:59.",
        )
    ]


async def test_the_inbox_says_how_long_an_offer_is_the_agents_alone(web_app: WebApp) -> None:
    await web_app.database.execute("UPDATE teams SET offer_mode = 'Exclusive'")
    await web_app.ask(email="finn@example.com", city="Boulder")

    assert (
        "Yours to claim until THEN. Then Carol Town is asked.",
        "Yours to claim for 4:59. Then Carol Town is asked.",
    ) in await shown(web_app, "bob", "/app")


async def test_the_board_says_when_the_next_one_is_asked(web_app: WebApp) -> None:
    assert await shown(web_app, "alice", "/app/board") == [
        ("Carol Town is asked next on THEN", "Carol Town is asked next in 4:59")
    ]


async def test_a_claim_link_says_how_long_it_is_good(web_app: WebApp) -> None:
    """Ahead of the next agent, then alone with it, then with an offer that passes on."""
    link = await web_app.link("bob")
    ahead = (await web_app.browser().get(link)).text
    await web_app.pass_minutes(5)
    last = (await web_app.browser().get(link)).text
    await web_app.database.execute("UPDATE teams SET offer_mode = 'Exclusive'")
    lead_id = await web_app.ask(email="finn@example.com", city="Boulder")
    alone = (await web_app.browser().get(await web_app.link("bob", lead_id))).text

    assert [faults_in(page) for page in (ahead, last, alone)] == [[], [], []]
    said = [without_moments(text) for page in (ahead, last, alone) for pair in sentences(page) for text in pair]
    assert said == [
        "You are ahead until THEN. Then the next agent is asked as well.",
        "You are ahead for 4:59, until THEN. Then the next agent is asked as well.",
        "You can claim it until THEN. Then Alice Town hears that no one did.",
        "You can claim it for 4:59, until THEN. Then Alice Town hears that no one did.",
        "Yours to claim until THEN. Then the next agent is asked.",
        "Yours to claim for 4:59, until THEN. Then the next agent is asked.",
    ]


def test_what_reads_badly_is_found() -> None:
    timer = '<span role="timer" data-until="9" data-before="{}">{} Nov 30, 2:14 PM MST</span>'
    for page in (
        f"<p>Can be claimed for {timer.format('', 'until')}.</p>",
        f"<p>Carol is asked in {timer.format('', 'until')}.</p>",
        f"<p>Carol is asked {timer.format('', 'on')}.</p>",
        f"<p>Can be claimed {timer.format('for', '')}.</p>",
    ):
        assert faults_in(page), page
    assert faults_in(f"<p>Can be claimed {timer.format('for', 'until')}.</p>") == []


# --------------------------------------------------------------------------------------------------- in a browser


@pytest.fixture
async def served(web_app: WebApp, phone: Phone) -> AsyncIterator[WebApp]:
    listening = listen("127.0.0.1", 0)
    settings = replace(web_app.settings, public_url=address_of(listening), body_timeout=5)
    async with running_service(settings, web_app.database, listening, with_worker=False):
        yield replace(web_app, settings=settings)
        await phone.leave()  # the stream ends, which the service would wait for


COUNTS = "document.querySelector('[data-until]').textContent.startsWith('for ')"
READ_ANEW = """
window.seen = new Promise((resolve) => {
  const part = document.querySelector("[data-live-part]"), button = part.querySelector("form button");
  const place = () => [button.getBoundingClientRect().top, button.isConnected];
  const before = place();
  part.addEventListener("htmx:after:swap", () => {
    resolve([document.querySelector("[data-until]").textContent, String(before) === String(place())]);
  });
  htmx.trigger(part, "refresh");
});
"""


@needs_chromium
@pytest.mark.timeout(120)
async def test_what_is_read_anew_counts_on_and_nothing_moves(served: WebApp, phone: Phone) -> None:
    """The words for browsers without a script are longer: a button below them would move from under a finger."""
    await phone.open(f"{served.settings.public_url}/sign-in")
    await phone.fill_in(email="bob@example.com", password=PASSWORD)
    await phone.press()
    await phone.wait_for("Skip to the content")
    await phone.open(f"{served.settings.public_url}/app")
    await phone.wait_until(COUNTS)

    await phone.do(lambda driver: driver.execute_script(READ_ANEW))

    words, is_where_it_was = await phone.script("window.seen")
    assert re.fullmatch(r"for \d+:\d\d(:\d\d)?", words)
    assert is_where_it_was, "Claim is under the finger that is about to press it"
