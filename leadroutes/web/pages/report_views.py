"""How each report is shown: its columns in words, its order, its chart. Pure functions of the API's answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from leadroutes.web.charts import WEEKDAYS, Bar, Series, bars, heat_map, lines
from leadroutes.web.rendering import span

Row = Mapping[str, Any]

MOST_BARS = 20
MOST_ROWS = 168
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CLAIM = ("median_seconds_to_claim", "p90_seconds_to_claim")
OF_NOTHING = {  # of a row whose subject has no name
    "agent": "someone who has left", "source": "no source, or a deleted one", "campaign": "a deleted campaign",
    "member": "someone who has left",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a report: the key in the API's answer, its heading, and how its value is written."""

    key: str
    heading: str
    words: Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A report as the page shows it. `best`: the key by which its rows are ordered, largest or fastest first."""

    name: str
    label: str
    about: str
    columns: tuple[Figure, ...]
    by: Mapping[str, str]  # what its rows can be about, in words
    best: str
    is_fastest_first: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """A report of one period: the chart, and the same numbers as a table. `cut`: how many rows are left out of it."""

    chart: Markup
    head: tuple[str, ...]
    rows: list[tuple[str, list[tuple[str, str]]]]  # (about, [(value, value before), …])
    cut: int = 0


def number(value: Any) -> str:
    return "–" if value is None else f"{value:,}"


def percent(value: Any) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _column(key: str, heading: str, words: Callable[[Any], str] = number) -> Figure:
    return Figure(key, heading, words)


_TIMES = (
    _column("median_seconds_to_claim", "Half claimed within", span),
    _column("p90_seconds_to_claim", "9 of 10 claimed within", span),
)
_CONTACT_TIMES = (
    _column("contacted", "Contacted"),
    _column("median_seconds_to_contact", "Half contacted within", span),
    _column("p90_seconds_to_contact", "9 of 10 contacted within", span),
)
_CLAIM_RATE = _column("claim_rate", "Claim rate", percent)
_SUBJECTS = {"agent": "agent", "source": "lead source", "hour": "hour of the day", "day": "day"}

VIEWS = (
    Chapter(
        "speed", "Speed to lead",
        "How long leads wait: from the arrival to the claim, and to the first talk with the person.",
        (_column("claimed_by_people", "Claimed"), *_TIMES, *_CONTACT_TIMES), _SUBJECTS, CLAIM[0], is_fastest_first=True,
    ),
    Chapter(
        "claims", "Claims",
        "How many leads came, and how many of them someone claimed. By agent: of how many the agent was alerted.",
        (_column("leads", "Leads"), _column("claimed_by_people", "Claimed"), _CLAIM_RATE,
         _column("claimed", "Claimed or assigned")),
        _SUBJECTS, "leads",
    ),
    Chapter(
        "fairness", "Fairness",
        "What each member of a team got, against the share that the member should get. A turn is to be asked first.",
        (_column("share", "Should get", percent), _column("turns_share", "Turns", percent),
         _column("leads_share", "Leads", percent), _column("offers", "Alerts"), _column("turns", "Number of turns"),
         _column("leads", "Number of leads")),
        {"member": "member"}, "",
    ),
    Chapter(
        "sources", "Sources", "What each lead source brings, and what becomes of it.",
        (_column("leads", "Leads"), _column("claimed_by_people", "Claimed"), _CLAIM_RATE,
         _column("contacted", "Contacted"), _column("contact_rate", "Contact rate", percent), _column("junk", "Junk"),
         _TIMES[0]),
        {"source": "lead source"}, "leads",
    ),
    Chapter(
        "campaigns", "Campaigns", "For how many contacts each campaign was started, and what became of its messages.",
        (_column("enrolled", "Started"), _column("sent", "Sent"), _column("failed", "Failed"),
         _column("suppressed", "Not sent"), _column("unknown", "Uncertain"), _column("opted_out", "Unsubscribed")),
        {"campaign": "campaign"}, "enrolled",
    ),
    Chapter(
        "load", "Load", "When leads come: the hours of the week.",
        (_column("leads", "Leads"), _column("claimed", "Claimed")), {"week_hour": "hour of the week"}, "",
    ),
)  # fmt: skip
BY_NAME = {view.name: view for view in VIEWS}


def show(view: Chapter, by: str, data: Sequence[Row]) -> Drawn:
    """Returns a report as it is shown; `data` as in the API's answer."""
    if view.name == "load":
        return _load(view, data)
    rows = sorted(data, key=lambda row: _order(view, by, row)) if by not in ("hour", "day") else list(data)
    make = _lines if by in ("hour", "day") else _bars
    head = (_subject_heading(by), *(column.heading for column in view.columns))
    shown = rows[:MOST_ROWS]
    table = [(subject(by, row), [_cell(column, row) for column in view.columns]) for row in shown]
    return Drawn(make(view, by, rows), head, table, len(rows) - len(shown))


def subject(by: str, row: Row) -> str:
    """Returns what a row is about, in words."""
    match by:
        case "day":
            return day_words(date.fromisoformat(row["day"]))
        case "hour":
            return f"{row['hour']}:00"
        case "week_hour":
            return f"{DAYS[row['weekday'] - 1]} {row['hour']}:00"
        case "member":
            return f"{row['agent'] or OF_NOTHING[by]}, {row['team'] or 'a deleted team'}"
    return row.get(by) or OF_NOTHING.get(by, "unknown")


def day_words(day: date) -> str:
    return f"{day:%b} {day.day}, {day.year}"


def _subject_heading(by: str) -> str:
    return {"source": "Lead source", "member": "Member, team", "hour": "Hour"}.get(by, by.capitalize())


def _order(view: Chapter, by: str, row: Row) -> tuple[Any, ...]:
    if not view.best:
        return (row.get("team") or "", row.get("agent") or "") if by == "member" else ()
    value = row[view.best]
    if value is None:
        return (1, 0, subject(by, row))
    return (0, value if view.is_fastest_first else -value, subject(by, row))


def _cell(column: Figure, row: Row) -> tuple[str, str]:
    before = row.get("before")
    now = column.words(row.get(column.key))
    return now, column.words(before[column.key]) if before and column.key in before else ""


def _before(row: Row, key: str) -> Any:
    before = row.get("before")
    return before.get(key) if before else None


# ------------------------------------------------------------------------------------------------------ the charts


def _bars(view: Chapter, by: str, rows: Sequence[Row]) -> Markup:
    shown = rows[:MOST_BARS]
    of_most = f" The first {MOST_BARS} of {len(rows)}." if len(rows) > MOST_BARS else ""
    titles = {
        "speed": ("Time to claim", "Bars: half of the leads were claimed within this time; pale: 9 of 10."),
        "claims": ("Claim rate", "Bars: the part of the leads that someone claimed."),
        "fairness": ("Share of the turns", "Bars: the part of the team's turns; the mark: what the member should get."),
        "sources": ("Leads by source", "Pale bars: leads that came; full bars: those that someone claimed."),
        "campaigns": ("Messages sent", "Bars: messages that were sent."),
    }
    title, about = titles[view.name]
    made = [_bar(view.name, subject(by, row), row) for row in shown]
    return bars(f"chart-{view.name}", title, f"{about} The thin bar below: the period before.{of_most}", made)


def _bar(name: str, label: str, row: Row) -> Bar:
    match name:
        case "speed":
            median, far = row[CLAIM[0]], row[CLAIM[1]]
            words = f"{span(median)}, 9 of 10: {span(far)}" if median is not None else ""
            return Bar(label, median, words, _before(row, CLAIM[0]), far)
        case "claims":
            rate = row["claim_rate"]
            return Bar(label, rate, f"{percent(rate)} of {number(row['leads'])}", _before(row, "claim_rate"))
        case "fairness":
            turns, share = row["turns_share"], row["share"]
            words = f"{percent(turns)} of {percent(share)}" if share is not None else percent(turns)
            return Bar(label, turns, words, _before(row, "turns_share"), target=share)
        case "sources":
            words = f"{number(row['leads'])}, claimed {number(row['claimed_by_people'])}"
            return Bar(label, row["claimed_by_people"], words, _before(row, "claimed_by_people"), row["leads"])
    return Bar(label, row["sent"], number(row["sent"]), _before(row, "sent"))


def _lines(view: Chapter, by: str, rows: Sequence[Row]) -> Markup:
    labels = [subject(by, row) for row in rows]

    def line(label: str, key: str, kind: str = "") -> Series:
        return Series(label, [_before(row, key) if kind == "before" else row[key] for row in rows], kind)

    if view.name == "speed":
        each = [line("half", CLAIM[0]), line("9 of 10", CLAIM[1], "second"), line("half, before", CLAIM[0], "before")]
        title, about = "Time to claim", "Lines: within what time half, and 9 of 10, of the leads were claimed."
        return lines("chart-speed", title, f"{about} Broken: half, in the period before.", labels, each, span)
    each = [
        line("leads", "leads", "second"),
        line("claimed", "claimed_by_people"),
        line("leads, before", "leads", "before"),
    ]
    about = "Lines: leads that came, and those that someone claimed. Broken: leads of the period before."
    return lines("chart-claims", "Leads and claims", about, labels, each, lambda value: f"{value:,.0f}")


def _load(view: Chapter, data: Sequence[Row]) -> Drawn:
    week = [[0] * 24 for _ in WEEKDAYS]
    for row in data:
        week[row["weekday"] - 1][row["hour"]] = row["leads"]
    chart = heat_map(
        "chart-load", "Leads by the hour of the week", "Each field is an hour of the week: the more leads, the fuller.",
        week, lambda leads: "1 lead" if leads == 1 else f"{leads:,.0f} leads",
    )  # fmt: skip
    busy = sorted((row for row in data if row["leads"]), key=lambda row: (-row["leads"], row["weekday"], row["hour"]))
    rows = [(subject("week_hour", row), [_cell(column, row) for column in view.columns]) for row in busy[:MOST_ROWS]]
    head = ("Hour of the week", *(column.heading for column in view.columns))
    return Drawn(chart, head, rows, max(len(busy) - MOST_ROWS, 0))
