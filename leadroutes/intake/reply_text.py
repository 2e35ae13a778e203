"""The words that a person wrote in an answer, without the mail that it quotes and without a signature."""

import re
from collections.abc import Sequence
from typing import Final

_LINES: Final = 1_000
_LINE: Final = 1_000  # characters of a line that are looked at
_SEPARATOR: Final = re.compile(
    r"-{2,}[ \t]*(?:original|forwarded|urspr\u00fcngliche|mensaje original)[a-z\u00e4\u00f6\u00fc \t]{0,30}-*|_{20,}",
    re.IGNORECASE,
)
_SAYS_WHO_WROTE: Final = re.compile(
    r"(?:on|am|le|el|il|op|em) .{0,400}\b(?:wrote|writes|schrieb|\u00e9crit|escribi\u00f3|scritto|schreef|escreveu)\b"
    r"[^:]{0,120}:",
    re.IGNORECASE,
)
_SENDER: Final = re.compile(r"\*?(?:from|von|de)[ \t]*:.*", re.IGNORECASE)
_NEXT_HEADER: Final = re.compile(r"\*?(?:sent|date|to|subject|gesendet|datum|an|betreff)[ \t]*:", re.IGNORECASE)
_SIGNATURE: Final = re.compile(
    r"--|sent from (?:my|mail for|yahoo|outlook)\b.*|get outlook for\b.*|von meinem .{1,40} gesendet\b.*",
    re.IGNORECASE,
)


def own_words(text: str) -> str:
    """Returns what the writer added above and between the quoted lines; empty where there is nothing but a quote."""
    lines = [line[:_LINE].strip() for line in text.replace("\r\n", "\n").split("\n", _LINES)[:_LINES]]
    own: list[str] = []
    for position, line in enumerate(lines):
        if line.startswith(">"):
            continue
        if _begins_quote(lines, position) or _SIGNATURE.fullmatch(line):
            break
        own.append(line)
    return "\n".join(own).strip()


def _begins_quote(lines: Sequence[str], position: int) -> bool:
    """Whether the mail that is answered begins here; the line that says who wrote it may be broken into three."""
    line = lines[position]
    if _SEPARATOR.fullmatch(line):
        return True
    if _SENDER.fullmatch(line):
        return any(_NEXT_HEADER.match(following) for following in lines[position + 1 : position + 3])
    joined = (" ".join(lines[position : position + count]) for count in (1, 2, 3))
    return any(each.endswith(":") and _SAYS_WHO_WROTE.fullmatch(each) for each in joined)
