"""Records what was decided about leads: writes it, logs it, starts campaigns.

It decides nothing; the caller holds the locks of these leads.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from leadroutes.domain.model import Change, Decision, RuleSet
from leadroutes.domain.states import OPEN_STATES
from leadroutes.domain.turns import Turns
from leadroutes.domain.webhooks import events_of_change
from leadroutes.engine.campaigns import campaign_start, start_campaigns
from leadroutes.errors import AlreadyClaimed
from leadroutes.observability.lead_log import log_changes
from leadroutes.store import statement
from leadroutes.store.availability import lock_availabilities
from leadroutes.store.calls import end_ringing_calls
from leadroutes.store.campaigns import Start, find_begun_campaigns, release_communications, stop_campaigns
from leadroutes.store.contacts import load_contacts, lock_contacts
from leadroutes.store.leads import Applied, LeadRow, apply_changes
from leadroutes.store.postgres import Transaction
from leadroutes.store.routing import RuleSets
from leadroutes.store.screens import account_topic, user_topic
from leadroutes.store.webhook_events import note_event


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
    transaction.changed.update(_screens_of(applied))
    _note_events(transaction, applied)
    await end_ringing_calls(transaction, list(_closed_call_offers(applied)))
    beginning = list(starts)
    await _note_claims(transaction, applied, beginning, await start_campaigns(transaction, beginning))


async def _note_claims(
    transaction: Transaction,
    applied: Iterable[Applied],
    starts: Iterable[Start],
    started: Mapping[tuple[int, int, int], int],
) -> None:
    """What campaigns do once someone has a lead: some stop, but not those that begin with it; some go on."""
    claimed = [each for each in applied if each.change.claim is not None and not each.is_replacement]
    if not claimed:
        return
    keys = [(each.owner_id, each.contact_id, each.campaign_id) for each in starts if each.begins_with_claim]
    contacts = [(each.change.lead.owner_id, each.contact_id) for each in claimed]
    await stop_campaigns(transaction, "claim", contacts, [started[key] for key in keys if key in started])
    await release_communications(transaction, [(each.change.lead.owner_id, each.change.lead.id) for each in claimed])


def _note_events(transaction: Transaction, applied: Iterable[Applied]) -> None:
    for each in applied:
        lead = each.change.lead
        if lead.owner_id not in transaction.without_webhooks:
            for type_, user_id in events_of_change(each.change, transaction.now):
                note_event(transaction, lead.owner_id, type_, lead.id, user_id=user_id)


def _closed_call_offers(applied: Iterable[Applied]) -> Iterator[tuple[int, int, int]]:
    """Yields (owner, lead, user) of the offers that were alerted by a call and have been closed by these changes."""
    for each in applied:
        for offer in each.change.offers:
            if offer.has_call_alert and offer.notified_at is not None and offer.state not in OPEN_STATES:
                yield each.change.lead.owner_id, each.change.lead.id, offer.user_id


def _screens_of(applied: Iterable[Applied]) -> Iterator[str]:
    """Yields whose screens show one of these leads: the owner's, and those of the members that it is offered to."""
    for each in applied:
        lead = each.change.lead
        yield account_topic(lead.owner_id)
        yield from (user_topic(offer.user_id) for offer in lead.offers if offer.notified_at is not None)
        if each.change.claim is not None:
            yield user_topic(each.change.claim.user_id)


async def change_leads(
    transaction: Transaction,
    rule_sets: RuleSets,
    changes: Sequence[tuple[LeadRow, Change]],
    turns: Mapping[tuple[int, int], Turns] | None = None,
) -> None:
    """Record what becomes of stored leads, each given as it was before; every lead at most once.

    `turns`, by owner and team, are those that have changed.
    """
    if not changes:
        return
    applied = [
        Applied(
            change=change,
            contact_id=row.contact_id,
            is_written=not _changes_row(row, change),
            offered={offer.user_id for offer in row.lead.offers},
            is_replacement=change.claim is not None and row.lead.claim is not None,
        )
        for row, change in changes
    ]
    first_claimed = [
        replace(row, lead=change.lead) for row, change in changes if change.claim and row.lead.claim is None
    ]
    starting = [row for row in first_claimed if row.route_id is not None and not row.is_test and not row.lead.is_junk]
    starts = await _starts_at_claim(transaction, rule_sets, starting)
    if losers := _losers(changes):
        await lock_contacts(transaction, {_contact_key(row) for row, change in changes if change.claim is not None})
        await lock_availabilities(transaction, losers)
    await record(transaction, applied, turns, starts)
    await _end_claims(transaction, [(row, change) for row, change in changes if row.lead.claim is not None])


def _losers(changes: Sequence[tuple[LeadRow, Change]]) -> set[int]:
    """Returns who has a lead no more; the database locks them one by one, in whatever order the leads come."""
    return {
        row.lead.claim.user_id
        for row, change in changes
        if row.lead.claim is not None and (change.claim is not None or change.ends_claim)
    }


def _changes_row(row: LeadRow, change: Change) -> bool:
    """Returns whether the lead itself changes, and not only its offers; the row is as it was stored, and locked."""
    before, after = row.lead, change.lead
    return change.claim is not None or (before.lapses_at, before.unclaimed_at) != (after.lapses_at, after.unclaimed_at)


async def _end_claims(transaction: Transaction, changes: Sequence[tuple[LeadRow, Change]]) -> None:
    """Ends the claims of leads that were given back, and the requests to pass on leads that have moved."""
    given_back = [row.lead for row, change in changes if change.ends_claim]
    moved = given_back + [row.lead for row, change in changes if change.claim is not None]
    if given_back:
        await transaction.execute(
            *statement("end_claims").bind(
                now=transaction.now,
                owner_ids=[lead.owner_id for lead in given_back],
                lead_ids=[lead.id for lead in given_back],
                user_ids=[lead.claim.user_id for lead in given_back if lead.claim is not None],
            )
        )
    if moved:
        await transaction.execute(
            *statement("end_handovers").bind(
                now=transaction.now,
                owner_ids=[lead.owner_id for lead in moved],
                lead_ids=[lead.id for lead in moved],
            )
        )


async def _starts_at_claim(transaction: Transaction, rule_sets: RuleSets, rows: Sequence[LeadRow]) -> list[Start]:
    """Returns the campaigns of routes whose campaign_start is Claim.

    A lead that was given back and is claimed again does not start its campaign a second time.
    """
    stored_rule_sets = await rule_sets.load_by_number(
        transaction, {(row.lead.owner_id, row.rule_set) for row in rows if row.rule_set is not None}
    )
    decided = [(row, decision) for row in rows if (decision := _stored_decision(row, stored_rule_sets)) is not None]
    starting = [
        (row, decision)
        for row, decision in decided
        if decision.route is not None and decision.route.campaign_start == "Claim"
    ]
    begun = await find_begun_campaigns(transaction, [row.key for row, _ in starting])
    starting = [
        (row, decision)
        for row, decision in starting
        if decision.route is None or (*row.key, decision.route.campaign_id) not in begun
    ]
    contacts = await load_contacts(transaction, {_contact_key(row) for row, _ in starting})
    # A claim assigns the contact to the winner; of several claims of one contact the last one does.
    winners = {_contact_key(row): row.lead.claim.user_id for row in rows if row.lead.claim is not None}
    starts = [
        campaign_start(
            decision,
            stored_rule_sets[row.lead.owner_id, row.rule_set or 0],
            replace(contacts[_contact_key(row)], assigned_user_id=winners[_contact_key(row)]),
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
