"""What is wrong with a value that has parts, by the place in it, and how a message shows what was given. Pure."""

from collections.abc import Mapping
from typing import Any


class Faults(ValueError):  # noqa: N818 -- named for what it holds
    """A value with parts breaks its rules. `found`: a message for each place, such as `conditions.all[1].value`."""

    def __init__(self, found: Mapping[str, str]) -> None:
        super().__init__("; ".join(found.values()))
        self.found = dict(found)


def quoted(value: Any) -> str:
    """Returns a value as an error message shows it, in at most 60 characters."""
    text = repr(value) if isinstance(value, str) else _json_like(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def refusal(at: str, value: Any, expected: str) -> str:
    """Returns the message for a value at a place that is not what was expected."""
    return f"{at}: {quoted(value)} was given; expected {expected}"


def _json_like(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list() | tuple():
            return "a list"
        case dict():
            return "an object"
    return str(value)
