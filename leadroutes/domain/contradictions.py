"""Whether conditions can ever be met, and whether some follow from others. Pure, and never a guess.

What cannot be decided here counts as possible: conditions that can be met, and that do not follow.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import ceil, floor
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from leadroutes.domain.condition_fields import CUSTOM, TRUE_OF_MISSING, WITH_LIST, Compared, field_named
from leadroutes.domain.condition_words import comparison_text
from leadroutes.domain.conditions import Comparison, Conditions, Either, Every, Not, Tree
from leadroutes.domain.weekly_hours import read_weekly_hours

MOST_WAYS: Final = 5_000  # of meeting conditions; where there are more, they count as possible
MOST_BOUNDARIES: Final = 400  # of hours in one comparison of moments
NEVER_MISSING: Final = frozenset({"contact_is_new", "received_at"})
SMALLEST_PRICE: Final = 1  # intake reads whole dollars, and 0 as no price
_MONDAY: Final = datetime(2026, 1, 5, tzinfo=UTC)
_WEEKS: Final = 53  # in which every difference between two time zones occurs


class Wish(NamedTuple):
    """A comparison, and whether it is to hold."""

    comparison: Comparison
    is_wanted: bool = True

    def __str__(self) -> str:
        said = comparison_text(self.comparison) if field_named(self.comparison.field) else "a comparison"
        return said if self.is_wanted else f"not ({said})"

    def holds(self, value: Any) -> bool:
        """Returns whether a value is as wished; None is a missing one."""
        if value is None:
            return (self.comparison.operator in TRUE_OF_MISSING) is self.is_wanted
        return bool(self.comparison.test(value)) is self.is_wanted

    @property
    def values(self) -> list[Any]:
        """Returns what it compares with, as a list."""
        value, operator = self.comparison.value, self.comparison.operator
        return list(value) if operator in WITH_LIST or operator == "between" else [value]

    @property
    def is_of_these(self) -> bool:
        """Whether only what it names is as wished."""
        return self.comparison.operator in (("equal", "one of") if self.is_wanted else ("different", "none of"))

    @property
    def is_of_no_such(self) -> bool:
        """Whether all but what it names is as wished."""
        return self.comparison.operator in (("different", "none of") if self.is_wanted else ("equal", "one of"))

    @property
    def is_of_nothing(self) -> bool:
        """Whether only a missing value is as wished."""
        return self.comparison.operator == ("unknown" if self.is_wanted else "known")


Way = tuple[Wish, ...]


def contradiction(conditions: Conditions, type_: str | None, custom_fields: Collection[str]) -> Way | None:
    """Returns what of conditions can never be met together, or None if they can be met.

    `type_`: the type of lead that the route's filter admits. `custom_fields`: the keys of those that the owner has.
    """
    given = _of_type(type_)
    certain = _first_impossible(given + _certain(conditions.tree, wanted=True), custom_fields)
    if certain is not None:
        return certain
    first = None
    for number, way in enumerate(_ways(conditions.tree, wanted=True)):
        impossible = _first_impossible(given + way, custom_fields)
        if impossible is None or number >= MOST_WAYS:
            return None
        first = first or impossible
    return first


def follows(earlier: Conditions | None, later: Conditions | None, type_: str | None = None) -> bool:
    """Returns whether every lead of this type that meets `later` meets `earlier` as well, as far as that is certain."""
    if earlier is None or earlier == later:
        return True
    given = _of_type(type_)
    both = Not(earlier.tree) if later is None else Every((later.tree, Not(earlier.tree)))
    ways = list(islice(_ways(both, wanted=True), MOST_WAYS + 1))
    return len(ways) <= MOST_WAYS and all(_first_impossible(given + way) is not None for way in ways)


def _of_type(type_: str | None) -> Way:
    """The filter of a route as a comparison."""
    if not (type_ or "").strip():
        return ()
    tree = Conditions.read({"field": "type", "is": "equal", "value": type_}).tree
    assert isinstance(tree, Comparison)
    return (Wish(tree),)


# ------------------------------------------------------------------------------------------------------------- ways


def _certain(tree: Tree, *, wanted: bool) -> Way:
    """Returns the comparisons that are the same in every way of meeting a tree."""
    match tree:
        case Comparison():
            return (Wish(tree, wanted),)
        case Not(part=part):
            return _certain(part, wanted=not wanted)
        case Every(parts=parts) | Either(parts=parts):
            is_each = isinstance(tree, Every) is wanted or len(parts) == 1
            return tuple(wish for part in parts for wish in _certain(part, wanted=wanted)) if is_each else ()


def _ways(tree: Tree, *, wanted: bool) -> Iterator[Way]:
    """Yields every way in which a tree is as wanted: comparisons that have to be so together."""
    match tree:
        case Comparison():
            yield (Wish(tree, wanted),)
        case Not(part=part):
            yield from _ways(part, wanted=not wanted)
        case Every(parts=parts) | Either(parts=parts):
            if isinstance(tree, Every) is wanted:
                yield from _together(parts, wanted=wanted)
            else:
                for part in parts:
                    yield from _ways(part, wanted=wanted)


def _together(parts: Sequence[Tree], *, wanted: bool) -> Iterator[Way]:
    if not parts:
        yield ()
        return
    for way in _ways(parts[0], wanted=wanted):
        for others in _together(parts[1:], wanted=wanted):
            yield way + others


def _first_impossible(way: Way, custom_fields: Collection[str] | None = None) -> Way | None:
    """Returns the first wishes of one field that no value fulfils together, as few as show it."""
    by_key: dict[str, list[Wish]] = {}
    for wish in way:
        by_key.setdefault(wish.comparison.key, []).append(wish)
    for wishes in by_key.values():
        if not _can_be(wishes, custom_fields):
            return _fewest(wishes, custom_fields)
    return None


def _fewest(wishes: list[Wish], custom_fields: Collection[str] | None) -> Way:
    for wish in list(wishes):
        others = [each for each in wishes if each is not wish]
        if others and not _can_be(others, custom_fields):
            wishes = others
    return tuple(wishes)


# ---------------------------------------------------------------------------------------------------------- values


def _can_be(wishes: Sequence[Wish], custom_fields: Collection[str] | None) -> bool:
    """Returns whether a value of one field, or a missing one, may be as wished."""
    key = wishes[0].comparison.key
    about = field_named(wishes[0].comparison.field)
    if about is None:
        return all(wish.holds("") for wish in wishes)
    if key not in NEVER_MISSING and all(wish.holds(None) for wish in wishes):
        return True
    if custom_fields is not None and key.startswith(CUSTOM) and key not in custom_fields:
        return False
    if any(wish.is_of_nothing for wish in wishes):
        return False
    match about.kind:
        case "truth":
            return _any(wishes, (True, False))
        case "number":
            return _any(wishes, _numbers(wishes, key))
        case "tags":
            return _can_be_tags(wishes, about)
        case "moment":
            return _can_be_moment(wishes)
        case "text":
            return _can_be_text(wishes, about)


def _any(wishes: Sequence[Wish], values: Iterable[Any]) -> bool:
    return any(all(wish.holds(value) for wish in wishes) for value in values)


def _numbers(wishes: Sequence[Wish], key: str) -> list[float]:
    """Returns a number from each stretch in which all comparisons have the same result."""
    named = {each for wish in wishes for each in wish.values if isinstance(each, int | float)}
    whole = {near for each in named for near in (floor(each) - 1, floor(each), ceil(each), ceil(each) + 1)}
    if key == "price":
        return sorted(each for each in whole | {SMALLEST_PRICE} if each >= SMALLEST_PRICE)
    return sorted(named | whole | {each + by for each in named for by in (-0.5, 0.5)} | {0})


def _can_be_text(wishes: Sequence[Wish], about: Compared) -> bool:
    of_these = next((wish for wish in wishes if wish.is_of_these), None)
    if of_these is not None:
        return _any(wishes, [form for each in of_these.values for form in (each, about.whole(each))])
    begins, contains, begins_not, contains_not = (
        [
            about.part(wish.comparison.value)
            for wish in wishes
            if wish.comparison.operator == operator and wish.is_wanted is wanted
        ]
        for wanted in (True, False)
        for operator in ("begins with", "contains")
    )
    beginning = max(begins, key=len, default="")
    if not all(beginning.startswith(each) for each in begins):
        return False
    if any(beginning.startswith(each) for each in begins_not):
        return False
    return not any(each in part for each in contains_not for part in (beginning, *contains))


def _can_be_tags(wishes: Sequence[Wish], about: Compared) -> bool:
    """A list of tags has one of each wanted set, and none that is not wanted. No tag contains a comma."""
    refused = {about.whole(each) for wish in wishes if wish.is_of_no_such for each in wish.values}
    wanted = [wish.values for wish in wishes if wish.is_of_these]
    return all(any("," not in each and about.whole(each) not in refused for each in values) for values in wanted)


def _can_be_moment(wishes: Sequence[Wish]) -> bool:
    """What holds for all hours, or for none, needs no example; else a boundary of some hours is one, if any."""
    boundaries: set[tuple[str, int]] = {("UTC", 0)}
    for wish in wishes:
        given = wish.comparison.value
        if given["weekly_hours"] is None:
            if not wish.is_wanted:
                return False
            continue
        ranges = read_weekly_hours(given["weekly_hours"], "").ranges
        if wish.is_wanted and not ranges:
            return False
        boundaries |= {(given["timezone"], minute) for each in ranges for minute in each}
    if len(boundaries) > MOST_BOUNDARIES:
        return True
    moments = (_moment(zone, week, minute) for week in range(_WEEKS) for zone, minute in sorted(boundaries))
    return _any(wishes, moments)


def _moment(zone: str, week: int, minute: int) -> str:
    wall_clock = _MONDAY + timedelta(weeks=week, minutes=minute)
    return wall_clock.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).isoformat().replace("+00:00", "Z")
