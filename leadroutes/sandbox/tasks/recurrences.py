"""Computes moments of recurring tasks. Loaded in sandbox processes only."""

from datetime import datetime

from leadroutes.domain.campaign import first_candidates, next_occurrence
from leadroutes.domain.recurrence import read_rule, recurs
from leadroutes.sandbox.recurrences import NextMoment, RuleProgress, RuleStart


def first(asked: RuleStart) -> list[datetime]:
    """Returns the result of `first_candidates`."""
    return first_candidates(asked.recurrence, asked.day)


def comes(asked: RuleStart) -> bool:
    """Whether it comes within ten years."""
    rule = read_rule(asked.recurrence)
    return rule is not None and recurs(rule, asked.day)


def following(asked: RuleProgress) -> NextMoment:
    """Returns the result of `next_occurrence`."""
    return NextMoment(next_occurrence(asked.recurrence, asked.start, asked.after, asked.timezone))
