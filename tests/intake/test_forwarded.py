"""Forwarded mails: attached, inline in the ways of four programs, nested; nothing outside counts."""

from base64 import b64encode

import pytest

from leadroutes.intake.reading import read
from leadroutes.intake.results import Reading, expected_json
from tests.support.samples import only, sample, why

OUTER = "From: Bob <bob@example.com>\nReply-To: bob@example.net\nDate: Fri, 20 Nov 2026 08:00:00 +0000\n"
OUTER_TIME = "2026-11-20T08:00:00Z"
LEAD = "Name: Ann Lee\nEmail: ann@example.org\nPhone: 303-555-0142\n"


def mail(text: str, type_: str = "text/plain; charset=utf-8") -> Reading:
    return read(f"{OUTER}Content-Type: {type_}\n\n{text}".encode(), {}, format="email")


def attached(inner: bytes, *, head: str = "") -> Reading:
    body = f"{OUTER}Content-Type: multipart/mixed; boundary=o\n\n--o\n\nName: Bob\nEmail: bob@example.com\n--o\n"
    body += f"Content-Type: message/rfc822\n{head}\n"
    return read(body.encode() + inner + b"\n--o--\n", {}, format="email")


# ---------------------------------------------------------------------------------------------------- attached


@pytest.mark.parametrize(
    "name",
    ["portal-metadata-email", "portal-metadata-relay-email", "realtor-email", "adf-in-email"],
)
def test_an_attached_mail_counts_in_place_of_the_outer_one(name: str) -> None:
    each = sample(name)
    assert expected_json(attached(each.body)) == each.expected
    crlf = each.body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert expected_json(attached(crlf)) == each.expected
    assert expected_json(attached(attached_twice(each.body))) == each.expected
    encoded = b64encode(each.body)
    assert expected_json(attached(encoded, head="Content-Transfer-Encoding: base64\n")) == each.expected


def attached_twice(inner: bytes) -> bytes:
    headers = b"From: Carol <carol@example.com>\nContent-Type: multipart/mixed; boundary=m\n\n"
    middle = headers + b"--m\n\nEmail: c@example.com\n--m\nContent-Type: message/rfc822\n\n"
    return middle + inner + b"\n--m--\n"


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Date: Wed, 18 Nov 2026 11:26:40 -0600\n", "2026-11-18T17:26:40Z"),
        ("Date: Wed, 18 Nov 2026 11:26:40 GMT\n", "2026-11-18T11:26:40Z"),
        ("Date: Wed, 18 Nov 2026 11:26:40\n", OUTER_TIME),
        ("Date: Wed, 18 Nov 2026 11:26:40 EST\n", OUTER_TIME),
        ("Date: soon\n", OUTER_TIME),
        ("", OUTER_TIME),
    ],
)
def test_the_inner_date_counts_if_its_zone_is_sure(date: str, moment: str) -> None:
    found = only(attached(f"From: x@zillow.com\n{date}\n{LEAD}".encode()))
    assert found.as_json()["received_at"] == moment
    assert (found.email, found.source) == ("ann@example.org", "Zillow")


def test_nothing_of_the_outer_mail_counts() -> None:
    found = only(attached(b"From: x@example.com\n\nPhone: 303-555-0142\n"))
    assert (found.email, found.first_name) == (None, None)
    assert why(attached(b"From: x@example.com\n\nHello\n")) == "not_a_lead"


# ------------------------------------------------------------------------------------------------------ inline

GMAIL = """Can you take this one?
Name: Bob
Email: bob@example.com

---------- Forwarded message ---------
From: realtor.com <leads@email.realtor.com>
Date: Wed, Nov 18, 2026 at 11:26 AM
Subject: New lead
To: <bob@example.com>


{}
"""
OUTLOOK = """Please call.

-----Original Message-----
From: realtor.com [mailto:leads@email.realtor.com]
Sent: Wednesday, November 18, 2026 11:27 AM
To: Bob
Subject: New lead

{}
"""
APPLE = """FYI
Phone: 303-555-0199

Begin forwarded message:

> *From: *realtor.com <leads@email.realtor.com>
> *Subject: **New lead*
> *Date: *November 18, 2026 at 11:26:40 AM CST
> *To: *bob@example.com
>{}
"""
QUOTED = """> On Wed, Carol wrote:
> > -- FORWARDED MESSAGE --
> > From: leads@email.realtor.com
> >
{}
"""


@pytest.mark.parametrize(
    ("shape", "quote"),
    [(GMAIL, ""), (OUTLOOK, ""), (APPLE, "> "), (QUOTED, "> > ")],
    ids=["Gmail", "Outlook", "Apple Mail", "quoted"],
)
def test_an_inline_forwarded_mail_is_read(shape: str, quote: str) -> None:
    lead = "\n".join(quote + line for line in LEAD.splitlines())
    found = only(mail(shape.format(f"\n{lead}")))
    assert (found.first_name, found.email, found.phone) == ("Ann", "ann@example.org", "+13035550142")
    assert (found.source, found.as_json()["received_at"]) == ("Realtor.com", OUTER_TIME)


def test_the_last_of_several_inline_mails_counts() -> None:
    inner = GMAIL.format(OUTLOOK.format(LEAD).replace("email.realtor.com", "homes.com"))
    assert only(mail(inner)).source == "Homes.com"


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Date: Wed, 18 Nov 2026 11:26:40 -0600", "2026-11-18T17:26:40Z"),
        ("Sent: Wednesday, November 18, 2026 11:27 AM GMT", "2026-11-18T11:27:00Z"),
        ("Date: November 18, 2026 at 11:26:40 PM UTC", "2026-11-18T23:26:40Z"),
        ("Date: November 18, 2026 at 11:26:40 AM GMT-5", "2026-11-18T16:26:40Z"),
        ("Date: Wed, Nov 18, 2026 at 11:26 AM", OUTER_TIME),
        ("Date: November 18, 2026 at 11:26:40 AM CST", OUTER_TIME),
        ("Date: 2026-11-18T11:26:40+01:00", "2026-11-18T10:26:40Z"),
        ("Date: 11:26 UTC", OUTER_TIME),
        ("Subject: none", OUTER_TIME),
    ],
)
def test_the_inline_date_counts_if_its_zone_is_sure(date: str, moment: str) -> None:
    found = only(mail(f"-- Original Message --\nFrom: x@example.com\n{date}\n\n{LEAD}"))
    assert found.as_json()["received_at"] == moment


def test_headers_of_the_outer_mail_do_not_count_for_an_inline_one() -> None:
    found = only(mail("--- Forwarded message ---\nFrom: x@zillow.com\n\nPhone: 303-555-0142\n"))
    assert (found.email, found.source) == (None, "Zillow")
    found = only(mail("--- Forwarded message ---\n\nPhone: 303-555-0142\n"))
    assert (found.email, found.source) == (None, "Other")


def test_reply_to_of_an_inline_mail_counts() -> None:
    text = "--- Forwarded message ---\nFrom: x@zillow.com\nReply-To: Ann <ann@convo.zillow.com>\n\nName: Ann\n"
    assert only(mail(text)).relay


@pytest.mark.parametrize(
    "marker", ["- Forwarded message -", "Forwarded message", "we forwarded message: --", "Original"]
)
def test_other_lines_are_no_markers(marker: str) -> None:
    found = only(mail(f"Email: ann@example.org\nMessage: see\n{marker}\nEmail: bob@example.com\n"))
    assert found.email == "ann@example.org"


FORWARDED_PAGE = """<html><head><meta name='lead_information_version' content='1.0'>
<meta name='lead_email' content='bob@example.com'></head><body><p>Name: Bob</p><div class='gmail_quote'>
---------- Forwarded message ---------<br>From: <b>Homes.com</b> &lt;noreply@homes.com&gt;<br>
Date: Wed, 18 Nov 2026 11:26:40 +0000<br>Subject: Lead<br><br>{}</div></body></html>"""


@pytest.mark.parametrize(
    "inner",
    [
        "<table><tr><td>Name:</td><td>Ann Lee</td></tr><tr><td>Email:</td><td>ann@example.org</td></tr></table>",
        "<meta name=lead_information_version content=1.0><meta name=lead_email content=ann@example.org>",
    ],
    ids=["labels", "tags"],
)
def test_an_inline_forwarded_page_is_read(inner: str) -> None:
    found = only(mail(FORWARDED_PAGE.format(inner), "text/html"))
    assert (found.email, found.source) == ("ann@example.org", "Homes.com")
    assert found.as_json()["received_at"] == "2026-11-18T11:26:40Z"


def test_inline_adf_is_read_and_a_comment_in_it_is_not_a_marker() -> None:
    adf = sample("adf").body.decode()
    assert expected_json(mail(GMAIL.format(adf))) == sample("adf").expected
    quoting = adf.replace("downstairs?", "downstairs?\n-----Original Message-----\nFrom: x@example.com\n\nHi")
    found = only(mail(quoting))
    assert (found.email, found.source) == ("wren.abernathy@example.com", "HomeQuest Leads")
    assert found.message is not None
    assert found.message.endswith("\n\nHi")


def test_adf_attached_to_an_inline_forwarded_mail_is_read() -> None:
    text = GMAIL.format("See attachment.")
    adf = sample("adf").body.decode()
    parts = f"--b\nContent-Type: text/plain\n\n{text}\n--b\nContent-Type: text/xml\n\n{adf}\n--b--\n"
    assert expected_json(mail(parts, "multipart/mixed; boundary=b")) == sample("adf").expected
