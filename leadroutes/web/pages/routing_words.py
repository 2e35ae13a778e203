"""Why a lead took a route, or another one, as a sentence for the owner. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from leadroutes.domain.condition_fields import field_named

Considered = Mapping[str, Any]  # a route, as an explanation has it

_RESULTS: Final = {"matched": "taken", "passed over": "fits, but a route before it was taken"}
_OF_OTHER_SOURCES: Final = "lead_source_id"


def routes_of_source(routes: Sequence[Considered]) -> list[Considered]:
    """Returns the routes that could have been taken: those for leads of the same source."""
    return [each for each in routes if each["field"] != _OF_OTHER_SOURCES]


def why_route(route: Considered) -> str:
    """Returns `taken`, or why it was not: `price: 250,000; expected from 300,000 to 500,000`."""
    if route["result"] in _RESULTS:
        return _RESULTS[route["result"]]
    actual, expected = route["actual"], route["expected"]
    match route["field"]:
        case "is_active":
            return "switched off"
        case "lead_source_id":
            return "for leads of another source"
        case "contact_source_id":
            return "for contacts of another source"
        case "filter":
            return f"for leads of the type {expected}, and this one {f'is {actual}' if actual else 'has no type'}"
        case field:
            about = field_named(field)
            return f"{about.words if about else field}: {_shown(actual)}; expected {_shown(expected)}"


def _shown(value: object) -> str:
    match value:
        case None | "":
            return "not given"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value:,.0f}" if value == round(value) else f"{value:,}"
        case _:
            return str(value)
