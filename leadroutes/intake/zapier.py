"""Zapier and whatever else posts flat JSON or a form under names of its own.

The secret is the key in the header X-Intake-Key.
"""

from leadroutes.intake import website
from leadroutes.intake.authentication import require_key
from leadroutes.intake.body import Delivery
from leadroutes.intake.flat import flat_json
from leadroutes.intake.results import Result


def recognises(delivery: Delivery) -> bool:
    """Any JSON object or array."""
    return isinstance(delivery.json_if_any, dict | list)


def check(delivery: Delivery) -> None:
    """Refuses a wrong key."""
    require_key(delivery, "X-Intake-Key", "x_intake_key")


def read(delivery: Delivery) -> list[Result]:
    """One lead, or several from an array."""
    if delivery.is_form:
        return website.read(delivery)
    return flat_json(delivery.json, delivery.default_source)
