"""Rules of recurring tasks, followed. Loaded where that is done, which is apart from the service."""

from datetime import datetime

from leadroutes.domain.campaign import first_candidates, next_occurrence
from leadroutes.domain.recurrence import comes_round, read_rule
from leadroutes.sandbox.recurrences import Beginning, Going, Next


def first(asked: Beginning) -> list[datetime]:
    """What `first_candidates` says of it."""
    return first_candidates(asked.recurrence, asked.day)


def comes(asked: Beginning) -> bool:
    """Whether it comes within ten years."""
    rule = read_rule(asked.recurrence)
    return rule is not None and comes_round(rule, asked.day)


def following(asked: Going) -> Next:
    """What `next_occurrence` says of it."""
    return Next(next_occurrence(asked.recurrence, asked.start, asked.after, asked.timezone))
