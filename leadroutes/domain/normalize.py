"""Words and numbers of an inquiry: kind of lead, source, price, listing number, truth, time.

Pure: what cannot be read becomes None. Every rule here is a table or one function.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from leadroutes.domain.inquiry import LeadType
from leadroutes.domain.moments import in_utc
from leadroutes.domain.text import field_text

# ----------------------------------------------------------------------------------------------------- type

_KINDS: Final[dict[str, LeadType]] = {
    **dict.fromkeys(("buy", "buyer", "buyers", "buying", "purchase", "purchasing"), "Buyer"),
    **dict.fromkeys(("sell", "seller", "sellers", "selling"), "Seller"),
    **dict.fromkeys(("rent", "renter", "renters", "renting", "rental", "tenant", "lease", "leasing"), "Renter"),
}
_WORD = re.compile("[a-z]+")
_LENGTH_OF_A_CHOICE = 2_000
_OF_RENT = re.compile("(?<!cur)(?<!pa)rent")


def lead_type_named_by(text: str | None) -> LeadType | None:
    """Returns the one kind of lead that the words name; None if they name none or several (`buyer and seller`)."""
    kinds = {kind for word in words_of(text) if (kind := _KINDS.get(word))}
    return kinds.pop() if len(kinds) == 1 else None


def words_of(text: str | None) -> list[str]:
    """Returns the words of a text in lower case; all but a–z divides them (`buy_a_home`)."""
    return _WORD.findall((text or "")[:_LENGTH_OF_A_CHOICE].lower())


def mentions_rent(status: str | None) -> bool:
    """Whether a listing's status says that it is to let (`For Rent`, `for_rent`, `ForRent`, `Rental`)."""
    return _OF_RENT.search((status or "").lower()) is not None


# --------------------------------------------------------------------------------------------------- source

_SOURCES: Final[dict[str, str]] = {
    **dict.fromkeys(("zillow", "zillow.com", "zillow premier agent", "zillow rentals"), "Zillow"),
    **dict.fromkeys(("realtor", "realtor.com", "move.com"), "Realtor.com"),
    **dict.fromkeys(("homes", "homes.com"), "Homes.com"),
    **dict.fromkeys(("trulia", "trulia.com"), "Trulia"),
    **dict.fromkeys(("facebook", "fb", "instagram", "ig"), "Facebook"),
    **dict.fromkeys(("google", "google ads", "adwords"), "Google"),
    **dict.fromkeys(("website", "web site", "web"), "Website"),
}
_WEB_PREFIX = re.compile(r"(?:https?://)?(?:www\.)?", re.IGNORECASE)


def normal_source(text: str | None) -> str | None:
    """Returns a source's name as given, known ones in one spelling (`https://www.zillow.com/` → `Zillow`)."""
    name = field_text(text)
    if name is None:
        return None
    bare = _WEB_PREFIX.sub("", name, count=1).removesuffix("/").lower()
    return _SOURCES.get(bare, name)


# -------------------------------------------------------------------------------------------- price, listing

_NUMBER = re.compile(
    r"(?<![\d.])(?P<number>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d{1,3}(?:\.\d{3}){2,}(?![\d.])|\d+(?:\.\d+)?|\.\d+)"
    r"(?:[ \u00a0]?(?P<scale>k|thousand|mm|m|mil|million)(?![a-z]))?",
    re.IGNORECASE,
)
_SCALES: Final = {
    "k": 1_000,
    "thousand": 1_000,
    "m": 1_000_000,
    "mm": 1_000_000,
    "mil": 1_000_000,
    "million": 1_000_000,
}
_DIGITS_OF_A_PRICE = 12
_LENGTH_OF_A_PRICE = 1_000


def normal_price(text: str | None) -> int | None:
    """Whole dollars: of several numbers the largest, `k` and `m` multiplied, cents dropped; None for 0 or no number."""
    line = field_text(text)
    if line is None or len(line) > _LENGTH_OF_A_PRICE or re.fullmatch(r"-[\d.,]+", line):
        return None
    if line.isascii() and line.isdigit() and len(line) <= _DIGITS_OF_A_PRICE:
        return int(line) or None
    return max((_dollars(found) for found in _NUMBER.finditer(line)), default=0) or None


def _dollars(found: re.Match[str]) -> int:
    number = found["number"].replace(",", "")
    if number.count(".") > 1:
        number = number.replace(".", "")
    if len(number.partition(".")[0].lstrip("0")) > _DIGITS_OF_A_PRICE:
        return 0
    return int(Decimal(number[:40]) * _SCALES.get((found["scale"] or "").lower(), 1))


def normal_mls_id(text: str | None) -> str | None:
    """Returns a listing's number as text; None if it is only zeros."""
    number = field_text(text)
    return number if number and number.strip("0") else None


# ---------------------------------------------------------------------------------------------- truth, time


def is_true(text: str | None) -> bool:
    """Whether a text is `true`, `1`, `yes` or `y` in any case."""
    return (field_text(text) or "").lower() in {"true", "1", "yes", "y"}


_ISO_TIME = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)"
    r"(?:[Tt ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,]\d+)?)?([Zz]|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_UNIX_TIME = re.compile(r"(\d{10})(?:\d{3})?(?:\.\d+)?", re.ASCII)


def normal_time(text: str | None) -> datetime | None:
    """A moment in UTC to the second, from ISO 8601 (no zone = UTC) or a Unix time of ten or thirteen digits."""
    line = field_text(text)
    if line is None:
        return None
    if unix := _UNIX_TIME.fullmatch(line):
        return datetime.fromtimestamp(int(unix.group(1)), UTC)
    found = _ISO_TIME.fullmatch(line)
    if found is None:
        return None
    year, month, day, hour, minute, second, zone = found.groups(default="")
    zone = f"{zone[:3]}:{zone[3:].lstrip(':') or '00'}" if zone[:1] in {"+", "-"} else "+00:00"
    try:
        moment = datetime.fromisoformat(f"{year}-{month}-{day}T{hour or '00'}:{minute or '00'}:{second or '00'}{zone}")
        return in_utc(moment)
    except ValueError:
        return None
