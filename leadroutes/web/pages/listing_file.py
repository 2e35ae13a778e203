"""A list of listings with their agents, as a CSV file: what each line says, or what is wrong with it.

Reads only; the list is stored by whoever calls.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Final

from leadroutes.domain.identity import comparable_mls_id
from leadroutes.intake.csv_cells import text_of
from leadroutes.intake.csv_tables import split_csv
from leadroutes.intake.flat import NAMES, plain_key

LONGEST: Final = 45  # characters of the number of a listing
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "mls_id": (*NAMES["mls_id"], "listing", "listingnumber"),
    "agent": ("agent", "agentemail", "useremail", "user", "email", "emailaddress"),
}
"""The plain names that the column of each value may have, the first that is there counts."""


@dataclass(slots=True)
class ListingFile:
    """`agents` are e-mails by the number of the listing; `faults` are (line, what is wrong with it)."""

    agents: dict[str, str] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)
    fault: str | None = None  # of the file as a whole


def read_listings(content: bytes, emails: Container[str]) -> ListingFile:
    """Returns what a file says. `emails`, in small letters, are of the users who can be the agent of a listing."""
    header, records = split_csv(content)
    keys = [plain_key(name) for name in header]
    places = {
        meaning: next((keys.index(name) for name in names if name in keys), None) for meaning, names in COLUMNS.items()
    }
    missing = [
        f"{meaning}: no column has this heading; expected one of {', '.join(COLUMNS[meaning])}"
        for meaning, place in places.items()
        if place is None
    ]
    read = ListingFile(fault="; ".join(missing) or None)
    lines: dict[str | None, int] = {}
    for _, line, cells in records if not missing else ():
        if cells is None or len(cells) != len(header):
            read.faults.append((line, "expected as many cells as the line of headings has"))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        mls_id, email = (text_of(cells[place or 0]).strip() for place in places.values())
        wrong = _what_is_wrong(mls_id, email, emails)
        first = lines.setdefault(comparable_mls_id(mls_id), line)
        if wrong is None and first != line:
            wrong = f"mls_id: {mls_id!r} was given; expected a listing that is not on line {first} already"
        if wrong is None:
            read.agents[mls_id] = email.lower()
        else:
            read.faults.append((line, wrong))
    if not read.agents and not read.faults and read.fault is None:
        read.fault = "there is no row in it"
    return read


def _what_is_wrong(mls_id: str, email: str, emails: Container[str]) -> str | None:
    if comparable_mls_id(mls_id) is None or len(mls_id) > LONGEST:
        return f"mls_id: {mls_id[:LONGEST]!r} was given; expected the number of a listing, up to {LONGEST} characters"
    if email.lower() not in emails:
        return f"agent: {email[:100]!r} was given; expected the e-mail of a member of your teams, who has accepted"
    return None
