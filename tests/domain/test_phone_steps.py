"""What follows from a key, from silence, and from the end of a connection."""

import pytest

from leadroutes.domain.phone_steps import MOST_STEPS, Act, After, PhoneStep, act_of


@pytest.mark.parametrize(
    ("after", "digits", "act"),
    [
        ("start", "", "ask"),
        ("start", "1", "ask"),
        ("silence", "", "ask at last"),
        ("silence", "1", "ask at last"),
        ("question", "1", "claim"),
        ("question", "2", "decline"),
        ("question", "3", "ask"),
        ("question", "", "ask again"),
        ("question", "9", "ask again"),
        ("question", "11", "ask again"),
        ("question", "*", "ask again"),
        ("details", "3", "repeat details"),
        ("details", "1", "end"),
        ("details", "", "end"),
        ("connection", "", "repeat details"),
    ],
)
def test_what_is_done(after: After, digits: str, act: Act) -> None:
    assert act_of(PhoneStep(number=0 if after == "start" else 4, after=after), digits) == act


def test_no_one_presses_keys_for_ever() -> None:
    assert act_of(PhoneStep(number=MOST_STEPS, after="question"), "3") == "ask"
    assert act_of(PhoneStep(number=MOST_STEPS + 1, after="question"), "3") == "end"
    assert act_of(PhoneStep(number=MOST_STEPS + 1, after="question"), "1") == "end"


@pytest.mark.parametrize(
    ("number", "after", "step"),
    [
        (None, None, PhoneStep()),
        ("1", "question", PhoneStep(number=1, after="question")),
        ("12", "connection", PhoneStep(number=12, after="connection")),
        ("0", "question", None),
        ("1", "start", None),
        ("1", None, None),
        (None, "question", None),
        ("-1", "question", None),
        ("1.5", "question", None),
        ("١", "question", None),
        ("9999", "question", None),
        ("1", "claim", None),
    ],
)
def test_a_step_is_read_from_its_address(number: str | None, after: str | None, step: PhoneStep | None) -> None:
    assert PhoneStep.of(number, after) == step


def test_steps_count_up() -> None:
    assert PhoneStep().next("question") == PhoneStep(number=1, after="question")
    assert PhoneStep(number=7, after="question").next("silence") == PhoneStep(number=8, after="silence")
