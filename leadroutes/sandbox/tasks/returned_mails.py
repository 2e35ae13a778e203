"""Reads mails that come back, with a library that knows the reports of servers that follow no standard."""

import logging
from email import message_from_bytes
from typing import Final

from flufl.bounce import all_failures

from leadroutes.intake.returned_mail import ReturnedMail, read_returned_mail
from leadroutes.sandbox.returned_mails import IncomingMail

LOOKED_AT: Final = 131_072  # bytes: such a report is at the beginning, and a copy of the mail follows

logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)  # it logs each attempt


def read(asked: IncomingMail) -> ReturnedMail:
    """Returns what a mail is."""
    return read_returned_mail(asked.raw, has_sender=asked.has_sender, find_failures=is_failure)


def is_failure(raw: bytes) -> bool:
    """Whether a mail says that one could not be delivered, for good."""
    try:
        _, permanent = all_failures(message_from_bytes(raw[:LOOKED_AT]))
    except Exception:  # noqa: BLE001 -- a detector may fail on anything; it is not known then
        return False
    return bool(permanent)
