"""The texts of all messages, made at the moment when each is sent. An alert shows no more than the masked page.

Reads nothing: a message comes in with everything that is known about it, and goes out as subject, text and HTML.
"""

import re
from datetime import datetime
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from msgspec import Struct, structs

from leadroutes.domain.campaign import zone_named
from leadroutes.domain.identity import said_names
from leadroutes.domain.message import (
    InvitationDetails,
    MessageContact,
    MessageLead,
    MessageOffer,
    MessageSender,
    OutgoingMessage,
)
from leadroutes.domain.preview import preview
from leadroutes.domain.template import MessageContent, TemplateInput
from leadroutes.domain.text import one_line

_TEMPLATES = Environment(
    loader=PackageLoader("leadroutes.channels"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)

Record = TypeVar("Record", bound=Struct)


def masked(lead: MessageLead | None) -> str:
    """Returns what an alert may show of a lead before it is claimed: first name, town, type, price."""
    lead = lead or MessageLead(id=0)
    return str(preview(lead.first_name, lead.city, lead.type, lead.listing_price))


def alert_content(message: OutgoingMessage, link: str | None) -> MessageContent:
    """Returns the text of an alert to an agent or to the owner; `link` leads to the lead, where they may see it."""
    headline, explanation, button = _alert(message)
    if message.channel != "email":
        return MessageContent(
            subject=None, text_body=" ".join(part for part in (headline + ".", explanation, link) if part)
        )
    return _mail(headline, explanation, button, link)


def _mail(headline: str, explanation: str, button: str, link: str | None) -> MessageContent:
    values = {"headline": headline, "explanation": explanation, "link": link, "button": button}
    return MessageContent(
        subject=headline,
        text_body=_TEMPLATES.get_template("alert.txt").render(values),
        html_body=_TEMPLATES.get_template("alert.html").render(values),
    )


def _alert(message: OutgoingMessage) -> tuple[str, str, str]:
    """Returns (headline, explanation, text of the button) for each kind."""
    lead = masked(message.lead)
    source = one_line(message.lead.source if message.lead else None) or "an unknown source"
    timezone = message.agent.timezone if message.agent else None
    match message.kind:
        case "won":
            return f"You have the lead: {lead}", f"It came from {source} and is yours.", "See the lead"
        case "claimed":
            name = one_line(message.status.claimed_by_name)
            at = _local(message.lead.claimed_at if message.lead else None, timezone)
            return f"Taken: {lead}", f"{name} claimed this lead {at}.", ""
        case "unclaimed":
            return f"No one claimed: {lead}", f"It came from {source}. You can claim it, or assign it.", "Claim it"
        case _:
            why = one_line(message.offer.reason if message.offer else None)
            reason = f" It came to you because {why}." if why else ""
            return (
                f"New lead: {lead}",
                f"It came from {source}. {_head_start(message.offer, timezone)}{reason}",
                "Claim it",
            )


def _head_start(offer: MessageOffer | None, timezone: str | None) -> str:
    """Until when the agent is ahead of the next one, in the agent's time zone."""
    if offer is None or offer.next_notify_at is None:
        return "Whoever claims it first has it."
    until = offer.next_notify_at.astimezone(zone_named(timezone))
    moment = f"{until:%H:%M:%S %Z}" if until.second else f"{until:%H:%M %Z}"
    if offer.is_exclusive:
        return f"It is yours to claim until {moment}; then the next agent is asked."
    return f"You are ahead until {moment}, when the next agent is asked. Whoever claims it first has it."


MAX_NAME_CHARACTERS = 80  # in a mail to someone who may not know the person who typed the name


def account_content(message: OutgoingMessage, link: str | None) -> MessageContent:
    """Returns the text of a mail about an account: an invitation, a new e-mail, or the warning to the previous one."""
    return _mail(*_about_account(message), link)


def _about_account(message: OutgoingMessage) -> tuple[str, str, str]:
    if message.kind == "invitation" and message.invitation is not None:
        return _invitation(message.invitation)
    if message.kind == "email_change":
        explanation = (
            "Someone has asked to use this address for an account on Lead Routes. The link is good for one day."
            " If it was not you, do nothing."
        )
        return "Is this your new e-mail address?", explanation, "Use this address"
    explanation = (
        "Someone has asked to change the e-mail address of your account on Lead Routes. If it was not you, set"
        " another password, and tell whoever runs the service."
    )
    return "The e-mail address of your account changes", explanation, ""


def _invitation(invitation: InvitationDetails) -> tuple[str, str, str]:
    inviter, team = _short(invitation.inviter_name), _short(invitation.team_name)
    explanation = (
        f"{inviter} ({invitation.inviter_email}) asks you to join the team {team} on Lead Routes, which offers leads"
        " to the members of teams. The link is good for seven days. If you do not know who this is, do nothing."
    )
    return f"{inviter} invites you to the team {team}", explanation, "See the invitation"


def _short(name: str) -> str:
    """Returns a name on one line, without anything that a mail program would turn into a link."""
    line = " ".join(re.sub(r"[^\S ]|[<>]|://", " ", name).replace(".", ". ").split())
    return line if len(line) <= MAX_NAME_CHARACTERS else f"{line[:MAX_NAME_CHARACTERS]}…"


def _local(moment: datetime | None, timezone: str | None) -> str:
    return f"at {moment.astimezone(zone_named(timezone)):%Y-%m-%d %H:%M %Z}" if moment else "just now"


def campaign_template_input(message: OutgoingMessage, unsubscribe_link: str) -> TemplateInput:
    """Returns a campaign's step as its template is filled in."""
    contact, template = message.contact, message.template
    postal_address = ((contact.postal_address if contact else None) or "").strip()
    ends = {"unsubscribe_link": unsubscribe_link, "postal_address": postal_address}
    return TemplateInput(
        subject=(template.subject if template else None) or "",
        body=(template.body if template else None) or "",
        name=message.campaign_name or "",
        is_email=message.channel == "email",
        variables=campaign_variables(message) | ends,
        owner_name=(contact.owner_name if contact else None) or "",
        **ends,
    )


def campaign_variables(message: OutgoingMessage) -> dict[str, Any]:
    """Returns what a template may use: contact, agent, lead, property, and the usual flat names."""
    contact = _without_blanks(message.contact or MessageContact(id=0))
    sender = _without_blanks(message.sender or MessageSender(id=0))
    lead = _without_blanks(message.lead or MessageLead(id=0))
    first_name, last_name = said_names(contact.first_name, contact.last_name)
    about_contact = {
        "first_name": first_name,
        "last_name": last_name,
        "email": contact.email,
        "phone": contact.mobile_phone,
        "company": contact.company,
    }
    about_agent = {
        "first_name": sender.first_name,
        "last_name": sender.last_name,
        "name": sender.name,
        "email": sender.email,
        "phone": sender.phone,
    }
    place = {
        "street_address": lead.street_address,
        "city": lead.city,
        "state": lead.state,
        "zipcode": lead.zipcode,
        "price": lead.listing_price,
        "mls_id": lead.mls_id,
        "listing_status": lead.listing_status,
    }
    about_lead = {
        "type": lead.type,
        "message": lead.text_body,
        "source": lead.source,
        "created_at": lead.created_at,
    }
    flat = {**place, **about_contact, **{f"agent_{name}": value for name, value in about_agent.items()}}
    return {**flat, "contact": about_contact, "agent": about_agent, "lead": about_lead, "property": place}


def _without_blanks(record: Record) -> Record:
    """Returns the record with None for every text that is blank."""
    blank = [name for name, value in structs.asdict(record).items() if isinstance(value, str) and not value.strip()]
    return structs.replace(record, **dict.fromkeys(blank))
