"""Events as cards for a chat: Block Kit for Slack, an Adaptive Card for the Workflows of Microsoft Teams.

A chat is read by many: a card shows no more than the masked preview, and its button leads behind the sign-in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from leadroutes.domain.preview import preview
from leadroutes.domain.text import one_line
from leadroutes.domain.webhooks import TEST_EVENT

LONGEST_HEADLINE: Final = 150  # characters, of Slack's header
LONGEST_VALUE: Final = 200

_HEADLINES: Final[Mapping[str, str]] = {
    "lead.arrived": "A new lead: {lead}",
    "lead.offered": "Offered to {user}: {lead}",
    "lead.claimed": "Claimed by {user}: {lead}",
    "lead.assigned": "Assigned to {user}: {lead}",
    "lead.unclaimed": "No one claimed: {lead}",
    "lead.touched": "Asked again: {lead}",
    "lead.junk": "Junk: {lead}",
    "lead.declined": "Declined by {user}: {lead}",
    "arrival.rejected": "Something came in that could not be read as a lead",
    "contact.replied": "{first_name} has answered",
    "contact.unsubscribed": "{first_name} wants no more messages",
    "message.failed": "A message could not be sent",
    TEST_EVENT: "This is a test of your webhook",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCard:
    """What a chat shows: a headline, labelled values, and a button."""

    headline: str
    values: tuple[tuple[str, str], ...]
    button: str
    link: str


def chat_card(type_: str, data: Mapping[str, Any], facts: Mapping[str, Any], public_url: str) -> ChatCard:
    """Returns the card of an event; `facts` are those of load_card_facts.sql, and of `data` only ids are used."""
    shown = preview(facts.get("first_name"), facts.get("town"), facts.get("type"), facts.get("price"))
    user = one_line(facts.get("user_name")) or "someone"
    headline = _HEADLINES[type_].format(lead=shown, user=user, first_name=shown.first_name)
    if facts.get("is_test"):
        headline = f"TEST: {headline}"
    is_about_lead = "{lead}" in _HEADLINES[type_]
    values = [("Town", shown.town), ("Type", shown.type), ("Price", shown.price), ("Source", facts.get("source"))]
    button, path = _button(type_, data)
    return ChatCard(
        headline=_cut(headline, LONGEST_HEADLINE),
        values=tuple(
            (label, _cut(text, LONGEST_VALUE)) for label, each in values if is_about_lead and (text := one_line(each))
        ),
        button=button,
        link=f"{public_url}/app{path}",
    )


def _button(type_: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """Returns the words of the button, and the path of the page that it leads to."""
    match type_.partition(".")[0]:
        case "lead":
            lead_id = data["lead"]["id"] if isinstance(data.get("lead"), dict) else data["id"]
            return "See the lead", f"/leads/{lead_id}"
        case "contact":
            return "See the contact", f"/contacts/{data['id']}"
        case "arrival":
            return "See what came in", f"/arrivals/{data['id']}"
        case "message":
            return "See the outbox", "/outbox"
        case _:
            return "See the webhook", f"/webhooks/{data['webhook_id']}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def slack_message(card: ChatCard) -> dict[str, Any]:
    """Returns the body for an incoming webhook of Slack. All texts are plain: nothing in them is markup."""
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(card.headline)}]
    if card.values:
        blocks.append({"type": "section", "fields": [_plain(f"{label}: {text}") for label, text in card.values]})
    button = {"type": "button", "text": _plain(card.button), "url": card.link, "action_id": "open"}
    blocks.append({"type": "actions", "elements": [button]})
    escaped = card.headline.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": escaped, "blocks": blocks}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


_MARKDOWN: Final = str.maketrans({each: f"\\{each}" for each in "\\`*_[]()#+-!<>~|"})


def teams_message(card: ChatCard) -> dict[str, Any]:
    """Returns the body for a workflow of Teams that posts what a webhook receives."""
    body: list[dict[str, Any]] = [
        {
            "type": "TextBlock",
            "text": card.headline.translate(_MARKDOWN),
            "weight": "Bolder",
            "size": "Medium",
            "wrap": True,
        }
    ]
    if card.values:
        facts = [{"title": label, "value": text.translate(_MARKDOWN)} for label, text in card.values]
        body.append({"type": "FactSet", "facts": facts})
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": card.button, "url": card.link}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}
    return {"type": "message", "attachments": [attachment]}


CARD_FORMATS: Final[Mapping[str, Callable[[ChatCard], dict[str, Any]]]] = {
    "slack": slack_message,
    "teams": teams_message,
}
