"""What the link that ends the e-mails of campaigns names. A value; how it is signed is decided elsewhere."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnsubscribeLink:
    """What a link says: whose mail it was, to which contact; the message, and the digest of where it went.

    Links of earlier versions name the contact only.
    """

    owner_id: int
    contact_id: int
    message_id: int | None = None
    digest: bytes | None = None
