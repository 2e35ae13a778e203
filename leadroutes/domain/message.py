"""A message that is being sent, with everything that its text, its address and its channel need. Values only.

The fields are those of `begin_sending.sql`: a column `lead.city` is the field `city` of `lead`.
"""

import re
from datetime import datetime
from typing import Literal, NamedTuple

from msgspec import Struct

from leadroutes.domain.identity import normal_phone
from leadroutes.domain.stops import CAMPAIGN_REMOVED

Kind = Literal[
    "offer", "won", "claimed", "unclaimed", "campaign", "reoffer", "given_back", "handover", "handover_declined",
    "invitation", "email_change", "email_changing", "password_reset", "user_invitation", "answer", "confirmation",
    "replied", "call_due", "texts_stopped", "untold", "junk", "digest", "test", "webhook_off",
]  # fmt: skip
PASSWORD_KINDS = frozenset({"password_reset", "user_invitation"})
ACCOUNT_KINDS = frozenset({"invitation", "email_change", "email_changing", "webhook_off"}) | PASSWORD_KINDS
CLAIMABLE_KINDS = frozenset({"offer", "reoffer", "unclaimed"})
WORDED_KINDS = frozenset({"answer", "confirmation"})  # answers to a text, which have their words when they are stored
# Alerts without a claim link.
LINKLESS_KINDS = frozenset(
    {"claimed", "given_back", "handover", "handover_declined", "replied", "call_due", "texts_stopped", "untold", "junk"}
)
BROWSERS = "browsers"  # in place of the address of a notification


class MessageName(NamedTuple):
    """A message in an address that a provider calls back: `12.345`. Whoever knows it can do nothing with it."""

    owner_id: int
    id: int

    def __str__(self) -> str:
        return f"{self.owner_id}.{self.id}"

    @classmethod
    def read(cls, text: str | None) -> "MessageName | None":
        """Returns None for anything else."""
        found = _MESSAGE_NAME.fullmatch(text or "")
        return cls(int(found[1]), int(found[2])) if found else None


_MESSAGE_NAME = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})", re.ASCII)


class MessageStatus(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may have made a message pointless since it was queued."""

    offer_state: str | None = None
    claimed_by_user_id: int | None = None
    claimed_by_name: str | None = None
    agent_is_active: bool | None = None
    step_is_active: bool | None = None
    is_campaign_removed: bool | None = None
    step_stopped_by_name: str | None = None  # or who has removed the campaign
    contact_suppressed_because: str | None = None
    has_unread_text: bool | None = None  # a text has come from the contact, and has not been dealt with

    @property
    def why_step_is_over(self) -> str | None:
        """Why nothing more is to be sent for the step; None: it goes on."""
        if self.step_is_active and not self.is_campaign_removed:
            return None
        reason = CAMPAIGN_REMOVED if self.step_is_active else "it was stopped"
        return f"{reason} by {self.step_stopped_by_name}" if self.step_stopped_by_name else reason


class MessageAgent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user to whom an alert or a mail about an account goes."""

    id: int
    email: str | None = None
    phone: str | None = None
    timezone: str | None = None
    owners_timezone: str | None = None  # of the account that the message belongs to
    quiet_from: str | None = None
    quiet_to: str | None = None


class MessageOffer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The offer that an alert is about. `next_notify_at`: when the next agent is notified."""

    id: int
    reason: str | None = None
    next_notify_at: datetime | None = None
    is_exclusive: bool = False  # until then no one else may claim the lead
    member_name: str | None = None  # to whom it was made


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
    is_test: bool = False
    untold_names: str | None = None  # of those to whom every alert has failed


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


class MessageEvent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a contact has written that an alert is about. `source`: how it came, `text` or `email`."""

    id: int
    contact_id: int
    source: str = "text"
    contact_name: str | None = None
    text: str | None = None


class DueCall(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The step of a campaign that an alert asks to call for, with its contact. `words`: what to talk about."""

    id: int
    contact_id: int
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    company: str | None = None
    phone: str | None = None  # mobile, else at home, else office
    words: str = ""


class MessageTemplate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The template of a step of a campaign."""

    id: int
    subject: str | None = None
    body: str | None = None


class MessageSender(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user in whose name a message goes to a contact, or the owner of the contact's account."""

    id: int
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    system_phone: str | None = None  # sends this user's texts, if it is a number of the account at the provider
    signature_text: str | None = None  # of the user's default signature
    signature_html: str | None = None


class InvitationDetails(Struct, frozen=True, kw_only=True):
    """What the mail of an invitation says: into a team, or, with a role, to act for the inviter."""

    role: str | None
    team_name: str | None
    inviter_name: str
    inviter_email: str


class MorningDigest(Struct, frozen=True, kw_only=True):
    """What a digest says of its user's leads: numbers, and the names of those that wait for a first contact."""

    claimed: int
    tasks: int
    waiting: tuple[str, ...]
    has_more: bool = False  # than those names

    @property
    def is_empty(self) -> bool:
        return not (self.claimed or self.tasks or self.waiting)


class SwitchedOffWebhook(Struct, frozen=True, kw_only=True):
    """What the mail about a webhook says that was switched off."""

    host: str
    reason: str


class OutgoingMessage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message as it is when an attempt to send it begins; records that it is not about are None.

    `was_sending`: an earlier attempt began and did not report its outcome. `provider_id`: the provider has reported
    nevertheless that it has the message. `address`: where a mail about an account goes, unless to the agent's own
    e-mail, and where an answer to a text goes, which has its words in `text_body` and comes from the number
    `sent_from`. `arrival_id`: the mail of a contact that is passed on. `invitation`, `digest`, `webhook` and
    `is_…_open`: for these mails, looked up later.
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
    event: MessageEvent | None = None
    call: DueCall | None = None
    template: MessageTemplate | None = None
    sender: MessageSender | None = None
    owner: MessageSender | None = None
    action_id: int | None = None
    conditions: str | None = None  # of the step, as JSON
    campaign_name: str | None = None
    address: str | None = None
    text_body: str | None = None
    sent_from: str | None = None
    provider_id: str | None = None
    provider_state: str | None = None
    member_id: int | None = None
    email_change_id: int | None = None
    password_link_id: int | None = None
    arrival_id: int | None = None
    webhook_id: int | None = None
    reason: str | None = None  # why it has waited in the queue, or why an earlier attempt has failed
    communication_id: int | None = None  # the step of a campaign; `has_window`: it or its campaign has a window
    has_window: bool | None = None
    invitation: InvitationDetails | None = None
    digest: MorningDigest | None = None
    webhook: SwitchedOffWebhook | None = None
    is_email_change_open: bool = False
    is_password_link_open: bool = False

    @property
    def lead_id(self) -> int | None:
        return self.lead.id if self.lead is not None else None

    @property
    def asks_for_call(self) -> bool:
        """Whether it is a campaign's call, which whoever has the contact makes: it goes over no channel itself."""
        return self.kind == "campaign" and self.channel == "call"

    @property
    def sender_id(self) -> int | None:
        return self.sender.id if self.sender is not None else None

    @property
    def is_about_account(self) -> bool:
        return self.kind in ACCOUNT_KINDS

    @property
    def is_alert(self) -> bool:
        """Whether it goes at any hour and before messages of campaigns."""
        return self.kind != "campaign"

    @property
    def sent_to(self) -> str:
        """The address in this message's channel, an e-mail or a phone number; empty where it is not known."""
        if self.channel == "push":
            return BROWSERS
        if self.is_about_account:
            found = self.address or (self.agent.email if self.agent else None)
        elif self.kind in WORDED_KINDS:
            found = self.address
        elif self.contact is not None:
            found = self.contact.email if self.channel == "email" else self.contact.mobile_phone
        elif self.agent is not None:
            found = self.agent.email if self.channel == "email" else self.agent.phone
        else:
            found = None
        return (found or "").strip() if self.channel == "email" else normal_phone(found) or ""

    @property
    def name(self) -> MessageName:
        return MessageName(self.owner_id, self.id)
