"""Reads a query string: conditions in SQL with bound values, order, page, selection. One table of operators.

Fields come from declarations only, and no value becomes part of SQL text.
"""

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from typing import Any

from leadroutes.api.auth import Caller, Grant
from leadroutes.api.brackets import parse
from leadroutes.api.resource import Field, Resource, Search
from leadroutes.api.searches import FOUND, search_sql
from leadroutes.api.sql_parts import Order, default_order, sorted_by
from leadroutes.api.statements import first_free
from leadroutes.api.values import LARGEST_ID, Bool, Integer, quoted
from leadroutes.domain.search import LONGEST_SEARCH, MOST_WORDS, search_patterns, tag_pattern
from leadroutes.errors import Invalid

MAX_PAGE = 1000
MAX_COMPUTED = 50  # conditions on fields that are computed for each row; a list counts as one
DEFAULT_PAGE = 10
MAX_SKIP = 2**53 - 1
DRY_RUN = "dry_run"  # of a write that is only tried
NOTHING, ANYTHING = "false", "true"

_START_DIGITS = re.compile("[0-9]+", re.ASCII)


@dataclass(slots=True)
class Query:
    """A query as read. `values` are bound from the number that the resource's statement leaves free."""

    resource: Resource
    tree: dict[str, Any]
    first: int  # the number of the first value
    conditions: tuple[str, ...] = ()
    searched: str = ""  # the parts of WITH for what a search finds, which is one of the conditions
    values: list[Any] = field(default_factory=list)
    order: Order = ()
    limit: int = DEFAULT_PAGE
    skip: int = 0
    keys: tuple[str, ...] = ()  # of $select; (): all
    oauth_client_id: str | None = None  # /users only
    computed: list[str] = field(default_factory=list)  # the fields of conditions on computed ones, once for each

    def bind(self, value: Any, sql_type: str) -> str:
        self.values.append(value)
        return f"${self.first + len(self.values) - 1}::{sql_type}"

    def narrowed(self, caller: Caller, granted: Grant | None) -> "Query":
        """Adds to the conditions what the role of a caller who acts for another sees."""
        if granted is not None and granted.among:
            named = {name: each.compared for name, each in self.resource.filters.items()}
            if "{team}" in granted.among:
                named["team"] = self.bind(caller.team_id, "bigint")
            self.conditions = (*self.conditions, f"({granted.among.format_map(named)})")
        return self

    def require_affordable(self) -> "Query":
        """Raises Invalid for more conditions on computed fields than MAX_COMPUTED."""
        if len(self.computed) > MAX_COMPUTED:
            name, named = self.computed[0], " and ".join(dict.fromkeys(self.computed))
            raise Invalid(
                f"{named}: {len(self.computed)} conditions were given; expected at most {MAX_COMPUTED}, as each is"
                f" worked out for every record (a list of values, {name}[$in][]=…, counts as one)"
            )
        return self


def list_query(resource: Resource, text: str) -> Query:
    """Reads the query of a list. Raises Invalid for what it does not know, so that no filter is dropped silently."""
    query = Query(resource, parse(text) if text else {}, first_free(resource))
    query.order = default_order(resource)
    rest = dict(query.tree)
    query.limit = _page_size(rest.pop("$limit", None))
    query.skip = _skipped(rest.pop("$skip", None))
    if "$sort" in rest:
        query.order = _sort(resource, rest.pop("$sort"))
    if resource.search:
        query.searched = _searched(query, resource.search, rest)
    _select_and_filter(query, rest)
    if query.searched:
        query.conditions = (FOUND, *query.conditions)
    return query


def _searched(query: Query, search: Search, rest: dict[str, Any]) -> str:
    """Returns SQL for what $search finds, whose words all have to match, and $tag, of which one does; "": all."""
    patterns: list[list[str]] = []
    if "$search" in rest:
        typed = rest.pop("$search")
        try:
            patterns += [[each] for each in search_patterns(typed)]
            too_long = len(typed) > LONGEST_SEARCH
        except (ValueError, TypeError, AttributeError):
            too_long = True
        if too_long:
            raise _wrong("$search", typed, f"at most {MOST_WORDS} words and {LONGEST_SEARCH} characters")
    if "$tag" in rest:
        patterns.append([tag_pattern(each) for each in _texts(rest.pop("$tag"))])
    return search_sql(search, [query.bind(" | ".join(each), "text") for each in patterns]) if patterns else ""


def record_query(resource: Resource, text: str, *, beside: Container[str] = ()) -> Query:
    """Reads the query on the path of one record, which the record has to match; the first value is the id.

    `beside`: names that are not conditions.
    """
    query = Query(resource, parse(text) if text else {}, first_free(resource) + 1)
    passed_over = {"$limit", "$skip", "$sort"} | ({DRY_RUN} if resource.has_dry_run else set())
    rest = {name: value for name, value in query.tree.items() if name not in passed_over and name not in beside}
    _select_and_filter(query, rest)
    return query


def is_dry_run(resource: Resource, text: str) -> bool:
    """Returns whether a write is only to be tried. Raises Invalid where `dry_run` is not true or false."""
    value = parse(text, only=DRY_RUN).get(DRY_RUN) if resource.has_dry_run and text else None
    if value is None:
        return False
    try:
        return Bool().read(value)
    except (LookupError, ValueError, TypeError):
        raise _wrong(DRY_RUN, value, "true or false") from None


def requested_page(text: str) -> tuple[int, int]:
    """Returns $limit and $skip of a list that does not belong to a resource; the default is its largest page."""
    limit, skip = (parse(text, only=name).get(name) if text else None for name in ("$limit", "$skip"))
    return MAX_PAGE if limit is None else _page_size(limit), _skipped(skip)


def selection(resource: Resource, text: str) -> tuple[str, ...]:
    """Returns the keys of $select; nothing else counts in the query of a POST."""
    tree = parse(text, only="$select") if text else {}
    return _selected(resource, tree["$select"]) if "$select" in tree else ()


# ------------------------------------------------------------------------------------- page, order, selection


def _page_size(value: Any) -> int:
    return DEFAULT_PAGE if value is None else min(_leading_number("$limit", value), MAX_PAGE)


def _skipped(value: Any) -> int:
    skip = 0 if value is None else _leading_number("$skip", value)
    if skip > MAX_SKIP:
        raise _wrong("$skip", value, f"at most {MAX_SKIP}")
    return skip


def _leading_number(name: str, value: Any) -> int:
    while isinstance(value, list):
        value = value[0]
    found = _START_DIGITS.match(value) if isinstance(value, str) else None
    if found is None:
        raise _wrong(name, value, "a whole number, not below 0")
    return min(int(found[0][:400]), 10**30)


def _sort(resource: Resource, value: Any) -> Order:
    if not isinstance(value, dict):
        raise _wrong("$sort", value, "$sort[field]=1 or $sort[field]=-1")
    keys = []
    for name, direction in value.items():
        if name not in resource.filters:
            raise _wrong("$sort", name, f"one of {', '.join(resource.filters)}")
        if direction not in ("1", "-1"):
            raise _wrong(f"$sort[{name}]", direction, "1 or -1")
        keys.append((resource.filters[name], direction == "-1"))
    return sorted_by(keys)


def _selected(resource: Resource, value: Any) -> tuple[str, ...]:
    keys = {each.name: each.answer_key for each in resource.fields if each.answer_key} | {
        key: key for key in resource.answered
    }
    wanted = {"id"} if "id" in resource.answered else set()
    for name in _texts(value):
        if name not in keys:
            raise _wrong("$select", name, f"one of {', '.join(resource.answered)}")
        wanted.add(keys[name])
    return tuple(key for key in resource.answered if key in wanted)


def _texts(value: Any) -> Iterator[str]:
    """Yields the texts of a list, in any of the forms that a query may write it."""
    if isinstance(value, str):
        yield value
        return
    if isinstance(value, dict):
        if any(word.startswith("$") for word in value):
            raise Invalid(f"A list of values is needed; {quoted(value)} was given")
        value = value.values()
    for each in value:
        if isinstance(each, dict):
            raise Invalid("A list of values is needed; something nested deeper was given")
        yield from _texts(each)


def _wrong(name: str, value: Any, expected: str) -> Invalid:
    return Invalid(f"{name}: {quoted(value)} was given; expected {expected}")


# ---------------------------------------------------------------------------------------------------- filters


def _select_and_filter(query: Query, rest: dict[str, Any]) -> None:
    if "$select" in rest:
        query.keys = _selected(query.resource, rest.pop("$select"))
    if query.resource.path == "/users" and "oauth_client_id" in rest:
        query.oauth_client_id = _one_text("oauth_client_id", rest.pop("oauth_client_id"))
    errors: dict[str, str] = {}
    query.conditions = tuple(_conditions(query, rest, errors))
    if errors:
        raise Invalid.fields(errors)


def _one_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(name, value, "one text")
    return value


def _conditions(query: Query, tree: dict[str, Any], errors: dict[str, str]) -> Iterator[str]:
    """Yields one condition per name; all have to hold."""
    filters = query.resource.filters
    for name, value in tree.items():
        if name in ("$or", "$and"):
            yield _combined(query, name, value, errors)
        elif name in filters:
            if filters[name].is_computed:
                query.computed += [name] * (len(value) if isinstance(value, dict) else 1)
            try:
                yield _of_field(query, filters[name], name, value)
            except _ValueError as bad:
                errors[name] = bad.args[0]
        else:
            raise _unknown(query, name)


def _combined(query: Query, name: str, value: Any, errors: dict[str, str]) -> str:
    members = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        raise Invalid(f"{name}: {quoted(value)} was given; expected a list of conditions, as in {name}[0][field]=value")
    each = [" AND ".join(_conditions(query, member, errors)) or ANYTHING for member in members]
    return "(" + (" OR " if name == "$or" else " AND ").join(f"({sql})" for sql in each) + ")"


def _unknown(query: Query, name: str) -> Invalid:
    return Invalid(f"Invalid query parameter {name}", data=query.tree)


class _ValueError(ValueError):
    """A value that its field's type refuses; the text is the message to the caller."""


def _of_field(query: Query, each: Field, name: str, value: Any) -> str:
    if not isinstance(value, dict):
        return _equal(query, each, name, value)
    operators = [word for word in value if word.startswith("$")]
    if unknown := [word for word in operators if word not in OPERATORS]:
        raise _unknown(query, unknown[0])
    if plain := [word for word in value if not word.startswith("$")]:
        if operators:
            raise Invalid(f"{name}: a value and an operator were given; expected one or the other", data=query.tree)
        raise _unknown(query, f"{name}[{plain[0]}]")
    return " AND ".join(OPERATORS[word](query, each, name, value[word]) for word in operators)


def _equal(query: Query, each: Field, name: str, value: Any) -> str:
    if isinstance(value, list):
        return _among(query, each, name, value)
    if _is_null(each, value):
        return f"{_never_null(each, name)} IS NULL"
    implied = f" AND {each.implies[value]}" if value in each.implies else ""
    return _compare(query, each, name, "=", value) + implied


def _not_equal(query: Query, each: Field, name: str, value: Any) -> str:
    first = next(_texts(value))
    if _is_null(each, first):
        return f"{_never_null(each, name)} IS NOT NULL"
    return _compare(query, each, name, "<>", first)


def _among(query: Query, each: Field, name: str, value: Any) -> str:
    known = _known(each, name, value)
    if not known:
        return NOTHING
    return f"{each.kind.compared(each.compared)} = ANY ({_bound_list(query, each, known)})"


def _not_among(query: Query, each: Field, name: str, value: Any) -> str:
    given = list(_texts(value))
    known = _known(each, name, value)
    if not known:
        meant = [text for text in given if not _is_null(each, text) and text != ""]
        return f"{each.compared} IS NOT NULL" if meant else ANYTHING
    return f"{each.kind.compared(each.compared)} <> ALL ({_bound_list(query, each, known)})"


def _range(query: Query, each: Field, name: str, value: Any, operator: str) -> str:
    if not isinstance(value, str) or _is_null(each, value):
        raise _ValueError(f"{name}: {quoted(value)} was given; expected one value to compare with")
    return _compare(query, each, name, operator, value)


Operator = Callable[[Query, Field, str, Any], str]
OPERATORS: dict[str, Operator] = {
    "$ne": _not_equal,
    "$in": _among,
    "$nin": _not_among,
    "$lt": lambda query, each, name, value: _range(query, each, name, value, "<"),
    "$lte": lambda query, each, name, value: _range(query, each, name, value, "<="),
    "$gt": lambda query, each, name, value: _range(query, each, name, value, ">"),
    "$gte": lambda query, each, name, value: _range(query, each, name, value, ">="),
}


def _is_null(each: Field, text: str) -> bool:
    return text == "null" or (text == "" and not each.kind.is_text and each.nullable)


def _never_null(each: Field, name: str) -> str:
    if not each.nullable:
        raise _ValueError(f"{name}: null was given; {name} is never null")
    return each.compared


def _known(each: Field, name: str, value: Any) -> list[Any]:
    """Returns the values of a list that can match; a list of one empty text is the empty list."""
    texts = list(_texts(value))
    if texts == [""]:
        return []
    read = [_read(each, name, text) for text in texts if not _is_null(each, text)]
    return [one for one in read if not _is_beyond(each, one)]


def _compare(query: Query, each: Field, name: str, operator: str, text: str) -> str:
    value = _read(each, name, text)
    if _is_beyond(each, value):
        return _compare_beyond(query, each, operator, value)
    return f"{each.kind.compared(each.compared)} {operator} {query.bind(value, each.kind.sql)}"


def _compare_beyond(query: Query, each: Field, operator: str, value: Any) -> str:
    """Compares with a number or text that a column cannot hold; of text, only what is before U+0000 matters."""
    if isinstance(value, str):
        if operator in ("=", "<>"):
            return NOTHING if operator == "=" else f"{each.compared} IS NOT NULL"
        bound = query.bind(value.partition("\0")[0], each.kind.sql)
        return f"{each.kind.compared(each.compared)} {'<=' if '<' in operator else '>'} {bound}"
    matches_all = operator == "<>" or (("<" in operator) == (value > 0) and operator != "=")
    return f"{each.compared} IS NOT NULL" if matches_all else NOTHING


def _is_beyond(each: Field, value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    return isinstance(each.kind, Integer) and not -LARGEST_ID - 1 <= value <= LARGEST_ID


def _read(each: Field, name: str, text: str) -> Any:
    try:
        return each.kind.read(text)
    except (ValueError, KeyError, OverflowError):
        raise _ValueError(f"{name}: {quoted(text)} was given; expected {each.kind.expected}") from None


def _bound_list(query: Query, each: Field, values: list[Any]) -> str:
    return query.bind(values, f"{each.kind.sql}[]")
