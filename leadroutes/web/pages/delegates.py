"""Delegates: who acts for the viewer's account, and for whom the viewer may act."""

from collections.abc import Mapping
from typing import Any

from leadroutes.errors import Invalid
from leadroutes.web.forms import require_id
from leadroutes.web.page import Done, Page, Viewer, Visit
from leadroutes.web.sent import Sent

ROLES = {
    "Administrator": "Administrator: everything of the account but delegates and your own data",
    "Team Lead": "Team Lead: sees one team and its leads, and assigns within it",
}
MOST = 200


async def load_delegates(visit: Visit) -> Mapping[str, Any]:
    found = await visit.api.records("/delegates", {"$sort[id]": -1}, most=MOST)
    own_id = visit.viewer.owner_id
    owners = await visit.api.by_id("/users", [each["owner_user_id"] for each in found], ("first_name", "last_name"))
    names = {each.owner_id: each.owner_name for each in visit.viewer.accounts}
    teams = await visit.api.records("/teams", {"user_id": own_id, "$sort[name]": 1}, most=MOST)
    return {
        "delegates": [each for each in found if each["owner_user_id"] == own_id],
        "asked": [
            {**each, "owner_name": names.get(each["owner_user_id"]) or _name(owners, each["owner_user_id"])}
            for each in found
            if each["owner_user_id"] != own_id and not each["declined_at"]
        ],
        "teams": [("", "choose a team"), *((each["id"], each["name"]) for each in teams)],
        "team_names": {each["id"]: each["name"] for each in teams},
        "roles": list(ROLES.items()),
    }


def _name(owners: Mapping[int, Mapping[str, Any]], owner_id: int) -> str:
    owner = owners.get(owner_id, {})
    return " ".join(part for part in (owner.get("first_name"), owner.get("last_name")) if part) or "another owner"


async def invite(visit: Visit, sent: Sent) -> Done:
    role = sent.get("role")
    body: dict[str, Any] = {"email": sent.text("email"), "role": role}
    if role == "Team Lead":
        team_id = sent.id("team_id")
        if team_id is None:
            raise Invalid.fields({"team_id": "Choose the team that this person leads."})
        body["team_id"] = team_id
    if body["email"] is None:
        raise Invalid.fields({"email": "Give the e-mail of whoever is to act for you."})
    await visit.api.post("/delegates", body)
    return Done("", "Invited. It counts once the invitation is accepted.")


async def remove(visit: Visit, sent: Sent) -> Done:
    """End it: the owner takes it away, or whoever acts or was asked gives it back."""
    await visit.api.delete(f"/delegates/{_on(sent)}")
    return Done("", "That has ended, at once.")


async def accept(visit: Visit, sent: Sent) -> Done:
    await visit.api.post(f"/delegates/{_on(sent)}/acceptance")
    return Done("", "Accepted. Choose the account in the menu at the top, under your name, to act for it.")


def _on(sent: Sent) -> int:
    return require_id("on", sent.on, "the number of a record")


def not_acting(viewer: Viewer) -> bool:
    return not viewer.is_delegate


DELEGATES = Page(
    path="/people/delegates",
    title="Acting for others",
    about="who may act for your account, as administrator or as lead of one team: invite by e-mail, take away; and"
    " whose account you may act for: accept, begin, give back",
    template="pages/delegates.html",
    load=load_delegates,
    acts={"invite": invite, "remove": remove, "accept": accept},
    may=not_acting,
    below="/people",
)
