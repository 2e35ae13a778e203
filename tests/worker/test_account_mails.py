"""Mails about accounts: invitations and new e-mails leave through the outbox, and reveal nothing that they must not."""

import re

from leadroutes.engine.users import ask_for_email, find_email_change
from leadroutes.store.invitations import find_invitation, invite_address, invite_user
from leadroutes.store.outbox import Sought, list_messages
from tests.support.brokerage import Brokerage
from tests.support.mailbox import Mailbox
from tests.support.sender import Sender


async def invite(brokerage: Brokerage, *, email: str | None = None, user: str | None = None) -> int:
    async with brokerage.town.database.transaction() as transaction:
        if email is not None:
            made = await invite_address(transaction, brokerage.owner_id, brokerage.town.team_id, email)
        else:
            assert user is not None
            user_id = brokerage.town.users[user]
            made = await invite_user(transaction, brokerage.owner_id, brokerage.town.team_id, user_id)
    assert made is not None
    return made


async def test_an_invitation_carries_a_link_that_is_stored_as_a_hash_alone(
    brokerage: Brokerage, mailbox: Mailbox, sender: Sender
) -> None:
    member_id = await invite(brokerage, email="new@example.com")
    await sender.deliver(await sender.the_only("kind = 'invitation'"))

    [mail] = mailbox.mails
    text = mail.get_body(("plain",)).get_content()
    assert (mail["To"], mail["Subject"]) == ("new@example.com", "Alice Town invites you to the team North Side")
    token = re.search(r"https://leads\.example/invitations/(\S+)", text)[1]
    invitation = await find_invitation(sender.database, token)
    assert invitation is not None
    assert invitation.id == member_id
    row = await sender.database.fetchrow("SELECT state, address, text_body FROM messages WHERE kind = 'invitation'")
    assert (row["state"], row["address"], token in row["text_body"]) == ("sent", "new@example.com", False)


async def test_whoever_invites_by_id_does_not_learn_the_address_from_the_outbox(
    brokerage: Brokerage, mailbox: Mailbox, sender: Sender
) -> None:
    await invite(brokerage, user="dave")
    await sender.deliver(await sender.the_only("kind = 'invitation'"))
    assert mailbox.mails[0]["To"] == "dave@example.com"
    owners = await list_messages(sender.database, brokerage.owner_id, Sought(), None)
    assert owners.messages == []
    [own] = (await list_messages(sender.database, brokerage.town.users["dave"], Sought(), None)).messages
    assert own["address"] == "dave@example.com"


async def test_an_invitation_that_was_taken_back_is_not_sent(
    brokerage: Brokerage, mailbox: Mailbox, sender: Sender
) -> None:
    await invite(brokerage, email="new@example.com")
    await sender.database.execute("DELETE FROM team_invitations")
    message = await sender.the_only("kind = 'invitation'")
    await sender.deliver(message)
    assert await sender.outcome(message) == ("suppressed", "the invitation was answered or taken back")
    assert mailbox.mails == []
    [shown] = (await list_messages(sender.database, brokerage.owner_id, Sought(), None)).messages
    assert shown["recipient"] == "new@example.com"


async def test_names_in_an_invitation_are_one_short_line_without_links(
    brokerage: Brokerage, mailbox: Mailbox, sender: Sender
) -> None:
    await sender.database.execute(
        "UPDATE teams SET name = $1", "Win https://evil.example/now\r\nBcc: x@y.example " + "a" * 200
    )
    await invite(brokerage, email="new@example.com")
    await sender.deliver(await sender.the_only("kind = 'invitation'"))
    [mail] = mailbox.mails
    text = mail.get_body(("plain",)).get_content()
    assert "https://evil" not in text
    assert "evil.example" not in text
    assert mail["Bcc"] is None
    assert len(mail["Subject"]) < 150


async def test_a_new_email_gets_the_link_and_the_old_one_a_warning_without_it(
    brokerage: Brokerage, mailbox: Mailbox, sender: Sender
) -> None:
    await ask_for_email(sender.database, brokerage.town.users["bob"], "rob@example.com")
    for row in await sender.database.fetch("SELECT id FROM messages ORDER BY id"):
        await sender.deliver(row["id"])

    to_new, to_old = mailbox.mails
    assert (to_new["To"], to_old["To"]) == ("rob@example.com", "bob@example.com")
    token = re.search(r"https://leads\.example/emails/(\S+)", to_new.get_body(("plain",)).get_content())[1]
    found = await find_email_change(sender.database, token)
    assert found is not None
    assert found["email"] == "rob@example.com"
    assert "/emails/" not in to_old.as_string()
    bodies = await sender.database.fetch("SELECT text_body FROM messages")
    assert not any(token in row["text_body"] for row in bodies)


async def test_a_change_that_is_no_longer_asked_for_is_not_mailed(
    brokerage: Brokerage, mailbox: Mailbox, sender: Sender
) -> None:
    for email in ("first@example.com", "second@example.com"):
        await ask_for_email(sender.database, brokerage.town.users["bob"], email)
    first = await sender.the_only("address = 'first@example.com'")
    await sender.deliver(first)
    assert await sender.outcome(first) == ("suppressed", "it is no longer asked for")
