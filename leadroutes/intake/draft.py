"""What a format says about an inquiry, not yet in normal form, and the step from there to an Inquiry.

Every reader ends here, so the rules for fields are applied in one place.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from leadroutes.domain.identity import is_relay, normal_email, normal_names, normal_phone
from leadroutes.domain.inquiry import Consent, ConsentChannel, Inquiry, LeadType, SourceEvent
from leadroutes.domain.normalize import is_true, normal_mls_id, normal_price, normal_source, normal_time
from leadroutes.domain.places import Place, first_place
from leadroutes.domain.text import field_text, message_text
from leadroutes.intake.consents import GivenConsent
from leadroutes.intake.results import Refusal

NO_CONTACT: Final = Refusal(
    "no_contact", "The inquiry names neither a phone number nor a mail address that can be used."
)


class Draft(Struct, frozen=True, kw_only=True):
    """Texts as sent. Of `places`, `prices` and `times` the first that can be read counts."""

    first: str | None = None
    last: str | None = None
    full: str | None = None
    email: str | None = None
    phone: str | None = None
    type: LeadType | None = None
    source: str | None = None
    default_source: str | None = None
    message: str | None = None
    places: Sequence[Place] = ()
    prices: Sequence[str | None] = ()
    mls_id: str | None = None
    vendor_id: str | None = None
    is_id_loose: bool = False
    test: str | None = None
    times: Sequence[str | datetime | None] = ()
    event: SourceEvent | None = None
    consents: Sequence[GivenConsent] = ()

    def inquiry(self) -> Inquiry:
        """The inquiry in normal form, with or without a way to reach the person."""
        first_name, last_name = normal_names(self.first, self.last, self.full)
        email = normal_email(self.email)
        phone = normal_phone(self.phone)
        place = first_place(self.places)
        return Inquiry(
            first_name=first_name,
            last_name=last_name,
            email=email,
            phone=phone,
            zipcode=place.zipcode,
            type=self.type,
            source=normal_source(self.source) or self.default_source,
            message=message_text(self.message),
            price=next((price for text in self.prices if (price := normal_price(text))), None),
            mls_id=normal_mls_id(self.mls_id),
            street_address=place.street_address,
            city=place.city,
            state=place.state,
            vendor_id=field_text(self.vendor_id),
            is_id_loose=self.is_id_loose,
            is_test=is_true(self.test),
            received_at=next((moment for time in self.times if (moment := _moment(time))), None),
            relay=is_relay(email),
            event=self.event,
            consents=tuple(_consents(self.consents, email=email, phone=phone)),
        )

    def normalize(self) -> Inquiry | Refusal:
        """The inquiry, or `no_contact`."""
        inquiry = self.inquiry()
        return inquiry if inquiry.email or inquiry.phone else NO_CONTACT


def _consents(given: Sequence[GivenConsent], *, email: str | None, phone: str | None) -> Iterator[Consent]:
    """Yields one for each channel; words that name none count for every address that was given with them."""
    reachable: tuple[ConsentChannel, ...] = (*(("email",) if email else ()), *(("text", "call") if phone else ()))
    for each in given:
        for channel in each.channels or reachable:
            yield Consent(channel=channel, how=f"the field {each.field} of the inquiry", words=each.words, ip=each.ip)


def _moment(time: str | datetime | None) -> datetime | None:
    return time if isinstance(time, datetime) else normal_time(time)
