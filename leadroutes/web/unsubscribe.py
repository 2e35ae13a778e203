"""The page behind the link in every mail to a contact: looking changes nothing, its button ends the mails.

Mail programs press the button by themselves (RFC 8058), so it may be pressed from anywhere.
"""

from starlette.requests import Request
from starlette.responses import Response

from leadroutes.errors import NotFound
from leadroutes.store.outbox import unsubscribe_contact
from leadroutes.store.postgres import Database
from leadroutes.unsubscribing import read_unsubscribe_token
from leadroutes.web.pages import Pages


class UnsubscribePage:
    """`/unsubscribe/{token}`."""

    def __init__(self, database: Database, pages: Pages, secret: str) -> None:
        self._database = database
        self._pages = pages
        self._secret = secret

    async def show(self, request: Request) -> Response:
        self._read(request)
        return self._pages.answer("unsubscribe.html", is_done=False)

    async def unsubscribe(self, request: Request) -> Response:
        owner_id, contact_id = self._read(request)
        await unsubscribe_contact(self._database, owner_id, contact_id)
        return self._pages.answer("unsubscribe.html", is_done=True)

    def _read(self, request: Request) -> tuple[int, int]:
        found = read_unsubscribe_token(self._secret, request.path_params["token"])
        if found is None:
            raise NotFound("This link is not complete. Open it from the e-mail again, or copy all of it.")
        return found
