"""Reads the Cookie header of a request: one pass over it, whatever it holds.

In place of Starlette's `request.cookies`: that calls http.cookies, which takes quadratic time before Python 3.11.10
and 3.12.6.
"""

from collections.abc import Iterable


def cookie_of(headers: Iterable[str], name: str) -> str | None:
    """The value of the last cookie of this name, without quotes around it; None where there is none.

    Escapes in a quoted value stay as they are: no cookie of this application has any.
    """
    value = None
    for header in headers:
        for pair in header.split(";"):
            found, equals, text = pair.partition("=")
            if equals and found.strip() == name:
                value = text.strip()
    if value is not None and len(value) >= 2 and value[0] == value[-1] == '"':
        return value[1:-1]
    return value
