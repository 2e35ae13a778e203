"""The audit in words: who changed what on the account, and what happened at sign-ins."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from leadroutes.domain.campaign import zone_named
from leadroutes.errors import Invalid
from leadroutes.web.forms import require_id
from leadroutes.web.page import MenuItem, Page, Viewer, Visit, owners, owners_themselves
from leadroutes.web.pages.audit_words import KINDS, act_in_words, changes_in_words, place_of, users_in
from leadroutes.web.pages.people_words import name_of

PAGE = 50
MOST_PEOPLE = 500  # to choose from
USER_KEYS = ("first_name", "last_name", "email")


async def load_audit(visit: Visit) -> Mapping[str, Any]:
    found = await visit.api.records("/audit", {**_filters(visit), **_from_key(visit)}, most=PAGE + 1)
    entries = found[:PAGE]
    users = await visit.api.by_id("/users", users_in(entries), USER_KEYS)
    names = {user_id: name_of(user) for user_id, user in users.items()}
    names |= {entry["user_id"]: entry["user_name"] for entry in entries if entry["user_name"]}
    return {
        "entries": [_described(entry, names, visit.viewer) for entry in entries],
        "next": _address(visit, before=_key(visit, entries)) if len(found) > PAGE else "",
        "people": await _people(visit),
        "kinds": [(name, kind.words) for name, kind in KINDS.items()],
        "asked": _asked(visit),
        "has_sign_ins": not visit.viewer.is_delegate,
    }


def _described(entry: dict[str, Any], names: Mapping[int, str], viewer: Viewer) -> dict[str, Any]:
    owner_id = entry["owner_user_id"]
    return {
        **entry,
        "who": names.get(entry["user_id"]) or f"user {entry['user_id']}",
        "words": act_in_words(entry),
        "of": (names.get(owner_id) or f"user {owner_id}") if owner_id != viewer.owner_id else "",
        "place": place_of(entry),
        "changes": changes_in_words(entry["changes"], names),
    }


async def _people(visit: Visit) -> list[tuple[object, str]]:
    """Returns who may have acted, to choose from: the users that the reader sees."""
    users = await visit.api.records("/users", {"$select": ["id", *USER_KEYS]}, most=MOST_PEOPLE)
    return [("", "anyone"), *sorted(((each["id"], name_of(each)) for each in users), key=lambda each: each[1].lower())]


# ----------------------------------------------------------------------------------------------------- the filters


def _asked(visit: Visit) -> dict[str, str]:
    return {name: visit.query.get(name, "") for name in ("who", "what", "record", "from", "to")}


def _address(visit: Visit, **more: object) -> str:
    return urlencode({name: value for name, value in (_asked(visit) | more).items() if value})


def _filters(visit: Visit) -> dict[str, object]:
    """Returns the query of the API. Raises Invalid for what the page does not offer."""
    asked = _asked(visit)
    query: dict[str, object] = {}
    if asked["who"]:
        query["user_id"] = require_id("who", asked["who"], "a person")
    if asked["what"]:
        if asked["what"] not in KINDS:
            raise Invalid(f"what: {asked['what'][:40]!r} was given; expected one of {', '.join(KINDS)}.")
        query["resource[$in]"] = list(KINDS[asked["what"]].resources)
    if asked["record"]:
        query["record_id"] = require_id("record", asked["record"], "the number of a record")
    first, last = _day(asked, "from"), _day(asked, "to")
    if first is not None:
        query["at[$gte]"] = _midnight(visit, first)
    if last is not None and not visit.query.get("before"):
        query["at[$lt]"] = _midnight(visit, last + timedelta(days=1))
    return query


def _day(asked: Mapping[str, str], name: str) -> date | None:
    if not asked[name]:
        return None
    try:
        day = date.fromisoformat(asked[name])
    except ValueError:
        day = date.min
    if not 1970 <= day.year <= 9000:
        raise Invalid(f"{name}: {asked[name][:40]!r} was given; expected a day such as 2026-01-31.")
    return day


def _midnight(visit: Visit, day: date) -> str:
    """Returns when the day begins where the reader is."""
    return datetime(day.year, day.month, day.day, tzinfo=zone_named(visit.viewer.timezone)).isoformat()


def _key(visit: Visit, entries: list[dict[str, Any]]) -> str:
    """Returns from where the next page goes on: the moment of the last entry, and how many of that moment are shown."""
    at = entries[-1]["at"]
    shown = sum(entry["at"] == at for entry in entries)
    before_at, _, before = visit.query.get("before", "").partition("~")
    return f"{at}~{shown + (int(before) if before_at == at and before.isdigit() else 0)}"


def _from_key(visit: Visit) -> dict[str, object]:
    key = visit.query.get("before", "")
    if not key:
        return {}
    at, _, shown = key.partition("~")
    if not (shown.isascii() and shown.isdigit() and len(shown) < 6):
        raise Invalid(f"before: {key[:40]!r} was given; expected the key of a page.")
    return {"at[$lte]": at, "$skip": int(shown)}


# ---------------------------------------------------------------------------------------------------- the sign-ins


async def load_sign_ins(visit: Visit) -> Mapping[str, Any]:
    query: dict[str, object] = {}
    asked = {name: visit.query.get(name, "") for name in ("who", "before")}
    if asked["who"]:
        query["user_id"] = require_id("who", asked["who"], "a person")
    if asked["before"]:
        query["id[$lt]"] = require_id("before", asked["before"], "the number of a sign-in")
    found = await visit.api.records("/sign-ins", query, most=PAGE + 1)
    events = found[:PAGE]
    names = await _names(visit, [each[name] for each in events for name in ("user_id", "by_user_id")])
    return {
        "events": [
            {**each, "who": names.get(each["user_id"], ""), "by": names.get(each["by_user_id"], "")} for each in events
        ],
        "next": urlencode({"who": asked["who"], "before": events[-1]["id"]}) if len(found) > PAGE else "",
        "people": await _people(visit) if visit.viewer.is_admin else [],
        "asked": asked,
    }


async def _names(visit: Visit, user_ids: Iterable[int | None]) -> dict[int, str]:
    users = await visit.api.by_id("/users", user_ids, USER_KEYS)
    return {user_id: name_of(user) for user_id, user in users.items()}


AUDIT_PAGES = (
    Page(
        path="/audit",
        title="Audit",
        about="who changed what on your account and when, with the values before and after of rules and settings,"
        " newest first; by person, kind, record and period, for two years",
        template="pages/audit.html",
        load=load_audit,
        may=owners,
        place=MenuItem("Account", "Audit", "history"),
        parts=("entries",),
    ),
    Page(
        path="/audit/sign-ins",
        title="Sign-ins",
        about="what happened at your sign-ins, successful or not, with browser and network; administrators see those of"
        " all users",
        template="pages/sign_ins.html",
        load=load_sign_ins,
        may=owners_themselves,
        below="/audit",
        parts=("events",),
    ),
)
