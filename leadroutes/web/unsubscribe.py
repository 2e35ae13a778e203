"""The page behind the link in every mail to a contact: looking changes nothing, its button ends the mails.

It names whoever the mails come from. Mail programs press the button by themselves (RFC 8058), so it may be pressed
from anywhere.
"""

from starlette.requests import Request
from starlette.responses import Response

from leadroutes.domain.unsubscribe import UnsubscribeLink
from leadroutes.errors import NotFound
from leadroutes.security.unsubscribe_token import read_unsubscribe_token
from leadroutes.store import statement
from leadroutes.store.postgres import Database
from leadroutes.store.suppressions import unsubscribe
from leadroutes.web.rendering import Pages


class UnsubscribePage:
    """`/unsubscribe/{token}`."""

    def __init__(self, database: Database, pages: Pages, secret: str) -> None:
        self._database = database
        self._pages = pages
        self._secret = secret

    async def show(self, request: Request) -> Response:
        return await self._answer(self._read(request), is_done=False)

    async def unsubscribe(self, request: Request) -> Response:
        link = self._read(request)
        await unsubscribe(self._database, link)
        return await self._answer(link, is_done=True)

    async def _answer(self, link: UnsubscribeLink, *, is_done: bool) -> Response:
        sender = await self._database.fetchrow(*statement("find_sender").bind(owner_id=link.owner_id))
        name, postal_address = (sender["name"], sender["postal_address"]) if sender is not None else ("", None)
        return self._pages.answer("unsubscribe.html", is_done=is_done, name=name, postal_address=postal_address)

    def _read(self, request: Request) -> UnsubscribeLink:
        found = read_unsubscribe_token(self._secret, request.path_params["token"])
        if found is None:
            raise NotFound("This link is not complete. Open it from the e-mail again, or copy all of it.")
        return found
