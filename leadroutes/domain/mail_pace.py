"""How many mails of campaigns a sender sends in an hour, less while it warms up, and when the rest has its turn. Pure.

All moments are real time. Mails are counted by the minute; those of the last sixty full minutes and of the present one
count, so that no hour has more than the limit.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.windows import Wait

MINUTES: Final = 61
A_MINUTE: Final = timedelta(minutes=1)


class MailTally(Struct, frozen=True, kw_only=True):
    """What a sender has sent, as (minute since 1970, number); `last_turn`: the latest turn that was given to others."""

    first_at: datetime
    sent: tuple[tuple[int, int], ...] = ()
    last_turn: datetime | None = None


class MailTurns(Struct, frozen=True):
    """So many leave now; the others have their turns at `later`, in order. `pace` is what is known after that."""

    granted: int
    later: tuple[datetime, ...]
    pace: MailTally


def limit_of(pace: MailTally, now: datetime, per_hour: int, warm_up_days: int) -> int:
    """Returns how many mails an hour may have: from the first day on evenly more, until the warm-up is over."""
    days = max(0, (now - pace.first_at).days)
    if days >= warm_up_days:
        return per_hour
    return max(1, per_hour * (days + 1) // (warm_up_days + 1))


def turns(pace: MailTally, now: datetime, waited: Sequence[bool], per_hour: int, warm_up_days: int = 0) -> MailTurns:
    """Returns who of those that want to leave now does so; `waited`: whether each has waited for its turn before.

    Who has not goes behind those whose turn is still to come.
    """
    minute = int(now.timestamp()) // 60
    recent = [(at, number) for at, number in pace.sent if at > minute - MINUTES]
    limit = limit_of(pace, now, per_hour, warm_up_days)
    room = max(0, limit - sum(number for _, number in recent))
    is_queue = pace.last_turn is not None and pace.last_turn > now
    granted = 0
    for each in waited:
        if granted == room or (is_queue and not each):
            break
        granted += 1
    if granted:
        recent.append((minute, granted))
    begins = pace.last_turn if is_queue and pace.last_turn is not None and not all(waited[granted:]) else now
    later = tuple(max(_turn(recent, limit, place, minute), begins) for place in range(len(waited) - granted))
    last_turn = max([*later, *((pace.last_turn,) if is_queue and pace.last_turn else ())], default=None)
    return MailTurns(granted, later, MailTally(first_at=pace.first_at, sent=_merged(recent), last_turn=last_turn))


def mail_rule(per_hour: int) -> str:
    """Returns the rule by which a mail waits for its turn, in words."""
    return f"{per_hour} mails in an hour"


def waiting_turn(until: datetime, per_hour: int) -> Wait:
    """Returns how a mail waits for a turn at that moment, by the domain's clock."""
    rule = mail_rule(per_hour)
    return Wait(until, rule, f"its turn: {rule}")


def given_back(pace: MailTally, at: datetime) -> MailTally:
    """Returns the tally without one mail that was to leave at that moment, and did not."""
    minute = int(at.timestamp()) // 60
    sent = ((each, number - (each == minute)) for each, number in pace.sent)
    return replace(pace, sent=tuple((each, number) for each, number in sent if number > 0))


def _turn(sent: Sequence[tuple[int, int]], limit: int, place: int, minute: int) -> datetime:
    """Returns when so many others have had their turn and there is room again: what was sent makes room as it ages."""
    rounds, rest = divmod(place, limit)
    free = limit - sum(number for _, number in sent)
    at = minute
    for sent_at, number in sent:
        if free > rest:
            break
        free, at = free + number, sent_at + MINUTES
    return datetime.fromtimestamp((at + rounds * MINUTES) * 60, UTC)


def _merged(sent: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    found: dict[int, int] = {}
    for at, number in sent:
        found[at] = found.get(at, 0) + number
    return tuple(sorted(found.items()))
