"""How the pages show mail that came back: on the board, among the arrivals, on the timeline, in the outbox."""

import pytest

from leadroutes.web.pages.arrivals import tag_of, why
from leadroutes.web.timeline import in_words
from tests.support.page_forms import words_of
from tests.support.web_app import WebApp


async def make_unreachable(web_app: WebApp, name: str) -> None:
    await web_app.database.execute(
        "INSERT INTO unreachable_users (user_id, address, reason, at)"
        " SELECT id, email, 'the mail came back: 550 5.1.1 <no> such user.', now() FROM users WHERE username = $1",
        name,
    )


async def test_the_board_names_who_gets_no_mail_to_whoever_works_with_them(web_app: WebApp) -> None:
    alice, dave = await web_app.sign_in("alice"), await web_app.sign_in("dave")
    assert "gets no mail" not in (await alice.get("/app/board")).text
    await make_unreachable(web_app, "bob")

    page = (await alice.get("/app/board")).text
    assert "&lt;no&gt; such user. Correct the address" in page
    assert "Bob Town gets no mail. What is sent to bob@example.com comes back" in words_of(page)
    assert "gets no mail" not in (await dave.get("/app/board")).text

    await web_app.database.execute("UPDATE users SET is_admin = true WHERE username = 'dave'")
    assert "Bob Town gets no mail" in words_of((await dave.get("/app/board")).text), "an administrator sees all"

    await web_app.database.execute("UPDATE users SET email = 'bob@other.example' WHERE username = 'bob'")
    assert "gets no mail" not in (await alice.get("/app/board")).text


async def test_a_mail_that_came_back_is_an_arrival_without_a_lead(web_app: WebApp) -> None:
    arrival_id = await web_app.database.fetchval(
        "INSERT INTO arrivals (owner_id, received_at, headers, body, format, status, reason)"
        " VALUES ($1, now(), '{\"Content-Type\": \"message/rfc822\"}', $2, 'email', 'accepted',"
        " 'delivery_report: message 7: 5.1.1 no <such> user') RETURNING id",
        web_app.town.users["alice"],
        b"From: mailer-daemon@example.com\r\n\r\nSorry.\r\n",
    )
    alice = await web_app.sign_in("alice")
    for path in ("/app/arrivals", f"/app/arrivals/{arrival_id}"):
        page = (await alice.get(path)).text
        assert "A report about a mail that was sent: message 7: 5.1.1 no &lt;such&gt; user" in page
        assert "noted" in page
        assert "Nothing to do" not in page


@pytest.mark.parametrize(
    ("arrival", "tag"),
    [
        ({"status": "accepted", "lead_id": None, "is_handled": False}, ("noted", "")),
        ({"status": "accepted", "lead_id": 1, "is_handled": False}, ("new lead", "good")),
        ({"status": "rejected", "lead_id": None, "is_handled": False}, ("not taken", "warn")),
        ({"status": "rejected", "lead_id": None, "is_handled": True}, ("handled", "")),
        ({"status": "pending", "lead_id": None, "is_handled": False}, ("waits to be read", "warn")),
    ],
)
def test_the_tag_of_an_arrival(arrival: dict[str, object], tag: tuple[str, str]) -> None:
    assert tag_of(arrival) == tag


def test_reasons_in_words() -> None:
    assert why("reply: message 7: an answer") == "An answer to a mail that was sent: message 7: an answer"
    assert why("not_a_lead: it is an automatic reply") == "It is not about a lead"
    assert why(None) == "The reason is not known"


def test_the_timeline_says_who_answered_and_what_that_ended() -> None:
    entries = [
        {"key": "1", "at": "x", "kind": "event", "lead_id": None, "user_id": None, "by_user_id": None,
         "detail": {"type": "email_received", "description": "Yes, on Sunday"}},
        {"key": "2", "at": "x", "kind": "campaign stopped", "lead_id": None, "user_id": None, "by_user_id": None,
         "detail": {"campaign": "Drip", "reason": "the contact answered"}},
        {"key": "3", "at": "x", "kind": "message", "lead_id": 1, "user_id": 2, "by_user_id": None,
         "detail": {"kind": "replied", "channel": "email", "state": "sent", "contact_id": None}},
    ]  # fmt: skip
    shown = in_words(entries, {2: "Bob"}, 1)
    assert in_words(entries, {}, 2)[2].sentence == "You were notified of the answer by e-mail, sent"

    assert [each.sentence for each in shown] == [
        "The contact answered by e-mail",
        "Campaign stopped: Drip (the contact answered)",
        "Bob was notified of the answer by e-mail, sent",
    ]
    assert shown[0].words == "Yes, on Sunday"
