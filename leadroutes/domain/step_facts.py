"""What the conditions of a campaign's step ask for, and why such a step is skipped. Pure."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from msgspec import Struct

from leadroutes.domain.condition_fields import FIELDS, FactValue, needs_contact
from leadroutes.domain.condition_words import actual_of, comparison_text, shown
from leadroutes.domain.conditions import Conditions, Facts
from leadroutes.domain.identity import normal_phone
from leadroutes.domain.named_facts import AskedLead, ContactFacts, named_facts

HOUR: Final = 3_600  # seconds
SKIPPED: Final = "it was skipped"
UNREADABLE: Final = f"{SKIPPED}, as its conditions were written by a newer version"


class AskedStep(Struct, frozen=True, kw_only=True):
    """A contact in a campaign when a step falls due. `lead`: the one that started the campaign, if one did."""

    contact: ContactFacts
    mobile_phone: str | None = None
    has_replied: bool = False  # since the campaign began
    steps_sent: int = 0  # of this campaign since it began
    lead: AskedLead | None = None
    is_claimed: bool = False


def step_facts(keys: Collection[str], state: AskedStep, now: datetime) -> Facts:
    """Returns the facts of these names that there are; without a lead, what is known of the contact alone."""
    return {**_of_inquiry(keys, state, now), **_of_campaign(state)}


def _of_inquiry(keys: Collection[str], state: AskedStep, now: datetime) -> dict[str, FactValue]:
    if state.lead is None:
        of_contact = [key for key in keys if needs_contact(key) and key != "contact_is_new"]
        return named_facts(of_contact, AskedLead(received_at=now), state.contact)
    hours = max(0, int((now - state.lead.received_at).total_seconds()) // HOUR)
    asked = named_facts([key for key in keys if key in FIELDS or "." in key], state.lead, state.contact)
    return {**asked, "claimed": state.is_claimed, "hours_since_inquiry": hours}


def _of_campaign(state: AskedStep) -> dict[str, FactValue]:
    return {
        "replied": state.has_replied,
        "has_mobile": normal_phone(state.mobile_phone) is not None,
        "steps_sent": state.steps_sent,
    }


def why_skipped(conditions: Conditions, facts: Facts) -> str | None:
    """Returns why a step is not sent: the first comparison because of which its conditions do not hold, or None."""
    failure = conditions.first_failure(facts)
    if failure is None:
        return None
    wanted = comparison_text(failure.comparison)
    wanted = f"not “{wanted}”" if failure.is_negated else wanted
    actual = actual_of(facts.get(failure.comparison.key))
    if isinstance(actual, bool):
        return f"{SKIPPED}, as it is sent only if: {wanted}"
    return f"{SKIPPED}, as it is sent only if: {wanted}; it is {'not known' if actual is None else shown(actual)}"
