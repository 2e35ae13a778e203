"""Whether a member is available, why not, and from when on: from what is stored and what was counted. Pure.

What is read is read once for a batch; the counts go on with the decisions of the batch, so that a cap is exact.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final, Literal

import msgspec
from msgspec import Struct

from leadroutes.domain.campaign import zone_named
from leadroutes.domain.model import Absence, DistributionOption, Member, RuleSet, Team
from leadroutes.domain.moments import wall_clock
from leadroutes.domain.weekly_hours import WeeklyHours, next_opening, read_weekly_hours
from leadroutes.domain.workloads import NO_LEADS, Workload, spans_of

MOST_MOVES: Final = 400  # from obstacle to obstacle, before a return counts as unknown

Kind = Literal["pause", "off", "hours", "cap"]


class Presence(Struct, frozen=True, kw_only=True):
    """What is stored of one member for one owner: what the member said, and time off, in order of its beginning."""

    timezone: str = "UTC"
    weekly_hours: str | None = None  # JSON; None: always
    is_paused: bool = False
    paused_until: datetime | None = None
    off: tuple[tuple[datetime, datetime], ...] = ()


ALWAYS: Final = Presence()


class _Obstacle(Struct, frozen=True):
    """One thing that keeps a member from being offered a lead; `until` None: it is not known when it ends."""

    words: str
    until: datetime | None
    says_until: bool = True  # whether the reason names the moment
    kind: Kind = "pause"


# --------------------------------------------------------------------------------------------------- one member


def find_absence(
    presence: Presence,
    now: datetime,
    option: DistributionOption | None = None,
    workload: Workload = NO_LEADS,
) -> Absence | None:
    """Returns why a member cannot be offered a lead at `now`, or None.

    `option` has the pause and the caps of the team; without it only what the member said counts.
    """
    found = _obstacles(presence, now, now, option, workload)
    if not found:
        return None
    known, is_known = _return(found, presence, now, option, workload)
    first = found[0]
    reason = first.words
    if first.says_until and first.until is not None and known is not None:
        reason = f"{reason} until {moment_in_words(known, presence.timezone)}"
    return Absence(
        reason=reason,
        available_from=known if is_known else None,
        kind="paused" if any(each.kind == "pause" for each in found) else "away",
        timezone=presence.timezone,
    )


def why_never(presence: Presence, option: DistributionOption) -> str | None:
    """Returns why a member is never available as things are: paused without an end, capped at 0, or without hours."""
    pauses = ((presence.is_paused, presence.paused_until), (option.is_paused, option.paused_until))
    if any(is_paused and until is None for is_paused, until in pauses):
        return "is paused without an end"
    if 0 in (option.max_open_leads, option.max_leads_per_day, option.max_leads_per_week):
        return "has a cap of 0 leads"
    hours = hours_of(presence.weekly_hours)
    return "has no working hours" if hours is not None and not hours.ranges else None


def _return(
    found: list[_Obstacle], presence: Presence, now: datetime, option: DistributionOption | None, workload: Workload
) -> tuple[datetime | None, bool]:
    """Returns the moment from which nothing that is known is in the way, and whether nothing is unknown.

    `found`: what is in the way now.
    """
    moment, is_known = now, True
    for _ in range(MOST_MOVES):
        is_known = is_known and all(each.until is not None for each in found)
        ends = [each.until for each in found if each.until is not None and each.until > moment]
        if not ends:
            return (moment if moment > now else None), is_known
        moment = max(ends)
        found = _obstacles(presence, moment, now, option, workload)
    return moment, False


def _obstacles(
    presence: Presence, moment: datetime, now: datetime, option: DistributionOption | None, workload: Workload
) -> list[_Obstacle]:
    """Returns what is in the way at a moment, in the order in which reasons are given; counted was at `now`."""
    found = _pauses(presence, moment, option)
    found += [_Obstacle("off", end, kind="off") for start, end in presence.off if start <= moment < end][:1]
    if presence.weekly_hours is not None:
        opening = _opening(presence.weekly_hours, presence.timezone, moment)
        if opening != moment:
            found.append(_Obstacle("outside working hours", opening, kind="hours"))
    return found if option is None else found + _caps(presence, moment, now, option, workload)


def _pauses(presence: Presence, moment: datetime, option: DistributionOption | None) -> list[_Obstacle]:
    """Returns the pauses, one without an end first."""
    pauses = [(presence.is_paused, presence.paused_until)]
    if option is not None:
        pauses.append((option.is_paused, option.paused_until))
    ends = [until for is_paused, until in pauses if is_paused and (until is None or until > moment)]
    ends.sort(key=lambda until: (until is not None, until))
    return [_Obstacle("paused", until) for until in ends]


def _caps(
    presence: Presence, moment: datetime, now: datetime, option: DistributionOption, workload: Workload
) -> list[_Obstacle]:
    """Returns the caps that are reached; the counts of a day and a week begin again with the next one."""
    if not option.has_caps:
        return []
    spans = spans_of(now, presence.timezone)
    today = workload.leads_today if moment < spans.next_day else 0
    week = workload.leads_this_week if moment < spans.next_week else 0
    counted = (
        ("open leads", workload.open_leads, option.max_open_leads, None),
        ("leads today", today, option.max_leads_per_day, spans.next_day),
        ("leads this week", week, option.max_leads_per_week, spans.next_week),
    )
    return [
        _Obstacle(f"{what}: {count} of {most}", until if most > 0 else None, says_until=False, kind="cap")
        for what, count, most, until in counted
        if most is not None and count >= most
    ]


@lru_cache(maxsize=1024)
def _opening(weekly_hours: str, timezone: str, moment: datetime) -> datetime | None:
    """Returns the next opening of stored hours: one look for all members of a batch who have the same hours."""
    hours = hours_of(weekly_hours)
    return moment if hours is None else next_opening(hours, moment, zone_named(timezone))


@lru_cache(maxsize=4096)
def hours_of(text: str | None) -> WeeklyHours | None:
    """Returns stored weekly hours; None: always."""
    return None if text is None else read_weekly_hours(msgspec.json.decode(text), "weekly_hours")


def moment_in_words(moment: datetime, timezone: str) -> str:
    """Returns a moment as people write it, by the clock of a zone: `Mon 12 Jan 09:00`."""
    local = wall_clock(moment, zone_named(timezone))
    return f"{local:%a {local.day} %b %H:%M}"


def present_pause(is_paused: bool, paused_until: datetime | None, now: datetime) -> tuple[bool, datetime | None]:
    """Returns a stored pause as it is at `now`: one whose end has passed has ended."""
    is_over = not is_paused or (paused_until is not None and paused_until <= now)
    return (False, None) if is_over else (True, paused_until)


# ----------------------------------------------------------------------------------------------- all of an owner


class Attendance:
    """What a batch has read about the members of one owner's teams; it counts the leads that the batch gives them."""

    def __init__(
        self, rule_set: RuleSet, now: datetime, presences: Mapping[int, Presence], workloads: Mapping[int, Workload]
    ) -> None:
        self._rule_set = rule_set
        self._now = now
        self._presences = presences
        self._workloads = dict(workloads)
        self._found: dict[int, dict[int, Absence]] = {}  # by team
        self._of_users: dict[int, dict[int, Absence | None]] = {}  # by user and team; a lead changes those of one user

    def absences(self, team_id: int | None) -> dict[int, Absence]:
        """Returns who of a team cannot be offered a lead at this moment, and why, by user."""
        team = self._rule_set.rules.teams.get(team_id or 0)
        if team is None:
            return {}
        found = self._found.get(team.id)
        if found is None:
            found = self._found[team.id] = self._find(team)
        return found

    def note_lead(self, user_id: int) -> None:
        """A decision of the batch has given the user a lead."""
        if user_id in self._workloads:
            self._workloads[user_id] = self._workloads[user_id].with_lead(self._now)
            self._of_users.pop(user_id, None)
            self._found.clear()

    def _find(self, team: Team) -> dict[int, Absence]:
        absences: dict[int, Absence] = {}
        for member in team.members:
            of_teams = self._of_users.setdefault(member.user_id, {})
            if team.id not in of_teams:
                of_teams[team.id] = self._absence(member)
            if (absence := of_teams[team.id]) is not None:
                absences[member.user_id] = absence
        return absences

    def _absence(self, member: Member) -> Absence | None:
        if member.option is None or not self._rule_set.is_limited_member(member):
            return None
        presence = self._presences.get(member.user_id) or self._without_hours(member.user_id)
        workload = self._workloads.get(member.user_id, NO_LEADS)
        return find_absence(presence, self._now, member.option, workload)

    def _without_hours(self, user_id: int) -> Presence:
        person = self._rule_set.rules.people.get(user_id)
        return ALWAYS if person is None else Presence(timezone=person.timezone)
