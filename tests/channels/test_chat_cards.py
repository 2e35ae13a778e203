"""Cards for Slack and Teams: what their own libraries take, with no more than the masked preview."""

import json
from typing import Any

import pytest
from slack_sdk.models.blocks import ActionsBlock, Block, HeaderBlock, SectionBlock

from leadroutes.channels.chat_cards import CARD_FORMATS, chat_card, slack_message, teams_message
from leadroutes.domain.webhooks import EVENTS, TEST_EVENT
from tests.support.javascript import NodeJs

FACTS = {
    "first_name": "Mia", "last_name": "Lund", "email": "mia@example.com", "town": "Denver", "type": "Buyer",
    "price": "450000", "source": "Zillow", "is_test": False, "user_name": "Ben Town",
}  # fmt: skip
HOSTILE = FACTS | {
    "first_name": "<!channel> *Mia* [x](https://evil.example)" * 20, "town": "a\n\n# b", "source": "x" * 9999,
}  # fmt: skip
SECRETS = ("Lund", "mia@example.com", "Grape", "0199", "/claim/")
URL = "https://leads.example"


def data_of(type_: str) -> dict[str, Any]:
    """As the owner gets it, with all that a chat must not show."""
    person = {"last_name": "Lund", "email": "mia@example.com", "street_address": "12 Grape St", "phone": "303-555-0199"}
    if type_ == TEST_EVENT:
        return {"webhook_id": 3}
    return {"id": 7, **person} | ({"lead": {"id": 9}} if EVENTS[type_] == "offer" else {})


@pytest.mark.parametrize("type_", [*EVENTS, TEST_EVENT])
@pytest.mark.parametrize("name", CARD_FORMATS)
def test_a_card_shows_no_more_than_the_masked_preview(name: str, type_: str) -> None:
    card = chat_card(type_, data_of(type_), FACTS, URL)
    text = json.dumps(CARD_FORMATS[name](card))

    assert [secret for secret in SECRETS if secret in text] == []
    assert card.link.startswith(f"{URL}/app/")
    assert card.headline


LINKS = {
    "lead.arrived": "/app/leads/7", "lead.offered": "/app/leads/9", "lead.declined": "/app/leads/9",
    "contact.unsubscribed": "/app/contacts/7", "arrival.rejected": "/app/arrivals/7", "message.failed": "/app/outbox",
    TEST_EVENT: "/app/webhooks/3",
}  # fmt: skip


@pytest.mark.parametrize(("type_", "path"), LINKS.items())
def test_the_button_leads_to_the_record_behind_the_sign_in(type_: str, path: str) -> None:
    assert chat_card(type_, data_of(type_), FACTS, URL).link == URL + path


def test_a_card_says_what_happened_to_whom() -> None:
    def headline(type_: str, **facts: Any) -> str:
        return chat_card(type_, data_of(type_), FACTS | facts, URL).headline

    assert headline("lead.arrived") == "A new lead: Mia, in Denver, Buyer, $450,000"
    assert headline("lead.claimed") == "Claimed by Ben Town: Mia, in Denver, Buyer, $450,000"
    assert headline("lead.offered", user_name=None) == "Offered to someone: Mia, in Denver, Buyer, $450,000"
    assert headline("lead.arrived", is_test=True).startswith("TEST: A new lead")
    assert headline("contact.unsubscribed") == "Mia wants no more messages"


@pytest.mark.parametrize("facts", [FACTS, HOSTILE, {}], ids=["usual", "hostile", "nothing"])
@pytest.mark.parametrize("type_", [*EVENTS, TEST_EVENT])
def test_slacks_own_models_take_every_card(type_: str, facts: dict[str, Any]) -> None:
    message = slack_message(chat_card(type_, data_of(type_), facts, URL))
    blocks = Block.parse_all(message["blocks"])

    assert {type(each) for each in blocks} <= {HeaderBlock, SectionBlock, ActionsBlock}
    for each in blocks:
        each.validate_json()
    assert [each.to_dict() for each in blocks] == message["blocks"]


def test_nothing_in_a_card_is_markup() -> None:
    card = chat_card("lead.arrived", {"id": 7}, HOSTILE, URL)
    slack, teams = slack_message(card), teams_message(card)

    assert "<!channel>" not in slack["text"]
    assert {each["text"]["type"] for each in slack["blocks"] if "text" in each} == {"plain_text"}
    [attachment] = teams["attachments"]
    headline = attachment["content"]["body"][0]["text"]
    assert "\\[x\\]\\(https" in headline
    assert "\n" not in headline


@pytest.mark.parametrize("facts", [FACTS, HOSTILE, {}], ids=["usual", "hostile", "nothing"])
async def test_teams_own_library_finds_nothing_wrong_with_a_card(node_js: NodeJs, facts: dict[str, Any]) -> None:
    message = teams_message(chat_card("lead.arrived", {"id": 7}, facts, URL))
    [attachment] = message["attachments"]

    assert message["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["version"] == "1.4"
    assert await node_js.run("adaptivecards.cjs", json.dumps(attachment["content"])) == (0, "\n")


async def test_the_library_would_find_something_wrong(node_js: NodeJs) -> None:
    card = {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock", "text": "x", "weight": "Heavy"}]}

    assert (await node_js.run("adaptivecards.cjs", json.dumps(card)))[0] == 1
