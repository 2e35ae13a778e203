"""What every answer of the API has to look like, whatever was asked."""

import re

from hypothesis import strategies as st

from tests.support.api import Reply

INTERNALS = re.compile('SELECT .+ FROM|syntax error at|relation "|asyncpg|Traceback')  # never said to a caller
IDS = st.sampled_from(["1", "2", "3", "1000", "0", "-1", "x", "9" * 30])


def check_answer(reply: Reply) -> None:
    assert reply.status < 500, reply.body
    if reply.status >= 400:
        error = reply.json
        assert list(error) in (
            ["name", "message", "code", "className", "errors"],
            ["name", "message", "code", "className", "data", "errors"],
        )
        assert error["code"] == reply.status
        assert not INTERNALS.search(error["message"])


def check_oauth_answer(reply: Reply) -> None:
    """RFC 6749, section 5.2, has a form of its own."""
    assert reply.status < 500, reply.body
    if reply.status >= 400 and "json" in reply.headers.get("content-type", ""):
        assert set(reply.json) in ({"error"}, {"error", "error_description"})
