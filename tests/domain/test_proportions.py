"""Intervals and differences are those of published tables, and looking often does not make differences up."""

import math
import random
from bisect import bisect
from functools import cache
from itertools import accumulate

import pytest

from leadroutes.domain.proportions import (
    Arm,
    chi_squared_tail,
    is_different,
    is_split_as_planned,
    newcombe,
    number_needed,
    wilson,
)


@pytest.mark.parametrize(
    ("number", "of", "low", "high"),
    [  # R. G. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998) 857
        (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0), (0, 0, 0, 1),
    ],
)  # fmt: skip
def test_an_interval_of_a_share_is_wilsons(number: int, of: int, low: float, high: float) -> None:
    assert wilson(Arm(number, of)) == pytest.approx((low, high), abs=0.00005)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [  # the examples (a) to (h) of R. G. Newcombe, Interval estimation for the difference, the same volume, 873
        ((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926), ((0, 10), (0, 20), -0.1611, 0.2775), ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0), ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)  # fmt: skip
def test_an_interval_of_a_difference_is_newcombes(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    assert newcombe(Arm(*one), Arm(*other)) == pytest.approx((low, high), abs=0.00005)
    assert newcombe(Arm(*other), Arm(*one)) == pytest.approx((-high, -low), abs=0.00005)


@pytest.mark.parametrize(
    ("base", "difference", "number"), [(0.10, 0.05, 686), (0.50, 0.10, 388), (0.05, 0.05, 435), (0.25, 0.15, 152)]
)
def test_the_number_needed_is_that_of_the_tables(base: float, difference: float, number: int) -> None:
    assert number_needed(base, difference) == number


@pytest.mark.parametrize(
    ("freedom", "at_five_percent", "at_a_thousandth"),
    [(1, 3.841, 10.828), (2, 5.991, 13.816), (3, 7.815, 16.266), (4, 9.488, 18.467), (9, 16.919, 27.877)],
)
def test_the_tail_of_chi_squared_is_that_of_the_tables(
    freedom: int, at_five_percent: float, at_a_thousandth: float
) -> None:
    assert chi_squared_tail(at_five_percent, freedom) == pytest.approx(0.05, rel=0.001)
    assert chi_squared_tail(at_a_thousandth, freedom) == pytest.approx(0.001, rel=0.001)


@pytest.mark.parametrize(
    ("numbers", "shares", "is_planned"),
    [
        ([0, 0], [1, 1], True), ([4, 0], [1, 1], True), ([520, 480], [1, 1], True), ([600, 400], [1, 1], False),
        ([748, 252], [3, 1], True), ([500, 500], [3, 1], False), ([340, 320, 340], [1, 1, 1], True),
        ([400, 300, 300], [1, 1, 1], False),
    ],
)  # fmt: skip
def test_a_split_that_is_not_by_chance_is_seen(numbers: list[int], shares: list[int], is_planned: bool) -> None:
    assert is_split_as_planned(numbers, shares) is is_planned


@pytest.mark.parametrize("rate", [0.03, 0.1, 0.4])
def test_looking_again_and_again_declares_a_difference_where_there_is_none_in_five_percent_at_most(rate: float) -> None:
    """2,000 experiments, each looked at 40 times, from a few messages on up to four times the number needed."""
    chance = random.Random(23)
    experiments = 2_000
    wrong = sum(ever_different(chance, rate, rate, looks=40) for _ in range(experiments))
    assert wrong <= 0.05 * experiments


def test_a_difference_that_is_there_is_declared_in_the_end() -> None:
    chance = random.Random(23)
    found = sum(ever_different(chance, 0.10, 0.15, looks=40) for _ in range(200))
    assert found >= 0.9 * 200


STEP = 4 * number_needed(0.10, 0.05) // 40


def ever_different(chance: random.Random, one: float, other: float, *, looks: int) -> bool:
    """Whether any look says so; messages go out evenly between the looks."""
    first = second = of = 0
    for _ in range(looks):
        of += STEP
        first += bisect(binomial(one), chance.random())
        second += bisect(binomial(other), chance.random())
        if is_different(Arm(first, of), Arm(second, of), 0.05):
            return True
    return False


@cache
def binomial(rate: float) -> list[float]:
    """Returns the probability of at most 0, 1, 2 … replies to STEP messages."""
    return list(accumulate(math.comb(STEP, n) * rate**n * (1 - rate) ** (STEP - n) for n in range(STEP)))
