"""The declaration of a resource; routes, validation, queries, visibility and the OpenAPI description come from it.

Data only: what a resource does beside that is in its `behaviour`. In every piece of SQL `t` is the record's row and
$1 the caller.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from leadroutes.api.auth import Caller
from leadroutes.api.behaviour import Behaviour
from leadroutes.api.values import FieldType


class Write(Enum):
    """When a client may write a field."""

    NEVER = "never"
    ONCE = "once"  # on POST
    LATER = "later"  # on PATCH
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Reference:
    """What a field refers to; errors use `noun`. In `sql`, {value} is the id, $2 the referring record's owner."""

    to: str
    noun: str
    sql: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a resource. By default it is a column of this name: answered, filterable, read-only."""

    name: str = field(kw_only=False)
    kind: FieldType = field(kw_only=False)
    write: Write = Write.NEVER
    required: bool = False
    default: Any = None  # with a default a field is never null
    null: bool | None = None  # may be null; None: unless required or with a default
    column: str | None = None  # the column that is written; None: of the field's name; "": none
    sql: str | None = None  # what is compared and answered; None: the column
    shows: str | None = None  # what is answered, if that differs
    key: str | None = None  # its key in answers; "": it is not answered
    filterable: bool = True
    refers: Reference | None = None
    implies: Mapping[str, str] = field(default_factory=dict)  # by value: further SQL that holds, to find it by an index
    schema: Mapping[str, Any] | None = None  # of its answer, if that is not a value of its type
    is_for_administrators: bool = False  # others do not get it, or null if they select it
    note: str = ""

    @property
    def nullable(self) -> bool:
        return self.null if self.null is not None else not (self.required or self.default is not None)

    @property
    def stored(self) -> str:
        return self.name if self.column is None else self.column

    @property
    def compared(self) -> str:
        return self.sql if self.sql is not None else f"t.{self.stored}"

    @property
    def is_computed(self) -> bool:
        """Whether a comparison costs more than a column does, as the value is computed for each row."""
        return "once." in self.compared or "SELECT" in self.compared

    @property
    def answered(self) -> str:
        """SQL of its value in an answer."""
        return self.shows if self.shows is not None else self.kind.shown(self.compared)

    @property
    def answer_key(self) -> str:
        return self.name if self.key is None else self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How a list is searched, in SQL."""

    ids: str  # a statement for the records with a word like {pattern}, as far as the caller sees what has the word
    owners: str  # an array: the owners of the words


class Shown(NamedTuple):
    """Records of another owner `w` that a caller sees: those for which `m` is there."""

    condition: str
    source: str = ""  # of m; "": the condition is about t alone
    keys: str = ""  # a statement for the ids of all of them, where that costs less without t; `indexed` needs it


@dataclass(frozen=True, slots=True, kw_only=True)
class Visibility:
    """What `visible` says of one record, for a list: by owners, so that an index leads to the first records of each.

    The caller sees all records of the caller's own and of `sharers`, and `some` of `others`; both are statements for
    owner_id. A record may be in several of `some`.
    """

    sharers: str
    others: str
    some: tuple[Shown, ...]
    whole: str  # what `visible` and the fields call the array of the caller and the sharers, which a list knows already
    ranges: tuple[str, ...] = ()  # columns of which a range is read as a whole; a walk through the ids might find none
    nullable: tuple[str, ...] = ()  # columns with an index (owner_id, column NULLS FIRST, id)
    indexed: tuple[str, ...] = ()  # columns of which an index finds those that equal a value; all of `some` have `keys`
    keyed: str = "true"  # always true; the predicate of the indexes that only lists use
    total: str = ""  # an expression for how many records w.owner_id has, without counting them; "": they are counted


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resource:
    """A resource: its path, its fields, who sees and changes it; `behaviour` is all that it does beside that."""

    path: str
    noun: str
    table: str
    fields: tuple[Field, ...]
    methods: str  # of L list, G get, C POST, P PATCH, U PUT, D DELETE
    source: str = ""  # the FROM clause; "": the table as t
    is_lockable: bool = True  # whether its rows can be locked where they are read; else `change_through` locks them
    once: str = ""  # a join AS once, added only if a condition or the order names its columns
    worked_out_once: tuple[str, str] = ("", "")  # an expression of `visible` and the fields, and its name in `once`
    visible: str = "t.owner_id = $1"
    listed: Visibility | None = None  # None: a list asks of every record whether it is visible
    changeable: str = "t.owner_id = $1"
    removable: str = ""  # "": as changeable
    creatable: str = "true"  # who may POST; $1 is the caller, and t the parent, where there is one
    parent: "Resource | None" = None
    parent_column: str = ""
    is_parents_own: bool = True  # its owner is the parent's
    order: tuple[str, ...] = ()  # the default order, before id
    page_about: str = ""  # a sentence for the documentation
    body_limit: int = 102_400
    allowed_for: Callable[[Caller], bool] | None = None  # others: 403 on every method
    owned: bool = True  # the table has owner_id
    is_audited_in_full: bool = False  # whether the audit has the values before and after, not only the fields' names
    most_counted: int = 0  # where the total of a list stops; 0: it counts all
    is_versioned: bool = False  # each request that changes it makes a version of the rules
    most: int = 0  # records per parent, or per owner without a parent; 0: any number
    fields_on_delete: tuple[Field, ...] = ()  # what a DELETE may contain, in its query or its body
    has_dry_run: bool = False  # with dry_run=true in its query a write is not stored, and answers what it would change
    version: str = ""  # SQL of a number that changes with every change of what the caller sees here
    selects: Mapping[str, str] = field(default_factory=dict)  # further names for filters: name -> field
    unique: str = "Such a record exists already"  # for 409
    needed_by: Mapping[str, str] = field(default_factory=dict)  # table -> message of 409 on DELETE
    merged: str = ""  # SQL of the record that $2 was merged into, if $1 sees it; a 404 names it
    search: "Search | None" = None  # what $search and $tag of a list find; None: it knows neither
    behaviour: Behaviour = field(default=Behaviour())

    @property
    def is_plain(self) -> bool:
        """Whether a new record needs one INSERT and nothing else, so that one statement can insert many."""
        return self.behaviour.has_plain_insert and not (self.parent or self.most)

    @property
    def from_clause(self) -> str:
        return self.source or f"{self.table} t"

    @property
    def filters(self) -> Mapping[str, Field]:
        """The fields that a query may name, by their names there."""
        return _filters(self)

    @property
    def answered(self) -> Mapping[str, Field]:
        """The fields of an answer by their keys, in order."""
        return _answered(self)

    @property
    def writeable(self) -> tuple[Field, ...]:
        return _writeable(self)

    def keys_for(self, caller: Caller, selected: tuple[str, ...]) -> tuple[str, ...]:
        """Returns the keys of an answer to this caller; (): all of them."""
        return selected or (() if caller.is_admin else _for_others(self))

    def has(self, column: str) -> bool:
        return any(each.stored == column for each in self.fields)


# Every request asks for these; declarations do not change.


@cache
def _filters(resource: Resource) -> Mapping[str, Field]:
    named = {each.name: each for each in resource.fields}
    direct = {each.name: each for each in resource.fields if each.filterable}
    return MappingProxyType(direct | {name: named[target] for name, target in resource.selects.items()})


@cache
def _answered(resource: Resource) -> Mapping[str, Field]:
    return MappingProxyType({each.answer_key: each for each in resource.fields if each.answer_key})


@cache
def _for_others(resource: Resource) -> tuple[str, ...]:
    """Returns the keys that every caller gets; (): all of them."""
    keys = tuple(key for key, each in resource.answered.items() if not each.is_for_administrators)
    return keys if len(keys) < len(resource.answered) else ()


@cache
def _writeable(resource: Resource) -> tuple[Field, ...]:
    return tuple(each for each in resource.fields if each.write is not Write.NEVER)
