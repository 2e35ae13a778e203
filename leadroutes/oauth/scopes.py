"""The scopes `read` and `write` in the forms that clients send them, and which of them is wider. Pure."""

import re
from collections.abc import Iterable

KNOWN = ("read", "write")
DEFAULT = ("write",)
ABOUT = {
    "read": "See what you see: leads, contacts, teams, tasks and everything else in your account",
    "write": "See and change what you may: leads, contacts, teams, tasks and everything else in your account",
}


def named(text: str) -> tuple[str, ...]:
    """The words of a scope, which blanks or commas separate."""
    return tuple(word for word in re.split(r"[\s,]+", text) if word)


def known(words: Iterable[str]) -> tuple[str, ...]:
    """Those that exist, once each, in the order asked."""
    return tuple(dict.fromkeys(word for word in words if word in KNOWN))


def covers(granted: Iterable[str], asked: Iterable[str]) -> bool:
    """Whether nothing is asked that was not granted; `write` includes `read`."""
    have = set(granted)
    return set(asked) <= have | ({"read"} if "write" in have else set())
