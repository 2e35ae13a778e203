"""The difference between two rule sets, as values and as sentences: `Route 12: priority 0 → 5`. Pure.

Versions, dry runs and restores use it alike; the fields are those of `rule_fields`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from leadroutes.domain.condition_words import conditions_text
from leadroutes.domain.conditions import Conditions
from leadroutes.domain.rule_fields import (
    BY_NAME,
    KINDS,
    LISTING_AGENT,
    MEMBER,
    OPTION,
    STEP,
    TEAM,
    ConditionTree,
    RuleField,
    RuleKind,
    RuleMoment,
    RuleReference,
    Seconds,
    SendingHours,
    SeveralWords,
    Shares,
    StepStart,
    Words,
    Zipcodes,
)
from leadroutes.domain.rule_records import Names, Record, Records, Spellings, is_new
from leadroutes.domain.windows import window_in_words

MOST_ZIPCODES = 10  # that a sentence lists
STARTS = {1: "the start of the campaign", 2: "each birthday"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """What happened to one record: `before` None: it is added; `after` None: it is removed."""

    kind: RuleKind
    id: int
    before: Record | None
    after: Record | None

    @property
    def what(self) -> Literal["added", "removed", "changed"]:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    @property
    def fields(self) -> tuple[RuleField, ...]:
        """Returns the fields of a changed record that differ."""
        before, after = self.before or {}, self.after or {}
        return tuple(each for each in self.kind.fields if _value(before, each) != _value(after, each))


def difference(before: Records, after: Records) -> list[RuleChange]:
    """Returns what differs, by kind and id. What goes with a team that is removed is not listed."""
    found = []
    for kind in KINDS:
        old, new = before[kind.name], after[kind.name]
        for record_id in sorted(old.keys() | new.keys()):
            change = RuleChange(kind=kind, id=record_id, before=old.get(record_id), after=new.get(record_id))
            if change.what != "changed" or change.fields or _has_moved(change):
                found.append(change)
    return _without_consequences(found)


def _has_moved(change: RuleChange) -> bool:
    """Whether an option is of another member than before."""
    old, new = change.before or {}, change.after or {}
    return any(old.get(name) != new.get(name) for name in ("team_id", "user_id") if change.kind is OPTION)


def _without_consequences(found: Sequence[RuleChange]) -> list[RuleChange]:
    teams = {each.id for each in found if each.kind is TEAM and each.what == "removed"}
    members = {_place(each.before) for each in found if each.kind is MEMBER and each.before and each.what == "removed"}

    def follows(each: RuleChange) -> bool:
        if each.what != "removed" or each.before is None or each.kind not in (MEMBER, OPTION):
            return False
        return each.before["team_id"] in teams or (each.kind is OPTION and _place(each.before) in members)

    return [each for each in found if not follows(each)]


def _place(record: Record) -> tuple[int, int]:
    return (record["team_id"], record["user_id"])


def _value(record: Record, each: RuleField) -> Any:
    """Returns a value in the form in which it is compared: nothing is the same as an empty list."""
    value = record.get(each.name)
    match each.kind:
        case Zipcodes():
            return list(value or ())
        case RuleMoment():
            return datetime.fromisoformat(value) if isinstance(value, str) else value
    return each.default if value is None and each.default is not None else value


# ---------------------------------------------------------------------------------------------------------- sentences


class Sentences:
    """Words differences for a reader, who knows records by what `names` says of them."""

    def __init__(self, names: Names) -> None:
        kinds = ("lead_sources", "contact_sources", "campaigns", "templates", "people", "teams")
        self._spellings = {to: Spellings(names.of(to)) for to in kinds}

    def of(self, changes: Sequence[RuleChange]) -> list[str]:
        """Returns a sentence for each field that was changed, and for each record that was added or removed."""
        for change in changes:
            record = change.after or change.before or {}
            known = self._spellings["teams"]
            if change.kind is TEAM and change.id not in known.names and record.get("name"):
                known.add(change.id, record["name"])
        return [sentence for change in changes for sentence in self._of(change)]

    def _of(self, change: RuleChange) -> Iterator[str]:
        subject = self.subject(change)
        if change.before is None or change.after is None:
            about = self._about(change.kind, change.after or change.before or {})
            yield f"{subject}: {change.what}" + (f" ({about})" if about else "")
            return
        if _has_moved(change):
            yield f"{subject}: was of {self._whose(change.before)}"
        for each in change.fields:
            yield f"{subject}: {self._field(each, change.before.get(each.name), change.after.get(each.name))}"

    def subject(self, change: RuleChange) -> str:
        """Returns how a sentence calls the record: `Route 12`, `Option 7 (bob@example.com in Denver)`."""
        record = change.after or change.before or {}
        noun = change.kind.noun
        name = f"New {noun[0].lower()}{noun[1:]}" if is_new(change.id) else f"{noun} {change.id}"
        if change.kind in (MEMBER, OPTION):
            return f"{name} ({self._whose(record)})"
        if change.kind is STEP and record.get("campaign_id") is not None:
            return f"{name} ({self._name('campaigns', record['campaign_id'])})"
        return f"{name} {record['name']}" if is_new(change.id) and record.get("name") else name

    def _whose(self, record: Record) -> str:
        return f"{self._name('people', record.get('user_id'))} in {self._name('teams', record.get('team_id'))}"

    def _name(self, to: str, record_id: int | None) -> str:
        return self._spellings[to].of(record_id) if record_id is not None else "none"

    def _about(self, kind: RuleKind, record: Record) -> str:
        """Returns what a record says that differs from a blank one; of marks that may be absent, those that are on."""
        values = [(each, _value(record, each)) for each in kind.fields]
        said = [
            each
            for each, value in values
            if value not in (None, each.default, []) and (value is not False or each.is_required)
        ]
        if kind is LISTING_AGENT:
            return ", ".join(self._shown(each, record[each.name]) for each in said)
        return ", ".join(f"{each.in_words} {self._shown(each, record[each.name])}" for each in said)

    def _field(self, each: RuleField, before: Any, after: Any) -> str:
        if isinstance(each.kind, Zipcodes):
            return f"{each.in_words} {_listed(before or (), after or ())}"
        blank = each.default
        old, new = (blank if value is None else value for value in (before, after))
        return f"{each.in_words} {self._shown(each, old)} → {self._shown(each, new)}"

    def _shown(self, each: RuleField, value: Any) -> str:
        match each.kind, value:
            case _, None:
                return "none"
            case RuleReference(to=to), int():
                return self._name(to, value)
            case ConditionTree(fields=fields), _:
                return f"“{conditions_text(Conditions.stored(value, fields))}”"
            case SendingHours(), _:
                return str(window_in_words(value))
            case Shares(), _:
                return ", ".join(f"{self._name('templates', part['template_id'])} ({part['share']})" for part in value)
            case _, bool():
                return "yes" if value else "no"
            case Seconds(), int():
                return _span(value)
            case StepStart(), int():
                return STARTS.get(value, str(value))
            case Words(), str():
                return f"“{value}”"
            case SeveralWords(), _:
                return ", ".join(value) or "nothing"
            case Zipcodes(), _:
                return _some(value)
            case RuleMoment(), _:
                moment = datetime.fromisoformat(value) if isinstance(value, str) else value
                return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return str(value)


def _span(seconds: int) -> str:
    """Returns `1 day 2 hours 30 minutes`, with every second, so that two spans never read the same."""
    parts = []
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number} {unit}{'s' if number != 1 else ''}")
    return " ".join(parts) or "0 seconds"


def _listed(before: Sequence[str], after: Sequence[str]) -> str:
    old, new = set(before), set(after)
    gone, come = [each for each in before if each not in new], [each for each in after if each not in old]
    parts = ([f"{_some(come)} added"] if come else []) + ([f"{_some(gone)} removed"] if gone else [])
    return "; ".join(parts) or "in another order"


def _some(zipcodes: Sequence[str]) -> str:
    more = len(zipcodes) - MOST_ZIPCODES
    return ", ".join(zipcodes[:MOST_ZIPCODES]) + (f" and {more} more" if more > 0 else "")


def records_with(changes: Mapping[tuple[str, int], Record | None]) -> Records:
    """Returns records of single ones by kind and id; None: there is no such record."""
    found: Records = {kind.name: {} for kind in KINDS}
    for (name, record_id), record in changes.items():
        if name in BY_NAME and record is not None:
            found[name][record_id] = record
    return found
