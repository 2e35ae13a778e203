"""Normalises text of people and programs.

Pure functions on strings; they know no fields, no bytes and no markup.
"""

import re
import unicodedata
from typing import Final

MESSAGE_LIMIT: Final = 10_000
"""Characters of a message that are stored."""

ABSENT: Final = frozenset({"n/a", "na", "none", "null", "undefined", "-", "--"})
"""What forms and exports write for a missing value; compared in lower case with the whole value."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_MANY_MARKS = re.compile("[\u0300-\U0010ffff]{31,}")
"""Where more than thirty accents in a row may be; Chinese is looked through too, letter by letter."""
_PLAIN = re.compile(r"[\x21-\x7e]++(?: [\x21-\x7e]++)*+")


def one_line(text: str | None) -> str | None:
    """Returns one line: NFC, blanks and control characters single spaces, invisible ones gone; None if empty."""
    if not text:
        return None
    if _PLAIN.fullmatch(text):
        return text
    spaced = "".join(_one_line_character(character) for character in _without_surrogates(text))
    return " ".join(composed(spaced).split()) or None


def _one_line_character(character: str) -> str:
    if character.isalnum():
        return character
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    return " " if category in {"Cc", "Zs", "Zl", "Zp"} else character


def _without_surrogates(text: str) -> str:
    r"""JSON can spell half a character (`\ud83d`), which neither UTF-8 nor a database can hold."""
    return _SURROGATE.sub("\ufffd", text)


def composed(text: str) -> str:
    """NFC. Of more than thirty accents on one letter the rest is dropped: sorting them takes quadratic time.

    Thirty is the limit of Unicode's own Stream-Safe Text Format; no language needs more.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", with_few_marks(text))


_HIDDEN_MARKS: Final = frozenset("\u0f73\u0f75\u0f81\uff9e\uff9f")
"""What Unicode does not call a combining mark and yet decomposes into such marks alone."""


def with_few_marks(text: str) -> str:
    """Returns the text with at most thirty accents on a letter: Unicode normalisation sorts them in quadratic time."""
    return _MANY_MARKS.sub(_thirty_marks, text)


def _thirty_marks(found: re.Match[str]) -> str:
    limited, marks = [], 0
    for character in found[0]:
        marks = marks + 1 if unicodedata.combining(character) or character in _HIDDEN_MARKS else 0
        if marks <= 30:
            limited.append(character)
    return "".join(limited)


def field_text(text: str | None) -> str | None:
    """Returns one line; None for a text that means "no value" (`n/a`, `--` ...). Not for names and messages."""
    line = one_line(text)
    return None if line is None or line.lower() in ABSENT else line


def is_absent(text: str | None) -> bool:
    """Whether the text only says that nothing is there (`null`, `N/A`); an empty one says nothing at all."""
    line = one_line(text)
    return line is not None and line.lower() in ABSENT


def message_text(text: str | None) -> str | None:
    """Returns a message: NFC, LF, of control characters only tab, no blanks at line ends, trimmed, cut."""
    if not text:
        return None
    lines = _without_surrogates(text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    whole = "\n".join(_without_controls(line).rstrip() for line in lines)
    return composed(whole).strip()[:MESSAGE_LIMIT] or None


def _without_controls(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(character for character in line if character == "\t" or unicodedata.category(character) != "Cc")


_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves the cursor, ends a line, turns the reading direction, or says something to a terminal."""


def visible(text: str, *, keeps_lines: bool = False) -> str:
    r"""The text as a terminal or a log may show it: what would act on either is spelt, as in `\x1b[2J` or `\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    if keeps_lines:
        return "\n".join(visible(line) for line in text.split("\n"))
    return _UNSHOWN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def visible_json(text: str) -> str:
    """The same JSON with escapes for what would act on a terminal; line ends are the document's own."""
    if text.isascii() and "\x7f" not in text:
        return text
    return _UNSHOWN.sub(lambda found: found[0] if found[0] < " " else f"\\u{ord(found[0]):04x}", text)


_ZERO = re.compile(r"(\\\\)|\\u0000")


def json_without_zeros(text: str) -> str:
    r"""The same JSON without the character 0, which PostgreSQL cannot store; a backslash before `u0000` stays text."""
    return _ZERO.sub(lambda found: found[1] or "", text)


def without_accents(text: str) -> str:
    """Returns `Prénom` as `Prenom`, to be compared, never stored."""
    if text.isascii():
        return text
    return "".join(
        character
        for character in unicodedata.normalize("NFKD", with_few_marks(text))
        if not unicodedata.combining(character)
    )
