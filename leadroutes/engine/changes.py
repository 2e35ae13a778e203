"""Applies what was decided about leads: writes it, notes it, starts the campaigns that wait for a claim.

It decides nothing; who calls it holds the locks of these leads.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from leadroutes.domain.model import Change, Decision, RuleSet
from leadroutes.engine.campaigns import campaign_start, start_campaigns
from leadroutes.errors import Conflict
from leadroutes.observability.lead_log import log_changes
from leadroutes.store import statement
from leadroutes.store.contacts import load_contacts
from leadroutes.store.leads import Applied, LeadRow, apply_changes
from leadroutes.store.postgres import Transaction
from leadroutes.store.routing import RuleSets


async def change_leads(
    transaction: Transaction, rule_sets: RuleSets, changes: Sequence[tuple[LeadRow, Change]]
) -> None:
    """Each lead as it stood before, with what becomes of it; every lead at most once."""
    if not changes:
        return
    applied = [
        Applied(
            change=change,
            contact_id=row.contact_id,
            offered={offer.user_id for offer in row.lead.offers},
            is_replacement=change.claim is not None and row.lead.claim is not None,
        )
        for row, change in changes
    ]
    await apply_changes(transaction, applied)
    transaction.after_commit.append(partial(log_changes, applied, transaction.now))
    first_claimed = [
        replace(row, lead=change.lead) for row, change in changes if change.claim and row.lead.claim is None
    ]
    await _start_at_claim(transaction, rule_sets, [row for row in first_claimed if row.route_id is not None])


async def _start_at_claim(transaction: Transaction, rule_sets: RuleSets, rows: Sequence[LeadRow]) -> None:
    """The campaigns of routes whose campaign_start is Claim."""
    stored_rule_sets = await rule_sets.load_by_number(
        transaction, {(row.lead.owner_id, row.rule_set) for row in rows if row.rule_set is not None}
    )
    decided = [(row, decision) for row in rows if (decision := _stored_decision(row, stored_rule_sets)) is not None]
    starting = [
        (row, decision)
        for row, decision in decided
        if decision.route is not None and decision.route.campaign_start == "Claim"
    ]
    contacts = await load_contacts(transaction, {(row.lead.owner_id, row.contact_id) for row, _ in starting})
    starts = [
        campaign_start(
            decision,
            stored_rule_sets[row.lead.owner_id, row.rule_set or 0],
            contacts[row.lead.owner_id, row.contact_id],
        )
        for row, decision in starting
    ]
    await start_campaigns(transaction, [start for start in starts if start is not None])


def _stored_decision(row: LeadRow, stored_rule_sets: Mapping[tuple[int, int], RuleSet]) -> Decision | None:
    """What a lead keeps of the decision about it, as far as its campaign needs it."""
    rule_set = stored_rule_sets.get((row.lead.owner_id, row.rule_set or 0))
    if rule_set is None or row.facts is None:
        return None
    route = next((route for route in rule_set.rules.routes if route.id == row.route_id), None)
    change = Change(lead=row.lead, claim=row.lead.claim)
    return Decision(facts=row.facts, change=change, route=route, team_id=row.team_id)


# ------------------------------------------------------------------------------------------------- what losers read


async def name_winners(transaction: Transaction, conflicts: Iterable[Conflict]) -> list[Conflict]:
    """The same conflicts, with the winner's name where there is one."""
    given = list(conflicts)
    winners = {conflict.data["claimed_by_user_id"] for conflict in given if conflict.data is not None}
    rows = await transaction.fetch(*statement("find_display_names").bind(user_ids=sorted(winners))) if winners else []
    names = {row["id"]: row["name"] for row in rows}
    return [
        conflict
        if conflict.data is None
        else _claimed_conflict(names, conflict.data["claimed_by_user_id"], conflict.data["claimed_at"])
        for conflict in given
    ]


def _claimed_conflict(names: Mapping[int, str], user_id: int, claimed_at: datetime) -> Conflict:
    """The one sentence that every loser reads."""
    at = claimed_at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{claimed_at.microsecond // 1000:03d}Z"
    return Conflict(
        f"This lead has already been claimed by {names[user_id]} at {at}",
        data={"claimed_by_user_id": user_id, "claimed_at": at},
    )
