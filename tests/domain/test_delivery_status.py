"""Status codes of mail servers, as tables."""

import pytest

from leadroutes.domain.delivery_status import is_dead_address, status_code


@pytest.mark.parametrize(
    "code", ["5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4", "5.1.1 unknown user"]
)
def test_codes_of_an_address_that_takes_no_mail(code: str) -> None:
    assert is_dead_address(code)


@pytest.mark.parametrize(
    "code",
    ["5.0.0", "5.1.4", "5.1.5", "5.1.7", "5.1.8", "5.1.11", "5.1.15", "5.2.0", "5.2.2", "5.2.10", "5.4.1", "5.4.45",
     "5.7.1", "4.1.1", "2.1.5", "15.1.1", "5.1", "no code 5.1.1", ""],
)  # fmt: skip
def test_other_codes(code: str) -> None:
    assert not is_dead_address(code)


@pytest.mark.parametrize(
    ("status", "diagnostic", "code"),
    [
        ("5.1.1", "550 5.7.1 no", "5.1.1"),
        ("5.1.1 (bad destination mailbox address)", "", "5.1.1"),
        ("5.0.0", "550 5.1.1 No such user here", "5.1.1"),
        ("5.0.0", "550-5.1.1 The account does not exist", "5.1.1"),
        ("5.0.0", "550 no such user", "5.0.0"),
        ("", "Sorry, no mailbox here by that name. (#5.1.1)", "5.1.1"),
        ("", "550 host 5.1.1.7 refused", None),
        ("", "the answer was 5.1.1.", "5.1.1"),
        ("", "version 3.7.11", None),
        ("", "", None),
    ],
)
def test_the_code_of_a_report(status: str, diagnostic: str, code: str | None) -> None:
    assert status_code(status, diagnostic) == code
