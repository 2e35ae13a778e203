"""Log lines of this process, our own and those of libraries, to standard error as text or JSON.

No secret leaves through here, and no address: fields that name a secret are blanked, and so is whatever looks
like one, like an e-mail address or like a phone number in a finished line.
"""

import contextlib
import logging
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from leadroutes.domain.text import visible, visible_json

BLANK = "[secret]"
SECRET_FIELDS = frozenset(
    ("authorization", "password", "secret", "client_secret", "token", "access_token", "refresh_token", "key", "cookie")
)
SECRET_PATHS = "intake|claim|unsubscribe|passwords|invitations|emails|setup|twilio/calls|app/resume"  # noqa: S105 -- names in paths
# What a secret looks like in a line: in a path that carries one, in a URL with a password, as a token of the service.
SECRET_TEXTS = (
    (re.compile(rf"(/(?:{SECRET_PATHS})/)[^/\s?\"'<>]+", re.IGNORECASE), rf"\1{BLANK}"),
    (re.compile(r"([?&]call=)[\w-]+"), rf"\1{BLANK}"),
    (re.compile(r"(://[^/@:\s]*:)[^@/\s]+@"), rf"\1{BLANK}@"),
    (re.compile(r"\b((?:bearer|basic)\s+)[\w+/=.~-]+", re.IGNORECASE), rf"\1{BLANK}"),
    (re.compile(r"\b[0-9a-f]{40}\b"), BLANK),
)
# Whom a line is about, numbers say; a mail server's answer or a row that PostgreSQL refuses may say more.
PERSONAL_TEXTS = (
    (re.compile(r"(?<![\w.+'-])[\w.+'-]++@(?:[\w-]+\.)+[a-z]{2,}\b", re.IGNORECASE), "[e-mail]"),
    (re.compile(r"\+\d{10,15}\b"), "[phone]"),
    (re.compile(r"(DETAIL:\s+)(?:(?!\\n)[^\n])*"), r"\1[values]"),
)

# What came from outside may be of any length; a line is cut before it is looked through and written.
MAX_VALUE_LENGTH = 200  # characters of a field
MAX_EVENT_LENGTH = 1_000  # of the sentence, which for other libraries holds their values
MAX_TRACEBACK_LENGTH = 16_384


def set_up(*, as_json: bool, level: int = logging.INFO, tells_leads: bool = True) -> None:
    """Send everything that is logged from now on to standard error, one line each."""
    global _write_leads  # noqa: PLW0603 -- as everywhere in logging, one for the process
    _write_leads = (_lines_as_json if as_json else _lines_as_text) if tells_leads and level <= logging.INFO else None
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _blank_secret_fields,
        structlog.processors.format_exc_info,
        _cut_fields,
    ]
    render = _rendering(as_json)
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Forgiving(sys.stderr))),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render]
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for independent in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # a handler of their own would blank nothing
        logging.getLogger(independent).handlers.clear()
        logging.getLogger(independent).propagate = True
    for talkative in ("httpx", "uvicorn.error", "mail.log"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


def write_lead_lines(lines: Iterable[Mapping[str, object]]) -> None:
    """Log what happened to leads, a line each: `event`, then fields that hold numbers and words of our own only.

    Skips blanking and formatting, which would cost as much as the decision that is logged.
    """
    if _write_leads is not None and (text := _write_leads(lines)):
        _Forgiving(sys.stderr).write(text)


class _Forgiving:
    """Whoever read it may have died, or its disk be full: what has been done is not undone for want of a log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


_write_leads: Callable[[Iterable[Mapping[str, object]]], str] | None = None


def _lines_as_json(lines: Iterable[Mapping[str, object]]) -> str:
    rest = {"level": "info", "timestamp": datetime.now(UTC)}
    return "".join(f"{msgspec.json.encode({**line, **rest}).decode()}\n" for line in lines)


def _lines_as_text(lines: Iterable[Mapping[str, object]]) -> str:
    moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return "".join(f"{moment} [info     ] {line['event']:<30} {_fields(line)}\n" for line in lines)


def _fields(line: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in line.items() if name != "event" and value is not None)


def without_secrets(line: str) -> str:
    """The same line, with whatever looks like a secret blanked."""
    for pattern, replacement in SECRET_TEXTS:
        line = pattern.sub(replacement, line)
    return line


def without_people(line: str) -> str:
    """The same line, with e-mail addresses, phone numbers and the values of refused rows blanked."""
    for pattern, replacement in PERSONAL_TEXTS:
        line = pattern.sub(replacement, line)
    return line


def _blank_secret_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for field in event:
        if field.lower() in SECRET_FIELDS:
            event[field] = BLANK
    return event


def _visible_fields(event: EventDict) -> EventDict:
    """What came from outside begins no line of its own and says nothing to a terminal; tracebacks have lines."""
    return {
        field: visible(value, keeps_lines=field == "exception") if isinstance(value, str) else value
        for field, value in event.items()
    }


def _cut_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Every field within its limit; of lists and the like their text counts."""
    for field, value in event.items():
        if value is None or isinstance(value, int | float) or field.startswith("_"):  # _record: of logging itself
            continue
        text = value if isinstance(value, str) else repr(value)
        most = {"event": MAX_EVENT_LENGTH, "exception": MAX_TRACEBACK_LENGTH}.get(field, MAX_VALUE_LENGTH)
        if len(text) > most:
            event[field] = _cut(text, most)
    return event


def _cut(text: str, most: int) -> str:
    """The beginning and, of a traceback, the end, where the cause is; in between, how much is missing."""
    gap = f"[{len(text) - most} characters]"
    remaining = most - len(gap)
    at_end = remaining // 2 if most == MAX_TRACEBACK_LENGTH else 0
    return text[: remaining - at_end] + gap + text[len(text) - at_end :]


def _rendering(as_json: bool) -> Callable[[WrappedLogger, str, EventDict], str]:
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )

    def render(logger: WrappedLogger, method: str, event: EventDict) -> str:
        line = renderer(logger, method, event if as_json else _visible_fields(event))
        return without_people(without_secrets(visible_json(line) if as_json else line))

    return render
