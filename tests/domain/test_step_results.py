"""What is said of a campaign's steps follows from counts alone."""

from leadroutes.domain.model import Variant
from leadroutes.domain.step_results import EXPECTED_RATE, ComparedStep, in_words, results_of

DIVIDED = ComparedStep(
    action_id=1, variants=(Variant(template_id=10, share=1), Variant(template_id=11, share=1)), smallest_difference=5
)


def counts(sent: int, replied: int) -> dict[str, int]:
    return {"sent": sent, "delivered": sent, "replied": replied}


def said(first: tuple[int, int], second: tuple[int, int]) -> tuple[str, str]:
    counted = {(1, 10): counts(*first), (1, 11): counts(*second)}
    [comparison] = results_of([DIVIDED], counted).comparisons
    return comparison.state, in_words(comparison, second[0], first[0])


def test_nothing_is_said_before_the_planned_number_was_sent() -> None:
    assert EXPECTED_RATE == 0.1
    words = "Not enough yet: 685 of 686 messages that each needs have been sent."
    assert said((900, 0), (685, 300)) == ("not enough yet", words)
    assert said((0, 0), (0, 0))[0] == "not enough yet"


def test_a_difference_is_said_with_its_interval() -> None:
    words = "It gets more replies: a difference of 10.0 percentage points, between 6.9 and 13.1."
    assert said((1000, 100), (1000, 200)) == ("different", words)
    words = "It gets fewer replies: a difference of -10.0 percentage points, between -13.1 and -6.9."
    assert said((1000, 200), (1000, 100)) == ("different", words)
    state, words = said((1000, 100), (1000, 110))
    assert state == "no clear difference"
    assert words.startswith("No difference that can be distinguished from chance: a difference of 1.0 percentage")


def test_templates_of_now_come_first_then_those_of_before() -> None:
    plain = ComparedStep(action_id=2, template_id=20)
    found = results_of([DIVIDED, plain], {(2, 19): counts(4, 1), (1, 11): counts(5, 1), (2, 0): counts(1, 0)})
    assert [(arm.action_id, arm.template_id, arm.share, arm.sent) for arm in found.arms] == [
        (1, 10, 1, 0), (1, 11, 1, 5), (2, 20, None, 0), (2, None, None, 1), (2, 19, None, 4),
    ]  # fmt: skip
    rate = found.arms[4].rates["replied"]
    assert (rate.share, round(rate.low, 4), round(rate.high, 4)) == (0.25, 0.0456, 0.6994)
    assert [each.template_id for each in found.comparisons] == [11]


def test_a_split_that_is_not_as_planned_is_named() -> None:
    assert results_of([DIVIDED], {(1, 10): counts(500, 9), (1, 11): counts(510, 9)}).uneven == ()
    assert results_of([DIVIDED], {(1, 10): counts(500, 9), (1, 11): counts(700, 9)}).uneven == (1,)
