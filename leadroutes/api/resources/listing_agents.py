"""The agents of listings: who is offered the inquiries about a listing first."""

from typing import Any

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.resource import Resource
from leadroutes.api.resources.common import record_id, text, word
from leadroutes.api.values import Id
from leadroutes.domain.identity import comparable_mls_id
from leadroutes.domain.rule_fields import MOST_LISTINGS

_IS_MEMBER = (
    "SELECT EXISTS (SELECT FROM team_members m"
    " WHERE m.owner_id = $1 AND m.user_id = $2 AND m.request_status = 'Accepted')"
)


class ListingAgentBehaviour(Behaviour):
    """Compares listings without blanks and letter case; only a member of the owner's teams can be their agent."""

    def normalize(self, record: dict[str, Any]) -> Errors:
        if record["mls_id"] is not None and comparable_mls_id(record["mls_id"]) is None:
            return {"mls_id": f"mls_id: {record['mls_id'][:45]!r} was given; expected the number of a listing"}
        return {}

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        user_id = writing.record["user_id"]
        if "user_id" in found or user_id == (writing.before or {}).get("user_id"):
            return {}
        if await writing.transaction.fetchval(_IS_MEMBER, writing.owner_id, user_id):
            return {}
        message = f"user_id: {user_id} was given; expected an accepted member of a team that you created"
        return {"user_id": message}

    def derive(self, record: dict[str, Any]) -> dict[str, Any]:
        return {"mls_key": comparable_mls_id(record["mls_id"])}


LISTING_AGENTS = Resource(
    path="/listing-agents",
    is_audited_in_full=True,
    noun="a listing agent",
    page_about="Who is offered the inquiries about a listing first, before the usual line of a team.",
    table="listing_agents",
    fields=(
        record_id(),
        text("mls_id", 45, takes_number=True, required=True, note="compared without blanks and letter case"),
        word("user_id", Id(), required=True, note="an accepted member of a team of yours"),
    ),
    methods="LGCPD",
    most=MOST_LISTINGS,
    is_versioned=True,
    version="u.rules_version FROM users u WHERE u.id = $1",
    unique="The listing has an agent already",
    behaviour=ListingAgentBehaviour(),
)
