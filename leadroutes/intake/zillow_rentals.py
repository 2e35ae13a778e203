"""Zillow Rentals' form post about a place to let.

The secret is the key in the header X-Intake-Key. Income is no price, and the listing's id is not the inquiry's.
"""

from typing import Final

from leadroutes.domain.places import Place
from leadroutes.domain.text import one_line
from leadroutes.intake.authentication import require_key
from leadroutes.intake.body import Delivery
from leadroutes.intake.draft import Draft
from leadroutes.intake.results import Refused, Result

_TELLING: Final = frozenset({"globalListingId", "listingStreet", "listingContactEmail", "numBedroomsSought"})
_TELLING_LIMIT = 2


def recognises(delivery: Delivery) -> bool:
    """A form with at least two fields that only this vendor names."""
    if delivery.media_type != "application/x-www-form-urlencoded":
        return False
    return len(_TELLING & {name for name, _ in delivery.form}) >= _TELLING_LIMIT


def check(delivery: Delivery) -> None:
    """Refuses a wrong key."""
    require_key(delivery, "X-Intake-Key", "x_intake_key")


def read(delivery: Delivery) -> list[Result]:
    """One lead."""
    if not delivery.form:
        raise Refused("malformed", "The form has no field.")
    fields: dict[str, str] = {}
    for name, value in delivery.form:
        if one_line(value):
            fields.setdefault(name, value)
    draft = Draft(
        full=fields.get("name"),
        email=fields.get("email"),
        phone=fields.get("phone"),
        type="Renter",
        default_source=delivery.default_source,
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
    return [draft.settle()]
