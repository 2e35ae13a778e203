"""Takes a mail apart to pass it on: its content with all attachments as it came, and the headers that describe it.

Nothing else of its header is used; who it is from and to is written anew.
"""

import re
from dataclasses import dataclass
from typing import Final

from leadroutes.domain.identity import normal_email
from leadroutes.intake.mime import BLANK_LINE, decoded_header

_DESCRIBING: Final = ("Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-Language")
_HEAD_LIMIT: Final = 262_144  # bytes
_LINE: Final = 900  # characters; RFC 5322 allows 998 in a line
_FOLD: Final = re.compile(r"\r?\n[ \t]+")
_FIELD: Final = re.compile(r"([!-9;-~]{1,80})[ \t]*:[ \t]*(.*)")
_REFERENCE: Final = re.compile(r"<[!-;=?-~]{1,250}>")


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A mail to be passed on. `headers` describe `content`.

    `address`: where its writer wants answers; `reference`: its own Message-ID; None where it has no good one.
    """

    subject: str
    address: str | None
    headers: dict[str, str]
    content: bytes
    reference: str | None


def taken_apart(raw: bytes) -> PassedOn:
    """Returns the parts of any mail; one without a header has a body all the same."""
    begin = len(raw) - len(raw.lstrip())
    blank = BLANK_LINE.search(raw, begin)
    head_end, content = (blank.start(), raw[blank.end() :]) if blank else (len(raw), b"")
    fields = _fields(raw[begin : min(head_end, begin + _HEAD_LIMIT)].decode("ascii", "replace"))
    reference = _REFERENCE.search(fields.get("message-id", ""))
    return PassedOn(
        subject=decoded_header(fields.get("subject", "")),
        address=normal_email(fields.get("reply-to")) or normal_email(fields.get("from")),
        headers={name: value for name in _DESCRIBING if (value := _folded(fields.get(name.lower(), "")))},
        content=content,
        reference=reference[0] if reference else None,
    )


def _fields(head: str) -> dict[str, str]:
    """Returns headers by their name in lower case; the first of a name counts."""
    fields: dict[str, str] = {}
    for line in _FOLD.sub(" ", head).replace("\r", "\n").split("\n"):
        if found := _FIELD.fullmatch(line):
            fields.setdefault(found[1].lower(), found[2].strip())
    return fields


def _folded(value: str) -> str:
    """Returns a value as a header line may hold it: characters that it may not have are question marks."""
    plain = "".join(each if " " <= each <= "~" else " " if each == "\t" else "?" for each in value)
    if len(plain) <= _LINE:
        return plain  # blanks within a boundary count
    lines: list[str] = []
    for word in plain.split():
        if lines and len(lines[-1]) + 1 + len(word) <= _LINE:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "\r\n ".join(lines)
