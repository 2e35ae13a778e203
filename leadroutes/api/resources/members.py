"""Members of teams and invitations as one resource: the creator invites, the invited user answers."""

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.call import Context
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.access import MY_TEAMS
from leadroutes.api.resources.common import id_and_name, object_schema, record_id, reference
from leadroutes.api.sql_parts import object_sql
from leadroutes.api.values import Bool, Choice, EmailText, Id, quoted
from leadroutes.domain.identity import normal_email
from leadroutes.engine import memberships
from leadroutes.errors import Conflict, Forbidden, Invalid
from leadroutes.store import invitations as store

# Until an invitation is accepted it shows only what was sent, except to the invited user.
_IS_SHOWN = "(t.request_status = 'Accepted' OR t.user_id = $1)"
_IS_ASKED = "lower(t.email) = (SELECT lower(me.email) FROM users me WHERE me.id = $1)"
_MEMBERS_USER = ("id", "first_name", "last_name", "email", "username", "phone")


def _shown(name: str) -> str:
    if name == "id":
        return "t.user_id"
    otherwise = " ELSE t.email" if name == "email" else ""
    return f"CASE WHEN {_IS_SHOWN} THEN x.{name}{otherwise} END"


class TeamMemberBehaviour(Behaviour):
    """Adding a member is an invitation, changing one an answer to it, removing one ends the membership."""

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        if writing.before is not None:
            return {}
        if "team_id" not in found:
            await must_own_team(writing)
        return await must_be_one_user(writing, found)

    async def insert(self, writing: Writing) -> int:
        """Invites; a user who declined may be invited again. Raises Conflict for an open invitation or a member."""
        transaction, team_id = writing.transaction, writing.record["team_id"]
        user_id, email = writing.sent.get("user_id"), writing.sent.get("email")
        if user_id == writing.caller.user_id:
            member_id = await store.invite_user(transaction, writing.owner_id, team_id, user_id, is_accepted=True)
        else:
            await require_room_for_invitation(writing)
            if user_id is not None:
                member_id = await store.invite_user(transaction, writing.owner_id, team_id, user_id)
            else:
                assert email is not None
                address = normal_email(email)
                assert address is not None
                member_id = await store.invite_address(transaction, writing.owner_id, team_id, address)
        if member_id is None:
            raise Conflict("The user has been asked, or is a member, already")
        return member_id

    async def change_through(self, context: Context, writing: Writing) -> None:
        assert writing.id is not None
        await memberships.answer(
            context.database, writing.id, writing.caller.user_id, writing.sent["request_status"], act=writing.act
        )

    async def remove_through(self, context: Context, writing: Writing) -> None:
        assert writing.id is not None
        await memberships.remove(context.database, writing.id, writing.caller.user_id, writing.act)


async def must_be_one_user(writing: Writing, found: Errors) -> Errors:
    """Returns the faults of whom an invitation is for: user_id, of an active user, or email, and not both."""
    by_id, email = writing.sent.get("user_id"), writing.sent.get("email")
    if {"user_id", "email"} & set(found):
        return {}
    if (by_id is None) == (email is None):
        return {"user_id": "user_id or email is required, and not both"}
    if email is not None:
        if normal_email(email) is None:
            return {"email": f"email: {quoted(email)} was given; expected an address like bob@example.com"}
        return {}
    is_active = "SELECT EXISTS (SELECT FROM users WHERE id = $1 AND is_active)"
    if not await writing.transaction.fetchval(is_active, by_id):
        return {"user_id": f"user_id: {by_id} was given; expected an active user"}
    return {}


async def require_room_for_invitation(writing: Writing) -> None:
    """Raises Invalid while as many invitations of the caller are open as one may have."""
    if await store.count_open(writing.transaction, writing.owner_id) < store.MOST_OPEN:
        return
    name = "user_id" if writing.sent.get("email") is None else "email"
    message = f"{name}: {store.MOST_OPEN} invitations of yours are open; expected an answer to one of them first"
    raise Invalid.fields({name: message})


async def must_own_team(writing: Writing) -> None:
    """Raises Forbidden unless the caller created the team. That the caller sees it is checked before."""
    owner_id = await writing.transaction.fetchval("SELECT owner_id FROM teams WHERE id = $1", writing.record["team_id"])
    if owner_id is not None and owner_id != writing.caller.user_id:
        raise Forbidden("Only the creator of a team adds to it")


TEAM_MEMBERS = Resource(
    path="/team-members",
    is_audited_in_full=True,
    noun="a team member",
    page_about="A user's membership in a team: the creator invites, by id or by e-mail; the user accepts or declines."
    " Until it is accepted it shows only what was sent.",
    table="team_members",
    source="team_places t",
    is_lockable=False,
    fields=(
        record_id(),
        Field("request_status", Choice(("Accepted", "Pending", "Declined")), write=Write.LATER, null=False,
              note="accepting a team that shares contacts is consent to share them"),
        reference(
            "team_id", "/teams", "a team that you created", write=Write.ONCE, required=True, key="team",
            shows=id_and_name("teams", "x.owner_id = t.owner_id AND x.id = t.team_id"),
            schema=object_schema("id", "name"),
        ),
        Field(
            "user_id", Id(), write=Write.ONCE, null=False, key="user", sql=f"CASE WHEN {_IS_SHOWN} THEN t.user_id END",
            shows=object_sql(
                tuple((name, _shown(name)) for name in _MEMBERS_USER),
                "(SELECT) one LEFT JOIN users x ON x.id = t.user_id",
            ),
            schema=object_schema(*_MEMBERS_USER[1:], id=Id()),
        ),
        Field(
            "email", EmailText(255), write=Write.ONCE, column="", key="", filterable=False, note="instead of user_id"
        ),
        Field("is_sharing_accepted", Bool(), null=False, filterable=False,
              note="whether the member shares contacts with the team, where the team does"),
    ),
    methods="LGCPD",
    visible=f"t.user_id = $1 OR t.owner_id = $1 OR t.team_id = ANY ({MY_TEAMS}) OR {_IS_ASKED}",
    changeable=f"coalesce(t.user_id = $1 OR {_IS_ASKED}, false)",
    removable=f"coalesce(t.user_id = $1 OR t.owner_id = $1 OR {_IS_ASKED}, false)",
    selects={"team.id": "team_id", "user.id": "user_id"},
    behaviour=TeamMemberBehaviour(),
)  # fmt: skip
