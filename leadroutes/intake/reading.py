"""Reads a body: chooses the format, checks its secret, reads the content.

Pure: no clock, no database, no network; it returns a Reading for any body.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import structlog

from leadroutes.intake.body import Body, FindCertificate
from leadroutes.intake.flat import LEAD_LIMIT
from leadroutes.intake.formats import BY_NAME, FORMATS, HTTP_LIMIT, MAIL_LIMIT, Format
from leadroutes.intake.results import Reading, Refusal, Refused, Result

log = structlog.get_logger()


def read(
    body: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    format: str | None = None,  # noqa: A002 - the API's own name for it
    secrets: Mapping[str, Any] | None = None,
    graph: Mapping[str, Any] | None = None,
    certificates: FindCertificate | None = None,
    limit: int | None = None,
    mail_limit: int | None = None,
) -> Reading:
    """Reads a body of a named format, or of the first that recognises it.

    `secrets` are the vendors' by section (`Format.secrets`) and are checked first; None means that the sender
    is already authenticated. `graph` holds the Graph API's answers by leadgen_id, `certificates` finds the PEM
    certificate of an address, `limit` is the largest body in bytes, `mail_limit` the largest mail.
    """
    incoming = Body(body, headers or {}, graph=graph, certificates=certificates)
    limits = (limit or HTTP_LIMIT, mail_limit or limit or MAIL_LIMIT)
    try:
        return _chosen_and_read(incoming, format, secrets, limits)
    except Exception:
        # A format that raises has a fault. Until it is fixed the body is stored like any other unreadable one, and is
        # read again afterwards: the sender may not send it twice.
        log.exception("a body could not be read", format=format, bytes=len(body))
        return Reading(format, (Refusal("malformed", "The body cannot be read."),))


def _chosen_and_read(
    incoming: Body, name: str | None, secrets: Mapping[str, Any] | None, limits: tuple[int, int]
) -> Reading:
    chosen = BY_NAME.get(name) if name else _recognised(incoming, limits)
    if chosen is None:
        problem = f"There is no format {name!r}" if name else "The body is of no format that can be read"
        return Reading(name, (Refusal("unknown_format", f"{problem}; there are {', '.join(BY_NAME)}."),))
    largest = limits[chosen.name == "email"]
    if len(incoming.body) > largest:
        detail = f"The body has {len(incoming.body)} bytes; {largest} can be taken."
        return Reading(chosen.name, (Refusal("too_large", detail),))
    section = None if secrets is None else secrets.get(chosen.secrets or "") or {}
    return _read(chosen, incoming.with_secret(chosen.default_source, section))


def _recognised(incoming: Body, limits: tuple[int, int]) -> Format | None:
    """Returns the first format that recognises the body; of a body that is too large only the headers are read."""
    is_mail = BY_NAME["email"].recognises(incoming)
    if len(incoming.body) > limits[is_mail]:
        return BY_NAME["email" if is_mail else "zapier"]
    try:
        return next((format_ for format_ in FORMATS if format_.recognises(incoming)), None)
    except Refused:
        return BY_NAME["website"]


def _read(format_: Format, incoming: Body) -> Reading:
    try:
        if incoming.secret is not None and format_.check:
            format_.check(incoming)
        results = _within_limit(format_.read(incoming))
        return Reading(format_.name, results, format_.marks(incoming) if format_.marks else {})
    except Refused as refused:
        return Reading(format_.name, (refused.refusal,), _marks_if_any(format_, incoming))


def _within_limit(read_: Iterable[Result]) -> tuple[Result, ...]:
    """All that a body holds, counted once, whatever it is made of."""
    results = tuple(islice(read_, LEAD_LIMIT + 1))
    if len(results) > LEAD_LIMIT:
        raise Refused("too_large", f"The body holds more than {LEAD_LIMIT} leads.")
    return results


def _marks_if_any(format_: Format, incoming: Body) -> dict[str, str]:
    try:
        return format_.marks(incoming) if format_.marks else {}
    except Refused:
        return {}
