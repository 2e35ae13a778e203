"""When the steps of one contact will leave, by the same decisions that are made when they are due. Pure."""

import heapq
from collections.abc import Container, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.windows import TEXT, Leave, SendingRules, Skip, StepFacts, Wait, decide

MOST_LOOKS: Final = 50  # at one step


class Forecast(Struct, frozen=True, kw_only=True):
    """`leaves_at` None: it will not leave, `skipped` says why. `wait`: what it waits for last, if for anything."""

    leaves_at: datetime | None = None
    wait: Wait | None = None
    skipped: str | None = None


def forecast(
    steps: Sequence[StepFacts], now: datetime, rules: SendingRules, unsent: Container[int] = ()
) -> list[Forecast]:
    """Returns for each step when it will leave. All are of one contact, whose texts count together.

    Steps are looked at in the order in which the worker looks at them: at their moment, then when their wait ends.
    `unsent`: the places of those that will be dropped as they leave, so that later texts do not wait because of them.
    """
    found = [Forecast() for _ in steps]
    sent: list[datetime] = []
    dropped: list[datetime] = []  # which count for those that are looked at together with them
    looks = [(max(step.send_at, now), step.send_at, place, 1) for place, step in enumerate(steps)]
    heapq.heapify(looks)
    while looks:
        at, send_at, place, count = heapq.heappop(looks)
        step = steps[place]
        also = [*sent, *(each for each in dropped if each == at)] if step.type == TEXT else []
        if also:
            step = replace(step, texts=tuple(sorted([*step.texts, *also])))
        match decide(step, at, rules):
            case Leave():
                found[place] = replace(found[place], leaves_at=at)
                if step.type == TEXT:
                    (dropped if place in unsent else sent).append(at)
            case Wait() as wait:
                found[place] = replace(found[place], wait=wait)
                if count < MOST_LOOKS:
                    heapq.heappush(looks, (wait.until, send_at, place, count + 1))
            case Skip(reason):
                found[place] = replace(found[place], skipped=reason)
    return found
