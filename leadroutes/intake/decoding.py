"""Bytes to text and JSON, for bodies whose sender may lie about both.

Linear in the size of the body; what cannot be read is refused, nothing raises but `Refused`.
"""

import codecs
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, NoReturn

from leadroutes.domain.text import field_text, message_text
from leadroutes.intake.results import Refused

JSON_DEPTH: Final = 64

_NO_CHARSETS: Final = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"})
"""Python's codecs that are no character sets; some take quadratic time."""

_WINDOWS_1252: Final = {
    byte: bytes([byte]).decode("cp1252") for byte in range(0x80, 0xA0) if byte not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
}


def decode(raw: bytes, charset: str | None = None) -> str:
    """Text by the declared charset, else as UTF-8, else as Windows-1252; never fails.

    A byte order mark decides before what is declared, as in browsers, and is dropped.
    """
    for name in (*_marked(raw), *_codecs(charset), "utf-8"):
        if name == "cp1252":
            break
        try:
            return without_lone_surrogates(raw.decode(name)).removeprefix("\ufeff")
        except (UnicodeError, LookupError):
            continue
    return raw.decode("latin-1").translate(_WINDOWS_1252)


def _marked(raw: bytes) -> tuple[str, ...]:
    if raw[:3] == codecs.BOM_UTF8:
        return ("utf-8",)
    return ("utf-16",) if raw[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else ()


def without_lone_surrogates(text: str) -> str:
    """The text with U+FFFD for each unpaired surrogate, which JSON and UTF-7 can spell and no reply can hold."""
    return text if text.isascii() else _HALVES.sub("\ufffd", text)


_HALVES = re.compile("[\ud800-\udfff]")
_SPELT_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def _codecs(charset: str | None) -> tuple[str, ...]:
    """Python's names of a charset, and of what programs mean by it; ASCII is read as UTF-8."""
    try:
        name = codecs.lookup((charset or "utf-8").strip("\"' \t")).name
    except (LookupError, ValueError):
        return ()
    if name in _NO_CHARSETS or name in {"ascii", "utf-8"}:
        return ()
    return _MEANT.get(name, (name,))


_MEANT: Final = {
    "iso8859-1": ("cp1252",),
    "iso8859-9": ("cp1254", "iso8859-9"),
    "iso8859-11": ("cp874", "iso8859-11"),
    "tis-620": ("cp874", "tis-620"),
    "gb2312": ("gb2312", "gb18030"),
    "gbk": ("gbk", "gb18030"),
    "big5": ("big5", "big5hkscs"),
    "euc_kr": ("euc_kr", "cp949"),
    "shift_jis": ("shift_jis", "cp932"),
}
"""Programs declare the standard and write its extension, without which many a name cannot be spelt, as in browsers."""


def parse_json(text: str) -> Any:
    """JSON with numbers as text, so that ids of any length survive; raises Refused (`malformed`, `too_deep`)."""
    try:
        value = _JSON.decode(text)
    except RecursionError:
        raise Refused("too_deep", _TOO_DEEP) from None
    except ValueError as error:
        raise Refused("malformed", f"The body is not JSON: {error}.") from None
    if text.count("[") + text.count("{") > JSON_DEPTH and _is_deeper(value, JSON_DEPTH):
        raise Refused("too_deep", _TOO_DEEP)
    return _with_whole_characters(value) if _SPELT_HALF.search(text) else value


def _with_whole_characters(value: Any) -> Any:
    """No deeper than JSON_DEPTH."""
    match value:
        case str():
            return without_lone_surrogates(value)
        case list():
            return [_with_whole_characters(each) for each in value]
        case dict():
            return {without_lone_surrogates(name): _with_whole_characters(each) for name, each in value.items()}
    return value


_TOO_DEEP: Final = f"The JSON is nested deeper than {JSON_DEPTH} levels."


def _plain_number(number: str) -> str:
    """`7.48e5` as `748000`, `30307.0` as `30307`; of absurd exponents the number as sent."""
    try:
        exact = Decimal(number)
    except ArithmeticError:
        return number
    if not exact.is_finite() or abs(exact.adjusted()) > 30 or len(number) > 60:
        return number
    text = format(exact, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


# Not strict: templates put what a person typed, line ends and all, between quotes as it is.
_JSON: Final = json.JSONDecoder(parse_int=str, parse_float=_plain_number, parse_constant=_refuse_constant, strict=False)


def _is_deeper(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [child for parent in level for child in children(parent) if isinstance(child, dict | list)]
        if not level:
            return False
    return isinstance(value, dict | list)


def children(value: Any) -> Iterator[Any]:
    """The values inside a JSON value."""
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


# ------------------------------------------------------------------------------------- looking into JSON values


def record(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def scalar(value: Any) -> str | None:
    """A text, number or truth value as text; None for null, objects and arrays."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
    return None


def first_field(*values: Any) -> str | None:
    """The first value that says something (`n/a` and its like do not)."""
    return next((text for value in values if (text := scalar(value)) and field_text(text)), None)


def first_message(*values: Any) -> str | None:
    """The first value that is not blank."""
    return next((text for value in values if (text := scalar(value)) and message_text(text)), None)


def has_content(value: Any) -> bool:
    """Whether a JSON value contains any text, `true`, or a number other than 0."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict | list):
            waiting.extend(children(inner))
        elif (text := field_text(scalar(inner))) and text.lower() not in {"0", "false"}:
            return True
    return False
