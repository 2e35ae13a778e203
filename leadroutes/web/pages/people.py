"""People: the users that the viewer sees and, for administrators, their invitations, rights, sign-ins and pictures."""

from collections.abc import Mapping
from typing import Any

from leadroutes.api.resources.sign_ins import is_mailed
from leadroutes.engine.pictures import LARGEST
from leadroutes.errors import Conflict, Invalid, NotFound
from leadroutes.web.forms import require_id
from leadroutes.web.page import Done, MenuItem, Page, Revealed, Visit, administrators, change, owners, put_back
from leadroutes.web.pages.delegates import DELEGATES
from leadroutes.web.pages.people_words import name_of
from leadroutes.web.sent import Sent

PAGE = 50
MOST = 500  # successors to choose from, open invitations
EDITED = ("first_name", "last_name", "email", "phone", "timezone")
INVITED = ("first_name", "last_name", "email")
OWNED = {"intake_keys": "intake addresses", "lead_routes": "routes", "teams": "teams"}
RIGHTS = {"is_admin": "administrator", "is_broker": "broker"}


async def load_people(visit: Visit) -> Mapping[str, Any]:
    after = visit.query.get("after", "")
    after_id = require_id("after", after, "the number of a user") if after else 0
    found = await visit.api.records("/users", {"id[$gt]": after_id, "$sort[id]": 1}, most=PAGE + 1)
    is_admin = visit.viewer.is_admin
    return {
        "users": [_described(visit, each) for each in found[:PAGE]],
        "next": found[PAGE - 1]["id"] if len(found) > PAGE else None,
        "invitations": await visit.api.records("/user-invitations", most=MOST) if is_admin else [],
        "is_mailed": is_mailed(visit.settings),
        "has_delegates": not visit.viewer.is_delegate,
    }


def _described(visit: Visit, user: dict[str, Any]) -> dict[str, Any]:
    """Returns the user with a name, and with the picture only where it is here: nothing is loaded from elsewhere."""
    picture = user["profile_picture"] or ""
    is_here = picture.startswith(f"{visit.settings.public_url}/pictures/")
    rights = [words for name, words in RIGHTS.items() if user.get(name)]
    return {**user, "name": name_of(user), "picture": picture if is_here else "", "rights": rights}


# ----------------------------------------------------------------------------------------------------- invitations


async def invite(visit: Visit, sent: Sent) -> Done | Revealed:
    """Invite someone, in one's own time zone; the link is shown where no mail is configured."""
    body = {name: sent.text(name) for name in INVITED} | {name: sent.is_checked(name) for name in RIGHTS}
    body["timezone"] = visit.viewer.timezone
    made = await visit.api.post("/user-invitations", body)
    return _told(made, "The invitation is on its way by mail.")


async def invite_again(visit: Visit, sent: Sent) -> Done | Revealed:
    made = await visit.api.post(f"/user-invitations/{_on(sent)}/send")
    return _told(made, "A new link is on its way by mail; the earlier one ends.")


def _told(made: Mapping[str, Any], message: str) -> Done | Revealed:
    return Revealed({"made": made}) if made.get("link") else Done("", message)


async def take_back(visit: Visit, sent: Sent) -> Done:
    await visit.api.delete(f"/user-invitations/{_on(sent)}")
    return Done("", "The invitation is taken back, and its link does not work any more.")


def _on(sent: Sent) -> int:
    return require_id("on", sent.on, "the number of a record")


# ------------------------------------------------------------------------------------------------------- one person


async def load_person(visit: Visit) -> Mapping[str, Any]:
    user = await visit.api.get(_path(visit))
    others = await visit.api.records("/users", {"$select": ["id", *INVITED, "is_active"]}, most=MOST)
    successors = sorted((name_of(each), each["id"]) for each in others if each["is_active"] and each["id"] != visit.id)
    return {
        "person": _described(visit, user),
        "record": user,
        "sessions": await visit.api.records("/sessions", {"user_id": visit.id}, most=PAGE),
        "successors": [("", "no one"), *((user_id, name) for name, user_id in successors)],
        "owned_words": OWNED,
        "is_mailed": is_mailed(visit.settings),
    }


def _path(visit: Visit) -> str:
    return f"/users/{visit.id}"


async def save(visit: Visit, sent: Sent) -> Done:
    body = {name: sent.text(name) for name in EDITED if name in sent}
    await change(visit, _path(visit), body, sent.get("seen"))
    return Done("", "Saved.")


async def set_rights(visit: Visit, sent: Sent) -> Done:
    before = await visit.api.get(_path(visit))
    given = {name: sent.is_checked(name) for name in RIGHTS}
    changed = {name: value for name, value in given.items() if before[name] != value}
    if not changed:
        return Done("", "Nothing was changed.")
    await change(visit, _path(visit), changed, sent.get("seen"))
    return Done("", "The rights are changed.", put_back(_path(visit), before, changed))


async def close(visit: Visit, sent: Sent) -> Done:
    """Close the account. Raises Conflict, with what it owns, where no successor is given."""
    body: dict[str, Any] = {"is_active": False}
    if (successor_id := sent.id("successor_user_id")) is not None:
        body["successor_user_id"] = successor_id
    try:
        await visit.api.patch(_path(visit), body)
    except Conflict as conflict:
        if conflict.data is None:
            raise
        raise Conflict("The account cannot be closed yet: choose who gets what it owns.", data=conflict.data) from None
    return Done("", "The account is closed: no sign-in and no token of it works. It can be opened again.")


async def reopen(visit: Visit, _sent: Sent) -> Done:
    await visit.api.patch(_path(visit), {"is_active": True})
    return Done("", "The account is open again. Its teams and routes are not given back.")


async def sign_out(visit: Visit, _sent: Sent) -> Done:
    ended = (await visit.api.post(f"{_path(visit)}/sign-out"))["ended"]
    return Done("", "No browser was signed in." if not ended else f"Signed out everywhere: {ended} in all.")


async def make_password_link(visit: Visit, _sent: Sent) -> Done | Revealed:
    made = await visit.api.post(f"{_path(visit)}/password-link")
    if made["link"]:
        return Revealed({"link": made["link"]})
    return Done("", "A link that sets a new password is on its way by mail. It is good for one hour.")


async def remove_factor(visit: Visit, _sent: Sent) -> Done:
    try:
        await visit.api.delete(f"{_path(visit)}/second-factor")
    except NotFound:
        await visit.api.get(_path(visit))  # is there such a user?
        raise Conflict("This user has no second factor.") from None
    return Done("", "The second factor is removed. The next sign-in needs the password alone.")


async def set_picture(visit: Visit, sent: Sent) -> Done:
    file = sent.files.get("picture")
    if file is None or not file.content:
        raise Invalid.fields({"picture": "Choose a picture: PNG, JPEG or WebP."})
    if len(file.content) > LARGEST:
        raise Invalid.fields({"picture": f"The picture has more than {LARGEST // 1024} kB; choose a smaller one."})
    headers = {"content-type": [file.content_type or "application/octet-stream"], "accept": ["application/json"]}
    await visit.api.send("PUT", f"{_path(visit)}/picture", file.content, None, headers)
    return Done("", "The picture is set.")


async def remove_picture(visit: Visit, _sent: Sent) -> Done:
    await visit.api.delete(f"{_path(visit)}/picture")
    return Done("", "The picture is removed.")


PEOPLE_PAGES = (
    Page(
        path="/people",
        title="People",
        about="the users that you see, with their rights; administrators invite by e-mail, send an invitation again or"
        " take it back, and open the page of each user",
        template="pages/people.html",
        load=load_people,
        acts={"invite": invite, "invite-again": invite_again, "take-back": take_back},
        may=owners,
        place=MenuItem("Account", "People", "contact"),
        parts=("users",),
    ),
    DELEGATES,  # before the page with an id in the same place
    Page(
        path="/people/{id}",
        title="Person",
        about="for administrators: name, e-mail, rights and picture of a user; close the account with a successor and"
        " open it again; sign out everywhere, a link that sets a password, removal of the second factor",
        template="pages/person.html",
        load=load_person,
        acts={
            "save": save,
            "rights": set_rights,
            "close": close,
            "open": reopen,
            "sign-out": sign_out,
            "password-link": make_password_link,
            "remove-factor": remove_factor,
            "picture": set_picture,
            "remove-picture": remove_picture,
        },
        may=administrators,
        below="/people",
        largest=1_048_576,
    ),
)
