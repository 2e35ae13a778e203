"""The applications that a user let in or registered, and the user's personal tokens.

A secret is shown once, on the page that answers the form that made it.
"""

from collections.abc import Mapping
from typing import Any

from leadroutes.errors import Invalid, NotFound
from leadroutes.store import oauth as store
from leadroutes.store.accounts import NewApplication, add_application_of, issue_token_of
from leadroutes.web.page import Done, Page, Revealed, Visit
from leadroutes.web.sent import Sent

SCOPES = {"write": "read and change", "read": "read only"}
NOT_THERE = "There is no such {} any more, or it is someone else's."


async def load_applications(visit: Visit) -> Mapping[str, Any]:
    return {
        "allowed": await store.list_allowed(visit.database, visit.viewer.user.id),
        "registered": await store.list_own_applications(visit.database, visit.viewer.user.id),
        "scopes": SCOPES,
    }


async def register(visit: Visit, sent: Sent) -> Revealed:
    wanted = NewApplication(
        name=sent.get("name").strip(),
        redirect_uris=sent.get("redirect_uris").split(),
        has_secret=sent.get("kind") != "public",
    )
    return Revealed({"made": await add_application_of(visit.database, visit.viewer.user.id, wanted)})


async def remove(visit: Visit, sent: Sent) -> Done:
    if not await store.remove_own_application(visit.database, visit.viewer.user.id, sent.get("client_id")):
        raise NotFound(NOT_THERE.format("application"))
    return Done("", "The application and its tokens are gone.")


async def disallow(visit: Visit, sent: Sent) -> Done:
    if not await store.disallow(visit.database, visit.viewer.user.id, sent.get("client_id")):
        raise NotFound(NOT_THERE.format("application"))
    return Done("", "The application has no access any more.")


async def load_tokens(visit: Visit) -> Mapping[str, Any]:
    return {"tokens": await store.list_own_tokens(visit.database, visit.viewer.user.id), "scopes": SCOPES}


async def issue(visit: Visit, sent: Sent) -> Revealed:
    if sent.get("scope") not in SCOPES:
        raise Invalid("scope: expected read or write.")
    name = sent.get("name").strip()
    return Revealed({"token": await issue_token_of(visit.database, visit.viewer.user.id, [sent.get("scope")], name)})


async def revoke(visit: Visit, sent: Sent) -> Done:
    token_id = sent.id("id")
    if token_id is None:
        raise Invalid("id: expected the id of a token.")
    if not await store.revoke_own_token(visit.database, visit.viewer.user.id, token_id):
        raise NotFound(NOT_THERE.format("token"))
    return Done("", "The token is revoked.")


ACCESS_PAGES = (
    Page(
        path="/me/applications",
        title="Applications",
        about="the applications that have access to your account, to revoke it; those that you registered, and the"
        " form to register one",
        template="pages/applications.html",
        load=load_applications,
        acts={"register": register, "remove": remove, "disallow": disallow},
        below="/me",
        is_personal=True,
    ),
    Page(
        path="/me/tokens",
        title="Personal tokens",
        about="your personal tokens with their names and last uses: make one (shown once), revoke one",
        template="pages/tokens.html",
        load=load_tokens,
        acts={"issue": issue, "revoke": revoke},
        below="/me",
        is_personal=True,
    ),
)
