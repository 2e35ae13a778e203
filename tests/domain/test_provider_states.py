"""Reports of the provider come in any order, twice, and without the error that another one had."""

import itertools

import pytest

from leadroutes.domain.provider_errors import CODES, FILTERED, effect_of, read_code
from leadroutes.domain.provider_states import MessageAtProvider, after_report


def run(state: str, *reports: tuple[str, int | None], provider_id: str | None = None) -> MessageAtProvider:
    message = MessageAtProvider(state=state, provider_id=provider_id)
    for reported, code in reports:
        message = after_report(message, "SM1", reported, code)
    return message


ORDERS = [
    (("queued", "sending", "sent", "delivered"), ("sent", "delivered")),
    (("delivered", "sent", "sending", "queued"), ("sent", "delivered")),
    (("sent", "sent"), ("sent", "sent")),
    (("sent", "queued"), ("sent", "sent")),
    (("undelivered", "delivered"), ("failed", "undelivered")),
    (("delivered", "undelivered"), ("sent", "delivered")),
    (("failed", "sent"), ("failed", "failed")),
    (("delivered", "failed"), ("sent", "delivered")),
    (("sent", "what is not known"), ("sent", "sent")),
    (("canceled",), ("failed", "canceled")),
    (("read",), ("sent", "read")),
]


@pytest.mark.parametrize(("reports", "expected"), ORDERS)
def test_states_rise_and_of_two_final_ones_the_first_stays(reports: tuple[str, ...], expected: tuple[str, str]) -> None:
    message = run("sent", *((each, None) for each in reports))
    assert (message.state, message.provider_state) == expected
    assert message.is_delivered == (expected[1] in ("delivered", "read"))
    again = run("sent", *((each, None) for each in reports for _ in range(2)))
    assert again == message


def test_an_error_number_is_not_erased() -> None:
    for order in itertools.permutations([("sent", None), ("undelivered", 30007), ("queued", None)]):
        assert run("sent", *order).error_code == 30007
    assert run("sent", ("failed", 30003), ("failed", None)).error_code == 30003


@pytest.mark.parametrize("state", ["unknown", "queued", "sent"])
def test_a_text_of_which_no_one_knew_is_resolved(state: str) -> None:
    for reported in ("queued", "sending", "sent", "delivered"):
        assert (run(state, (reported, None)).state, run(state, (reported, None)).reason) == ("sent", None)
    failed = run(state, ("undelivered", 30006))
    assert failed.state == "failed"
    assert failed.reason == "the provider said 30006, undelivered: The number is a landline or cannot take texts."


def test_while_it_is_being_sent_only_what_was_reported_is_noted() -> None:
    for reported in ("sent", "undelivered"):
        message = run("sending", (reported, None))
        assert (message.state, message.provider_state) == ("sending", reported)


@pytest.mark.parametrize("state", ["suppressed", "failed"])
def test_what_was_over_stays_so_but_for_what_was_given_up_too_early(state: str) -> None:
    assert run(state, ("delivered", None)).state == ("sent" if state == "failed" else state)
    assert run("sent", ("failed", None), ("delivered", None)).state == "failed"


def test_a_report_about_an_earlier_attempt_changes_nothing() -> None:
    message = MessageAtProvider(state="sent", provider_id="SM2", provider_state="queued")
    assert after_report(message, "SM1", "failed", 30003) == message


def test_what_the_provider_refuses_at_night_waits_for_the_next_window() -> None:
    message = run("sent", ("undelivered", 30610))
    assert (message.state, message.is_for_next_window, message.error_code) == ("queued", True, 30610)


def test_every_error_number_says_what_to_do() -> None:
    for error in CODES.values():
        assert error.what.endswith(".")
        assert error.remedy.endswith(".")
    assert FILTERED == (30007, 30032, 30034)
    assert [effect_of(code) for code in (21610, 21614, 21635, 30006, 30610, None, 99999)] == [
        "stopped", "landline", "landline", "landline", "window", None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("30007", 30007),
        (30007, 30007),
        ("", None),
        ("0", None),
        (0, None),
        (None, None),
        ("٣", None),
        ("1e3", None),
        ("9" * 30, None),
        (True, None),
        (-1, None),
        (3.5, None),
    ],
)
def test_an_error_number_is_read_in_any_form(value: object, code: int | None) -> None:
    assert read_code(value) == code
