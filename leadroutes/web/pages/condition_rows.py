"""Conditions as rows of a form: field, comparison, value; from JSON to what is typed, and back.

What rows cannot show, such as conditions inside others, stays as it is and is shown as its sentence.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from leadroutes.domain.condition_fields import CUSTOM, FIELDS, WITH_LIST, WITHOUT_VALUE, Compared, field_named
from leadroutes.domain.condition_words import conditions_text
from leadroutes.domain.conditions import MOST_COMPARISONS, Conditions
from leadroutes.domain.faults import Faults
from leadroutes.domain.weekly_hours import hours_from_words, hours_in_words
from leadroutes.web.sent import Sent

GROUPS: Final = {"all": "all of these conditions", "any": "at least one of these conditions"}
OPERATORS: Final = {
    "equal": "is",
    "different": "is not",
    "one of": "is one of",
    "none of": "is not any of",
    "at least": "is at least",
    "at most": "is at most",
    "between": "is between",
    "contains": "contains",
    "begins with": "begins with",
    "known": "is known",
    "unknown": "is not known",
    "within": "is within",
}
INCOMPLETE: Final = "conditions that are not complete yet"
_WORDS: Final = {
    "contact_is_new": "contact is new", "contact_tags": "contact’s tags", "received_at": "time of arrival",
    "replied": "contact has replied", "claimed": "lead is claimed", "has_mobile": "contact has a mobile phone",
}  # fmt: skip
_PART_OF_PATH = re.compile(r"conditions(?:\.(?:all|any)\[(\d+)\])?\.(field|is|value)\b.*")
_TO = re.compile(r" ?(?:\bto\b|\band\b|–) ?| - |(?<=\d)-(?=[$\d])")
_BETWEEN_NUMBERS, _BETWEEN_WORDS = re.compile(r",\s|;"), re.compile("[,;]")


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One comparison, as it is typed."""

    field: str = ""
    operator: str = "equal"
    value: str = ""

    @property
    def is_blank(self) -> bool:
        return not self.field and not self.value.strip()


@dataclass(frozen=True, slots=True)
class Rows:
    """Conditions that rows can show; `retained` is the sentence of those that they cannot."""

    group: str = "all"
    rows: tuple[ConditionRow, ...] = ()
    retained: str | None = None

    @property
    def filled(self) -> tuple[ConditionRow, ...]:
        return tuple(row for row in self.rows if not row.is_blank)


def field_choices(
    custom_fields: Iterable[str], shown: Rows, among: Mapping[str, Compared] = FIELDS
) -> list[tuple[str, str]]:
    """Returns the fields to choose from; those that a row names already are among them."""
    choices = {"": "Choose a field"} | {name: _name(_WORDS.get(name, about.words)) for name, about in among.items()}
    choices |= {CUSTOM + name: name for name in custom_fields}
    known = {name.casefold() for name in choices}
    others = [row.field for row in shown.rows if row.field.casefold() not in known]
    return list((choices | {name: name.removeprefix(CUSTOM) for name in others}).items())


def _name(words: str) -> str:
    return words[:1].upper() + words[1:]


# --------------------------------------------------------------------------------------------------- what is stored


def stored_rows(conditions: Mapping[str, Any] | None, text: str | None) -> Rows:
    """Returns the rows of stored conditions; `text` is their sentence."""
    if conditions is None:
        return Rows()
    group = next((name for name in GROUPS if name in conditions), "all")
    comparisons = conditions.get(group, [conditions])
    rows = tuple(_shown(each) for each in comparisons if "field" in each)
    shown = Rows(group, rows)
    is_whole = len(rows) == len(comparisons) and [_as_json(row, "") for row in rows] == comparisons
    return shown if is_whole else Rows(retained=text or "")


def _shown(comparison: Mapping[str, Any]) -> ConditionRow:
    operator: str = comparison["is"]
    value: Any = comparison.get("value")
    if operator == "within":
        hours = value["weekly_hours"]
        text = f"{hours_in_words(hours) if hours is not None else 'at any time'} ({value['timezone']})"
    elif operator == "between":
        text = " to ".join(_one(each) for each in value)
    else:
        text = ", ".join(_one(each) for each in value) if isinstance(value, list) else _one(value)
    return ConditionRow(comparison["field"], operator, text)


def _one(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int | float) else value or ""


# ---------------------------------------------------------------------------------------------------- what is typed


def typed_rows(sent: Sent) -> Rows:
    """Returns the rows of a form; those of a gap in the numbers are blank."""
    names = (re.fullmatch(r"condition-(\d{1,2})-(?:field|is|value)", name) for name in sent.fields)
    numbers = [int(found[1]) for found in names if found]
    rows = [
        ConditionRow(
            sent.get(f"condition-{each}-field"),
            sent.get(f"condition-{each}-is", "equal"),
            sent.get(f"condition-{each}-value"),
        )
        for each in range(max(numbers, default=-1) + 1)
    ]
    return Rows("any" if sent.get("condition-group") == "any" else "all", tuple(rows))


def is_sent(sent: Sent) -> bool:
    """Returns whether the form had rows, and not conditions that rows cannot show."""
    return sent.get("conditions") == "rows"


def is_unchanged(sent: Sent, conditions: Mapping[str, Any] | None, text: str | None) -> bool:
    """Returns whether the rows of a form say what is stored, also as to whether all of them have to hold or one."""
    typed, stored = typed_rows(sent), stored_rows(conditions, text)
    return stored.retained is None and (typed.group, typed.filled) == (stored.group, stored.filled)


def pressed(sent: Sent, press: str, do: str) -> Sent:
    """Returns the form `do` with one more row (`add`), or without one of them (`drop-2`); all else is as typed."""
    typed = typed_rows(sent)
    word, _, number = press.partition("-")
    if word == "drop" and number.isascii() and number.isdigit() and len(number) <= 2:
        left = tuple(row for place, row in enumerate(typed.rows) if place != int(number))
    else:
        left = (*typed.rows, ConditionRow())[:MOST_COMPARISONS]
    fields = {name: values for name, values in sent.fields.items() if not name.startswith("condition-")}
    fields["condition-group"] = [typed.group]
    for place, row in enumerate(left):
        fields[f"condition-{place}-field"] = [row.field]
        fields[f"condition-{place}-is"] = [row.operator]
        fields[f"condition-{place}-value"] = [row.value]
    return replace(sent, fields=fields | {"do": [do]})


def as_json(rows: Rows, zone: str) -> dict[str, Any] | None:
    """Returns what the rows say, for the API, which says what is wrong with it. Hours without a zone are in `zone`."""
    comparisons = [_as_json(row, zone) for row in rows.filled]
    return comparisons[0] if len(comparisons) == 1 else {rows.group: comparisons} if comparisons else None


def _as_json(row: ConditionRow, zone: str) -> dict[str, Any]:
    text = row.value.strip()
    if row.operator in WITHOUT_VALUE and not text:
        return {"field": row.field, "is": row.operator}
    return {"field": row.field, "is": row.operator, "value": _value(row, text, zone)}


def _value(row: ConditionRow, text: str, zone: str) -> Any:
    about = field_named(row.field)
    kind = about.kind if about is not None else "text"
    if kind == "truth":
        return {"yes": True, "true": True, "no": False, "false": False}.get(text.lower(), text)
    if kind == "moment":
        return _hours(text, zone)
    if row.operator == "between":
        return [_number(each) for each in _TO.split(" ".join(text.split()))]
    if row.operator in WITH_LIST:
        divided = _BETWEEN_NUMBERS.split(text) if kind == "number" else _BETWEEN_WORDS.split(text)
        each_of = (each.strip() for each in divided)
        return [_number(each) if kind == "number" else each for each in each_of if each]
    return _number(text) if kind == "number" else text


def _number(text: str) -> int | float | str:
    """Returns the number that is typed: `$300,000`; all else is refused by the API."""
    bare = text.strip().removeprefix("$").replace(",", "").strip()
    if not re.fullmatch(r"-?\d{1,15}(\.\d{1,10})?", bare, re.ASCII):
        return text
    return float(bare) if "." in bare else int(bare)


def _hours(text: str, zone: str) -> Any:
    words, bracket, named = text.strip().removesuffix(")").partition("(")
    hours = hours_from_words(words)
    if hours is None or bool(bracket) != text.strip().endswith(")"):
        return text
    return {"timezone": (named.strip() or zone).replace(" ", "_"), "weekly_hours": hours}


def typed_text(sent: Sent, zone: str) -> str | None:
    """Returns what the rows of a form say as a sentence, for the sentences beside it."""
    conditions = as_json(typed_rows(sent), zone)
    if conditions is None:
        return None
    try:
        return conditions_text(Conditions.read(conditions))
    except Faults:
        return INCOMPLETE


def by_row(errors: Mapping[str, str], rows: Rows) -> dict[str, str]:
    """Returns the faults of the API at the fields of the form that they are about."""
    places = [place for place, row in enumerate(rows.rows) if not row.is_blank]
    found: dict[str, str] = {}
    for path, message in errors.items():
        about = _PART_OF_PATH.fullmatch(path)
        number = int(about[1] or 0) if about else 0
        if about is None or number >= len(places):
            found["conditions" if path.startswith("conditions") else path] = message
        else:
            words = message.removeprefix(path).removeprefix(": ")
            found.setdefault(f"condition-{places[number]}-{about[2]}", f"Condition {places[number] + 1}: {words}")
    return found
