"""Invitations into teams, or to act for an account: the page behind the link in a mail, the buttons on the home page.

Looking answers nothing. What follows from an answer, leadroutes.engine.memberships knows.
"""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from leadroutes.domain.audit_row import AuditRow
from leadroutes.engine import memberships
from leadroutes.engine.password_links import set_first_password
from leadroutes.errors import Conflict, Forbidden, Invalid, NotFound
from leadroutes.store.accounts import NewUser, add_user
from leadroutes.store.invitations import Invitation, find_invitation
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.sessions import SessionUser
from leadroutes.store.sign_ins import Method, SignInKind, log_sign_in
from leadroutes.web.audit import row_of_page
from leadroutes.web.forms import read_form, read_id
from leadroutes.web.plain_words import in_plain_words
from leadroutes.web.rendering import Pages
from leadroutes.web.sent import Form, plain_form
from leadroutes.web.sessions import Sessions, origin_of

ANSWERS = {"accept": "Accepted", "decline": "Declined"}
LONGEST_NAME = 255


class InvitationPages:
    """`/invitations/{token}` for whoever has the link, `/invitations` for what the home page sends."""

    def __init__(self, database: Database, pages: Pages, sessions: Sessions, timeout: float) -> None:
        self._database = database
        self._pages = pages
        self._sessions = sessions
        self._timeout = timeout

    async def show(self, request: Request) -> Response:
        return self._shown(await self._of_link(request), await self._sessions.find_user(request))

    async def answer(self, request: Request) -> Response:
        """The form says what is to be done: accept, decline, or join (with a new account)."""
        invitation = await self._of_link(request)
        form = await read_form(request, self._timeout)
        user = await self._sessions.find_user(request)
        match form.get("do"):
            case "decline":
                return await self._decline(request, user)
            case "accept":
                return await self._accept(invitation, await self._sessions.get_user(request, comes_back=True), form)
            case "join" if user is None and _can_join(invitation):
                return await self._join(request, invitation, form)
        raise Invalid("do: expected one of the page's buttons.")

    async def answer_own(self, request: Request) -> Response:
        """From the home page: the id of the member or of the invitation, and accept or decline."""
        user = await self._sessions.get_user(request)
        form = await read_form(request, self._timeout)
        member_id, status = read_id(form.get("id")), ANSWERS.get(form.get("do", ""))
        if status is None or member_id is None:
            raise Invalid("do: expected one of the page's buttons.")
        try:
            await memberships.answer(
                self._database, member_id, user.id, status, agrees=_agrees(form), act=_act(member_id, user.id)
            )
        except Forbidden:
            raise NotFound("This invitation is over.") from None
        return self._pages.go_to("/")

    async def _of_link(self, request: Request) -> Invitation:
        invitation = await find_invitation(self._database, request.path_params["token"])
        if invitation is None:
            raise NotFound("This invitation is over, or was taken back. Whoever sent it can send another one.")
        return invitation

    async def _accept(self, invitation: Invitation, user: SessionUser, form: dict[str, str]) -> Response:
        if _is_for_another(invitation, user):
            return self._shown(invitation, user, status=403)
        await memberships.answer(
            self._database,
            invitation.id,
            user.id,
            "Accepted",
            agrees=_agrees(form),
            has_link=True,
            act=_act(invitation.id, user.id),
        )
        return self._pages.go_to("/")

    async def _decline(self, request: Request, user: SessionUser | None) -> Response:
        invitation = await self._of_link(request)

        async def work(transaction: Transaction) -> None:
            await memberships.decline_by_link(transaction, invitation.id, is_delegation=invitation.role is not None)

        await self._database.run(work)
        return self._shown(await self._of_link(request), user)

    async def _join(self, request: Request, invitation: Invitation, form: dict[str, str]) -> Response:
        """An account with the address that the link was sent to, a member from the start, and signed in.

        Its time zone is that of the inviter until its user sets another.

        An account that was made without a password gets one.
        """
        wanted = NewUser(
            email=invitation.email or "",
            password=form.get("password", ""),
            first_name=form.get("first_name", "").strip()[:LONGEST_NAME] or None,
            last_name=form.get("last_name", "").strip()[:LONGEST_NAME] or None,
            timezone=invitation.inviter_timezone,
        )

        async def work(transaction: Transaction) -> int:
            user_id = await _account(transaction, invitation.passwordless_user_id, wanted)
            await log_sign_in(transaction, user_id, SignInKind.PASSWORD_SET, origin_of(request), method=Method.LINK)
            await memberships.set_status(
                transaction, invitation.id, user_id, "Accepted", agrees=_agrees(form), has_link=True
            )
            return user_id

        try:
            user_id = await self._database.run(work)
        except (Invalid, Conflict) as problem:
            errors = in_plain_words(problem.errors)
            return self._shown(invitation, None, status=400, form=plain_form(form, errors), problem=problem.message)
        return await self._sessions.enter(request, user_id, wanted.email, "/", Method.LINK)

    def _shown(
        self,
        invitation: Invitation,
        user: SessionUser | None,
        *,
        status: int = 200,
        form: Form | None = None,
        problem: str | None = None,
    ) -> Response:
        return self._pages.answer(
            "invitation.html",
            status,
            user=user,
            invitation=invitation,
            can_join=_can_join(invitation),
            is_for_another=user is not None and _is_for_another(invitation, user),
            form=form or plain_form(),
            problem=problem,
        )


def _can_join(invitation: Invitation) -> bool:
    """Whether whoever has the link may choose a password: no one else has."""
    is_new = invitation.email is not None and not invitation.has_account
    return is_new or invitation.passwordless_user_id is not None


async def _account(transaction: Transaction, passwordless_user_id: int | None, wanted: NewUser) -> int:
    if passwordless_user_id is None:
        return await add_user(transaction, wanted)
    password, first_name, last_name = wanted.password or "", wanted.first_name, wanted.last_name
    await set_first_password(transaction, passwordless_user_id, password, first_name, last_name)
    return passwordless_user_id


def _act(member_id: int, user_id: int) -> AuditRow:
    """Returns what the audit has of an answer; whose account it is about is known where it is written."""
    return replace(row_of_page(user_id, user_id, "/team-members", member_id), method="PATCH")


def _agrees(form: dict[str, str]) -> bool:
    """Whether the page that sent the form said that the team shares contacts."""
    return form.get("sharing") == "yes"


def _is_for_another(invitation: Invitation, user: SessionUser) -> bool:
    """One that was sent to an e-mail is for whoever opens it."""
    return invitation.user_id is not None and invitation.user_id != user.id
