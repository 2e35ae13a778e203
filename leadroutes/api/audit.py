"""What a request leaves in the audit: who acted, on what, and what it changed. Nothing is written here.

Of rules and settings the values before and after are recorded; of contacts, leads and what belongs to them, and of
secrets, only the names of the fields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from leadroutes.api.behaviour import Writing
from leadroutes.api.call import Call
from leadroutes.api.resource import Resource
from leadroutes.domain.audit_row import AuditRow, Change

LABELS = ("name", "content", "subject", "email")  # the first that a record has
LONGEST_VALUE = 20_000  # characters of a text before and after; more is cut off
USERS = frozenset({"/users", "/me"})
ABOUT_USERS = USERS | {
    "/sessions",
    "/trusted-browsers",
    "/user-invitations",
    "/alert-preferences",
    "/push-subscriptions",
}


def act_of_call(call: Call, owner_id: int, record_id: int | None = None, **parameters: Any) -> AuditRow:
    """Returns the act of a call that is not a plain write of a record, with its parameters."""
    return AuditRow(
        owner_id=owner_id,
        user_id=call.caller.person_id,
        application_id=call.caller.application_id,
        method=call.request.method,
        resource=call.operation,
        record_id=record_id,
        changes=[{"field": name, "after": value} for name, value in parameters.items()],
    )


def act_on_user(call: Call, user_id: int, record_id: int | None = None) -> AuditRow:
    """Returns the act of a call on the account of a user, which administrators see."""
    record_id = user_id if record_id is None else record_id
    return replace(act_of_call(call, user_id, record_id), is_about_user=True)


def act_of_own_account(call: Call, names: Sequence[str]) -> AuditRow:
    """Returns the act of a user on their own account, with the names of what they change."""
    changes = [{"field": name} for name in names]
    return replace(act_of_call(call, call.caller.user_id, call.caller.user_id), changes=changes, is_about_user=True)


def act_of_writing(call: Call, resource: Resource, writing: Writing) -> AuditRow | None:
    """Returns the act of a POST, PATCH, PUT or DELETE; None if it changes nothing."""
    method = call.request.method
    changes = _removed(resource, writing) if method == "DELETE" else _changes(resource, writing)
    if not changes and method in ("PATCH", "PUT"):
        return None
    is_about_user = resource.path in ABOUT_USERS
    record = writing.record or writing.before or {}
    return AuditRow(
        owner_id=_owner(call, resource, writing),
        user_id=call.caller.person_id,
        application_id=call.caller.application_id,
        method=method,
        resource=resource.path,
        record_id=writing.id,
        label=_label(record) if resource.is_audited_in_full else None,
        changes=changes,
        is_about_user=is_about_user,
    )


def _owner(call: Call, resource: Resource, writing: Writing) -> int:
    """Returns in whose audit it is: the owner's, or of what belongs to a user, that user's."""
    if resource.owned:
        return writing.owner_id
    if resource.path in USERS and writing.id is not None:
        return writing.id
    user_id: int = (writing.before or {}).get("user_id") or call.caller.user_id
    return user_id


def _label(record: Mapping[str, Any]) -> str | None:
    return next((record[name] for name in LABELS if record.get(name)), None)


def _changes(resource: Resource, writing: Writing) -> list[Change]:
    columns, others = _written(resource)
    before, after = writing.before, writing.record
    changes: list[Change]
    if not resource.is_audited_in_full:
        old = before or {}
        changes = [{"field": name} for name, column in columns if after.get(column) != old.get(column)]
    elif before is None:
        given = [(name, value) for name, column in columns if (value := after.get(column)) is not None]
        changes = [{"field": name, "after": _shown(value)} for name, value in given]
    else:
        changed = [(name, before[column], after[column]) for name, column in columns if after[column] != before[column]]
        changes = [{"field": name, "before": _shown(old), "after": _shown(new)} for name, old, new in changed]
    return changes + [{"field": name} for name in others if writing.sent.get(name) is not None] if others else changes


def _removed(resource: Resource, writing: Writing) -> list[Change]:
    before = writing.before
    if not resource.is_audited_in_full or before is None:
        return []
    held = [(name, before[column]) for name, column in _written(resource)[0] if before[column] is not None]
    return [{"field": name, "before": _shown(value)} for name, value in held]


@cache
def _written(resource: Resource) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Returns (field, column) of the fields that are written, and the fields that are no column, such as a password."""
    columns = tuple((each.name, each.stored) for each in resource.writeable if each.stored)
    return columns, tuple(each.name for each in resource.writeable if not each.stored)


def _shown(value: Any) -> Any:
    return f"{value[:LONGEST_VALUE]}…" if isinstance(value, str) and len(value) > LONGEST_VALUE else value
