"""The conditions of a route: read from JSON, compiled, asked whether the facts of a lead meet them, and why not. Pure.

Two-valued: of a missing value only `unknown`, `different` and `none of` are true, and `not` negates what is inside.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from leadroutes.domain.condition_fields import (
    CUSTOM,
    FIELDS,
    OPERATORS,
    TRUE_OF_MISSING,
    WITH_LIST,
    WITHOUT_VALUE,
    Compared,
    FactValue,
    field_named,
    key_of,
    plain,
)
from leadroutes.domain.faults import Faults, quoted, refusal
from leadroutes.domain.moments import wall_clock
from leadroutes.domain.weekly_hours import WeeklyHours, read_weekly_hours

MOST_LEVELS: Final = 5
MOST_COMPARISONS: Final = 50
MOST_VALUES: Final = 200  # in a list
LARGEST_NUMBER: Final = 10**15
GROUPS: Final = ("all", "any", "not")

Facts = Mapping[str, FactValue]
Test = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field against one value. `test` is asked of a value that is there."""

    field: str
    operator: str
    value: Any  # as JSON; None: the operator takes none
    test: Test = dataclass_field(compare=False, repr=False)
    at: str = dataclass_field(compare=False, repr=False)

    @property
    def key(self) -> str:
        return key_of(self.field)

    @property
    def as_json(self) -> dict[str, Any]:
        with_value = {} if self.operator in WITHOUT_VALUE else {"value": self.value}
        return {"field": self.field, "is": self.operator, **with_value}


@dataclass(frozen=True, slots=True)
class Every:
    parts: "tuple[Tree, ...]"

    @property
    def as_json(self) -> dict[str, Any]:
        return {"all": [part.as_json for part in self.parts]}


@dataclass(frozen=True, slots=True)
class Either:
    parts: "tuple[Tree, ...]"

    @property
    def as_json(self) -> dict[str, Any]:
        return {"any": [part.as_json for part in self.parts]}


@dataclass(frozen=True, slots=True)
class Not:
    part: "Tree"

    @property
    def as_json(self) -> dict[str, Any]:
        return {"not": self.part.as_json}


Tree = Comparison | Every | Either | Not


class Failure(NamedTuple):
    """The first comparison because of which conditions are not met; `is_negated`: it is true and should not be."""

    comparison: Comparison
    is_negated: bool


class Conditions:
    """The conditions of a route, compiled; equal where their JSON is."""

    __slots__ = ("_holds", "_keys", "given", "tree")

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.given = tree.as_json
        self._holds = _compiled(tree)
        self._keys = frozenset(each.key for each in comparisons(tree))

    @classmethod
    def read(cls, value: Any, at: str = "conditions", fields: Mapping[str, Compared] = FIELDS) -> "Conditions":
        """Returns conditions of these fields from JSON. Raises Faults with all that is wrong, each by its path."""
        return cls(_Reading(at, fields).whole(value))

    @classmethod
    def stored(cls, value: Any, fields: Mapping[str, Compared] = FIELDS) -> "Conditions":
        """Returns conditions that were valid when they were written; what this version cannot read never holds."""
        try:
            return cls.read(value, fields=fields)
        except Faults:
            return cls(Comparison("conditions", "equal", "conditions that this version can read", _never, ""))

    @property
    def keys(self) -> Collection[str]:
        """Returns the names of the facts that they ask for."""
        return self._keys

    @property
    def custom_fields(self) -> Iterator[Comparison]:
        """Yields the comparisons of fields that the owner has added."""
        return (each for each in comparisons(self.tree) if each.field.startswith(CUSTOM))

    def hold(self, facts: Facts) -> bool:
        """Returns whether a lead of these facts meets them."""
        return self._holds(facts)

    def first_failure(self, facts: Facts) -> Failure | None:
        """Returns the first comparison because of which they are not met, or None if they are."""
        return None if self._holds(facts) else _first_failure(self.tree, facts, wanted=True)

    def first_of(self, keys: Collection[str]) -> Comparison | None:
        """Returns the first comparison that asks for one of these facts."""
        return next((each for each in comparisons(self.tree) if each.key in keys), None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Conditions) and self.given == other.given

    def __hash__(self) -> int:
        return hash(self._keys)

    def __repr__(self) -> str:
        return f"Conditions({self.given!r})"


def conditions_in(text: str | None, fields: Mapping[str, Compared] = FIELDS) -> Conditions | None:
    """Returns conditions that are stored as JSON; None if there are none, or none that this version can read."""
    try:
        return Conditions.read(msgspec.json.decode(text), fields=fields) if text is not None else None
    except Faults:
        return None


def unknown_fields(named: Iterable[Comparison], names: Iterable[str]) -> dict[str, str]:
    """Returns what is wrong with comparisons of fields that the owner, whose fields have these names, does not have."""
    known = {CUSTOM + plain(name): name for name in reversed(list(names))}
    expected = "custom. and one of " + ", ".join(dict.fromkeys(reversed(known.values()))) if known else "no such field"
    return {
        f"{each.at}.field": refusal(f"{each.at}.field", each.field, expected) for each in named if each.key not in known
    }


def comparisons(tree: Tree) -> Iterator[Comparison]:
    """Yields all comparisons, in order."""
    match tree:
        case Comparison():
            yield tree
        case Not(part=part):
            yield from comparisons(part)
        case Every(parts=parts) | Either(parts=parts):
            for part in parts:
                yield from comparisons(part)


# -------------------------------------------------------------------------------------------------------- evaluation


def _compiled(tree: Tree) -> Callable[[Facts], bool]:
    match tree:
        case Comparison():
            return _compiled_comparison(tree)
        case Not(part=part):
            inside = _compiled(part)
            return lambda facts: not inside(facts)
        case Every(parts=parts):
            every = [_compiled(part) for part in parts]
            return lambda facts: all(each(facts) for each in every)
        case Either(parts=parts):
            some = [_compiled(part) for part in parts]
            return lambda facts: any(each(facts) for each in some)


def _compiled_comparison(comparison: Comparison) -> Callable[[Facts], bool]:
    key, test, of_missing = comparison.key, comparison.test, comparison.operator in TRUE_OF_MISSING

    def holds(facts: Facts) -> bool:
        value = facts.get(key)
        return of_missing if value is None else test(value)

    return holds


def _first_failure(tree: Tree, facts: Facts, *, wanted: bool) -> Failure:
    """`tree` is not what is wanted. Of parts that only fail together the first is named."""
    match tree:
        case Comparison():
            return Failure(tree, is_negated=not wanted)
        case Not(part=part):
            return _first_failure(part, facts, wanted=not wanted)
        case Every(parts=parts) | Either(parts=parts):
            failing = (part for part in parts if _compiled(part)(facts) is not wanted)
            return _first_failure(next(failing), facts, wanted=wanted)


# ------------------------------------------------------------------------------------------------- what a value means


class _Wrong(ValueError):  # noqa: N818 -- caught in this module
    """A value does not fit. `what` was expected; `place` is its place in a list."""

    def __init__(self, what: str, given: Any, place: int | None = None) -> None:
        super().__init__(what)
        self.what, self.given, self.place = what, given, place


def _meaning(about: Compared, operator: str, value: Any) -> tuple[Any, Test]:
    """Returns the value as JSON, and the test of a value that is there. Raises _Wrong or Faults."""
    if operator in WITHOUT_VALUE:
        return None, (_always if operator == "known" else _never)
    if about.kind == "truth":
        return _truth(about, value)
    if operator in WITH_LIST:
        values = _list(about, value)
        is_one = _is_one_of(about, values)
        return values, (is_one if operator == "one of" else lambda actual: not is_one(actual))
    if about.kind == "number":
        return _of_number(operator, value)
    if operator in ("contains", "begins with"):
        return _of_part(about, operator, value)
    only = _one(about, value)
    is_it = _is_one_of(about, [only])
    return only, (is_it if operator == "equal" else lambda actual: not is_it(actual))


def _always(_actual: Any) -> bool:
    return True


def _never(_actual: Any) -> bool:
    return False


def _truth(about: Compared, value: Any) -> tuple[Any, Test]:
    if not isinstance(value, bool):
        raise _Wrong(about.expected, value)
    return value, lambda actual: actual is value


def _list(about: Compared, value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise _Wrong("a list with one value or more", value)
    if len(value) > MOST_VALUES:
        raise _Wrong(f"at most {MOST_VALUES} values", f"{len(value)} values")
    values = []
    for place, each in enumerate(value):
        try:
            values.append(_one(about, each))
        except _Wrong as wrong:
            raise _Wrong(wrong.what, each, place) from None
    return values


def _one(about: Compared, value: Any) -> Any:
    """Returns one value in the form in which it is stored."""
    if about.kind == "number":
        return _number(value)
    if not isinstance(value, str) or "\0" in value or not about.whole(value):
        raise _Wrong(f"{about.expected}, which is not empty" if about.expected == "text" else about.expected, value)
    if not about.fits(value):
        raise _Wrong(about.expected, value)
    return value


_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?", re.ASCII)


def _number(value: Any) -> int | float:
    number: Any = Decimal(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        raise _Wrong("a number", value)
    if not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:  # NaN is neither
        raise _Wrong(f"a number from -{LARGEST_NUMBER} to {LARGEST_NUMBER}", value)
    return int(number) if number == int(number) else float(number)


def _is_one_of(about: Compared, values: list[Any]) -> Test:
    """Returns a test whether a number or text is one of these, or whether one of the contact's tags is."""
    if about.kind == "number":
        numbers = frozenset(values)
        return lambda actual: actual in numbers
    wanted, whole = frozenset(about.whole(each) for each in values), about.whole
    if about.kind == "tags":
        return lambda actual: any(whole(each) in wanted for each in actual)
    return lambda actual: whole(actual) in wanted


def _of_number(operator: str, value: Any) -> tuple[Any, Test]:
    if operator == "between":
        return _between(value)
    number = _number(value)
    tests: dict[str, Test] = {
        "equal": lambda actual: actual == number,
        "different": lambda actual: actual != number,
        "at least": lambda actual: actual >= number,
        "at most": lambda actual: actual <= number,
    }
    return number, tests[operator]


def _between(value: Any) -> tuple[Any, Test]:
    if not isinstance(value, list) or len(value) != 2:
        raise _Wrong("two numbers, the smaller one first", value)
    least, most = (_number(each) for each in value)
    if least > most:
        raise _Wrong("two numbers, the smaller one first", f"{least} to {most}")
    return [least, most], lambda actual: least <= actual <= most


def _of_part(about: Compared, operator: str, value: Any) -> tuple[Any, Test]:
    if not isinstance(value, str) or "\0" in value or not about.part(value):
        raise _Wrong("text, which is not empty", value)
    part, in_parts = about.part(value), about.part
    if operator == "contains":
        return value, lambda actual: part in in_parts(actual)
    return value, lambda actual: in_parts(actual).startswith(part)


def _within(value: Any, at: str) -> tuple[Any, Test]:
    """Raises _Wrong or Faults."""
    if not isinstance(value, dict) or not {"timezone", "weekly_hours"} >= set(value):
        raise _Wrong(FIELDS["received_at"].expected, value)
    faults = {f"{at}.{name}": f"{at}.{name} is required" for name in ("timezone", "weekly_hours") if name not in value}
    name, hours, given = value.get("timezone"), None, value.get("weekly_hours")
    if "timezone" in value and not (isinstance(name, str) and name in _zones()):
        faults[f"{at}.timezone"] = refusal(f"{at}.timezone", name, "a name like America/Denver")
    if given is not None:
        try:
            hours = read_weekly_hours(given, f"{at}.weekly_hours")
        except Faults as wrong:
            faults |= wrong.found
    if faults:
        raise Faults(faults)
    return {"timezone": name, "weekly_hours": given}, _is_within(ZoneInfo(str(name)), hours)


@cache
def _zones() -> Collection[str]:
    """They are looked up in a thousand files."""
    return frozenset(available_timezones())


def _is_within(zone: ZoneInfo, hours: WeeklyHours | None) -> Test:
    if hours is None:
        return _always
    return lambda actual: hours.has(wall_clock(datetime.fromisoformat(actual), zone))


# ----------------------------------------------------------------------------------------------------------- reading


class _Reading:
    """One reading: what is wrong so far, and how many comparisons there are."""

    def __init__(self, at: str, fields: Mapping[str, Compared]) -> None:
        self._at, self._fields = at, fields
        self._faults: dict[str, str] = {}
        self._comparisons = 0

    def whole(self, value: Any) -> Tree:
        tree = self._tree(value, self._at, 1)
        if self._comparisons > MOST_COMPARISONS:
            self._faults = {self._at: f"{self._at}: at most {MOST_COMPARISONS} comparisons are expected"}
        if self._faults or tree is None:
            raise Faults(self._faults)
        return tree

    def _tree(self, value: Any, at: str, level: int) -> Tree | None:
        if self._comparisons > MOST_COMPARISONS or len(self._faults) > MOST_COMPARISONS:
            return None
        if not isinstance(value, dict) or not any(name in value for name in (*GROUPS, "field", "is")):
            return self._refuse(at, refusal(at, value, "an object with all, any or not, or with field and is"))
        if level > MOST_LEVELS:
            return self._refuse(at, f"{at}: at most {MOST_LEVELS} levels are expected")
        forms = [name for name in (*GROUPS, "field") if name in value]
        if len(forms) > 1:
            return self._refuse(at, f"{at}: {' and '.join(forms)} were given; expected one of them in an object")
        form = forms[0] if forms else "field"
        known = ("field", "is", "value") if form == "field" else (form,)
        unknown = [name for name in value if name not in known]
        for name in unknown[:MOST_COMPARISONS]:
            where = f"{at}.{name[:60]}"
            self._refuse(where, f"{where}: this key is not known; expected {', '.join(known)}")
        if form == "field":
            return self._comparison(value, at)
        if form == "not":
            part = self._tree(value["not"], f"{at}.not", level + 1)
            return Not(part) if part is not None else None
        return self._group(form, value[form], f"{at}.{form}", level)

    def _group(self, form: str, given: Any, at: str, level: int) -> Tree | None:
        if not isinstance(given, list) or not given:
            return self._refuse(at, refusal(at, given, "a list with one condition or more"))
        read = [
            self._tree(each, f"{at}[{place}]", level + 1) for place, each in enumerate(given[: MOST_COMPARISONS + 1])
        ]
        parts = tuple(part for part in read if part is not None)
        if len(given) > MOST_COMPARISONS:
            self._comparisons = len(given)
        return Every(parts) if form == "all" else Either(parts)

    def _comparison(self, value: Mapping[str, Any], at: str) -> Tree | None:
        self._comparisons += 1
        about = field_named(value.get("field"), self._fields)
        if about is None:
            known = ", ".join(self._fields)
            return self._refuse_word(value, "field", at, f"one of {known}, or custom. and a field of yours")
        operator = value.get("is")
        if operator not in OPERATORS[about.kind]:
            return self._refuse_word(value, "is", at, f"one of {', '.join(OPERATORS[about.kind])}")
        where = f"{at}.value"
        if operator in WITHOUT_VALUE and "value" in value:
            return self._refuse(where, f"{where}: {quoted(value['value'])} was given; {operator!r} takes no value")
        if operator not in WITHOUT_VALUE and "value" not in value:
            return self._refuse(where, f"{where} is required")
        try:
            if about.kind == "moment":
                stored, test = _within(value["value"], where)
            else:
                stored, test = _meaning(about, operator, value.get("value"))
        except Faults as wrong:
            self._faults |= wrong.found
            return None
        except _Wrong as wrong:
            where = where if wrong.place is None else f"{where}[{wrong.place}]"
            return self._refuse(where, refusal(where, wrong.given, wrong.what))
        return Comparison(value["field"], operator, stored, test, at)

    def _refuse_word(self, value: Mapping[str, Any], name: str, at: str, expected: str) -> Tree | None:
        where = f"{at}.{name}"
        message = refusal(where, value[name], expected) if name in value else f"{where} is required"
        return self._refuse(where, message)

    def _refuse(self, at: str, message: str) -> Tree | None:
        self._faults[at] = message
        return None
