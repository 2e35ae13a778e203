"""Splits mails into headers, parts inside parts, transfer encodings and character sets.

Walks the parts itself and uses the standard library's header classes only: its parser takes quadratic time on hostile
nesting. Parts are positions in one buffer, not copies; 20 levels and 1,000 parts are the limits.
"""

import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from functools import cached_property
from typing import Final

from leadroutes.intake.decoding import decode
from leadroutes.intake.results import Refused

MIME_DEPTH: Final = 20
PART_LIMIT: Final = 1_000
TEXT_LIMIT: Final = 1_048_576
"""Bytes of a part that are read."""

_HEAD_LIMIT: Final = 262_144
_HEADER_LIMIT: Final = 4_000
BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n|\r\r")
_HEADER = re.compile(r"([!-9;-~]{1,80})[ \t]*:[ \t]*(.*)", re.DOTALL)
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_META_CHARSET = re.compile(rb"""<meta[^<>]{0,200}charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)


@dataclass(frozen=True, slots=False)
class MimePart:
    """A mail or a part of one. Of a multipart `parts` are the parts, of an attached mail the one mail."""

    headers: dict[str, str]
    raw: bytes = field(repr=False)
    start: int
    end: int
    default_type: str = "text/plain"
    parts: "tuple[MimePart, ...]" = ()

    @cached_property
    def _description(self) -> Message:
        message = Message()
        for name in ("content-type", "content-disposition"):
            if name in self.headers:
                message[name] = self.headers[name]
        return message

    @cached_property
    def media_type(self) -> str:
        """Returns the media type in lower case."""
        if "content-type" not in self.headers:
            return self.default_type
        return self._description.get_content_type()

    def parameter(self, name: str) -> str | None:
        """Returns a parameter of the Content-Type."""
        try:
            value = self._description.get_param(name)
        except (ValueError, LookupError, TypeError, AttributeError):
            return None
        return value if isinstance(value, str) else value[2] if isinstance(value, tuple) else None

    @cached_property
    def filename(self) -> str | None:
        """Returns the name of the attached file, whichever way it is encoded."""
        try:
            return str(make_header(decode_header(self._description.get_filename() or ""))) or None
        except (HeaderParseError, ValueError, LookupError, TypeError, AttributeError):
            return None

    @property
    def is_attachment(self) -> bool:
        """Whether it is sent as a file rather than to be read at once."""
        return self.headers.get("content-disposition", "").strip().lower().startswith("attachment") or bool(
            self.filename
        )

    @cached_property
    def content(self) -> bytes:
        """Returns the part's decoded bytes, up to the limit."""
        encoding = self.headers.get("content-transfer-encoding", "").strip().lower()
        if encoding == "base64":
            return _from_base64(self.raw[self.start : min(self.end, self.start + 2 * TEXT_LIMIT)])[:TEXT_LIMIT]
        if encoding == "quoted-printable":
            raw = self.raw[self.start : min(self.end, self.start + 3 * TEXT_LIMIT)]
            return binascii.a2b_qp(raw)[:TEXT_LIMIT]
        return self.raw[self.start : min(self.end, self.start + TEXT_LIMIT)]

    @cached_property
    def text(self) -> str:
        """Returns the part as text, by its own charset, an HTML page's meta charset, UTF-8 or Windows-1252."""
        charset = self.parameter("charset")
        if not charset and self.media_type == "text/html" and (found := _META_CHARSET.search(self.content, 0, 4_096)):
            charset = found[1].decode("ascii", "replace")
        return decode(self.content, charset).replace("\r\n", "\n").replace("\r", "\n")

    def leaves(self) -> "Iterator[MimePart]":
        """Yields the parts that hold no others, in order of arrival; not those of attached mails."""
        if self.media_type == "message/rfc822":
            return
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()

    def attached_mail(self) -> "MimePart | None":
        """Returns the first mail attached to this one."""
        for part in self.parts:
            found = next(iter(part.parts), None) if part.media_type == "message/rfc822" else part.attached_mail()
            if found:
                return found
        return None


def decoded_header(value: str) -> str:
    """Returns the value of a header with its encoded words as text; as it is where they cannot be read."""
    if "=?" not in value:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, ValueError, LookupError):
        return value


def open_mail(raw: bytes) -> MimePart:
    """Returns the mail in these bytes. Raises Refused (`malformed`, `too_deep`)."""
    blank = len(raw) - len(raw.lstrip())
    mail = _Opening(raw).part(blank, len(raw), depth=0)
    if not mail.headers:
        raise Refused("malformed", "The mail has no header.")
    return mail


class _Opening:
    """One pass over one buffer, with the counts that bound it."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._parts = PART_LIMIT
        self._candidates = 10 * PART_LIMIT

    def part(self, start: int, end: int, depth: int, default_type: str = "text/plain") -> MimePart:
        headers, body = self._headers(start, end)
        shell = MimePart(headers, self._raw, body, end, default_type)
        if shell.media_type.startswith("multipart/"):
            inner = self._inner_parts(shell, depth + 1)
        elif shell.media_type == "message/rfc822":
            inner = (self._attached(shell, depth + 1),)
        else:
            return shell
        return MimePart(headers, self._raw, body, end, default_type, inner)

    def _headers(self, start: int, end: int) -> tuple[dict[str, str], int]:
        if self._raw[start : start + 1] in {b"\n", b"\r"} and start:
            return {}, start + (2 if self._raw[start : start + 2] == b"\r\n" else 1)
        found = BLANK_LINE.search(self._raw, start, end)
        head_end, body = (found.start(), found.end()) if found else (end, end)
        return _headers_in(decode(self._raw[start : min(head_end, start + _HEAD_LIMIT)])), body

    def _attached(self, shell: MimePart, depth: int) -> MimePart:
        self._require_depth(depth)
        if shell.headers.get("content-transfer-encoding", "").strip().lower() in {"base64", "quoted-printable"}:
            return _Opening(shell.content).part(0, len(shell.content), depth)
        return self.part(shell.start, shell.end, depth)

    def _inner_parts(self, shell: MimePart, depth: int) -> tuple[MimePart, ...]:
        self._require_depth(depth)
        default = "message/rfc822" if shell.media_type == "multipart/digest" else "text/plain"
        boundary = (shell.parameter("boundary") or "").encode("utf-8", "replace")
        if not boundary:
            return ()
        return tuple(self.part(start, end, depth, default) for start, end in self._spans(shell, boundary))

    def _require_depth(self, depth: int) -> None:
        if depth > MIME_DEPTH:
            raise Refused("too_deep", f"The mail is nested deeper than {MIME_DEPTH} levels.")

    def _spans(self, shell: MimePart, boundary: bytes) -> list[tuple[int, int]]:
        """Where the parts between lines of `--boundary` begin and end; the last may lack its end."""
        spans = []
        begin: int | None = None
        line = b"\n--" + boundary
        position = max(shell.start - 1, 0)
        if self._raw.startswith(line[1:], position):
            position -= 1
        while (found := self._raw.find(line, max(position, 0), shell.end)) >= 0 or position < 0:
            if position < 0:
                found = -1
            position = found + len(line)
            tail = self._raw[position : min(position + 200, shell.end)].split(b"\n", 1)[0].strip()
            self._candidates -= 1
            if self._candidates < 0 or self._parts <= 0:
                break
            if tail not in {b"", b"--"}:
                continue
            if begin is not None:
                spans.append((begin, max(begin, found - (self._raw[found - 1 : found] == b"\r"))))
                self._parts -= 1
                begin = None
            if tail:
                return spans
            after = self._raw.find(b"\n", position, shell.end)
            begin = shell.end if after < 0 else after + 1
            position = begin - 1
        return spans if begin is None else [*spans, (min(begin, shell.end), shell.end)]


def _headers_in(head: str) -> dict[str, str]:
    """Returns headers by their name in lower case; the first of a name counts."""
    headers: dict[str, str] = {}
    for line in _FOLD.sub(" ", head).split("\n"):
        if found := _HEADER.fullmatch(line.rstrip("\r")[:_HEADER_LIMIT]):
            headers.setdefault(found[1].lower(), found[2].strip())
    return headers


def _from_base64(raw: bytes) -> bytes:
    clean = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    return binascii.a2b_base64(clean[: len(clean) - (len(clean) % 4 == 1)] + b"==")


def readable_texts(parts: Iterable[MimePart], limit: int = TEXT_LIMIT) -> list[str]:
    """The parts' texts, as far as they are read: no mail of a portal is longer than a part may be."""
    texts = []
    left = limit
    for part in parts:
        if left <= 0:
            break
        texts.append(part.text[:left])
        left -= len(part.content)
    return texts
