"""Conditions as an English sentence, and what a comparison expects, for people who read them. Pure."""

import re
from collections.abc import Sequence
from typing import Any

from leadroutes.domain.condition_fields import STEP_FIELDS, FactValue, field_named
from leadroutes.domain.conditions import Comparison, Conditions, Either, Every, Failure, Not, Tree
from leadroutes.domain.weekly_hours import hours_in_words

ERASED = "erased"  # in place of what was erased with the contact

_ONE_WORD = re.compile(r"[\w.@+#/'-]+")
_AMBIGUOUS = frozenset({"and", "or", "nor", "not", "known", "unknown", "neither"})


def conditions_text(conditions: Conditions) -> str:
    """Returns all of it: `price from 300,000 to 500,000 and state is CO or WY`."""
    return _sentence(conditions.tree)


def _sentence(tree: Tree) -> str:
    match tree:
        case Comparison():
            return comparison_text(tree)
        case Not(part=part):
            return f"not ({_sentence(part)})"
        case Every(parts=parts):
            return " and ".join(_inside(part, Either) for part in parts)
        case Either(parts=parts):
            return " or ".join(_inside(part, Every) for part in parts)


def _inside(part: Tree, other: type[Every | Either]) -> str:
    """Returns a part of a group, in brackets where the words between would be ambiguous."""
    said = _sentence(part)
    return f"({said})" if isinstance(part, other) and len(part.parts) > 1 else said


def comparison_text(comparison: Comparison) -> str:
    """Returns one comparison: `state is CO or WY`."""
    name, operator, value = comparison.field, comparison.operator, comparison.value
    if name == "contact_tags":
        return _tags(operator, value)
    about = field_named(name)
    assert about is not None
    if about.kind == "truth":
        return about.words if value else about.negated
    if about.kind == "moment":
        return f"{about.words} {_hours(value)}"
    words = about.words if name in STEP_FIELDS else shown(about.words)
    return f"{words} {_predicate(operator, value)}"


def _predicate(operator: str, value: Any) -> str:
    if operator in ("begins with", "contains"):
        return f"{operator} {shown(value)}"
    said = _expected(operator, value)
    return said if operator == "between" else f"is {said}"


def _expected(operator: str, value: Any) -> str:
    """Returns what a value has to be."""
    match operator:
        case "equal":
            return shown(value)
        case "different":
            return f"not {shown(value)}"
        case "one of":
            return _listed(value, "or")
        case "none of":
            return f"not {shown(value[0])}" if len(value) == 1 else f"neither {_listed(value, 'nor')}"
        case "at least" | "at most":
            return f"{operator} {shown(value)}"
        case "between":
            return f"from {shown(value[0])} to {shown(value[1])}"
        case "contains":
            return f"text that contains {shown(value)}"
        case "begins with":
            return f"text that begins with {shown(value)}"
        case "within":
            return _hours(value)
    return operator


def _tags(operator: str, value: Any) -> str:
    match operator:
        case "known":
            return "the contact has a tag"
        case "unknown":
            return "the contact has no tag"
        case "equal":
            return f"the contact has the tag {shown(value)}"
        case "different":
            return f"the contact does not have the tag {shown(value)}"
        case "one of":
            return f"the contact has the tag {_listed(value, 'or')}"
    return f"the contact does not have the tag {_listed(value, 'or')}"


def _hours(value: Any) -> str:
    zone = value["timezone"].replace("_", " ")
    hours = value["weekly_hours"]
    return f"{'at any time' if hours is None else hours_in_words(hours)} ({zone})"


def _listed(values: Sequence[Any], word: str) -> str:
    *others, last = [shown(each) for each in values]
    if word == "nor":
        return f" {word} ".join([*others, last])
    return f"{', '.join(others)} {word} {last}" if others else last


def shown(value: Any) -> str:
    """Returns a value in a sentence: numbers with commas, several words in quotation marks."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:,}"
    text = " ".join(str(value).split())
    return text if _ONE_WORD.fullmatch(text) and text.casefold() not in _AMBIGUOUS else f"“{text}”"


# ------------------------------------------------------------------------------------------------------- explanations


def expectation(failure: Failure) -> str:
    """Returns what the comparison expects of the value: `from 300,000 to 500,000`, with `not` where it is negated."""
    comparison = failure.comparison
    said = _expected(comparison.operator, comparison.value)
    return f"not {said}" if failure.is_negated else said


def actual_of(value: FactValue | None) -> object:
    """Returns what the lead has instead, as it is answered: a list as one text, no value as null."""
    return ", ".join(value) if isinstance(value, list) else value
