"""Codes of authenticator apps: the vectors of the RFCs, the window around the present step, what is not a code."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from leadroutes.domain.totp import code_at, matching_step, new_secret, otpauth_uri, step_at

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
NOW = datetime(2026, 3, 2, 12, 0, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
     (2000000000, "69279037"), (20000000000, "65353130")],
)  # fmt: skip
def test_the_vectors_of_rfc_6238(seconds: int, code: str) -> None:
    assert code_at(RFC_SECRET, step_at(datetime.fromtimestamp(seconds, UTC)), digits=8) == code


def test_the_vectors_of_rfc_4226() -> None:
    assert [code_at(RFC_SECRET, counter) for counter in range(10)] == [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
    ]  # fmt: skip


@pytest.mark.parametrize(("steps", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_off_by_one_step(steps: int, counts: bool) -> None:
    step = step_at(NOW) + steps
    found = matching_step(RFC_SECRET, code_at(RFC_SECRET, step), NOW)

    assert found == (step if counts else None)


def test_blanks_in_a_code_do_not_matter() -> None:
    code = code_at(RFC_SECRET, step_at(NOW))

    assert matching_step(RFC_SECRET, f" {code[:3]} {code[3:]} ", NOW) == step_at(NOW)


@pytest.mark.parametrize("text", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12345²", "-12345", "\0" * 6])
def test_what_is_not_six_digits_does_not_count(text: str) -> None:
    assert matching_step(RFC_SECRET, text, NOW) is None


def test_secrets_are_random_and_an_app_can_read_them() -> None:
    assert new_secret() != new_secret()
    assert len(base64.b32decode(new_secret())) == 20
    uri = urlsplit(otpauth_uri(RFC_SECRET, "Lead Routes", "bob+a@example.com"))
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Lead%20Routes:bob%2Ba@example.com")
    assert parse_qs(uri.query) == {"secret": [RFC_SECRET], "issuer": ["Lead Routes"]}


def test_a_later_code_has_a_later_step() -> None:
    assert step_at(NOW + timedelta(seconds=30)) == step_at(NOW) + 1
