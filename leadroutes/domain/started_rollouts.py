"""How the rollouts of a batch have begun, so that what is the same for the next lead is not worked out again. Pure.

It makes no decision another one: what came of a beginning is used again only where all that it depends on is equal.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from leadroutes.domain.lineup import LineUp
from leadroutes.domain.model import Absence, Change, RuleSet


class Beginning(Struct, frozen=True):
    """All that the first change of a lead depends on, beside the rule set and the lead's id.

    `absent`: who of the members cannot be offered a lead at `now`, and why.
    """

    line_up: LineUp
    absent: Mapping[int, Absence]
    now: datetime

    @property
    def first(self) -> tuple[int | None, int]:
        """The team, and the member at the head of its line-up."""
        offer = self.line_up.offers[0]
        return offer.team_id, offer.user_id


class StartedRollouts:
    """The latest beginning for each team and member at the head of its line-up, with the change that came of it.

    So there are at most as many as these teams have members. Another moment, order or absence replaces what was there.
    """

    def __init__(self) -> None:
        self._latest: dict[tuple[int | None, int], tuple[RuleSet, Beginning, Change]] = {}

    def find(self, rule_set: RuleSet, beginning: Beginning) -> Change | None:
        """Returns the first change of an earlier lead that began in the same way, or None."""
        latest = self._latest.get(beginning.first)
        if latest is None or latest[0] is not rule_set or latest[1] != beginning:
            return None
        return latest[2]

    def note(self, rule_set: RuleSet, beginning: Beginning, change: Change) -> None:
        """A rollout has begun with this change."""
        self._latest[beginning.first] = rule_set, beginning, change
