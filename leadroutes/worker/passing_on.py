"""Makes the mail that passes an answer of a contact on to whoever has the contact, with its content as it came."""

from leadroutes.channels.envelope import DeliveryError, Envelope
from leadroutes.domain.mail_addresses import plain_address
from leadroutes.domain.message import OutgoingMessage
from leadroutes.intake.passing_on import taken_apart
from leadroutes.store.postgres import Database
from leadroutes.store.returned_mails import load_passed_on

NO_LONGER_STORED = "the answer that is to be passed on is no longer stored"


async def passed_on(database: Database, message: OutgoingMessage) -> Envelope:
    """Returns the mail. It comes from us in the contact's name, and an answer to it goes to the contact.

    Raises a permanent DeliveryError where the answer is no longer stored.
    """
    assert message.arrival_id is not None
    row = await load_passed_on(database, message.owner_id, message.arrival_id)
    if row is None or row["emptied_at"] is not None:
        raise DeliveryError(NO_LONGER_STORED, is_permanent=True)
    answer = taken_apart(row["body"])
    address = next(filter(_is_possible, (answer.address, row["email"])), None)
    name = " ".join(filter(None, (row["first_name"], row["last_name"]))).strip() or address or "A contact"
    return Envelope(
        address=message.sent_to,
        subject=answer.subject,
        text_body="",
        sender_name=f"{name} via Lead Routes",
        reply_to=address,
        headers={"References": answer.reference} if answer.reference else {},
        content=answer.content,
        content_headers=answer.headers,
    )


def _is_possible(address: str | None) -> bool:
    """Whether mail can be sent to an address that someone wrote."""
    try:
        return bool(address and plain_address(address))
    except ValueError:
        return False
