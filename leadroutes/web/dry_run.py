"""Trying out what a lead source sends: a user pastes a body and sees what would be read and where it would go.

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
from leadroutes.store.sessions import SessionUser
from leadroutes.web.forms import read_form, read_id
from leadroutes.web.pages import Pages
from leadroutes.web.sessions import Sessions

LARGEST = 524_288  # bytes of a form; letters that are escaped take three
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
        return await self._answer(await self._sessions.get_user(request), {}, None)

    async def dry_run_body(self, request: Request) -> Response:
        user = await self._sessions.get_user(request)
        form = await read_form(request, self._timeout, LARGEST)
        kind = form.get("kind", "")
        if kind not in KINDS:
            raise Invalid(f"kind: {kind[:40]!r} was given; expected one that the page offers.")
        headers = {"Content-Type": kind} if kind else {}
        key_id = read_id(form.get("key"))
        if not key_id:
            raise Invalid("key: expected one of your intake keys.")
        result = await dry_run_body(self._database, user.id, key_id, form.get("body", "").encode(), headers)
        return await self._answer(user, form, result)

    async def _answer(self, user: SessionUser, form: dict[str, str], result: dict[str, Any] | None) -> Response:
        keys = await self._database.fetch(*statement("list_own_intake_keys").bind(owner_id=user.id))
        people = await self._database.fetch(*statement("find_display_names").bind(user_ids=sorted(_people(result))))
        return self._pages.answer(
            "try.html",
            user=user,
            keys=keys,
            kinds=KINDS,
            form=form,
            result=result,
            read=_shown(result),
            names={row["id"]: row["name"] for row in people},
        )


def _people(result: dict[str, Any] | None) -> set[int]:
    """Whom the answer names."""
    routings = [lead["routing"] for lead in result["leads"] if lead["routing"]] if result else []
    return {member["user_id"] for routing in routings for member in routing["members"]}


def _shown(result: dict[str, Any] | None) -> str:
    return msgspec.json.format(msgspec.json.encode(result["read"]), indent=2).decode() if result else ""
