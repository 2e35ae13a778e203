"""Users: accounts, how an administrator changes them, and how users change their own."""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from leadroutes.api.auth import Caller
from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.call import Call, Context
from leadroutes.api.query import Query
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.access import teammates
from leadroutes.api.resources.common import created_at, modified_at, record_id, text
from leadroutes.api.values import Bool, EmailText, Id, Integer, Text
from leadroutes.engine import users
from leadroutes.errors import Forbidden, NotAuthenticated
from leadroutes.store.accounts import NewUser, add_user, faults_of
from leadroutes.store.postgres import Database, Transaction

IS_ADMIN = "(SELECT u.is_admin FROM users u WHERE u.id = $1)"
MARKS = ("is_active", "is_admin", "is_broker")
_IS_LENT = (
    "SELECT EXISTS (SELECT FROM sub_accounts s JOIN access_tokens a ON a.id = s.token_id WHERE a.token_hash = $1)"
)
GUARDED = frozenset({"email", "password", *MARKS})  # not changed by tokens of applications and of sub-accounts


def _mark(name: str, note: str) -> Field:
    """A flag that only administrators see and change."""
    return Field(
        name, Bool(), write=Write.LATER, null=False, filterable=False, note=f"{note}; answered to administrators alone",
        shows=f"CASE WHEN {IS_ADMIN} THEN t.{name} END", schema={"type": ["boolean", "null"]},
        is_for_administrators=True,
    )  # fmt: skip


USER_FIELDS = (
    record_id(),
    text("first_name", 255),
    text("last_name", 255),
    Field("email", EmailText(255), write=Write.ALWAYS, required=True, note="unique"),
    text("username", 255, note="by default the e-mail"),
    Field("timezone_offset", Integer(), null=False, note="whole hours from GMT in standard time"),
    created_at(),
    modified_at(),
    text("timezone", 200, null=False, note="an IANA name; UTC by default"),
    text("phone", 45),
    Field("system_phone", Text(45), note="sends this user's text messages"),
    Field("profile_picture", Text(1000), write=Write.LATER, filterable=False, note="address of the picture"),
    Field("password", Text(255), write=Write.ALWAYS, column="", key="", filterable=False, note="8 to 255 characters"),
    _mark("is_active", "false: no sign-in, no token works"),
    _mark("is_admin", "changes users"),
    _mark("is_broker", "has sub-accounts"),
    Field("postal_address", Text(), write=Write.LATER, key="", filterable=False, note="answered by /me alone"),
    Field("successor_user_id", Id(), write=Write.LATER, column="", key="", filterable=False,
          note="with is_active false: who gets the intake keys, lead routes and teams, and the listings"),
)  # fmt: skip


class UserBehaviour(Behaviour):
    """A change of a user has consequences beyond the row, so the engine makes it."""

    async def record_filter(self, call: Call, query: Query, record_id: int | None) -> str:
        """With `oauth_client_id`: the active users with a valid token for that application of the caller."""
        if query.oauth_client_id is None:
            return ""
        database = call.context.database
        row = await database.fetchrow(
            "SELECT id, user_id FROM applications WHERE client_id = $1", query.oauth_client_id
        )
        if row is None:
            raise Forbidden("There is no such application")
        if row["user_id"] != call.caller.user_id:
            raise NotAuthenticated("The application is not yours")
        among = (
            "t.is_active AND EXISTS (SELECT FROM access_tokens a WHERE a.user_id = t.id AND a.application_id = {} AND"
            " a.revoked_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > now())) AND $1::bigint IS NOT NULL"
        )
        if record_id is not None:
            found = await database.fetchval(
                f"SELECT EXISTS (SELECT FROM users t WHERE t.id = $3 AND {among.format('$2')})",
                call.caller.user_id,
                row["id"],
                record_id,
            )
            if not found:
                raise NotAuthenticated("This user has no valid token for the application")
        return among.format(query.bind(row["id"], "bigint"))

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        """Checks a change; the store checks a new user."""
        if writing.before is None:
            return {}
        await must_be_ones_own(writing.transaction, writing.caller, writing.sent)
        return faults_of({name: value for name, value in writing.sent.items() if name not in found})

    async def insert(self, writing: Writing) -> int:
        sent = {name: value for name, value in writing.sent.items() if value is not None}
        return await add_user(writing.transaction, NewUser(**sent))

    async def change_through(self, context: Context, writing: Writing) -> None:
        assert writing.id is not None
        by = users.ChangedBy(writing.caller.user_id, token_hash=writing.caller.token_hash)
        await users.change_user(context.database, writing.id, dict(writing.sent), by, writing.act)


async def must_be_ones_own(source: Database | Transaction, caller: Caller, sent: Mapping[str, Any]) -> None:
    """Raises Forbidden if the token of an application or of a sub-account would change a field of GUARDED."""
    if not GUARDED & set(sent):
        return
    if caller.application_id is not None or await source.fetchval(_IS_LENT, caller.token_hash):
        raise Forbidden("The token of an application or of a sub-account changes neither e-mail nor password nor marks")


USERS = Resource(
    path="/users",
    is_audited_in_full=True,
    noun="a user",
    page_about="An account. You see yourself and the members of teams that you are a member of;"
    " administrators see and change all.",
    table="users",
    fields=USER_FIELDS,
    methods="LGCP",
    visible=f"t.id = $1 OR t.id = ANY (ARRAY({teammates('$1', sharing=False)})) OR {IS_ADMIN}",
    changeable=IS_ADMIN,
    creatable=IS_ADMIN,
    order=("t.id <> $1",),
    owned=False,
    unique="The e-mail is in use already",
    behaviour=UserBehaviour(),
)

# The caller's own account, at /me: not in RESOURCES, but read, described and answered by the same rules.
_OWN = tuple(
    replace(each, key=each.name) if each.name == "postal_address" else each
    for each in USER_FIELDS
    if each.name not in (*MARKS, "successor_user_id")
)
ME = replace(
    USERS,
    path="/me",
    noun="an own account",
    fields=(
        *_OWN,
        Field("current_password", Text(255), write=Write.LATER, column="", key="", filterable=False,
              note="needed to change email or password"),
    ),
    methods="GP",
    changeable="true",
    behaviour=Behaviour(),
)  # fmt: skip
