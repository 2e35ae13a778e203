"""All texts of a body, decoded from every layer, for the search for a person in it.

Does not interpret them; the formats do. Reads bodies that are not a lead too, as far as they can be decoded.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from email.errors import HeaderParseError
from email.header import decode_header
from itertools import islice
from typing import Any, Final

from leadroutes.domain.text import with_few_marks
from leadroutes.intake.body import Body
from leadroutes.intake.decoding import children, decode
from leadroutes.intake.html import unescaped
from leadroutes.intake.mime import MimePart, open_mail
from leadroutes.intake.results import Refused

WRAPPING_DEPTH: Final = 4
"""How often something may be wrapped in something else, such as a mail in JSON in JSON."""
TEXTS_LIMIT: Final = 5_000
"""Texts of one body that are read; no body has more, only attacks do."""

_ENCODED_WORD = r"=\?[^?\s]{1,60}\?[bq]\?[^?\r\n]*\?="
_ENCODED_WORDS = re.compile(rf"{_ENCODED_WORD}(?:\s+{_ENCODED_WORD}){{0,60}}", re.IGNORECASE)  # what a header can hold
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|/)")


def texts_in(body: bytes, headers: Mapping[str, str]) -> Iterator[str]:
    """Yields texts in lower case, the whole body included; a text that can be decoded in several ways is repeated."""
    content_type = Body(body, headers).header("Content-Type") or ""
    yield _plain("\n".join(headers.values()))
    yield from islice(_read(body, content_type, depth=0), TEXTS_LIMIT)


def _read(raw: bytes, content_type: str, depth: int) -> Iterator[str]:
    incoming = Body(raw, {"Content-Type": content_type})
    yield _plain(incoming.text)
    if depth == WRAPPING_DEPTH:
        return
    values = list(_values(incoming))
    if values:
        yield _plain("\n".join(values))
    for value in values:
        if "\n" in value or "\\" in value:  # else there is no mail in it, and no JSON but what has just been read
            yield from _read(value.encode("utf-8", "surrogatepass"), "", depth + 1)
    for part in _parts(incoming):
        yield from _read(part.content, part.headers.get("content-type", ""), depth + 1)


def _plain(text: str) -> str:
    """Returns the text with encoded words, references of markup, escapes of JSON and wide letters resolved.

    Zero characters are left over from UTF-16 that was not declared; they are removed.
    """
    text = unescaped(_ENCODED_WORDS.sub(_decoded_words, text.replace("\0", "")))
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "/", text)
    return (text if text.isascii() else unicodedata.normalize("NFKC", with_few_marks(text))).lower()


def _decoded_words(found: re.Match[str]) -> str:
    """Returns encoded words decoded; unchanged if that is not possible."""
    try:
        pieces = decode_header(found[0])
    except (HeaderParseError, ValueError):
        return found[0]
    return "".join(piece if isinstance(piece, str) else decode(piece, charset) for piece, charset in pieces)


def _values(incoming: Body) -> Iterator[str]:
    """Yields the texts of JSON or of a form."""
    if incoming.media_type == "application/x-www-form-urlencoded":
        yield from (value for _, value in incoming.form)
        return
    waiting: list[Any] = [incoming.json_if_any]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        waiting.extend(children(value))


def _parts(incoming: Body) -> Iterator[MimePart]:
    """Yields the parts of a mail or a multipart form, with those of the mails attached to it."""
    raw = incoming.body
    if incoming.media_type.startswith("multipart/"):
        raw = f"Content-Type: {incoming.header('Content-Type')}\n\n".encode() + raw
    try:
        mail = open_mail(raw)
    except Refused:
        return
    waiting = [mail]
    while waiting:
        part = waiting.pop()
        if not part.media_type.startswith("multipart/"):
            yield part
        waiting.extend(part.parts)
