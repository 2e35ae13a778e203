"""The body of a request: receives it within its limits, decompresses and decodes it into an object of fields.

It checks the form only; each resource checks what the fields mean.
"""

import asyncio
import codecs
import json
import re
import zlib
from decimal import Decimal
from typing import Any

import msgspec

from leadroutes.api.brackets import parse
from leadroutes.api.call import Request
from leadroutes.errors import Invalid, MethodNotAllowed, SlowRequest, TooLarge

_JSON = msgspec.json.Decoder(float_hook=Decimal)
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^";\s]*)', re.IGNORECASE)
MAX_MEMBERS = 100  # of a gzip body; each costs a copy of what is behind it
_SURROGATES = re.compile("[\ud800-\udfff]")


class ClientDisconnected(Exception):  # noqa: N818 -- no one is left to report an error to
    """The client went away before its request had arrived."""


async def read_bytes(request: Request, limit: int, seconds: float) -> bytes:
    """Returns the decompressed body. Raises TooLarge beyond `limit` bytes, SlowRequest after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            packed = await _received(request, limit)
    except TimeoutError:
        raise SlowRequest(f"The body did not arrive within {seconds:g} seconds") from None
    return _unpacked(packed, (request.header("content-encoding") or "identity").strip().lower(), limit)


async def read_limited(request: Request, limit: int, seconds: float) -> bytes:
    """Like read_bytes, but raises Invalid for a body that is too large: only /intake answers 413."""
    try:
        return await read_bytes(request, limit, seconds)
    except TooLarge as error:
        raise Invalid(error.message) from None


def fields_of(request: Request, data: bytes, *, is_new: bool) -> dict[str, Any]:
    """Returns the fields of a JSON object or a form; an empty body and one of another type have none."""
    body = decode_body(data, request.header("content-type") or "")
    if isinstance(body, list):
        raise MethodNotAllowed("Can not create multiple entries") if is_new else Invalid("A list is not a record")
    if not isinstance(body, dict):
        raise Invalid("The body has to be a JSON object")
    if len(body) == 1 and isinstance(body.get("data"), dict):
        inner: dict[str, Any] = body["data"]
        return inner
    return body


def decode_body(data: bytes, content_type: str) -> Any:
    """Decodes JSON (numbers become int and Decimal) or a form; any other type counts as an empty object."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in ("application/json", "application/x-www-form-urlencoded") or not data:
        return {}
    charset = _CHARSET.search(content_type)
    if charset and charset[1].lower() not in ("utf-8", "utf8"):
        raise Invalid(f"charset: {charset[1]} was given; expected utf-8")
    if media_type == "application/json":
        return decode_json(data)
    return parse(data.decode("utf-8", "replace"))


def decode_json(data: bytes) -> Any:
    """Decodes JSON; bytes that are not UTF-8 and lone surrogates become U+FFFD. Raises Invalid for anything else."""
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return _JSON.decode(data)
    except RecursionError:
        raise Invalid("The JSON is nested too deeply") from None
    except Exception:  # noqa: BLE001 -- msgspec's errors, or those of a hook; the lenient decoder finds out which
        return _decode_leniently(data)


def _decode_leniently(data: bytes) -> Any:
    text = data.decode("utf-8", "replace")
    try:
        return _without_surrogates(json.loads(text, parse_float=_decimal, parse_constant=_refuse))
    except RecursionError:
        raise Invalid("The JSON is nested too deeply") from None
    except ValueError as error:
        raise Invalid(f"The body is not JSON: {str(error)[:100]}") from None
    except Exception as error:  # noqa: BLE001 -- whatever the decoder raises, the body is at fault
        raise Invalid(f"The body cannot be read: {type(error).__name__}") from None


def _decimal(number: str) -> Decimal:
    try:
        return Decimal(number)
    except ArithmeticError:
        shown = number if len(number) <= 60 else f"{number[:57]}..."
        raise ValueError(f"{shown} is a number beyond all bounds") from None


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return _SURROGATES.sub("\ufffd", value)
        case list():
            return [_without_surrogates(each) for each in value]
        case dict():
            return {_without_surrogates(key): _without_surrogates(each) for key, each in value.items()}
    return value


async def _received(request: Request, limit: int) -> bytes:
    length = request.header("content-length") or "0"
    if length.isascii() and length.isdigit() and int(length[:20]) > limit:
        raise TooLarge("request entity too large")
    parts, size = [], 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise TooLarge("request entity too large")
        if not message.get("more_body", False):
            return b"".join(parts)


def _unpacked(data: bytes, encoding: str, limit: int) -> bytes:
    match encoding:
        case "identity" | "":
            return data
        case "gzip" | "x-gzip":
            return _inflated(data, (zlib.MAX_WBITS | 16,), limit)
        case "deflate":
            return _inflated(data, (zlib.MAX_WBITS, -zlib.MAX_WBITS), limit)
    raise Invalid(f"Content-Encoding: {encoding} was given; expected gzip or deflate")


def _inflated(data: bytes, window_sizes: tuple[int, ...], limit: int) -> bytes:
    """Some clients send raw deflate data, without the zlib header that HTTP requires."""
    for window_size in window_sizes:
        try:
            return _members(data, window_size, limit)
        except zlib.error:
            continue
    raise Invalid("The packed body cannot be unpacked")


def _members(data: bytes, window_size: int, limit: int) -> bytes:
    """Gzip may come as several members, one behind the other (RFC 1952, 2.2): together they are the body."""
    parts, size = [], 0
    for _ in range(MAX_MEMBERS):
        unpacking = zlib.decompressobj(window_size)
        parts.append(unpacking.decompress(data, limit + 1 - size))
        size += len(parts[-1])
        if size > limit:
            raise TooLarge("request entity too large")
        if data and not unpacking.eof:
            raise zlib.error("its end is missing")
        data = unpacking.unused_data.lstrip(b"\0")  # padding
        if not data or not window_size & 16:
            return b"".join(parts)
    raise Invalid(f"The packed body has more than {MAX_MEMBERS} members")
