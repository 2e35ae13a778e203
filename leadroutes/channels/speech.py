"""What is said on the phone to an agent, in English. Before the claim it is no more than the masked page shows.

Pure: it gets what is known, and returns sentences for text to speech.
"""

import re
import unicodedata

import phonenumbers
from msgspec import Struct

from leadroutes.domain.preview import preview
from leadroutes.domain.text import one_line

MOST_SPOKEN = 80  # characters of a name or another value
_SILENT = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Sk", "So"})  # what a voice cannot say, or says at length
_MARKUP = re.compile(r"[<>{}\[\]|\\^~`*_#=]+")
_KEYS = "Press 1 to claim, 2 to pass, 3 to hear it again."
_KEYS_OF_THE_WINNER = "Press 1 to hear the details, 3 to hear it again."

DECLINED = "You have passed. Goodbye."
NOT_OFFERED = "This lead was not offered to this number. Goodbye."
WRONG_KEY = "That key has no meaning here."
CONNECTING = "You are being connected."


class SpokenLead(Struct, frozen=True, kw_only=True):
    """What an agent may hear of a lead before the claim; `kind` is that of the message."""

    kind: str = "offer"
    is_test: bool = False
    source: str | None = None
    first_name: str | None = None
    city: str | None = None
    type: str | None = None
    listing_price: str | None = None


class SpokenDetails(Struct, frozen=True, kw_only=True):
    """What the winner hears of a contact and the inquiry."""

    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    email: str | None = None
    street_address: str | None = None
    city: str | None = None


def spoken(text: str | None) -> str:
    """Returns a value as it is read aloud: one line, without markup and pictures, of limited length; empty if none."""
    line = one_line((text or "")[: MOST_SPOKEN * 10]) or ""
    sayable = "".join(" " if unicodedata.category(each) in _SILENT else each for each in _MARKUP.sub(" ", line))
    words = " ".join(sayable.split())
    if len(words) <= MOST_SPOKEN:
        return words
    return words[:MOST_SPOKEN].rsplit(" ", 1)[0]


def question(lead: SpokenLead) -> str:
    """Returns what an agent hears first: the masked lead, and which key does what."""
    source = spoken(lead.source)
    headline = {"won": "You have a new lead", "reoffer": "A lead is offered again"}.get(lead.kind, "A new lead")
    keys = _KEYS_OF_THE_WINNER if lead.kind == "won" else _KEYS
    origin = f"{headline} from {source}" if source else headline
    return f"{'This is a test. ' if lead.is_test else ''}{origin}: {masked(lead)}. {keys}"


def masked(lead: SpokenLead) -> str:
    """Returns the masked preview as speech: `Mia, in Denver, a buyer, at $450,000`."""
    shown = preview(lead.first_name, lead.city, lead.type, lead.listing_price)
    town, price = spoken(shown.town), spoken(shown.price)
    parts = (spoken(shown.first_name) or "Someone", town and f"in {town}", _kind(shown.type), price and f"at {price}")
    return ", ".join(part for part in parts if part)


def _kind(text: str | None) -> str:
    """Returns `a buyer` for Buyer; abbreviations keep their capitals."""
    words = spoken(text)
    if not words:
        return ""
    lowered = " ".join(word.lower() if word.istitle() else word for word in words.split(" "))
    return f"{'an' if lowered[0].lower() in 'aeiou' else 'a'} {lowered}"


def details(known: SpokenDetails) -> str:
    """Returns what the winner hears, such as `It is yours. Mia Lund, at 303-555-0199, in Denver.`."""
    name = " ".join(part for part in (spoken(known.first_name), spoken(known.last_name)) if part) or "Someone"
    reach = spoken_phone(known.phone) or spoken(known.email)
    street, city = spoken(known.street_address), spoken(known.city)
    parts = (
        name,
        f"at {reach}" if reach else "without a phone number",
        street and f"about {street}",
        city and f"in {city}",
    )
    return f"It is yours. {', '.join(part for part in parts if part)}."


def details_again(known: SpokenDetails) -> str:
    """Returns the details, and the key that repeats them."""
    return f"{details(known)} Press 3 to hear it again."


def claimed_by(name: str) -> str:
    """Returns what whoever was not the first hears."""
    return f"{spoken(name) or 'Someone else'} has claimed it. Goodbye."


def refusal(sentence: str) -> str:
    """Returns why nothing was done, as a sentence that ends the call."""
    return f"{sentence.rstrip('.')}. Goodbye."


def spoken_phone(phone: str | None) -> str:
    """Returns a number in groups, as it is read aloud; one of another country with its code."""
    try:
        number = phonenumbers.parse(phone or "", "US")
    except phonenumbers.NumberParseException:
        return spoken(phone)
    form = phonenumbers.PhoneNumberFormat
    if number.country_code == 1:
        digits = str(number.national_number)
        return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}" if len(digits) == 10 else digits
    return phonenumbers.format_number(number, form.INTERNATIONAL).replace("+", "plus ")
