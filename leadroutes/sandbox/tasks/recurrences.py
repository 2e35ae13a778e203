"""Rules of recurring tasks, followed. Loaded where that is done, which is apart from the service."""

from datetime import datetime

from leadroutes.domain.campaign import first_candidates, next_occurrence
from leadroutes.domain.recurrence import read_rule, recurs
from leadroutes.sandbox.recurrences import NextMoment, RuleProgress, RuleStart


def first(asked: RuleStart) -> list[datetime]:
    """What `first_candidates` says of it."""
    return first_candidates(asked.recurrence, asked.day)


def comes(asked: RuleStart) -> bool:
    """Whether it comes within ten years."""
    rule = read_rule(asked.recurrence)
    return rule is not None and recurs(rule, asked.day)


def following(asked: RuleProgress) -> NextMoment:
    """What `next_occurrence` says of it."""
    return NextMoment(next_occurrence(asked.recurrence, asked.start, asked.after, asked.timezone))
