"""The page of a Team Lead, who acts for an owner within one team: its leads, to assign, and its members."""

from collections.abc import Mapping
from typing import Any

from leadroutes.errors import Invalid, NotFound
from leadroutes.web.forms import read_id
from leadroutes.web.page import Done, MenuItem, Page, Viewer, Visit
from leadroutes.web.pages.leads import STATES, TAG_KINDS, of_state
from leadroutes.web.pages.people_words import name_of
from leadroutes.web.sent import Sent

PAGE = 50
MOST_MEMBERS = 500
LEAD_KEYS = (
    "id", "claimed_by_user_id", "claimed_at", "city", "type", "listing_price", "created_at", "lead_state", "is_test",
    "is_closed", "junk_reason",
)  # fmt: skip


async def load_team(visit: Visit) -> Mapping[str, Any]:
    teams = await visit.api.records("/teams", most=1)
    if not teams:
        raise NotFound("The team is not there any more.")
    state, before = visit.query.get("state", ""), visit.query.get("before", "")
    query: dict[str, object] = {"$select": LEAD_KEYS, "$sort[id]": -1}
    if state:
        query |= of_state(state)
    if before:
        if read_id(before) is None:
            raise Invalid(f"before: {before[:40]!r} was given; expected the number of a lead.")
        query["id[$lt]"] = before
    leads = await visit.api.records("/leads", query, most=PAGE + 1)
    members = [
        each
        for each in await visit.api.records("/team-members", {"request_status": "Accepted"}, most=MOST_MEMBERS)
        if each["user"]["id"] is not None
    ]
    names = {each["user"]["id"]: name_of(each["user"]) for each in members}
    return {
        "team": teams[0],
        "leads": leads[:PAGE],
        "last": leads[PAGE - 1]["id"] if len(leads) > PAGE else None,
        "names": names,
        "members": sorted(names.items(), key=lambda each: each[1].lower()),
        "assigned_id": read_id(visit.query.get("assign")),
        "before": before,
        "state": state,
        "states": STATES,
        "tag_kinds": TAG_KINDS,
    }


async def assign(visit: Visit, sent: Sent) -> Done:
    lead_id, user_id = read_id(sent.on), sent.id("user_id")
    if lead_id is None:
        raise Invalid(f"on: {sent.on[:40]!r} was given; expected the number of a lead.")
    if user_id is None:
        raise Invalid.fields({"user_id": "Choose a member."})
    await visit.api.post(f"/leads/{lead_id}/assignment", {"user_id": user_id})
    return Done("", "The lead is assigned.")


def _no_one_else(_viewer: Viewer) -> bool:
    return False


TEAM_LEAD_PAGE = Page(
    path="/team",
    title="Your team",
    about="for whoever acts for an owner as Team Lead: the leads of the team by state, to assign within the team, and"
    " its members",
    template="pages/team_lead.html",
    load=load_team,
    acts={"assign": assign},
    may=_no_one_else,
    for_team_leads=True,
    place=MenuItem("My team", "Team", "users-round", on_phone=True),
    parts=("leads",),
)
