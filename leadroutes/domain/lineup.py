"""Who of a team is offered a lead, in which order and when: the line-up, frozen at the moment of arrival."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from leadroutes.domain.model import Member, Offer, Option, Person, Team
from leadroutes.domain.moments import later, minutes
from leadroutes.domain.turns import Turns, take_turn


class LineUp(Struct, frozen=True):
    """The offers in order; under Round Robin whose turn it was, and the state of the turns after it."""

    offers: tuple[Offer, ...]
    turn: int | None = None
    turns: Turns | None = None


Candidate = tuple[Member, Option]


def why_not(member: Member) -> str | None:
    """Why a member of the team is not in the line-up, or None if he is."""
    if member.request_status != "Accepted":
        return f"his request is {member.request_status}"
    if member.option is None:
        return "he has no distribution option for the team"
    return None


def why_unavailable(user_id: int, people: Mapping[int, Person]) -> str | None:
    """Why a user cannot be offered a lead at the moment, or None if he can."""
    person = people.get(user_id)
    return None if person is not None and person.is_active else "his account is not active"


def line_up(team: Team, people: Mapping[int, Person], now: datetime, turns: Turns | None = None) -> LineUp:
    """The offers for a lead that is routed at `now`; empty when nobody is in the team's line-up."""
    candidates = [
        (member, member.option) for member in team.members if member.option is not None and why_not(member) is None
    ]
    match team.order_method:
        case "Rank":
            return LineUp(_by_rank(team, candidates, now))
        case "Time":
            return LineUp(_by_time(team, candidates, now))
        case "Round Robin":
            return _by_turn(team, candidates, people, now, turns or Turns())


def _by_rank(team: Team, candidates: Sequence[Candidate], now: datetime) -> tuple[Offer, ...]:
    """Equal ranks together; the i-th distinct rank after i times the team's minutes."""
    ranks = {rank: index for index, rank in enumerate(sorted({_rank_key(option) for _, option in candidates}))}
    ordered = sorted(candidates, key=_by_rank_then_id)
    return tuple(
        _offer(team, candidate, place, _after(team, ranks[_rank_key(candidate[1])], now), candidate[1].rank)
        for place, candidate in enumerate(ordered)
    )


def _by_time(team: Team, candidates: Sequence[Candidate], now: datetime) -> tuple[Offer, ...]:
    ordered = sorted(
        candidates, key=lambda candidate: (candidate[1].mins_until_lead_offer, candidate[0].option_id or 0)
    )
    return tuple(
        _offer(team, candidate, place, later(now, minutes(candidate[1].mins_until_lead_offer)), None)
        for place, candidate in enumerate(ordered)
    )


def _by_turn(
    team: Team,
    candidates: Sequence[Candidate],
    people: Mapping[int, Person],
    now: datetime,
    turns: Turns,
) -> LineUp:
    """By rank, rotated to begin with the member whose turn it is; here equal ranks are not told together."""
    ordered = sorted(candidates, key=_by_rank_then_id)
    present = [
        (member.user_id, max(option.weight, 0))
        for member, option in ordered
        if why_unavailable(member.user_id, people) is None
    ]
    first, after = take_turn(present, turns) if present else (None, None)
    start = next((index for index, (member, _) in enumerate(ordered) if member.user_id == first), 0)
    rotated = ordered[start:] + ordered[:start]
    offers = tuple(
        _offer(team, candidate, place, _after(team, place, now), candidate[1].rank)
        for place, candidate in enumerate(rotated)
    )
    return LineUp(offers, first, after)


def _after(team: Team, steps: int, now: datetime) -> datetime:
    return later(now, minutes(team.mins_until_next_alert * steps))


def _rank_key(option: Option) -> tuple[bool, int]:
    return (option.rank is None, option.rank or 0)


def _by_rank_then_id(candidate: Candidate) -> tuple[tuple[bool, int], int]:
    return (_rank_key(candidate[1]), candidate[0].option_id or 0)


def _offer(team: Team, candidate: Candidate, place: int, notify_at: datetime, rank: int | None) -> Offer:
    member, option = candidate
    return Offer(
        user_id=member.user_id,
        team_id=team.id,
        place=place,
        notify_at=notify_at,
        rank=rank,
        assign_automatically=option.assign_automatically,
        has_call_alert=option.has_call_alert,
        has_text_alert=option.has_text_alert,
        has_email_alert=option.has_email_alert,
    )
