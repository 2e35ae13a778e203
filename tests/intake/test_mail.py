"""Mails: tags, labels, ADF inside, charsets, and what the headers add."""

from base64 import b64encode
from email.message import EmailMessage
from typing import Any

import pytest

from leadroutes.intake.reading import read
from leadroutes.intake.results import Reading, expected_json
from tests.support.samples import only, sample, why

HEADERS = "From: Leads <leads@example.com>\r\nDate: Tue, 17 Nov 2026 13:22:14 -0500\r\n"
ADF = sample("adf").body.decode()


def mail(text: str, *, headers: str = HEADERS, type_: str = "text/plain; charset=utf-8") -> Reading:
    body = f"{headers}Content-Type: {type_}\r\n\r\n{text}"
    return read(body.encode(), {}, format="email")


def page(html: str, headers: str = HEADERS) -> Reading:
    return mail(html, headers=headers, type_="text/html; charset=utf-8")


def tags(**contents: str) -> str:
    whole = {"lead_information_version": "1.0", "lead_email": "ann@example.com"} | contents
    return "".join(f'<meta name="{name}" content="{content}">' for name, content in whole.items())


def parts(*bodies: tuple[str, str], kind: str = "mixed") -> Reading:
    """Bodies are headers of a part and its text."""
    inner = "".join(f"--b\r\n{head}\r\n\r\n{text}\r\n" for head, text in bodies)
    return mail(inner + "--b--\r\n", type_=f'multipart/{kind}; boundary="b"')


# --------------------------------------------------------------------------------------------------------- tags


@pytest.mark.parametrize("version", ["1.0", "1", " 1.0 "])
def test_tags_of_version_one_are_read(version: str) -> None:
    found = only(page(tags(lead_information_version=version, lead_name="Ann &amp; Tom Lee", lead_message="a\nb &lt;3")))
    assert (found.first_name, found.message, found.type) == ("Ann & Tom", "a\nb <3", "Buyer")


@pytest.mark.parametrize("version", ["2.0", "", "1.1", "one"])
def test_tags_of_other_versions_are_not(version: str) -> None:
    assert why(page(tags(lead_information_version=version))) == "not_a_lead"
    assert why(page('<meta name="lead_email" content="ann@example.com">')) == "not_a_lead"


@pytest.mark.parametrize(
    "html",
    [
        "<html><head>{}</head><body><p>Hi</p></body></html>",
        "<html><body><div><table><tr><td>{}</td></tr></table></div></body></html>",
        "<!DOCTYPE html><HTML><!-- <meta name='lead_name' content='Bob'> -->{}",
        "<script>if (a < b) '<meta name=lead_name content=Bob>'</script>{}",
    ],
)
def test_tags_may_stand_anywhere(html: str) -> None:
    assert only(page(html.format(tags(lead_name="Ann Lee")))).first_name == "Ann"


def test_tags_may_be_written_in_many_ways() -> None:
    html = (
        "<META NAME=lead_information_version CONTENT=1.0><meta content='ann@example.com' name='LEAD_EMAIL'/>"
        '<meta name="lead_name"\ncontent="Ann > Lee"><meta name = "lead_phone" content = "303-555-0142" />'
    )
    found = only(page(html))
    assert (found.email, found.first_name, found.phone) == ("ann@example.com", "Ann", "+13035550142")


def test_the_first_non_blank_tag_of_a_name_counts() -> None:
    html = '<meta name="lead_phone" content=""><meta name="lead_phone" content="303-555-0142">'
    html += '<meta name="lead_phone" content="303-555-0143">'
    assert only(page(tags() + html)).phone == "+13035550142"


@pytest.mark.parametrize(
    ("type_", "kind"),
    [("Seller", "Seller"), ("renter", "Renter"), ("Buyer and Seller", None), ("Investor", None), ("", "Buyer")],
)
def test_no_lead_type_is_a_buyer(type_: str, kind: str | None) -> None:
    assert only(page(tags(lead_type=type_))).type == kind


def test_prices_and_places_of_tags() -> None:
    prices = {"lead_property_price": "0", "lead_price": "$5,000", "lead_max_price": "9"}
    assert only(page(tags(**prices))).price == 5_000
    assert only(page(tags(lead_max_price="500k", lead_primary_zip="80212"))).zipcode == "80212"
    found = only(page(tags(lead_property_city="Tampa", lead_primary_zip="80212")))
    assert (found.city, found.zipcode) == ("Tampa", None)
    found = only(page(tags(lead_id="7", lead_test="true", lead_mls="U1", lead_source="homes")))
    assert (found.vendor_id, found.is_test, found.mls_id, found.source) == ("7", True, "U1", "Homes.com")


# ------------------------------------------------------------------------------------------------------- labels


def test_labels_in_any_case_bold_or_not() -> None:
    text = "FIRST NAME: Ann\n*Last Name:* Lee\n*Email*: ann@example.com\n  phone number :303-555-0142\n*City: Denver*\n"
    found = only(mail(text))
    assert (found.first_name, found.last_name, found.email) == ("Ann", "Lee", "ann@example.com")
    assert (found.phone, found.city, found.type) == ("+13035550142", "Denver", None)


@pytest.mark.parametrize(
    ("label", "field", "value", "expected"),
    [
        *((label, "last_name", "Ann Lee", "Lee") for label in ("Name", "Full Name", "Contact Name", "Lead Name")),
        ("Your Name", "last_name", "Ann Lee", "Lee"),
        *((label, "email", "a@example.com", "a@example.com") for label in ("Email", "E-mail", "Email Address")),
        *((label, "email", "a@example.com", "a@example.com") for label in ("E-mail Address", "Your Email")),
        *(
            (label, "phone", "303-555-0142", "+13035550142")
            for label in (
                *("Phone", "Phone Number", "Telephone", "Mobile", "Cell", "Phone #", "Telephone Number", "Your Phone"),
                *("Mobile Phone", "Mobile Number", "Cell Phone", "Cell Number", "Home Phone", "Work Phone"),
            )
        ),
        *((label, "message", "Hi", "Hi") for label in ("Comment", "Comments", "Comment(s)", "Message", "Notes")),
        *(
            (label, "street_address", "1 A St", "1 A St")
            for label in ("Property Address", "Address", "Listing Address")
        ),
        ("City", "city", "Denver", "Denver"),
        ("State", "state", "Colorado", "CO"),
        *((label, "zipcode", "80212-1234", "80212") for label in ("Zip", "Zip Code", "Postal Code")),
        *((label, "price", "$5,000", 5_000) for label in ("Price", "List Price", "Listing Price", "Asking Price")),
        *(
            (label, "mls_id", "U1", "U1")
            for label in ("MLS", "MLS #", "MLS ID", "MLSID", "MLSID #", "MLS Number", "mls  #")
        ),
        *((label, "type", "Seller", "Seller") for label in ("Lead Type", "I am a")),
        *((label, "vendor_id", "7", "7") for label in ("Lead ID", "Inquiry ID", "Reference")),
        *((label, "source", "fb", "Facebook") for label in ("Source", "Lead Source")),
    ],
)
def test_every_label_has_its_meaning(label: str, field: str, value: str, expected: Any) -> None:
    base = "" if field in {"email", "last_name"} else "Email: ann@example.com\n"
    more = "Phone: 303-555-0142\n" if field == "last_name" else ""
    assert getattr(only(mail(f"{base}{more}{label}: {value}\n")), field) == expected
    assert getattr(only(mail(f"{base}{more}{label}:\n{value}\n")), field) == expected


def test_the_first_non_blank_of_a_kind_counts() -> None:
    found = only(mail("Phone:\n\nCell: 303-555-0142\nMobile: 303-555-0143\nName: None\nFull Name: Ann Lee\n"))
    assert (found.phone, found.first_name) == ("+13035550142", "None")


def test_a_value_on_the_next_line_is_not_a_label() -> None:
    found = only(mail("Name:\nEmail:\nann@example.com\nCity:\n-----\nDenver\n"))
    assert (found.first_name, found.email, found.city) == (None, "ann@example.com", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Comments:\n\nHello\n\nBye \n\nPrice: 5\n", "Hello\n\nBye"),
        ("Message: Hello\nthere\n---\nfooter", "Hello\nthere"),
        ("Message: Hello\n-- \nAnn\n=====\nfooter", "Hello\n--\nAnn"),
        ("Notes: Hello\n  ____  \nfooter", "Hello"),
        ("Message: Hello\nBeds: 4\nwhen: now", "Hello\nBeds: 4\nwhen: now"),
        ("Message: <b>1 &lt; 2</b>", "<b>1 &lt; 2</b>"),
    ],
)
def test_a_message_goes_on_until_a_label_or_a_line(text: str, message: str) -> None:
    assert only(mail(f"Email: ann@example.com\n{text}")).message == message


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Address: 1 A St\nDenver, CO 80212\nThanks", ("1 A St", "Denver", "CO", "80212")),
        ("Address:\n1 A St\nUnit 4\nDenver, CO 80212-1234\nThanks", ("1 A St, Unit 4", "Denver", "CO", "80212")),
        ("Address: 24318 E Calhoun Pl\nAurora, CO 80016\nThanks", ("24318 E Calhoun Pl", "Aurora", "CO", "80016")),
        ("Address: 1 A St, Denver, CO 80212\nThanks", ("1 A St", "Denver", "CO", "80212")),
        ("Address: 1 A St\n\nThanks", ("1 A St", None, None, None)),
        ("Address: 1 A St\nCity: Denver\nState: CO\nZip: 80212", ("1 A St", "Denver", "CO", "80212")),
        ("Address: 1 A St\n---\nThanks", ("1 A St", None, None, None)),
    ],
)
def test_an_address_goes_on_until_a_zipcode_a_blank_line_or_a_label(text: str, place: tuple[str | None, ...]) -> None:
    found = only(mail(f"Email: ann@example.com\n{text}"))
    assert (found.street_address, found.city, found.state, found.zipcode) == place
    assert found.type == "Buyer"


def test_the_kind_is_a_label_else_a_buyer_where_there_is_a_property() -> None:
    assert only(mail("Email: ann@example.com\nI am a: first-time buyer\n")).type == "Buyer"
    assert only(mail("Email: ann@example.com\nMLS #: U1\nLead Type: Renter\n")).type == "Renter"
    assert only(mail("Email: ann@example.com\nMLS #: U1\n")).type == "Buyer"
    assert only(mail("Email: ann@example.com\nMLS #: 0\nCity: Denver\n")).type is None


@pytest.mark.parametrize("text", ["", "Your weekly digest\nViews: 7\n", "City: Denver\nPrice: 5\n", "Name\nAnn\n"])
def test_a_mail_without_a_label_of_a_person_is_not_a_lead(text: str) -> None:
    assert why(mail(text)) == "not_a_lead"


def test_a_mail_with_labels_but_no_contact_is_refused_for_that() -> None:
    assert why(mail("Name: Ann Lee\n")) == "no_contact"
    assert why(mail("Phone:\n")) == "no_contact"


LABELLED_PAGES = {
    "paragraphs": """<p><b>Name:</b> Ann Lee</p><p>Email: <a href='mailto:x@example.com'>ann@example.com</a></p>
<div>Message:<br>Hi &amp; bye</div>""",
    "table": """<table><tr><td>Name:</td><td>Ann Lee</td></tr><tr><td>Email:</td><td>ann@example.com</td></tr>
<tr><td>Message:</td><td>Hi &amp; bye</td></tr></table>""",
    "table without colons": """<table><tr><th>Name</th><td>Ann Lee</td></tr>\n<tr><th>Email</th>
<td>ann@example.com</td></tr><tr><th>Message</th><td>Hi &amp; bye</td></tr></table>""",
    "blocks in cells": """<table><tr><td><p>Name:&nbsp;</p></td><td><p>Ann Lee</p></td></tr>
<tr><td><div>Email:</div></td>
<td>ann@example.com</td></tr><tr><td>Message:</td><td>Hi &amp; bye</td></tr></table>""",
    "wrapped lines": """<style>Name: Bob</style><title>Name: Bob</title>Name:\n Ann\n Lee<br>Email: ann@example.com<br/>
Message: Hi\n&amp;\nbye<hr>""",
    "preformatted": "<pre>Name: Ann Lee\nEmail: ann@example.com\nMessage: Hi &amp; bye</pre>",
}


@pytest.mark.parametrize("html", LABELLED_PAGES.values(), ids=LABELLED_PAGES.keys())
def test_labels_in_html_are_read(html: str) -> None:
    found = only(page(html))
    assert (found.first_name, found.last_name, found.email, found.message) == (
        "Ann",
        "Lee",
        "ann@example.com",
        "Hi & bye",
    )


def test_the_text_part_goes_before_the_html() -> None:
    reading = parts(
        ("Content-Type: text/plain", "Email: ann@example.com"),
        ("Content-Type: text/html", "<p>Email: bob@example.com</p><p>Name: Bob</p>"),
        kind="alternative",
    )
    assert (only(reading).email, only(reading).first_name) == ("ann@example.com", None)
    reading = parts(
        ("Content-Type: text/plain", "See HTML."), ("Content-Type: text/html", "<p>Email: bob@example.com</p>")
    )
    assert only(reading).email == "bob@example.com"


def test_attachments_are_not_read_for_labels() -> None:
    reading = parts(
        ("Content-Type: text/plain", "See below."),
        ('Content-Type: text/plain; name="lead.txt"\r\nContent-Disposition: attachment', "Email: ann@example.com"),
    )
    assert why(reading) == "not_a_lead"


# ---------------------------------------------------------------------------------------------------------- ADF


@pytest.mark.parametrize(
    "head",
    [
        "Content-Type: application/x-adf+xml",
        "Content-Type: text/xml; charset=utf-8",
        'Content-Type: application/octet-stream; name="lead.ADF"',
        'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="lead.xml"',
        "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename*=utf-8''lead%2Exml",
        'Content-Type: image/x\r\nContent-Disposition: attachment;\r\n filename="=?utf-8?B?bGVhZC54bWw=?="',
        "Content-Type: text/plain",
    ],
)
def test_adf_is_found_in_any_part(head: str) -> None:
    tagged = ("Content-Type: text/html", tags(lead_name="Bob"))
    labelled = ("Content-Type: text/plain", "Email: bob@example.com")
    order = [tagged, (head, ADF)] if head == "Content-Type: text/plain" else [labelled, tagged, (head, ADF)]
    assert expected_json(parts(*order)) == sample("adf").expected


@pytest.mark.parametrize(
    "html",
    [
        "<!DOCTYPE html><html><body><pre>" + ADF.replace("&", "&amp;").replace("<", "&lt;") + "</pre></body></html>",
        "<!DOCTYPE html><html><body>" + ADF + "</body></html>",
    ],
)
def test_adf_is_found_in_html(html: str) -> None:
    assert expected_json(page(html)) == sample("adf").expected


def test_adf_in_base64_is_found() -> None:
    encoded = b64encode(ADF.encode()).decode()
    wrapped = "\r\n".join(encoded[start : start + 76] for start in range(0, len(encoded), 76))
    reading = parts(("Content-Type: application/xml\r\nContent-Transfer-Encoding: BASE64", wrapped))
    assert expected_json(reading) == sample("adf").expected


def test_the_mails_date_counts_where_adf_has_none() -> None:
    without = ADF.replace("<requestdate>2026-11-13T16:05:00-07:00</requestdate>", "")
    assert expected_json(mail(without))["received_at"] == "2026-11-17T18:22:14Z"
    assert expected_json(mail(ADF))["received_at"] == "2026-11-13T23:05:00Z"


def test_adf_in_a_mail_takes_no_address_from_the_headers() -> None:
    headers = HEADERS + "Reply-To: carol@example.net\r\n"
    assert why(mail("<adf><prospect><customer></customer></prospect></adf>", headers=headers)) == "no_contact"


def test_a_dtd_in_a_mails_adf_is_forbidden() -> None:
    assert why(mail("<!DOCTYPE adf>" + ADF)) == "dtd_forbidden"
    assert why(parts(("Content-Type: application/xml", "<!ENTITY a 'b'>" + ADF))) == "dtd_forbidden"


def test_other_xml_is_not_adf() -> None:
    reading = parts(("Content-Type: text/plain", "Email: ann@example.com"), ("Content-Type: text/xml", "<rss/>"))
    assert only(reading).email == "ann@example.com"


# ----------------------------------------------------------------------------------------- what the headers add


@pytest.mark.parametrize(
    ("sender", "reply_to", "email"),
    [
        ("leads@example.com", "ann@example.net", "ann@example.net"),
        ("leads@example.com", "Ann Lee <Ann@Example.NET>", "ann@example.net"),
        ("leads@zillow.com", "ann@convo.zillow.com", "ann@convo.zillow.com"),
        ("Ann <ann@convo.zillow.com>", None, "ann@convo.zillow.com"),
        ("ann@convo.zillow.com", "noreply@example.net", "ann@convo.zillow.com"),
        ("leads@example.com", "ann@example.com", None),
        ("leads@mail.example.com", "ann@example.com", None),
        ("leads@example.com", "ann@mail.example.com", None),
        ("leads@example.com", "support@realtor.com", None),
        ("leads@example.com", "x@mail.homes.com", None),
        ("leads@example.com", "no-reply@example.net", None),
        ("leads@example.com", "DoNotReply@example.net", None),
        ("leads@example.com", None, None),
        ("ann@example.net", None, None),
        ("leads@notexample.com", "ann@example.com", "ann@example.com"),
    ],
)
def test_reply_to_counts_if_it_is_a_persons(sender: str, reply_to: str | None, email: str | None) -> None:
    headers = f"From: {sender}\r\n" + (f"Reply-To: {reply_to}\r\n" if reply_to else "")
    found = only(mail("Phone: 303-555-0142\nEmail: unknown\n", headers=headers))
    assert found.email == email
    assert found.relay is (email == "ann@convo.zillow.com")
    assert only(mail("Email: bob@example.org\n", headers=headers)).email == "bob@example.org"


@pytest.mark.parametrize(
    ("sender", "source"),
    [
        ("leads@zillow.com", "Zillow"),
        ("Realtor <x@email.realtor.com>", "Realtor.com"),
        ("x@realtorpro.io", "Realtor.com"),
        ("x@mail.Homes.com", "Homes.com"),
        ("x@trulia.com", "Trulia"),
        ("ann@convo.zillow.com", "Zillow"),
        ("x@notzillow.com", "Other"),
        ("x@zillow.com.example.com", "Other"),
        ('"zillow.com" <x@example.com>', "Other"),
        ("", "Other"),
    ],
)
def test_the_source_is_a_tag_or_label_else_the_senders_domain(sender: str, source: str) -> None:
    headers = f"Subject: x\r\nFrom: {sender}\r\n"
    assert only(mail("Email: ann@example.net\n", headers=headers)).source == source
    assert only(page(tags(), headers=headers)).source == source
    assert only(mail("Email: ann@example.net\nLead Source: Yard sign\n", headers=headers)).source == "Yard sign"


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Tue, 17 Nov 2026 13:22:14 -0500", "2026-11-17T18:22:14Z"),
        ("17 Nov 2026 13:22 +0100 (CET)", "2026-11-17T12:22:00Z"),
        ("Tue, 17 Nov 2026 21:48:02 +0000 (UTC)", "2026-11-17T21:48:02Z"),
        ("Tue, 17 Nov 2026 21:48:02 GMT", "2026-11-17T21:48:02Z"),
        ("Tue, 17 Nov 2026 21:48:02 EST", "2026-11-18T02:48:02Z"),
        ("Tue, 17 Nov 2026 21:48:02", "2026-11-17T21:48:02Z"),
        ("Tue, 17 Nov 2026 21:48:02 -0000", "2026-11-17T21:48:02Z"),
        ("yesterday", None),
        ("Tue, 99 Nov 2026 21:48:02 -0500", None),
        ("Tue, 17 Nov 2026 21:48:02 -9999", None),
        ("", None),
        ("x" * 5_000, None),
    ],
)
def test_the_time_is_the_date_header(date: str, moment: str | None) -> None:
    headers = f"From: x@example.com\r\nDate: {date}\r\n"
    assert only(mail("Email: ann@example.net\n", headers=headers)).as_json()["received_at"] == moment


# ----------------------------------------------------------------------------------------------------- charsets


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252", "iso-8859-15", "utf-7"])
@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_mails_of_any_charset_are_read(charset: str, encoding: str) -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "Zoë <leads@example.com>", "Neue Anfrage für Zoë"
    message.set_content("Name: Zoë Ångström\nEmail: zoe@example.net\n", charset=charset, cte=encoding)
    assert only(read(message.as_bytes(), {}, format="email")).last_name == "Ångström"


@pytest.mark.parametrize("declared", ["", "; charset=nonsense", "; charset=us-ascii", "; charset=idna"])
def test_mails_of_no_charset_are_utf_8_or_windows_1252(declared: str) -> None:
    for charset in ("utf-8", "cp1252"):
        body = f"From: x@example.com\nContent-Type: text/plain{declared}\n\nName: Zoë\nEmail: zoe@example.net".encode(
            charset
        )
        assert only(read(body, {}, format="email")).first_name == "Zoë"


def test_a_mail_in_utf_16_is_read() -> None:
    text = b64encode("Name: Zoë\nEmail: zoe@example.net\n".encode("utf-16")).decode()
    headers = HEADERS + "Content-Transfer-Encoding: base64\r\n"
    assert only(mail(text, headers=headers, type_="text/plain; charset=utf-16")).first_name == "Zoë"


def test_an_html_page_may_declare_its_charset_itself() -> None:
    html = '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-2">Email: a@b.co<br>Name: Łukasz'
    body = b"From: x@example.com\nContent-Type: text/html\n\n" + html.encode("iso-8859-2")
    assert only(read(body, {}, format="email")).first_name == "Łukasz"


def test_a_mail_without_a_type_is_text() -> None:
    assert only(read(b"From: x@example.com\n\nEmail: ann@example.net", {}, format="email")).email == "ann@example.net"
    assert only(read(b"\r\n\r\nFrom: x@example.com\r\n\r\nEmail: a@b.co", {}, format="email")).email == "a@b.co"


@pytest.mark.parametrize("body", [b"", b"\n\n", b"hello", b"hello\n\nEmail: ann@example.com", b"\x00" * 100])
def test_what_has_no_header_is_not_a_mail(body: bytes) -> None:
    assert why(read(body, {}, format="email")) == "malformed"


# ------------------------------------------------------------------------------------------------------- nesting


def nested(levels: int) -> bytes:
    opening = "".join(f'Content-Type: multipart/mixed; boundary="b{level}"\n\n--b{level}\n' for level in range(levels))
    return f"From: x@example.com\n{opening}Content-Type: text/plain\n\nEmail: ann@example.net\n".encode()


def test_twenty_levels_are_read_and_no_more() -> None:
    assert only(read(nested(20), {}, format="email")).email == "ann@example.net"
    assert why(read(nested(21), {}, format="email")) == "too_deep"
    attached = b"From: x@example.com\n" + b"Content-Type: message/rfc822\n\n" * 21 + b"\nEmail: ann@example.net"
    assert why(read(attached, {}, format="email")) == "too_deep"


@pytest.mark.parametrize(
    "type_",
    ["multipart/mixed", 'multipart/mixed; boundary=""', "multipart/mixed; boundary=zzz"],
)
def test_a_multipart_mail_without_its_parts_is_not_a_lead(type_: str) -> None:
    assert why(mail("Email: ann@example.com", type_=type_)) == "not_a_lead"


def test_a_mail_cut_off_is_read_as_far_as_it_goes() -> None:
    body = sample("portal-metadata-email").body
    end = body.index(b'<meta name=3D"lead_time_frame"')
    assert expected_json(read(body[:end], {}, format="email")) == sample("portal-metadata-email").expected
