"""The words of every message, made at the moment when it is sent. An alert tells no more than the masked page.

Reads nothing; a message comes in with all that is known about it and goes out as subject, text and HTML.
"""

import re
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from leadroutes.domain.campaign import zone_named
from leadroutes.domain.identity import said_names
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


def masked(message: Mapping[str, Any]) -> str:
    """What may be told of a lead before it is claimed: first name, town, type, price."""
    return str(preview(message["contact_first_name"], message["city"], message["lead_type"], message["listing_price"]))


def alert_content(message: Mapping[str, Any], link: str | None) -> MessageContent:
    """The words of an alert to an agent or to the owner; `link` is the claim link, where he may still claim or look."""
    headline, explanation, button = _alert(message)
    if message["channel"] != "email":
        return MessageContent(
            subject=None, text_body=" ".join(part for part in (headline + ".", explanation, link) if part)
        )
    values = {"headline": headline, "explanation": explanation, "link": link, "button": button}
    return MessageContent(
        subject=headline,
        text_body=_TEMPLATES.get_template("alert.txt").render(values),
        html_body=_TEMPLATES.get_template("alert.html").render(values),
    )


def _alert(message: Mapping[str, Any]) -> tuple[str, str, str]:
    """(headline, explanation, what the button says) of each kind."""
    lead, source = masked(message), one_line(message["lead_source"]) or "an unknown source"
    match message["kind"]:
        case "won":
            return f"You have the lead: {lead}", f"It came from {source} and is yours.", "See the lead"
        case "claimed":
            name, at = one_line(message["claimed_by_name"]), _local(message, "claimed_at")
            return f"Taken: {lead}", f"{name} has this lead since {at}.", ""
        case "unclaimed":
            return f"Nobody claimed: {lead}", f"It came from {source}. You can claim it, or assign it.", "Claim it"
        case _:
            why = one_line(message["offer_reason"])
            reason = f" It came to you because {why}." if why else ""
            return f"New lead: {lead}", f"It came from {source}. {_head_start(message)}{reason}", "Claim it"


def _head_start(message: Mapping[str, Any]) -> str:
    """Until when the agent is ahead of whoever is asked next, in the agent's time zone."""
    if message["next_notify_at"] is None:
        return "Whoever claims it first has it."
    until = message["next_notify_at"].astimezone(zone_named(message["user_timezone"]))
    moment = f"{until:%H:%M:%S %Z}" if until.second else f"{until:%H:%M %Z}"
    if message["is_exclusive"]:
        return f"It is yours to claim until {moment}; then the next agent is asked."
    return f"You are ahead until {moment}, when the next agent is asked. Whoever claims it first has it."


ABOUT_ACCOUNTS = frozenset({"invitation", "email_change", "email_changing"})
LONGEST_NAME = 80  # in a mail to someone who may not know whoever typed the name


def account_content(message: Mapping[str, Any], link: str | None) -> MessageContent:
    """The words of a mail about an account: an invitation, a new e-mail, or the warning that goes to the old one."""
    headline, explanation, button = _about_account(message)
    values = {"headline": headline, "explanation": explanation, "link": link, "button": button}
    return MessageContent(
        subject=headline,
        text_body=_TEMPLATES.get_template("alert.txt").render(values),
        html_body=_TEMPLATES.get_template("alert.html").render(values),
    )


def _about_account(message: Mapping[str, Any]) -> tuple[str, str, str]:
    match message["kind"]:
        case "invitation":
            return _invitation(message["invitation"])
        case "email_change":
            explanation = (
                "Someone has asked to use this address for an account on Lead Routes. The link is good for one day."
                " If it was not you, do nothing."
            )
            return "Is this your new e-mail address?", explanation, "Use this address"
        case _:
            explanation = (
                "Someone has asked to change the e-mail address of your account on Lead Routes. If it was not you, set"
                " another password, and tell whoever runs the service."
            )
            return "The e-mail address of your account changes", explanation, ""


def _invitation(invitation: Mapping[str, Any]) -> tuple[str, str, str]:
    inviter, team = _short(invitation["inviter_name"]), _short(invitation["team_name"])
    explanation = (
        f"{inviter} ({invitation['inviter_email']}) asks you to join the team {team} on Lead Routes, which offers leads"
        " to the members of teams. The link is good for seven days. If you do not know who this is, do nothing."
    )
    return f"{inviter} invites you to the team {team}", explanation, "See the invitation"


def _short(name: str) -> str:
    """One line of a name that someone typed, without anything that a mail program would turn into a link."""
    line = " ".join(re.sub(r"[^\S ]|[<>]|://", " ", name).replace(".", ". ").split())
    return line if len(line) <= LONGEST_NAME else f"{line[:LONGEST_NAME]}…"


def _local(message: Mapping[str, Any], name: str) -> str:
    moment = message[name]
    return f"{moment.astimezone(zone_named(message['user_timezone'])):%Y-%m-%d %H:%M %Z}" if moment else "just now"


def campaign_template_input(message: Mapping[str, Any], unsubscribe_link: str) -> TemplateInput:
    """A campaign's step as a letter that is still to be composed."""
    postal_address = (message["postal_address"] or "").strip()
    ends = {"unsubscribe_link": unsubscribe_link, "postal_address": postal_address}
    return TemplateInput(
        subject=message["template_subject"] or "",
        body=message["template_body"] or "",
        name=message["campaign_name"] or "",
        is_email=message["channel"] == "email",
        variables=campaign_variables(message) | ends,
        owner_name=message["owner_name"] or "",
        **ends,
    )


def campaign_variables(message: Mapping[str, Any]) -> dict[str, Any]:
    """What a template may use: contact, agent, lead, property, and the usual flat names."""
    message = {name: None if isinstance(value, str) and not value.strip() else value for name, value in message.items()}
    first_name, last_name = said_names(message["contact_first_name"], message["contact_last_name"])
    contact = {
        "first_name": first_name,
        "last_name": last_name,
        "email": message["contact_email"],
        "phone": message["contact_mobile_phone"],
        "company": message["contact_company"],
    }
    agent = {
        "first_name": message["sender_first_name"],
        "last_name": message["sender_last_name"],
        "name": message["sender_name"],
        "email": message["sender_email"],
        "phone": message["sender_phone"],
    }
    place = {
        "street_address": message["street_address"],
        "city": message["city"],
        "state": message["lead_state"],
        "zipcode": message["zipcode"],
        "price": message["listing_price"],
        "mls_id": message["mls_id"],
        "listing_status": message["listing_status"],
    }
    lead = {
        "type": message["lead_type"],
        "message": message["lead_text_body"],
        "source": message["lead_source"],
        "created_at": message["lead_created_at"],
    }
    flat = {**place, **contact, **{f"agent_{name}": value for name, value in agent.items()}}
    return {**flat, "contact": contact, "agent": agent, "lead": lead, "property": place}
