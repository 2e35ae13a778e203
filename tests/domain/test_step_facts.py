"""Conditions of a step ask its contact, its lead and the campaign; what is not known is missing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadroutes.domain.condition_fields import STEP_FIELDS
from leadroutes.domain.conditions import Conditions
from leadroutes.domain.faults import Faults
from leadroutes.domain.named_facts import AskedLead, ContactFacts
from leadroutes.domain.step_facts import AskedStep, step_facts, why_skipped

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
CONTACT = ContactFacts(email="mia@example.com", phone="+13035550142", tags="Buyer, Landlord", custom=[("Kids", "2")])
LEAD = AskedLead(received_at=NOW - timedelta(hours=24, seconds=1), listing_price="$450,000", city="Denver", state="CO")
STATE = AskedStep(contact=CONTACT, lead=LEAD, mobile_phone="+13035550142", steps_sent=2)
WITHOUT_LEAD = AskedStep(contact=CONTACT)


def why(state: AskedStep, field: str, operator: str, *value: Any) -> str | None:
    asked = {"field": field, "is": operator} | ({"value": value[0]} if value else {})
    conditions = Conditions.read(asked, fields=STEP_FIELDS)
    return why_skipped(conditions, step_facts(conditions.keys, state, NOW))


@pytest.mark.parametrize(
    ("state", "asked"),
    [
        (STATE, ("price", "at least", 400_000)),
        (STATE, ("state", "one of", ["CO", "WY"])),
        (STATE, ("contact_tags", "equal", "buyer")),
        (STATE, ("custom.kids", "equal", "2")),
        (STATE, ("contact_is_new", "equal", True)),
        (STATE, ("replied", "equal", False)),
        (STATE, ("claimed", "equal", False)),
        (STATE, ("hours_since_inquiry", "at most", 24)),
        (STATE, ("has_mobile", "equal", True)),
        (STATE, ("steps_sent", "between", [1, 2])),
        (AskedStep(contact=CONTACT, lead=LEAD, is_claimed=True), ("claimed", "equal", True)),
        (AskedStep(contact=CONTACT, lead=LEAD, has_replied=True), ("replied", "equal", True)),
        (WITHOUT_LEAD, ("email_domain", "equal", "example.com")),
        (WITHOUT_LEAD, ("custom.kids", "equal", "2")),
        (WITHOUT_LEAD, ("area_code", "equal", "303")),
        (WITHOUT_LEAD, ("city", "unknown")),
        (WITHOUT_LEAD, ("hours_since_inquiry", "unknown")),
        (WITHOUT_LEAD, ("has_mobile", "equal", False)),
    ],
)
def test_a_step_is_sent_where_its_conditions_hold(state: AskedStep, asked: tuple[Any, ...]) -> None:
    assert why(state, *asked) is None


@pytest.mark.parametrize(
    ("state", "asked", "words"),
    [
        (STATE, ("price", "at least", 500_000), "price is at least 500,000; it is 450,000"),
        (STATE, ("city", "equal", "Boulder"), "city is Boulder; it is Denver"),
        (STATE, ("replied", "equal", True), "the contact has replied"),
        (AskedStep(contact=CONTACT, has_replied=True), ("replied", "equal", False), "the contact has not replied"),
        (STATE, ("hours_since_inquiry", "at most", 23), "hours since the inquiry is at most 23; it is 24"),
        (WITHOUT_LEAD, ("hours_since_inquiry", "at least", 2),
         "hours since the inquiry is at least 2; it is not known"),
        (WITHOUT_LEAD, ("claimed", "equal", False), "no one has the lead; it is not known"),
        (WITHOUT_LEAD, ("contact_is_new", "equal", True), "this is the contact’s first lead; it is not known"),
        (WITHOUT_LEAD, ("received_at", "within", {"timezone": "UTC", "weekly_hours": None}),
         "received at any time (UTC); it is not known"),
    ],
)  # fmt: skip
def test_a_step_is_skipped_with_the_reason(state: AskedStep, asked: tuple[Any, ...], words: str) -> None:
    assert why(state, *asked) == f"it was skipped, as it is sent only if: {words}"


def test_a_negation_is_said() -> None:
    conditions = Conditions.read({"not": {"field": "city", "is": "equal", "value": "Denver"}}, fields=STEP_FIELDS)
    found = why_skipped(conditions, step_facts(conditions.keys, STATE, NOW))
    assert found == "it was skipped, as it is sent only if: not “city is Denver”; it is Denver"


OF_STEPS = ("replied", "claimed", "hours_since_inquiry", "has_mobile", "steps_sent")


@pytest.mark.parametrize("field", OF_STEPS)
def test_what_only_a_step_knows_is_refused_in_a_route(field: str) -> None:
    asked = {"field": field, "is": "equal", "value": True if STEP_FIELDS[field].kind == "truth" else 3}
    Conditions.read(asked, fields=STEP_FIELDS)
    with pytest.raises(Faults) as refused:
        Conditions.read(asked)
    assert list(refused.value.found) == ["conditions.field"]
