"""Mails forwarded inline: where the inner mail begins, and its own header lines.

Nothing outside the inner mail counts.
"""

import re
from dataclasses import dataclass, field

_LINE_MARKER = re.compile(
    r"^[ \t>*]*(?:-{2,}[ \t]*(?:forwarded|original)[ \t]+message(?:[ \t]*-+)?"
    r"|begin[ \t]+forwarded[ \t]+message:)[ \t*]*$",
    re.IGNORECASE | re.MULTILINE,
)
_PAGE_MARKER = re.compile(
    r"(?<!-)-{2,}(?:\s|&nbsp;)*(?:forwarded|original)(?:\s|&nbsp;)+message(?:\s|&nbsp;)*-{2,}"
    r"|begin\s+forwarded\s+message:",
    re.IGNORECASE,
)
_QUOTE = re.compile(r"^(?:[ \t]*>)+[ \t]?", re.MULTILINE)
_HEADER = re.compile(r"[ \t*]*(from|sent|date|subject|to|cc|bcc|reply-to)[ \t*]*:[ \t*]*(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Inner:
    """The inner mail: its header lines by name in small letters, and the text below them."""

    text: str
    headers: dict[str, str] = field(default_factory=dict)


def inner_text(text: str) -> Inner | None:
    """Returns the text after the last marker of a forwarded mail, lines without `>`; None without a marker."""
    end = max((found.end() for found in _LINE_MARKER.finditer(text)), default=None)
    if end is None or _is_inside_adf(text, end):
        return None
    return inner_headers(_QUOTE.sub("", text[end:]).removeprefix("\n"))


def inner_page(page: str) -> str | None:
    """Returns the HTML that follows the last marker; None without a marker."""
    end = max((found.end() for found in _PAGE_MARKER.finditer(page)), default=None)
    return None if end is None else page[end:]


def inner_headers(text: str) -> Inner:
    """Removes the header lines at the beginning of a text and returns both."""
    headers: dict[str, str] = {}
    lines = text.split("\n")
    position = 0
    while position < len(lines):
        line = lines[position].replace("\xa0", " ")
        if found := _HEADER.fullmatch(line):
            headers.setdefault(found[1].lower(), found[2].strip(" \t*"))
        elif not _is_between_headers(line, lines[position + 1 : position + 2], headers):
            break
        position += 1
    return Inner("\n".join(lines[position:]), headers)


def _is_between_headers(line: str, following: list[str], headers: dict[str, str]) -> bool:
    """Blank lines above the headers, or between two (some programs put them there), and continued lines."""
    if line.strip():
        return bool(headers) and line.startswith((" ", "\t"))
    return not headers or any(_HEADER.fullmatch(next_line.replace("\xa0", " ")) for next_line in following)


def _is_inside_adf(text: str, position: int) -> bool:
    """A person's comment in ADF may quote a mail; that does not make the ADF a forwarded one."""
    begin = text.lower().rfind("<adf", 0, position)
    return begin >= 0 and text.lower().find("</adf", begin, position) < 0 <= text.lower().find("</adf", position)
