"""No secret leaves through a log, whichever way it got into a line."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from leadroutes.api.operations import OPERATIONS
from leadroutes.observability import logs

TOKEN = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:], logging.root.level = handlers, level
    structlog.reset_defaults()


SECRET_KEYS = [each.path for each in OPERATIONS if ":key" in each.path and not each.path.startswith("/pictures/")]


@pytest.mark.parametrize("path", SECRET_KEYS)
def test_the_key_in_a_path_of_the_api_is_blanked(path: str) -> None:
    assert logs.without_secrets(path.replace(":key", "x-Y_z")) == path.replace(":key", logs.BLANK)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("POST /intake/abcd1234 201", "POST /intake/[secret] 201"),
        ("GET //claim/x-Y_z?a=1", "GET //claim/[secret]?a=1"),
        ("GET /unsubscribe/WzEsMV0.x-Y_z", "GET /unsubscribe/[secret]"),
        ("GET /app/resume/x-Y_z", "GET /app/resume/[secret]"),
        (
            "https://leads.example.com/twilio/calls/x-Y_z?step=1",
            "https://leads.example.com/twilio/calls/[secret]?step=1",
        ),
        (
            "https://leads.example.com/twilio/status?a=1&call=x-Y_z",
            "https://leads.example.com/twilio/status?a=1&call=[secret]",
        ),
        ("smtp://user:hunter2@mail.example.com:25", "smtp://user:[secret]@mail.example.com:25"),
        ("postgresql://postgres:p%40ss@db/leads refused", "postgresql://postgres:[secret]@db/leads refused"),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer [secret]"),
        (f"token {TOKEN} is unknown", "token [secret] is unknown"),
        ("postgresql://postgres@/leadroutes?host=/tmp", "postgresql://postgres@/leadroutes?host=/tmp"),
        ("lead 42 was claimed by bob@example.com", "lead 42 was claimed by bob@example.com"),
    ],
)
def test_what_looks_like_a_secret_is_blanked(line: str, expected: str) -> None:
    assert logs.without_secrets(line) == expected


@pytest.mark.parametrize("as_json", [True, False])
def test_a_field_that_names_a_secret_is_blanked(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    logs.set_up(as_json=as_json)
    structlog.get_logger().info("signed in", password="hunter2", user_id=7)

    line = capsys.readouterr().err
    assert "hunter2" not in line
    assert "7" in line


def test_other_peoples_log_lines_are_blanked_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(as_json=True)
    logging.getLogger("uvicorn.error").warning("cannot answer %s", f"/intake/{TOKEN}")

    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "cannot answer /intake/[secret]"
    assert line["level"] == "warning"


def test_a_traceback_holds_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(as_json=True)
    try:
        break_with(f"smtp://user:hunter2@mail.example.com said no to {TOKEN}")
    except OSError:
        structlog.get_logger().exception("mail broke")

    text = capsys.readouterr().err
    assert "Traceback" in text
    assert "hunter2" not in text
    assert TOKEN not in text


@pytest.mark.parametrize("as_json", [True, False])
def test_what_came_from_outside_is_cut(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    logs.set_up(as_json=as_json)
    structlog.get_logger().info("a request failed", path="/hotnesses/" + "0" * 100_000 + "1", given=["x" * 1_000] * 100)
    logging.getLogger("aiosmtpd").warning("got %s", "b" * 100_000)

    first, second = capsys.readouterr().err.splitlines()
    assert len(first) < 2 * logs.MAX_VALUE_LENGTH + 200
    assert "/hotnesses/0" in first
    assert "characters]" in first
    assert len(second) < logs.MAX_EVENT_LENGTH + 200


def test_of_a_long_traceback_its_beginning_and_its_end_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(as_json=True)
    try:
        break_with("x" * 1_000_000 + " the cause")
    except OSError:
        structlog.get_logger().exception("it broke")

    line = json.loads(capsys.readouterr().err)
    assert len(line["exception"]) <= logs.MAX_TRACEBACK_LENGTH
    assert "break_with" in line["exception"]
    assert "the cause" in line["exception"]


def break_with(message: str) -> None:
    raise OSError(message)
