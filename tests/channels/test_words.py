"""The words of campaign mails for contacts of whom little is known: never a gap, never `null`."""

from typing import Any

import pytest

from leadroutes.channels.words import campaign_variables
from leadroutes.domain.message import MessageContact, MessageLead, MessageStatus, OutgoingMessage
from leadroutes.sandbox.tasks.liquid import render

PLAIN = "Hi {{first_name}},\n\nThank you for asking about {{street_address}}."
WITH_DEFAULT = 'Hi {{ contact.first_name | default: "there" }},'


def variables(contact: MessageContact, lead: MessageLead | None = None) -> dict[str, Any]:
    """What a template is given; all else is not known."""
    message = OutgoingMessage(
        owner_id=1, id=1, kind="campaign", channel="email", attempts=1, was_sending=False, status=MessageStatus(),
        contact=contact, lead=lead,
    )  # fmt: skip
    return campaign_variables(message)


@pytest.mark.parametrize(
    ("first_name", "last_name", "plain", "with_default"),
    [
        (None, None, "Hi,", "Hi there,"),
        ("  ", "", "Hi,", "Hi there,"),
        ("null", "null", "Hi,", "Hi there,"),
        ("N/A", "none", "Hi,", "Hi there,"),
        ("undefined", "UNDEFINED", "Hi,", "Hi there,"),
        ("Jane", "Null", "Hi Jane,", "Hi Jane,"),
        ("Ana & Luis", "Ortega", "Hi Ana & Luis,", "Hi Ana & Luis,"),
        ("DANA", None, "Hi DANA,", "Hi DANA,"),
    ],
)
def test_a_greeting_has_a_name_or_no_gap(
    first_name: str | None, last_name: str | None, plain: str, with_default: str
) -> None:
    known = variables(MessageContact(id=1, first_name=first_name, last_name=last_name))
    assert render(PLAIN, known) == f"{plain}\n\nThank you for asking about the property."
    assert render(WITH_DEFAULT, known) == with_default


def test_a_place_that_is_known_is_named() -> None:
    known = variables(MessageContact(id=1, first_name="Mia"), MessageLead(id=1, street_address="8 Elm Ct", city=" "))
    assert render(PLAIN + " In {{city}}?", known) == ("Hi Mia,\n\nThank you for asking about 8 Elm Ct. In the area?")
