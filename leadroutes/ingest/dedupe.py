"""Turns the arrivals of a batch, in order, into repetitions, touches and new leads, and says what became of each.

What repeats and whose it is, the domain decides; here it gets a status, a reason and a record. No database is touched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from leadroutes.domain.arrival import ArrivalItem, NewLead, ReceivedArrival, StoredArrival
from leadroutes.domain.dedupe import (
    KnownDedupeKey,
    LeadOutcome,
    LeadReference,
    find_valid_key,
    is_same_person,
    place_contact,
)
from leadroutes.domain.deduplicator import Deduplicator, Origin, known_reference
from leadroutes.domain.identity import comparable_zipcode, normal_phone
from leadroutes.domain.inquiry import Inquiry
from leadroutes.domain.records import ArrivalRecord, DeferredArrival, LeadRecord
from leadroutes.errors import Conflict, Invalid, NotFound, Problem


class _InquiryOutcome(Struct, frozen=True, kw_only=True):
    status: str
    about: LeadReference | None = None
    reason: str | None = None
    lead_outcome: Literal["new", "repeated", "touched"] = "touched"

    @property
    def as_lead_outcome(self) -> LeadOutcome | None:
        if self.about is None:
            return None
        return LeadOutcome(id=self.about.lead_id, contact_id=self.about.contact_id, status=self.lead_outcome)


@dataclass(frozen=True, slots=True)
class ArrivalDeduplicator:
    """Adds arrivals, one after the other, to the batch of a Deduplicator."""

    batch: Deduplicator

    def add(self, item: ArrivalItem) -> StoredArrival | Problem:
        """Returns the first one's answer if the keys are known already, else what becomes of this arrival."""
        owner_id, known = item.arrival.owner_id, self.batch.known
        known_keys = {
            (key.scope, key.key): found
            for key in item.keys
            if (found := known.keys.get((owner_id, key.scope, key.key))) is not None
        }
        earlier = find_valid_key(known_keys, item.keys, self.batch.now)
        if earlier is not None:
            return self._repeat(item, earlier, known_keys)
        match item.arrival:
            case NewLead() as new_lead:
                stored = self._add_new_lead(new_lead)
            case ReceivedArrival() as received if not self._is_open(received):
                return NotFound("Page not found")
            case ReceivedArrival() as received:
                stored = self._add_received(received, self._find_refused(item))
        if isinstance(stored, StoredArrival):
            self._store_keys(item, stored)
        return stored

    def _is_open(self, received: ReceivedArrival) -> bool:
        """False if the key has been revoked since it was looked up, and its lead source removed."""
        source = (received.owner_id, received.lead_source_id)
        return not received.lead_source_id or source in self.batch.known.contact_sources

    def _repeat(
        self, item: ArrivalItem, earlier: KnownDedupeKey, known_keys: Mapping[tuple[str, str], KnownDedupeKey]
    ) -> StoredArrival | Problem:
        for key in item.keys:
            found = known_keys.get((key.scope, key.key))
            if found is None or key.digest is None or not found.is_valid(self.batch.now):
                continue
            if found.digest != key.digest:
                return self._refuse(item.arrival, f"The Idempotency-Key {key.key!r} came with another body before")
        lead_outcomes: tuple[LeadOutcome, ...] = ()
        if earlier.lead_id is not None:
            lead_outcomes = (LeadOutcome(id=earlier.lead_id, contact_id=earlier.contact_id, status="repeated"),)
        return StoredArrival(
            owner_id=item.arrival.owner_id,
            lead_outcomes=lead_outcomes,
            arrival_id=earlier.arrival_id,
            status="touch" if lead_outcomes else "accepted",
            reason="repeats an earlier arrival",
        )

    def _refuse(self, arrival: NewLead | ReceivedArrival, reason: str) -> StoredArrival | Problem:
        """What came in through an intake key is stored even so."""
        if isinstance(arrival, NewLead):
            return Conflict(reason)
        if not self._is_open(arrival):
            return NotFound("Page not found")
        refused = replace(arrival, inquiries=(), status="rejected", reason=reason)
        return replace(self._add_received(refused, None), is_conflict=True)

    def _store_keys(self, item: ArrivalItem, stored: StoredArrival) -> None:
        first = stored.lead_outcomes[0] if stored.lead_outcomes else None
        about = LeadReference(lead_id=first.id, contact_id=first.contact_id, intake_key_id=None) if first else None
        # A body that was refused may come again, mended, under the same Idempotency-Key.
        keys = [key for key in item.keys if key.digest is None or stored.status != "rejected"]
        self.batch.store_keys(stored.owner_id, keys, about, stored.arrival_id)

    # -- POST /leads

    def _add_new_lead(self, new_lead: NewLead) -> StoredArrival | Problem:
        contact = self.batch.known.contacts.get((new_lead.owner_id, new_lead.contact_id))
        if contact is None:
            message = f"contact_id: {new_lead.contact_id} was given; expected a contact that is there"
            return Invalid.fields({"contact_id": message})
        zipcode, phone = comparable_zipcode(new_lead.zipcode), normal_phone(contact.mobile_phone)
        self.batch.change_contact(new_lead.owner_id, place_contact(contact, zipcode, phone))
        columns = asdict(new_lead)
        is_routed = columns.pop("distribute")
        record = LeadRecord(id=self.batch.known.lead_ids.pop(0), **columns)
        self.batch.add_lead(record, is_routed=is_routed)
        return StoredArrival(
            owner_id=new_lead.owner_id,
            lead_outcomes=(LeadOutcome(id=record.id, contact_id=contact.id, status="new"),),
            is_new=True,
        )

    # -- POST /intake

    def _find_refused(self, item: ArrivalItem) -> int | None:
        keys = ((item.arrival.owner_id, key.scope, key.key) for key in item.refused_as)
        found = (self.batch.known.keys.get(key) for key in keys)
        return next((known.arrival_id for known in found if known and known.is_valid(self.batch.now)), None)

    def _add_received(self, received: ReceivedArrival, refused_id: int | None) -> StoredArrival:
        writes = self.batch.writes
        arrival_id = received.arrival_id or refused_id or self.batch.known.arrival_ids.pop(0)
        if refused_id is not None:
            writes.arrivals = [each for each in writes.arrivals if each.id != refused_id]
        origin = self._origin_of(received, arrival_id)
        outcomes = [self._add_inquiry(received, origin, inquiry) for inquiry in received.inquiries]
        status, reason = _sum_up(outcomes) if outcomes else (received.status, received.reason)
        is_new = status == "accepted"
        if received.status == "pending":
            status, reason = "pending", received.reason
        if status == "pending" and received.arrival_id is None:
            self._put_off(received, arrival_id)
        lead_outcomes = tuple(found for outcome in outcomes if (found := outcome.as_lead_outcome) is not None)
        lead_id = lead_outcomes[0].id if lead_outcomes else None
        writes.arrivals.append(_arrival_record(received, arrival_id, status, reason, lead_id))
        return StoredArrival(
            owner_id=received.owner_id,
            lead_outcomes=lead_outcomes if status in ("accepted", "touch", "pending") else (),
            is_new=is_new and bool(lead_outcomes),
            arrival_id=arrival_id,
            status=status,
            reason=reason,
        )

    def _put_off(self, received: ReceivedArrival, arrival_id: int) -> None:
        if received.put_off:
            deferred = DeferredArrival(received.owner_id, received.intake_key_id, received.put_off, arrival_id)
            self.batch.writes.put_off.append(deferred)
        else:
            self.batch.writes.to_read_again.append((received.owner_id, arrival_id))

    def _origin_of(self, received: ReceivedArrival, arrival_id: int) -> Origin:
        same_name = self.batch.known.contact_sources.get((received.owner_id, received.lead_source_id))
        return Origin(
            owner_id=received.owner_id,
            lead_source_id=received.lead_source_id,
            contact_source_id=received.contact_source_id or same_name,
            is_proven=received.is_proven,
            intake_key_id=received.intake_key_id,
            arrival_id=arrival_id,
        )

    def _add_inquiry(self, received: ReceivedArrival, origin: Origin, inquiry: Inquiry) -> _InquiryOutcome:
        if received.is_test_lead:
            contact_id = self.batch.make_unidentified(origin, inquiry)
            about = self.batch.make_lead(origin, inquiry, contact_id, is_test=True)
            return _InquiryOutcome(status="accepted", about=about, lead_outcome="new")
        keys = received.keys_of(inquiry)
        earlier = self.batch.known.find_key(origin.owner_id, keys, inquiry)
        same = known_reference(earlier)
        if inquiry.is_test:
            reason = "a test lead starts nothing"
            return _InquiryOutcome(status="test", about=same, reason=reason, lead_outcome="repeated")
        if inquiry.event is not None:
            return self._add_event(origin, inquiry, earlier)
        if earlier is not None and same is not None:
            if received.arrival_id is not None and earlier.arrival_id == received.arrival_id:
                # The lead was made when this arrival was read before.
                return _InquiryOutcome(status="accepted", about=same, lead_outcome="new")
            self._touch(origin, same, inquiry, "touched", earlier)
            reason = f"repeats the source's id {inquiry.vendor_id}"
            return _InquiryOutcome(status="touch", about=same, reason=reason, lead_outcome="repeated")
        outcome = self._add_inquiry_of_person(origin, inquiry)
        self.batch.store_new_keys(origin.owner_id, keys, outcome.about, origin.arrival_id)
        return outcome

    def _add_event(self, origin: Origin, inquiry: Inquiry, earlier: KnownDedupeKey | None) -> _InquiryOutcome:
        """The source reports an event of a lead that it has sent before: by its id, else by person and property."""
        about = known_reference(earlier)
        if about is None:
            contact_id = self.batch.known.find_contact(origin.owner_id, inquiry)
            about = self.batch.find_touched(origin.owner_id, contact_id, inquiry)
        if about is not None:
            kind = "updated" if inquiry.event == "update" else "reassigned by the source"
            self._touch(origin, about, inquiry, kind, earlier)
        return _InquiryOutcome(status="update", about=about, reason=f"the source sent: {inquiry.event}")

    def _add_inquiry_of_person(self, origin: Origin, inquiry: Inquiry) -> _InquiryOutcome:
        """An inquiry that repeats no id is a touch of a lead that the person has, or a new lead."""
        contact_id, is_known = self.batch.identify(origin, inquiry)
        touched = self.batch.find_touched(origin.owner_id, contact_id, inquiry) if is_known else None
        if touched is not None:
            self._touch(origin, touched, inquiry, "touched")
            self.batch.note_consents(origin, contact_id, touched.lead_id, inquiry)
            return _InquiryOutcome(status="touch", about=touched, reason="the same person about the same property")
        about = self.batch.make_lead(origin, inquiry, contact_id)
        return _InquiryOutcome(status="accepted", about=about, lead_outcome="new")

    def _touch(
        self,
        origin: Origin,
        about: LeadReference,
        inquiry: Inquiry,
        kind: str,
        earlier: KnownDedupeKey | None = None,
    ) -> None:
        """A source's id (`earlier`) decides whose lead it is; only a contact that is the same person is filled."""
        self.batch.touch(origin, about, inquiry, kind, arrival_id=origin.arrival_id, message=inquiry.message)
        contact = self.batch.known.contacts.get((origin.owner_id, earlier.contact_id or 0)) if earlier else None
        if contact is not None and is_same_person(contact, inquiry):
            self.batch.note_consents(origin, contact.id, about.lead_id, inquiry)
            self.batch.fill(origin, contact.id, inquiry)


def _sum_up(outcomes: Sequence[_InquiryOutcome]) -> tuple[str, str | None]:
    """The status of a body that holds several inquiries is the one that matters most."""
    order = ("accepted", "touch", "update", "test")
    first = min(outcomes, key=lambda outcome: order.index(outcome.status))
    return first.status, first.reason


def _arrival_record(
    received: ReceivedArrival, arrival_id: int, status: str, reason: str | None, lead_id: int | None
) -> ArrivalRecord:
    return ArrivalRecord(
        owner_id=received.owner_id,
        id=arrival_id,
        intake_key_id=received.intake_key_id,
        lead_source_id=received.lead_source_id,
        headers=msgspec.json.encode(dict(received.headers)).decode(),
        body=received.body,
        format=received.format,
        status=status,
        reason=reason,
        lead_id=lead_id,
        source_named=next((inquiry.source for inquiry in received.inquiries), None),
        proof=received.proof,
    )
