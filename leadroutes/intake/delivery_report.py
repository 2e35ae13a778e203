"""Reads reports about mails: of mail servers (RFC 3464), and of people who called a mail unwanted (RFC 5965).

Nothing is trusted in a report but one of our signed addresses in it; sizes and numbers are limited.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from leadroutes.domain.delivery_status import is_dead_address, status_code
from leadroutes.domain.text import one_line
from leadroutes.intake.decoding import decode
from leadroutes.intake.mime import MimePart

STATUS_TYPES: Final = frozenset({"message/delivery-status", "message/global-delivery-status"})
FEEDBACK_TYPE: Final = "message/feedback-report"
COMPLAINTS: Final = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})
"""Kinds of feedback by which a person says that the mail was not wanted; others are about signatures or viruses."""

_READ: Final = 65_536  # bytes of a part
_MOST_RECIPIENTS: Final = 100
_SHOWN: Final = 300  # characters of what a server said
_BLANK_LINES: Final = re.compile(r"\n[ \t]*\n")
_FOLD: Final = re.compile(r"\n[ \t]+")
_FIELD: Final = re.compile(r"([!-9;-~]{1,60})[ \t]*:[ \t]*(.*)")
_TYPE_OF_DIAGNOSTIC: Final = re.compile(r"[A-Za-z-]{1,20}[ \t]*;[ \t]*")
_OUR_ADDRESS: Final = re.compile(r"((?:bounce|reply)\+[a-z2-7]{16,40})@([a-z0-9.-]{1,253})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of a mail. `is_failed`: it was not delivered, to no one. `code`: the status code, if it has any."""

    is_failed: bool
    is_dead_address: bool
    code: str | None
    said: str


def delivery_report(mail: MimePart) -> DeliveryReport | None:
    """Returns what a mail reports of a delivery; None where it is not such a report."""
    part = next((each for each in mail.leaves() if each.media_type in STATUS_TYPES), None)
    if part is None:
        return None
    recipients = [fields for fields in _blocks(part) if fields.keys() & {"final-recipient", "action", "status"}]
    outcomes = [_outcome(fields) for fields in recipients]
    if not outcomes:
        return DeliveryReport(is_failed=False, is_dead_address=False, code=None, said="it names no recipient")
    is_failed = all(each.is_failed for each in outcomes)
    worst = next((each for each in outcomes if not each.is_dead_address), outcomes[0])
    return DeliveryReport(is_failed, worst.is_dead_address, worst.code, worst.said)


def feedback_kind(mail: MimePart) -> str | None:
    """Returns the kind of a report about a mail that was not wanted, such as `abuse`; None where it is not one."""
    part = next((each for each in mail.leaves() if each.media_type == FEEDBACK_TYPE), None)
    if part is None:
        return None
    kinds = (fields["feedback-type"] for fields in _blocks(part) if "feedback-type" in fields)
    return (one_line(next(kinds, "")) or "").lower()[:40]


def our_addresses(mail: MimePart) -> tuple[tuple[str, str], ...]:
    """Returns the addresses in a report that may be ours, as (local part, domain): of the mail that it is about."""
    found: dict[tuple[str, str], None] = {}
    for text in _texts_about_the_mail(mail):
        for each in _OUR_ADDRESS.finditer(text):
            found.setdefault((each[1].lower(), each[2].lower().rstrip(".")))
            if len(found) >= 10:
                return tuple(found)
    return tuple(found)


def _texts_about_the_mail(mail: MimePart) -> Iterator[str]:
    described = {*STATUS_TYPES, FEEDBACK_TYPE, "text/rfc822-headers", "message/global-headers"}
    for part in mail.leaves():
        if part.media_type in described:
            yield decode(part.content[:_READ])
    if (returned := mail.attached_mail()) is not None:
        yield "\n".join(returned.headers.values())[:_READ]


def _outcome(fields: Mapping[str, str]) -> DeliveryReport:
    said = _TYPE_OF_DIAGNOSTIC.sub("", fields.get("diagnostic-code", ""), count=1)
    code = status_code(fields.get("status", ""), said)
    action = fields.get("action", "").partition("(")[0].strip().lower()
    is_failed = action == "failed" or (not action and (code or "").startswith("5"))
    is_dead = is_failed and code is not None and is_dead_address(code)
    words = one_line(said)
    is_said = code is not None and words is not None and code in words
    shown = " ".join(filter(None, (None if is_said else code, words))) or action or "no reason given"
    return DeliveryReport(is_failed, is_dead, code, shown[:_SHOWN])


def _blocks(part: MimePart) -> Iterator[dict[str, str]]:
    """Yields the fields of each block by their names in lower case; the first of a name counts."""
    text = decode(part.content[:_READ]).replace("\r\n", "\n")
    for block in _BLANK_LINES.split(text, maxsplit=_MOST_RECIPIENTS)[:_MOST_RECIPIENTS]:
        fields: dict[str, str] = {}
        for line in _FOLD.sub(" ", block).split("\n"):
            if found := _FIELD.fullmatch(line.strip()):
                fields.setdefault(found[1].lower(), found[2].strip())
        if fields:
            yield fields
