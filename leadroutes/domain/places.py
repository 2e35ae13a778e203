"""Places in normal form: states, street lines with their unit, one-line addresses, and which of several places counts.

Pure, and for the United States only: a state is one of the fifty, DC or PR.
"""

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from leadroutes.domain.identity import normal_zipcode
from leadroutes.domain.text import field_text

STATES: Final = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia",
    "HI": "Hawaii",
    "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana",
    "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota", "MS": "Mississippi",
    "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire", "NJ": "New Jersey",
    "NM": "New Mexico", "NY": "New York", "NC": "North Carolina", "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma",
    "OR": "Oregon", "PA": "Pennsylvania", "PR": "Puerto Rico", "RI": "Rhode Island", "SC": "South Carolina",
    "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont", "VA": "Virginia",
    "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
}  # fmt: skip


def _state_key(text: str) -> str:
    return "".join(character for character in text.upper() if character.isalpha())


_STATES: Final = (
    {code: code for code in STATES} | {_state_key(name): code for code, name in STATES.items()} | {"WASHINGTONDC": "DC"}
)


def normal_state(text: str | None) -> str | None:
    """Two capital letters of a state, DC or PR, from the code or the full name in any case; None for all else."""
    return _STATES.get(_state_key(field_text(text) or ""))


class Place(Struct, frozen=True):
    """A place as it was sent or (from `normal`) in normal form; `unit` belongs to the street and is None afterwards."""

    street_address: str | None = None
    city: str | None = None
    state: str | None = None
    zipcode: str | None = None
    unit: str | None = None

    def normal(self) -> "Place":
        """One-line addresses taken apart (separate fields win), state and zipcode normal, unit behind the street."""
        street = field_text(self.street_address)
        city, state, zipcode = field_text(self.city), normal_state(self.state), normal_zipcode(self.zipcode)
        if street and len(street) <= LINE_LIMIT and (parts := _take_apart(street)):
            street = parts.street_address
            city, state, zipcode = city or parts.city, state or parts.state, zipcode or parts.zipcode
        return Place(street and _with_unit(street, field_text(self.unit)), city, state, zipcode)

    @property
    def is_named(self) -> bool:
        """Whether any of street, city, state and zipcode is known."""
        return bool(self.street_address or self.city or self.state or self.zipcode)


LINE_LIMIT: Final = 1_000
"""Characters of a one-line address; what is longer is not taken apart."""

NOWHERE: Final = Place()


def first_place(places: Iterable[Place]) -> Place:
    """Returns the first place that names anything, in normal form; parts of different places are never mixed."""
    return next((place for place in map(Place.normal, places) if place.is_named), NOWHERE)


def joined_lines(lines: Iterable[str | None]) -> str | None:
    """Returns several street lines as one."""
    return ", ".join(line for text in lines if (line := field_text(text))) or None


_END_OF_ADDRESS = re.compile(
    r"(?P<state>[A-Za-z](?:[A-Za-z. ]*[A-Za-z.])?)[ ,]+(?P<zipcode>\d{5}(?:-\d{4})?)", re.ASCII
)
_COUNTRIES: Final = frozenset({"us", "usa", "u.s.", "u.s.a.", "united states", "united states of america"})
_SHORT_UNIT = re.compile(r"[A-Za-z]|(?=[A-Za-z]*\d)[A-Za-z\d]{1,6}", re.ASCII)


def _take_apart(line: str) -> Place | None:
    """`street, city, ST 12345` or `city, ST 12345`, with or without a comma before the ZIP and a country behind it."""
    parts = [part.strip() for part in line.split(",")]
    if len(parts) > 1 and parts[-1].lower() in _COUNTRIES:
        parts.pop()
    if len(parts) > 1 and re.fullmatch(r"\d{5}(?:-\d{4})?", parts[-1], re.ASCII):
        parts[-2:] = [f"{parts[-2]} {parts[-1]}"]
    end = _END_OF_ADDRESS.fullmatch(parts[-1]) if len(parts) > 1 else None
    state = normal_state(end["state"]) if end else None
    city = parts[-2] if len(parts) > 1 else ""
    street = ", ".join(part for part in parts[:-2] if part)
    if not end or not state or not city or (not street and any(character.isdigit() for character in city)):
        return None
    return Place(street or None, city, state, normal_zipcode(end["zipcode"]))


def _with_unit(street: str, unit: str | None) -> str:
    if unit is None:
        return street
    short = f"#{unit}" if _SHORT_UNIT.fullmatch(unit) else unit
    return street if street.endswith(f" {short}") else f"{street} {short}"
