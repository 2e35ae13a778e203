"""The page behind the link that makes an e-mail a user's. Looking changes nothing; its button does.

Who has asked for it, leadroutes.engine.users knows.
"""

from starlette.requests import Request
from starlette.responses import Response

from leadroutes.engine.users import confirm_email, find_email_change
from leadroutes.errors import Conflict, NotFound
from leadroutes.store.postgres import Database
from leadroutes.web.rendering import Pages

OVER = "This link is over. Ask for the change again."


class EmailPage:
    """`/emails/{token}`."""

    def __init__(self, database: Database, pages: Pages) -> None:
        self._database = database
        self._pages = pages

    async def show(self, request: Request) -> Response:
        change = await find_email_change(self._database, request.path_params["token"])
        if change is None:
            raise NotFound(OVER)
        return self._pages.answer("email.html", change=change, email=None, problem=None)

    async def confirm(self, request: Request) -> Response:
        change = await find_email_change(self._database, request.path_params["token"])
        if change is None:
            raise NotFound(OVER)
        try:
            email = await confirm_email(self._database, request.path_params["token"])
        except Conflict as conflict:
            return self._pages.answer("email.html", 409, change=change, email=None, problem=conflict.message)
        return self._pages.answer("email.html", change=change, email=email, problem=None)
