"""The texts of all messages, made at the moment when each is sent. An alert shows no more than the masked page.

Reads nothing: a message comes in with everything that is known about it, and goes out as subject, text and HTML.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from msgspec import Struct, structs

from leadroutes.channels.envelope import Notification
from leadroutes.domain.alerts import UNTOLD
from leadroutes.domain.campaign import zone_named
from leadroutes.domain.identity import normal_phone, said_names
from leadroutes.domain.message import (
    CLAIMABLE_KINDS,
    LINKLESS_KINDS,
    DueCall,
    InvitationDetails,
    MessageContact,
    MessageLead,
    MessageOffer,
    MessageSender,
    MorningDigest,
    OutgoingMessage,
)
from leadroutes.domain.moments import wall_clock
from leadroutes.domain.preview import Preview, preview
from leadroutes.domain.received_text import read_wish
from leadroutes.domain.stop_words import is_word_of_stopping, may_mean_stop
from leadroutes.domain.template import MessageContent, TemplateInput
from leadroutes.domain.text import one_line
from leadroutes.domain.text_alerts import link_part, text_alert, text_reply

_TEMPLATES = Environment(
    loader=PackageLoader("leadroutes.channels"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)

Record = TypeVar("Record", bound=Struct)
# Seconds for which a push service keeps a notification for a browser that is not on.
ALERT_LIFE, DIGEST_LIFE, TEST_LIFE = 86_400, 14_400, 600


TEXT_HEADLINES: Mapping[str, tuple[str, str]] = {
    "offer": ("New lead", "Claim"),
    "reoffer": ("Offered again", "Claim"),
    "unclaimed": ("No one claimed", "Claim"),
    "won": ("You have the lead", "See"),
    "claimed": ("Taken", ""),
    "given_back": ("Given back", ""),
    "handover": ("To be passed on", ""),
    "handover_declined": ("Not passed on", ""),
    "untold": ("Not notified", ""),
    "junk": ("Junk", ""),
}
"""By the kind of an alert: what its text begins with, and the word before its link."""


def masked(lead: MessageLead | None) -> str:
    """Returns what an alert may show of a lead before it is claimed: first name, town, type, price."""
    return str(preview_of(lead))


def preview_of(lead: MessageLead | None) -> Preview:
    lead = lead or MessageLead(id=0)
    return preview(lead.first_name, lead.city, lead.type, lead.listing_price)


def alert_content(message: OutgoingMessage, link: str | None, reply_number: int | None = None) -> MessageContent:
    """Returns the text of an alert to an agent or to the owner; `link` leads to the lead, where they may see it.

    `reply_number`: by which the agent may claim with a text.
    """
    if message.kind == "replied":
        return _of_reply(message, link)
    if message.call is not None:
        return _of_call(message, message.call, link)
    if message.channel == "text":
        text = _text_alert(message, link, reply_number) if message.lead is not None else _text_about_user(message, link)
        return MessageContent(subject=None, text_body=text)
    headline, explanation, button = _alert(message)
    if message.lead is not None and message.lead.is_test:
        headline = f"TEST: {headline}"
    if message.channel == "push":
        return MessageContent(subject=headline, text_body=explanation)
    if message.channel != "email":
        return MessageContent(
            subject=None, text_body=" ".join(part for part in (headline + ".", explanation, link) if part)
        )
    return _mail(headline, explanation, button, link)


def _of_reply(message: OutgoingMessage, link: str | None) -> MessageContent:
    """Returns an alert about what a contact wrote, to whoever has the contact and may therefore read it."""
    event = message.event
    name = one_line(event.contact_name if event else None) or "A contact"
    said = (event.text if event else None) or "(The text has been removed.)"
    doubt = _doubt(said, event.source if event else "text")
    if message.channel == "push":
        return MessageContent(subject=f"{name} has answered", text_body=doubt or "Open it to read the answer.")
    if message.channel == "text":
        return MessageContent(subject=None, text_body=text_reply(name, said, doubt, link or ""))
    return _mail(f"{name} answered by text", "\n\n".join(filter(None, (said, doubt))), "See the contact", link)


def _of_call(message: OutgoingMessage, call: DueCall, link: str | None) -> MessageContent:
    """Returns an alert that asks for a call, to whoever has the contact, or in whose name the step is."""
    name = one_line(" ".join(filter(None, said_names(call.first_name, call.last_name)))) or "a contact"
    number = one_line(call.phone)
    headline, about = f"Call {name}", number or "There is no phone number of this contact."
    if message.channel == "push":
        return MessageContent(subject=headline, text_body=about)
    if message.channel == "text":
        beginning = f"Call {_short(name)}, {number}" if number else f"Call {_short(name)} (no number is known)"
        said = call.words or one_line(message.campaign_name) or "A campaign asks for it"
        return MessageContent(subject=None, text_body=text_reply(beginning, said, "", link or ""))
    campaign = one_line(message.campaign_name)
    explanation = f"The campaign {campaign} asks for this call." if campaign else "A campaign asks for this call."
    if not number:
        explanation += f" {about}"
    return _mail(headline, explanation, "See the contact", link, number=number or "", talk=call.words)


def page_of_call(message: OutgoingMessage, call: DueCall) -> str:
    """Returns the path, below that of the pages, of the lead or the contact that an alert asks to call about."""
    return f"leads/{message.lead.id}" if message.lead is not None else f"contacts/{call.contact_id}"


def _doubt(said: str, source: str) -> str:
    """Returns what the agent has to know or to decide about further texts; of a mail, about further e-mails."""
    is_mail = source == "email"
    if is_word_of_stopping(said) if is_mail else read_wish(said) == "stop":
        return f"They get no more {'e-mails' if is_mail else 'texts'}, as they have asked."
    if may_mean_stop(said):
        what = "e-mails: if so, suppress their address" if is_mail else "texts: if so, suppress their number"
        return f"They may ask for no more {what}."
    return ""


def _text_about_user(message: OutgoingMessage, link: str | None) -> str:
    """Returns a text that is about no lead: a digest, or a test."""
    headline, explanation, _ = _alert(message)
    return text_reply(headline, explanation, "", link or "")


def _text_alert(message: OutgoingMessage, link: str | None, reply_number: int | None) -> str:
    headline, verb = TEXT_HEADLINES.get(message.kind, ("New lead", "Claim"))
    if message.lead is not None and message.lead.is_test:
        headline = f"TEST: {headline}"
    _, explanation, _ = _alert(message)
    is_known = message.kind in LINKLESS_KINDS  # the agent knows the lead, so that what happened is said instead
    return text_alert(
        headline,
        preview_of(message.lead),
        source=None if is_known else one_line(message.lead.source if message.lead else None),
        explanation=explanation if is_known else "",
        end=link_part(link, verb, reply_number) if link else "",
    )


def _mail(
    headline: str, explanation: str, button: str, link: str | None, *, number: str = "", talk: str = ""
) -> MessageContent:
    """`number`: whom to call; `talk`: what to talk about."""
    values = {
        "headline": headline, "explanation": explanation, "link": link, "button": button, "number": number,
        "tel": normal_phone(number) or number, "talk": talk,
    }  # fmt: skip
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
        case "given_back":
            return f"Given back: {lead}", f"It came from {source}, and whoever had it has given it back.", ""
        case "junk":
            explanation = f"It came from {source}, and whoever has it says that it is junk. You can undo that."
            return f"Junk: {lead}", explanation, ""
        case "untold":
            names = one_line(message.lead.untold_names if message.lead else None) or "An agent"
            explanation = f"{names} could not be notified: every alert has failed. The outbox says why."
            return (
                f"Not notified: {lead}",
                f"{explanation} Whoever is next has been asked, and they can still claim it.",
                "",
            )
        case "digest":
            return _digest(message.digest or MorningDigest(claimed=0, tasks=0, waiting=()))
        case "test":
            return "A test of your alerts", "It works: alerts about leads reach you in this way.", ""
        case "handover":
            name = one_line(message.status.claimed_by_name)
            return f"To be passed on: {lead}", f"{name} asks you to let a colleague have this lead.", ""
        case "handover_declined":
            return f"Not passed on: {lead}", "The owner has declined, so it stays with you.", ""
        case "texts_stopped":
            name = one_line(message.offer.member_name if message.offer else None) or "An agent"
            explanation = (
                "They have answered STOP to one of our texts. Offers go on by the other channels; a text that says"
                " START, from the same phone, undoes it."
            )
            return f"{name} gets no more texts", explanation, ""
        case _:
            why = one_line(message.offer.reason if message.offer else None)
            reason = f" It came to you because {why}." if why and why != UNTOLD else ""
            return (
                f"Offered again: {lead}" if message.kind == "reoffer" else f"New lead: {lead}",
                f"It came from {source}. {_head_start(message.offer, timezone)}{reason}",
                "Claim it",
            )


def _digest(digest: MorningDigest) -> tuple[str, str, str]:
    """A morning's summary of one's own leads; names are those of contacts whom the user knows already."""
    more = " and more" if digest.has_more else ""
    parts = [
        f"New since yesterday: {digest.claimed}." if digest.claimed else "",
        f"Not contacted yet: {', '.join(digest.waiting)}{more}." if digest.waiting else "",
        f"Tasks due today: {digest.tasks}." if digest.tasks else "",
    ]
    number = len(digest.waiting)
    headline = "Your leads this morning"
    if number:
        headline += f": {number}{'+' if digest.has_more else ''} to contact"
    return headline, " ".join(filter(None, parts)), "Open your inbox"


def notification(message: OutgoingMessage) -> Notification:
    """Returns what a browser does with an alert: where a tap leads, and which earlier notification it replaces."""
    is_offer = message.kind in CLAIMABLE_KINDS
    if message.kind == "digest":
        return Notification(path="", tag="digest", life=DIGEST_LIFE)
    if message.event is not None:
        contact_id = message.event.contact_id
        return Notification(path=f"contacts/{contact_id}", tag=f"contact-{contact_id}", is_urgent=True, life=ALERT_LIFE)
    if message.call is not None:
        path = page_of_call(message, message.call)
        return Notification(path=path, tag=f"call-{message.call.id}", is_urgent=True, life=ALERT_LIFE)
    if message.kind == "test" or message.lead is None:
        return Notification(path="me/alerts", tag="test", is_urgent=True, life=TEST_LIFE)
    to_offer = message.offer is not None and message.kind in CLAIMABLE_KINDS | {"won", "claimed"}
    return Notification(
        path=f"offers/{message.offer.id}" if to_offer and message.offer else f"leads/{message.lead.id}",
        tag=f"lead-{message.lead.id}",
        is_silent=message.kind == "claimed",
        is_urgent=is_offer or message.kind == "won",
        life=ALERT_LIFE,
    )


def _head_start(offer: MessageOffer | None, timezone: str | None) -> str:
    """Until when the agent is ahead of the next one, in the agent's time zone."""
    if offer is None or offer.next_notify_at is None:
        return "Whoever claims it first has it."
    until = wall_clock(offer.next_notify_at, zone_named(timezone))
    moment = f"{until:%H:%M:%S %Z}" if until.second else f"{until:%H:%M %Z}"
    if offer.is_exclusive:
        return f"It is yours to claim until {moment}; then the next agent is asked."
    return f"You are ahead until {moment}, when the next agent is asked. Whoever claims it first has it."


MAX_NAME_CHARACTERS = 80  # in a mail to someone who may not know the person who typed the name


def account_content(message: OutgoingMessage, link: str | None) -> MessageContent:
    """Returns the text of a mail about an account: an invitation, a password, a new e-mail, or a warning."""
    return _mail(*_about_account(message), link)


def _about_account(message: OutgoingMessage) -> tuple[str, str, str]:
    if message.kind == "invitation" and message.invitation is not None:
        return _invitation(message.invitation)
    if message.webhook is not None:
        explanation = (
            f"Nothing is sent to it any more, because {message.webhook.reason}. What waits is stored, and is sent once"
            " you switch it on again."
        )
        return f"Your webhook to {message.webhook.host} was switched off", explanation, "See the webhook"
    if message.kind == "password_reset":
        explanation = (
            "Someone has asked for a new password of your account on Lead Routes. The link is good for one hour, once."
            " If it was not you, do nothing: the password stays as it is."
        )
        return "Set a new password", explanation, "Set a new password"
    if message.kind == "user_invitation":
        explanation = (
            "You have an account on Lead Routes, where leads are offered to agents. Choose a password for it. The link"
            " is good for seven days, once."
        )
        return "You are invited to Lead Routes", explanation, "Choose a password"
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
    inviter, team = _short(invitation.inviter_name), _short(invitation.team_name or "")
    if invitation.role is not None:
        what = f"as lead of the team {team}" if invitation.team_name else "as administrator"
        explanation = (
            f"{inviter} ({invitation.inviter_email}) asks you to act for their account on Lead Routes, {what}. The link"
            " is good for seven days. If you do not know who this is, do nothing."
        )
        return f"{inviter} asks you to act for their account", explanation, "See the invitation"
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
    return f"at {wall_clock(moment, zone_named(timezone)):%Y-%m-%d %H:%M %Z}" if moment else "just now"


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
        signature_text=(message.sender.signature_text if message.sender else None) or "",
        signature_html=(message.sender.signature_html if message.sender else None) or "",
        **ends,
    )


def campaign_variables(message: OutgoingMessage) -> dict[str, Any]:
    """Returns what a template may use: contact, lead, property, agent, owner, campaign, and the usual flat names."""
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
    about_agent = _about_user(sender)
    owner = _about_user(_without_blanks(message.owner or MessageSender(id=0)))
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
    return {
        **flat,
        "contact": about_contact,
        "lead": about_lead,
        "property": place,
        "agent": about_agent,
        "owner": {**owner, "postal_address": contact.postal_address},
        "campaign": {"name": message.campaign_name},
    }


def _about_user(user: MessageSender) -> dict[str, str | None]:
    return {
        "first_name": user.first_name,
        "last_name": user.last_name,
        "name": user.name,
        "email": user.email,
        "phone": user.phone,
    }


def _without_blanks(record: Record) -> Record:
    """Returns the record with None for every text that is blank."""
    blank = [name for name, value in structs.asdict(record).items() if isinstance(value, str) and not value.strip()]
    return structs.replace(record, **dict.fromkeys(blank))
