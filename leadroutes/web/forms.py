"""Reads what a form has sent: limited in size and time, in the encodings that browsers use; and the ids in it."""

import asyncio
from collections.abc import AsyncGenerator
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from leadroutes.errors import Invalid, SlowRequest, TooLarge

LARGEST = 16_384  # bytes
LARGEST_ID = 2**63 - 1
LARGEST_FIELDS = 524_288  # bytes of a form of the pages; letters that are escaped take three
MOST_FIELDS = 2_000
ENCODING = "application/x-www-form-urlencoded"
WITH_FILES = "multipart/form-data"


async def read_form(
    request: Request,
    timeout: float,  # noqa: ASYNC109 -- a setting
    largest: int = LARGEST,
) -> dict[str, str]:
    """Names and values, the last of each name; TooLarge, SlowRequest, or Invalid for what is not such a form."""
    return dict(_pairs(await _read_encoded(request, timeout, largest), most=20))


async def read_fields(
    request: Request,
    timeout: float,  # noqa: ASYNC109 -- a setting
    largest: int = LARGEST_FIELDS,
) -> tuple[dict[str, list[str]], dict[str, UploadFile]]:
    """Returns all values of each field, and the files that were chosen. Raises TooLarge, SlowRequest or Invalid."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == WITH_FILES:
        return await _read_parts(request, timeout, largest)
    body = await _read_encoded(request, timeout, largest)
    fields: dict[str, list[str]] = {}
    for name, value in _pairs(body):
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return fields, {}


def read_id(text: str | None) -> int | None:
    """The id that a form or an address has sent; None for anything that cannot be one."""
    if not (text and text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= LARGEST_ID):
        return None
    return int(text)


def require_id(name: str, text: str, expected: str = "the id of a record") -> int:
    """Returns the id that a field or a query has sent. Raises Invalid for anything that cannot be one."""
    number = read_id(text)
    if number is None:
        raise Invalid(f"{name}: {text[:40]!r} was given; expected {expected}.")
    return number


async def _read(request: Request, largest: int) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise TooLarge(f"The form is larger than {largest} bytes.")
    return body


async def _read_encoded(request: Request, seconds: float, largest: int) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != ENCODING:
        raise Invalid(f"The form has to come as {ENCODING}.")
    try:
        return await asyncio.wait_for(_read(request, largest), seconds)
    except TimeoutError as error:
        raise SlowRequest("The form did not arrive in time; send it again.") from error


def _pairs(body: bytes, most: int = MOST_FIELDS) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=most)
    except ValueError as error:
        raise Invalid("The form has too many fields.") from error


async def _read_parts(
    request: Request, seconds: float, largest: int
) -> tuple[dict[str, list[str]], dict[str, UploadFile]]:
    """Files beyond a megabyte are on the disk while they are read."""
    parser = MultiPartParser(
        request.headers, _limited(request, largest), max_files=4, max_fields=MOST_FIELDS, max_part_size=LARGEST_FIELDS
    )
    try:
        form = await asyncio.wait_for(parser.parse(), seconds)
    except TimeoutError as error:
        raise SlowRequest("The form did not arrive in time; send it again.") from error
    except MultiPartException as error:
        raise Invalid(f"The form cannot be read: {error.message}.") from error
    fields: dict[str, list[str]] = {}
    files: dict[str, UploadFile] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            files[name] = value
        else:
            fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return fields, files


async def _limited(request: Request, largest: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            raise TooLarge(f"The form is larger than {largest} bytes.")
        yield part
