"""Trying out what a lead source sends: somebody pastes a body and sees what would be read and where it would go.

Nothing of it is stored.
"""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from leadroutes.errors import Invalid
from leadroutes.ingest.dry_run import dry_run_body
from leadroutes.store import statement
from leadroutes.store.postgres import Database
from leadroutes.web.forms import read_form
from leadroutes.web.headers import is_cross_site
from leadroutes.web.pages import Pages
from leadroutes.web.sessions import Sessions

LARGEST = 524_288  # bytes of a form; letters that are escaped take three
LARGEST_ID = 2**63 - 1
KINDS = {
    "": "whatever it looks like",
    "application/json": "JSON",
    "application/x-www-form-urlencoded": "a form",
    "text/xml": "XML",
    "message/rfc822": "a mail",
}


class TrialPages:
    """`/try`."""

    def __init__(self, database: Database, pages: Pages, sessions: Sessions, timeout: float) -> None:
        self._database = database
        self._pages = pages
        self._sessions = sessions
        self._timeout = timeout

    async def show(self, request: Request) -> Response:
        return await self._answer(request, {}, None)

    async def dry_run_body(self, request: Request) -> Response:
        if is_cross_site(request, self._pages.public_url):
            return self._pages.refuse_cross_site()
        user = await self._sessions.find_user(request)
        if user is None:
            return self._sessions.ask_to_sign_in(request)
        form = await read_form(request, self._timeout, LARGEST)
        kind = form.get("kind", "")
        if kind not in KINDS:
            raise Invalid(f"kind: {kind[:40]!r} was given; expected one that the page offers.")
        headers = {"Content-Type": kind} if kind else {}
        told = await dry_run_body(self._database, user.id, _id(form.get("key")), form.get("body", "").encode(), headers)
        return await self._answer(request, form, told)

    async def _answer(self, request: Request, form: dict[str, str], told: dict[str, Any] | None) -> Response:
        user = await self._sessions.find_user(request)
        if user is None:
            return self._sessions.ask_to_sign_in(request)
        keys = await self._database.fetch(*statement("list_own_intake_keys").bind(owner_id=user.id))
        people = await self._database.fetch(*statement("find_display_names").bind(user_ids=sorted(_people(told))))
        return self._pages.answer(
            "try.html",
            user=user,
            keys=keys,
            kinds=KINDS,
            form=form,
            told=told,
            read=_shown(told),
            names={row["id"]: row["name"] for row in people},
        )


def _id(text: str | None) -> int:
    if not (text and text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) <= LARGEST_ID):
        raise Invalid("key: expected one of your intake keys.")
    return int(text)


def _people(told: dict[str, Any] | None) -> set[int]:
    """Whom the answer names."""
    routings = [lead["routing"] for lead in told["leads"] if lead["routing"]] if told else []
    return {member["user_id"] for routing in routings for member in routing["members"]}


def _shown(told: dict[str, Any] | None) -> str:
    return msgspec.json.format(msgspec.json.encode(told["read"]), indent=2).decode() if told else ""
