"""What a person asked for, in normal form: the result of every lead format.

A value only: whether it becomes a lead, and whose, is decided elsewhere.
"""

from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import asdict

LeadType = Literal["Buyer", "Seller", "Renter"]
SourceEvent = Literal["update", "reassignment"]
ConsentChannel = Literal["email", "text", "call"]


class Consent(Struct, frozen=True, kw_only=True):
    """That the person agrees to be written to or called: where it was said, in which words, from which address."""

    channel: ConsentChannel
    how: str
    words: str
    ip: str | None = None


class Inquiry(Struct, frozen=True, kw_only=True):
    """One inquiry; every field is in the normal form of `leadroutes.domain`, or None."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    zipcode: str | None = None
    type: LeadType | None = None
    source: str | None = None
    message: str | None = None
    price: int | None = None
    mls_id: str | None = None
    street_address: str | None = None
    city: str | None = None
    state: str | None = None
    vendor_id: str | None = None
    is_id_loose: bool = False  # the id may be the form's: it counts for the same person only
    is_test: bool = False
    received_at: datetime | None = None
    relay: bool = False
    event: SourceEvent | None = None
    consents: tuple[Consent, ...] = ()

    @property
    def person(self) -> dict[str, str]:
        """Returns the names and addresses that the sender gave."""
        given = {name: getattr(self, name) for name in ("first_name", "last_name", "email", "phone")}
        return {name: value for name, value in given.items() if value is not None}

    def as_json(self) -> dict[str, Any]:
        """Returns all fields, `relay`, `event` and `consents` only if set; `received_at` as `2026-11-14T18:22:07Z`."""
        record: dict[str, Any] = {name: getattr(self, name) for name in _KEYS}
        record["received_at"] = self.received_at and self.received_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if self.relay:
            record["relay"] = True
        if self.event:
            record["event"] = self.event
        if self.consents:
            record["consents"] = [asdict(each) for each in self.consents]
        return record


_KEYS = (
    "first_name",
    "last_name",
    "email",
    "phone",
    "zipcode",
    "type",
    "source",
    "message",
    "price",
    "mls_id",
    "street_address",
    "city",
    "state",
    "vendor_id",
    "is_test",
    "received_at",
)
