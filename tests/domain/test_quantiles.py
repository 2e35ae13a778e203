"""Quantiles of a histogram are within a few percent of those of the spans themselves."""

import math
import random

import pytest

from leadroutes.domain.quantiles import GROWTH, LAST_PLACE, quantile


def place_of(seconds: float) -> int:
    """As the database has it."""
    return 0 if seconds < 1 else min(LAST_PLACE, 1 + math.floor(math.log(seconds) / math.log(GROWTH)))


def test_there_is_no_quantile_of_nothing() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({3: 0}, 0.5) is None


def test_a_place_of_its_own_for_less_than_a_second_and_for_more_than_a_year() -> None:
    assert quantile({0: 10}, 0.5) == 0.5
    longest = quantile({LAST_PLACE: 10}, 0.5)
    assert longest is not None
    assert longest > 365 * 86400


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("spread", [0.3, 1.0, 2.0])
def test_median_and_p90_are_within_four_percent(share: float, spread: float) -> None:
    random.seed(7)
    spans = sorted(random.lognormvariate(6, spread) for _ in range(2001))
    histogram: dict[int, int] = {}
    for each in spans:
        histogram[place_of(each)] = histogram.get(place_of(each), 0) + 1

    found = quantile(histogram, share)

    assert found == pytest.approx(spans[math.ceil(share * len(spans)) - 1], rel=0.04)


def test_a_single_span_is_found_within_eight_percent() -> None:
    for seconds in (1.0, 59.0, 3600.0, 86_400.0):
        assert quantile({place_of(seconds): 1}, 0.9) == pytest.approx(seconds, rel=0.08)
