"""Guessing a password is slowed where it comes from, and neither locks anybody out nor keeps anybody waiting."""

import asyncio
from collections import Counter

import httpx
import pytest

from leadroutes.errors import TooManyRequests
from leadroutes.security.throttle import (
    MOST_KEYS,
    PER_ACCOUNT,
    PER_ACCOUNT_AND_NETWORK,
    PER_BROWSER,
    PER_NETWORK,
    WINDOW,
    PasswordThrottle,
    limits_at_sign_in,
)
from leadroutes.web.turns import MOST_OF_ONE, MOST_WAITING, RESERVED, Busy, PasswordTurns
from tests.support.web_app import HOST, PASSWORD, WebApp

BOB = "bob@example.com"


def browser_at(web_app: WebApp, address: str, **cookies: str) -> httpx.AsyncClient:
    """A browser that comes from this address."""
    transport = httpx.ASGITransport(app=web_app.application, raise_app_exceptions=True, client=(address, 50_000))
    browser = httpx.AsyncClient(transport=transport, base_url=HOST, cookies=cookies)
    web_app.browsers.append(browser)
    return browser


async def sign_in(browser: httpx.AsyncClient, email: str = BOB, password: str = PASSWORD) -> httpx.Response:
    return await browser.post("/sign-in", data={"email": email, "password": password})


async def guess(web_app: WebApp, address: str, times: int = 1) -> Counter[int]:
    browser = browser_at(web_app, address)
    return Counter([(await sign_in(browser, password="x" * 300)).status_code for _ in range(times)])


# ------------------------------------------------------------------------------------------------ through the door


async def test_guesses_from_elsewhere_lock_no_one_out(web_app: WebApp) -> None:
    for number in range(20):
        assert (await guess(web_app, f"203.0.113.{number}"))[403] == 1
    assert await guess(web_app, "203.0.113.77", PER_ACCOUNT_AND_NETWORK + 3) == {403: PER_ACCOUNT_AND_NETWORK, 429: 3}
    assert (await sign_in(browser_at(web_app, "198.51.100.7"))).status_code == 303


async def test_a_browser_that_has_signed_in_before_is_not_held_by_others_of_its_network(web_app: WebApp) -> None:
    known = browser_at(web_app, "203.0.113.1")
    assert (await sign_in(known)).status_code == 303
    await known.post("/sign-out")
    await guess(web_app, "203.0.113.1", PER_ACCOUNT_AND_NETWORK)
    assert (await sign_in(browser_at(web_app, "203.0.113.1"))).status_code == 429
    assert (await sign_in(known)).status_code == 303


async def test_a_known_browser_has_no_more_guesses_than_others(web_app: WebApp) -> None:
    known = browser_at(web_app, "203.0.113.1")
    await sign_in(known)
    statuses = Counter([(await sign_in(known, password="x" * 300)).status_code for _ in range(PER_BROWSER + 2)])
    assert statuses == {403: PER_BROWSER, 429: 2}


async def test_a_browser_is_known_for_its_own_account_only_and_no_cookie_can_be_made_up(web_app: WebApp) -> None:
    known = browser_at(web_app, "203.0.113.1")
    await sign_in(known, "carol@example.com")
    [(name, value)] = [(each.name, each.value or "") for each in known.cookies.jar if "known" in each.name]
    await sign_in(known)
    [bobs] = [each.name for each in known.cookies.jar if "known" in each.name and each.name != name]
    await guess(web_app, "203.0.113.1", PER_ACCOUNT_AND_NETWORK)
    digest, _, rest = value.partition(".")
    for forged in (value, f"{digest}.{rest}x", "", "é", f"{bobs}.{rest}"):
        browser = browser_at(web_app, "203.0.113.1")
        browser.headers = httpx.Headers([(b"cookie", f"{bobs}={forged}".encode("latin-1"))])
        assert (await sign_in(browser)).status_code == 429, forged


async def test_the_cookie_of_a_known_browser_lets_no_one_in(web_app: WebApp) -> None:
    browser = browser_at(web_app, "203.0.113.1")
    await sign_in(browser)
    browser.cookies.delete("leadroutes")
    assert [each.name for each in browser.cookies.jar if "known" in each.name]
    assert (await browser.get("/app")).status_code == 303


async def test_a_crowd_of_guesses_is_refused_in_time_and_lets_others_in_between(web_app: WebApp) -> None:
    """Eight networks at once: the queue is full, and the one who was here before waits for one of each at the most."""
    known = browser_at(web_app, "198.51.100.1")
    await sign_in(known)
    ended: list[tuple[str, int]] = []
    all_refused = asyncio.Event()

    async def one(name: str, browser: httpx.AsyncClient, password: str) -> None:
        ended.append((name, (await sign_in(browser, password=password)).status_code))
        if sum(status in (429, 503) for _, status in ended) == 104 - 1 - MOST_WAITING:
            all_refused.set()

    guesses = [
        asyncio.create_task(one("guess", browser_at(web_app, f"203.0.113.{number % 8}"), "wrong"))
        for number in range(104)
    ]
    async with asyncio.timeout(60):
        await all_refused.wait()
        before = len(ended)
        await asyncio.gather(
            one("known", known, PASSWORD), one("new", browser_at(web_app, "198.51.100.2"), PASSWORD), *guesses
        )

    statuses = Counter(status for name, status in ended if name == "guess")
    assert statuses[403] == 1 + MOST_WAITING
    assert statuses[429] + statuses[503] == 104 - 1 - MOST_WAITING
    assert statuses[503] > 0
    assert ("new", 503) in ended
    place = ended.index(("known", 303))
    assert Counter(status for _, status in ended[before:place])[403] <= 9


# ------------------------------------------------------------------------------------------------------- counting


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


async def attempt(throttle: PasswordThrottle, *who: str, is_right: bool = False) -> float:
    """For how long it is refused; 0: the password was compared."""

    async def compare() -> bool:
        return is_right

    try:
        assert await throttle.compare(limits_at_sign_in(*who), compare) is is_right
    except TooManyRequests as problem:
        return problem.retry_after
    return 0


async def test_what_was_counted_is_over_after_the_window() -> None:
    clock = Clock()
    throttle = PasswordThrottle(clock)
    for _ in range(PER_ACCOUNT_AND_NETWORK):
        assert not await attempt(throttle, BOB, "203.0.113.1")
        clock.at += 10
    assert await attempt(throttle, " Bob@Example.com", "203.0.113.1") == WINDOW - 100
    clock.at += WINDOW - 101
    assert await attempt(throttle, BOB, "203.0.113.1") == 1
    clock.at += 1
    assert not await attempt(throttle, BOB, "203.0.113.1")
    assert await attempt(throttle, BOB, "203.0.113.1") == 10


async def test_an_attempt_that_was_no_guess_does_not_count() -> None:
    throttle = PasswordThrottle(Clock())

    async def break_off() -> bool:
        raise Busy

    for _ in range(PER_NETWORK * 3):
        assert not await attempt(throttle, BOB, "203.0.113.1", is_right=True)
        with pytest.raises(Busy):
            await throttle.compare(limits_at_sign_in(BOB, "203.0.113.1"), break_off)
    assert not throttle._counts


async def test_an_attempt_counts_while_its_password_is_compared() -> None:
    throttle, may_end = PasswordThrottle(Clock()), [asyncio.Event() for _ in range(PER_ACCOUNT_AND_NETWORK)]
    compared = 0

    async def one(end: asyncio.Event, *, is_right: bool) -> None:
        async def compare() -> bool:
            nonlocal compared
            compared += 1
            await end.wait()
            return is_right

        await throttle.compare(limits_at_sign_in(BOB, "203.0.113.1"), compare)

    running = [asyncio.create_task(one(end, is_right=end is may_end[0])) for end in may_end]
    await asyncio.sleep(0)
    assert compared == PER_ACCOUNT_AND_NETWORK
    assert await attempt(throttle, BOB, "203.0.113.1", is_right=True) == WINDOW

    may_end[0].set()
    await running[0]
    assert not await attempt(throttle, BOB, "203.0.113.1", is_right=True), "a right one has given its place back"
    assert not await attempt(throttle, BOB, "203.0.113.1")
    assert await attempt(throttle, BOB, "203.0.113.1") == WINDOW
    for end in may_end:
        end.set()
    await asyncio.gather(*running)
    assert await attempt(throttle, BOB, "203.0.113.1") == WINDOW


async def test_a_network_has_its_limit_over_all_accounts_and_an_account_over_all_networks() -> None:
    throttle = PasswordThrottle(Clock())
    for number in range(PER_NETWORK):
        assert not await attempt(throttle, f"{number}@example.com", "2001:db8::1")
    assert await attempt(throttle, "one.more@example.com", "2001:db8::ffff") == WINDOW, "one network of IPv6"
    for number in range(PER_ACCOUNT):
        assert not await attempt(throttle, BOB, f"10.{number // 250}.{number % 250}.1")
    assert await attempt(throttle, BOB, "192.0.2.1") == WINDOW
    assert not await attempt(throttle, BOB, "192.0.2.1", "a browser that is known")


async def test_what_is_counted_has_an_end() -> None:
    throttle = PasswordThrottle(Clock())
    for number in range(MOST_KEYS):
        await attempt(throttle, f"{number}@example.com", f"{number}")
    assert len(throttle._counts) == MOST_KEYS


# ---------------------------------------------------------------------------------------------------------- turns


async def test_networks_take_turns() -> None:
    turns, order = PasswordTurns(), []

    async def work(who: str) -> None:
        async with turns.take(who):
            order.append(who)
            await asyncio.sleep(0)

    async with turns.take("first"):
        waiting = [asyncio.create_task(work(who)) for who in ("a",) * 5 + ("b",) * 2 + ("c",)]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert order == ["a", "b", "c", "a", "b", "a", "a", "a"]


async def test_the_queue_has_an_end_for_each_and_for_all() -> None:
    turns = PasswordTurns()

    async def work(who: str, *, is_known: bool = False) -> bool:
        try:
            async with turns.take(who, is_known=is_known):
                return True
        except Busy:
            return False

    async with turns.take("first"):
        of_one = [asyncio.create_task(work("a")) for _ in range(MOST_OF_ONE + 3)]
        await asyncio.sleep(0)
        others = [asyncio.create_task(work(f"b {number}")) for number in range(MOST_WAITING)]
        await asyncio.sleep(0)
        known = [asyncio.create_task(work(f"c {number}", is_known=True)) for number in range(RESERVED + 2)]
        await asyncio.sleep(0)
        assert len(turns) == MOST_WAITING + RESERVED
    assert Counter(await asyncio.gather(*of_one)) == {True: MOST_OF_ONE, False: 3}
    assert Counter(await asyncio.gather(*others)) == {True: MOST_WAITING - MOST_OF_ONE, False: MOST_OF_ONE}
    assert Counter(await asyncio.gather(*known)) == {True: RESERVED, False: 2}
    assert len(turns) == 0


@pytest.mark.parametrize("is_granted", [False, True])
async def test_who_goes_away_keeps_no_one_waiting(is_granted: bool) -> None:
    turns, done = PasswordTurns(), []

    async def work(who: str) -> None:
        async with turns.take(who):
            done.append(who)

    async with turns.take("first"):
        gone, stays = asyncio.create_task(work("gone")), asyncio.create_task(work("stays"))
        await asyncio.sleep(0)
        if not is_granted:
            gone.cancel()
            await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, stays, return_exceptions=True)
    assert done == ["stays"]
    async with turns.take("next"):
        assert len(turns) == 0
