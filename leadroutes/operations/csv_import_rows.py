"""The rows of a file that is imported: what makes each the same as another, into which account they go, who is who.

Values only: no database is touched.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from leadroutes.domain.dedupe import DedupeKey, Identity, vendor_keys
from leadroutes.domain.deduplicator import Origin
from leadroutes.domain.union_find import UnionFind
from leadroutes.intake.csv_import import ImportedRow

SCOPE = "import"
NAME_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A row with what makes it the same as one of another file: its content, and its number among equal ones."""

    imported: ImportedRow
    key: str
    identities: tuple[Identity, ...]

    @property
    def earlier_keys(self) -> tuple[DedupeKey, ...]:
        """What the row was known as if it was imported with a warning before."""
        known_as = self.imported.known_as
        return (DedupeKey(scope=SCOPE, key=known_as, is_lasting=True),) if known_as else ()


@dataclass(frozen=True, slots=True)
class Account:
    """The account that is imported into. Ids of sources are by name, lower case; 0: a dry run would add the source."""

    owner_id: int
    lead_sources: Mapping[str, int]
    contact_sources: Mapping[str, int]

    def origin_of(self, row: Row) -> Origin:
        """Returns how the row's inquiry comes in: as history, into the owner's own account."""
        name = row.imported.contact_source
        return Origin(
            owner_id=self.owner_id,
            lead_source_id=self._lead_source_of(row),
            contact_source_id=self.contact_sources[cut(name).lower()] if name else None,
            is_proven=True,
            is_history=True,
        )

    def keys_of(self, row: Row) -> tuple[DedupeKey, ...]:
        """Returns what makes the row one that is in already: its content, or the source's own id."""
        return (DedupeKey(scope=SCOPE, key=row.key, is_lasting=True), *self.vendor_keys_of(row))

    def vendor_keys_of(self, row: Row) -> tuple[DedupeKey, ...]:
        return vendor_keys(self._lead_source_of(row), row.imported.inquiry)

    def _lead_source_of(self, row: Row) -> int:
        return self.lead_sources[cut(row.imported.lead_source).lower()]


def cut(name: str) -> str:
    """Returns the name of a source as it is stored."""
    return name[:NAME_LIMIT].rstrip()


class People:
    """The e-mails and phones of each person of the file: the same person through other rows too.

    `contacts`: which contact each person is, as far as that is known by now.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self.identities: UnionFind[Identity] = UnionFind()
        for row in rows:
            self.identities.join(row.identities)
        self.contacts: dict[Identity, int] = {}

    def person_of(self, row: Row) -> Identity | None:
        """Returns the identity that represents the row's person. None: a relay address is all that was given."""
        return self.identities.of(row.identities[0]) if row.identities else None

    def contact_of(self, row: Row) -> int | None:
        person = self.person_of(row)
        return self.contacts.get(person) if person is not None else None


def divide(rows: Sequence[Row], account: Account, people: People, shares: int) -> list[Sequence[Row]]:
    """Divide rows into at most so many shares that may be stored at the same time.

    Rows that have a person, a contact or a key in common stay together.
    """
    marks = [list(_marks(row, account, people)) for row in rows]
    groups: UnionFind[Hashable] = UnionFind()
    for each in marks:
        groups.join(each)
    divided: list[list[Row]] = [[] for _ in range(shares)]
    share_of: dict[Hashable, list[Row]] = {}
    for row, (mark, *_) in zip(rows, marks, strict=True):
        share_of.setdefault(groups.of(mark), min(divided, key=len)).append(row)
    return [share for share in divided if share]


def _marks(row: Row, account: Account, people: People) -> Iterator[Hashable]:
    """A person is known by e-mails and phones; a row without either by its content."""
    yield people.person_of(row) or row.imported.digest
    if contact_id := people.contact_of(row):
        yield contact_id
    yield from account.vendor_keys_of(row)
    yield from row.earlier_keys
