"""What came of the messages of a campaign's steps, by template, and what can be said of their differences. Pure.

Nothing is decided by it; opens are not counted.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from leadroutes.domain.model import Variant
from leadroutes.domain.proportions import (
    Arm,
    Interval,
    is_different,
    is_split_as_planned,
    newcombe,
    number_needed,
    wilson,
)

FIGURES: Final = ("sent", "delivered", "bounced", "replied", "opted_out")
RATED: Final = FIGURES[1:]
EXPECTED_RATE: Final = 0.1  # of replies, by which the number needed is planned
UNKNOWN_TEMPLATE: Final = 0

State = Literal["not enough yet", "no clear difference", "different"]
Counted = Mapping[tuple[int, int], Mapping[str, int]]
"""How many messages count as each figure, by step and template."""


class ComparedStep(Struct, frozen=True, kw_only=True):
    """A step as it is now. `smallest_difference`: in percentage points."""

    action_id: int
    template_id: int | None = None
    variants: tuple[Variant, ...] = ()
    smallest_difference: int = 5


class ArmResult(Struct, frozen=True, kw_only=True):
    """Messages of a step with one template; `share`: of a present variant. `rates`: of those that were sent."""

    action_id: int
    template_id: int | None
    sent: int
    delivered: int
    bounced: int
    replied: int
    opted_out: int
    share: int | None
    rates: Mapping[str, "ShareRange"]


class ShareRange(Struct, frozen=True, kw_only=True):
    """A share of the messages that were sent, with its interval."""

    share: float
    low: float
    high: float


class ArmComparison(Struct, frozen=True, kw_only=True):
    """The replies to a variant less those to the first one, as fractions. `planned`: messages that each needs."""

    action_id: int
    template_id: int
    against_template_id: int
    difference: float
    low: float
    high: float
    planned: int
    state: State


class CampaignResults(Struct, frozen=True, kw_only=True):
    """`uneven`: the steps whose messages are not divided as planned."""

    arms: tuple[ArmResult, ...]
    comparisons: tuple[ArmComparison, ...]
    uneven: tuple[int, ...]


def results_of(steps: Sequence[ComparedStep], counted: Counted) -> CampaignResults:
    """Returns the results of steps in their order: present templates first, then those that they had before."""
    return CampaignResults(
        arms=tuple(arm for step in steps for arm in _arms(step, counted)),
        comparisons=tuple(each for step in steps for each in _comparisons(step, counted)),
        uneven=tuple(step.action_id for step in steps if not _is_even(step, counted)),
    )


def _arms(step: ComparedStep, counted: Counted) -> list[ArmResult]:
    shares: dict[int, int | None] = {each.template_id: each.share for each in step.variants}
    if step.template_id is not None:
        shares[step.template_id] = None
    former = sorted(template_id for action_id, template_id in counted if action_id == step.action_id)
    return [
        _arm(step.action_id, template_id, shares.get(template_id), counted.get((step.action_id, template_id), {}))
        for template_id in dict.fromkeys([*shares, *former])
    ]


def _arm(action_id: int, template_id: int, share: int | None, counted: Mapping[str, int]) -> ArmResult:
    numbers = {name: counted.get(name, 0) for name in FIGURES}
    return ArmResult(
        action_id=action_id,
        template_id=None if template_id == UNKNOWN_TEMPLATE else template_id,
        share=share,
        rates={name: _rate(Arm(numbers[name], numbers["sent"])) for name in RATED},
        **numbers,
    )


def _rate(arm: Arm) -> ShareRange:
    low, high = wilson(arm)
    return ShareRange(share=arm.share, low=low, high=high)


def _comparisons(step: ComparedStep, counted: Counted) -> list[ArmComparison]:
    if not step.variants:
        return []
    size = step.smallest_difference / 100
    first, *others = [(each.template_id, _replies(step, each, counted)) for each in step.variants]
    planned = number_needed(EXPECTED_RATE, size)
    return [
        ArmComparison(
            action_id=step.action_id,
            template_id=template_id,
            against_template_id=first[0],
            difference=arm.share - first[1].share,
            **_named(newcombe(arm, first[1])),
            planned=planned,
            state=_state(arm, first[1], planned, size, len(others)),
        )
        for template_id, arm in others
    ]


def _named(interval: Interval) -> dict[str, float]:
    return {"low": interval.low, "high": interval.high}


def _state(arm: Arm, first: Arm, planned: int, size: float, comparisons: int) -> State:
    if min(arm.of, first.of) < planned:
        return "not enough yet"
    return "different" if is_different(arm, first, size, comparisons) else "no clear difference"


def _replies(step: ComparedStep, variant: Variant, counted: Counted) -> Arm:
    numbers = counted.get((step.action_id, variant.template_id), {})
    sent = numbers.get("sent", 0)
    return Arm(min(numbers.get("replied", 0), sent), sent)


def _is_even(step: ComparedStep, counted: Counted) -> bool:
    if not step.variants:
        return True
    sent = [_replies(step, each, counted).of for each in step.variants]
    return is_split_as_planned(sent, [each.share for each in step.variants])


def in_words(comparison: ArmComparison, sent: int, sent_by_first: int) -> str:
    """Returns what a comparison says, for people who read it."""
    if comparison.state == "not enough yet":
        fewest = min(sent, sent_by_first)
        return f"Not enough yet: {fewest:,} of {comparison.planned:,} messages that each needs have been sent."
    points, low, high = (f"{100 * each:.1f}" for each in (comparison.difference, comparison.low, comparison.high))
    said = f"a difference of {points} percentage points, between {low} and {high}"
    if comparison.state == "different":
        more = "more" if comparison.difference > 0 else "fewer"
        return f"It gets {more} replies: {said}."
    return f"No difference that can be distinguished from chance: {said}."
