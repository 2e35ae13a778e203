"""What arrives and what becomes of it: a body as it was read, a lead posted by a client, the result. Values only."""

from collections.abc import Mapping

from msgspec import Struct

from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.dedupe import DedupeKey, LeadOutcome, vendor_keys
from leadroutes.domain.inquiry import Inquiry


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


class ReceivedArrival(Struct, frozen=True, kw_only=True):
    """A body that came in through an intake key, as it was read. `arrival_id`: of a stored one that is read again."""

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
    put_off: float = 0.0  # seconds after which it is read, if its key is over the budget
    is_proven: bool = False  # the sender has shown a secret, or no one else knows the key
    is_test_lead: bool = False  # made to see what happens to a lead of this key
    act: AuditRow | None = None  # of whoever has it read again or made, for the audit

    @property
    def unproven_key_id(self) -> int | None:
        return None if self.is_proven else self.intake_key_id

    def keys_of(self, inquiry: Inquiry) -> tuple[DedupeKey, ...]:
        """Returns the keys of the vendor's own id."""
        return vendor_keys(self.lead_source_id, inquiry, unproven_key_id=self.unproven_key_id)


class ArrivalItem(Struct, frozen=True, kw_only=True):
    """One arrival of a batch, with the keys that make it the same as another.

    `refused_as`: keys of the same body, if it was refused before without a proof; the arrival then replaces that one.
    """

    arrival: NewLead | ReceivedArrival
    keys: tuple[DedupeKey, ...] = ()
    refused_as: tuple[DedupeKey, ...] = ()


class StoredArrival(Struct, frozen=True, kw_only=True):
    """What became of an arrival; `is_new` is false for a repetition and for a touch.

    `is_conflict`: its Idempotency-Key came with another body before; it was stored as rejected.
    """

    owner_id: int
    lead_outcomes: tuple[LeadOutcome, ...] = ()
    is_new: bool = False
    arrival_id: int | None = None
    status: str = "accepted"
    reason: str | None = None
    is_conflict: bool = False

    @property
    def lead_ids(self) -> tuple[int, ...]:
        return tuple(lead_outcome.id for lead_outcome in self.lead_outcomes)
