"""Shares and what can be said of them: intervals, differences, numbers needed, splits that are not as planned. Pure.

All intervals have 95 %. Shares are fractions, from 0 to 1.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final, NamedTuple

Z: Final = NormalDist().inv_cdf(0.975)
POWER: Final = NormalDist().inv_cdf(0.8)
LEVEL: Final = 0.05  # how often, at most, a difference is reported where there is none
SUSPECT: Final = 0.001  # so improbable a split is not by chance


class Interval(NamedTuple):
    low: float
    high: float


class Arm(NamedTuple):
    """So many of `of` did it."""

    number: int
    of: int

    @property
    def share(self) -> float:
        return self.number / self.of if self.of else 0.0


def wilson(arm: Arm) -> Interval:
    """Returns the score interval of a share, without correction: E. B. Wilson, JASA 22 (1927). Of nothing: 0 to 1."""
    if not arm.of:
        return Interval(0.0, 1.0)
    square = Z * Z
    middle = 2 * arm.number + square
    spread = Z * math.sqrt(square + 4 * arm.number * (1 - arm.share))
    below, above = ((middle + sign * spread) / (2 * (arm.of + square)) for sign in (-1, 1))
    return Interval(0.0 if arm.number == 0 else below, 1.0 if arm.number == arm.of else above)


def newcombe(one: Arm, other: Arm) -> Interval:
    """Returns the interval of `one` less `other`: R. G. Newcombe, Statistics in Medicine 17 (1998) 873, method 10."""
    (low_one, high_one), (low_other, high_other) = wilson(one), wilson(other)
    difference = one.share - other.share
    below = math.hypot(one.share - low_one, high_other - other.share)
    above = math.hypot(high_one - one.share, other.share - low_other)
    return Interval(max(-1.0, difference - below), min(1.0, difference + above))


def number_needed(base: float, difference: float) -> int:
    """Returns how many each arm needs so that shares `base` and `base + difference` differ visibly 4 times out of 5.

    J. L. Fleiss, Statistical Methods for Rates and Proportions, without correction: two-sided, at LEVEL.
    """
    other = base + difference
    mean = (base + other) / 2
    apart = Z * math.sqrt(2 * mean * (1 - mean)) + POWER * math.sqrt(base * (1 - base) + other * (1 - other))
    return math.ceil((apart / difference) ** 2)


def is_different(one: Arm, other: Arm, expected: float, comparisons: int = 1) -> bool:
    """Returns whether the shares differ, however often that is asked while the numbers grow.

    A mixture sequential test (R. Johari and others, KDD 2017) with `expected` as the size of differences: over all
    looks it is wrong in LEVEL of such tests at most, divided among `comparisons`. The interval has to agree.
    """
    pooled = (one.number + other.number) / max(1, one.of + other.of)
    if not (one.of and other.of and 0 < pooled < 1):
        return False
    variance, size = pooled * (1 - pooled) * (1 / one.of + 1 / other.of), expected * expected
    exponent = size * (one.share - other.share) ** 2 / (2 * variance * (variance + size))
    if exponent + math.log(variance / (variance + size)) / 2 < math.log(comparisons / LEVEL):
        return False
    low, high = newcombe(one, other)
    return not low <= 0 <= high


def is_split_as_planned(numbers: Sequence[int], shares: Sequence[int]) -> bool:
    """Returns False where numbers are improbable for arms of these shares: Pearson's chi-squared test, at SUSPECT."""
    total, whole = sum(numbers), sum(shares)
    expected = [total * share / whole for share in shares]
    if not total or min(expected) < 5:  # too few for the test
        return True
    squares = sum((number - mean) ** 2 / mean for number, mean in zip(numbers, expected, strict=True))
    return chi_squared_tail(squares, len(numbers) - 1) >= SUSPECT


def chi_squared_tail(value: float, freedom: int) -> float:
    """Returns the probability of `value` or more with so many degrees of freedom, by the finite sums for it."""
    half = value / 2
    if freedom % 2:
        tail, term, step = math.erfc(math.sqrt(half)), math.exp(-half) * math.sqrt(half) / math.gamma(1.5), 1.5
    else:
        tail, term, step = 0.0, math.exp(-half), 1.0
    for _ in range(freedom // 2):
        tail += term
        term *= half / step
        step += 1
    return tail
