"""Mail that comes back to a message: reports end what is in vain, answers reach whoever has the contact, each once."""

import asyncio
import json
import re
from dataclasses import replace
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from leadroutes.channels import open_channels
from leadroutes.ingest.returned_mails import ReturnedMails
from leadroutes.operations.doctor import examine
from leadroutes.operations.erasure import erase_contact, export_contact
from leadroutes.retry import RetryLater
from leadroutes.store.messages import retry_message
from leadroutes.store.returned_mails import MOST_PER_MESSAGE
from leadroutes.worker.delivery import MessageDelivery
from tests.support.brokerage import KEY
from tests.support.hooks import Hooks
from tests.support.post import DOMAIN, Post, Relay
from tests.support.reports import DEAD, returned

DEAD_ADDRESS = "the e-mail address takes no mail: an earlier one was refused for good"


# ------------------------------------------------------------------------------------------------ what mails carry


async def test_every_mail_has_a_return_path_of_its_own(post: Post) -> None:
    await post.drip()
    await post.brokerage.ask()
    await post.deliver()

    assert len(post.relay.return_paths) == len(set(post.relay.return_paths)) == len(post.relay.mails) >= 2
    for return_path in post.relay.return_paths:
        assert re.fullmatch(rf"bounce\+[a-z2-7]{{16,40}}@{DOMAIN}", return_path)
    letter, alert = post.relay.mails[0], post.relay.mails[-1]
    assert re.fullmatch(rf".* <reply\+[a-z2-7]{{16,40}}@{DOMAIN}>", str(letter["Reply-To"]))
    assert alert["Reply-To"] is None
    assert {str(mail["From"]).rpartition("<")[2].rstrip(">") for mail in post.relay.mails} == {
        "leads@brokerage.example"
    }


async def test_where_no_mail_is_taken_in_the_sender_is_the_return_path(post: Post) -> None:
    settings = replace(post.settings, mail_domain=None, mail_listen=None)
    post.sender.delivery = MessageDelivery(post.database, open_channels(settings), settings)
    await post.drip()

    assert post.relay.return_paths == ["leads@brokerage.example"]
    assert "alice@example.com" in str(post.relay.mails[0]["Reply-To"])


async def test_a_return_path_that_is_refused_is_one_fault_of_the_channel(post: Post) -> None:
    class Refusing(Relay):
        async def handle_MAIL(  # noqa: N802
            self, _server: SMTP, _session: Session, _envelope: Envelope, address: str, _options: list[str]
        ) -> str:
            return f"553 5.7.1 <{address}>: Sender address rejected: not owned by user"

    async with Refusing() as relay:
        settings = replace(post.settings, smtp_url=relay.url)
        post.sender.delivery = MessageDelivery(post.database, open_channels(settings), settings)
        await post.brokerage.ask()
        with pytest.raises(RetryLater):
            await post.deliver()

    [(state, reason, attempts)] = await post.rows("SELECT state, reason, attempts FROM messages")
    assert (state, attempts) == ("queued", 0)
    assert reason == (
        f"waits: the sender was refused: 553 5.7.1 <…@{DOMAIN}>: Sender address rejected: not owned by user"
    )
    assert await post.rows("SELECT channel FROM channel_faults") == [("email",)]


# -------------------------------------------------------------------------------------------------------- reports


@pytest.mark.parametrize("name", DEAD)
async def test_a_report_of_a_dead_address_ends_what_is_in_vain(post: Post, name: str) -> None:
    contact_id = await post.drip()
    assert await post.report(name) == "250 2.0.0 OK: stored"

    [(state, reason)] = await post.messages()
    assert state == "failed"
    assert reason.startswith("the mail came back: ")
    assert DEAD[name] in reason
    message_id = await post.sender.the_only("state = 'failed'")
    assert await post.suppressions() == [("eve@mailhost.example", "bounced", message_id)]
    [(status, why, lead_id)] = await post.arrived()
    assert (status, why.split(":")[0], lead_id) == ("accepted", "delivery_report", None)
    await post.later()
    assert (await post.messages())[1:] == [("suppressed", DEAD_ADDRESS)]
    assert await post.rows("SELECT count(*) FROM events WHERE contact_id = $1", contact_id) == [(0,)]
    assert (await examine(post.database)).violation is None


async def test_a_report_counts_once_however_often_it_comes(post: Post) -> None:
    await post.drip()
    for _ in range(3):
        assert (await post.report("postfix")).startswith("250")
    assert len(await post.arrived()) == 1

    await post.database.execute("UPDATE suppressions SET ended_at = now()")
    await post.database.execute("UPDATE messages SET state = 'sent', reason = NULL")
    again = b"Received: from another.example\r\n" + returned("postfix", post.bounce, post.reply)
    assert (await post.bring(again, post.bounce.upper())).startswith("250")
    assert await post.rows("SELECT count(*) FROM suppressions WHERE ended_at IS NULL") == [(0,)]
    assert [state for state, _ in await post.messages()] == ["sent"]


async def test_the_same_report_by_ten_connections_at_once_counts_once(post: Post) -> None:
    await post.drip()
    answers = await asyncio.gather(*(post.report("postfix") for _ in range(10)))

    assert {answer[:3] for answer in answers} == {"250"}
    assert len(await post.arrived()) == len(await post.suppressions()) == 1


async def test_a_report_without_a_message_id_counts_once_by_its_words(post: Post) -> None:
    await post.drip()
    for received in (b"", b"Received: from another.example\r\n"):
        await post.bring(received + returned("qmail", post.bounce), post.bounce)

    assert len(await post.arrived()) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [("full-mailbox", "the mail came back: 550 5.2.2 STOREDRV.Deliver; mailbox full."), ("delayed", None),
     ("read-receipt", None), ("not-spam", None)],
)  # fmt: skip
async def test_other_reports_suppress_nothing(post: Post, name: str, reason: str | None) -> None:
    await post.drip()
    assert (await post.report(name)).startswith("250")

    [(state, noted)] = await post.messages()
    assert state == "sent"
    assert noted == reason if reason is None else noted.startswith(reason)
    assert await post.suppressions() == []
    assert [status for status, _, _ in await post.arrived()] == ["accepted"]
    await post.later()
    assert [state for state, _ in await post.messages()] == ["sent", "sent"]


async def test_a_complaint_suppresses_the_address(post: Post) -> None:
    await post.drip()
    await post.report("complaint")

    assert [row[:2] for row in await post.suppressions()] == [("eve@mailhost.example", "complained")]
    assert [state for state, _ in await post.messages()] == ["sent"]
    await post.later()
    assert (await post.messages())[1] == ("suppressed", "the contact has complained about an e-mail")


@pytest.mark.parametrize("name", ["complaint", "postfix", "gmail"])
async def test_a_report_to_another_mailbox_finds_its_message_by_the_address_in_it(post: Post, name: str) -> None:
    await post.drip()
    key = "a mailbox"
    await post.database.execute("UPDATE intake_keys SET key_hash = sha256($1)", key.replace(" ", "-").encode())
    mailbox = f"a-mailbox@{DOMAIN}"
    assert (await post.bring(returned(name, post.bounce), mailbox)).startswith("250")

    assert [row[:2] for row in await post.suppressions()] == [
        ("eve@mailhost.example", "complained" if name == "complaint" else "bounced")
    ]
    assert [status for status, _, _ in await post.arrived()] == ["accepted"]


async def test_a_report_that_is_posted_finds_its_message_too(post: Post) -> None:
    await post.drip()
    headers = {"Content-Type": "message/rfc822"}
    first, second = [await post.arrivals.ingest(KEY, returned("postfix", post.bounce), headers) for _ in range(2)]

    assert first.stored.arrival_id == second.stored.arrival_id is not None
    assert first.refusal is None
    assert [state for state, _ in await post.messages()] == ["failed"]
    foreign = await post.arrivals.ingest(KEY, returned("exim"), headers)
    assert foreign.refusal is not None
    assert foreign.stored.status == "rejected"


@pytest.mark.parametrize("name", ["complaint", "postfix"])
async def test_a_report_without_an_address_of_ours_is_listed_and_does_nothing(post: Post, name: str) -> None:
    await post.drip()
    await post.database.execute("UPDATE intake_keys SET key_hash = sha256('a-mailbox')")
    assert (await post.bring(returned(name), f"a-mailbox@{DOMAIN}")).startswith("250")

    assert await post.suppressions() == []
    assert [state for state, _ in await post.messages()] == ["sent"]
    [(status, reason, _)] = await post.arrived()
    assert (status, reason.split(":")[0]) == ("rejected", "not_a_lead")


async def test_an_agent_with_a_dead_address_is_shown_until_that_is_mended(post: Post) -> None:
    await post.brokerage.ask()
    await post.deliver()
    assert (await post.report("exchange")).startswith("250")

    [(state, reason)] = await post.rows("SELECT state, reason FROM messages WHERE kind = 'offer'")
    assert state == "failed"
    assert "5.1.10" in reason
    assert await post.suppressions() == []
    assert await post.rows(
        "SELECT u.username, d.address FROM unreachable_users d JOIN users u ON u.id = d.user_id"
    ) == [("bob", "bob@example.com")]
    sentences = [each.sentence for each in (await examine(post.database)).violations]
    assert any(each.startswith("Mail to every active user arrives") for each in sentences)

    message_id = await post.sender.the_only("state = 'failed'")
    await retry_message(post.database, post.brokerage.owner_id, message_id)
    await post.sender.deliver(message_id)
    assert (await examine(post.database)).violation is None
    assert await post.sender.outcome(message_id) == ("sent", None)


async def test_a_report_that_is_faster_than_the_outcome_is_to_come_again(post: Post) -> None:
    await post.drip()
    await post.database.execute("UPDATE messages SET state = 'sending', address = NULL")
    assert (await post.report("postfix")).startswith("451")
    assert await post.arrived() == []

    await post.database.execute("UPDATE messages SET state = 'sent', address = 'eve@mailhost.example'")
    assert (await post.report("postfix")).startswith("250")
    assert [state for state, _ in await post.messages()] == ["failed"]


@pytest.mark.parametrize("change", ["bounce", "reply", "token", "domain", "erased", "removed"])
async def test_addresses_that_are_not_ours_are_refused(post: Post, change: str) -> None:
    contact_id = await post.drip()
    address = {
        "bounce": post.reply.replace("reply+", "bounce+"),
        "reply": post.bounce.replace("bounce+", "reply+"),
        "token": f"bounce+{'a' * 26}@{DOMAIN}",
        "domain": post.bounce.replace(DOMAIN, "example.com"),
    }.get(change, post.bounce)
    if change == "erased":
        await erase_contact(post.database, post.brokerage.owner_id, contact_id)
    if change == "removed":
        await post.database.execute("DELETE FROM messages")
    assert (await post.bring(returned("postfix"), address)).startswith("550")
    assert await post.arrived() == []


# -------------------------------------------------------------------------------------------------------- answers


async def test_webhooks_hear_of_what_comes_back(post: Post, hooks: Hooks) -> None:
    await hooks.add("http://127.0.0.1:9/leads", "contact.replied", "message.failed")
    await post.drip()
    await post.bring(returned("reply", reply=post.reply), post.reply, "eve@mailhost.example")
    await post.bring(returned("postfix"), post.bounce)
    heard = [(each["type"], json.loads(each["data"])) for each in await hooks.deliveries()]
    assert [type_ for type_, _ in heard] == ["contact.replied", "message.failed"]
    assert (heard[0][1]["channel"], heard[0][1]["text"].splitlines()[0]) == (
        "email", "Yes, that one. Can we see it on Sunday – at ten?",
    )  # fmt: skip
    assert heard[1][1]["state"] == "failed"
    await post.bring(returned("gmail"), post.bounce)
    assert len(await hooks.deliveries()) == 2, "it has failed once"


async def test_an_answer_is_passed_on_as_it_came_and_stops_what_was_to_follow(post: Post) -> None:
    contact_id = await post.drip()
    await post.database.execute(
        "UPDATE contacts SET assigned_user_id = (SELECT id FROM users WHERE username = 'bob') WHERE id = $1", contact_id
    )
    raw = returned("reply", reply=post.reply)
    assert (await post.bring(raw, post.reply, "eve@mailhost.example")).startswith("250")
    await post.deliver()

    mail = post.relay.mails[-1]
    assert mail["To"] == "bob@example.com"
    assert str(mail["From"]) == "Eve Karr via Lead Routes <leads@brokerage.example>"
    assert str(mail["Reply-To"]) == "eve@mailhost.example"
    assert mail["Subject"] == "Re: Your new home"
    assert mail["References"] == "<answer.1@mailhost.example>"
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    as_it_came = raw.partition(b"\n\n")[2]
    assert post.relay.contents[-1].partition(b"\r\n\r\n")[2] == as_it_came.replace(b"\n", b"\r\n")
    assert [part.get_filename() for part in mail.iter_attachments()] == ["letter of the bank.pdf"]
    assert "BODY=8BITMIME" in post.relay.options[-1]

    [(source, type_, words)] = await post.rows("SELECT source, type, description FROM events")
    assert (source, type_) == ("email", "email_received")
    assert words == "Yes, that one. Can we see it on Sunday – at ten?\n\nEve"
    assert await post.rows("SELECT DISTINCT is_active FROM contact_communications") == [(False,)]
    assert await post.rows("SELECT stopped_because, ended_at IS NULL FROM campaign_contacts") == [
        ("the contact answered", False)
    ]
    assert await post.rows("SELECT status FROM tasks") == [("deleted",)]
    states = await post.rows("SELECT kind, state, reason, subject, text_body FROM messages ORDER BY kind, state")
    assert states[-1] == ("replied", "sent", None, None, None)
    assert ("campaign", "suppressed", "the contact answered") in [row[:3] for row in states]
    assert await post.suppressions() == []
    await post.later()
    assert len(post.relay.mails) == 2
    assert (await examine(post.database)).violation is None


async def test_an_answer_goes_to_the_owner_where_no_one_else_has_the_contact(post: Post) -> None:
    await post.drip()
    await post.answer("Yes, please")
    await post.deliver()

    assert post.relay.mails[-1]["To"] == "alice@example.com"


async def test_a_campaign_that_an_answer_stopped_can_go_on(post: Post) -> None:
    await post.drip()
    await post.answer("Not now")
    run_id = await post.database.fetchval("SELECT id FROM campaign_contacts")
    await post.brokerage.engine.resume_campaign(post.brokerage.owner_id, run_id)
    await post.later()

    campaign = await post.rows("SELECT state FROM messages WHERE kind = 'campaign' ORDER BY id")
    assert campaign == [("sent",), ("sent",)]
    assert await post.rows("SELECT stopped_because FROM campaign_contacts") == [(None,)]


async def test_an_answer_of_a_word_of_stopping_suppresses_the_address(post: Post) -> None:
    await post.drip()
    quoted = "On Tue, Nov 24, 2026 at 9:05 AM Alice <leads@brokerage.example> wrote:\r\n> Hi Eve"
    assert (await post.answer(f"STOP.\r\n\r\n{quoted}")).startswith("250")
    await post.deliver()

    assert [row[:2] for row in await post.suppressions()] == [("eve@mailhost.example", "stopped")]
    assert post.relay.mails[-1]["To"] == "alice@example.com"


async def test_an_answer_that_comes_twice_is_passed_on_once(post: Post) -> None:
    await post.drip()
    for _ in range(2):
        await post.answer("Yes", more="Message-ID: <1@mailhost.example>\r\n")
    await post.answer("And another thing", more="Message-ID: <2@mailhost.example>\r\n")

    assert await post.rows("SELECT count(*) FROM messages WHERE kind = 'replied'") == [(2,)]
    assert await post.rows("SELECT count(*) FROM events") == [(2,)]


@pytest.mark.parametrize("name", ["out-of-office", "read-receipt"])
async def test_an_automatic_reply_stops_nothing_and_is_not_passed_on(post: Post, name: str) -> None:
    await post.drip()
    raw = returned(name, post.bounce, post.reply)
    assert (await post.bring(raw, post.reply, "eve@mailhost.example")).startswith("250")

    [(status, reason, _)] = await post.arrived()
    assert (status, reason.split(":")[0]) == ("accepted", "automatic_reply")
    assert await post.rows("SELECT count(*) FROM events") == [(0,)]
    assert await post.suppressions() == []
    await post.later()
    assert await post.rows("SELECT kind, state FROM messages ORDER BY id") == [("campaign", "sent")] * 2


async def test_our_own_mail_that_comes_back_is_not_an_answer(post: Post) -> None:
    """Else two services that pass mail on to each other never end."""
    await post.drip()
    assert (await post.bring(post.relay.contents[0], post.reply, "leads@brokerage.example")).startswith("250")

    assert await post.rows("SELECT count(*) FROM messages WHERE kind = 'replied'") == [(0,)]


async def test_an_answer_to_the_return_path_reaches_the_agent_all_the_same(post: Post) -> None:
    await post.drip()
    raw = b"From: eve@mailhost.example\r\nSubject: Re: Hi\r\n\r\nYes\r\n"
    await post.bring(raw, post.bounce, "eve@mailhost.example")
    await post.deliver()

    assert post.relay.mails[-1]["To"] == "alice@example.com"


async def test_an_answer_to_an_alert_is_stored_and_starts_nothing(post: Post) -> None:
    await post.brokerage.ask()
    await post.deliver()
    await post.bring(b"From: bob@example.com\r\n\r\nThanks\r\n", post.bounce, "bob@example.com")

    assert (await post.arrived())[-1][:2] == (
        "accepted",
        f"reply: message {await post.sender.the_only()}: an answer",
    )
    assert await post.rows("SELECT count(*) FROM events") == [(0,)]


async def test_a_name_that_a_writer_chose_adds_no_header(post: Post) -> None:
    await post.drip()
    await post.database.execute("UPDATE contacts SET first_name = $1", "Eve\r\nBcc: dave@example.net")
    raw = (
        b"From: Eve <eve@mailhost.example>\r\nSubject: =?utf-8?b?DQpCY2M6IGRhdmVAZXhhbXBsZS5uZXQ=?=\r\n"
        b'Content-Type: text/plain;\r\n x="\x01\xff"\r\nMessage-ID: <a\x02@b>\r\n\r\nYes\r\n'
    )
    await post.bring(raw, post.reply, "eve@mailhost.example")
    await post.deliver()

    mail: EmailMessage = post.relay.mails[-1]
    assert mail["Bcc"] is None
    assert mail["To"] == "alice@example.com"
    assert mail["References"] is None
    assert mail.get_content().strip() == "Yes"


async def test_an_answer_that_is_no_longer_stored_is_not_passed_on(post: Post) -> None:
    await post.drip()
    await post.answer("Yes")
    await post.database.execute("UPDATE arrivals SET body = '', emptied_at = now()")
    await post.deliver()

    assert await post.rows("SELECT state, reason FROM messages WHERE kind = 'replied'") == [
        ("failed", "the answer that is to be passed on is no longer stored")
    ]


async def test_more_mails_than_people_write_are_put_off(post: Post) -> None:
    await post.drip()
    message_id = await post.database.fetchval("SELECT id FROM messages")
    await post.database.execute(
        "INSERT INTO returned_mails (owner_id, message_id, digest, arrival_id, received_at)"
        " SELECT $1, $2, int4send(n), n, now() FROM generate_series(1, $3::int) n",
        post.brokerage.owner_id, message_id, MOST_PER_MESSAGE,
    )  # fmt: skip

    assert (await post.answer("Yes")).startswith("451")
    assert await post.arrived() == []


async def test_what_the_contact_wrote_is_exported_and_erased_with_the_contact(post: Post) -> None:
    contact_id = await post.drip()
    await post.answer("My secret is Rosebud")
    await post.deliver()
    exported = await export_contact(post.database, post.brokerage.owner_id, contact_id)
    assert "Rosebud" in exported
    assert '"format": "email"' in exported

    await erase_contact(post.database, post.brokerage.owner_id, contact_id)
    assert await post.rows("SELECT body, reason FROM arrivals") == [(b"", "the contact was erased")]
    assert await post.rows("SELECT count(*) FROM events") == [(0,)]


# ------------------------------------------------------------------------------------------------------- strangers


async def test_a_mail_that_takes_long_to_read_is_stored_unread_and_stops_no_other(post: Post) -> None:
    await post.drip()
    slow = b"Content-Type: multipart/report; boundary=b\n\n" + b"--b\n\n" * 200_000
    hostile = asyncio.create_task(post.bring(slow, post.bounce))
    quick = await asyncio.wait_for(post.answer("Yes"), 20)

    assert quick.startswith("250")
    assert (await asyncio.wait_for(hostile, 60)).startswith("250")
    assert len(await post.arrived()) == 2


async def test_the_mailboxes_of_intake_keys_take_leads_as_before(post: Post) -> None:
    await post.database.execute("UPDATE intake_keys SET key_hash = sha256('a-mailbox')")
    lead = b"From: form@example.net\r\nSubject: New lead\r\n\r\nName: Mia Lund\r\nEmail: mia@example.com\r\n"
    assert (await post.bring(lead, f"a-mailbox@{DOMAIN}", "form@example.net")).startswith("250")

    assert await post.rows("SELECT count(*) FROM leads") == [(1,)]


async def test_an_address_belongs_to_one_installation(post: Post) -> None:
    await post.drip()
    stranger = ReturnedMails(post.database, replace(post.settings, secret="of another installation"))

    assert await stranger.open(post.bounce.partition("@")[0]) is None
    assert KEY not in post.bounce
