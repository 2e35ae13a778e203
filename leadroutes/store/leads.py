"""Leads with the state of their rollouts, and the one statement that applies decisions about many of them.

It decides nothing; a caller that changes a lead holds that lead's lock.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from leadroutes.domain.junk import Junk
from leadroutes.domain.model import Change, Claim, Decision, Facts, Lead, Offer, RuleSet
from leadroutes.domain.routing import stored_lead
from leadroutes.domain.turns import Turns
from leadroutes.errors import NotFound
from leadroutes.store import statement
from leadroutes.store.listener import WAKE_CHANNEL
from leadroutes.store.messages import enqueue
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.routing import RuleSets


class LeadRow(Struct, frozen=True, kw_only=True):
    """A lead with the rules and facts that decided it; `lead` is its present state."""

    lead: Lead
    contact_id: int
    rule_set: int | None
    facts: Facts | None
    route_id: int | None
    team_id: int | None
    routed_at: datetime | None
    source_id: int | None
    type: str | None
    zipcode: str | None
    mls_id: str | None
    is_test: bool
    is_imported: bool
    junk: Junk | None
    is_turn_given_back: bool
    present: RuleSet

    @property
    def key(self) -> tuple[int, int]:
        return self.lead.owner_id, self.lead.id


class Applied(Struct, frozen=True, kw_only=True):
    """One decided change, ready to be written; `decision` where the lead has been routed by it."""

    change: Change
    contact_id: int
    is_written: bool = False  # the lead's row is as it is to be: just inserted with everything in it, or left as it was
    offered: Collection[int] = ()  # the users who have an offer of it already, which changes; others get new ones
    is_replacement: bool = False  # the claim replaces another one
    rule_set: int | None = None
    decision: Decision | None = None


async def find_owner(database: Database, lead_id: int) -> int | None:
    """Return the owner of a lead."""
    owner_id: int | None = await database.fetchval("SELECT owner_id FROM leads WHERE id = $1", lead_id)
    return owner_id


async def was_given_back(transaction: Transaction, owner_id: int, lead_id: int) -> bool:
    """Return whether someone who had claimed the lead has given it back."""
    sql = "SELECT EXISTS (SELECT FROM lead_events WHERE owner_id = $1 AND lead_id = $2 AND kind = 'given back')"
    return bool(await transaction.fetchval(sql, owner_id, lead_id))


async def lock_lead(transaction: Transaction, owner_id: int, lead_id: int) -> None:
    """Lock a lead, waiting for other changes of it. Raises NotFound."""
    found = await transaction.fetchval(
        "SELECT id FROM leads WHERE owner_id = $1 AND id = $2 FOR NO KEY UPDATE", owner_id, lead_id
    )
    if found is None:
        raise NotFound.record(lead_id)


async def lock_open_leads(transaction: Transaction, keys: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Lock those of these leads that are not claimed and that no other transaction has locked, and return them."""
    wanted = list(keys)
    rows = await transaction.fetch(
        *statement("lock_open_leads").bind(
            owner_ids=[owner_id for owner_id, _ in wanted], lead_ids=[lead_id for _, lead_id in wanted]
        )
    )
    return {(row["owner_id"], row["id"]) for row in rows}


async def load_leads(transaction: Transaction, rule_sets: RuleSets, keys: Iterable[tuple[int, int]]) -> list[LeadRow]:
    """Return leads by (owner_id, id). Called after the lock, so that it sees what the lock waited for."""
    wanted = sorted(set(keys))
    rows = await transaction.fetch(
        *statement("load_leads").bind(
            owner_ids=[owner_id for owner_id, _ in wanted], lead_ids=[lead_id for _, lead_id in wanted]
        )
    )
    present = await rule_sets.load_current(transaction, {row["owner_id"]: row["rules_version"] for row in rows})
    transaction.without_webhooks.update(row["owner_id"] for row in rows if not row["has_webhooks"])
    deciding = await rule_sets.load_by_number(transaction, set(_earlier_rule_sets(rows, present)))
    return [_lead_row(row, present[row["owner_id"]], deciding.get((row["owner_id"], row["rule_set"]))) for row in rows]


def _earlier_rule_sets(rows: Iterable[asyncpg.Record], present: Mapping[int, RuleSet]) -> Iterator[tuple[int, int]]:
    """Yields owner and number of the rule sets that decided these leads, where they are not the present ones."""
    for row in rows:
        if row["rule_set"] is not None and row["rule_set"] != present[row["owner_id"]].number:
            yield row["owner_id"], row["rule_set"]


def _lead_row(row: asyncpg.Record, present: RuleSet, deciding: RuleSet | None) -> LeadRow:
    """`deciding`: the earlier rule set that decided the lead, by whose team it goes on; None: the present one."""
    claim = None
    if row["claimed_at"] is not None:
        claim = Claim(user_id=row["claimed_by_user_id"], claimed_at=row["claimed_at"], via=row["via"])
    lead = stored_lead(
        present,
        (deciding or present).rules.teams.get(row["team_id"] or 0),
        owner_id=row["owner_id"],
        lead_id=row["id"],
        offers=msgspec.json.decode(row["offers"], type=tuple[Offer, ...]),
        claim=claim,
        lapses_at=row["lapses_at"],
        unclaimed_at=row["unclaimed_at"],
        is_junk=row["junk_reason"] is not None,
    )
    return LeadRow(
        lead=lead,
        contact_id=row["contact_id"],
        rule_set=row["rule_set"],
        facts=msgspec.json.decode(row["facts"], type=Facts) if row["facts"] else None,
        route_id=row["route_id"],
        team_id=row["team_id"],
        routed_at=row["routed_at"],
        source_id=row["source_id"],
        type=row["type"],
        zipcode=row["zipcode"],
        mls_id=row["mls_id"],
        is_test=row["is_test"],
        is_imported=row["is_imported"],
        junk=Junk(reason=row["junk_reason"], note=row["junk_note"]) if row["junk_reason"] is not None else None,
        is_turn_given_back=row["is_turn_given_back"],
        present=present,
    )


async def apply_changes(
    transaction: Transaction,
    changes: Sequence[Applied],
    turns: Mapping[tuple[int, int], Turns] | None = None,
) -> None:
    """Write all changes, queue their messages, and wake the worker if something falls due later."""
    messages = await transaction.fetch(
        *statement("apply_changes").bind(
            now=transaction.now,
            leads=_json(_lead_record(each, transaction.now) for each in changes if not each.is_written),
            new_offers=_json(_offers(changes, are_new=True)),
            claims=_json(_claim_records(changes)),
            messages=_json({**_key(each), **asdict(message)} for each in changes for message in each.change.messages),
            events=_json({**_key(each), **asdict(event)} for each in changes for event in each.change.events),
            turns=_json(
                {"owner_id": owner_id, "team_id": team_id, **asdict(each)}
                for (owner_id, team_id), each in (turns or {}).items()
            ),
            changed_offers=_json(_offers(changes, are_new=False)),
        ),
    )
    await _note_left_out(transaction, changes)
    await enqueue(transaction.connection, [(row["owner_id"], row["id"]) for row in messages])
    if any(each.change.lead.lapses_at is not None for each in changes):
        await wake_worker(transaction)


async def _note_left_out(transaction: Transaction, changes: Iterable[Applied]) -> None:
    """Store which accepted members of the team were not in the line-up, so that they can see what passed them by."""
    left_out = [
        (*_key(each).values(), each.decision.team_id, user_id, reason)
        for each in changes
        if each.decision is not None
        for user_id, reason in each.decision.left_out.items()
    ]
    if left_out:
        names = ("owner_ids", "lead_ids", "team_ids", "user_ids", "reasons")
        columns = dict(zip(names, map(list, zip(*left_out, strict=True)), strict=True))
        await transaction.execute(*statement("add_left_out_members").bind(now=transaction.now, **columns))


async def set_junk(transaction: Transaction, row: LeadRow, junk: Junk | None, *, is_turn_given_back: bool) -> None:
    """Store why a lead is junk; None: it is not."""
    await transaction.execute(
        *statement("set_junk").bind(
            owner_id=row.lead.owner_id,
            lead_id=row.lead.id,
            reason=junk.reason if junk else None,
            note=junk.note if junk else None,
            is_turn_given_back=is_turn_given_back,
            now=transaction.now,
        )
    )


async def wake_worker(transaction: Transaction) -> None:
    """Tells the worker that something may be due earlier than it expects; once in a transaction."""
    await transaction.notify(WAKE_CHANNEL)


def _key(each: Applied) -> dict[str, int]:
    return {"owner_id": each.change.lead.owner_id, "lead_id": each.change.lead.id}


def _lead_record(each: Applied, now: datetime) -> dict[str, Any]:
    record: dict[str, Any] = {
        **_key(each),
        "lapses_at": each.change.lead.lapses_at,
        "unclaimed_at": each.change.lead.unclaimed_at,
        "claimed_by_user_id": each.change.claim.user_id if each.change.claim else None,
    }
    if each.decision is not None:
        record |= {"routed_at": now, "rule_set": each.rule_set, **decided_columns(each.decision)}
    return record


def _offers(changes: Iterable[Applied], *, are_new: bool) -> Iterator[dict[str, Any]]:
    for each in changes:
        for offer in each.change.offers:
            if (offer.user_id not in each.offered) is are_new:
                yield {**_key(each), **asdict(offer)}


def decided_columns(decision: Decision) -> dict[str, Any]:
    """Return the columns of a lead that store the decision about it."""
    return {
        "facts": decision.facts,
        "route_id": decision.route.id if decision.route else None,
        "team_id": decision.team_id,
    }


def _claim_records(changes: Sequence[Applied]) -> Iterator[dict[str, Any]]:
    """Return the new claims. Of several leads of one contact, only the last claim assigns the contact.

    Contacts are in the order of their ids, so that two batches never wait for each other.
    """
    last = {_contact_key(each): each for each in changes if each.change.claim is not None}
    for each in sorted(changes, key=_contact_key):
        if each.change.claim is not None:
            yield {
                **_key(each),
                **asdict(each.change.claim),
                "contact_id": each.contact_id if last[_contact_key(each)] is each else None,
                "is_replacement": each.is_replacement,
            }


def _contact_key(each: Applied) -> tuple[int, int]:
    return each.change.lead.owner_id, each.contact_id


def _json(records: Iterable[Any]) -> str:
    return msgspec.json.encode(list(records)).decode()
