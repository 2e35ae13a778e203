"""The headings of a file that is to be imported: what each means as far as is known, and what a person says it means.

Reads the first rows only, but counts all of them.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Final

from msgspec import Struct

from leadroutes.intake.csv_import import CLOSED, JUNK_NOTE, JUNK_REASON, UNSUBSCRIBED
from leadroutes.intake.csv_tables import CONTACT_SOURCE, meaning_of, renamed, split_csv
from leadroutes.intake.flat import NAMES, plain_key

IGNORE: Final = "ignore"
MEANINGS: Final[dict[str, str]] = {
    **{str(meaning): names[0] for meaning, names in NAMES.items()},
    "contact_source": CONTACT_SOURCE,
    "unsubscribed": UNSUBSCRIBED[0],
    "closed": CLOSED,
    "junk_reason": JUNK_REASON,
    "junk_note": JUNK_NOTE,
}
"""What a column can mean, with the heading that says so."""
SAMPLE_ROWS: Final = 50
SAMPLES: Final = 3
LONGEST_SAMPLE: Final = 60  # characters


class Heading(Struct, frozen=True):
    """A column: its heading, what it seems to mean (None: nothing that is known), and the first cells with text."""

    heading: str
    meaning: str | None
    samples: list[str]


def headings_of(content: bytes) -> tuple[list[Heading], int]:
    """Returns the columns of a file and the number of its rows."""
    header, records = split_csv(content)
    first = [cells for _, _, cells in islice(records, SAMPLE_ROWS) if cells is not None]
    total = len(first) + sum(1 for _ in records)
    headings = [
        Heading(name.strip(), _meaning(name), _samples([cells[place] for cells in first if place < len(cells)]))
        for place, name in enumerate(header)
    ]
    return headings, total


def _meaning(heading: str) -> str | None:
    key = plain_key(heading)
    if key in UNSUBSCRIBED:
        return "unsubscribed"
    return _OTHERS.get(key) or meaning_of(key)


_OTHERS: Final = {
    CONTACT_SOURCE: "contact_source",
    CLOSED: "closed",
    JUNK_REASON: "junk_reason",
    JUNK_NOTE: "junk_note",
}


def _samples(cells: list[str]) -> list[str]:
    texts = dict.fromkeys(cell.strip()[:LONGEST_SAMPLE] for cell in cells if cell.strip())
    return list(islice(texts, SAMPLES))


def with_meanings(content: bytes, columns: Mapping[str, str]) -> bytes:
    """Returns the file with the headings that say what a person has decided; others stay as they are."""
    if not columns:
        return content
    names = {
        heading: f"ignored {number}" if meaning == IGNORE else MEANINGS[meaning]
        for number, (heading, meaning) in enumerate(columns.items(), start=1)
    }
    return renamed(content, names)
