"""Quantiles of spans of time from a histogram whose places grow by 8 % each: those of histogram_place in the database.

Within a place the spans are taken to be spread evenly, so a quantile is within 4 % of the true one in nearly all cases,
and within 8 % in all.
"""

from collections.abc import Mapping

GROWTH = 1.08
LAST_PLACE = 230  # open to the top; it begins after more than a year


def quantile(histogram: Mapping[int, int], share: float) -> float | None:
    """Returns the seconds within which this share of the spans is; None if there are none.

    `histogram`: how many spans are in which place.
    """
    total = sum(histogram.values())
    if total <= 0:
        return None
    wanted = share * total
    below = 0
    for place, number in sorted(histogram.items()):
        if number > 0 and below + number >= wanted:
            return _within(place, (wanted - below) / number)
        below += number
    return None


def _within(place: int, share: float) -> float:
    """Returns the seconds at this share of a place: 0 is less than a second, 1 begins at a second."""
    if place == 0:
        return share
    if place == LAST_PLACE:
        share = 0
    return float(GROWTH ** (place - 1 + share))
