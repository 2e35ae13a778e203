"""What is known before a batch of inquiries is deduplicated, and the records that it brings. Values only.

The store loads the one and writes the other; each record has the columns of its table.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import Struct

from leadroutes.domain.dedupe import (
    DedupeKey,
    Identity,
    InquiryColumns,
    KnownContact,
    KnownDedupeKey,
    KnownLead,
    find_contact,
    has_another_email,
)
from leadroutes.domain.inquiry import Inquiry
from leadroutes.domain.model import Facts

OwnerId = int


@dataclass(slots=True)
class KnownRecords:
    """What was found; deduplication adds to it what the batch itself brings."""

    versions: dict[OwnerId, int]
    keys: dict[tuple[OwnerId, str, str], KnownDedupeKey]
    identities: dict[OwnerId, dict[Identity, int]]
    unproven: dict[OwnerId, set[Identity]]  # identities that came through unproven keys
    contacts: dict[tuple[OwnerId, int], KnownContact]
    contact_sources: dict[tuple[OwnerId, int], int | None]  # by lead source: the contact source of the same name
    leads: dict[tuple[OwnerId, int], list[KnownLead]]  # by contact, latest touched first
    lead_ids: list[int]
    contact_ids: list[int]
    arrival_ids: list[int]

    def find_contact(self, owner_id: OwnerId, inquiry: Inquiry) -> int | None:
        """Returns the contact that this person is, or None."""
        return find_contact(
            self.identities[owner_id], self.unproven[owner_id], lambda id_: self.contacts[owner_id, id_], inquiry
        )

    def find_key(self, owner_id: OwnerId, keys: Iterable[DedupeKey], inquiry: Inquiry) -> KnownDedupeKey | None:
        """Returns what the first of these keys refers to that is known and is not another person's, or None."""
        for key in keys:
            found = self.keys.get((owner_id, key.scope, key.key))
            if found is None:
                continue
            contact = self.contacts.get((owner_id, found.contact_id or 0)) if key.names_phone else None
            if contact is None or not has_another_email(contact, inquiry):
                return found
        return None

    def learn(self, other: "KnownRecords", writes: "BatchWrites") -> None:
        """Add what another batch brings, which was deduplicated by what `other` knows and may not be stored yet."""
        changed = {(each.owner_id, each.id) for each in (*writes.contacts, *writes.filled)}
        for contact in changed | {(lead.owner_id, lead.contact_id) for lead in writes.leads}:
            self.contacts[contact] = other.contacts[contact]
        for each in writes.identities:
            identity = (each.kind, each.value)
            self.identities[each.owner_id][identity] = each.contact_id
            (set.discard if each.is_proven else set.add)(self.unproven[each.owner_id], identity)
        for key in writes.keys:
            self.keys[key.owner_id, key.scope, key.key] = other.keys[key.owner_id, key.scope, key.key]


# ---------------------------------------------------------------------------------------------- what is written
# In JSON a field that has its default is left out: statements read it as null.


class ContactRecord(KnownContact, frozen=True, kw_only=True, omit_defaults=True):
    owner_id: int
    created_at: datetime | None = None  # None: now


class IdentityRecord(Struct, frozen=True, kw_only=True):
    owner_id: int
    kind: str
    value: str
    contact_id: int
    is_proven: bool


class LeadRecord(InquiryColumns, kw_only=True, omit_defaults=True):
    """A new lead; what its decision comes to is filled in once it has been routed."""

    owner_id: int
    id: int
    contact_id: int
    creator_user_id: int
    source_id: int | None
    claimed_via: str
    arrival_id: int | None = None
    html_body: str | None = None
    listing_status: str | None = None
    inquirer: Mapping[str, str] | None = None  # what the sender gave as their name and addresses
    intake_key_id: int | None = None
    created_at: datetime | None = None  # None: now
    is_imported: bool = False
    is_test: bool = False
    routed_at: datetime | None = None
    rule_set: int | None = None
    facts: Facts | None = None
    route_id: int | None = None
    team_id: int | None = None
    lapses_at: datetime | None = None
    unclaimed_at: datetime | None = None
    claimed_by_user_id: int | None = None
    is_closed: bool = False
    junk_reason: str | None = None
    junk_note: str | None = None


class TouchRecord(InquiryColumns, kw_only=True, omit_defaults=True):
    """An event of a stored lead, with what fills the lead's gaps."""

    owner_id: int
    lead_id: int
    kind: str
    counts_as_touch: bool
    detail: Mapping[str, Any]


class ConsentRecord(Struct, frozen=True, kw_only=True):
    """That a person has agreed to be written to or called; `at` None: now."""

    owner_id: int
    contact_id: int
    lead_id: int
    channel: str
    how: str
    words: str
    ip: str | None
    at: datetime | None


class KeyRecord(Struct, frozen=True, kw_only=True):
    owner_id: int
    scope: str
    key: str
    digest: str | None
    lead_id: int | None
    arrival_id: int | None
    expires_at: datetime | None


class ArrivalRecord(Struct, frozen=True, kw_only=True):
    owner_id: int
    id: int
    intake_key_id: int
    lead_source_id: int
    headers: str
    body: bytes
    format: str | None
    status: str
    reason: str | None
    lead_id: int | None
    source_named: str | None
    proof: bytes | None


@dataclass(frozen=True, slots=True, order=True)
class DeferredArrival:
    """An arrival that is read later, after so many seconds, because too many came with its key."""

    owner_id: OwnerId
    intake_key_id: int
    seconds: float
    arrival_id: int


@dataclass(slots=True)
class BatchWrites:
    """All that a batch brings."""

    contacts: list[ContactRecord] = field(default_factory=list)
    filled: list[ContactRecord] = field(default_factory=list)  # known contacts with their gaps filled
    identities: list[IdentityRecord] = field(default_factory=list)
    leads: list[LeadRecord] = field(default_factory=list)
    touches: list[TouchRecord] = field(default_factory=list)
    consents: list[ConsentRecord] = field(default_factory=list)
    keys: list[KeyRecord] = field(default_factory=list)
    arrivals: list[ArrivalRecord] = field(default_factory=list)
    to_read_again: list[tuple[OwnerId, int]] = field(default_factory=list)  # arrivals that are pending
    put_off: list[DeferredArrival] = field(default_factory=list)
    rule_set_numbers: Mapping[OwnerId, int] = field(default_factory=dict)  # of the rule sets that decided
