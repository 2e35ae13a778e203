"""The page behind a claim link: it shows little, claims only when its button is pressed, and tells the winner all."""

import asyncio
import re

import pytest

from leadroutes.domain.text import MESSAGE_LIMIT
from leadroutes.store import statement
from tests.support.event_loop import LONGEST, monitored_loop
from tests.support.web_app import WebApp

SECRETS = ("Lund", "mia@example.com", "555-0147", "+13035550147", "Elm Street", "garden", "80202")


async def test_a_look_shows_a_masked_preview_and_claims_nothing(web_app: WebApp) -> None:
    browser = web_app.browser()
    link = await web_app.link("bob")

    for method in ("GET", "HEAD", "GET"):
        answer = await browser.request(method, link)
        assert answer.status_code == 200

    for word in ("Mia", "Denver", "$450,000", "Buyer", "Claim this lead"):
        assert word in answer.text
    assert [secret for secret in SECRETS if secret in answer.text] == []
    assert await web_app.claimed() is None


@pytest.mark.parametrize("via", ["Email", "Text", "Phone"])
async def test_the_button_claims_and_shows_the_whole_contact(web_app: WebApp, via: str) -> None:
    link = await web_app.link("bob", via=via)
    browser = web_app.browser()
    answer = await browser.post(link)

    assert answer.status_code == 200
    links = ('href="tel:+13035550147"', 'href="mailto:mia@example.com"')
    for part in ("Mia Lund", "(303) 555-0147", "12 Elm Street", *links):
        assert part in answer.text
    assert "Is the &lt;b&gt;garden&lt;/b&gt; sunny?" in answer.text
    assert "<form" not in answer.text
    assert await web_app.claimed() == {"username": "bob", "via": via}
    assert "Mia Lund" in (await browser.get(link)).text
    assert (await browser.post(link)).status_code == 200, "the winner asking again"


async def test_the_loser_reads_who_has_it(web_app: WebApp) -> None:
    await web_app.pass_minutes(5)
    link = await web_app.link("carol")
    await web_app.engine.claim(web_app.brokerage.owner_id, web_app.lead_id, web_app.town.users["bob"])
    look, press = await web_app.browser().get(link), await web_app.browser().post(link)

    assert (look.status_code, press.status_code) == (200, 409)
    for answer in (look, press):
        assert "already been claimed by <strong>Bob Town</strong>" in answer.text
        assert [secret for secret in SECRETS if secret in answer.text] == []
        assert "<form" not in answer.text


async def test_many_press_at_once_and_one_has_it(web_app: WebApp) -> None:
    await web_app.pass_minutes(5)
    links = [await web_app.link(name) for name in ("bob", "carol") for _ in range(5)]
    answers = await asyncio.gather(*(web_app.browser().post(link) for link in links))

    winner = (await web_app.claimed())["username"]
    statuses = {"bob": {answer.status_code for answer in answers[:5]}, "carol": {a.status_code for a in answers[5:]}}
    assert statuses.pop(winner) == {200}
    assert list(statuses.values()) == [{409}]


@pytest.mark.parametrize("token", ["forged", "x" * 43, "%00", "%F0%9F%8F%A0", "a" * 5000, "a.b", "'--"])
async def test_a_token_that_was_never_issued_leads_nowhere(web_app: WebApp, token: str) -> None:
    for method in ("GET", "HEAD", "POST"):
        answer = await web_app.browser().request(method, f"/claim/{token}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_the_link_of_someone_who_has_left_is_dead(web_app: WebApp) -> None:
    link = await web_app.link("bob")
    await web_app.database.execute("UPDATE users SET is_active = false WHERE username = 'bob'")

    assert (await web_app.browser().get(link)).status_code == 404
    assert (await web_app.browser().post(link)).status_code == 404
    assert await web_app.claimed() is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://town.evil.example"},
        {"Origin": "http://[bad"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://town"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://town"},
    ],
)
async def test_a_claim_from_another_site_is_refused(web_app: WebApp, headers: dict[str, str]) -> None:
    answer = await web_app.browser(**headers).post(await web_app.link("bob"))

    assert answer.status_code == 403
    assert await web_app.claimed() is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://town"},
        {"Origin": "https://town"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://town"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_a_claim_from_our_own_page_is_taken(web_app: WebApp, headers: dict[str, str]) -> None:
    assert (await web_app.browser(**headers).post(await web_app.link("bob"))).status_code == 200


async def test_a_declined_lead_cannot_be_claimed(web_app: WebApp) -> None:
    offer_id = await web_app.database.fetchval(
        "SELECT id FROM offers WHERE user_id = $1 AND lead_id = $2", web_app.town.users["bob"], web_app.lead_id
    )
    await web_app.engine.decline(web_app.brokerage.owner_id, offer_id, web_app.town.users["bob"])
    link = await web_app.link("bob")
    look, press = await web_app.browser().get(link), await web_app.browser().post(link)

    assert (look.status_code, press.status_code) == (200, 409)
    assert "You have declined this lead" in look.text
    assert "<form" not in press.text
    assert await web_app.claimed() is None


async def test_under_exclusive_the_turn_passes_on_and_the_page_says_when(web_app: WebApp) -> None:
    await web_app.database.execute("UPDATE teams SET offer_mode = 'Exclusive'")
    web_app.lead_id = await web_app.ask(email="finn@example.com")
    link = await web_app.link("bob")
    before = (await web_app.browser().get(link)).text
    await web_app.pass_minutes(5)
    look, press = await web_app.browser().get(link), await web_app.browser().post(link)

    assert 295 <= int(re.search(r'data-seconds="(\d+)"', before)[1]) <= 300
    assert "Yours to claim <strong" in before
    assert (look.status_code, press.status_code) == (200, 409)
    assert "Your time to claim this lead is over" in look.text
    carols = (await web_app.browser().get(await web_app.link("carol"))).text
    assert "Alice Town hears that no one did" in carols, "no one comes after Carol"


@pytest.mark.parametrize(("then", "now"), [("Exclusive", "Cumulative"), ("Cumulative", "Exclusive")])
async def test_a_lead_stays_exclusive_or_not_when_its_team_changes(web_app: WebApp, then: str, now: str) -> None:
    """The rules that decided the lead go on to decide what happens to it, so they are what the pages say."""
    await web_app.database.execute("UPDATE teams SET offer_mode = $1", then)
    web_app.lead_id = await web_app.ask(email="finn@example.com")
    await web_app.database.execute("UPDATE teams SET offer_mode = $1", now)
    page = (await web_app.browser().get(await web_app.link("bob"))).text
    offers = await web_app.database.fetch(
        *statement("list_inbox_offers").bind(user_id=web_app.town.users["bob"], most=10)
    )
    assert ("Yours to claim <strong" in page) == (then == "Exclusive")
    assert offers[0]["is_exclusive"] == (then == "Exclusive")
    await web_app.pass_minutes(5)
    assert (await web_app.browser().post(await web_app.link("bob"))).status_code == (
        409 if then == "Exclusive" else 200
    )


def seconds_of(page: str) -> int:
    found = re.search(r'data-seconds="(\d+)"', page)
    assert found is not None
    return int(found[1])


async def test_a_countdown_ends_when_the_next_agent_is_asked_or_the_lead_lapses(web_app: WebApp) -> None:
    link = await web_app.link("bob")
    open_page = (await web_app.browser().get(link)).text
    await web_app.pass_minutes(5)
    last = (await web_app.browser().get(link)).text
    await web_app.pass_minutes(15)
    unclaimed = await web_app.browser().get(link)

    assert 295 <= seconds_of(open_page) <= 300, "until Carol is asked"
    assert "You are ahead <strong" in open_page
    assert 895 <= seconds_of(last) <= 900, "no one comes after Carol: until the lead lapses"
    assert "hears that no one did" in last
    assert "No one has this lead yet" in unclaimed.text
    assert "data-seconds" not in unclaimed.text
    assert (await web_app.browser().post(link)).status_code == 200
    assert await web_app.claimed() == {"username": "bob", "via": "Email"}


async def test_a_faster_clock_counts_down_in_the_readers_seconds(web_app: WebApp) -> None:
    await web_app.database.set_time_scale(60)
    page = (await web_app.browser().get(await web_app.link("bob"))).text

    assert 3 <= seconds_of(page) <= 5


async def test_a_lead_that_was_assigned_shows_the_contact_to_whom_it_was_given(web_app: WebApp) -> None:
    bobs, carols = await web_app.link("bob"), await web_app.link("carol")
    await web_app.engine.assign(
        web_app.brokerage.owner_id, web_app.lead_id, web_app.town.users["carol"], web_app.town.users["alice"]
    )
    assert "Mia Lund" in (await web_app.browser().get(carols)).text
    assert "Carol Town" in (await web_app.browser().get(bobs)).text

    await web_app.engine.assign(
        web_app.brokerage.owner_id, web_app.lead_id, web_app.town.users["bob"], web_app.town.users["alice"]
    )
    assert "Mia Lund" in (await web_app.browser().get(bobs)).text
    assert "Mia Lund" not in (await web_app.browser().get(carols)).text, "it has moved on"


async def test_an_inquiry_that_is_only_html_shows_its_words(web_app: WebApp) -> None:
    await web_app.database.execute(
        "UPDATE leads SET text_body = NULL, html_body = '<p>Hello</p><script>alert(1)</script><p>there &amp; then</p>'"
    )
    page = (await web_app.browser().post(await web_app.link("bob"))).text

    assert "Hello\n\nthere &amp; then" in page or "Hello\nthere &amp; then" in page
    assert "alert(1)" not in page


async def test_a_lead_of_which_little_is_known_has_a_page(web_app: WebApp) -> None:
    lead_id = await web_app.ask(email="someone@example.com", name="")
    link = await web_app.link("bob", lead_id)

    assert "Someone" in (await web_app.browser().get(link)).text
    assert "mailto:someone@example.com" in (await web_app.browser().post(link)).text


async def test_names_that_are_markup_stay_words(web_app: WebApp) -> None:
    lead_id = await web_app.ask(name="<img src=x> O'Hara", email="o&m@example.com", city="<b>Bo</b>", lead_type="\"'>")
    link = await web_app.link("bob", lead_id)

    for page in ((await web_app.browser().get(link)).text, (await web_app.browser().post(link)).text):
        assert "<img src=x>" not in page
        assert "<b>Bo</b>" not in page


# ---------------------------------------------------------------------------------- for someone who is signed in


async def test_a_member_claims_on_the_page_of_an_offer(web_app: WebApp) -> None:
    browser = await web_app.sign_in("bob")
    home = (await browser.get("/app")).text
    path = re.search(r'href="(/app/offers/\d+)"', home)[1]

    assert "Mia, in Denver, Buyer, $450,000" in home
    assert "Lund" not in home
    look = await browser.get(path)
    assert look.status_code == 200
    assert [secret for secret in SECRETS if secret in look.text] == []
    assert "Mia Lund" in (await browser.post(path)).text
    assert await web_app.claimed() == {"username": "bob", "via": "None"}
    assert "Mia Lund" in (await browser.get("/app")).text


async def test_an_offer_is_seen_by_the_one_whom_it_was_made_to(web_app: WebApp) -> None:
    offers = dict(await web_app.database.fetch("SELECT username, o.id FROM offers o JOIN users u ON u.id = o.user_id"))
    dave, carol = await web_app.sign_in("dave"), await web_app.sign_in("carol")

    for path in (f"/app/offers/{offers['bob']}", "/app/offers/0", "/app/offers/9" + "9" * 30, "/app/offers/x"):
        assert (await dave.get(path)).status_code == 404
        assert (await dave.post(path)).status_code == 404
    assert (await carol.get(f"/app/offers/{offers['carol']}")).status_code == 404, "Carol has not been notified yet"
    assert (await web_app.browser().post(f"/app/offers/{offers['bob']}")).headers["location"] == "/sign-in"
    evil = {"Origin": "https://evil.example"}
    assert (await carol.post(f"/app/offers/{offers['bob']}", headers=evil)).status_code == 403
    assert await web_app.claimed() is None


MARKUP = {
    "deep": "<div>" * 100_000,
    "half open": "<div " * 100_000,
    "quotes": '<a b="' * 80_000,
    "comments": "<!--" * 130_000,
    "references": "&amp;" * 200_000,
}


@pytest.mark.parametrize("name", MARKUP)
async def test_no_one_waits_for_the_words_of_someone_elses_markup(web_app: WebApp, name: str) -> None:
    browser = await web_app.sign_in("bob")
    await browser.post(await web_app.link("bob"))
    await web_app.database.execute(
        "UPDATE leads SET text_body = NULL, html_body = $1", f"<p>Is it sunny?</p>{MARKUP[name]}"
    )
    offer = await web_app.database.fetchval("SELECT id FROM offers WHERE user_id = $1", web_app.town.users["bob"])
    with monitored_loop() as monitor:
        answer = await browser.get(f"/app/offers/{offer}")

    assert answer.status_code == 200
    assert "Is it sunny?" in answer.text
    assert len(answer.text) < 400_000
    assert monitor.longest < LONGEST


async def test_the_words_of_a_long_text_are_cut(web_app: WebApp) -> None:
    browser = await web_app.sign_in("bob")
    await browser.post(await web_app.link("bob"))
    await web_app.database.execute("UPDATE leads SET text_body = $1", "word " * 200_000)
    offer = await web_app.database.fetchval("SELECT id FROM offers WHERE user_id = $1", web_app.town.users["bob"])
    answer = await browser.get(f"/app/offers/{offer}")

    assert "word word" in answer.text
    assert len(answer.text) < 100_000


async def test_the_winner_reads_who_inquired_where_the_contact_is_someone_else(web_app: WebApp) -> None:
    """Two people share a phone: one contact, and each inquiry says who sent it."""
    other = await web_app.ask(
        name="Luis Rey", email="luis@example.com", phone="303-555-0147", mls="77", message="This is Luis"
    )
    await web_app.ask(name="Luis R.", email="luis@example.com", phone="303-555-0199", mls="77", message="Call me there")
    masked = await web_app.browser().get(await web_app.link("bob", other))
    assert "Luis" in masked.text
    assert [secret for secret in (*SECRETS, "Rey", "luis@", "0199", "Mia") if secret in masked.text] == []
    won = (await web_app.browser().post(await web_app.link("bob", other))).text
    for part in ("<h1>Luis Rey</h1>", "<dd>Mia Lund</dd>", "This is Luis", "Call me there", "Luis R.", "0199"):
        assert part in won
    assert won.index("mailto:luis@example.com") < won.index("mailto:mia@example.com")


async def test_the_winner_reads_that_campaigns_do_not_write_to_the_address_and_no_one_else_does(
    web_app: WebApp,
) -> None:
    link = await web_app.link("bob")
    await web_app.database.execute(
        "INSERT INTO suppressions (owner_id, channel, value, digest, reason, at)"
        " SELECT $1, 'email', 'mia@example.com', address_digest('mia@example.com', salt), 'bounced', now()"
        " FROM suppression_salt",
        web_app.brokerage.owner_id,
    )
    note = "No e-mails of campaigns: the e-mail address takes no mail"

    assert note not in (await web_app.browser().get(link)).text
    assert note in (await web_app.browser().post(link)).text


async def test_a_message_that_was_cut_when_it_came_in_does_not_look_whole(web_app: WebApp) -> None:
    """On the page of the lead it ends with three dots, and the lead's history says where all of it is."""
    for length, is_cut in ((MESSAGE_LIMIT + 1, True), (MESSAGE_LIMIT - 1, False)):
        lead_id = await web_app.ask(email=f"mia{length}@example.com", message="x" * length)
        arrived = (await web_app.engine.history(web_app.brokerage.owner_id, lead_id))[0]
        answer = await web_app.browser().post(await web_app.link("bob", lead_id))

        assert ("x …" in answer.text) == is_cut
        assert ("the message is cut after 10000 characters" in arrived["detail"]) == is_cut


# ------------------------------------------------------------------------------------------------------- not for me


@pytest.mark.parametrize("by_link", [True, False])
async def test_who_does_not_want_a_lead_says_so_and_the_next_agent_is_asked(web_app: WebApp, by_link: bool) -> None:
    browser = web_app.browser() if by_link else await web_app.sign_in("bob")
    offer_id = await web_app.database.fetchval("SELECT id FROM offers WHERE user_id = $1", web_app.town.users["bob"])
    path = await web_app.link("bob") if by_link else f"/app/offers/{offer_id}"
    assert f'action="{path}/decline"' in (await browser.get(path)).text
    looked = await browser.get(f"{path}/decline")
    assert (looked.status_code, looked.headers["location"]) == (303, path)
    assert (await web_app.brokerage.states(web_app.lead_id))["bob"] == "notified", "looking declines nothing"

    declined = await browser.post(f"{path}/decline")
    page = await browser.get(path)
    assert (declined.status_code, declined.headers["location"]) == (303, path)
    assert "You have declined this lead" in page.text
    assert "/decline" not in page.text
    assert await web_app.brokerage.states(web_app.lead_id) == {"bob": "declined", "carol": "notified"}
    assert (await browser.post(f"{path}/decline")).status_code == 303, "done again it is the same"
    assert (await browser.post(path)).status_code == 409
    assert await web_app.claimed() is None


async def test_who_declines_too_late_reads_who_has_it(web_app: WebApp) -> None:
    link = await web_app.link("bob")
    await web_app.engine.claim(web_app.brokerage.owner_id, web_app.lead_id, web_app.town.users["bob"])
    browser = web_app.browser()
    answer = await browser.post(f"{link}/decline")
    assert answer.headers["location"] == link
    assert "You have this lead" in (await browser.get(link)).text
    assert await web_app.claimed() == {"username": "bob", "via": "None"}


async def test_no_one_declines_for_someone_else(web_app: WebApp) -> None:
    offer_id = await web_app.database.fetchval("SELECT id FROM offers WHERE user_id = $1", web_app.town.users["bob"])
    link, evil = await web_app.link("bob"), {"Origin": "https://evil.example"}
    bob, carol = await web_app.sign_in("bob"), await web_app.sign_in("carol")

    assert (await web_app.browser().post(f"{link}/decline", headers=evil)).status_code == 403
    assert (await bob.post(f"/app/offers/{offer_id}/decline", headers=evil)).status_code == 403
    assert (await carol.post(f"/app/offers/{offer_id}/decline")).status_code == 404
    assert (await web_app.browser().post("/claim/forged/decline")).status_code == 404
    assert (await web_app.browser().post(f"/app/offers/{offer_id}/decline")).headers["location"] == "/sign-in"
    assert (await web_app.brokerage.states(web_app.lead_id))["bob"] == "notified"
