"""Who is signed in where, what happened at sign-ins, trusted browsers, and accounts whose password is not set yet.

Tokens of applications see and change none of it.
"""

from typing import Any

from leadroutes.api.auth import Caller
from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.call import Call, Context
from leadroutes.api.query import Query
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.common import computed, created_at, record_id
from leadroutes.api.resources.users import IS_ADMIN, MARKS, must_be_ones_own
from leadroutes.api.values import Bool, Choice, EmailText, Id, Moment, Text
from leadroutes.channels import configured_channels
from leadroutes.engine.ended_sessions import end_session
from leadroutes.engine.password_links import SentLink, invite_account
from leadroutes.engine.users import ChangedBy, change_user
from leadroutes.settings import Settings
from leadroutes.store.accounts import faults_of
from leadroutes.store.audit import note_act
from leadroutes.store.postgres import Transaction
from leadroutes.store.sign_ins import Method, SignInKind

_IS_SEEN = f"(t.user_id = $1 OR {IS_ADMIN})"


def _is_personal(caller: Caller) -> bool:
    return caller.application_id is None


def _moment(name: str, **about: Any) -> Field:
    """A moment that is stored more exactly than the API writes it."""
    return computed(name, Moment(), f"date_trunc('milliseconds', t.{name})", null=False, **about)


def _where(note: str) -> tuple[Field, ...]:
    return (
        Field("browser", Text(), note=note),
        Field("network", Text(), note="the address; of IPv6 its network of 64 bits"),
    )


class SignInBehaviour(Behaviour):
    """Lists what is one's own by its index; the rule for all would make a statement look through everyone's."""

    async def record_filter(self, call: Call, query: Query, record_id: int | None) -> str:  # noqa: ARG002
        return "" if call.caller.is_admin else "t.user_id = $1"


# ------------------------------------------------------------------------------------------------------ sessions


class SessionBehaviour(Behaviour):
    """To remove a session is to sign that browser out, which is logged."""

    async def delete(self, writing: Writing) -> None:
        assert writing.id is not None
        assert writing.before is not None
        await end_session(writing.transaction, writing.id, writing.before["user_id"], writing.caller.user_id)


SESSIONS = Resource(
    path="/sessions",
    noun="a session",
    page_about="Browsers that are signed in: your own; administrators see all, and sort theirs first. To remove one"
    " signs it out.",
    table="sessions",
    fields=(
        record_id(),
        Field("user_id", Id(), null=False),
        *_where("such as Firefox on Windows; null for sessions from before this was recorded"),
        _moment("created_at"),
        _moment("last_used_at", note="written at most once an hour"),
        _moment("expires_at", note="90 days after the last use"),
    ),
    methods="LGD",
    visible=f"{_IS_SEEN} AND t.expires_at > now()",
    changeable="true",
    order=("t.user_id <> $1", "t.last_used_at DESC"),
    owned=False,
    allowed_for=_is_personal,
    behaviour=SessionBehaviour(),
)


class TrustedBrowserBehaviour(Behaviour):
    """A browser that is removed is asked for the second factor again."""

    async def delete(self, writing: Writing) -> None:
        await writing.transaction.execute("DELETE FROM trusted_browsers WHERE id = $1", writing.id)


TRUSTED_BROWSERS = Resource(
    path="/trusted-browsers",
    noun="a trusted browser",
    page_about="Browsers of yours that are not asked for the second factor, each for 30 days.",
    table="trusted_browsers",
    fields=(
        record_id(),
        *_where("such as Firefox on Windows"),
        _moment("created_at"),
        _moment("expires_at"),
    ),
    methods="LGD",
    visible="t.user_id = $1 AND t.expires_at > now()",
    changeable="true",
    owned=False,
    allowed_for=_is_personal,
    behaviour=TrustedBrowserBehaviour(),
)

SIGN_INS = Resource(
    path="/sign-ins",
    noun="a sign-in",
    page_about="What happened at sign-ins, successful or not, for two years: your own; administrators see all.",
    table="sign_ins",
    fields=(
        record_id(),
        Field("user_id", Id(), note="null: no account has the e-mail that was given"),
        Field("by_user_id", Id(), note="who did it, if not the user"),
        Field("kind", Choice(tuple(each.value for each in SignInKind)), null=False),
        Field("method", Choice(tuple(each.value for each in Method)), note="by which means; null where that is clear"),
        *_where("such as Firefox on Windows; null where there was none"),
        created_at(),
    ),
    methods="LG",
    visible=_IS_SEEN,
    order=("t.id DESC",),
    owned=False,
    allowed_for=_is_personal,
    behaviour=SignInBehaviour(),
)

# --------------------------------------------------------------------------------------------------- invitations


def is_mailed(settings: Settings) -> bool:
    """Whether links go out by mail; if not, they are shown to the administrator who makes them."""
    return "email" in configured_channels(settings)


def shown_link(settings: Settings, made: SentLink) -> str | None:
    """Returns the address to copy; None where a mail carries it."""
    return f"{settings.public_url}/passwords/{made.token}" if made.token is not None else None


class UserInvitationBehaviour(Behaviour):
    """An invitation makes the account; one that is taken back closes it, as no one has its password."""

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        await must_be_ones_own(writing.transaction, writing.caller, {"password": None})
        return faults_of({name: value for name, value in writing.sent.items() if name not in found})

    async def create_through(self, context: Context, writing: Writing) -> int:
        mailed = is_mailed(context.settings)

        async def work(transaction: Transaction) -> SentLink:
            made = await invite_account(transaction, writing.sent, writing.caller.user_id, is_mailed=mailed)
            note_act(transaction, writing.act, record_id=made.id)
            return made

        made: SentLink = await context.database.run(work)
        writing.notes["link"] = shown_link(context.settings, made)
        return made.id

    def shown_once(self, _context: Context, writing: Writing) -> dict[str, Any]:
        return {"link": writing.notes["link"]}

    async def remove_through(self, context: Context, writing: Writing) -> None:
        assert writing.before is not None
        by = ChangedBy(writing.caller.user_id, token_hash=writing.caller.token_hash)
        await change_user(context.database, writing.before["user_id"], {"is_active": False}, by, writing.act)


_ACCOUNT_FIELDS = (("first_name", 255), ("last_name", 255), ("phone", 45), ("timezone", 200))
USER_INVITATIONS = Resource(
    path="/user-invitations",
    noun="a user invitation",
    page_about="Accounts whose users are to choose a password themselves, by a link that is good for 7 days, once. For"
    " administrators. To take an invitation back closes the account; POST /user-invitations/:id/send sends a new link.",
    table="password_links",
    source="password_links t JOIN users u ON u.id = t.user_id",
    fields=(
        record_id(),
        Field("user_id", Id(), null=False),
        Field("email", EmailText(255), write=Write.ONCE, required=True, column="", sql="u.email",
              note="a new one, or that of an account without a password"),
        *(Field(name, Text(length), write=Write.ONCE, column="", sql=f"u.{name}", null=name != "timezone")
          for name, length in _ACCOUNT_FIELDS),
        *(Field(name, Bool(), write=Write.ONCE, column="", sql=f"u.{name}", null=False, filterable=False)
          for name in MARKS if name != "is_active"),
        computed("is_expired", Bool(), "(t.expires_at <= now())", null=False),
        _moment("created_at"),
        _moment("expires_at"),
        Field("link", Text(), column="", shows="NULL::text", filterable=False,
              note="given once, where no mail channel is configured"),
    ),
    methods="LGCD",
    visible=f"{IS_ADMIN} AND t.purpose = 'invitation' AND t.used_at IS NULL AND u.is_active",
    changeable=IS_ADMIN,
    creatable=IS_ADMIN,
    order=("t.id DESC",),
    owned=False,
    allowed_for=_is_personal,
    unique="The e-mail is in use already",
    behaviour=UserInvitationBehaviour(),
)  # fmt: skip

SIGN_IN_RESOURCES = (SESSIONS, TRUSTED_BROWSERS, SIGN_INS, USER_INVITATIONS)
