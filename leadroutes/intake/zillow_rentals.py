"""Zillow Rentals' form post about a place to let.

The secret is the key in the header X-Intake-Key. Income is not the price, and the listing's id is not the inquiry's.
"""

from typing import Final

from leadroutes.domain.places import Place
from leadroutes.domain.text import one_line
from leadroutes.intake.authentication import require_key
from leadroutes.intake.body import Body
from leadroutes.intake.draft import Draft
from leadroutes.intake.results import Refused, Result

_TELLING: Final = frozenset({"globalListingId", "listingStreet", "listingContactEmail", "numBedroomsSought"})
_TELLING_LIMIT = 2


def recognises(incoming: Body) -> bool:
    """Whether a body is a form with at least two fields that only this vendor names."""
    if incoming.media_type != "application/x-www-form-urlencoded":
        return False
    return len(_TELLING & {name for name, _ in incoming.form}) >= _TELLING_LIMIT


def check(incoming: Body) -> None:
    """Raises Refused for a wrong key."""
    require_key(incoming, "X-Intake-Key", "x_intake_key")


def read(incoming: Body) -> list[Result]:
    """Returns one lead."""
    if not incoming.form:
        raise Refused("malformed", "The form has no field.")
    fields: dict[str, str] = {}
    for name, value in incoming.form:
        if one_line(value):
            fields.setdefault(name, value)
    draft = Draft(
        full=fields.get("name"),
        email=fields.get("email"),
        phone=fields.get("phone"),
        type="Renter",
        default_source=incoming.default_source,
        message=fields.get("message") or fields.get("introduction"),
        places=(
            Place(
                fields.get("listingStreet"),
                fields.get("listingCity"),
                fields.get("listingState"),
                fields.get("listingPostalCode"),
                fields.get("listingUnit"),
            ),
        ),
    )
    return [draft.normalize()]
