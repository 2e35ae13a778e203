"""Reports over HTTP, as JSON or CSV: parameters, rights and the form of the answer. Nothing is counted here."""

import io
import re
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from leadroutes.api.brackets import parse
from leadroutes.api.call import Call, Response
from leadroutes.api.values import Id, quoted
from leadroutes.errors import Forbidden, Invalid, NotFound
from leadroutes.intake.csv_cells import CsvWriter
from leadroutes.operations.reports import LONGEST_PERIOD, AccountReport, Period, ReportRow, load_report
from leadroutes.store import statement

DEFAULT_DAYS = 30  # up to today
FIRST_YEAR, LAST_YEAR = 1970, 9000

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_WANTS_CSV: Final = re.compile(r"\btext/csv\b", re.IGNORECASE)


def parameters_of(report: AccountReport) -> tuple[dict[str, Any], ...]:
    """Returns the parameters of its query as OpenAPI describes them."""
    day = {"type": "string", "format": "date"}
    described = (
        ("owner_id", {"type": "integer", "minimum": 0}, "whose account; the caller's by default, and with 0"),
        ("from", day, f"the first day, in the owner's time zone; by default {DEFAULT_DAYS} days up to `to`"),
        ("to", day, f"the last day; today by default. At most {LONGEST_PERIOD} days"),
        ("by", {"enum": list(report.by), "default": report.by[0]}, "what the rows are about"),
        ("compared", {"type": "boolean", "default": False}, "also the period of equal length before"),
        ("format", {"enum": ["json", "csv"]}, "json by default, csv with Accept: text/csv"),
    )
    return tuple(
        {"name": name, "in": "query", "schema": schema, "description": about} for name, schema, about in described
    )


async def show_report(call: Call, *, report: AccountReport) -> Response:
    """Raises NotFound for an account that the caller does not work for, Forbidden for what only its owner sees."""
    given = parse(call.request.query)
    errors: dict[str, str] = {}
    owner_id = _owner(given, errors) or call.caller.user_id
    account = await call.context.database.fetchrow(
        *statement("find_counted_account").bind(
            owner_id=owner_id, user_id=call.caller.user_id, now=call.context.database.clock.now()
        )
    )
    if account is None and not errors:
        raise NotFound.record(owner_id)
    period = _period(given, account["today"] if account else date(2000, 1, 1), errors)
    by = _choice("by", given, report.by, errors)
    is_compared = _choice("compared", given, ("false", "true"), errors) == "true"
    is_csv = _choice("format", given, ("json", "csv"), errors) == "csv" or ("format" not in given and _wants_csv(call))
    if errors:
        raise Invalid.fields(errors)
    assert account is not None
    only_user = None
    if not account["is_owner"]:
        by, only_user = _as_agent(report, by, "by" in given), call.caller.user_id
    if not is_csv:
        call.require_json_accepted()
    rows = await load_report(
        call.context.database, owner_id, report, by=by, period=period, is_compared=is_compared, only_user=only_user
    )
    if is_csv:
        return Response(200, _csv(rows), b"text/csv; charset=utf-8")
    return Response(200, _json(report, by, period, account["timezone"], rows, is_compared=is_compared))


def _as_agent(report: AccountReport, by: str, is_given: bool) -> str:
    """Returns what the rows are about for an agent. Raises Forbidden for all but the agent's own figures."""
    if not report.for_agents or (is_given and by != report.for_agents):
        own = f"; your own figures are by={report.for_agents}" if report.for_agents else ""
        raise Forbidden(f"Only the owner of an account sees this report{own}")
    return report.for_agents


# --------------------------------------------------------------------------------------------------- parameters


def _owner(given: dict[str, Any], errors: dict[str, str]) -> int | None:
    if "owner_id" not in given:
        return None
    try:
        return Id().take(given["owner_id"])
    except ValueError:
        errors["owner_id"] = f"owner_id: {quoted(given['owner_id'])} was given; expected {Id().expected}"
        return None


def _period(given: dict[str, Any], today: date, errors: dict[str, str]) -> Period:
    last = _day("to", given, errors) or today
    first = _day("from", given, errors) or last - timedelta(days=DEFAULT_DAYS - 1)
    if not errors and first > last:
        errors["from"] = f"from: {first} was given; expected a day that is not after to, {last}"
    elif not errors and (last - first).days >= LONGEST_PERIOD:
        errors["from"] = f"from: {first} was given; expected at most {LONGEST_PERIOD} days up to to, {last}"
    return Period(first, last)


def _day(name: str, given: dict[str, Any], errors: dict[str, str]) -> date | None:
    if name not in given:
        return None
    text = given[name]
    try:
        if isinstance(text, str) and _DAY.fullmatch(text) and FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
            return date.fromisoformat(text)
    except ValueError:
        pass
    errors[name] = (
        f"{name}: {quoted(text)} was given; expected a day such as 2026-01-31, of the years {FIRST_YEAR} to {LAST_YEAR}"
    )
    return None


def _choice(name: str, given: dict[str, Any], among: tuple[str, ...], errors: dict[str, str]) -> str:
    value = given.get(name, among[0])
    if isinstance(value, str) and value in among:
        return value
    errors[name] = f"{name}: {quoted(value)} was given; expected one of {', '.join(among)}"
    return among[0]


def _wants_csv(call: Call) -> bool:
    return bool(_WANTS_CSV.search(", ".join(call.request.headers.get("accept", ()))))


# ------------------------------------------------------------------------------------------------------- answers


def _json(
    report: AccountReport, by: str, period: Period, timezone: str, rows: list[ReportRow], *, is_compared: bool
) -> bytes:
    data = [row.about | row.measures | ({"before": row.before} if row.before is not None else {}) for row in rows]
    answer: dict[str, Any] = {"report": report.name, "by": by, "timezone": timezone, **_days(period)}
    if is_compared:
        answer["compared"] = _days(period.before())
    return msgspec.json.encode(answer | {"data": data})


def _days(period: Period) -> dict[str, str]:
    return {"from": period.first.isoformat(), "to": period.last.isoformat()}


def _csv(rows: list[ReportRow]) -> bytes:
    """Columns as the keys in JSON; those of the period before begin with before_."""
    flat = [
        row.about | row.measures | {f"before_{name}": value for name, value in (row.before or {}).items()}
        for row in rows
    ]
    file = io.StringIO()
    writer = CsvWriter(file)
    if flat:
        writer.write(flat[0])
    for each in flat:
        writer.write(each.values())
    return file.getvalue().encode()
