"""Reports about an account: declared figures, read from its counters and never from its leads. Reads only.

`load_report` returns rows; who may see them is the caller's to decide.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from leadroutes.domain.quantiles import quantile
from leadroutes.store import statement
from leadroutes.store.postgres import Database

STATES: Final = ("claimed", "on offer", "unclaimed", "held")
LONGEST_PERIOD = 3660  # days

Key = tuple[Any, ...]  # the subject of a row: () of the total, (user id,), (team id, user id) …
Values = dict[str, Any]


class Counts:
    """The counters of a period, by figure, subject and part. What is missing is 0."""

    def __init__(self, rows: Iterable[tuple[str, Any, int, int]]) -> None:
        self._numbers: defaultdict[str, defaultdict[Any, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
        self._of_parts: defaultdict[tuple[str, int], int] = defaultdict(int)
        for figure, subject, part, number in rows:
            self._numbers[figure][subject][part] = self._numbers[figure][subject].get(part, 0) + number
            self._of_parts[figure, part] += number

    def number(self, figure: str, subject: Any, part: int | None = None) -> int:
        """Returns how many; of all parts together unless one is given."""
        parts = self._numbers[figure].get(subject, {})
        return sum(parts.values()) if part is None else parts.get(part, 0)

    def of_all(self, figure: str, part: int) -> int:
        """Returns how many of all subjects together."""
        return self._of_parts[figure, part]

    def histogram(self, figure: str, subject: Any) -> Mapping[int, int]:
        return self._numbers[figure].get(subject, {})

    def subjects(self) -> set[Any]:
        return {subject for subjects in self._numbers.values() for subject in subjects}

    def parts(self) -> set[tuple[Any, int]]:
        """Returns every (subject, part)."""
        return {
            (subject, part)
            for subjects in self._numbers.values()
            for subject, parts in subjects.items()
            for part in parts
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReport:
    """What a report shows. `by`: what its rows are about, the default first. An agent sees it only by `for_agents`."""

    name: str
    about: str
    by: tuple[str, ...]
    figures: Callable[[str], tuple[str, ...]]
    measures: Callable[[Counts, str, Any], Values]
    for_agents: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """Days in the owner's zone, both included."""

    first: date
    last: date

    def before(self) -> "Period":
        """Returns the period of equal length that ends where this one begins."""
        days = self.last - self.first
        return Period(self.first - days - timedelta(days=1), self.first - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One row: what it is about, its measures, and those of the period before, if asked for."""

    about: Values
    measures: Values
    before: Values | None = None


# ------------------------------------------------------------------------------------------------ the declarations


def _times(counts: Counts, figure: str, subject: Any, what: str) -> Values:
    histogram = counts.histogram(figure, subject)
    return {
        f"median_seconds_to_{what}": _seconds(quantile(histogram, 0.5)),
        f"p90_seconds_to_{what}": _seconds(quantile(histogram, 0.9)),
    }


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole > 0 else None


def _of(figure: str, by: str) -> str:
    return figure if by in ("total", "day") else f"{figure} by {by}"


def _speed(counts: Counts, by: str, subject: Any) -> Values:
    claims, contacts = _of("claim times", by), _of("contact times", by)
    return {
        "claimed_by_people": counts.number(claims, subject),
        **_times(counts, claims, subject, "claim"),
        "contacted": counts.number(contacts, subject),
        **_times(counts, contacts, subject, "contact"),
    }


def _claim_figures(by: str) -> tuple[str, ...]:
    if by in ("total", "day"):
        return (*STATES, "claim times")
    return ("offers" if by == "agent" else f"leads by {by}", f"claims by {by}", f"claim times by {by}")


def _claims(counts: Counts, by: str, subject: Any) -> Values:
    if by in ("total", "day"):
        leads = sum(counts.number(state, subject) for state in STATES)
        claimed = counts.number("claimed", subject)
    else:
        leads = counts.number("offers" if by == "agent" else f"leads by {by}", subject)
        claimed = counts.number(f"claims by {by}", subject)
    by_people = counts.number(_of("claim times", by), subject)
    return {"leads": leads, "claimed": claimed, "claimed_by_people": by_people, "claim_rate": _rate(by_people, leads)}


def _sources(counts: Counts, _by: str, source_id: Any) -> Values:
    leads = counts.number("leads by source", source_id)
    by_people = counts.number("claim times by source", source_id)
    contacted = counts.number("contact times by source", source_id)
    return {
        "leads": leads,
        "claimed": counts.number("claims by source", source_id),
        "claimed_by_people": by_people,
        "contacted": contacted,
        "claim_rate": _rate(by_people, leads),
        "contact_rate": _rate(contacted, leads),
        "junk": counts.number("junk by source", source_id),
        **_times(counts, "claim times by source", source_id, "claim"),
        **_times(counts, "contact times by source", source_id, "contact"),
    }


_OUTCOMES: Final = ("enrolled", "sent", "failed", "suppressed", "unknown", "opted out")


def _campaigns(counts: Counts, _by: str, campaign_id: Any) -> Values:
    return {name.replace(" ", "_"): counts.number(name, campaign_id) for name in _OUTCOMES}


def _load(counts: Counts, by: str, subject: Any) -> Values:
    return {"leads": counts.number(f"leads by {by}", subject), "claimed": counts.number(f"claims by {by}", subject)}


_FAIRNESS: Final = ("offers", "turns", "wins")


def _fairness(counts: Counts, _by: str, subject: Any) -> Values:
    user_id, team_id = subject
    named = {"offers": "offers", "turns": "turns", "leads": "wins"}
    numbers = {name: counts.number(figure, user_id, team_id) for name, figure in named.items()}
    turns, leads = counts.of_all("turns", team_id), counts.of_all("wins", team_id)
    return numbers | {"turns_share": _rate(numbers["turns"], turns), "leads_share": _rate(numbers["leads"], leads)}


REPORTS: Final = (
    AccountReport(
        name="speed",
        about="Median and 90th percentile of the time to the claim and to the first contact",
        by=("total", "agent", "source", "route", "hour", "day"),
        figures=lambda by: (_of("claim times", by), _of("contact times", by)),
        measures=_speed,
        for_agents="agent",
    ),
    AccountReport(
        name="claims",
        about="How many leads came, and how many of them people claimed",
        by=("total", "agent", "source", "route", "hour", "day"),
        figures=_claim_figures,
        measures=_claims,
        for_agents="agent",
    ),
    AccountReport(
        name="fairness",
        about="Offers, turns and leads of each member of a team, against the member's share",
        by=("member",),
        figures=lambda _: _FAIRNESS,
        measures=_fairness,
        for_agents="member",
    ),
    AccountReport(
        name="sources",
        about="Leads of each source, how many of them were claimed and contacted, and how fast, and how many are junk",
        by=("source",),
        figures=lambda _: (
            "leads by source", "claims by source", "claim times by source", "contact times by source", "junk by source"
        ),
        measures=_sources,
    ),
    AccountReport(
        name="campaigns",
        about="Contacts enrolled in each campaign, and what became of its messages",
        by=("campaign",),
        figures=lambda _: _OUTCOMES,
        measures=_campaigns,
    ),
    AccountReport(
        name="load",
        about="Leads by the hour of the week in which they came",
        by=("week_hour",),
        figures=lambda _: ("leads by hour", "claims by hour"),
        measures=lambda counts, _, subject: _load(counts, "hour", subject),
    ),
)  # fmt: skip


# ------------------------------------------------------------------------------------------------------- the rows


async def load_report(
    database: Database,
    owner_id: int,
    report: AccountReport,
    *,
    by: str,
    period: Period,
    is_compared: bool = False,
    only_user: int | None = None,
) -> list[ReportRow]:
    """Returns the rows of a report, in the order of what they are about; `only_user`: those about this user."""
    counts = await _load_counts(database, owner_id, report, by, period)
    before = await _load_counts(database, owner_id, report, by, period.before()) if is_compared else None
    subjects = _subjects(by, period, counts, before)
    shares: Mapping[Key, float] = {}
    if by == "member":
        shares = await _load_shares(database, owner_id)
        subjects = sorted({*subjects, *shares}, key=lambda each: (each[1], each[0]))
    if only_user is not None:
        subjects = [each for each in subjects if (each[0] if by == "member" else each) == only_user]
        subjects = subjects or ([only_user] if by == "agent" else [])
    names = await _load_names(database, owner_id, by, subjects)
    return [
        ReportRow(
            _about(by, subject, names) | ({"share": _share(shares.get(subject))} if by == "member" else {}),
            report.measures(counts, by, subject),
            None if before is None else report.measures(before, by, _earlier(by, subject, period)),
        )
        for subject in subjects
    ]


async def _load_counts(database: Database, owner_id: int, report: AccountReport, by: str, period: Period) -> Counts:
    name = "load_daily_counters" if by == "day" else "load_counters"
    rows = await database.fetch(
        *statement(name).bind(
            owner_id=owner_id, figures=list(report.figures(by)), first_day=period.first, last_day=period.last
        )
    )
    if by == "hour":
        return Counts((figure, hour % 24, part, number) for figure, hour, part, number in rows)
    return Counts(tuple(row) for row in rows)


async def _load_shares(database: Database, owner_id: int) -> dict[Key, float]:
    rows = await database.fetch(*statement("list_shares").bind(owner_id=owner_id))
    return {(row["user_id"], row["team_id"]): row["share"] for row in rows}


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _subjects(by: str, period: Period, counts: Counts, before: Counts | None) -> list[Any]:
    """Returns what the rows are about: all of a fixed set, else whatever was counted in either period."""
    match by:
        case "total":
            return [0]
        case "hour":
            return list(range(24))
        case "week_hour":
            return list(range(168))
        case "day":
            return [period.first + timedelta(days=n) for n in range((period.last - period.first).days + 1)]
        case "member":
            members = counts.parts() | (before.parts() if before is not None else set())
            return sorted(each for each in members if each[1])  # an offer to the owner alone has no team
    return sorted(counts.subjects() | (before.subjects() if before is not None else set()))


def _earlier(by: str, subject: Any, period: Period) -> Any:
    """Returns the subject of the period before that a row is compared with; days are compared by their place."""
    return subject - (period.last - period.first) - timedelta(days=1) if by == "day" else subject


async def _load_names(database: Database, owner_id: int, by: str, subjects: list[Any]) -> dict[tuple[str, int], str]:
    users = [each[0] for each in subjects] if by == "member" else subjects if by == "agent" else []
    rows = await database.fetch(
        *statement("find_report_names").bind(
            owner_id=owner_id,
            user_ids=users,
            source_ids=subjects if by == "source" else [],
            team_ids=[each[1] for each in subjects] if by == "member" else [],
            campaign_ids=subjects if by == "campaign" else [],
        )
    )
    return {(row["kind"], row["id"]): row["name"] for row in rows}


def _about(by: str, subject: Any, names: Mapping[tuple[str, int], str]) -> Values:
    def named(kind: str, id_: int) -> Values:
        return {f"{kind}_id": id_ or None, kind: names.get((kind, id_))}

    match by:
        case "total":
            return {}
        case "day":
            return {"day": subject.isoformat()}
        case "hour":
            return {"hour": subject}
        case "week_hour":
            return {"weekday": subject // 24 + 1, "hour": subject % 24}
        case "route":
            return {"route_id": subject or None}
        case "member":
            return named("team", subject[1]) | named("agent", subject[0])
    return named(by, subject)
