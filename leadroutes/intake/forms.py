"""Bodies that browsers and vendors pack as forms: urlencoded and multipart, in order of arrival.

Uploaded files are skipped. Linear in the size of the body.
"""

import re
from collections.abc import Mapping
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from leadroutes.cache import short_cache
from leadroutes.intake.decoding import decode
from leadroutes.intake.results import Refused

Pair = tuple[str, str]

_HEADER_LIMIT: Final = 1_000
FIELD_LIMIT: Final = 20_000
"""Fields of one form that are read; no form has more, only attacks do."""


@short_cache(entries=256, longest=_HEADER_LIMIT)
def content_type_of(header: str | None) -> tuple[str, Mapping[str, str]]:
    """Returns a Content-Type's media type in lower case and its parameters."""
    media_type, parameters = _options((header or "").encode("latin-1", "replace"))
    return (
        media_type.decode("latin-1").strip().lower(),
        {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in parameters.items()},
    )


def _options(header: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """A header's value and its parameters; the library fails at some ways of encoding them."""
    try:
        return parse_options_header(header[:_HEADER_LIMIT])
    except (ValueError, LookupError, TypeError):
        return header[:_HEADER_LIMIT].partition(b";")[0], {}


def urlencoded_pairs(body: bytes, charset: str | None = None) -> list[Pair]:
    """Returns `a=1&b=2` as pairs; bytes that are neither UTF-8 nor in the declared charset are read as Windows-1252."""
    pairs = []
    for part in body.strip().split(b"&", FIELD_LIMIT)[:FIELD_LIMIT]:
        name, _, value = part.partition(b"=")
        if name:
            pairs.append((_unquoted(name, charset), _unquoted(value, charset)))
    return pairs


def _unquoted(raw: bytes, charset: str | None) -> str:
    """`%41` undone; the standard library's way takes sixty times the memory of the text."""
    return decode(_ESCAPE.sub(lambda found: _BYTES[found[1]], raw.replace(b"+", b" ")), charset)


_ESCAPE = re.compile(rb"%([0-9a-fA-F]{2})")
_BYTES: Final = {
    bytes([high, low]): bytes([int(chr(high) + chr(low), 16)])
    for high in b"0123456789abcdefABCDEF"
    for low in b"0123456789abcdefABCDEF"
}


def multipart_pairs(body: bytes, content_type: str) -> list[Pair]:
    """Returns the fields of multipart/form-data as pairs. Raises Refused (`malformed`)."""
    boundary = content_type_of(content_type)[1].get("boundary")
    if not boundary:
        raise Refused("malformed", "The form has several parts but its Content-Type names no boundary.")
    parts = _Parts()
    parser = MultipartParser(
        boundary.encode("latin-1"),
        {
            "on_part_begin": parts.begin,
            "on_part_data": parts.data,
            "on_part_end": parts.end,
            "on_header_field": parts.header_field,
            "on_header_value": parts.header_value,
            "on_header_end": parts.header_end,
        },
    )
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise Refused("malformed", f"The form's parts cannot be separated: {error}.") from None
    return parts.pairs


class _Parts:
    """Collects the parts that the parser reports; a part without an end is dropped."""

    def __init__(self) -> None:
        self.pairs: list[Pair] = []
        self.begin()

    def begin(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._chunks: list[bytes] = []

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        self._chunks.append(data[start:end])

    def end(self) -> None:
        header = self._headers.get(b"content-disposition", b"")
        disposition = _options(header)[1]
        is_file = b"filename" in disposition or b"filename*" in header.lower()
        if b"name" not in disposition or is_file or len(self.pairs) >= FIELD_LIMIT:
            return
        charset = content_type_of(decode(self._headers.get(b"content-type", b"")))[1].get("charset")
        self.pairs.append((decode(disposition[b"name"]), decode(b"".join(self._chunks), charset)))
