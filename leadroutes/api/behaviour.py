"""What is particular to the records of one resource: the steps around a read, a write and a removal.

A resource without a subclass of `Behaviour` is read and written by its declaration alone.
"""

# ruff: noqa: ARG002 -- by default a step uses nothing of what it is given

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from leadroutes.api.auth import Caller
from leadroutes.api.call import Call, Context
from leadroutes.domain.audit_row import AuditRow
from leadroutes.store.postgres import Transaction

if TYPE_CHECKING:  # query.py reads declarations, and a declaration holds a behaviour
    from leadroutes.api.query import Query

Errors = dict[str, str]  # field -> message


@dataclass(slots=True, kw_only=True)
class Writing:
    """One write of a record: the caller, the fields that were sent, the record before and after."""

    transaction: Transaction
    caller: Caller
    owner_id: int  # of the record: the parent's owner, else the caller, until a step changes it
    parent_id: int | None = None
    id: int | None = None
    sent: Mapping[str, Any] = field(default_factory=dict)  # the fields that were sent and could be read
    before: Mapping[str, Any] | None = None  # None: the record is new
    record: dict[str, Any] = field(default_factory=dict)  # the columns of the resulting record
    is_tried: bool = False  # a dry run: all of it is rolled back
    act: AuditRow | None = None  # for the audit; steps that open a transaction of their own write it there
    notes: dict[str, Any] = field(default_factory=dict)  # what one step passes to a later one


class Behaviour:
    """The steps of a resource, in the order in which they run. Subclasses define those that they need.

    Two kinds: most add to what the declaration does, and add nothing by default. Those in REPLACING run instead of the
    default action, and only where a subclass defines them; `replaced` holds their names. The `…_through` steps run
    after the transaction of the request, as the engine opens its own.
    """

    REPLACING: ClassVar = ("insert", "create_through", "change_through", "delete", "remove_through")
    replaced: ClassVar[frozenset[str]] = frozenset()
    completes: ClassVar[bool] = False  # whether `complete` is defined
    has_plain_insert: ClassVar[bool] = True  # a new record needs no step with the database but its INSERT
    validates_by_rows: ClassVar[bool] = False  # `validate` only asks for single rows, so many can be checked together

    def __init_subclass__(cls) -> None:
        def defines(step: str) -> bool:
            return getattr(cls, step) is not getattr(Behaviour, step)

        cls.replaced = frozenset(filter(defines, cls.REPLACING))
        cls.completes = defines("complete")
        steps = ("insert", "create_through", "after_write", *(() if cls.validates_by_rows else ("validate",)))
        cls.has_plain_insert = not any(map(defines, steps))

    async def record_filter(self, call: Call, query: "Query", record_id: int | None) -> str:
        """Returns SQL to use instead of `visible` in a list, or for one record; "": `visible` applies."""
        return ""

    def complete(self, record: dict[str, Any], now: datetime) -> None:
        """Replaces values of an answered record by what the domain works out of them at this moment."""

    def rewrite(self, body: dict[str, Any]) -> dict[str, Any]:
        """Returns the body from which the fields are read."""
        return body

    def normalize(self, record: dict[str, Any]) -> Errors:
        """Normalizes the resulting record in place. Returns its faults."""
        return {}

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        """Returns further faults, for which it may ask the database; `found` holds those known so far."""
        return {}

    def derive(self, record: dict[str, Any]) -> dict[str, Any]:
        """Returns the values of columns that no field shows."""
        return {}

    async def insert(self, writing: Writing) -> int:
        """Instead of the plain INSERT. Returns the id."""
        raise NotImplementedError

    async def create_through(self, context: Context, writing: Writing) -> int:
        """Instead of any INSERT in the request's transaction. Returns the id."""
        raise NotImplementedError

    async def change_through(self, context: Context, writing: Writing) -> None:
        """Instead of the UPDATE in the request's transaction."""
        raise NotImplementedError

    async def after_write(self, writing: Writing) -> None:
        """Runs once the row is inserted or updated."""

    def shown_once(self, context: Context, writing: Writing) -> dict[str, Any]:
        """Returns keys that only the answer to POST shows."""
        return {}

    async def before_delete(self, writing: Writing) -> None:
        """Runs before the row is removed."""

    async def delete(self, writing: Writing) -> None:
        """Instead of the plain DELETE."""
        raise NotImplementedError

    async def after_delete(self, writing: Writing) -> None:
        """Runs once the row is removed."""

    def dry_run(self, writing: Writing) -> dict[str, Any]:
        """Returns what a write with `dry_run` answers, instead of being stored; for a resource with `has_dry_run`."""
        raise NotImplementedError

    async def remove_through(self, context: Context, writing: Writing) -> None:
        """Instead of `before_delete`, the DELETE and `after_delete`."""
        raise NotImplementedError
