"""Mails that come back, in the sandbox: anyone who was sent a mail can answer with whatever they like.

`leadroutes.sandbox.tasks.returned_mails` implements it; only the child processes load that module.
"""

from typing import Final

from msgspec import Struct

from leadroutes.intake.returned_mail import ReturnedMail
from leadroutes.sandbox.work import SandboxFunction


class IncomingMail(Struct, frozen=True, kw_only=True):
    """A mail as it came. `has_sender`: its envelope names one."""

    raw: bytes
    has_sender: bool


READ_RETURNED_MAIL: Final = SandboxFunction(
    "leadroutes.sandbox.tasks.returned_mails:read", IncomingMail, ReturnedMail, seconds=3.0
)
