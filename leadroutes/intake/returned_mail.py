"""Reads a mail that came back: a report of a mail server, a complaint, an automatic reply, or a person's answer.

Pure; what follows from it is decided elsewhere.
"""

from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

from leadroutes.domain.delivery_status import is_dead_address, status_code
from leadroutes.domain.identity import normal_email
from leadroutes.domain.stop_words import is_word_of_stopping
from leadroutes.domain.text import message_text, one_line
from leadroutes.intake.automatic import has_automatic_subject, why_automatic
from leadroutes.intake.delivery_report import COMPLAINTS, delivery_report, feedback_kind, our_addresses
from leadroutes.intake.html import page_text
from leadroutes.intake.mime import MimePart, decoded_header, open_mail, readable_texts
from leadroutes.intake.reply_text import own_words
from leadroutes.intake.results import Refused

Kind = Literal["failed", "report", "complaint", "automatic", "reply", "unreadable"]

LONGEST_WORDS: Final = 2_000  # characters of an answer, as an event holds them
_LONGEST_SUBJECT: Final = 200
_BEFORE_COPY: Final = 20_000  # characters of a report without a form in which a code is looked for
_COPY: Final = ("\n--- Below this line is a copy", "\n------ This is a copy", "\nReturn-Path:", "\nReceived:")
_NOT_PERSONAL: Final = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})

FindFailures = Callable[[bytes], bool]
"""Whether a mail without the form of a report says that a mail could not be delivered, for good."""


class Reply(Struct, frozen=True, kw_only=True):
    """A person's answer. `asks_to_stop`: the whole answer is a word of stopping."""

    words: str
    asks_to_stop: bool
    subject: str


class ReturnedMail(Struct, frozen=True, kw_only=True):
    """What came back. `detail` says it to people.

    Of a report that a mail could not be delivered (`failed`), `is_dead_address` says that none can be. `our_addresses`
    are those of the mail that a report is about, as (local part, domain), unchecked.
    """

    kind: Kind
    detail: str
    is_dead_address: bool = False
    our_addresses: tuple[tuple[str, str], ...] = ()
    reply: Reply | None = None


def read_returned_mail(raw: bytes, *, has_sender: bool, find_failures: FindFailures) -> ReturnedMail:
    """Returns what a mail is. `has_sender`: its envelope names one; those of reports and automatic replies do not.

    `find_failures` is asked about mails that may be reports, but have not their form.
    """
    try:
        mail = open_mail(raw)
    except Refused as refused:
        return ReturnedMail(kind="unreadable", detail=refused.refusal.detail)
    return (
        _report(mail)
        or _report_without_form(mail, raw, has_sender=has_sender, find_failures=find_failures)
        or _automatic(mail, has_sender=has_sender)
        or ReturnedMail(kind="reply", detail="an answer", reply=_reply(mail))
    )


def _report(mail: MimePart) -> ReturnedMail | None:
    kind = feedback_kind(mail)
    if kind is not None:
        is_complaint = kind in COMPLAINTS
        detail = f"feedback of the kind {kind or 'unknown'}"
        return ReturnedMail(
            kind="complaint" if is_complaint else "report", detail=detail, our_addresses=our_addresses(mail)
        )
    report = delivery_report(mail)
    if report is None:
        return None
    return ReturnedMail(
        kind="failed" if report.is_failed else "report",
        detail=report.said,
        is_dead_address=report.is_dead_address,
        our_addresses=our_addresses(mail),
    )


def _report_without_form(
    mail: MimePart, raw: bytes, *, has_sender: bool, find_failures: FindFailures
) -> ReturnedMail | None:
    """Some servers write reports for people only; they have no sender, or one that says what it is."""
    writer = (normal_email(mail.headers.get("from")) or "").partition("@")[0]
    if has_sender and writer not in {"mailer-daemon", "postmaster"}:
        return None
    if not find_failures(raw):
        return None
    text = "\n".join(_texts(mail))[:_BEFORE_COPY]
    for mark in _COPY:
        text = text.partition(mark)[0]
    code = status_code(text)
    line = next((each for each in text.split("\n") if code is not None and code in each), "")
    detail = (one_line(line) or "it gives no reason that is known")[:300]
    return ReturnedMail(kind="failed", detail=detail, is_dead_address=code is not None and is_dead_address(code))


def _automatic(mail: MimePart, *, has_sender: bool) -> ReturnedMail | None:
    """Stricter than what is done for leads: portals send leads as automatic mails, people do not answer by them."""
    why = why_automatic(mail)
    submitted = mail.headers.get("auto-submitted", "no").partition(";")[0].strip().lower()
    if why is None and submitted not in ("", "no"):
        why = "its header Auto-Submitted says that no person has sent it"
    if why is None and mail.headers.get("precedence", "").strip().lower() in _NOT_PERSONAL:
        why = "its header Precedence says that it is not personal"
    if why is None and has_automatic_subject(mail.headers.get("subject")):
        why = "its subject says so"
    if why is None and not has_sender:
        why = "its envelope names no sender"
    return ReturnedMail(kind="automatic", detail=why) if why is not None else None


def _reply(mail: MimePart) -> Reply:
    text = "\n".join(_texts(mail))
    own = own_words(text)
    subject = (one_line(decoded_header(mail.headers.get("subject", ""))) or "")[:_LONGEST_SUBJECT]
    said = own or ("" if text.strip() else subject)  # mail programs that unsubscribe may write a subject alone
    return Reply(
        words=(message_text(own or text) or "")[:LONGEST_WORDS],
        asks_to_stop=is_word_of_stopping(said),
        subject=subject,
    )


def _texts(mail: MimePart) -> list[str]:
    """Returns the texts of a mail to be read at once, else those of its HTML."""
    leaves = [part for part in mail.leaves() if not part.is_attachment]
    texts = readable_texts(part for part in leaves if part.media_type == "text/plain")
    return texts or [
        page_text(page) for page in readable_texts(part for part in leaves if part.media_type == "text/html")
    ]
