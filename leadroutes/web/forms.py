"""Reads what a form has sent: small, in time, in the one encoding that our own forms use; and the ids in it."""

import asyncio
from urllib.parse import parse_qsl

from starlette.requests import Request

from leadroutes.errors import Invalid, SlowRequest, TooLarge

LARGEST = 16_384  # bytes
LARGEST_ID = 2**63 - 1
ENCODING = "application/x-www-form-urlencoded"


async def read_form(
    request: Request,
    timeout: float,  # noqa: ASYNC109 -- a setting
    largest: int = LARGEST,
) -> dict[str, str]:
    """Names and values, the last of each name; TooLarge, SlowRequest, or Invalid for what is not such a form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != ENCODING:
        raise Invalid(f"The form has to come as {ENCODING}.")
    try:
        body = await asyncio.wait_for(_read(request, largest), timeout)
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20))
    except TimeoutError as error:
        raise SlowRequest("The form did not arrive in time; send it again.") from error
    except ValueError as error:
        raise Invalid("The form has too many fields.") from error


def read_id(text: str | None) -> int | None:
    """The id that a form or an address has sent; None for anything that cannot be one."""
    if not (text and text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= LARGEST_ID):
        return None
    return int(text)


async def _read(request: Request, largest: int) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise TooLarge(f"The form is larger than {largest} bytes.")
    return body
