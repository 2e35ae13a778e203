"""Who was available during a trial: hours and pauses as they are now, time off as it was, and what the run has given.

Between two moments at which anyone's hours or time off begin or end, what is found once holds for all leads. Pure.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from typing import Final

from msgspec import Struct

from leadroutes.domain.availability import ALWAYS, Attendance, Presence, hours_of
from leadroutes.domain.campaign import zone_named
from leadroutes.domain.model import RuleSet, Team
from leadroutes.domain.weekly_hours import DAY, WEEK, clock_change, days_from
from leadroutes.domain.workloads import Spans, Workload, spans_of

FOLDS: Final = (0, 1)  # of a wall clock that shows a time twice


DAYS_TOGETHER: Final = 7  # whose boundaries are found at once, when the first lead of them comes


class Availability(Struct, frozen=True):
    """What is stored of the members."""

    presences: Mapping[int, Presence]  # by user


Boundaries = tuple[int, int, int]
"""Of pauses and time off before a moment; the group of days, 0 where no one has hours; those of hours in the group."""


class TrialAttendance:
    """Of one rule set, while it decides leads in order of arrival."""

    def __init__(self, rule_set: RuleSet, stored: Availability) -> None:
        self._rule_set, self._stored = rule_set, stored
        self._got: dict[int, _LeadsGot] = {}  # by user
        self._pauses: dict[int, list[datetime]] = {}  # when pauses and time off begin or end, by team
        self._openings: dict[tuple[int, int], list[datetime]] = {}  # when hours do, by team and group of days
        self._hours: dict[int, dict[str, set[tuple[int, int]]]] = {}  # of a week, by team and time zone
        self._found: dict[tuple[int, Boundaries], Attendance] = {}
        self._capped = {
            team.id: capped for team in rule_set.rules.teams.values() if (capped := self._zones_of_capped(team))
        }

    def note_lead(self, user_id: int, got_at: datetime, arrived_at: datetime) -> None:
        """The run has given a lead to a user."""
        if self._capped:
            self._got.setdefault(user_id, _LeadsGot()).add(got_at, arrived_at + self._rule_set.open_for)

    def stretch(self, team_id: int, moment: datetime) -> Boundaries | None:
        """Returns a value that is the same only while the same members of a team are available; None: not known."""
        if team_id in self._capped:
            return None
        pauses = self._pauses.get(team_id)
        if pauses is None:
            team = self._rule_set.rules.teams[team_id]
            pauses = self._pauses[team_id] = sorted(set(self._pauses_of(team)))
            self._hours[team_id] = self._hours_of(team)
        if not self._hours[team_id]:
            return bisect_right(pauses, moment), 0, 0
        days = moment.toordinal() // DAYS_TOGETHER
        openings = self._openings.get((team_id, days))
        if openings is None:
            openings = self._openings[team_id, days] = sorted(set(self._openings_of(team_id, days)))
        return bisect_right(pauses, moment), days, bisect_right(openings, moment)

    def at(self, team_id: int, moment: datetime) -> Attendance:
        """Returns who of a team is available at a moment."""
        stretch = self.stretch(team_id, moment)
        if stretch is None:
            return self._attendance(moment, self._workloads(team_id, moment))
        found = self._found.get((team_id, stretch))
        if found is None:
            found = self._found[team_id, stretch] = self._attendance(moment, {})
        return found

    def _attendance(self, moment: datetime, workloads: Mapping[int, Workload]) -> Attendance:
        return Attendance(self._rule_set, moment, self._stored.presences, workloads)

    # -- moments

    def _pauses_of(self, team: Team) -> Iterator[datetime]:
        """Yields the moments at which a pause or time off of a member begins or ends."""
        for member in team.members:
            presence = self._stored.presences.get(member.user_id, ALWAYS)
            pauses = (presence.paused_until, member.option.paused_until if member.option is not None else None)
            yield from (until for until in pauses if until is not None)
            for span in presence.off:
                yield from span

    def _hours_of(self, team: Team) -> dict[str, set[tuple[int, int]]]:
        """Returns the days of the week and the minutes of them at which hours begin or end, by time zone."""
        found: dict[str, set[tuple[int, int]]] = {}
        for member in team.members:
            presence = self._stored.presences.get(member.user_id, ALWAYS)
            if (hours := hours_of(presence.weekly_hours)) is not None:
                bounds = found.setdefault(presence.timezone, set())
                bounds |= {divmod(minute % WEEK, DAY) for each in hours.ranges for minute in each}
        return found

    def _openings_of(self, team_id: int, group: int) -> Iterator[datetime]:
        """Yields when hours begin or end by the wall clock, and when the clocks change, which may begin or end them.

        Only around days that have leads: a trial may ask for all time.
        """
        first = group * DAYS_TOGETHER
        for name, bounds in self._hours[team_id].items():
            zone = zone_named(name)
            for day in days_from(first - 2, DAYS_TOGETHER + 4):  # the zones differ by up to a day
                for weekday, minute in bounds:
                    if weekday == day.weekday():
                        clock = datetime.combine(day, time(*divmod(minute, 60)), zone)
                        yield from (clock.replace(fold=fold).astimezone(UTC) for fold in FOLDS)
                if (change := clock_change(day, zone)) is not None:
                    yield change

    # -- counts

    def _zones_of_capped(self, team: Team) -> dict[int, str]:
        """Returns the time zones of the members who have caps, by user."""
        return {
            each.user_id: self._zone_of(each.user_id)
            for each in team.members
            if each.option is not None and each.option.has_caps
        }

    def _zone_of(self, user_id: int) -> str:
        person, known = self._rule_set.rules.people.get(user_id), self._stored.presences.get(user_id)
        return known.timezone if known is not None else person.timezone if person is not None else "UTC"

    def _workloads(self, team_id: int, moment: datetime) -> dict[int, Workload]:
        return {
            user_id: got.workload(moment, spans_of(moment, zone))
            for user_id, zone in self._capped[team_id].items()
            if (got := self._got.get(user_id)) is not None
        }


class _LeadsGot:
    """The leads that the run has given a user, as sorted moments: what counts at a moment is found by bisection."""

    __slots__ = ("_at", "_closed", "_opened")

    def __init__(self) -> None:
        self._at: list[datetime] = []
        self._opened: list[datetime] = []  # those that were got before they were too old to be open
        self._closed: list[datetime] = []

    def add(self, got_at: datetime, open_until: datetime) -> None:
        insort(self._at, got_at)
        if got_at < open_until:
            insort(self._opened, got_at)
            insort(self._closed, open_until)

    def workload(self, moment: datetime, spans: Spans) -> Workload:
        so_far = bisect_right(self._at, moment)
        return Workload(
            open_leads=bisect_right(self._opened, moment) - bisect_right(self._closed, moment),
            leads_today=so_far - bisect_left(self._at, spans.day),
            leads_this_week=so_far - bisect_left(self._at, spans.week),
            last_lead_at=self._at[so_far - 1] if so_far else None,
        )
