"""What someone who is signed in sees of their own account, and nothing of anyone else's."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest

from leadroutes.engine.users import ChangedBy, change_user
from leadroutes.store.channel_faults import end_channel_fault, note_channel_fault
from tests.support.page_forms import form as form_of
from tests.support.web_app import WebApp, deliver_messages, with_settings


def ledger_of(page: str) -> dict[str, int]:
    pairs = re.findall(r"<dt>([a-z ]+)</dt><dd>([\d,]+)</dd>", page)
    return {name: int(number) for name, number in pairs}


async def test_the_owner_sees_the_ledger_and_who_has_which_lead_since_when(web_app: WebApp) -> None:
    await web_app.ask(email="noor@example.com", name="Noor Haddad")
    browser = await web_app.sign_in("alice")
    before = (await browser.get("/app/board")).text
    await web_app.engine.claim(web_app.brokerage.owner_id, web_app.lead_id, web_app.town.users["bob"])
    after = (await browser.get("/app/board")).text

    assert ledger_of(before) == {"received": 2, "claimed": 0, "on offer": 2, "unclaimed": 0, "held": 0, "rejected": 0}
    assert ledger_of(after) | {"claimed": 1, "on offer": 1} == ledger_of(after)
    assert before.count('class="open">Bob Town, <time') == 2
    assert "Mia Lund" in after
    assert re.search(r'class="taken">Bob Town, claimed <time datetime="[^"]+">just now<', after)
    assert after.count('class="open">Bob Town, <time') == 1


async def test_a_lead_that_a_sender_brought_was_entered_by_no_one(web_app: WebApp) -> None:
    page = words_of((await (await web_app.sign_in("alice")).get(f"/app/leads/{web_app.lead_id}")).text)
    assert "The lead came in from" in page
    assert "entered by" not in page


async def test_every_fate_of_a_lead_is_named(web_app: WebApp) -> None:
    await web_app.pass_minutes(5)
    await web_app.pass_minutes(15)
    contact_id = await web_app.town.contact("alice", first_name="Held", last_name="Back")
    await web_app.town.lead("alice", contact_id)
    await web_app.town.lead("alice", await web_app.town.contact("alice", first_name="Old"), is_imported=True)
    page = (await (await web_app.sign_in("alice")).get("/app/board")).text

    assert "no one claimed it; ended" in page
    assert "it has not been routed" in page
    assert ledger_of(page)["imported"] == 1


async def test_no_one_sees_anothers_account(web_app: WebApp) -> None:
    await deliver_messages(web_app)
    for name in ("dave", "carol"):
        browser = await web_app.sign_in(name)
        for path in ("/app", "/app/outbox"):
            page = (await browser.get(path)).text
            assert "Mia" not in page
            assert "bob@example.com" not in page


async def test_the_outbox_shows_what_would_have_been_sent_and_no_claim_link(web_app: WebApp) -> None:
    await deliver_messages(web_app)
    page = (await (await web_app.sign_in("alice")).get("/app/outbox")).text

    assert "New lead: Mia, in Denver, Buyer, $450,000" in page
    assert "e-mail to Bob Town" in page
    assert "bob@example.com" in page
    assert "no email channel is configured" in page
    assert "What would have been sent" in page
    assert re.search(r"/claim/[\w-]{20,}", page) is None
    assert "http://town/claim/…" in page


async def test_the_outbox_can_be_filtered_and_paged(web_app: WebApp) -> None:
    owner_id, bob = web_app.brokerage.owner_id, web_app.town.users["bob"]
    states = ("sent", "failed", "sent")
    for n in range(120):
        await web_app.town.insert(
            "messages", owner_id=owner_id, kind="claimed", channel="text", user_id=bob, state=states[n % 3],
            subject=f"number {n}.", created_at=web_app.town.now,
        )  # fmt: skip
    browser = await web_app.sign_in("alice")
    seen, path = [], "/app/outbox?state=sent"
    while path:
        page = (await browser.get(path)).text
        seen.append([int(n) for n in re.findall(r"number (\d+)\.", page)])
        older = re.search(r'href="(/app/outbox\?[^"]*before=\d+[^"]*)"', page)
        path = older[1].replace("&amp;", "&") if older else None

    assert [len(part) for part in seen] == [50, 30]
    assert [n for part in seen for n in part] == [n for n in range(119, -1, -1) if states[n % 3] == "sent"]
    assert (await browser.get("/app/outbox?state=failed")).text.count("Send again</button>") == 40
    assert "No message found" in (await browser.get("/app/outbox?state=unknown")).text


async def test_a_filter_that_does_not_exist_is_named(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    for query in ("state=lost", "before=x", "before=-1", "before=9" + "9" * 30, "state=<b>", "before=%C2%B2"):
        answer = await browser.get(f"/app/outbox?{query}")
        assert answer.status_code == 400
        assert "was given; expected" in answer.text
        assert "<b>" not in answer.text


async def test_what_is_assigned_to_a_closed_account_is_listed_for_its_owner_alone(web_app: WebApp) -> None:
    bob = web_app.town.users["bob"]
    await web_app.town.contact("alice", assigned_user_id=bob)
    alice, carol = await web_app.sign_in("alice"), await web_app.sign_in("carol")
    assert "has no account any more" not in (await alice.get("/app/board")).text
    await change_user(web_app.database, bob, {"is_active": False}, ChangedBy())
    page = (await alice.get("/app/board")).text

    assert "Bob Town has no account any more" in page
    assert "Still assigned: 1 contact, 0 tasks" in page
    assert "has no account any more" not in (await carol.get("/app")).text


# ------------------------------------------------------------------------------------------ what does not work


def words_of(page: str) -> str:
    """The text of a page, in one line."""
    return " ".join(unescape(re.sub("<[^>]+>", "", page)).split())


def notices(page: str) -> Iterator[str]:
    found = (words_of(each) for each in re.findall('<div class="notice.*?</div>', page, re.DOTALL))
    return (each for each in found if not each.startswith(("First steps", "The check of your rules")))


def start_of(name: str) -> str:
    """Where the notices are: on the board of whoever runs an account, else in the inbox."""
    return "/app" if name == "bob" else "/app/board"


REASON = "the login was refused: 535 <b>no</b>"


async def test_an_administrator_sees_what_does_not_work_and_an_owner_that_alerts_are_late(web_app: WebApp) -> None:
    browsers = {name: await web_app.sign_in(name) for name in ("alice", "dave", "bob")}
    await web_app.database.execute("UPDATE users SET is_admin = true WHERE username = 'dave'")
    await note_channel_fault(web_app.database, "email", REASON)
    seen = {name: (await browser.get(start_of(name))).text for name, browser in browsers.items()}

    [shown] = notices(seen["dave"])
    assert re.fullmatch(
        r"E-mail does not work since \w{3} \d+, \d+:\d\d [AP]M UTC: the login was refused: 535 <b>no</b>\."
        r" 1 message waits\. It is sent as soon as that is mended\.",
        shown,
    )
    [late] = notices(seen["alice"])
    assert late.startswith("Alerts are delayed. E-mail does not work since")
    assert "535" not in seen["alice"]
    assert list(notices(seen["bob"])) == [], "an agent cannot mend it"

    await web_app.ask(email="noor@example.com", name="Noor Haddad")
    assert "2 messages wait. They are sent" in words_of((await browsers["dave"].get("/app/board")).text)
    await end_channel_fault(web_app.database, "email")
    for name, browser in browsers.items():
        assert list(notices((await browser.get(start_of(name))).text)) == []


async def test_an_administrator_alone_sees_what_is_hardly_meant_in_the_settings(web_app: WebApp) -> None:
    lost = with_settings(web_app, smtp_url="smtp://mail.example.com", mail_from="leads@example.com")
    browsers = {name: await lost.sign_in(name) for name in ("alice", "bob")}
    await web_app.database.execute("UPDATE users SET is_admin = true WHERE username = 'alice'")

    [warning] = notices((await browsers["alice"].get("/app/board")).text)
    assert warning.startswith("LEADROUTES_PUBLIC_URL: 'http://town' was given")
    assert list(notices((await browsers["bob"].get("/app")).text)) == []


async def test_an_owner_sees_when_carriers_refuse_more_than_a_twentieth_of_a_days_texts(web_app: WebApp) -> None:
    alice, bob = await web_app.sign_in("alice"), await web_app.sign_in("bob")
    owner_id, now = web_app.town.users["alice"], web_app.town.now

    async def texts(count: int, error_code: int | None, age: timedelta = timedelta()) -> None:
        await web_app.database.execute(
            "INSERT INTO messages (owner_id, kind, channel, user_id, state, provider_id, error_code, created_at)"
            " SELECT $1, 'won', 'text', $1, 'failed', 'SM1', $3, $4 FROM generate_series(1, $2)",
            owner_id, count, error_code, now - age,
        )  # fmt: skip

    await texts(50, 30007, timedelta(hours=25))
    await texts(57, None)
    await texts(2, 30007)
    await texts(1, 30034)
    assert list(notices((await alice.get("/app/board")).text)) == []
    await texts(1, 30032)
    [notice] = notices((await alice.get("/app/board")).text)
    assert notice.startswith("Carriers refuse your texts: 4 of 61 of the last 24 hours.")
    assert list(notices((await bob.get("/app")).text)) == []


# ------------------------------------------------------------------------------------------- what could not be sent


async def fail(web_app: WebApp, reason: str | None = "the mail server said 550") -> int:
    """Mia's alert to Bob has failed for good; its id."""
    return await web_app.database.fetchval(
        "UPDATE messages SET state = 'failed', reason = $2, attempts = 3 WHERE lead_id = $1 RETURNING id",
        web_app.lead_id, reason,
    )  # fmt: skip


async def test_the_owner_sees_who_could_not_be_notified(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    assert "could not be notified" not in (await browser.get("/app/board")).text
    await fail(web_app)
    assert "Bob Town could not be notified." in words_of((await browser.get("/app/board")).text)
    await web_app.town.insert(
        "messages", owner_id=web_app.brokerage.owner_id, kind="offer", channel="text", lead_id=web_app.lead_id,
        user_id=web_app.town.users["bob"], state="sent", sent_at=web_app.town.now, created_at=web_app.town.now,
    )  # fmt: skip
    assert "could not be notified" not in (await browser.get("/app/board")).text, "a text has reached Bob"


async def test_an_open_board_reads_anew_what_happens_and_not_the_rules(web_app: WebApp) -> None:
    """The check of the rules takes longer than all else; it changes on other pages, from which the board is opened."""
    await web_app.town.insert(
        "handovers", owner_id=web_app.brokerage.owner_id, lead_id=web_app.lead_id, state="asked",
        from_user_id=web_app.town.users["bob"], to_user_id=web_app.town.users["carol"], created_at=web_app.town.now,
    )  # fmt: skip
    await note_channel_fault(web_app.database, "email", "the login was refused")
    alice = await web_app.sign_in("alice")
    page, part = [words_of((await alice.get(path)).text) for path in ("/app/board", "/app/board?part=board")]

    for words in ("Alerts are delayed", "Bob Town wants to pass a lead to Carol Town", "received1", "Mia Lund"):
        assert words in page, words
        assert words in part, words
    assert "The check of your rules" in page
    assert "The check of your rules" not in part


async def test_a_claimed_lead_says_no_more_of_its_alerts(web_app: WebApp) -> None:
    await fail(web_app)
    await web_app.engine.claim(web_app.brokerage.owner_id, web_app.lead_id, web_app.town.users["bob"])
    assert "could not be notified" not in (await (await web_app.sign_in("alice")).get("/app/board")).text


async def test_what_failed_is_sent_again_by_its_owner_only(web_app: WebApp) -> None:
    message_id = await fail(web_app)
    browsers = {name: await web_app.sign_in(name) for name in ("alice", "dave")}
    page = (await browsers["alice"].get("/app/outbox?state=failed")).text
    form = form_of(page, "retry")
    assert form | {"do": "retry", "id": str(message_id), "state": "failed"} == form
    jobs = "SELECT count(*) FROM pgqueuer"
    before = await web_app.database.fetchval(jobs)

    foreign = await browsers["alice"].post("/app/outbox", data=form, headers={"Origin": "https://evil.example"})
    stranger = await browsers["dave"].post("/app/outbox", data=form)
    signed_out = await web_app.browser().post("/app/outbox", data=form)
    assert [foreign.status_code, stranger.status_code, signed_out.status_code] == [403, 404, 303]
    assert signed_out.headers["location"].startswith("/sign-in?next=/app/resume/"), "what was sent is shown again"
    assert await web_app.database.fetchval(jobs) == before

    sent = await browsers["alice"].post("/app/outbox", data=form)
    again = await browsers["alice"].post("/app/outbox", data={**form, "once": ""})
    assert (sent.status_code, sent.headers["location"]) == (303, "/app/outbox?state=failed")
    assert (again.status_code, "Only a message that has failed is sent again" in again.text) == (409, True)
    assert await web_app.database.fetchval(jobs) == before + 1
    assert await web_app.database.fetchval("SELECT state FROM messages WHERE id = $1", message_id) == "queued"
    assert "Send again" not in (await browsers["alice"].get("/app/outbox")).text


@pytest.mark.parametrize("form", ["a=b", "do=else", "do=retry", "do=retry&id=x", f"do=retry&id={'9' * 30}",
                                  "do=retry&id=1&state=lost"])  # fmt: skip
async def test_a_form_that_no_page_has_is_refused(web_app: WebApp, form: str) -> None:
    encoding = {"content-type": "application/x-www-form-urlencoded"}
    answer = await (await web_app.sign_in("alice")).post("/app/outbox", content=form, headers=encoding)
    assert answer.status_code in (400, 409, 422)


async def test_the_outbox_names_people_and_leads_to_the_readers_own_offer(web_app: WebApp) -> None:
    owner_id, lead_id = web_app.brokerage.owner_id, web_app.lead_id
    await web_app.town.option("alice", web_app.town.team_id, "alice", rank=1)
    await web_app.ask(email="noor@example.com", name="Noor Haddad")
    await web_app.town.insert(
        "messages", owner_id=owner_id, kind="claimed", channel="text", lead_id=lead_id,
        user_id=web_app.town.users["bob"], state="suppressed", reason="no text channel", created_at=web_app.town.now,
    )  # fmt: skip
    browser = await web_app.sign_in("alice")
    page = (await browser.get("/app/outbox")).text
    offer_id = await web_app.database.fetchval("SELECT id FROM offers WHERE user_id = $1", owner_id)

    assert "lead 1" not in page
    assert "About Mia Lund</p>" in page, "Alice has no offer of Mia's lead"
    assert f'About <a class="touch" href="/app/offers/{offer_id}">Noor Haddad</a>' in page
    assert (await browser.get(f"/app/offers/{offer_id}")).status_code == 200
    assert '<span class="who">A lead was claimed</span> <span class="tag ">not sent</span>' in page


async def test_the_reason_of_a_failure_is_always_said(web_app: WebApp) -> None:
    await fail(web_app, None)
    page = (await (await web_app.sign_in("alice")).get("/app/outbox")).text
    assert "The reason is not known (3 attempts)" in page
    assert '<span class="tag warn">failed</span>' in page
