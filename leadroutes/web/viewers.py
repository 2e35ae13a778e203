"""Who looks at a page, and for whom: the user, or the owner of another account for whom the user acts.

Which account it is, a cookie says; that the user may act for it is asked of the database with every request.
"""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from leadroutes.api.auth import Caller
from leadroutes.errors import Forbidden
from leadroutes.store import statement
from leadroutes.store.availability import presence_of
from leadroutes.store.delegates import DelegationKey, delegations_of, list_delegations_of
from leadroutes.store.postgres import Database
from leadroutes.store.sessions import SessionUser
from leadroutes.web.cookies import cookie_of
from leadroutes.web.forms import read_id
from leadroutes.web.page import Acting, Viewer
from leadroutes.web.rendering import Pages

SCOPES = frozenset({"read", "write"})
ENDED = "You do not act for this account any more: its owner has ended it, or the account is closed. Nothing was done."


class ActingEnded(Forbidden):
    """The user may not act any more for the owner whom the cookie names; the cookie has to go."""


class Viewers:
    """Finds who looks. One for a process."""

    def __init__(self, database: Database, pages: Pages) -> None:
        self._database = database
        self._delegations = delegations_of(database)
        self._pages = pages
        self._cookie = ("__Host-" if pages.is_secure else "") + "leadroutes-acting"

    async def find(self, request: Request, user: SessionUser, *, is_personal: bool = False) -> Viewer:
        """Returns who looks; `is_personal`: at a page about the user alone. Raises ActingEnded."""
        own = await self._as_oneself(user)
        owner_id = self._acts_for(request, user)
        if owner_id is None:
            return own
        acting = next((each for each in own.accounts if each.owner_id == owner_id), None)
        if acting is None:
            raise ActingEnded(ENDED)
        return replace(own, acting=acting) if is_personal else await self._as_owner(own, acting)

    async def _as_oneself(self, user: SessionUser) -> Viewer:
        row = user.viewer or await self._database.fetchrow(*statement("find_viewer").bind(user_id=user.id))
        assert row is not None
        found = await list_delegations_of(self._database, user.id) if row["is_delegate"] else []
        return Viewer(
            user=user,
            caller=Caller(user.id, SCOPES, None, row["is_admin"], row["is_broker"]),
            owner_id=user.id,
            email=row["email"],
            phone=row["phone"],
            is_admin=row["is_admin"],
            has_account=row["has_account"],
            is_member=row["is_member"],
            has_switch=row["is_member"],
            presence=presence_of(row),
            accounts=tuple(Acting(row["owner_id"], row["owner_name"], row["role"], row["team_id"]) for row in found),
        )

    async def _as_owner(self, own: Viewer, acting: Acting) -> Viewer:
        """Returns the owner as who looks, as the API does, but never an administrator of the service."""
        found = await self._delegations.find(DelegationKey(own.user.id, acting.owner_id))
        row = await self._database.fetchrow(*statement("find_viewer").bind(user_id=acting.owner_id))
        if found is None or row is None:
            raise ActingEnded(ENDED)
        caller = replace(
            own.caller,
            user_id=acting.owner_id,
            acting_user_id=own.user.id,
            role=found.role,
            team_id=found.team_id,
            is_admin=False,
            is_broker=found.is_broker,
        )
        return replace(
            own,
            caller=caller,
            owner_id=acting.owner_id,
            is_admin=False,
            has_account=True,
            is_member=row["is_member"],
            acting=replace(acting, role=found.role, team_id=found.team_id),
            is_oneself=False,
        )

    # -- the switch

    def _acts_for(self, request: Request, user: SessionUser) -> int | None:
        """Returns the owner whom the cookie names, if this user has chosen it."""
        user_id, _, owner_id = (cookie_of(request.headers.getlist("cookie"), self._cookie) or "").partition(".")
        return read_id(owner_id) if user_id == str(user.id) else None

    async def switch(self, user: SessionUser, owner_id: int | None, target: str = "/app") -> Response:
        """Leads to the pages of this owner; None: to the user's own. Raises Forbidden for one who has not agreed."""
        if owner_id is None or owner_id == user.id:
            return self.stop(self._pages.go_to(target))
        if await self._delegations.find(DelegationKey(user.id, owner_id)) is None:
            raise Forbidden(ENDED)
        response = self._pages.go_to(target)
        response.set_cookie(
            self._cookie, f"{user.id}.{owner_id}", path="/", secure=self._pages.is_secure, httponly=True, samesite="lax"
        )
        return response

    def stop(self, response: Response) -> Response:
        """Returns the same answer; with it the browser forgets for whom the user acts."""
        response.delete_cookie(self._cookie, path="/", secure=self._pages.is_secure, httponly=True, samesite="lax")
        return response
