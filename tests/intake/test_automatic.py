"""Automatic replies and reports are no leads; what programs write unasked may well be one."""

import pytest

from leadroutes.intake.reading import read
from leadroutes.intake.results import Reading
from tests.support.samples import only, sample, why

SIGNATURE = "I am away until the 12th.\n\nNoa Berg\nPhone: 303-555-0123\nEmail: noa@example.com\n"
INQUIRY = "Name: Noa Berg\nPhone: 303-555-0123\nProperty Address: 8 Elm Ct, Mesa, AZ 85201\n"
TAGS = '<meta name="lead_information_version" content="1.0"><meta name="lead_email" content="noa@example.com">'


def mail(text: str, *headers: str, subject: str = "Your home search") -> bytes:
    lines = ["From: Noa Berg <noa@example.com>", f"Subject: {subject}", *headers, "", text]
    return "\r\n".join(lines).encode()


def reading(raw: bytes, format_: str | None = "email") -> Reading:
    return read(raw, {"Content-Type": "message/rfc822"}, format=format_)


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "auto-submitted:AUTO-REPLIED",
        "Auto-Submitted: auto-replied (vacation)",
        "Auto-Submitted: auto-replied (away (until the 12th))",
        "Auto-Submitted: (away) auto-replied",
        'Auto-Submitted: auto-replied; owner-email="noa@example.com"',
        "X-Autoreply: yes",
        "X-Autorespond: Your home search",
        "Precedence: auto_reply",
    ],
)
@pytest.mark.parametrize("format_", [None, "email"])
def test_an_answer_that_says_that_it_is_automatic_is_not_a_lead(header: str, format_: str | None) -> None:
    assert why(reading(mail(SIGNATURE, header), format_)) == "not_a_lead"
    adf = sample("adf").body.decode()
    assert why(reading(mail(adf, header), format_)) == "not_a_lead"
    assert why(reading(mail(TAGS, header, "Content-Type: text/html"), format_)) == "not_a_lead"


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-generated",
        "Auto-Submitted: auto-generated (not auto-replied)",
        "Auto-Submitted: auto-notified; owner-email=x@example.com",
        "Auto-Submitted: no",
        "Auto-Submitted:",
        "X-Auto-Response-Suppress: All",
        "Precedence: bulk",
        "Precedence: list",
        "X-Autoreply: no",
    ],
)
def test_what_a_program_sends_unasked_may_be_a_lead(header: str) -> None:
    assert only(reading(mail(INQUIRY, header))).phone == "+13035550123"
    assert only(reading(mail(TAGS, header, "Content-Type: text/html"))).email == "noa@example.com"


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: your home search",
        "AUTO-REPLY: your home search",
        "Re: Autoreply",
        "Out of Office",
        "Out of office: your home search",
        "I am out of the office until Monday",
        "Automatische Antwort: your home search",
        "=?utf-8?q?R=C3=A9ponse_automatique_=3A?= your home search",
        "Respuesta automática: your home search",
    ],
)
def test_a_subject_tells_an_automatic_reply_where_no_header_does(subject: str) -> None:
    assert why(reading(mail(SIGNATURE, subject=subject))) == "not_a_lead"
    forwarded = f"---- Forwarded message ----\nFrom: noa@example.com\nSubject: {subject}\n\n{SIGNATURE}"
    assert why(reading(mail(forwarded))) == "not_a_lead"


@pytest.mark.parametrize(
    "subject", ["Out of office space? 8 Elm Ct", "New inquiry", "Inquiry: automatic reply wanted", "Re: 8 Elm Ct"]
)
def test_other_subjects_say_nothing(subject: str) -> None:
    assert only(reading(mail(INQUIRY, subject=subject))).phone == "+13035550123"


def test_lead_tags_are_read_whatever_the_subject() -> None:
    found = only(reading(mail(TAGS, "Content-Type: text/html", subject="Automatic reply: 8 Elm Ct")))
    assert found.email == "noa@example.com"


def test_a_report_about_a_mail_is_not_a_lead_whatever_it_returns() -> None:
    """The mail that could not be delivered is attached to it, and may have been one of a lead."""
    text, attached = ("--b\r\nContent-Type: {}\r\n\r\n{}\r\n".format(*part) for part in (
        ("text/plain", "It could not be delivered."), ("message/rfc822", mail(INQUIRY).decode())
    ))  # fmt: skip
    type_ = 'Content-Type: multipart/report; report-type=delivery-status; boundary="b"'
    raw = mail(f"{text}{attached}--b--\r\n", type_)
    assert why(reading(raw)) == "not_a_lead"


def test_an_automatic_reply_that_is_passed_on_is_not_a_lead() -> None:
    reply = mail(SIGNATURE, "Auto-Submitted: auto-replied").decode()
    raw = mail(
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n{reply}\r\n--b--\r\n",
        'Content-Type: multipart/mixed; boundary="b"',
    )
    assert why(reading(raw)) == "not_a_lead"
