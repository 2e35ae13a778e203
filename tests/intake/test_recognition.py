"""Which format a body of no named format is, and what is refused at the door."""

import json
from typing import Any

import pytest

from leadroutes.intake.formats import BY_NAME, FORMATS, HTTP_LIMIT, MAIL_LIMIT
from leadroutes.intake.reading import read
from leadroutes.intake.results import REASONS, Refusal
from tests.support.samples import sample, why

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("value", "headers", "format_"),
    [
        ({"Type": "Notification", "MessageId": "1", "TopicArn": "t", "Message": "{}"}, {}, "zillow-techconnect"),
        ({"ContactMessage": {"ContactInfo": {}}}, JSON, "zillow-techconnect"),
        ({}, {"x-amz-sns-message-type": "Notification"}, "zillow-techconnect"),
        ({"object": "page", "entry": []}, JSON, "facebook"),
        ({"google_key": "x", "user_column_data": []}, JSON, "google"),
        ({"Lead": {"lead_info": {}}}, JSON, "realtor-push"),
        ({"lead_consumer_info": {}}, JSON, "realtor-push"),
        ({"type": "Registration", "person": {}}, JSON, "followupboss"),
        ({"action": "NewSubmission"}, JSON, "liondesk-v1"),
        ({"action": "Echo", "msg": "x"}, {}, "liondesk-v1"),
        ({"action": "AddNote"}, JSON | {"X-LionDesk-Id": "u"}, "liondesk-v1"),
        ({"action": "signup", "email": "a@b.co"}, JSON, "zapier"),
        ({"person": "Ann", "type": "Buyer"}, JSON, "zapier"),
        ({"email": "a@b.co"}, {}, "zapier"),
        ({"email": "a@b.co"}, FORM, "website"),
        ([{"email": "a@b.co"}], {"Content-Type": "text/plain"}, "zapier"),
    ],
)
def test_json_is_recognised_by_what_it_holds(value: Any, headers: dict[str, str], format_: str) -> None:
    assert read(json.dumps(value).encode(), headers).format == format_


@pytest.mark.parametrize(
    ("body", "headers", "format_"),
    [
        (b"email=a%40b.co", FORM, "website"),
        (b"email=a%40b.co&x=y", {}, "website"),
        (b"--b--", {"Content-Type": "multipart/form-data; boundary=b"}, "website"),
        (b"listingStreet=1&numBedroomsSought=2", FORM, "zillow-rentals"),
        (b"listingStreet=1", FORM, "website"),
        (b"From: a@b.co\nSubject: x\n\nEmail: a@b.co", {}, "email"),
        (b"Received: by x\n by y\nX-Y: z\nFrom: a@b.co\n\n", {"Content-Type": "text/plain"}, "email"),
        (b"From bob@x Tue Nov 17 13:22:14 2026\nX-A: b\nDate: x\n\n", {}, "email"),
        (b"anything", {"Content-Type": "message/rfc822"}, "email"),
        (b"<adf><prospect/></adf>", {}, "adf"),
        (b"hello <?adf version='1.0'?>", {"Content-Type": "text/plain"}, "adf"),
        (b"<x/>", {"Content-Type": "text/xml"}, "adf"),
        (b"<x/>", {"Content-Type": "application/x-adf+xml"}, "adf"),
        (sample("adf-in-email").body, {}, "email"),
    ],
)
def test_other_bodies_are_recognised_by_type_and_beginning(body: bytes, headers: dict[str, str], format_: str) -> None:
    assert read(body, headers).format == format_


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"hello = there", b"<html></html>", b"{", b"[" * 100_000, b"\x00\xff" * 100, b"%PDF-1.7", b"7"],
)
def test_what_no_reader_knows_is_of_unknown_format(body: bytes) -> None:
    reading = read(body, {})
    (refusal,) = reading.refusals
    assert (refusal.why, refusal.status, reading.format) == ("unknown_format", 422, None)


def test_a_format_that_is_not_there_is_unknown() -> None:
    assert why(read(b"{}", {}, format="csv")) == "unknown_format"


@pytest.mark.parametrize("format_", FORMATS, ids=lambda format_: format_.name)
def test_a_body_that_is_too_large_is_refused_before_its_secret(format_: Any) -> None:
    reading = read(b"x" * (format_.limit + 1), {}, format=format_.name, secrets={})
    assert why(reading) == "too_large"
    assert why(read(b"x" * 11, {}, format=format_.name, limit=10)) == "too_large"
    assert format_.limit == (MAIL_LIMIT if format_.name == "email" else HTTP_LIMIT)


def test_a_body_as_large_as_may_be_is_read() -> None:
    start = b'{"email":"ann@example.com","message":"'
    body = start + b"x" * (HTTP_LIMIT - len(start) - 2) + b'"}'
    assert len(body) == HTTP_LIMIT
    assert read(body, JSON).inquiries
    assert why(read(body + b" ", JSON)) == "too_large"
    mail = b"From: x@example.com\n\nEmail: ann@example.com\n"
    assert read(mail + b" " * (MAIL_LIMIT - len(mail)), {}).inquiries
    assert why(read(mail + b" " * MAIL_LIMIT, {})) == "too_large"


def test_every_reason_has_a_status() -> None:
    assert {Refusal(reason, "").status for reason in REASONS} == {200, 400, 401, 403, 413, 422}


def test_every_format_says_where_its_secret_is() -> None:
    for format_ in FORMATS:
        assert (format_.secrets is None) is (format_.check is None)
        assert format_.proof
        assert format_.about
    assert BY_NAME["zapier"].default_source == "Other"
