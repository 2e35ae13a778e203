"""Decides whose each inquiry of a batch is, and gathers what has to be written: what one brings, the next one knows.

Arrivals and imports share it. It knows what was looked up beforehand and touches no database.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict, replace

from leadroutes.domain.dedupe import (
    DedupeKey,
    InquiryColumns,
    KnownContact,
    KnownDedupeKey,
    KnownLead,
    LeadReference,
    fill_contact,
    fill_gaps,
    find_touched_lead,
    identities_to_store,
    inquiry_columns,
    place_contact,
    touch_lead,
)
from leadroutes.domain.inquiry import Inquiry
from leadroutes.domain.junk import Junk
from leadroutes.domain.records import (
    BatchWrites,
    ConsentRecord,
    ContactRecord,
    IdentityRecord,
    KeyRecord,
    KnownRecords,
    LeadRecord,
    TouchRecord,
)

ContactId = tuple[int, int]  # owner, contact


class Origin(Struct, frozen=True, kw_only=True):
    """How an inquiry came in: into whose account, from which sources, and what that proves.

    `is_history`: it is imported. Then its lead is neither routed nor touched, lead and contact are as old as the
    inquiry, and as no route will give the contact a source, the import does.
    """

    owner_id: int
    lead_source_id: int
    contact_source_id: int | None  # of a contact that has none
    is_proven: bool
    intake_key_id: int | None = None
    arrival_id: int | None = None
    is_history: bool = False


class PastOutcome(Struct, frozen=True, kw_only=True):
    """What had become of a lead before it came here."""

    is_closed: bool = False
    junk: Junk | None = None


UNKNOWN: Final = PastOutcome()


@dataclass(slots=True)
class Deduplicator:
    """One for a batch. First everything is added; then `finish_leads`, routing, and `finish`, each once, in this order.

    What each step needs is what the one before it returns.
    """

    known: KnownRecords
    now: datetime
    writes: BatchWrites = field(default_factory=BatchWrites)
    sources_named: dict[int, str] = field(default_factory=dict)  # by lead: the source that its inquiry named
    _held: set[int] = field(default_factory=set)  # new leads that are not to be routed
    _gaps: dict[tuple[int, int], InquiryColumns] = field(default_factory=dict)  # what touches can fill, by lead
    _before: dict[ContactId, KnownContact | None] = field(default_factory=dict)  # changed contacts; None: a new one
    _created_at: dict[ContactId, datetime | None] = field(default_factory=dict)  # of new contacts
    _identities: dict[tuple[int, str, str], IdentityRecord] = field(default_factory=dict)

    # -- keys

    def store_keys(
        self, owner_id: int, keys: Iterable[DedupeKey], about: LeadReference | None, arrival_id: int | None = None
    ) -> None:
        """From now on these keys refer to this lead, whatever they referred to before."""
        for key in keys:
            expires_at = key.expires_at(self.now)
            self.writes.keys.append(
                KeyRecord(
                    owner_id=owner_id,
                    scope=key.scope,
                    key=key.key,
                    digest=key.digest,
                    lead_id=about.lead_id if about else None,
                    arrival_id=arrival_id,
                    expires_at=expires_at,
                )
            )
            self.known.keys[owner_id, key.scope, key.key] = KnownDedupeKey(
                lead_id=about.lead_id if about else None,
                arrival_id=arrival_id,
                digest=key.digest,
                expires_at=expires_at,
                contact_id=about.contact_id if about else None,
                intake_key_id=about.intake_key_id if about else None,
            )

    def store_new_keys(
        self, owner_id: int, keys: Iterable[DedupeKey], about: LeadReference | None, arrival_id: int | None = None
    ) -> None:
        """The same for those of the keys that are not known yet."""
        new = [key for key in keys if (owner_id, key.scope, key.key) not in self.known.keys]
        self.store_keys(owner_id, new, about, arrival_id)

    # -- contacts

    def identify(self, origin: Origin, inquiry: Inquiry, others: Iterable[int] = ()) -> tuple[int, bool]:
        """Returns the contact that this person is, made if need be, and whether it was known before.

        `others`: contacts that the person is if nothing in the inquiry itself says so, the first that is known.
        """
        owner_id = origin.owner_id
        found = self.known.find_contact(owner_id, inquiry)
        if found is None:
            found = next((each for each in others if (owner_id, each) in self.known.contacts), None)
        if found is not None:
            self.fill(origin, found, inquiry)
            return found, True
        contact_id = self.known.contact_ids.pop(0)
        blank = KnownContact(id=contact_id, source_id=origin.contact_source_id)
        self.known.contacts[owner_id, contact_id] = _filled(blank, inquiry)
        self._before[owner_id, contact_id] = None
        self._created_at[owner_id, contact_id] = inquiry.received_at if origin.is_history else None
        self._store_identities(origin, contact_id, inquiry)
        return contact_id, False

    def make_unidentified(self, origin: Origin, inquiry: Inquiry) -> int:
        """Make a contact that nothing identifies, so that no other inquiry becomes this person's; return its id."""
        contact_id = self.known.contact_ids.pop(0)
        blank = KnownContact(id=contact_id, source_id=origin.contact_source_id)
        self.known.contacts[origin.owner_id, contact_id] = _filled(blank, inquiry)
        self._before[origin.owner_id, contact_id] = None
        return contact_id

    def fill(self, origin: Origin, contact_id: int, inquiry: Inquiry) -> None:
        """Fill the contact's gaps. What a key that proves nothing brings to a known contact stays with its inquiry."""
        if not origin.is_proven:
            return
        after = _filled(self.known.contacts[origin.owner_id, contact_id], inquiry)
        if origin.is_history and after.source_id is None:
            after = replace(after, source_id=origin.contact_source_id)
        self.change_contact(origin.owner_id, after)
        self._store_identities(origin, contact_id, inquiry)

    def change_contact(self, owner_id: int, after: KnownContact) -> None:
        before = self.known.contacts[owner_id, after.id]
        if after != before:
            self._before.setdefault((owner_id, after.id), before)
            self.known.contacts[owner_id, after.id] = after

    def _store_identities(self, origin: Origin, contact_id: int, inquiry: Inquiry) -> None:
        owner_id = origin.owner_id
        contact = self.known.contacts[owner_id, contact_id]
        known, unproven = self.known.identities[owner_id], self.known.unproven[owner_id]
        for identity in identities_to_store(contact, inquiry, known, unproven, is_proven=origin.is_proven):
            kind, value = identity
            self._identities[owner_id, kind, value] = IdentityRecord(
                owner_id=owner_id, kind=kind, value=value, contact_id=contact_id, is_proven=origin.is_proven
            )
            known[identity] = contact_id
            (set.discard if origin.is_proven else set.add)(unproven, identity)
            # It is written together with the contact, so that a change of the contact in the meantime is noticed.
            self._before.setdefault((owner_id, contact_id), contact)

    # -- leads

    def find_touched(self, owner_id: int, contact_id: int | None, inquiry: Inquiry) -> LeadReference | None:
        """Returns the lead of the contact that this inquiry touches, or None."""
        if contact_id is None:
            return None
        found = find_touched_lead(self.known.leads.get((owner_id, contact_id), ()), inquiry, self.now)
        if found is None:
            return None
        return LeadReference(lead_id=found.id, contact_id=contact_id, intake_key_id=found.intake_key_id)

    def make_lead(
        self, origin: Origin, inquiry: Inquiry, contact_id: int, *, is_test: bool = False, past: PastOutcome = UNKNOWN
    ) -> LeadReference:
        """Make the inquiry a lead of the contact. `past`: what had become of it elsewhere."""
        record = LeadRecord(
            owner_id=origin.owner_id,
            id=self.known.lead_ids.pop(0),
            contact_id=contact_id,
            creator_user_id=origin.owner_id,
            source_id=origin.lead_source_id,
            claimed_via="None",
            arrival_id=origin.arrival_id,
            inquirer=inquiry.person or None,
            intake_key_id=origin.intake_key_id,
            created_at=inquiry.received_at if origin.is_history else None,
            is_imported=origin.is_history,
            is_test=is_test,
            is_closed=past.is_closed,
            junk_reason=past.junk.reason if past.junk else None,
            junk_note=past.junk.note if past.junk else None,
        )
        fill_gaps(record, inquiry_columns(inquiry))
        if inquiry.source is not None:
            self.sources_named[record.id] = inquiry.source
        self.add_lead(record, is_routed=not origin.is_history)
        if not is_test:
            self.note_consents(origin, contact_id, record.id, inquiry)
        return LeadReference(lead_id=record.id, contact_id=contact_id, intake_key_id=origin.intake_key_id)

    def note_consents(self, origin: Origin, contact_id: int, lead_id: int, inquiry: Inquiry) -> None:
        """Record what the person has agreed to."""
        at = inquiry.received_at if inquiry.received_at is not None and inquiry.received_at <= self.now else None
        self.writes.consents += [
            ConsentRecord(owner_id=origin.owner_id, contact_id=contact_id, lead_id=lead_id, at=at, **asdict(each))
            for each in inquiry.consents
        ]

    def add_lead(self, record: LeadRecord, *, is_routed: bool) -> None:
        self.writes.leads.append(record)
        if not is_routed:
            self._held.add(record.id)
        if record.is_imported:
            return  # history: later inquiries touch no such lead
        self.known.leads.setdefault((record.owner_id, record.contact_id), []).insert(
            0,
            KnownLead(
                id=record.id,
                mls_id=record.mls_id,
                street_address=record.street_address,
                zipcode=record.zipcode,
                touched_at=self.now,
                intake_key_id=record.intake_key_id,
            ),
        )

    def touch(self, origin: Origin, about: LeadReference, inquiry: Inquiry, kind: str, **detail: object) -> None:
        """Record what was said. It fills the lead's gaps if it came through a proven key or through the lead's own."""
        owner_id, lead_id = origin.owner_id, about.lead_id
        self.writes.touches.append(
            TouchRecord(
                owner_id=owner_id,
                lead_id=lead_id,
                kind=kind,
                counts_as_touch=kind == "touched",
                detail={**detail, "source": inquiry.source, **inquiry.person},
            )
        )
        is_filling = origin.is_proven or about.intake_key_id == origin.intake_key_id
        gaps = self._gaps.setdefault((owner_id, lead_id), InquiryColumns())
        if is_filling:
            fill_gaps(gaps, inquiry_columns(inquiry))
        if kind == "touched":
            self._know_touched(owner_id, about, inquiry if is_filling else Inquiry())

    def _know_touched(self, owner_id: int, about: LeadReference, inquiry: Inquiry) -> None:
        leads = self.known.leads.get((owner_id, about.contact_id or 0), [])
        for place, lead in enumerate(leads):
            if lead.id == about.lead_id:
                leads[place] = touch_lead(lead, inquiry, self.now)

    # -- the end

    def finish_leads(self) -> list[LeadRecord]:
        """Returns the new leads that are to be routed, with their gaps filled; SQL fills those of stored leads."""
        for lead in self.writes.leads:
            if gaps := self._gaps.get((lead.owner_id, lead.id)):
                fill_gaps(lead, gaps)
        for touch in self.writes.touches:
            fill_gaps(touch, self._gaps[touch.owner_id, touch.lead_id])
        return [lead for lead in self.writes.leads if lead.id not in self._held]

    def leads_of_known_contacts(self) -> set[int]:
        """Returns the new leads whose contact has another one before them in the batch, test leads apart."""
        contacts: set[ContactId] = set()
        followers = set()
        for lead in self.writes.leads:
            contact = (lead.owner_id, lead.contact_id)
            if contact in contacts:
                followers.add(lead.id)
            elif not lead.is_test:
                contacts.add(contact)
        return followers

    def finish(self, sources: Mapping[ContactId, int] | None = None) -> BatchWrites:
        """Returns all that the batch brings. `sources`: what routes give to contacts that have no source."""
        for (owner_id, contact_id), source_id in (sources or {}).items():
            contact = self.known.contacts[owner_id, contact_id]
            self.change_contact(owner_id, replace(contact, source_id=contact.source_id or source_id))
        for (owner_id, contact_id), before in self._before.items():
            after = asdict(self.known.contacts[owner_id, contact_id])
            created_at = self._created_at.get((owner_id, contact_id))
            record = ContactRecord(owner_id=owner_id, created_at=created_at, **after)
            (self.writes.contacts if before is None else self.writes.filled).append(record)
        self.writes.identities = list(self._identities.values())
        return self.writes


def _filled(contact: KnownContact, inquiry: Inquiry) -> KnownContact:
    return fill_contact(place_contact(contact, inquiry.zipcode, inquiry.phone), inquiry)


def known_reference(known: KnownDedupeKey | None) -> LeadReference | None:
    """Returns the lead that a known key refers to, or None."""
    if known is None or known.lead_id is None:
        return None
    return LeadReference(lead_id=known.lead_id, contact_id=known.contact_id, intake_key_id=known.intake_key_id)
