"""Sorts a batch of arrivals in order: repetition, touch or new lead, and whose; gathers what has to be written.

It knows what was looked up beforehand, asks the domain, and touches no database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from leadroutes.domain.arrival import ArrivalItem, NewLead, ReceivedArrival, StoredArrival
from leadroutes.domain.dedupe import (
    REPEAT_WINDOW,
    DedupeKey,
    Identity,
    KnownContact,
    KnownDedupeKey,
    KnownLead,
    LeadOutcome,
    LeadReference,
    addresses_in,
    fill_contact,
    fill_gaps,
    find_touched_lead,
    find_valid_key,
    identities_of,
    inquiry_columns,
    is_same_person,
    place_contact,
    touch_lead,
)
from leadroutes.domain.identity import comparable_zipcode, normal_phone
from leadroutes.domain.inquiry import Inquiry
from leadroutes.errors import Conflict, Invalid, NotFound, Problem
from leadroutes.store.arrivals import BatchWrites, DeferredArrival, KnownRecords, key_record


class _InquiryOutcome(Struct, frozen=True, kw_only=True):
    status: str
    about: LeadReference | None = None
    reason: str | None = None
    lead_outcome: Literal["new", "repeated", "touched"] = "touched"

    @property
    def as_lead_outcome(self) -> LeadOutcome | None:
        return (
            LeadOutcome(id=self.about.lead_id, contact_id=self.about.contact_id, status=self.lead_outcome)
            if self.about
            else None
        )


@dataclass(slots=True)
class LeadToRoute:
    record: dict[str, Any]
    contact: KnownContact
    is_distributed: bool


@dataclass(slots=True)
class Deduplicator:
    """Sorts arrivals in order; what one brings, the next one knows."""

    known: KnownRecords
    now: datetime
    writes: BatchWrites = field(default_factory=BatchWrites)
    to_route: list[LeadToRoute] = field(default_factory=list)
    gaps: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)  # what touches can fill, by lead
    changed_contacts: dict[tuple[int, int], KnownContact] = field(default_factory=dict)  # as they were
    identities: dict[tuple[int, str, str], dict[str, Any]] = field(default_factory=dict)  # to be written

    def add(self, item: ArrivalItem) -> StoredArrival | Problem:
        """Where the keys are known already, the first one's answer; otherwise what becomes of this one."""
        owner_id = item.arrival.owner_id
        known_keys = {
            (key.scope, key.key): found
            for key in item.keys
            if (found := self.known.keys.get((owner_id, key.scope, key.key))) is not None
        }
        earlier = find_valid_key(known_keys, item.keys, self.now)
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
        """Unless the key has been revoked since it was looked up, and its lead source removed."""
        source = (received.owner_id, received.lead_source_id)
        return not received.lead_source_id or source in self.known.contact_sources

    def _repeat(
        self, item: ArrivalItem, earlier: KnownDedupeKey, known_keys: Mapping[tuple[str, str], KnownDedupeKey]
    ) -> StoredArrival | Problem:
        for key in item.keys:
            found = known_keys.get((key.scope, key.key))
            if found is not None and key.digest is not None and found.digest != key.digest:
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
        """What came in through an intake key is kept even so."""
        if isinstance(arrival, NewLead):
            return Conflict(reason)
        if not self._is_open(arrival):
            return NotFound("Page not found")
        rejected = replace(arrival, inquiries=(), status="rejected", reason=reason)
        return replace(self._add_received(rejected, None), is_conflict=True)

    def _store_keys(self, item: ArrivalItem, stored: StoredArrival) -> None:
        first = stored.lead_outcomes[0] if stored.lead_outcomes else None
        about = LeadReference(lead_id=first.id, contact_id=first.contact_id, intake_key_id=None) if first else None
        for key in item.keys:
            if key.digest is None or stored.status != "rejected":  # what was refused may come again, mended
                self._store_key(stored.owner_id, key, about, stored.arrival_id)

    def _store_key(self, owner_id: int, key: DedupeKey, about: LeadReference | None, arrival_id: int | None) -> None:
        lead_id = about.lead_id if about else None
        self.writes.keys.append(key_record(owner_id, key, lead_id, arrival_id))
        self.known.keys[owner_id, key.scope, key.key] = KnownDedupeKey(
            lead_id=lead_id,
            arrival_id=arrival_id,
            digest=key.digest,
            created_at=self.now,
            contact_id=about.contact_id if about else None,
            intake_key_id=about.intake_key_id if about else None,
        )

    # -- POST /leads

    def _add_new_lead(self, new_lead: NewLead) -> StoredArrival | Problem:
        contact = self.known.contacts.get((new_lead.owner_id, new_lead.contact_id))
        if contact is None:
            message = f"contact_id: {new_lead.contact_id} was given; expected a contact that is there"
            return Invalid.fields({"contact_id": message})
        record = asdict(new_lead)
        del record["distribute"]
        zipcode, phone = comparable_zipcode(new_lead.zipcode), normal_phone(contact.mobile_phone)
        self._change_contact(new_lead.owner_id, place_contact(contact, zipcode, phone))
        lead_id = self._make_lead(record, contact.id, is_distributed=new_lead.distribute)
        return StoredArrival(
            owner_id=new_lead.owner_id,
            lead_outcomes=(LeadOutcome(id=lead_id, contact_id=contact.id, status="new"),),
            is_new=True,
        )

    def _make_lead(self, record: dict[str, Any], contact_id: int, *, is_distributed: bool = True) -> int:
        lead_id = self.known.lead_ids.pop(0)
        owner_id = record["owner_id"]
        record |= {"id": lead_id, "contact_id": contact_id}
        self.writes.leads.append(record)
        self.to_route.append(LeadToRoute(record, self.known.contacts[owner_id, contact_id], is_distributed))
        self.known.leads.setdefault((owner_id, contact_id), []).insert(
            0,
            KnownLead(
                id=lead_id,
                mls_id=record["mls_id"],
                street_address=record["street_address"],
                zipcode=record["zipcode"],
                touched_at=self.now,
                intake_key_id=record.get("intake_key_id"),
            ),
        )
        return lead_id

    # -- POST /intake

    def _find_refused(self, item: ArrivalItem) -> int | None:
        owner_id = item.arrival.owner_id
        found = (self.known.keys.get((owner_id, key.scope, key.key)) for key in item.refused_as)
        return next(
            (known.arrival_id for known in found if known and self.now - known.created_at <= REPEAT_WINDOW), None
        )

    def _add_received(self, received: ReceivedArrival, refused_id: int | None) -> StoredArrival:
        arrival_id = received.arrival_id or refused_id or self.known.arrival_ids.pop(0)
        self.writes.arrivals = [each for each in self.writes.arrivals if each["id"] != refused_id]
        outcomes = [self._add_inquiry(received, inquiry, arrival_id) for inquiry in received.inquiries]
        status, reason = _sum_up(outcomes) if outcomes else (received.status, received.reason)
        is_new = status == "accepted"
        if received.status == "pending":
            status, reason = "pending", received.reason
        if status == "pending" and received.arrival_id is None:
            if received.put_off:
                self.writes.put_off.append(
                    DeferredArrival(received.owner_id, received.intake_key_id, received.put_off, arrival_id)
                )
            else:
                self.writes.to_read_again.append((received.owner_id, arrival_id))
        lead_outcomes = tuple(outcome.as_lead_outcome for outcome in outcomes if outcome.as_lead_outcome is not None)
        self.writes.arrivals.append(
            {
                "owner_id": received.owner_id,
                "id": arrival_id,
                "intake_key_id": received.intake_key_id,
                "lead_source_id": received.lead_source_id,
                "headers": msgspec.json.encode(dict(received.headers)).decode(),
                "body": received.body,
                "format": received.format,
                "status": status,
                "reason": reason,
                "lead_id": lead_outcomes[0].id if lead_outcomes else None,
                "source_named": next((inquiry.source for inquiry in received.inquiries), None),
                "proof": received.proof,
            }
        )
        return StoredArrival(
            owner_id=received.owner_id,
            lead_outcomes=lead_outcomes if status in ("accepted", "touch", "pending") else (),
            is_new=is_new and bool(lead_outcomes),
            arrival_id=arrival_id,
            status=status,
            reason=reason,
        )

    def _add_inquiry(self, received: ReceivedArrival, inquiry: Inquiry, arrival_id: int) -> _InquiryOutcome:
        owner_id = received.owner_id
        keys = received.keys_of(inquiry)
        earlier = self.known.find_key(owner_id, keys, inquiry)
        same = _about_known(earlier)
        if inquiry.is_test:
            return _InquiryOutcome(
                status="test", about=same, reason="a test lead starts nothing", lead_outcome="repeated"
            )
        if inquiry.event is not None:
            kind = "updated" if inquiry.event == "update" else "reassigned by the source"
            about = same or self._find_by_person(owner_id, inquiry)
            if about is not None:
                self._touch(received, about, inquiry, arrival_id, kind)
                self._fill_known(received, earlier, inquiry)
            return _InquiryOutcome(status="update", about=about, reason=f"the source sent: {inquiry.event}")
        if earlier is not None and same is not None:
            if received.arrival_id is not None and earlier.arrival_id == received.arrival_id:
                return _InquiryOutcome(
                    status="accepted", about=same, lead_outcome="new"
                )  # made when this arrival was read before
            self._touch(received, same, inquiry, arrival_id, "touched")
            self._fill_known(received, earlier, inquiry)
            reason = f"repeats the source's id {inquiry.vendor_id}"
            return _InquiryOutcome(status="touch", about=same, reason=reason, lead_outcome="repeated")
        outcome = self._add_inquiry_of_person(received, inquiry, arrival_id)
        for key in keys:
            if (owner_id, key.scope, key.key) not in self.known.keys:
                self._store_key(owner_id, key, outcome.about, arrival_id)
        return outcome

    def _add_inquiry_of_person(self, received: ReceivedArrival, inquiry: Inquiry, arrival_id: int) -> _InquiryOutcome:
        """Of one that repeats no id: a touch of a lead that the person has, or a new lead."""
        owner_id = received.owner_id
        contact_id, is_known = self._identify(received, inquiry)
        touched = (
            find_touched_lead(self.known.leads.get((owner_id, contact_id), ()), inquiry, self.now) if is_known else None
        )
        if touched is not None:
            about = LeadReference(lead_id=touched.id, contact_id=contact_id, intake_key_id=touched.intake_key_id)
            self._touch(received, about, inquiry, arrival_id, "touched")
            return _InquiryOutcome(status="touch", about=about, reason="the same person about the same property")
        lead_id = self._make_lead(_lead_record(received, inquiry, arrival_id), contact_id)
        about = LeadReference(lead_id=lead_id, contact_id=contact_id, intake_key_id=received.intake_key_id)
        return _InquiryOutcome(status="accepted", about=about, lead_outcome="new")

    def _find_by_person(self, owner_id: int, inquiry: Inquiry) -> LeadReference | None:
        """The lead that this person has about this property, where there is one."""
        contact_id = self.known.find_contact(owner_id, inquiry)
        leads = self.known.leads.get((owner_id, contact_id), ()) if contact_id is not None else ()
        found = find_touched_lead(leads, inquiry, self.now)
        if found is None:
            return None
        return LeadReference(lead_id=found.id, contact_id=contact_id, intake_key_id=found.intake_key_id)

    def _fill_known(self, received: ReceivedArrival, earlier: KnownDedupeKey | None, inquiry: Inquiry) -> None:
        """A source's id decides whose lead it is; the contact is filled unless it is plainly another person now."""
        owner_id = received.owner_id
        contact = self.known.contacts.get((owner_id, earlier.contact_id or 0)) if earlier else None
        if contact is not None and is_same_person(contact, inquiry):
            self._fill(received, contact, inquiry)

    def _identify(self, received: ReceivedArrival, inquiry: Inquiry) -> tuple[int, bool]:
        """The contact that this person is, made if need be; and whether it was known before."""
        owner_id = received.owner_id
        contact_id = self.known.find_contact(owner_id, inquiry)
        is_known = contact_id is not None
        if contact_id is None:
            contact_id = self.known.contact_ids.pop(0)
            source_id = received.contact_source_id or self.known.contact_sources.get(
                (owner_id, received.lead_source_id)
            )
            placed = place_contact(KnownContact(id=contact_id, source_id=source_id), inquiry.zipcode, inquiry.phone)
            contact = fill_contact(placed, inquiry)
            self.known.contacts[owner_id, contact_id] = contact
            self.changed_contacts[owner_id, contact_id] = KnownContact(id=0)
            self._store_identities(received, contact_id, inquiry)
        else:
            self._fill(received, self.known.contacts[owner_id, contact_id], inquiry)
        return contact_id, is_known

    def _fill(self, received: ReceivedArrival, before: KnownContact, inquiry: Inquiry) -> None:
        """What a key that proves nothing brings to a contact that is there stays with its inquiry."""
        if not received.is_proven:
            return
        placed = place_contact(before, inquiry.zipcode, inquiry.phone)
        self._change_contact(received.owner_id, fill_contact(placed, inquiry))
        self._store_identities(received, before.id, inquiry)

    def _store_identities(self, received: ReceivedArrival, contact_id: int, inquiry: Inquiry) -> None:
        """A phone identifies the contact only where it stands in it, an e-mail also where it stays with the inquiry.

        What came through a key that proves nothing passes to whoever proves it.
        """
        owner_id = received.owner_id
        known, unproven = self.known.identities[owner_id], self.known.unproven[owner_id]
        standing = addresses_in(self.known.contacts[owner_id, contact_id])
        is_by_email = inquiry.email is not None and not inquiry.relay and ("email", inquiry.email) in standing
        for identity in identities_of(inquiry):
            if identity[0] == "phone" and identity not in standing:
                continue
            is_free = identity not in known
            is_anothers = known.get(identity) != contact_id
            if is_free or (received.is_proven and identity in unproven and (is_by_email or is_anothers)):
                self._store_identity(owner_id, contact_id, identity, is_proven=received.is_proven)

    def _store_identity(self, owner_id: int, contact_id: int, identity: Identity, *, is_proven: bool) -> None:
        kind, value = identity
        record = {"owner_id": owner_id, "kind": kind, "value": value, "contact_id": contact_id, "is_proven": is_proven}
        self.identities[owner_id, kind, value] = record
        self.known.identities[owner_id][identity] = contact_id
        (set.discard if is_proven else set.add)(self.known.unproven[owner_id], identity)
        # It is written together with the contact, so that whoever changes that meanwhile is noticed.
        self.changed_contacts.setdefault((owner_id, contact_id), self.known.contacts[owner_id, contact_id])

    def _change_contact(self, owner_id: int, after: KnownContact) -> None:
        before = self.known.contacts[owner_id, after.id]
        if after != before:
            self.changed_contacts.setdefault((owner_id, after.id), before)
            self.known.contacts[owner_id, after.id] = after

    def give_source(self, owner_id: int, contact_id: int, source_id: int) -> None:
        """A contact that has no source yet is given the route's."""
        contact = self.known.contacts[owner_id, contact_id]
        self._change_contact(owner_id, replace(contact, source_id=contact.source_id or source_id))

    def _touch(
        self, received: ReceivedArrival, about: LeadReference, inquiry: Inquiry, arrival_id: int, kind: str
    ) -> None:
        """Recorded with all that was said; what fills the lead's gaps comes through a proven key, or the lead's own."""
        owner_id, lead_id = received.owner_id, about.lead_id
        said = {"arrival_id": arrival_id, "message": inquiry.message, "source": inquiry.source, **inquiry.person}
        self.writes.touches.append(
            {
                "owner_id": owner_id,
                "lead_id": lead_id,
                "kind": kind,
                "counts_as_touch": kind == "touched",
                "detail": said,
            }
        )
        is_filling = received.is_proven or about.intake_key_id == received.intake_key_id
        gaps = self.gaps.setdefault((owner_id, lead_id), {})
        if is_filling:
            fill_gaps(gaps, inquiry_columns(inquiry))
        if kind == "touched":
            self._know_touched(owner_id, lead_id, inquiry if is_filling else Inquiry())

    def _know_touched(self, owner_id: int, lead_id: int, inquiry: Inquiry) -> None:
        """What the next one of this batch has to know of the lead."""
        for leads in (leads for (owner, _), leads in self.known.leads.items() if owner == owner_id):
            for place, lead in enumerate(leads):
                if lead.id == lead_id:
                    leads[place] = touch_lead(lead, inquiry, self.now)

    def finish_leads(self) -> None:
        """Before they are routed: leads of this batch have their gaps filled, as a touch can only fill stored ones."""
        for lead in self.to_route:
            fill_gaps(lead.record, self.gaps.get((lead.record["owner_id"], lead.record["id"]), {}))
        for touch in self.writes.touches:
            touch.update(self.gaps[touch["owner_id"], touch["lead_id"]])

    def finish_contacts(self) -> None:
        """Turn what became of the contacts into records: new ones whole, known ones by what was filled in."""
        for (owner_id, contact_id), before in self.changed_contacts.items():
            after = self.known.contacts[owner_id, contact_id]
            record = {"owner_id": owner_id, **asdict(after)}
            (self.writes.contacts if before.id == 0 else self.writes.filled).append(record)
        self.writes.identities = list(self.identities.values())


def _about_known(earlier: KnownDedupeKey | None) -> LeadReference | None:
    if earlier is None or earlier.lead_id is None:
        return None
    return LeadReference(lead_id=earlier.lead_id, contact_id=earlier.contact_id, intake_key_id=earlier.intake_key_id)


def _sum_up(outcomes: Sequence[_InquiryOutcome]) -> tuple[str, str | None]:
    """The status of a body that holds several inquiries is the one that matters most."""
    order = ("accepted", "touch", "update", "test")
    first = min(outcomes, key=lambda outcome: order.index(outcome.status))
    return first.status, first.reason


def _lead_record(received: ReceivedArrival, inquiry: Inquiry, arrival_id: int) -> dict[str, Any]:
    return {
        "owner_id": received.owner_id,
        "creator_user_id": received.owner_id,
        "arrival_id": arrival_id,
        "source_id": received.lead_source_id,
        "claimed_via": "None",
        "html_body": None,
        "listing_status": None,
        "inquirer": inquiry.person or None,
        "intake_key_id": received.intake_key_id,
        **inquiry_columns(inquiry),
    }
