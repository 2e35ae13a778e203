"""A cache that what a client sends cannot fill: it holds entries of short arguments only, so it is bounded in bytes.

Every cache in the package whose keys depend on requests or on what arrives is made here; a test looks for others.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache, wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")


class ShortCache(NamedTuple):
    """A cache that has been made, for whoever looks after all of them."""

    work: Callable[..., Any]
    cached: Any  # what functools.lru_cache has made of it
    entries: int
    longest: int


MADE: list[ShortCache] = []
_TEXT = (str, bytes)  # made once: `str | bytes` would be a new object at each look-up


def short_cache(*, entries: int, longest: int) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """As functools.lru_cache, for up to `entries` calls whose texts have at most `longest` characters together.

    Other calls are worked out each time. Arguments that are neither texts nor tuples of them count nothing: they have
    to be values of the program, such as declarations, numbers and switches.
    """

    def cache(work: Callable[Given, Result]) -> Callable[Given, Result]:
        cached = lru_cache(maxsize=entries)(work)

        @wraps(work)
        def look_up(*given: Given.args, **named: Given.kwargs) -> Result:
            if _length(given) + (_length(named.values()) if named else 0) > longest:
                return work(*given, **named)
            return cached(*given, **named)  # type: ignore[arg-type]  # as hashable as what the work is given

        look_up.cache_info = cached.cache_info  # type: ignore[attr-defined]
        MADE.append(ShortCache(look_up, cached, entries, longest))
        return look_up

    return cache


def _length(values: Iterable[Any]) -> int:
    length = 0
    for value in values:
        if isinstance(value, _TEXT):
            length += len(value)
        elif isinstance(value, tuple):
            length += _length(value)
    return length
