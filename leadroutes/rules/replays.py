"""Makes the stored decision about a lead again. Writes nothing."""

from collections.abc import Iterable

from leadroutes.domain.replaying import Replay, StoredDecision, replay
from leadroutes.errors import Invalid, NotFound
from leadroutes.store.leads import find_owner, load_leads, was_given_back
from leadroutes.store.postgres import Database
from leadroutes.store.routing import RuleSets


async def replay_lead(database: Database, lead_id: int, channels: Iterable[str]) -> Replay:
    """Returns both decisions. Raises NotFound for an unknown lead, Invalid for one that no rules have decided."""
    owner_id = await find_owner(database, lead_id)
    if owner_id is None:
        raise NotFound.record(lead_id)
    rule_sets = RuleSets(channels=frozenset(channels))
    async with database.transaction() as transaction:
        [row] = await load_leads(transaction, rule_sets, [(owner_id, lead_id)])
        if row.rule_set is None or row.facts is None or row.routed_at is None:
            raise Invalid(f"The lead {lead_id} has not been decided by rules")
        is_given_back = await was_given_back(transaction, owner_id, lead_id)
        found = await rule_sets.load_by_number(transaction, {(owner_id, row.rule_set)})
    stored = StoredDecision(
        lead_id=lead_id, routed_at=row.routed_at, facts=row.facts, route_id=row.route_id, team_id=row.team_id,
        offers=row.lead.offers, was_given_back=is_given_back,
    )  # fmt: skip
    return replay(found[owner_id, row.rule_set], stored)
