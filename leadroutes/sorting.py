"""Sorts a batch of arrivals in order: repetition, touch or new lead, and whose; gathers what has to be written.

It knows what was looked up beforehand, asks the domain, and touches no database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from leadroutes.domain.arriving import (
    REPEAT_WINDOW,
    Key,
    KnownContact,
    KnownKey,
    KnownLead,
    fill_contact,
    find_contact,
    find_standing_key,
    find_touched_lead,
    identities_of,
    is_same_person,
    place_contact,
    touch_lead,
)
from leadroutes.domain.identity import comparable_zipcode, normal_phone
from leadroutes.domain.inquiry import Inquiry
from leadroutes.errors import Conflict, Invalid, NotFound, Problem
from leadroutes.store.arriving import Known, PutOff, Writes, key_record


class NewLead(Struct, frozen=True, kw_only=True):
    """`POST /leads`: an inquiry of a contact that exists; the API has checked its fields."""

    owner_id: int
    contact_id: int
    creator_user_id: int
    source_id: int | None = None
    claimed_via: str = "None"
    text_body: str | None = None
    html_body: str | None = None
    mls_id: str | None = None
    listing_status: str | None = None
    listing_price: str | None = None
    street_address: str | None = None
    city: str | None = None
    state: str | None = None
    zipcode: str | None = None
    type: str | None = None
    distribute: bool = True


class Received(Struct, frozen=True, kw_only=True):
    """A body that came in through an intake key, as it was read. `arrival_id` where one that is kept is read again."""

    owner_id: int
    intake_key_id: int
    lead_source_id: int
    contact_source_id: int | None
    body: bytes
    headers: Mapping[str, str]
    format: str | None
    inquiries: tuple[Inquiry, ...]
    status: str = "accepted"  # of a body that holds no inquiry, or of which a part is pending
    reason: str | None = None
    arrival_id: int | None = None
    proof: bytes | None = None  # the sealed headers that prove the sender
    put_off: float = 0.0  # seconds after which it is to be read, where too much came with its key


class Item(Struct, frozen=True, kw_only=True):
    """One arrival of a batch, with the keys that make it the same as another.

    `refused_as`: the same body, refused before for want of a proof; now that it is there, it takes that one's place.
    """

    arrival: NewLead | Received
    keys: tuple[Key, ...] = ()
    refused_as: tuple[Key, ...] = ()


class Stored(Struct, frozen=True, kw_only=True):
    """What became of an arrival; `is_new` is false for a repetition and for a touch."""

    owner_id: int
    lead_ids: tuple[int, ...] = ()
    is_new: bool = False
    arrival_id: int | None = None
    status: str = "accepted"
    reason: str | None = None


def vendor_key(lead_source_id: int, inquiry: Inquiry) -> Key | None:
    """A vendor's own id holds for ever, inside an owner and a lead source."""
    if not inquiry.vendor_id:
        return None
    return Key(scope=f"vendor {lead_source_id}", key=inquiry.vendor_id, is_lasting=True)


PLACE = ("street_address", "city", "state", "zipcode")
Outcome = tuple[str, int | None, str | None]  # what an inquiry is, its lead, and why


@dataclass(slots=True)
class LeadToRoute:
    record: dict[str, Any]
    contact: KnownContact
    is_distributed: bool


@dataclass(slots=True)
class Sorting:
    """Sorts arrivals in order; what one brings, the next one knows."""

    known: Known
    now: datetime
    writes: Writes = field(default_factory=Writes)
    to_route: list[LeadToRoute] = field(default_factory=list)
    gaps: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)  # what touches can fill, by lead
    changed_contacts: dict[tuple[int, int], KnownContact] = field(default_factory=dict)  # as they were

    def add(self, item: Item) -> Stored | Problem:
        """Where the keys are known already, the first one's answer; otherwise what becomes of this one."""
        owner_id = item.arrival.owner_id
        known_keys = {
            (key.scope, key.key): found
            for key in item.keys
            if (found := self.known.keys.get((owner_id, key.scope, key.key))) is not None
        }
        earlier = find_standing_key(known_keys, item.keys, self.now)
        if earlier is not None:
            return self._repeat(item, earlier, known_keys)
        match item.arrival:
            case NewLead() as new_lead:
                stored = self._add_new_lead(new_lead)
            case Received() as received if not self._is_open(received):
                return NotFound("Page not found")
            case Received() as received:
                stored = self._add_received(received, self._find_refused(item))
        if isinstance(stored, Stored):
            self._keep_keys(item, stored)
        return stored

    def _is_open(self, received: Received) -> bool:
        """Unless the key has been revoked since it was looked up, and its lead source removed."""
        source = (received.owner_id, received.lead_source_id)
        return not received.lead_source_id or source in self.known.contact_sources

    def _repeat(
        self, item: Item, earlier: KnownKey, known_keys: Mapping[tuple[str, str], KnownKey]
    ) -> Stored | Problem:
        for key in item.keys:
            found = known_keys.get((key.scope, key.key))
            if found is not None and key.digest is not None and found.digest != key.digest:
                return Conflict(f"The Idempotency-Key {key.key!r} came with another body before")
        lead_ids = (earlier.lead_id,) if earlier.lead_id is not None else ()
        return Stored(
            owner_id=item.arrival.owner_id,
            lead_ids=lead_ids,
            arrival_id=earlier.arrival_id,
            status="touch" if lead_ids else "accepted",
            reason="repeats an earlier arrival",
        )

    def _keep_keys(self, item: Item, stored: Stored) -> None:
        lead_id = stored.lead_ids[0] if stored.lead_ids else None
        for key in item.keys:
            if key.digest is None or stored.status != "rejected":  # what was refused may come again, mended
                self._keep_key(stored.owner_id, key, lead_id, stored.arrival_id)

    def _keep_key(
        self, owner_id: int, key: Key, lead_id: int | None, arrival_id: int | None, contact_id: int | None = None
    ) -> None:
        self.writes.keys.append(key_record(owner_id, key, lead_id, arrival_id))
        self.known.keys[owner_id, key.scope, key.key] = KnownKey(
            lead_id=lead_id, arrival_id=arrival_id, digest=key.digest, created_at=self.now, contact_id=contact_id
        )

    # -- POST /leads

    def _add_new_lead(self, new_lead: NewLead) -> Stored | Problem:
        contact = self.known.contacts.get((new_lead.owner_id, new_lead.contact_id))
        if contact is None:
            message = f"contact_id: {new_lead.contact_id} was given; expected a contact that is there"
            return Invalid.fields({"contact_id": message})
        record = asdict(new_lead)
        del record["distribute"]
        zipcode, phone = comparable_zipcode(new_lead.zipcode), normal_phone(contact.mobile_phone)
        self._change_contact(new_lead.owner_id, place_contact(contact, zipcode, phone))
        lead_id = self._make_lead(record, contact.id, is_distributed=new_lead.distribute)
        return Stored(owner_id=new_lead.owner_id, lead_ids=(lead_id,), is_new=True)

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
            ),
        )
        return lead_id

    # -- POST /intake

    def _find_refused(self, item: Item) -> int | None:
        owner_id = item.arrival.owner_id
        found = (self.known.keys.get((owner_id, key.scope, key.key)) for key in item.refused_as)
        return next(
            (known.arrival_id for known in found if known and self.now - known.created_at <= REPEAT_WINDOW), None
        )

    def _add_received(self, received: Received, refused_id: int | None) -> Stored:
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
                    PutOff(received.owner_id, received.intake_key_id, received.put_off, arrival_id)
                )
            else:
                self.writes.to_read_again.append((received.owner_id, arrival_id))
        lead_ids = tuple(lead_id for _, lead_id, _ in outcomes if lead_id is not None)
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
                "lead_id": lead_ids[0] if lead_ids else None,
                "source_named": next((inquiry.source for inquiry in received.inquiries), None),
                "proof": received.proof,
            }
        )
        return Stored(
            owner_id=received.owner_id,
            lead_ids=lead_ids if status in ("accepted", "touch", "pending") else (),
            is_new=is_new and bool(lead_ids),
            arrival_id=arrival_id,
            status=status,
            reason=reason,
        )

    def _add_inquiry(self, received: Received, inquiry: Inquiry, arrival_id: int) -> Outcome:
        """(status, lead, reason) of one inquiry."""
        owner_id = received.owner_id
        vendor = vendor_key(received.lead_source_id, inquiry)
        earlier = self.known.keys.get((owner_id, vendor.scope, vendor.key)) if vendor else None
        same_lead = earlier.lead_id if earlier else None
        if inquiry.is_test:
            return "test", same_lead, "a test lead starts nothing"
        if inquiry.event is not None:
            kind = "updated" if inquiry.event == "update" else "reassigned by the source"
            about = same_lead or self._find_by_person(owner_id, inquiry)
            if about is not None:
                self._touch(owner_id, about, inquiry, arrival_id, kind)
                self._fill_known(owner_id, earlier, inquiry)
            return "update", about, f"the source sent: {inquiry.event}"
        if earlier is not None and same_lead is not None:
            if received.arrival_id is not None and earlier.arrival_id == received.arrival_id:
                return "accepted", same_lead, None  # it came of this arrival when that was read before
            self._touch(owner_id, same_lead, inquiry, arrival_id, "touched")
            self._fill_known(owner_id, earlier, inquiry)
            return "touch", same_lead, f"repeats the source's id {inquiry.vendor_id}"
        contact_id, is_known = self._identify(received, inquiry)
        touched = (
            find_touched_lead(self.known.leads.get((owner_id, contact_id), ()), inquiry, self.now) if is_known else None
        )
        if touched is not None:
            self._touch(owner_id, touched.id, inquiry, arrival_id, "touched")
            lead_id = touched.id
            outcome: Outcome = ("touch", lead_id, "the same person about the same property")
        else:
            lead_id = self._make_lead(_lead_record(received, inquiry, arrival_id), contact_id)
            outcome = ("accepted", lead_id, None)
        if vendor is not None:
            self._keep_key(owner_id, vendor, lead_id, arrival_id, contact_id)
        return outcome

    def _find_by_person(self, owner_id: int, inquiry: Inquiry) -> int | None:
        """The lead that this person has about this property, where there is one."""
        contact_id = find_contact(self.known.identities[owner_id], identities_of(inquiry))
        leads = self.known.leads.get((owner_id, contact_id), ()) if contact_id is not None else ()
        found = find_touched_lead(leads, inquiry, self.now)
        return found.id if found is not None else None

    def _fill_known(self, owner_id: int, earlier: KnownKey | None, inquiry: Inquiry) -> None:
        """A source's id decides whose lead it is; his gaps are filled unless it is plainly another person now."""
        contact = self.known.contacts.get((owner_id, earlier.contact_id or 0)) if earlier else None
        if contact is not None and is_same_person(contact, inquiry):
            self._fill(owner_id, contact, inquiry)

    def _identify(self, received: Received, inquiry: Inquiry) -> tuple[int, bool]:
        """The contact that this person is, made if need be; and whether he was known before."""
        owner_id = received.owner_id
        contact_id = find_contact(self.known.identities[owner_id], identities_of(inquiry))
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
            self._keep_identities(owner_id, contact_id, inquiry)
        else:
            self._fill(owner_id, self.known.contacts[owner_id, contact_id], inquiry)
        return contact_id, is_known

    def _fill(self, owner_id: int, before: KnownContact, inquiry: Inquiry) -> None:
        placed = place_contact(before, inquiry.zipcode, inquiry.phone)
        self._change_contact(owner_id, fill_contact(placed, inquiry))
        self._keep_identities(owner_id, before.id, inquiry)

    def _keep_identities(self, owner_id: int, contact_id: int, inquiry: Inquiry) -> None:
        """Only what the contact has kept identifies him, and nobody else has had."""
        known = self.known.identities[owner_id]
        contact = self.known.contacts[owner_id, contact_id]
        kept = {
            *(("email", each.lower()) for each in (contact.email, contact.secondary_email) if each),
            *(("phone", each) for each in (contact.mobile_phone, contact.home_phone, contact.office_phone) if each),
        }
        for kind, value in identities_of(inquiry):
            if (kind, value) in kept and (kind, value) not in known:
                known[kind, value] = contact_id
                self.writes.identities.append(
                    {"owner_id": owner_id, "kind": kind, "value": value, "contact_id": contact_id}
                )

    def _change_contact(self, owner_id: int, after: KnownContact) -> None:
        before = self.known.contacts[owner_id, after.id]
        if after != before:
            self.changed_contacts.setdefault((owner_id, after.id), before)
            self.known.contacts[owner_id, after.id] = after

    def give_source(self, owner_id: int, contact_id: int, source_id: int) -> None:
        """A contact that has no source yet is given the route's."""
        contact = self.known.contacts[owner_id, contact_id]
        self._change_contact(owner_id, replace(contact, source_id=contact.source_id or source_id))

    def _touch(self, owner_id: int, lead_id: int, inquiry: Inquiry, arrival_id: int, kind: str) -> None:
        self.writes.touches.append(
            {
                "owner_id": owner_id,
                "lead_id": lead_id,
                "kind": kind,
                "counts_as_touch": kind == "touched",
                "detail": {"arrival_id": arrival_id, "message": inquiry.message, "source": inquiry.source},
            }
        )
        fill_gaps(self.gaps.setdefault((owner_id, lead_id), {}), inquiry_columns(inquiry))
        if kind == "touched":
            self._know_touched(owner_id, lead_id, inquiry)

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


def _sum_up(outcomes: Sequence[Outcome]) -> tuple[str, str | None]:
    """The status of a body that holds several inquiries is the one that matters most."""
    order = ("accepted", "touch", "update", "test")
    status, _, reason = min(outcomes, key=lambda outcome: order.index(outcome[0]))
    return status, reason


def fill_gaps(record: dict[str, Any], columns: Mapping[str, Any]) -> None:
    """What the record lacks and the columns have; a place is filled in as a whole."""
    has_place = any(record.get(name) is not None for name in PLACE)
    for name, value in columns.items():
        if record.get(name) is None and not (has_place and name in PLACE):
            record[name] = value


def inquiry_columns(inquiry: Inquiry) -> dict[str, Any]:
    """What a lead has of an inquiry."""
    return {
        "text_body": inquiry.message,
        "mls_id": inquiry.mls_id,
        "listing_price": str(inquiry.price) if inquiry.price is not None else None,
        "street_address": inquiry.street_address,
        "city": inquiry.city,
        "state": inquiry.state,
        "zipcode": inquiry.zipcode,
        "type": inquiry.type,
    }


def _lead_record(received: Received, inquiry: Inquiry, arrival_id: int) -> dict[str, Any]:
    return {
        "owner_id": received.owner_id,
        "creator_user_id": received.owner_id,
        "arrival_id": arrival_id,
        "source_id": received.lead_source_id,
        "claimed_via": "None",
        "html_body": None,
        "listing_status": None,
        **inquiry_columns(inquiry),
    }
