"""The content of the unsubscribe link in e-mails of campaigns. A value; signing is elsewhere."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnsubscribeLink:
    """The content of a link: owner and contact; the message, and the digest of its address.

    Links of earlier versions name the contact only.
    """

    owner_id: int
    contact_id: int
    message_id: int | None = None
    digest: bytes | None = None
