"""An act of a person on an account, for the audit: a value, decided where the request is known, written elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

Change = dict[str, Any]  # {"field", "before", "after"}; without values for what must not be stored


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """What a person did on an account. `resource` is a path of the API, also for what is done on a page."""

    owner_id: int
    user_id: int
    application_id: int | None = None
    method: str
    resource: str
    record_id: int | None = None
    label: str | None = None
    changes: Sequence[Change] = ()
    is_about_user: bool = False

    def with_change(self, **change: Any) -> "AuditRow":
        """Returns the act with one more change: `field`, and `before` and `after` where they may be stored."""
        return replace(self, changes=[*self.changes, change])
