"""Records what was decided about leads: writes it, logs it, starts campaigns.

It decides nothing; the caller holds the locks of these leads.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from msgspec.structs import replace as replace_fields

from leadroutes.domain.model import Change, Decision, RuleSet
from leadroutes.domain.turns import Turns
from leadroutes.engine.campaigns import campaign_start, start_campaigns
from leadroutes.errors import AlreadyClaimed
from leadroutes.observability.lead_log import log_changes
from leadroutes.store import statement
from leadroutes.store.campaigns import Start
from leadroutes.store.contacts import load_contacts
from leadroutes.store.leads import Applied, LeadRow, apply_changes
from leadroutes.store.postgres import Transaction
from leadroutes.store.routing import RuleSets


async def record(
    transaction: Transaction,
    applied: Sequence[Applied],
    turns: Mapping[tuple[int, int], Turns] | None = None,
    starts: Iterable[Start] = (),
) -> None:
    """Write the changes, log them once they are committed, and start the campaigns. Raises ComputationNeeded.

    `turns`, by owner and team, are those that were taken. Every lead comes at most once.
    """
    if not applied:
        return
    await apply_changes(transaction, applied, turns)
    transaction.after_commit.append(partial(log_changes, applied, transaction.now))
    await start_campaigns(transaction, starts)


async def change_leads(
    transaction: Transaction, rule_sets: RuleSets, changes: Sequence[tuple[LeadRow, Change]]
) -> None:
    """Record what becomes of stored leads, each given as it was before; every lead at most once."""
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
    first_claimed = [
        replace(row, lead=change.lead) for row, change in changes if change.claim and row.lead.claim is None
    ]
    starts = await _starts_at_claim(transaction, rule_sets, [row for row in first_claimed if row.route_id is not None])
    await record(transaction, applied, starts=starts)


async def _starts_at_claim(transaction: Transaction, rule_sets: RuleSets, rows: Sequence[LeadRow]) -> list[Start]:
    """Returns the campaigns of routes whose campaign_start is Claim."""
    stored_rule_sets = await rule_sets.load_by_number(
        transaction, {(row.lead.owner_id, row.rule_set) for row in rows if row.rule_set is not None}
    )
    decided = [(row, decision) for row in rows if (decision := _stored_decision(row, stored_rule_sets)) is not None]
    starting = [
        (row, decision)
        for row, decision in decided
        if decision.route is not None and decision.route.campaign_start == "Claim"
    ]
    contacts = await load_contacts(transaction, {_contact_key(row) for row, _ in starting})
    # A claim assigns the contact to the winner; of several claims of one contact the last one does.
    winners = {_contact_key(row): row.lead.claim.user_id for row in rows if row.lead.claim is not None}
    starts = [
        campaign_start(
            decision,
            stored_rule_sets[row.lead.owner_id, row.rule_set or 0],
            replace_fields(contacts[_contact_key(row)], assigned_user_id=winners[_contact_key(row)]),
        )
        for row, decision in starting
    ]
    return [start for start in starts if start is not None]


def _contact_key(row: LeadRow) -> tuple[int, int]:
    return row.lead.owner_id, row.contact_id


def _stored_decision(row: LeadRow, stored_rule_sets: Mapping[tuple[int, int], RuleSet]) -> Decision | None:
    """What a lead keeps of the decision about it, as far as its campaign needs it."""
    rule_set = stored_rule_sets.get((row.lead.owner_id, row.rule_set or 0))
    if rule_set is None or row.facts is None:
        return None
    route = next((route for route in rule_set.rules.routes if route.id == row.route_id), None)
    change = Change(lead=row.lead, claim=row.lead.claim)
    return Decision(facts=row.facts, change=change, route=route, team_id=row.team_id)


# ------------------------------------------------------------------------------------------------- what losers read


async def name_winners(transaction: Transaction, conflicts: Iterable[AlreadyClaimed]) -> list[AlreadyClaimed]:
    """Returns the same conflicts with the winners' names."""
    given = list(conflicts)
    winners = sorted({conflict.user_id for conflict in given})
    rows = await transaction.fetch(*statement("find_display_names").bind(user_ids=winners)) if winners else []
    names = {row["id"]: row["name"] for row in rows}
    return [AlreadyClaimed(conflict.user_id, conflict.claimed_at, names[conflict.user_id]) for conflict in given]
