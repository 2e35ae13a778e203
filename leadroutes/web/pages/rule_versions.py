"""The versions of the rules: what was changed, by whom and when, and bringing one back."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from leadroutes.api.rule_calls import MOST_SENTENCES
from leadroutes.errors import Invalid, NotFound
from leadroutes.web.page import MenuItem, Page, Revealed, Visit, owners
from leadroutes.web.pages.people_words import name_of
from leadroutes.web.sent import Sent

PAGE = 30
MOST_SHOWN = 50  # sentences on the page of a version; with 300 members there are hundreds
MOST_LISTED = 10  # of each version in the list
USER_KEYS = ("first_name", "last_name", "email")

# What a version may have that a restore does not bring back, by the path of the API.
NOUNS = {
    "/teams": "Team",
    "/team-members": "Member",
    "/team-member-distribution-options": "Option",
    "/lead-routes": "Route",
    "/listing-agents": "Listing agent",
    "/campaigns/:id/actions": "Campaign step",
}


async def load_versions(visit: Visit) -> Mapping[str, Any]:
    skip = _skipped(visit)
    found = await visit.api.records("/rules/versions", {"$skip": skip}, most=PAGE + 1)
    shown = found[:PAGE]
    return {
        "versions": await _named(visit, shown),
        "most_shown": MOST_LISTED,
        "most_answered": MOST_SENTENCES,
        "present": (await _latest(visit))["number"] if shown else None,
        "next": urlencode({"skip": skip + PAGE}) if len(found) > PAGE else "",
    }


def _skipped(visit: Visit) -> int:
    given = visit.query.get("skip", "0")
    if not (given.isascii() and given.isdigit() and len(given) < 7):
        raise Invalid(f"skip: {given[:40]!r} was given; expected how many versions are passed over.")
    return int(given)


async def _latest(visit: Visit) -> dict[str, Any]:
    found = await visit.api.records("/rules/versions", most=1)
    if not found:
        raise NotFound("There are no versions of these rules yet")
    return found[0]


async def _named(visit: Visit, versions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns versions with the names of those who made them."""
    versions = list(versions)
    users = await visit.api.by_id("/users", [each["user_id"] for each in versions], USER_KEYS)
    return [{**each, "who": _who(each["user_id"], users)} for each in versions]


def _who(user_id: int | None, users: Mapping[int, Mapping[str, Any]]) -> str:
    if user_id is None:
        return "the service"
    return name_of(users[user_id]) if user_id in users else f"user {user_id}"


async def load_version(visit: Visit) -> Mapping[str, Any]:
    version = await visit.api.get(f"/rules/versions/{visit.id}")
    changes = await visit.api.get(f"/rules/versions/{visit.id}/changes")
    latest = await _latest(visit)
    [named] = await _named(visit, [version])
    back = await visit.api.get(f"/rules/versions/{version['number']}/changes", {"since": latest["number"]})
    return {
        "version": named,
        "changes": changes["changes"],
        "present": latest["number"],
        "back": back["changes"],
        "most_shown": MOST_SHOWN,
        "restored": None,
        "nouns": NOUNS,
    }


async def restore(visit: Visit, _sent: Sent) -> Revealed:
    restored = await visit.api.post(f"/rules/versions/{visit.id}/restore")
    return Revealed({**await load_version(visit), "restored": restored})


RULE_VERSION_PAGES = (
    Page(
        path="/rules/versions",
        title="Versions of the rules",
        about="what was changed in routes, teams, distribution options, listing agents and steps of campaigns, by whom"
        " and when, newest first",
        template="pages/rule_versions.html",
        load=load_versions,
        may=owners,
        place=MenuItem("Rules", "Versions", "history"),
        parts=("versions",),
    ),
    Page(
        path="/rules/versions/{id}",
        title="Version of the rules",
        about="one version of the rules: what it changed, what differs from it now, and bringing it back",
        template="pages/rule_version.html",
        load=load_version,
        acts={"restore": restore},
        may=owners,
        below="/rules/versions",
    ),
)
