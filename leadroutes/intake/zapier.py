"""Zapier and whatever else posts flat JSON or a form under names of its own.

The secret is the key in the header X-Intake-Key.
"""

from leadroutes.intake import website
from leadroutes.intake.authentication import require_key
from leadroutes.intake.body import Body
from leadroutes.intake.flat import flat_json
from leadroutes.intake.results import Result


def recognises(incoming: Body) -> bool:
    """Whether a body is a JSON object or array."""
    return isinstance(incoming.json_if_any, dict | list)


def check(incoming: Body) -> None:
    """Raises Refused for a wrong key."""
    require_key(incoming, "X-Intake-Key", "x_intake_key")


def read(incoming: Body) -> list[Result]:
    """Returns one lead, or several from an array."""
    if incoming.is_form:
        return website.read(incoming)
    return flat_json(incoming.json, incoming.default_source)
