"""What someone who is signed in sees: their offers, their leads, and, of their own account, figures and the outbox.

Changes nothing, but that a message which failed is sent again.
"""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from leadroutes.domain.preview import preview
from leadroutes.engine.engine import Engine
from leadroutes.errors import Invalid
from leadroutes.settings import Settings
from leadroutes.settings.warnings import warnings_of
from leadroutes.store.channel_faults import list_channel_faults
from leadroutes.store.invitations import list_invitations_of
from leadroutes.store.messages import retry_message
from leadroutes.store.outbox import (
    STATES,
    list_latest_leads,
    list_messages,
    list_open_offers,
    list_to_reassign,
    list_won_leads,
)
from leadroutes.store.postgres import Database
from leadroutes.web.forms import read_form, read_id
from leadroutes.web.pages import Pages
from leadroutes.web.sessions import Sessions

STATE_NAMES = {
    "queued": "waiting", "sending": "on the way", "sent": "sent", "failed": "failed", "suppressed": "not sent",
    "unknown": "uncertain",
}  # fmt: skip
CHANNELS = {"email": "E-mail", "text": "Texting", "call": "Calling", "webhook": "The webhook"}
TITLES = {  # of messages that have no subject: texts and calls, and what has not been made yet
    "offer": "New lead",
    "won": "A lead was assigned",
    "claimed": "A lead was claimed",
    "unclaimed": "No one claimed a lead",
    "campaign": "Follow-up",
    "invitation": "Invitation into a team",
    "email_change": "A new e-mail address",
    "email_changing": "Change of the e-mail address",
}


class HomePages:
    """`/` and `/outbox`."""

    def __init__(
        self, database: Database, engine: Engine, pages: Pages, sessions: Sessions, settings: Settings
    ) -> None:
        self._database = database
        self._engine = engine
        self._pages = pages
        self._sessions = sessions
        self._timeout = settings.body_timeout
        self._warnings = warnings_of(settings)

    async def show_home(self, request: Request) -> Response:
        user = await self._sessions.get_user(request)
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
            faults=await list_channel_faults(self._database),
            channels=CHANNELS,
            warnings=self._warnings if user.is_admin else [],
        )

    async def show_outbox(self, request: Request) -> Response:
        user = await self._sessions.get_user(request)
        state, before = _page_of(request.query_params)
        return self._pages.answer(
            "outbox.html",
            user=user,
            outbox=await list_messages(self._database, user.id, state, before),
            state=state,
            before=before,
            states=STATE_NAMES,
            titles=TITLES,
        )

    async def send_again(self, request: Request) -> Response:
        """The button beside a message that failed; afterwards the same part of the outbox."""
        user = await self._sessions.get_user(request, comes_back=True)
        form = await read_form(request, self._timeout)
        if form.get("do") != "retry":
            raise Invalid("do: expected one of the page's buttons.")
        message_id = read_id(form.get("id"))
        if message_id is None:
            raise Invalid("id: expected the id of a message.")
        state, before = _page_of(form)
        await retry_message(self._database, user.id, message_id)
        shown = [f"{name}={value}" for name, value in (("state", state), ("before", before)) if value]
        return self._pages.go_to("/outbox" + ("?" + "&".join(shown) if shown else ""))


def _page_of(given: Mapping[str, str]) -> tuple[str | None, int | None]:
    """Which part of the outbox: the state that is shown, and the message before which it begins."""
    state = given.get("state") or None
    if state is not None and state not in STATES:
        raise Invalid(f"state: {state[:40]!r} was given; expected one of {', '.join(STATES)}.")
    before = given.get("before") or None
    message_id = read_id(before)
    if before is not None and message_id is None:
        raise Invalid(f"before: {before[:40]!r} was given; expected the id of a message.")
    return state, message_id
