"""Users, sub-accounts, teams, their members, and how offers reach those."""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

import secrets
from typing import Any

from leadroutes.api.call import Call, Rooms
from leadroutes.api.query import Query
from leadroutes.api.resource import Errors, Field, Resource, Write, Writing
from leadroutes.api.resources.access import MY_TEAMS, teammates
from leadroutes.api.resources.common import (
    created_at,
    flag,
    id_and_name,
    integer,
    modified_at,
    nested,
    object_schema,
    owner,
    record_id,
    reference,
    text,
    word,
)
from leadroutes.api.statements import object_sql
from leadroutes.api.values import Email, Id, Integer, OneOf, Text, Texts
from leadroutes.domain.identity import comparable_zipcode
from leadroutes.errors import Conflict, Forbidden, NotAuthenticated
from leadroutes.store.accounts import NewUser, add_user, hash_secret

# ------------------------------------------------------------------------------------------------------- users


async def _insert_user(writing: Writing) -> int:
    sent = {name: value for name, value in writing.sent.items() if value is not None}
    return await add_user(writing.transaction, NewUser(**sent))


async def _narrow_to_application(call: Call, query: Query, record_id: int | None) -> str:
    """`oauth_client_id`: the active users with a good token for that application of the caller's."""
    if query.oauth_client_id is None:
        return ""
    database = call.rooms.database
    row = await database.fetchrow("SELECT id, user_id FROM applications WHERE client_id = $1", query.oauth_client_id)
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


USER_FIELDS = (
    record_id(),
    text("first_name", 255),
    text("last_name", 255),
    Field("email", Email(255), write=Write.ONCE, required=True, note="unique"),
    text("username", 255, note="by default the e-mail"),
    Field("timezone_offset", Integer(), null=False, note="whole hours from GMT in standard time"),
    created_at(),
    modified_at(),
    text("timezone", 200, null=False, note="an IANA name; UTC by default"),
    text("phone", 45),
    Field("system_phone", Text(45), note="sends this user's text messages"),
    Field("profile_picture", Text(1000), filterable=False, note="address of the picture"),
    Field("password", Text(255), write=Write.ONCE, column="", key="", filterable=False, note="8 to 255 characters"),
)

USERS = Resource(
    path="/users",
    noun="a user",
    page_about="Whoever has an account. You see yourself and the members of teams that you are a member of.",
    table="users",
    fields=USER_FIELDS,
    methods="LGC",
    visible=f"t.id = $1 OR t.id = ANY (ARRAY({teammates('$1', sharing=False)}))"
    " OR (SELECT u.is_admin FROM users u WHERE u.id = $1)",
    creatable="(SELECT u.is_admin FROM users u WHERE u.id = $1)",
    order="t.id <> $1",
    owned=False,
    insert=_insert_user,
    narrow=_narrow_to_application,
    unique="The e-mail is in use already",
)

# ------------------------------------------------------------------------------------------------ sub-accounts


async def _check_sub_account(writing: Writing, found: Errors) -> Errors:
    user_id = writing.record.get("user_id")
    if writing.before is not None or user_id is None or "user_id" in found:
        return {}
    is_member = await writing.transaction.fetchval(
        "SELECT EXISTS (SELECT FROM team_members m WHERE m.owner_id = $1 AND m.user_id = $2"
        " AND m.request_status = 'Accepted' AND m.user_id <> $1)",
        writing.caller.user_id,
        user_id,
    )
    return {} if is_member else {"user_id": f"user_id: {user_id} was given; expected a member of a team of yours"}


async def _give_token(writing: Writing) -> None:
    """A broker who is an administrator may act as the user; the token is shown once and ends with the sub-account."""
    if writing.before is not None or not writing.caller.is_admin:
        return
    writing.notes["access_token"] = token = secrets.token_hex(20)
    await writing.transaction.execute(
        "WITH token AS (INSERT INTO access_tokens (user_id, token_hash, scope)"
        " SELECT user_id, $3, '{write}' FROM sub_accounts WHERE owner_id = $1 AND id = $2 RETURNING id)"
        " UPDATE sub_accounts SET token_id = token.id FROM token WHERE owner_id = $1 AND sub_accounts.id = $2",
        writing.owner_id,
        writing.id,
        hash_secret(token),
    )


async def _end_token(writing: Writing) -> None:
    await writing.transaction.execute(
        "DELETE FROM access_tokens WHERE id = (SELECT token_id FROM sub_accounts WHERE owner_id = $1 AND id = $2)",
        writing.owner_id,
        writing.id,
    )


def _token_given(_rooms: Rooms, writing: Writing) -> dict[str, Any]:
    return {"access_token": writing.notes.get("access_token")}


_SEES_BROKERS = (
    "user_can_see_broker_hotnesses",
    "is_lead_sources_enabled",
    "is_custom_fields_enabled",
    "is_contact_ownership_enabled",
    "is_contact_activity_settings_enabled",
    "is_lead_status_enabled",
    "is_contact_types_enabled",
)
_MAKES_OWN = (
    "user_can_create_own_hotnesses",
    "is_lead_sources_new_enabled",
    "is_custom_fields_new_enabled",
    "is_contact_ownership_new_enabled",
    "is_contact_activity_settings_new_enabled",
    "is_lead_status_new_enabled",
    "is_contact_types_new_enabled",
)

SUB_ACCOUNTS = Resource(
    path="/sub-accounts",
    noun="a sub-account",
    page_about="An agent's account under a broker's, and what the agent sees of the broker's. For brokers only.",
    table="sub_accounts",
    fields=(
        record_id(),
        reference("user_id", "/users", "a user", write=Write.ONCE, required=True),
        nested(
            "user",
            object_sql(
                tuple((each.name, each.kind.shown(f"x.{each.name}")) for each in USER_FIELDS if each.answer_key),
                "users x WHERE x.id = t.user_id",
            ),
            {"$ref": "#/components/schemas/User"},
        ),
        *(flag(name, default=False) for name in _SEES_BROKERS),
        *(flag(name, default=True) for name in _MAKES_OWN),
        Field("access_token", Text(40), column="", shows="NULL::text", filterable=False, note="given once"),
    ),
    methods="LGCPD",
    open_to=lambda caller: caller.is_broker,
    check=_check_sub_account,
    afterwards=_give_token,
    beforehand=_end_token,
    given_once=_token_given,
    unique="The user has a broker already",
)

# ------------------------------------------------------------------------------------------------------- teams

ORDER_METHODS = ("Rank", "Time", "Round Robin")


def _settle_team(record: dict[str, Any]) -> Errors:
    if record["order_method"] == "Time":
        record["mins_until_next_alert"] = 0
    zipcodes = (comparable_zipcode(each) for each in record["distribution_zipcodes"] or ())
    record["distribution_zipcodes"] = list(dict.fromkeys(each for each in zipcodes if each)) or None
    return {}


async def _after_team(writing: Writing) -> None:
    """The creator is a member from the start; minutes of members count under Time only."""
    if writing.before is None:
        await writing.transaction.execute(
            "INSERT INTO team_members (owner_id, team_id, user_id, request_status) VALUES ($1, $2, $1, 'Accepted')",
            writing.owner_id,
            writing.id,
        )
    elif writing.record["order_method"] != "Time":
        await writing.transaction.execute(
            "UPDATE team_member_distribution_options SET mins_until_lead_offer = 0"
            " WHERE owner_id = $1 AND team_id = $2 AND mins_until_lead_offer <> 0",
            writing.owner_id,
            writing.id,
        )


TEAMS = Resource(
    path="/teams",
    noun="a team",
    page_about="People who get offers of leads, and in which order. Seen by its members, changed by its creator.",
    table="teams",
    fields=(
        record_id(),
        owner(),
        text("name", 255, required=True),
        flag("is_contact_resource_sharing_enabled", default=False),
        word("order_method", OneOf(ORDER_METHODS), default="Rank"),
        integer("mins_until_next_alert", 0, default=0, note="minutes until the next rank is told; 0 under Time"),
        Field("distribution_zipcodes", Texts(45), write=Write.ALWAYS, filterable=False),
        word("offer_mode", OneOf(("Cumulative", "Exclusive")), default="Cumulative"),
    ),
    methods="LGCPUD",
    visible=f"t.owner_id = $1 OR t.id = ANY ({MY_TEAMS})",
    settle=_settle_team,
    afterwards=_after_team,
    needed_by={"lead_routes": "A lead route names this team"},
)

# ----------------------------------------------------------------------------------------------------- members


async def _check_member(writing: Writing, found: Errors) -> Errors:
    if writing.before is not None:
        return {}
    if "team_id" not in found:
        await _must_own_team(writing)
    by_id, email = writing.sent.get("user_id"), writing.sent.get("email")
    if by_id is None and email is None:
        return {} if {"user_id", "email"} & set(found) else {"user_id": "user_id or email is required"}
    row = await writing.transaction.fetchrow(
        "SELECT (SELECT id FROM users WHERE id = $1 AND is_active) AS by_id,"
        ' (SELECT id FROM users WHERE lower(email) = lower($2 COLLATE "C") AND is_active) AS by_email',
        by_id,
        email,
    )
    assert row is not None
    named = {row["by_id"]} if by_id is not None else set()
    named |= {row["by_email"]} if email is not None else set()
    if len(named) != 1 or None in named:
        name = "email" if by_id is None else "user_id"
        return {name: f"{name}: {writing.sent[name]} was given; expected one active user"}
    [writing.record["user_id"]] = named
    return {}


async def _must_own_team(writing: Writing) -> None:
    """The caller sees the team, or the reference would be wrong already; only its creator adds to it."""
    owner_id = await writing.transaction.fetchval("SELECT owner_id FROM teams WHERE id = $1", writing.record["team_id"])
    if owner_id is not None and owner_id != writing.caller.user_id:
        raise Forbidden("Only the creator of a team adds to it")


async def _insert_member(writing: Writing) -> int:
    """Who declined may be asked again; who is asked or in already is a conflict."""
    user_id = writing.record["user_id"]
    status = "Accepted" if user_id == writing.caller.user_id else "Pending"
    member_id: int | None = await writing.transaction.fetchval(
        "INSERT INTO team_members AS m (owner_id, team_id, user_id, request_status) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (owner_id, team_id, user_id) DO UPDATE SET request_status = excluded.request_status"
        " WHERE m.request_status = 'Declined' RETURNING id",
        writing.owner_id,
        writing.record["team_id"],
        user_id,
        status,
    )
    if member_id is None:
        raise Conflict("The user has been asked, or is a member, already")
    return member_id


_MEMBERS_USER = ("id", "first_name", "last_name", "email", "username", "phone")

TEAM_MEMBERS = Resource(
    path="/team-members",
    noun="a team member",
    page_about="A user's place in a team: asked by its creator, accepted or declined by the user.",
    table="team_members",
    fields=(
        record_id(),
        Field("request_status", OneOf(("Accepted", "Pending", "Declined")), write=Write.LATER, null=False),
        reference(
            "team_id", "/teams", "a team that you created", write=Write.ONCE, required=True, key="team",
            shows=id_and_name("teams", "x.owner_id = t.owner_id AND x.id = t.team_id"),
            schema=object_schema("id", "name"),
        ),
        Field(
            "user_id", Id(), write=Write.ONCE, null=False, key="user",
            shows=object_sql(tuple((name, f"x.{name}") for name in _MEMBERS_USER), "users x WHERE x.id = t.user_id"),
            schema=object_schema(*_MEMBERS_USER),
        ),
        Field("email", Email(255), write=Write.ONCE, column="", key="", filterable=False, note="instead of user_id"),
    ),
    methods="LGCPD",
    visible=f"t.user_id = $1 OR t.owner_id = $1 OR t.team_id = ANY ({MY_TEAMS})",
    changeable="t.user_id = $1",
    removable="t.user_id = $1 OR t.owner_id = $1",
    selects={"team.id": "team_id", "user.id": "user_id"},
    check=_check_member,
    insert=_insert_member,
)  # fmt: skip

# ----------------------------------------------------------------------------------------------------- options


async def _check_option(writing: Writing, found: Errors) -> Errors:
    record, errors = writing.record, {}
    if writing.before is None and "team_id" not in found:
        await _must_own_team(writing)
    if {"team_id", "user_id"} & set(found):
        return {}
    team = await writing.transaction.fetchrow(
        "SELECT t.order_method, m.user_id IS NOT NULL AS has_member,"
        " 1 + (SELECT coalesce(max(o.rank), 0) FROM team_member_distribution_options o"
        "      WHERE o.owner_id = t.owner_id AND o.team_id = t.id AND o.id IS DISTINCT FROM $4) AS next_rank"
        " FROM teams t LEFT JOIN team_members m ON m.owner_id = t.owner_id AND m.team_id = t.id AND m.user_id = $3"
        " AND m.request_status = 'Accepted' WHERE t.owner_id = $1 AND t.id = $2",
        writing.owner_id,
        record["team_id"],
        record["user_id"],
        writing.id,
    )
    if team is None:
        return {"team_id": f"team_id: {record['team_id']} was given; expected a team that you created"}
    before = writing.before or {}
    is_same = (before.get("team_id"), before.get("user_id")) == (record["team_id"], record["user_id"])
    if not team["has_member"] and not is_same:
        errors["user_id"] = f"user_id: {record['user_id']} was given; expected an accepted member of the team"
    if record["rank"] is None:
        record["rank"] = min(team["next_rank"], 2**31 - 1)
    if team["order_method"] != "Time":
        record["mins_until_lead_offer"] = 0
    return errors


DISTRIBUTION_OPTIONS = Resource(
    path="/team-member-distribution-options",
    noun="a distribution option",
    page_about="How offers of a team reach one of its members; without one a member gets none.",
    table="team_member_distribution_options",
    fields=(
        record_id(),
        reference("team_id", "/teams", "a team that you created", required=True),
        word("user_id", Id(), required=True, note="an accepted member of the team"),
        integer("rank", note="lowest first; by default one more than the highest of the team"),
        integer("mins_until_lead_offer", 0, default=0, note="under Time; otherwise 0"),
        flag("assign_automatically", required=True),
        flag("has_call_alert", default=False),
        flag("has_text_alert", default=False),
        flag("has_email_alert", default=False),
        integer("weight", 1, default=1, note="share of turns under Round Robin"),
    ),
    methods="LGCPUD",
    visible=f"t.owner_id = $1 OR t.team_id = ANY ({MY_TEAMS})",
    check=_check_option,
    unique="The member has a distribution option in this team already",
)

PEOPLE = (USERS, SUB_ACCOUNTS, TEAMS, TEAM_MEMBERS, DISTRIBUTION_OPTIONS)
