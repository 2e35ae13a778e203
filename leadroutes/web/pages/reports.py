"""Reports: how fast leads are claimed, who gets them, what becomes of them; any period, compared with the one before.

An owner sees the account; an agent sees only the agent's own figures, of each account that the agent works for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from starlette.responses import Response

from leadroutes.errors import Invalid, NotFound
from leadroutes.store import statement
from leadroutes.web.downloads import csv_download
from leadroutes.web.forms import read_id
from leadroutes.web.page import MenuItem, Page, Visit
from leadroutes.web.pages.leads import full_name
from leadroutes.web.pages.report_views import BY_NAME, VIEWS, Chapter, day_words, percent, show

PERIODS = {
    "7": "7 days",
    "30": "30 days",
    "90": "90 days",
    "365": "a year",
    "month": "this month",
    "last": "last month",
}
DEFAULT_PERIOD = "30"
FOR_AGENTS = {"speed": "agent", "claims": "agent", "fairness": "member"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page was asked for. `period` is "" where two days were given; `account` is whose figures are shown."""

    view: Chapter
    by: str
    period: str
    first: date
    last: date
    account: int
    is_own: bool

    @property
    def query(self) -> dict[str, object]:
        """The parameters of the API."""
        days = {"from": self.first.isoformat(), "to": self.last.isoformat(), "compared": True}
        return days | ({"by": self.by} if self.is_own else {"owner_id": self.account})

    def link(self, **changes: str) -> dict[str, str]:
        """The query of a link to the same page, with another value or two."""
        days = {"period": self.period} if self.period else {"from": str(self.first), "to": str(self.last)}
        own_query = {"show": self.view.name, "by": self.by, **days, "account": "" if self.is_own else str(self.account)}
        return {name: value for name, value in (own_query | changes).items() if value}


async def load_reports(visit: Visit) -> Mapping[str, Any]:
    accounts = await _accounts(visit)
    if not accounts:
        return {"asked": None}
    asked = await _asked(visit, accounts)
    answer = await visit.api.get(f"/reports/{asked.view.name}", asked.query)
    compared = answer["compared"]
    return {
        "asked": asked,
        "accounts": accounts,
        "views": [view for view in VIEWS if asked.is_own or view.name in FOR_AGENTS],
        "periods": PERIODS,
        "report": show(asked.view, answer["by"], answer["data"]),
        "totals": await _totals(visit, asked),
        "timezone": answer["timezone"],
        "days": (day_words(asked.first), day_words(asked.last)),
        "days_before": tuple(day_words(date.fromisoformat(compared[name])) for name in ("from", "to")),
        "percent": percent,
    }


async def download_report(visit: Visit) -> Response:
    """The report that the page shows, as CSV."""
    accounts = await _accounts(visit)
    if not accounts:
        raise Invalid("There is no report for you yet.")
    asked = await _asked(visit, accounts)
    content = await visit.api.get(f"/reports/{asked.view.name}", {**asked.query, "format": "csv"})
    return csv_download(f"{asked.view.name}-{asked.first}-{asked.last}.csv", content or b"")


async def _accounts(visit: Visit) -> dict[int, str]:
    """Returns the accounts whose figures the viewer may see, by owner, in words; the viewer's own is the first."""
    viewer = visit.viewer
    teams = await visit.api.records("/teams", {"$select": ["id", "user_id", "name"], "$sort[name]": 1})
    names: dict[int, list[str]] = {}
    for team in teams:
        if team["user_id"] != viewer.owner_id:
            names.setdefault(team["user_id"], []).append(team["name"])
    owners = await visit.api.by_id("/users", names, ("first_name", "last_name", "email"))
    found = {viewer.owner_id: "your account"} if viewer.is_owner else {}
    for owner_id, team_names in names.items():
        found[owner_id] = full_name(owners.get(owner_id, {})) or ", ".join(team_names)
    return found


async def _totals(visit: Visit, asked: Asked) -> Mapping[str, Any] | None:
    """Returns the figures of the whole account, for the head of the page; of an agent there are none."""
    if not asked.is_own or asked.view.name not in ("speed", "claims"):
        return None
    query = {**asked.query, "by": "total"}
    speed = (await visit.api.get("/reports/speed", query))["data"][0]
    claims = (await visit.api.get("/reports/claims", query))["data"][0]
    return {**claims, **speed, "before": {**claims["before"], **speed["before"]}}


# ------------------------------------------------------------------------------------------------ what was asked for


async def _asked(visit: Visit, accounts: Mapping[int, str]) -> Asked:
    """Raises Invalid for what the page does not offer."""
    given, account = visit.query, _account(visit.query, accounts)
    is_own = account == visit.viewer.owner_id
    view = BY_NAME.get(given.get("show") or "speed")
    if view is None or (not is_own and view.name not in FOR_AGENTS):
        raise Invalid(f"show: {given['show'][:40]!r} was given; expected one of the reports of this page.")
    by = given.get("by") or next(iter(view.by))
    if by not in view.by:
        by = next(iter(view.by))
    if not is_own:
        by = FOR_AGENTS[view.name]
    period, first, last = _period(await _today(visit, account), given)
    return Asked(view, by, period, first, last, account, is_own)


def _account(given: Mapping[str, str], accounts: Mapping[int, str]) -> int:
    text = given.get("account")
    account = (read_id(text) or 0) if text else next(iter(accounts))
    if account not in accounts:
        raise Invalid(f"account: {(text or '')[:40]!r} was given; expected one of your accounts.")
    return account


async def _today(visit: Visit, account: int) -> date:
    """The day that it is where the account is, by whose days its reports count. Raises NotFound."""
    row = await visit.database.fetchrow(
        *statement("find_counted_account").bind(owner_id=account, user_id=visit.viewer.owner_id, now=visit.now)
    )
    if row is None:
        raise NotFound.record(account)
    today: date = row["today"]
    return today


def _period(today: date, given: Mapping[str, str]) -> tuple[str, date, date]:
    if given.get("from") or given.get("to"):
        last = _day(given, "to") or today
        first = _day(given, "from") or last - timedelta(days=29)
        if first > last:
            raise Invalid("The first day has to be before the last day.")
        return "", first, last
    period = given.get("period") or DEFAULT_PERIOD
    match period:
        case "month":
            return period, today.replace(day=1), today
        case "last":
            last = today.replace(day=1) - timedelta(days=1)
            return period, last.replace(day=1), last
    if period not in PERIODS:
        raise Invalid(f"period: {period[:40]!r} was given; expected one of {', '.join(PERIODS)}.")
    return period, today - timedelta(days=int(period) - 1), today


def _day(given: Mapping[str, str], name: str) -> date | None:
    text = given.get(name)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not 1980 <= day.year <= 2200:
        raise Invalid(f"{name}: {text[:40]!r} was given; expected a day such as 2026-01-31.")
    return day


REPORTS = Page(
    path="/reports",
    title="Reports",
    about="speed to lead, claims, fairness, sources, campaigns and the load by the hour of the week: of any period,"
    " compared with the one before, with charts, the same numbers as tables, and as CSV; an agent sees only the agent's"
    " own figures",
    template="pages/reports.html",
    load=load_reports,
    place=MenuItem("Account", "Reports", "chart-column"),
    download=download_report,
)
