"""What somebody who is signed in sees: his offers, his leads, and, of his own account, the ledger and the outbox.

Reads only.
"""

from starlette.requests import Request
from starlette.responses import Response

from leadroutes.domain.preview import preview
from leadroutes.engine import Engine
from leadroutes.errors import Invalid
from leadroutes.store.invitations import list_invitations_of
from leadroutes.store.outbox import (
    STATES,
    list_latest_leads,
    list_messages,
    list_open_offers,
    list_to_reassign,
    list_won_leads,
)
from leadroutes.store.postgres import Database
from leadroutes.web.pages import Pages
from leadroutes.web.sessions import Sessions

LARGEST_ID = 2**63 - 1


class HomePages:
    """`/` and `/outbox`."""

    def __init__(self, database: Database, engine: Engine, pages: Pages, sessions: Sessions) -> None:
        self._database = database
        self._engine = engine
        self._pages = pages
        self._sessions = sessions

    async def show_home(self, request: Request) -> Response:
        user = await self._sessions.find_user(request)
        if user is None:
            return self._sessions.ask_to_sign_in(request)
        offers = [
            (row, preview(row["first_name"], row["city"], row["type"], row["listing_price"]))
            for row in await list_open_offers(self._database, user.id)
        ]
        return self._pages.answer(
            "home.html",
            user=user,
            offers=offers,
            invitations=await list_invitations_of(self._database, user.id),
            won=await list_won_leads(self._database, user.id),
            leads=await list_latest_leads(self._database, user.id),
            ledger=await self._engine.ledger(user.id),
            to_reassign=await list_to_reassign(self._database, user.id),
        )

    async def show_outbox(self, request: Request) -> Response:
        user = await self._sessions.find_user(request)
        if user is None:
            return self._sessions.ask_to_sign_in(request)
        state = request.query_params.get("state") or None
        if state is not None and state not in STATES:
            raise Invalid(f"state: {state!r} was given; expected one of {', '.join(STATES)}.")
        outbox = await list_messages(self._database, user.id, state, _before(request.query_params.get("before")))
        return self._pages.answer("outbox.html", user=user, outbox=outbox, state=state, states=STATES)


def _before(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= LARGEST_ID):
        raise Invalid(f"before: {text[:40]!r} was given; expected the id of a message.")
    return int(text)
