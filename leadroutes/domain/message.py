"""A message that is being sent, with everything that its text, its address and its channel need. Values only.

The fields are those of `begin_sending.sql`: a column `lead.city` is the field `city` of `lead`.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct

Kind = Literal["offer", "won", "claimed", "unclaimed", "campaign", "invitation", "email_change", "email_changing"]
ACCOUNT_KINDS = frozenset({"invitation", "email_change", "email_changing"})
CLAIMABLE_KINDS = frozenset({"offer", "unclaimed"})


class MessageStatus(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may have made a message pointless since it was queued."""

    offer_state: str | None = None
    claimed_by_user_id: int | None = None
    claimed_by_name: str | None = None
    agent_is_active: bool | None = None
    step_is_active: bool | None = None
    step_stopped_by_name: str | None = None
    contact_suppressed_because: str | None = None


class MessageAgent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user to whom an alert or a mail about an account goes."""

    id: int
    email: str | None = None
    phone: str | None = None
    timezone: str | None = None


class MessageOffer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The offer that an alert is about. `next_notify_at`: when the next agent is notified."""

    id: int
    reason: str | None = None
    next_notify_at: datetime | None = None
    is_exclusive: bool = False  # until then no one else may claim the lead


class MessageLead(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lead that an alert is about, or that started a campaign."""

    id: int
    first_name: str | None = None  # of the inquirer
    type: str | None = None
    text_body: str | None = None
    mls_id: str | None = None
    listing_status: str | None = None
    listing_price: str | None = None
    street_address: str | None = None
    city: str | None = None
    state: str | None = None
    zipcode: str | None = None
    created_at: datetime | None = None
    source: str | None = None  # the name of its lead source
    claimed_at: datetime | None = None


class MessageContact(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact to whom a message of a campaign goes, and the owner of its account."""

    id: int
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    mobile_phone: str | None = None
    company: str | None = None
    address_digest: bytes | None = None  # of the e-mail, as unsubscribe links carry it
    owner_name: str | None = None
    postal_address: str | None = None  # of the owner


class MessageTemplate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The template of a step of a campaign."""

    id: int
    subject: str | None = None
    body: str | None = None


class MessageSender(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user in whose name a message goes to a contact."""

    id: int
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None


class InvitationDetails(Struct, frozen=True, kw_only=True):
    """What the mail of an invitation into a team says."""

    team_name: str
    inviter_name: str
    inviter_email: str


class OutgoingMessage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message as it is when an attempt to send it begins; records that it is not about are None.

    `was_sending`: an earlier attempt began and did not report its outcome. `address`: where a mail about an account
    goes, unless to the agent's own e-mail. `invitation` and `is_email_change_open`: for these mails, looked up later.
    """

    owner_id: int
    id: int
    kind: Kind
    channel: str
    attempts: int
    was_sending: bool
    status: MessageStatus
    agent: MessageAgent | None = None
    offer: MessageOffer | None = None
    lead: MessageLead | None = None
    contact: MessageContact | None = None
    template: MessageTemplate | None = None
    sender: MessageSender | None = None
    campaign_name: str | None = None
    address: str | None = None
    member_id: int | None = None
    email_change_id: int | None = None
    invitation: InvitationDetails | None = None
    is_email_change_open: bool = False

    @property
    def lead_id(self) -> int | None:
        return self.lead.id if self.lead is not None else None

    @property
    def sender_id(self) -> int | None:
        return self.sender.id if self.sender is not None else None

    @property
    def is_about_account(self) -> bool:
        return self.kind in ACCOUNT_KINDS

    @property
    def sent_to(self) -> str:
        """The address in this message's channel, an e-mail or a phone number; empty where it is not known."""
        if self.is_about_account:
            found = self.address or (self.agent.email if self.agent else None)
        elif self.contact is not None:
            found = self.contact.email if self.channel == "email" else self.contact.mobile_phone
        elif self.agent is not None:
            found = self.agent.email if self.channel == "email" else self.agent.phone
        else:
            found = None
        return (found or "").strip()
