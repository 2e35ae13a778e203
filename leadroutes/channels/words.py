"""The words of every message, made at the moment when it is sent. An alert tells no more than the masked page.

Reads nothing; a message comes in with all that is known about it and goes out as subject, text and HTML.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from leadroutes.domain.campaign import zone_named
from leadroutes.domain.preview import preview
from leadroutes.liquid import breaks_lines, is_markup, render

HIDDEN = frozenset({"script", "style", "title", "head"})
LINES = frozenset({"p", "br", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol"})
_TEMPLATES = Environment(
    loader=PackageLoader("leadroutes.channels"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)

_LINE_END = re.compile(r"(<[^<>]*>)|\r?\n")  # outside of tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    subject: str | None
    text_body: str
    html_body: str | None = None


def masked(message: Mapping[str, Any]) -> str:
    """What may be told of a lead before it is claimed: first name, town, type, price."""
    return str(preview(message["contact_first_name"], message["city"], message["lead_type"], message["listing_price"]))


def alert_words(message: Mapping[str, Any], link: str | None) -> Words:
    """The words of an alert to an agent or to the owner; `link` is the claim link, where he may still claim or look."""
    headline, explanation, button = _alert(message)
    if message["channel"] != "email":
        return Words(subject=None, text_body=" ".join(part for part in (headline + ".", explanation, link) if part))
    values = {"headline": headline, "explanation": explanation, "link": link, "button": button}
    return Words(
        subject=headline,
        text_body=_TEMPLATES.get_template("alert.txt").render(values),
        html_body=_TEMPLATES.get_template("alert.html").render(values),
    )


def _alert(message: Mapping[str, Any]) -> tuple[str, str, str]:
    """(headline, explanation, what the button says) of each kind."""
    lead, source = masked(message), message["lead_source"] or "an unknown source"
    match message["kind"]:
        case "won":
            return f"You have the lead: {lead}", f"It came from {source} and is yours.", "See the lead"
        case "claimed":
            name, at = message["claimed_by_name"], _local(message, "claimed_at")
            return f"Taken: {lead}", f"{name} has this lead since {at}.", ""
        case "unclaimed":
            return f"Nobody claimed: {lead}", f"It came from {source}. You can claim it, or assign it.", "Claim it"
        case _:
            reason = f" It came to you because {message['offer_reason']}." if message["offer_reason"] else ""
            return f"New lead: {lead}", f"It came from {source}. Whoever claims it first has it.{reason}", "Claim it"


def _local(message: Mapping[str, Any], name: str) -> str:
    moment = message[name]
    return f"{moment.astimezone(zone_named(message['user_timezone'])):%Y-%m-%d %H:%M %Z}" if moment else "just now"


def campaign_words(message: Mapping[str, Any]) -> Words:
    """The words of a campaign's step; raises leadroutes.liquid.Unrenderable for a template that fails."""
    variables = campaign_variables(message)
    body = message["template_body"] or ""
    subject = render(message["template_subject"] or "", variables) or message["campaign_name"]
    if message["channel"] != "email":
        return Words(subject=None, text_body=render(body, variables))
    if is_markup(body):
        markup = render(body, variables, markup=True)
        if not breaks_lines(body):
            markup = _LINE_END.sub(lambda found: found[1] or "<br>\n", markup)
        return Words(subject=subject, text_body=_text_of(markup), html_body=markup)
    text = render(body, variables)
    return Words(subject=subject, text_body=text, html_body=_html_of(text))


def campaign_variables(message: Mapping[str, Any]) -> dict[str, Any]:
    """What a template may use: contact, agent, lead, property, and the usual flat names."""
    contact = {
        "first_name": message["contact_first_name"],
        "last_name": message["contact_last_name"],
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


class _Text(HTMLParser):
    """Collects what a reader sees, in one pass."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in HIDDEN
        if tag in LINES:
            self.parts.append("\n")
        link = dict(attrs).get("href") if tag == "a" else None
        if link:
            self.parts.append(f"{link} ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in HIDDEN and self._hidden > 0
        if tag in LINES:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(" ".join(data.split("\n")))


def _text_of(markup: str) -> str:
    parser = _Text()
    parser.feed(markup)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.parts).split("\n"))
    return re.sub(r"\n\n+", "\n\n", "\n".join(lines)).strip()


def _html_of(text: str) -> str:
    paragraphs = [html.escape(part).replace("\n", "<br>\n") for part in re.split(r"\n\s*\n", text.strip())]
    return "<!doctype html>\n<html><body>\n" + "\n".join(f"<p>{part}</p>" for part in paragraphs) + "\n</body></html>\n"
