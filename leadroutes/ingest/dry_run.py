"""Tries a body out: what would be read in it, what would become of it, where it would go. Nothing of it stays.

It is taken in as if it had arrived, in a transaction that is always rolled back.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from leadroutes.domain.arrival import ArrivalItem, ReceivedArrival, StoredArrival
from leadroutes.domain.routing import explain
from leadroutes.domain.why import Addressee, in_words
from leadroutes.errors import Invalid, NotFound, Problem
from leadroutes.ingest.batch import store_arrivals
from leadroutes.ingest.reader import BodyReader, IncomingBody
from leadroutes.intake.results import Reading, expected_json
from leadroutes.store import statement
from leadroutes.store.leads import load_leads
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.routing import RuleSets

MAX_DRY_RUN_LEADS = 100  # leads
OUTCOME_TEXTS = {"accepted": "a new lead", "touch": "a touch of a lead", "test": "a test lead", "update": "an update"}


class _RolledBack(Exception):  # noqa: N818 -- not a defect: it rolls back, and carries what was learnt
    def __init__(self, leads: list[dict[str, Any]]) -> None:
        super().__init__()
        self.leads = leads


async def dry_run_body(
    database: Database, owner_id: int, key_id: int, body: bytes, headers: Mapping[str, str]
) -> dict[str, Any]:
    """`{format, read, refusals: [{why, detail}], leads: [{outcome, reason, lead_id, routing}]}`.

    `lead_id` is of the lead that would be touched, null for a new one; `routing` as GET /leads/:id/routing tells it.
    The vendor's secrets are not required, and no vendor is asked anything. NotFound for another's key;
    Invalid: it holds too many leads to be tried.
    """
    key = await database.fetchrow(*statement("find_own_intake_key").bind(owner_id=owner_id, key_id=key_id))
    if key is None:
        raise NotFound.record(key_id)
    largest = max(len(body), 1)
    incoming_body = IncomingBody(
        owner_id=owner_id, body=body, headers=headers, format=key["format"], limit=largest, mail_limit=largest
    )
    reading = (await BodyReader(None).read(incoming_body)).reading
    if len(reading.inquiries) > MAX_DRY_RUN_LEADS:
        raise Invalid(f"The body holds {len(reading.inquiries)} leads; {MAX_DRY_RUN_LEADS} can be tried at a time")
    arrival = ReceivedArrival(
        owner_id=owner_id,
        intake_key_id=key_id,
        lead_source_id=key["lead_source_id"],
        contact_source_id=key["contact_source_id"],
        body=body,
        headers={},
        format=reading.format,
        inquiries=(),
        is_proven=key["is_proven"],
    )
    return {
        "format": reading.format,
        "read": expected_json(reading),
        "refusals": [{"why": each.why, "detail": each.detail} for each in reading.refusals],
        "leads": await _preview(database, arrival, reading) if reading.inquiries else [],
    }


async def _preview(database: Database, arrival: ReceivedArrival, reading: Reading) -> list[dict[str, Any]]:
    items = [ArrivalItem(arrival=replace(arrival, inquiries=(inquiry,))) for inquiry in reading.inquiries]

    async def work(transaction: Transaction) -> None:
        rule_sets = RuleSets.of_transaction(transaction)  # what it builds is rolled back with the rest
        answers = await store_arrivals(transaction, rule_sets, items)
        raise _RolledBack([await _describe(transaction, rule_sets, answer) for answer in answers])

    try:
        await database.run(work)
    except _RolledBack as undone:
        return undone.leads
    raise AssertionError("unreachable")


async def _describe(transaction: Transaction, rule_sets: RuleSets, answer: StoredArrival | Problem) -> dict[str, Any]:
    assert isinstance(answer, StoredArrival)
    routing = None
    if answer.lead_ids:
        [row] = await load_leads(transaction, rule_sets, [(answer.owner_id, answer.lead_ids[0])])
        if row.rule_set is not None and row.facts is not None:
            stored_rule_sets = await rule_sets.load_by_number(transaction, {(answer.owner_id, row.rule_set)})
            offers = row.lead.offers
            routing = explain(stored_rule_sets[answer.owner_id, row.rule_set], row.facts, offers, row.route_id)
            routing = in_words(routing, offers, Addressee(answer.owner_id), transaction.now, turn=row.facts.turn)
    return {
        "outcome": OUTCOME_TEXTS[answer.status],
        "reason": answer.reason,
        "lead_id": answer.lead_ids[0] if answer.lead_ids and not answer.is_new else None,
        "routing": routing,
    }
