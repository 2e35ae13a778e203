"""The words of campaign mails for contacts of whom little is known: never a gap, never `null`."""

from typing import Any

import pytest

from leadroutes.channels.words import campaign_variables
from leadroutes.sandbox.tasks.liquid import render

PLAIN = "Hi {{first_name}},\n\nThank you for asking about {{street_address}}."
WITH_DEFAULT = 'Hi {{ contact.first_name | default: "there" }},'


NAMES = (
    *("contact_first_name", "contact_last_name", "contact_email", "contact_mobile_phone", "contact_company"),
    *("sender_first_name", "sender_last_name", "sender_name", "sender_email", "sender_phone"),
    *("street_address", "city", "lead_state", "zipcode", "listing_price", "mls_id", "listing_status"),
    *("lead_type", "lead_text_body", "lead_source", "lead_created_at"),
)


def variables(**known: Any) -> dict[str, Any]:
    """What a template is given; all else is not known."""
    return campaign_variables(dict.fromkeys(NAMES) | known)


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
    known = variables(contact_first_name=first_name, contact_last_name=last_name)
    assert render(PLAIN, known) == f"{plain}\n\nThank you for asking about the property."
    assert render(WITH_DEFAULT, known) == with_default


def test_a_place_that_is_known_is_named() -> None:
    known = variables(contact_first_name="Mia", street_address="8 Elm Ct", city=" ")
    assert render(PLAIN + " In {{city}}?", known) == ("Hi Mia,\n\nThank you for asking about 8 Elm Ct. In the area?")
