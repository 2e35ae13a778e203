"""How a person's e-mail addresses and phones look in what others wrote, as one pattern.

PostgreSQL and Python read the pattern alike: it has nothing in it that only one of them knows.
"""

from collections.abc import Iterable
from typing import Final

from leadroutes.domain.dedupe import Identity

# Three characters at the most, whatever they are; a form writes each of them as % and two digits.
_BETWEEN_DIGITS: Final = "(?:%[0-9a-f]{2}|[^0-9]){0,3}"


def mention_pattern(identities: Iterable[Identity]) -> str | None:
    """A regular expression for a text in small letters that names one of these; None where there is nothing to find."""
    return "|".join(_email(value) if kind == "email" else _phone(value) for kind, value in sorted(identities)) or None


def _email(address: str) -> str:
    return "".join(_character(each) for each in address)


def _character(character: str) -> str:
    """As it is, or as a form writes it."""
    if not character.isascii() or character.isalnum():
        return character
    return rf"(?:\{character}|%{ord(character):02x})"


def _phone(number: str) -> str:
    """However the digits are grouped; an American number also without its 1, and never a piece of a longer number."""
    digits = number.removeprefix("+1") if number.startswith("+1") else number.removeprefix("+")
    return f"(?:^|[^0-9]|%[0-9a-f]{{2}}|1){_BETWEEN_DIGITS.join(digits)}(?:[^0-9]|$)"
