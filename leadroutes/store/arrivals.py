"""What a batch of arrivals needs to know before it is deduplicated, and the writing of its results."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from operator import attrgetter
from typing import Any

import asyncpg
import msgspec
from msgspec.structs import replace

from leadroutes.domain.dedupe import TOUCH_WINDOW, Identity, KnownContact, KnownDedupeKey, KnownLead
from leadroutes.domain.records import BatchWrites, DeferredArrival, KnownRecords, OwnerId
from leadroutes.domain.turns import Turns
from leadroutes.store import statement
from leadroutes.store.contacts import lock_contacts
from leadroutes.store.postgres import Transaction
from leadroutes.store.queue import REREAD_JOB, enqueue

ARRIVAL_COLUMNS = {  # by the parameters of insert_arrivals that take them
    "owner_ids": "owner_id",
    "arrival_ids": "id",
    "intake_key_ids": "intake_key_id",
    "lead_source_ids": "lead_source_id",
    "headers": "headers",
    "bodies": "body",
    "formats": "format",
    "statuses": "status",
    "reasons": "reason",
    "lead_ids": "lead_id",
    "sources_named": "source_named",
    "proofs": "proof",
}


ContactId = tuple[OwnerId, int]


class ConcurrentChange(asyncpg.SerializationError):
    """Another transaction stored the same person, key or rules meanwhile: the batch has to be deduplicated again."""


@dataclass(slots=True)
class LookupRequest:
    """What to look up for a batch, in one statement."""

    owners: set[OwnerId] = field(default_factory=set)
    keys: set[tuple[OwnerId, str, str]] = field(default_factory=set)
    identities: set[tuple[OwnerId, str, str]] = field(default_factory=set)
    contacts: set[tuple[OwnerId, int]] = field(default_factory=set)
    lead_sources: set[tuple[OwnerId, int]] = field(default_factory=set)
    leads: int = 0  # how many may have to be added
    arrivals: int = 0


async def load_known_records(transaction: Transaction, wanted: LookupRequest) -> KnownRecords:
    """Return everything known about a batch, and ids for what it brings."""
    row = await transaction.fetchrow(*_lookup(wanted))
    assert row is not None
    transaction.without_webhooks.update(wanted.owners - set(row["owners_with_webhooks"]))
    identities: dict[OwnerId, dict[Identity, int]] = {owner_id: {} for owner_id in wanted.owners}
    unproven: dict[OwnerId, set[Identity]] = {owner_id: set() for owner_id in wanted.owners}
    for owner_id, kind, value, contact_id, is_proven in _decode(
        row["identities"], list[tuple[int, str, str, int, bool]]
    ):
        identities[owner_id][kind, value] = contact_id
        if not is_proven:
            unproven[owner_id].add((kind, value))
    return KnownRecords(
        versions=_decode(row["versions"], dict[int, int]),
        keys={(o, s, k): known for o, s, k, known in _decode(row["keys"], list[tuple[int, str, str, KnownDedupeKey]])},
        identities=identities,
        unproven=unproven,
        contacts={(o, c.id): c for o, c in _decode(row["contacts"], list[tuple[int, KnownContact]])},
        contact_sources={(o, s): c for o, s, c in _decode(row["contact_sources"], list[tuple[int, int, int | None]])},
        leads={},
        lead_ids=row["lead_ids"],
        contact_ids=row["contact_ids"],
        arrival_ids=row["arrival_ids"],
    )


def _lookup(wanted: LookupRequest) -> tuple[Any, ...]:
    key_owner_ids, key_scopes, key_values = _columns(wanted.keys, 3)
    identity_owner_ids, identity_kinds, identity_values = _columns(wanted.identities, 3)
    contact_owner_ids, contact_ids = _columns(wanted.contacts, 2)
    source_owner_ids, lead_source_ids = _columns(wanted.lead_sources, 2)
    return statement("prepare_arrivals").bind(
        owner_ids=sorted(wanted.owners),
        key_owner_ids=key_owner_ids,
        key_scopes=key_scopes,
        key_values=key_values,
        identity_owner_ids=identity_owner_ids,
        identity_kinds=identity_kinds,
        identity_values=identity_values,
        contact_owner_ids=contact_owner_ids,
        contact_ids=contact_ids,
        source_owner_ids=source_owner_ids,
        lead_source_ids=lead_source_ids,
        lead_count=wanted.leads,
        arrival_count=wanted.arrivals,
    )


async def lock_known(
    transaction: Transaction, known: KnownRecords, senders: Collection[ContactId], contacts: Collection[ContactId]
) -> None:
    """Lock all that a batch may change of what is there: leads, then contacts, as a claim does, each in their order.

    `senders`: the contacts whose inquiries may touch a lead of theirs; `contacts`: further ones.
    """
    leads = {(owner_id, key.lead_id) for (owner_id, _, _), key in known.keys.items() if key.lead_id is not None}
    if senders or leads:
        contact_owner_ids, contact_ids = _columns(senders, 2)
        lead_owner_ids, lead_ids = _columns(leads, 2)
        await transaction.fetch(
            *statement("lock_touchable_leads").bind(
                contact_owner_ids=contact_owner_ids,
                contact_ids=contact_ids,
                lead_owner_ids=lead_owner_ids,
                lead_ids=lead_ids,
                touched_since=transaction.now - TOUCH_WINDOW,
            )
        )
    of_keys = {(owner_id, key.contact_id) for (owner_id, _, _), key in known.keys.items() if key.contact_id is not None}
    if to_lock := {*senders, *contacts, *of_keys}:
        for row in await lock_contacts(transaction, to_lock):  # a claim that was waited for may have assigned it
            contact = known.contacts[row["owner_id"], row["id"]]
            if contact.assigned_user_id != row["assigned_user_id"]:
                known.contacts[row["owner_id"], row["id"]] = replace(contact, assigned_user_id=row["assigned_user_id"])


async def load_touchable_leads(transaction: Transaction, known: KnownRecords, senders: Collection[ContactId]) -> None:
    """Load the leads that an inquiry of these contacts may touch into `known`; the contacts are locked."""
    if not senders:
        return
    owner_ids, contact_ids = _columns(senders, 2)
    rows = await transaction.fetch(
        *statement("find_touchable_leads").bind(
            owner_ids=owner_ids, contact_ids=contact_ids, touched_since=transaction.now - TOUCH_WINDOW
        )
    )
    for row in rows:
        lead = KnownLead(
            id=row["id"],
            mls_id=row["mls_id"],
            street_address=row["street_address"],
            zipcode=row["zipcode"],
            touched_at=row["touched_at"],
            intake_key_id=row["intake_key_id"],
        )
        known.leads.setdefault((row["owner_id"], row["contact_id"]), []).append(lead)


async def take_turns(
    transaction: Transaction, teams: Collection[tuple[OwnerId, int]]
) -> dict[tuple[OwnerId, int], Turns]:
    """Return the turns of these teams, locked: the next decision about one of them waits for this one."""
    if not teams:
        return {}
    owner_ids, team_ids = _columns(teams, 2)
    rows = await transaction.fetch(*statement("take_turns").bind(owner_ids=owner_ids, team_ids=team_ids))
    return {
        (row["owner_id"], row["team_id"]): Turns(
            credits=_decode(row["credits"], dict[int, int]),
            present=tuple(row["present"]),
            weights=tuple(row["weights"]),
            latest=tuple(row["latest"]),
            given_back=_decode(row["given_back"], tuple[tuple[int, int], ...]),
        )
        for row in rows
    }


async def write(transaction: Transaction, writes: BatchWrites) -> None:
    """Store a batch. Raises ConcurrentChange when another transaction was faster; this one must be rolled back.

    Rows that another batch may bring as well are written in order, so that two batches never wait for each other.
    """
    if writes.arrivals:
        columns = {
            parameter: [getattr(each, column) for each in writes.arrivals]
            for parameter, column in ARRIVAL_COLUMNS.items()
        }
        await transaction.execute(*statement("insert_arrivals").bind(now=transaction.now, **columns))
    await enqueue(transaction.connection, REREAD_JOB, writes.to_read_again)
    if writes.put_off:
        await _defer(transaction, sorted(writes.put_off))
    writes.identities.sort(key=attrgetter("owner_id", "kind", "value"))
    writes.keys.sort(key=attrgetter("owner_id", "scope", "key"))
    lists = {
        "new_contacts": writes.contacts,
        "filled_contacts": writes.filled,
        "identities": writes.identities,
        "leads": writes.leads,
        "touches": writes.touches,
        "keys": writes.keys,
    }
    if not any(lists.values()):
        return
    row = await transaction.fetchrow(
        *statement("insert_leads").bind(
            now=transaction.now,
            owner_ids=list(writes.rule_set_numbers.keys()),
            rule_set_numbers=list(writes.rule_set_numbers.values()),
            **{name: msgspec.json.encode(each).decode() for name, each in lists.items()},
        )
    )
    assert row is not None
    expected = (len(writes.rule_set_numbers), len(writes.identities), len(writes.keys), len(writes.filled))
    if (row["rule_sets"], row["identities"], row["keys"], row["filled"]) != expected:
        raise ConcurrentChange
    if writes.consents:
        consents = msgspec.json.encode(writes.consents).decode()
        await transaction.execute(*statement("insert_consents").bind(now=transaction.now, consents=consents))


async def _defer(transaction: Transaction, arrivals: Sequence[DeferredArrival]) -> None:
    rows = [(each.owner_id, each.arrival_id) for each in arrivals]
    delays = [timedelta(seconds=each.seconds) for each in arrivals]
    await enqueue(transaction.connection, REREAD_JOB, rows, delays)
    await transaction.execute(
        *statement("throttle_intake_keys").bind(
            owner_ids=[each.owner_id for each in arrivals],
            key_ids=[each.intake_key_id for each in arrivals],
            seconds=[each.seconds for each in arrivals],
        )
    )


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> Sequence[Sequence[Any]]:
    ordered = sorted(rows)
    return [[row[index] for row in ordered] for index in range(width)]


def _decode(text: str, kind: Any) -> Any:
    return msgspec.json.decode(text, type=kind)
