"""The outbox: messages found by recipient, subject, channel and state, what went wrong, and sending again."""

import re

import pytest

from leadroutes.domain.causes import CAUSES, cause_of
from tests.support.page_forms import form
from tests.support.web_app import WebApp, deliver_messages


async def fail(web_app: WebApp, reason: str) -> None:
    await web_app.database.execute(
        "UPDATE messages SET state = 'failed', reason = $1, subject = 'New buyer lead', address = 'bob@example.com'",
        reason,
    )


async def test_messages_are_found_by_recipient_address_subject_channel_and_state(web_app: WebApp) -> None:
    await fail(web_app, "the login was refused: 535 5.7.8")
    alice = await web_app.sign_in("alice")
    for query in ("search=bob", "search=BOB%40example", "search=buyer+lead", "channel=email", "state=failed", ""):
        assert "New buyer lead" in (await alice.get(f"/app/outbox?{query}")).text, query
    for query in ("search=carol%40", "search=100%25", "channel=text", "state=sent", "search=bob&channel=call"):
        page = (await alice.get(f"/app/outbox?{query}")).text
        assert "New buyer lead" not in page, query
        assert "No message found" in page


@pytest.mark.parametrize(
    ("state", "words"),
    [("completed", ": answered"), ("no-answer", ": no answer"), ("canceled", ": ended while it rang")],
)
async def test_what_became_of_a_call_is_said(web_app: WebApp, state: str, words: str) -> None:
    await web_app.database.execute(
        "INSERT INTO messages (owner_id, kind, channel, user_id, state, provider_state, address, text_body, created_at)"
        " SELECT id, 'offer', 'call', id, 'sent', $1, '+13035550002', 'A new lead: Mia.', now() FROM users"
        " WHERE username = 'alice'",
        state,
    )
    alice = await web_app.sign_in("alice")
    page = " ".join((await alice.get("/app/outbox?channel=call")).text.split())
    assert f"(303) 555-0002</span>{words}" in page
    assert "<summary>What is said</summary><pre>A new lead: Mia.</pre>" in page


async def test_messages_to_a_contact_are_found_by_the_name(web_app: WebApp) -> None:
    await web_app.database.execute(
        "INSERT INTO messages (owner_id, kind, channel, contact_id, state, subject, created_at)"
        " SELECT owner_id, 'campaign', 'email', contact_id, 'sent', 'Hello there', now() FROM leads"
    )
    alice = await web_app.sign_in("alice")
    found = (await alice.get("/app/outbox?search=lund")).text

    assert "Hello there" in found
    assert re.search(r'href="/app/contacts/\d+"', found)
    words = "+".join("abcdefghijkl")
    assert (await alice.get(f"/app/outbox?search={words}")).status_code == 200


async def test_a_search_reads_the_newest_messages_and_goes_on(web_app: WebApp) -> None:
    await fail(web_app, "x")
    await web_app.database.execute(
        "INSERT INTO messages (owner_id, kind, channel, user_id, state, subject, created_at)"
        " SELECT $1, 'claimed', 'email', $1, 'sent', 'Claimed', now() FROM generate_series(1, 10000)",
        web_app.town.users["alice"],
    )
    alice = await web_app.sign_in("alice")
    first = (await alice.get("/app/outbox?search=buyer")).text
    assert "None of these 10,000 messages fits" in first
    more = re.search(r'hx-get="([^"]+before[^"]+)"', first)
    assert more is not None
    assert "New buyer lead" in (await alice.get(more[1].replace("&amp;", "&"))).text


async def test_a_failure_says_what_to_do_and_is_sent_again(web_app: WebApp) -> None:
    await fail(web_app, "the login was refused: 535 5.7.8 <no>")
    alice = await web_app.sign_in("alice")
    page = (await alice.get("/app/outbox?state=failed&search=bob")).text
    assert "does not accept the user name or the password" in page
    assert "535 5.7.8 &lt;no&gt;" in page

    answer = await alice.post("/app/outbox", data=form(page, "retry"))
    assert answer.headers["location"] == "/app/outbox?state=failed&search=bob"
    assert await web_app.database.fetchval("SELECT state FROM messages LIMIT 1") == "queued"
    again = await alice.post("/app/outbox", data={"do": "retry", "id": form(page, "retry")["id"]})
    assert again.status_code == 409


async def test_what_the_provider_says_of_a_text_is_shown_in_words(web_app: WebApp) -> None:
    await fail(web_app, "the provider said 30007, undelivered: The carrier refused the text")
    await web_app.database.execute("UPDATE messages SET channel = 'text', error_code = 30007")
    alice = await web_app.sign_in("alice")
    page = (await alice.get("/app/outbox")).text
    assert "it takes it for unwanted. Register your number and campaign with the provider" in page
    await web_app.database.execute("UPDATE messages SET advice = 'Do this &amp; that.'")
    assert "Do this &amp;amp; that." in (await alice.get("/app/outbox")).text
    await web_app.database.execute("UPDATE messages SET state = 'sent', reason = NULL, delivered_at = now()")
    page = (await alice.get("/app/outbox")).text
    assert ">delivered<" in page
    assert "Do this" not in page


async def test_what_no_channel_sent_says_so(web_app: WebApp) -> None:
    await deliver_messages(web_app)
    page = (await (await web_app.sign_in("alice")).get("/app/outbox?state=suppressed")).text
    assert "The service cannot send this kind of message yet" in page


async def test_the_outbox_is_the_owners_alone(web_app: WebApp) -> None:
    await fail(web_app, "x")
    message_id = str(await web_app.database.fetchval("SELECT id FROM messages LIMIT 1"))
    assert (await (await web_app.sign_in("bob")).get("/app/outbox")).status_code == 404
    dave = await web_app.sign_in("dave")
    assert "New buyer lead" not in (await dave.get("/app/outbox?search=bob")).text
    assert (await dave.post("/app/outbox", data={"do": "retry", "id": message_id})).status_code == 404


@pytest.mark.parametrize("query", ["state=x", "channel=x", "before=x"])
async def test_filters_that_the_outbox_does_not_offer_are_refused(web_app: WebApp, query: str) -> None:
    assert (await (await web_app.sign_in("alice")).get(f"/app/outbox?{query}")).status_code == 400


@pytest.mark.parametrize(
    ("reason", "what"),
    [
        ("the mail server said 550 5.1.1 unknown user", "no such mailbox"),
        ("the mail came back: 550 5.1.1 unknown user", "delivers nothing to this address"),
        ("the answer that is to be passed on is no longer stored", "removed before it could be passed on"),
        ("the mail server said 554 5.7.1 spam", "takes it for unwanted"),
        ("given up after 8 attempts: the mail server said 451 4.7.1 later", "put it off"),
        ("the mail server broke off: Connection lost; it may have arrived", "No one can tell"),
        ("ValueError: The template cannot be processed: line 2", "template cannot be filled in"),
        ("the contact has unsubscribed from e-mails", "does not want e-mails"),
        ("the user has no phone number", "no phone number"),
    ],
)
def test_usual_causes_are_told_in_words(reason: str, what: str) -> None:
    cause = cause_of(reason)
    assert cause is not None
    assert what in cause.what


def test_other_reasons_have_no_cause_and_all_causes_can_be_reached() -> None:
    assert cause_of(None) is None
    assert cause_of("something else") is None
    assert [cause_of(cause.part) for cause in CAUSES] == list(CAUSES)
