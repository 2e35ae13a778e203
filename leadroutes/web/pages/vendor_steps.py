"""What to do at a vendor, as a page shows it: steps in which the addresses of a key stand in the place of their names.

Pure functions of the API's records.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_PLACEHOLDER = re.compile(r"\{(address|mail_address|key|host)\}")
_WORDS = {
    "address": "that the next page shows",
    "mail_address": "that the next page shows",
    "key": "that the next page shows",
    "host": "of this service",
}


class Piece(NamedTuple):
    """A part of a step: words, or a text to be copied exactly."""

    text: str
    is_exact: bool


def steps_of(vendor: Mapping[str, Any], made: Mapping[str, Any] | None = None) -> list[list[Piece]]:
    """Returns the steps at a vendor; `made` is the new key with its addresses, None where there is none yet."""
    return [list(_pieces(step, _values(made) if made else None)) for step in vendor["steps"]]


def _values(made: Mapping[str, Any]) -> dict[str, str]:
    host = made["url"].split("/intake/")[0]
    return {"address": made["url"], "mail_address": made.get("mail_address", ""), "key": made["key"], "host": host}


def _pieces(step: str, values: Mapping[str, str] | None) -> Iterable[Piece]:
    for place, part in enumerate(_PLACEHOLDER.split(step)):
        if place % 2 == 0:
            if part:
                yield Piece(part, is_exact=False)
        elif values is None:
            yield Piece(_WORDS[part], is_exact=False)
        else:
            yield Piece(values[part], is_exact=True)


def vendor_of(vendors: Iterable[Mapping[str, Any]], format_: str | None) -> Mapping[str, Any] | None:
    """Returns the vendor whose keys have this format; None for a format that no vendor of the list sends."""
    return next((each for each in vendors if each["format"] == format_ and format_ is not None), None)
