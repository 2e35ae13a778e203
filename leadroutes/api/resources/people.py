"""Sub-accounts, teams, and how offers reach the members of teams."""

import secrets
from datetime import datetime
from typing import Any

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.call import Context
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.access import MY_TEAMS
from leadroutes.api.resources.common import flag, integer, nested, owner, record_id, reference, text, word
from leadroutes.api.resources.members import TEAM_MEMBERS, must_own_team
from leadroutes.api.resources.pauses import complete_pause, pause_fields, settle_pause
from leadroutes.api.resources.users import MARKS, USER_FIELDS, USERS
from leadroutes.api.sql_parts import object_sql
from leadroutes.api.values import Choice, Id, Text, Texts
from leadroutes.domain.identity import comparable_zipcode
from leadroutes.domain.model import ORDER_METHODS, WHEN_NOBODY
from leadroutes.domain.rule_fields import settle_option, settle_team
from leadroutes.engine.departures import end_sharing, withdraw_from_team
from leadroutes.engine.memberships import members_of
from leadroutes.store.accounts import hash_secret

# ------------------------------------------------------------------------------------------------ sub-accounts

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


class SubAccountBehaviour(Behaviour):
    """Issues a token of the sub-account to a broker who is an administrator, and revokes it at the end."""

    async def validate(self, writing: Writing, found: Errors) -> Errors:
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

    async def after_write(self, writing: Writing) -> None:
        """The token of an administrator's sub-account is shown once and ends with the sub-account."""
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

    def shown_once(self, _context: Context, writing: Writing) -> dict[str, Any]:
        return {"access_token": writing.notes.get("access_token")}

    async def before_delete(self, writing: Writing) -> None:
        await writing.transaction.execute(
            "DELETE FROM access_tokens WHERE id = (SELECT token_id FROM sub_accounts WHERE owner_id = $1 AND id = $2)",
            writing.owner_id,
            writing.id,
        )


SUB_ACCOUNTS = Resource(
    path="/sub-accounts",
    is_audited_in_full=True,
    noun="a sub-account",
    page_about="An agent's account under a broker's, and what the agent sees of the broker's. For brokers only.",
    table="sub_accounts",
    fields=(
        record_id(),
        reference("user_id", "/users", "a user", write=Write.ONCE, required=True),
        nested(
            "user",
            object_sql(
                tuple(
                    (each.name, each.kind.shown(f"x.{each.name}"))
                    for each in USER_FIELDS
                    if each.answer_key and each.name not in MARKS
                ),
                "users x WHERE x.id = t.user_id",
            ),
            {"$ref": "#/components/schemas/User"},
        ),
        *(flag(name, default=False) for name in _SEES_BROKERS),
        *(flag(name, default=True) for name in _MAKES_OWN),
        Field("access_token", Text(40), column="", shows="NULL::text", filterable=False, note="given once"),
    ),
    methods="LGCPD",
    allowed_for=lambda caller: caller.is_broker,
    unique="The user has a broker already",
    behaviour=SubAccountBehaviour(),
)

# ------------------------------------------------------------------------------------------------------- teams


class TeamBehaviour(Behaviour):
    """Keeps memberships and the sharing of contacts in step with the team."""

    def normalize(self, record: dict[str, Any]) -> Errors:
        settle_team(record)
        zipcodes = (comparable_zipcode(each) for each in record["distribution_zipcodes"] or ())
        record["distribution_zipcodes"] = list(dict.fromkeys(each for each in zipcodes if each)) or None
        return {}

    async def after_write(self, writing: Writing) -> None:
        """Makes the creator a member; clears the minutes of members unless the order is Time."""
        is_sharing = writing.record["is_contact_resource_sharing_enabled"]
        if writing.before is None:
            await writing.transaction.execute(
                "INSERT INTO team_members (owner_id, team_id, user_id, request_status, is_sharing_accepted)"
                " VALUES ($1, $2, $1, 'Accepted', $3)",
                writing.owner_id,
                writing.id,
                is_sharing,
            )
            return
        if writing.record["order_method"] != "Time":
            await writing.transaction.execute(
                "UPDATE team_member_distribution_options SET mins_until_lead_offer = 0"
                " WHERE owner_id = $1 AND team_id = $2 AND mins_until_lead_offer <> 0",
                writing.owner_id,
                writing.id,
            )
        if is_sharing != writing.before["is_contact_resource_sharing_enabled"]:
            await _ask_about_sharing(writing)

    async def before_delete(self, writing: Writing) -> None:
        assert writing.id is not None
        writing.notes["members"] = await members_of(writing.transaction, writing.owner_id, writing.id)
        await withdraw_from_team(writing.transaction, writing.owner_id, writing.id, writing.caller.user_id)

    async def after_delete(self, writing: Writing) -> None:
        await end_sharing(writing.transaction, writing.notes["members"])


async def _ask_about_sharing(writing: Writing) -> None:
    """Resets the consent to share: members of a team that did not share have not given it; the caller has."""
    assert writing.id is not None
    is_sharing = writing.record["is_contact_resource_sharing_enabled"]
    await writing.transaction.execute(
        "UPDATE team_members SET is_sharing_accepted = $3 AND user_id = $4 WHERE owner_id = $1 AND team_id = $2",
        writing.owner_id,
        writing.id,
        is_sharing,
        writing.caller.user_id,
    )
    await end_sharing(writing.transaction, await members_of(writing.transaction, writing.owner_id, writing.id))


TEAMS = Resource(
    path="/teams",
    is_audited_in_full=True,
    noun="a team",
    page_about="The agents who get offers of leads, and in which order. Seen by its members, changed by its creator.",
    table="teams",
    fields=(
        record_id(),
        owner(),
        text("name", 255, required=True),
        flag("is_contact_resource_sharing_enabled", default=False),
        word("order_method", Choice(ORDER_METHODS), default="Rank"),
        integer("mins_until_next_alert", 0, default=0, note="minutes until the next rank is notified; 0 under Time"),
        Field("distribution_zipcodes", Texts(45), write=Write.ALWAYS, filterable=False),
        word("offer_mode", Choice(("Cumulative", "Exclusive")), default="Cumulative"),
        flag("is_handover_free", default=False, note="members pass leads to each other without asking you"),
        flag("connect_on_claim", default=False, note="whoever claims in a call is connected to the person at once"),
        word(
            "when_nobody_is_available",
            Choice(WHEN_NOBODY),
            default="Owner",
            note="Owner: you are offered the lead; Hold: it waits for whoever is back; Offer Anyway: only pauses count",
        ),
    ),
    methods="LGCPUD",
    visible=f"t.owner_id = $1 OR t.id = ANY ({MY_TEAMS})",
    needed_by={"lead_routes": "A lead route names this team"},
    behaviour=TeamBehaviour(),
)

# ----------------------------------------------------------------------------------------------------- options


_CAP = "while there are as many"


class DistributionOptionBehaviour(Behaviour):
    """The option of an accepted member, with a rank."""

    def complete(self, record: dict[str, Any], now: datetime) -> None:
        complete_pause(record, now)

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        record, errors = writing.record, settle_pause(writing)
        if writing.before is None and "team_id" not in found:
            await must_own_team(writing)
        if {"team_id", "user_id"} & set(found):
            return errors
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
            return errors | {"team_id": f"team_id: {record['team_id']} was given; expected a team that you created"}
        before = writing.before or {}
        is_same = (before.get("team_id"), before.get("user_id")) == (record["team_id"], record["user_id"])
        if not team["has_member"] and not is_same:
            errors["user_id"] = f"user_id: {record['user_id']} was given; expected an accepted member of the team"
        if record["rank"] is None:
            record["rank"] = min(team["next_rank"], 2**31 - 1)
        settle_option(record, team["order_method"])
        return errors


DISTRIBUTION_OPTIONS = Resource(
    path="/team-member-distribution-options",
    is_audited_in_full=True,
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
        integer(
            "weight", 0, default=1, note="share of turns under Round Robin, of leads under Least Loaded; 0: never first"
        ),
        flag("has_night_calls", default=False, note="called between 22:00 and 07:00, too, instead of a text or e-mail"),
        *pause_fields("the member gets no offers of this team"),
        integer("max_open_leads", 0, note=f"no offers {_CAP}: open leads that the member has of yours; null: no cap"),
        integer("max_leads_per_day", 0, note=f"no offers {_CAP}: what the member got since 00:00 of the member's time"),
        integer("max_leads_per_week", 0, note=f"no offers {_CAP}: what the member got since Monday 00:00"),
    ),
    methods="LGCPUD",
    visible=f"t.owner_id = $1 OR t.team_id = ANY ({MY_TEAMS})",
    unique="The member has a distribution option in this team already",
    behaviour=DistributionOptionBehaviour(),
)

PEOPLE = (USERS, SUB_ACCOUNTS, TEAMS, TEAM_MEMBERS, DISTRIBUTION_OPTIONS)
