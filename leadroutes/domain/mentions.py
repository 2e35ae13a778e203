"""One pattern that finds a person's e-mail addresses and phones in any text.

It means the same to PostgreSQL and Python: it uses no syntax that only one of them knows.
"""

from collections.abc import Iterable
from typing import Final

from leadroutes.domain.dedupe import Identity

# Three characters at the most, whatever they are; a form writes each of them as % and two digits.
_BETWEEN_DIGITS: Final = "(?:%[0-9a-f]{2}|[^0-9]){0,3}"


def mention_pattern(identities: Iterable[Identity]) -> str | None:
    """Returns a regular expression for a text in lower case that names one of these; None if there are none."""
    return "|".join(_email(value) if kind == "email" else _phone(value) for kind, value in sorted(identities)) or None


def _email(address: str) -> str:
    return "".join(_character(each) for each in address)


def _character(character: str) -> str:
    """Returns a pattern for a character, plain or URL-encoded."""
    if not character.isascii() or character.isalnum():
        return character
    return rf"(?:\{character}|%{ord(character):02x})"


def _phone(number: str) -> str:
    """Returns a pattern for digits in any grouping, an American 1 optional; never inside a longer number."""
    digits = number.removeprefix("+1") if number.startswith("+1") else number.removeprefix("+")
    return f"(?:^|[^0-9]|%[0-9a-f]{{2}}|1){_BETWEEN_DIGITS.join(digits)}(?:[^0-9]|$)"
