"""What is wrong with the fields of an account, in the words of a page: the API's are for people who program."""

from collections.abc import Mapping
from typing import Final

_WORDS: Final = {
    "code": "This code is not right. Enter the six digits that the app shows now.",
    "current_password": "This is not your present password.",
    "email": "Enter an address like alice@example.com.",
    "password": "A password has 8 to 255 characters.",
    "phone": "Enter a phone number with its area code, such as 303-555-0142.",
    "timezone": "Choose a time zone from the list.",
}
_NEEDED: Final = "Fill this in."


def in_plain_words(errors: Mapping[str, str]) -> dict[str, str]:
    """Returns the errors by the same fields."""
    return {name: _plain(name, text) for name, text in errors.items()}


def minutes_in_words(seconds: int) -> str:
    """Returns `1 minute`, or `15 minutes`: how long someone has to wait, rounded up."""
    minutes = -(-seconds // 60)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _plain(name: str, text: str) -> str:
    if " is required" in text:
        return _NEEDED
    if name in _WORDS and "expected" in text:
        return _WORDS[name]
    return text.removeprefix(f"{name}: ")
