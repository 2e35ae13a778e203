"""Versions of an owner's rules in sentences, and bringing an earlier one back, which makes a version."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.rule_difference import RuleChange, Sentences, difference, records_with
from leadroutes.domain.rule_fields import MEMBER
from leadroutes.domain.rule_records import Names, Records, records_of
from leadroutes.domain.rule_restore import NotRestored, restoration
from leadroutes.errors import NotFound
from leadroutes.rules.applying import apply_changes
from leadroutes.store.audit import note_act
from leadroutes.store.postgres import Transaction
from leadroutes.store.rule_records import existing_users, find_number, load_present_rules, lock_rules
from leadroutes.store.rule_versions import ChangedRecords, find_version, load_changes

MOST_AUDITED = 500  # sentences in one entry of the audit


@dataclass(frozen=True, slots=True)
class RestoredRules:
    """The number of the rule set afterwards, the difference in sentences, and what could not come back."""

    rule_set: int
    changes: list[str]
    not_restored: list[NotRestored]


def as_records(changed: ChangedRecords) -> tuple[Records, Records]:
    """Returns the changed records as they were before and as they are after."""
    before = records_with({key: old for key, (old, _) in changed.items()})
    return before, records_with({key: new for key, (_, new) in changed.items()})


def changes_in(changed: ChangedRecords) -> list[RuleChange]:
    """Returns the net difference that records have undergone."""
    return difference(*as_records(changed))


def people_in(changed: ChangedRecords) -> set[int]:
    """Returns users of whom the owner has known the e-mail: those who were accepted members."""
    members = (each for (kind, _), pair in changed.items() if kind == MEMBER.name for each in pair if each is not None)
    return {each["user_id"] for each in members if each.get("request_status") == "Accepted"}


def templates_in(changed: ChangedRecords) -> set[int]:
    records = [each for pair in changed.values() for each in pair if each is not None]
    found = {each.get("template_id") for each in records}
    found |= {variant["template_id"] for each in records for variant in each.get("variants") or ()}
    return {template_id for template_id in found if template_id is not None}


def sentences(changed: ChangedRecords, names: Names) -> list[str]:
    """Returns the net difference in sentences."""
    return Sentences(names).of(changes_in(changed))


async def restore_version(
    transaction: Transaction, owner_id: int, number: int, *, load_names: Callable[[ChangedRecords], Awaitable[Names]],
    by_user_id: int, act: AuditRow | None = None,
) -> RestoredRules:  # fmt: skip
    """Brings routes, teams, options and listing agents to what they were. Raises NotFound for an unknown version."""
    await lock_rules(transaction, owner_id)
    version = await find_version(transaction, owner_id, number)
    if version is None:
        raise NotFound.record(number)
    present_number, present = await load_present_rules(transaction, owner_id)
    since = await load_changes(transaction, owner_id, after=version["number"])
    names = await load_names(since)
    found = restoration(present, since, names, await existing_users(transaction, users_in(since)))
    changes = difference(records_of(present), found.records)
    said = Sentences(names).of(changes)
    if not changes:
        return RestoredRules(present_number, said, found.not_restored)
    await apply_changes(transaction, owner_id, changes, found.records, by_user_id=by_user_id)
    if act is not None:
        note_act(transaction, act.with_change(field="changes", after=said[:MOST_AUDITED]))
    return RestoredRules(await find_number(transaction, owner_id), said, found.not_restored)


def users_in(changed: ChangedRecords) -> set[int]:
    """Returns all users whom the changed records name."""
    records = (each for pair in changed.values() for each in pair if each is not None)
    return {each["user_id"] for each in records if each.get("user_id") is not None}
