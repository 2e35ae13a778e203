"""What the settings of an installation say to every decision, whichever part of the service makes it."""

from dataclasses import dataclass
from datetime import timedelta

from leadroutes.domain.model import OPEN_FOR


@dataclass(frozen=True, slots=True)
class Installation:
    """`channels`: those it can send over; none: every offer counts as notified. `open_for`: how old an open lead is."""

    channels: frozenset[str] = frozenset()
    open_for: timedelta = OPEN_FOR
