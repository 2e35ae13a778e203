"""Mails that come back, as servers and people write them: what each is, and what it says of an address."""

import base64
from typing import Any

import pytest

from leadroutes.intake.returned_mail import ReturnedMail, read_returned_mail
from leadroutes.sandbox.tasks.returned_mails import is_failure
from tests.support.reports import DEAD, returned

OURS = ("bounce+aiaqgmzrgezdgnbvgy3q", "leads.example.com")
HEADER = b"From: Eve Karr <eve@mailhost.example>\r\nSubject: Re: Your new home\r\nMessage-ID: <1@mailhost.example>\r\n"


def read(raw: bytes, *, has_sender: bool = True) -> ReturnedMail:
    return read_returned_mail(raw, has_sender=has_sender, find_failures=is_failure)


def report(status: str, action: str = "failed", diagnostic: str = "", more: str = "") -> bytes:
    """A report in its shortest form."""
    return (
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n--b\n"
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; eve@example.com\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; {diagnostic}\n{more}--b--\n"
    ).encode()


@pytest.mark.parametrize(("name", "code"), DEAD.items())
def test_reports_of_real_servers_say_that_the_address_is_dead(name: str, code: str) -> None:
    found = read(returned(name), has_sender=False)

    assert (found.kind, found.is_dead_address) == ("failed", True)
    assert code in found.detail
    assert len(found.detail) <= 300
    if name != "qmail":  # which has no form, so that only its address says what it is about
        assert found.our_addresses[0] == OURS


def test_a_report_names_the_code_once_and_in_one_line() -> None:
    said = read(returned("postfix"), has_sender=False).detail
    assert said.startswith("550 5.1.1 <eve@mailhost.example>: Recipient address rejected")
    assert "\n" not in said
    assert read(report("5.1.1"), has_sender=False).detail == "5.1.1"
    assert read(report("5.4.4", diagnostic="no such domain"), has_sender=False).detail == "5.4.4 no such domain"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("delayed", "report"), ("full-mailbox", "failed"), ("not-spam", "report"), ("read-receipt", "automatic"),
     ("out-of-office", "automatic"), ("complaint", "complaint"), ("reply", "reply")],
)  # fmt: skip
def test_what_else_comes_back(name: str, kind: str) -> None:
    found = read(returned(name))

    assert (found.kind, found.is_dead_address) == (kind, False)


def test_a_complaint_names_the_mail_that_it_is_about() -> None:
    assert read(returned("complaint")).our_addresses == (OURS,)
    assert read(returned("complaint")).detail == "feedback of the kind abuse"


@pytest.mark.parametrize(
    ("status", "action", "diagnostic", "is_dead"),
    [
        ("5.1.1", "failed", "", True),
        ("5.1.1", "Failed (for good)", "", True),
        ("5.1.1", "", "", True),
        ("5.0.0", "failed", "550 5.1.1 unknown", True),
        ("5.1.1", "delayed", "", False),
        ("5.1.1", "relayed", "", False),
        ("2.1.5", "delivered", "250 2.1.5 ok, not 5.1.1", False),
        ("5.2.2", "failed", "552 5.2.2 mailbox full", False),
        ("5.7.1", "failed", "550 5.7.1 blocked", False),
        ("5.0.0", "failed", "550 no such user", False),
        ("4.4.7", "failed", "delivery time expired", False),
        ("", "failed", "", False),
    ],
)
def test_which_reports_say_that_an_address_is_dead(status: str, action: str, diagnostic: str, is_dead: bool) -> None:
    assert read(report(status, action, diagnostic), has_sender=False).is_dead_address is is_dead


def test_an_address_behind_which_one_of_several_is_dead_is_not_dead() -> None:
    both = report("5.1.1", more="\nFinal-Recipient: rfc822; bob@example.com\nAction: delivered\nStatus: 2.1.5\n\n")
    assert read(both, has_sender=False).kind == "report"
    full = report("5.1.1", more="\nFinal-Recipient: rfc822; bob@example.com\nAction: failed\nStatus: 5.2.2\n\n")
    found = read(full, has_sender=False)
    assert (found.kind, found.is_dead_address, found.detail) == ("failed", False, "5.2.2")


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_report_may_be_encoded(encoding: str) -> None:
    fields = (
        b"Reporting-MTA: dns; mx.example\r\n\r\n"
        b"Final-Recipient: rfc822; eve@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    )
    encoded = base64.encodebytes(fields) if encoding == "base64" else fields
    raw = (
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n"
        b"Content-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n" + encoded + b"\r\n--b--\r\n"
    )
    assert read(raw, has_sender=False).is_dead_address


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated",
        "Auto-Submitted: auto-notified; owner-email=x@example.com",
        "Precedence: bulk",
        "Precedence: list",
        "Precedence: auto_reply",
        "X-Autoreply: yes",
        "X-Autorespond: yes",
        "Subject: Out of office: Your new home",
        "Subject: =?utf-8?q?Abwesenheitsnotiz=3A_Ihr_neues_Heim?=",
    ],
)
def test_an_automatic_reply_is_not_an_answer(header: str) -> None:
    assert read(header.encode() + b"\r\n" + HEADER + b"\r\nI am away. STOP\r\n").kind == "automatic"


def test_a_mail_without_a_sender_is_not_an_answer() -> None:
    assert read(HEADER + b"\r\nYes!\r\n", has_sender=False).kind == "automatic"
    assert read(HEADER + b"\r\nYes!\r\n").kind == "reply"


@pytest.mark.parametrize(
    "header", ["Auto-Submitted: no", "Precedence: first-class", "X-Auto-Response-Suppress: OOF", "X-Autoreply: no"]
)
def test_what_does_not_make_an_answer_automatic(header: str) -> None:
    assert read(header.encode() + b"\r\n" + HEADER + b"\r\nYes!\r\n").kind == "reply"


def test_the_words_of_an_answer_are_those_of_its_writer() -> None:
    reply = read(returned("reply")).reply
    assert reply is not None
    assert reply.words == "Yes, that one. Can we see it on Sunday \u2013 at ten?\n\nEve"
    assert reply.subject == "Re: Your new home"
    assert not reply.asks_to_stop


@pytest.mark.parametrize(
    ("body", "asks_to_stop"),
    [
        ("STOP", True),
        ("Unsubscribe.\r\n\r\n-- \r\nEve Karr", True),
        ("please stop\r\n\r\nOn Tue, Alice Brown <a@example.com> wrote:\r\n> Hi Eve,", True),
        ("take me off your list\r\n\r\nSent from my iPhone", True),
        ("Stop by on Sunday", False),
        ("Please don't stop, I like your letters", False),
        ("Stop. I have bought already, thank you", False),
        ("> stop\r\nNo, go on", False),
        ("> stop", False),
    ],
)
def test_which_answers_ask_to_stop(body: str, asks_to_stop: bool) -> None:
    reply = read(HEADER + b"\r\n" + body.encode() + b"\r\n").reply
    assert reply is not None
    assert reply.asks_to_stop is asks_to_stop


def test_a_subject_counts_where_there_are_no_words() -> None:
    def asks(subject: str, body: str = "") -> bool:
        reply = read(f"From: eve@mailhost.example\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()).reply
        assert reply is not None
        return reply.asks_to_stop

    assert asks("unsubscribe")
    assert not asks("Re: Stop")
    assert not asks("unsubscribe", "Is it still for sale?")


def test_an_answer_in_html_alone_is_read() -> None:
    raw = HEADER + b"Content-Type: text/html\r\n\r\n<div>Stop</div><blockquote>&gt; Hi Eve</blockquote>\r\n"
    reply = read(raw).reply
    assert reply is not None
    assert (reply.words, reply.asks_to_stop) == ("Stop", True)


def nested(depth: int) -> bytes:
    return b"".join(
        b"Content-Type: multipart/report; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(depth)
    )


HOSTILE: dict[str, Any] = {
    "nothing": b"",
    "no header": b"\r\n\r\n",
    "zero bytes": b"\0" * 10_000,
    "deep": nested(5_000),
    "many parts": b"Content-Type: multipart/report; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
    "many recipients": report("5.1.1", more="\nFinal-Recipient: rfc822; a@example.com\nAction: failed\n" * 50_000),
    "a long diagnostic": report("5.0.0", diagnostic="5.1." * 200_000),
    "many fields": report("5.1.1", more="A: b\n" * 200_000),
    "a long fold": report("5.1.1", more="A:" + "\n " * 300_000),
    "half a report": returned("postfix")[:1_500],
    "a report without its part": b"Content-Type: multipart/report; boundary=b\n\n--b--\n",
    "bytes of no charset": b"Content-Type: text/plain; charset=x\xff\n\n" + bytes(range(256)) * 1_000,
    "a header of a megabyte": b"X: " + b"a " * 500_000 + b"\n\nSTOP",
    "lines that look like a quote": HEADER + b"\n" + b"On wrote wrote wrote wrote:\n" * 30_000,
    "many addresses": report("5.1.1", more="X: " + "bounce+aaaaaaaaaaaaaaaaaaaa@a.b " * 20_000 + "\n"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mails_are_read_or_refused_and_nothing_breaks(name: str) -> None:
    for has_sender in (True, False):
        found = read_returned_mail(HOSTILE[name], has_sender=has_sender, find_failures=lambda _: False)
        assert len(found.detail) <= 300
        assert len(found.our_addresses) <= 10
        assert found.reply is None or len(found.reply.words) <= 2_000


@pytest.mark.parametrize("name", HOSTILE)
def test_the_library_for_reports_without_form_fails_quietly(name: str) -> None:
    assert is_failure(HOSTILE[name][:20_000]) in (True, False)
