"""Delegates: users who act for an owner's account, from the invitation on."""

from typing import Any

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.common import created_at, object_schema, owner, record_id, reference, word
from leadroutes.api.resources.members import must_be_one_user, require_room_for_invitation
from leadroutes.api.sql_parts import object_sql
from leadroutes.api.values import Choice, EmailText, Id, Moment
from leadroutes.domain.identity import normal_email
from leadroutes.errors import Conflict
from leadroutes.store.invitations import invite_delegate

ROLES = ADMINISTRATOR, TEAM_LEAD = ("Administrator", "Team Lead")

# Until the invitation is accepted it shows only what was sent, except to the invited user.
_IS_SHOWN = "(t.accepted_at IS NOT NULL OR t.user_id = $1)"
_IS_ASKED = "coalesce(lower(t.email) = (SELECT lower(me.email) FROM users me WHERE me.id = $1), false)"
_USER = ("id", "first_name", "last_name", "email", "username", "phone")


def _shown(name: str) -> str:
    if name == "id":
        return "t.user_id"
    otherwise = " ELSE t.email" if name == "email" else ""
    return f"CASE WHEN {_IS_SHOWN} THEN x.{name}{otherwise} END"


class DelegateBehaviour(Behaviour):
    """Adding a delegate is an invitation, which the invited user accepts."""

    def normalize(self, record: dict[str, Any]) -> Errors:
        if record["role"] == ADMINISTRATOR:
            record["team_id"] = None
        elif record["role"] == TEAM_LEAD and record["team_id"] is None:
            return {"team_id": "team_id is required for a Team Lead"}
        return {}

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        if writing.before is not None:
            return {}
        if writing.sent.get("user_id") == writing.caller.user_id:
            return {"user_id": f"user_id: {writing.caller.user_id} was given; expected another user"}
        return await must_be_one_user(writing, found)

    async def insert(self, writing: Writing) -> int:
        """Invites; whoever declined may be invited again. Raises Conflict for an open invitation or a delegate."""
        record, email = writing.record, writing.sent.get("email")
        await require_room_for_invitation(writing)
        delegate_id = await invite_delegate(
            writing.transaction,
            writing.owner_id,
            role=record["role"],
            team_id=record["team_id"],
            user_id=writing.sent.get("user_id"),
            email=None if email is None else normal_email(email),
        )
        if delegate_id is None:
            raise Conflict("The user has been asked, or is a delegate, already")
        return delegate_id


DELEGATES = Resource(
    path="/delegates",
    is_audited_in_full=True,
    noun="a delegate",
    page_about="Who acts for an account: the owner invites, by id or by e-mail; it counts once it is accepted. Whoever"
    " acts for an account sends `X-Acting-For` with its `owner_user_id`.",
    table="delegates",
    fields=(
        record_id(),
        owner("owner_user_id"),
        Field(
            "user_id", Id(), write=Write.ONCE, null=False, key="user", column="user_id",
            sql=f"CASE WHEN {_IS_SHOWN} THEN t.user_id END",
            shows=object_sql(
                tuple((name, _shown(name)) for name in _USER), "(SELECT) one LEFT JOIN users x ON x.id = t.user_id"
            ),
            schema=object_schema(*_USER[1:], id=Id()),
        ),
        Field("email", EmailText(255), write=Write.ONCE, key="", filterable=False, note="instead of user_id"),
        word("role", Choice(ROLES), required=True,
             note="Administrator: all of the account but delegates and the owner's own data; Team Lead: of one team"),
        reference("team_id", "/teams", "a team that you created",
                  "EXISTS (SELECT FROM teams x WHERE x.owner_id = $2 AND x.id = {value})",
                  note="needed for a Team Lead; otherwise null"),
        Field("accepted_at", Moment(), note="null: not yet"),
        Field("declined_at", Moment()),
        created_at(),
    ),
    methods="LGCPD",
    visible=f"t.owner_id = $1 OR t.user_id = $1 OR {_IS_ASKED}",
    removable=f"t.owner_id = $1 OR coalesce(t.user_id = $1, false) OR {_IS_ASKED}",
    selects={"user.id": "user_id"},
    behaviour=DelegateBehaviour(),
)  # fmt: skip
