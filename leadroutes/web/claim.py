"""The page of an offer: behind the link in an alert, and for someone who is signed in. Looking never claims.

Who has won, the engine says.
"""

import contextlib
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from leadroutes.engine.engine import Engine
from leadroutes.errors import Conflict, NotFound
from leadroutes.store.claim_pages import ClaimPage, find_claim_page, find_own_page
from leadroutes.store.postgres import Database
from leadroutes.web.audit import row_of_page
from leadroutes.web.forms import read_id
from leadroutes.web.inquiry_words import words_of_inquiry
from leadroutes.web.rendering import Pages
from leadroutes.web.sessions import Sessions

MOST_WORDS = 50_000  # characters of an inquiry that are shown


class ClaimPages:
    """`/claim/{token}` for whoever has the link, `/app/offers/{id}` for the member; below each, `/decline`."""

    def __init__(self, database: Database, engine: Engine, pages: Pages, sessions: Sessions) -> None:
        self._database = database
        self._engine = engine
        self._pages = pages
        self._sessions = sessions

    async def show_link(self, request: Request) -> Response:
        return await self._shown(request, await self._of_link(request))

    async def claim_link(self, request: Request) -> Response:
        page = await self._of_link(request)
        refusal = await self._claim(page)
        return await self._shown(request, await self._of_link(request), refusal)

    async def decline_link(self, request: Request) -> Response:
        await self._decline(await self._of_link(request))
        return self._pages.go_to(_page_path(request))

    async def show_own(self, request: Request) -> Response:
        user = await self._sessions.get_user(request)
        return await self._shown(request, await self._own(request, user.id))

    async def claim_own(self, request: Request) -> Response:
        user = await self._sessions.get_user(request)
        page = await self._own(request, user.id)
        refusal = await self._claim(page)
        return await self._shown(request, await self._own(request, user.id), refusal)

    async def decline_own(self, request: Request) -> Response:
        user = await self._sessions.get_user(request)
        await self._decline(await self._own(request, user.id))
        return self._pages.go_to(_page_path(request))

    async def look_again(self, request: Request) -> Response:
        """Whoever looks where only a button leads gets the page that has it."""
        return self._pages.go_to(_page_path(request))

    async def _of_link(self, request: Request) -> ClaimPage:
        page = await find_claim_page(self._database, request.path_params["token"])
        if page is None:
            raise NotFound("This link leads to no lead. Open the newest message about it, and use the link in there.")
        return page

    async def _own(self, request: Request, user_id: int) -> ClaimPage:
        offer_id = read_id(request.path_params["id"])
        page = await find_own_page(self._database, user_id, offer_id) if offer_id is not None else None
        if page is None:
            raise NotFound("There is no such offer, or it was made to someone else.")
        return page

    async def _claim(self, page: ClaimPage) -> str | None:
        """Returns why the member does not have it; None: they have."""
        try:
            act = row_of_page(page.owner_id, page.user_id, "/leads/:id/claim", page.lead_id)
            await self._engine.claim(page.owner_id, page.lead_id, page.user_id, page.via, act)
        except Conflict as conflict:
            return conflict.message
        return None

    async def _decline(self, page: ClaimPage) -> None:
        """An offer that cannot be declined any more is not an error: the page says why."""
        act = row_of_page(page.owner_id, page.user_id, "/lead-offers/:id/decline", page.offer_id)
        with contextlib.suppress(Conflict):
            await self._engine.decline(page.owner_id, page.offer_id, page.user_id, act)

    async def _shown(self, request: Request, page: ClaimPage, refusal: str | None = None) -> Response:
        ends_at = page.ends_at if page.passes_on else page.next_at or page.ends_at
        seconds = None
        if page.standing == "open" and ends_at is not None:
            seconds = round(self._database.clock.real_seconds_until(ends_at))
        return self._pages.answer(
            "claim.html",
            409 if refusal else 200,
            page=page,
            seconds=seconds,
            refusal=refusal,
            path=_page_path(request),
            words=await _words(page),
        )


def _page_path(request: Request) -> str:
    """Of the page with the buttons."""
    if "token" in request.path_params:
        return f"/claim/{quote(request.path_params['token'])}"
    return f"/app/offers/{quote(request.path_params['id'])}"


async def _words(page: ClaimPage) -> str:
    known = page.disclosure
    if known is None:
        return ""
    return await words_of_inquiry(known.text_body, known.html_body, page.owner_id, most=MOST_WORDS)
