"""ADF, the car dealers' lead format that lead sellers of all kinds use: posted, or inside a mail.

Vendor and provider are never the lead. It has no secret of its own: the address or the mailbox is the secret.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from leadroutes.domain.identity import normal_phone
from leadroutes.domain.inquiry import LeadType
from leadroutes.domain.places import Place, joined_lines
from leadroutes.domain.text import field_text, message_text, one_line
from leadroutes.intake.body import Body
from leadroutes.intake.decoding import decode
from leadroutes.intake.draft import Draft
from leadroutes.intake.flat import LEAD_LIMIT
from leadroutes.intake.markup import Element, read_markup
from leadroutes.intake.results import Refused, Result

_ADF = re.compile(r"<\?adf|<(?:[\w.-]{1,60}:)?(?:adf|prospect)(?![\w.-])", re.IGNORECASE)
_DTD = re.compile(r"<!\s*(?:doctype|entity)", re.IGNORECASE)
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']""", re.IGNORECASE)

_KINDS: Final[dict[str, LeadType]] = {"buy": "Buyer", "sell": "Seller", "lease": "Renter", "rent": "Renter"}
_PHONES: Final = ("mobile", "cellphone", "cell", "voice", "home", "work")


def is_adf(text: str) -> bool:
    """Whether the text contains ADF."""
    return _ADF.search(text) is not None


def recognises(incoming: Body) -> bool:
    """Whether a body is XML or a text that contains ADF."""
    return "xml" in incoming.media_type or "adf" in incoming.media_type or is_adf(incoming.text)


def read(incoming: Body) -> list[Result]:
    """Returns a lead or refusal for each prospect."""
    charset = incoming.charset or declared_encoding(incoming.body)
    return read_adf(decode(incoming.body, charset), incoming.default_source)


def declared_encoding(raw: bytes) -> str | None:
    """Returns the encoding that an XML declaration names; never UTF-16, in which it could not be read here."""
    found = _ENCODING.search(raw, 0, 1_000)
    name = found[1].decode("ascii") if found else None
    return None if name is None or name.lower().startswith(("utf-16", "utf-32", "ucs")) else name


def read_adf(text: str, default_source: str | None, sent_at: Sequence[datetime | None] = ()) -> list[Result]:
    """Returns a lead or refusal for each prospect; `sent_at` counts where there is no requestdate. Raises Refused."""
    if _DTD.search(text):
        raise Refused("dtd_forbidden", "The XML must not hold <!DOCTYPE or <!ENTITY.")
    root = read_markup(text)
    prospects = _prospects(root)
    if not prospects:
        raise Refused("malformed", "No <prospect> is in the XML.")
    if len(prospects) > LEAD_LIMIT:
        raise Refused("too_large", f"The body holds more than {LEAD_LIMIT} leads.")
    return [_draft(prospect, default_source, sent_at).normalize() for prospect in prospects]


def _prospects(root: Element) -> list[Element]:
    """Returns the prospects under any number of elements around them; an `<adf>` without any is one itself."""
    found: list[Element] = []
    waiting = [root]
    while waiting:
        element = waiting.pop()
        inner = [child for child in element.inside if isinstance(child, Element)]
        is_bare = element.name == "adf" and not _has_prospect(inner) and element.find("customer") is not None
        if element.name == "prospect" or is_bare:
            found.append(element)
        else:
            waiting.extend(reversed(inner))
    return found


def _has_prospect(elements: list[Element]) -> bool:
    return any(element.name == "prospect" for element in elements)


def _draft(prospect: Element, default_source: str | None, sent_at: Sequence[datetime | None]) -> Draft:
    customer = prospect.find("customer") or Element("customer")
    contact = customer.find("contact") or customer
    names = contact.all("name")
    vehicle = prospect.find("vehicle") or Element("vehicle")
    identity = prospect.find("id") or Element("id")
    return Draft(
        first=_name(names, "first"),
        last=_name(names, "last"),
        full=_name(names, "full") or _name(names, ""),
        email=", ".join(email.text for email in contact.all("email")),
        phone=_phone(contact.all("phone")),
        type=_KINDS.get((vehicle.attribute("interest") or "").strip().lower()),
        source=_provider(prospect) or field_text(identity.attribute("source")),
        default_source=default_source,
        message=next((comments.text for comments in customer.all("comments") if message_text(comments.text)), None),
        places=[_place(address) for address in contact.all("address")],
        prices=[price.text for price in vehicle.all("price")]
        + [amount.text for finance in vehicle.all("finance") for amount in finance.all("amount")],
        mls_id=next((stock.text for stock in vehicle.all("stock") if field_text(stock.text)), None),
        vendor_id=identity.text,
        times=(*(date.text for date in prospect.all("requestdate")), *sent_at),
    )


def _name(names: list[Element], part: str) -> str | None:
    parts = (name.text for name in names if (name.attribute("part") or "").strip().lower() == part)
    return next((text for text in parts if one_line(text)), None)


def _phone(phones: list[Element]) -> str | None:
    """Returns the phone that is best for calls, of those that are numbers."""
    numbers = [phone for phone in phones if normal_phone(phone.text)]
    return min(numbers, key=_rank).text if numbers else None


def _rank(phone: Element) -> int:
    type_ = (phone.attribute("type") or "").strip().lower()
    return _PHONES.index(type_) if type_ in _PHONES else len(_PHONES)


def _provider(prospect: Element) -> str | None:
    provider = prospect.find("provider") or Element("provider")
    names = provider.all("name")
    whole = _name(names, "full") or _name(names, "")
    return field_text(whole or " ".join(name.text for name in names))


def _place(address: Element) -> Place:
    return Place(
        joined_lines(street.text for street in address.all("street")),
        _text(address, "city"),
        _text(address, "regioncode"),
        _text(address, "postalcode"),
        _text(address, "apartment"),
    )


def _text(element: Element, name: str) -> str | None:
    return next((child.text for child in element.all(name) if field_text(child.text)), None)
