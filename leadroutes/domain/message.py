"""What one message is about: everything that its words need, and whether it should still be sent.

Pure: it writes no words and knows no channel.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["offer", "won", "claimed", "unclaimed", "campaign"]
Medium = Literal["email", "text", "call", "webhook"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A user as a sender or a recipient."""

    id: int
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    timezone: str = "UTC"

    @property
    def name(self) -> str:
        """First and last name, else the e-mail address."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.email or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """What the inquiry is about, as the lead has it."""

    street_address: str | None = None
    city: str | None = None
    state: str | None = None
    zipcode: str | None = None
    mls_id: str | None = None
    listing_status: str | None = None
    listing_price: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """The lead itself."""

    id: int
    type: str | None = None
    source_name: str | None = None
    created_at: datetime
    property: Property


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The contact; an alert may tell of it what `Preview` holds, and no more."""

    id: int
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    secondary_email: str | None = None
    mobile_phone: str | None = None
    home_phone: str | None = None
    office_phone: str | None = None
    company: str | None = None
    time_zone: str | None = None
    is_unsubscribed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A campaign's template."""

    subject: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message with all that its words and its sending need, as of this moment."""

    owner_id: int
    id: int
    kind: Kind
    channel: Medium
    state: str
    attempts: int
    owner: Party
    user: Party | None = None  # to this user …
    contact: Person | None = None  # … or about, in a campaign to, this contact
    lead: Inquiry | None = None
    offer_id: int | None = None
    offer_state: str | None = None
    claimed_by: Party | None = None
    communication_id: int | None = None
    is_stopped: bool = False  # its campaign step
    sender: Party | None = None  # of a campaign's step
    script: Script | None = None

    @property
    def is_to_contact(self) -> bool:
        """A campaign's step; all else goes to a user."""
        return self.kind == "campaign"

    @property
    def has_claim_link(self) -> bool:
        """Whether it leads to the page of the recipient's own offer."""
        return self.offer_id is not None and self.kind in ("offer", "unclaimed", "won")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """All that is told of a lead before it is claimed: first name, town, price, type."""

    first_name: str
    town: str | None
    price: str | None
    type: str | None

    @property
    def line(self) -> str:
        """One line, as for a subject: `Jane, Denver, $450,000, Buyer`."""
        return ", ".join(part for part in (self.first_name, self.town, self.price, self.type) if part)


def preview(contact: Person | None, lead: Inquiry | None) -> Preview:
    """The masked form of a lead."""
    about = lead.property if lead else Property()
    return Preview(
        first_name=(contact and contact.first_name) or "Somebody",
        town=about.city or about.zipcode,
        price=format_price(about.listing_price),
        type=lead.type if lead else None,
    )


def format_price(text: str | None) -> str | None:
    """`450000` as `$450,000`; a price that is no plain number stays as it was sent."""
    if text and text.isascii() and text.isdigit():
        return f"${int(text):,}"
    return text or None


def why_not_sent(message: Message) -> str | None:
    """Why a message that was decided earlier is pointless or unwanted by now; None: send it."""
    claimed_by, user = message.claimed_by, message.user
    match message.kind:
        case "offer" | "unclaimed" if claimed_by is not None:
            return f"{claimed_by.name} has claimed the lead meanwhile"
        case "offer" | "unclaimed" if message.offer_state != "notified":
            return f"the offer is not open any more: {message.offer_state or 'gone'}"
        case "won" if claimed_by is None or user is None or claimed_by.id != user.id:
            return "the lead has gone to somebody else meanwhile"
        case "claimed" if claimed_by is None or (user is not None and claimed_by.id == user.id):
            return "the lead has come back to the recipient meanwhile"
        case "campaign" if message.is_stopped:
            return "it was stopped"
        case "campaign" if message.channel == "email" and message.contact and message.contact.is_unsubscribed:
            return "the contact has unsubscribed from e-mails"
        case _:
            return None
