"""Who of a team is offered a lead, in which order and when: the line-up, frozen at the moment of arrival."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.model import (
    COUNTING_METHODS,
    Absence,
    DistributionOption,
    Member,
    Offer,
    OrderedTeam,
    Person,
    RuleSet,
    Standing,
    Team,
)
from leadroutes.domain.moments import END_OF_TIME, minutes
from leadroutes.domain.returning import delays_behind
from leadroutes.domain.standings import in_order
from leadroutes.domain.turns import Candidates, Turns, take_turn

ACCOUNT_INACTIVE = "account is inactive"
NO_ABSENCES: Mapping[int, Absence] = {}
NO_STANDINGS: Mapping[int, Standing] = {}
RANKED = frozenset({"Rank", "Round Robin", "Simultaneous"})  # methods under which an offer has a rank


class LineUp(Struct, frozen=True):
    """The offers in the order in which a lead finds the members; `placed` gives them their places and moments."""

    offers: tuple[Offer, ...]
    delays: Sequence[timedelta]  # of each of them, from the lead's arrival
    first_place: int = 0  # 1: all at once, so that no one is first


Candidate = tuple[Member, DistributionOption]


def why_not_in_line_up(member: Member) -> str | None:
    """Returns why a member of the team is not in the line-up, or None."""
    if member.request_status != "Accepted":
        return f"membership request is {member.request_status}"
    if member.option is None:
        return "no distribution option for this team"
    return None


def why_unavailable(user_id: int, people: Mapping[int, Person]) -> str | None:
    """Returns why a user cannot be offered a lead at the moment, or None."""
    person = people.get(user_id)
    return None if person is not None and person.is_active else ACCOUNT_INACTIVE


def why_unreachable(user_id: int, option: DistributionOption | None, rule_set: RuleSet) -> str | None:
    """Returns why no alert can reach a member who wants some, or None.

    E-mail takes the place of channels that are not there, so only an installation without it leaves anyone unreachable.
    """
    wanted = _wanted_channels(option)
    if not rule_set.channels or not wanted or "email" in rule_set.channels:
        return None
    if any(_is_usable(channel, user_id, rule_set) for channel in wanted):
        return None
    return f"no alert by {' or '.join(wanted)} can be sent to the member"


def with_fallback(rule_set: RuleSet, offers: tuple[Offer, ...]) -> tuple[Offer, ...]:
    """Returns the offers; scheduled ones alert by e-mail if none of their own channels can be used."""
    if "email" not in rule_set.channels:
        return offers
    if all(offer.has_email_alert or offer.state != "scheduled" for offer in offers):  # as nearly always
        return offers
    return tuple(
        replace(offer, has_email_alert=True)
        if offer.state == "scheduled"
        and offer.channels
        and not any(_is_usable(channel, offer.user_id, rule_set) for channel in offer.channels)
        else offer
        for offer in offers
    )


def _is_usable(channel: str, user_id: int, rule_set: RuleSet) -> bool:
    if channel == "email":
        return "email" in rule_set.channels
    person = rule_set.rules.people.get(user_id)
    return channel in rule_set.channels and person is not None and bool(person.phone)


def _wanted_channels(option: DistributionOption | None) -> tuple[str, ...]:
    if option is None:
        return ()
    flags = (("call", option.has_call_alert), ("text", option.has_text_alert), ("email", option.has_email_alert))
    return tuple(channel for channel, is_set in flags if is_set)


def line_up(
    rule_set: RuleSet,
    team: Team,
    turns: Turns | None = None,
    standings: Mapping[int, Standing] = NO_STANDINGS,
    heads: Sequence[int] = (),
    away: Mapping[int, Absence] = NO_ABSENCES,
) -> tuple[LineUp, int | None, Turns | None]:
    """Returns the line-up of a lead; under Round Robin also whose turn it was, and the turns after it.

    It has no offers if no member is in the team's line-up. `turns` and `standings` are those of the team, if its order
    depends on them. `heads` are available members who come before the usual line; then no turn is taken. `away`: who is
    not available at that moment and is not first, beside those whom the rule set excludes.
    """
    queue = ordered_team(rule_set, team)
    offers, first, after = _in_order(team, queue, away, turns, standings)
    if heads:
        return LineUp(*_behind_heads(team, queue, offers, heads)), None, None
    return LineUp(offers, queue.delays, 1 if team.order_method == "Simultaneous" else 0), first, after


def placed(found: LineUp, now: datetime) -> tuple[Offer, ...]:
    """Returns the offers for a lead that is routed at `now`. That of who is first in line has the place 0."""
    longest = END_OF_TIME - now
    places = range(found.first_place, found.first_place + len(found.offers))
    return tuple(
        [
            replace(offer, place=place, notify_at=now + delay if delay < longest else END_OF_TIME)
            for place, offer, delay in zip(places, found.offers, found.delays, strict=True)
        ]
    )


def _in_order(
    team: Team,
    queue: OrderedTeam,
    away: Mapping[int, Absence],
    turns: Turns | None,
    standings: Mapping[int, Standing],
) -> tuple[tuple[Offer, ...], int | None, Turns | None]:
    """The offers as this lead finds them; under Round Robin also whose turn it is, and the turns after it."""
    offers = queue.offers
    if team.order_method == "Round Robin" and (present := _present(queue, away)):
        first, after = take_turn(present, turns or Turns())
        if first is None:
            return offers, None, None
        start = next(offer.place for offer in offers if offer.user_id == first)
        return offers[start:] + offers[:start], first, after
    if team.order_method in COUNTING_METHODS:
        by_user = {offer.user_id: offer for offer in offers}
        order = in_order(team.order_method, list(zip(by_user, queue.weights, strict=True)), standings)
        available = {user_id for user_id, _ in _present(queue, away)}
        first = next((user_id for user_id in order if user_id in available), None)
        order.sort(key=lambda user_id: user_id != first)  # who is available and comes first; the others stay in order
        return tuple(by_user[user_id] for user_id in order), None, None
    return offers, None, None


def _present(queue: OrderedTeam, away: Mapping[int, Absence]) -> Candidates:
    """Returns those of the line-up who are not away, with their weights."""
    return [each for each in queue.present if each[0] not in away] if away else queue.present


def _behind_heads(
    team: Team, queue: OrderedTeam, offers: Sequence[Offer], heads: Sequence[int]
) -> tuple[tuple[Offer, ...], list[timedelta]]:
    """The offers with those of the heads before the others, and their delays."""
    by_user = {offer.user_id: offer for offer in offers}
    others = [offer for offer in offers if offer.user_id not in heads]
    own_delays = {offer.user_id: delay for offer, delay in zip(queue.offers, queue.delays, strict=True)}
    is_by_place = team.order_method not in ("Rank", "Time")
    delays = queue.delays[: len(others)] if is_by_place else [own_delays[offer.user_id] for offer in others]
    return (*(by_user[user_id] for user_id in heads), *others), delays_behind(team, len(heads), delays)


# ------------------------------------------------------------------------------------------- once for a rule set


def ordered_team(rule_set: RuleSet, team: Team) -> OrderedTeam:
    """Returns the team in the order of this rule set."""
    queue = rule_set.ordered_teams.get(team.id)
    if queue is None:
        queue = rule_set.ordered_teams[team.id] = _queue(team, rule_set)
    return queue


def _queue(team: Team, rule_set: RuleSet) -> OrderedTeam:
    people = rule_set.rules.people
    candidates = [
        (member, member.option)
        for member in team.members
        if member.option is not None and why_not_in_line_up(member) is None
    ]
    match team.order_method:
        case "Rank":
            ordered, delays = _by_rank(team, candidates)
        case "Time":
            ordered, delays = _by_time(candidates)
        case "Simultaneous":
            ordered = sorted(candidates, key=_by_rank_then_id)
            delays = [timedelta()] * len(ordered)
        case "Round Robin" | "Least Loaded" | "Longest Idle":
            ordered, delays = _by_place(team, candidates)
    reasons = {
        each.user_id: why_not_in_line_up(each)
        or why_unavailable(each.user_id, people)
        or why_unreachable(each.user_id, each.option, rule_set)
        for each in team.members
    }
    return OrderedTeam(
        offers=with_fallback(
            rule_set, tuple(_offer(team, candidate, place) for place, candidate in enumerate(ordered))
        ),
        delays=tuple(delays),
        weights=tuple(max(option.weight, 0) for _, option in ordered),
        present=tuple(
            (member.user_id, max(option.weight, 0)) for member, option in ordered if reasons[member.user_id] is None
        ),
        absent={user_id: Absence(reason=reason) for user_id, reason in reasons.items() if reason is not None},
        left_out={
            each.user_id: reason
            for each in team.members
            if each.request_status == "Accepted"
            and each.user_id != rule_set.rules.owner_id  # who sees all leads
            and (reason := why_not_in_line_up(each)) is not None
        },
        members=frozenset(reasons),
    )


def _by_rank(team: Team, candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[timedelta]]:
    """Equal ranks together; the i-th distinct rank after i times the team's minutes."""
    ranks = {rank: index for index, rank in enumerate(sorted({_rank_key(option) for _, option in candidates}))}
    ordered = sorted(candidates, key=_by_rank_then_id)
    return ordered, [_after(team, ranks[_rank_key(option)]) for _, option in ordered]


def _by_time(candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[timedelta]]:
    ordered = sorted(
        candidates, key=lambda candidate: (candidate[1].mins_until_lead_offer, candidate[0].option_id or 0)
    )
    return ordered, [minutes(option.mins_until_lead_offer) for _, option in ordered]


def _by_place(team: Team, candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[timedelta]]:
    """By rank, but equal ranks are not notified together: each member has a place of their own."""
    ordered = sorted(candidates, key=_by_rank_then_id)
    return ordered, [_after(team, place) for place in range(len(ordered))]


def _after(team: Team, steps: int) -> timedelta:
    return minutes(team.mins_until_next_alert * steps)


def _rank_key(option: DistributionOption) -> tuple[bool, int]:
    return (option.rank is None, option.rank or 0)


def _by_rank_then_id(candidate: Candidate) -> tuple[tuple[bool, int], int]:
    return (_rank_key(candidate[1]), candidate[0].option_id or 0)


def _offer(team: Team, candidate: Candidate, place: int) -> Offer:
    member, option = candidate
    return Offer(
        user_id=member.user_id,
        team_id=team.id,
        place=place,
        notify_at=END_OF_TIME,
        rank=option.rank if team.order_method in RANKED else None,
        assign_automatically=option.assign_automatically,
        has_call_alert=option.has_call_alert,
        has_text_alert=option.has_text_alert,
        has_email_alert=option.has_email_alert,
    )
