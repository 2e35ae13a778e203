"""Who a person is and where: names, e-mail, phone, zipcode and time zone in their normal forms.

Pure: what cannot be read becomes None, it is never repaired and never raises.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import timezone as phone_zones

from leadroutes.domain.text import field_text, one_line, with_few_marks
from leadroutes.domain.time_zones import AREAS, OTHERS

RELAY_DOMAIN: Final = "convo.zillow.com"
"""Addresses here pass mail on to a person whose own address the portal keeps."""

TITLES: Final = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof"})
SUFFIXES: Final = frozenset({"jr", "sr", "ii", "iii", "iv"})
NAME_LIMIT: Final = 1_000
"""Characters of a text that may be a full name or hold a phone number; what is longer is neither."""
EMAIL_LIMIT: Final = 254
"""The longest address that mail can be sent to (RFC 5321)."""


# ---------------------------------------------------------------------------------------------------- names


def normal_names(first: str | None, last: str | None, full: str | None = None) -> tuple[str | None, str | None]:
    """First and last name as given; only where both are missing is `full` split."""
    first_name, last_name = normal_name(first), normal_name(last)
    if first_name is None and last_name is None:
        return split_name(full)
    return first_name, last_name


def normal_name(text: str | None) -> str | None:
    """A name on one line; None if it has no letter or holds a mail address."""
    name = one_line(text)
    if name is None or _holds_mail_address(name):
        return None
    return name if _PLAIN_LETTER.search(name) or any(character.isalpha() for character in name) else None


_PLAIN_LETTER = re.compile("[A-Za-z]")


def split_name(full: str | None) -> tuple[str | None, str | None]:
    """`Dr. Ann de la Cruz` → `Ann`, `de la Cruz`; `Cruz, Ann` is turned round; `Tom & Ann Lee` → `Tom & Ann`, `Lee`."""
    name = normal_name(full)
    if name is None or len(name) > NAME_LIMIT:
        return None, None
    words = _without_titles(_turned_round(" ".join(_without_titles(name.split()))).split())
    first, rest = _first_and_rest(words)
    return normal_name(first.rstrip(",")), normal_name(" ".join(rest))


def _holds_mail_address(name: str) -> bool:
    return "@" in name and any(_looks_like_mail(word) for word in name.split())


def _looks_like_mail(word: str) -> bool:
    before, at, after = word.partition("@")
    return bool(before and at and "." in after.strip(".,;:>)"))


def _without_titles(words: list[str]) -> list[str]:
    """Leading titles dropped, those of couples too (`Mr. and Mrs. Lee`)."""
    start = 0
    while start < len(words):
        joins_titles = start > 0 and words[start].lower() in {"&", "and"} and _is_title(words[start + 1 : start + 2])
        if not joins_titles and not _is_title(words[start : start + 1]):
            break
        start += 1
    return words[start:]


def _is_title(word: list[str]) -> bool:
    return bool(word) and word[0].lower().removesuffix(".") in TITLES


def _turned_round(name: str) -> str:
    last, comma, first = name.partition(",")
    after = first.split()
    if not comma or not after or after[0].lower().rstrip(".,") in SUFFIXES:
        return name
    return f"{' '.join(after)} {last}"


def _first_and_rest(words: list[str]) -> tuple[str, list[str]]:
    if len(words) > 2 and words[1].lower() in {"&", "and"}:
        partner = _without_titles(words[2:]) or words[2:]
        return f"{words[0]} & {partner[0]}", partner[1:]
    return (words[0], words[1:]) if words else ("", [])


# --------------------------------------------------------------------------------------------------- e-mail


def normal_email(text: str | None) -> str | None:
    """The first good address of a text, in small letters, without `mailto:`, `<>` and display name; None if none is."""
    line = field_text(text)
    if line is None or "@" not in line:
        return None
    candidates = (_bare_address(part) for part in re.split("[,;]", line))
    return next((address for address in candidates if _is_good_address(address)), None)


def is_relay(email: str | None) -> bool:
    """Whether a portal passes mail to this address on, so that it names no person for good."""
    return email is not None and email.rpartition("@")[2].lower() == RELAY_DOMAIN


def _bare_address(part: str) -> str:
    address = part.strip()
    if "<" in address:
        address = address.rpartition("<")[2].partition(">")[0].strip()
    if address[:7].lower() == "mailto:":
        address = address[7:].partition("?")[0].strip()
    return address.strip("<> ").lower()


_ADDRESS = re.compile(r'[^\s<>()\[\]:"\\@]+@[\w-]+(?:\.[\w-]+)+')


def _is_good_address(address: str) -> bool:
    return len(address) <= EMAIL_LIMIT and _ADDRESS.fullmatch(address) is not None


# ---------------------------------------------------------------------------------------------------- phone

E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")

_EXTENSION = re.compile(
    r"(?<![a-z])(?:extension|ext|x|\#)[^\da-z+]{0,5}\d{1,8}(?![\s().-]{0,3}\d)",
    re.IGNORECASE,
)
_DIVIDER = re.compile(r"[/;,|]|(?<![^\W\d_])(?:or|and)(?![^\W\d_])", re.IGNORECASE)
_NOT_A_DIGIT = re.compile(r"[^0-9]+")
_DOMESTIC = re.compile(r"1?([2-9][0-9]{2}[2-9][0-9]{6})")
_FOREIGN = re.compile(r"(?!1)[1-9][0-9]{6,14}")
_DIGITS_BEFORE_AN_EXTENSION = 7


def normal_phone(text: str | None) -> str | None:
    """A phone number in E.164, by form alone: ten digits (or eleven with 1) as in America, or `+` and another country.

    An extension is dropped and words around the digits do not matter; of several numbers the first that is one counts.
    """
    line = field_text(text)
    if line is None or len(line) > NAME_LIMIT:
        return None
    if not line.isascii():
        line = unicodedata.normalize("NFKC", with_few_marks(line))
    number = _without_extensions(line)
    return _one_phone(number) or next((phone for part in _DIVIDER.split(number) if (phone := _one_phone(part))), None)


def _without_extensions(line: str) -> str:
    """An extension follows a number: `Phone #303 555 0142` has none."""
    kept, end = [], 0
    digits = 0
    for found in _EXTENSION.finditer(line):
        before = line[end : found.start()]
        digits += sum(character.isdigit() for character in before)
        kept.append(before if digits >= _DIGITS_BEFORE_AN_EXTENSION else before + found.group())
        end = found.end()
    return "".join(kept) + line[end:]


def _one_phone(text: str) -> str | None:
    before, plus, after = text.partition("+")
    if plus and not any(character.isdigit() for character in before):
        digits = _NOT_A_DIGIT.sub("", after)
        if "+" not in after and _FOREIGN.fullmatch(digits):
            return f"+{digits}"
        found = _DOMESTIC.fullmatch(digits) if digits.startswith("1") else None
    else:
        found = _DOMESTIC.fullmatch(_NOT_A_DIGIT.sub("", text))
    return f"+1{found.group(1)}" if found else None


# -------------------------------------------------------------------------------------------------- zipcode

_ZIPCODE = re.compile(r"([0-9]{3,5})|([0-9]{5})[- ]?[0-9]{4}")
_ZIP_PLUS_4 = re.compile(r"([0-9]{5})(?:-[0-9]{4}|[0-9]{4})")
_NO_ZIPCODES: Final = frozenset({"00000", "99999"})


def normal_zipcode(text: str | None) -> str | None:
    """Five digits: ZIP+4 is cut, zeros that a spreadsheet lost are put back; 00000, 99999 and all else are None."""
    found = _ZIPCODE.fullmatch(field_text(text) or "")
    if found is None:
        return None
    digits = (found.group(1) or found.group(2)).zfill(5)
    return None if digits in _NO_ZIPCODES else digits


def comparable_zipcode(text: str | int | None) -> str | None:
    """A zipcode as teams and leads compare it: ZIP+4 cut, padded to five digits, all else in capitals, no blanks."""
    bare = "".join((one_line(str(text)) or "").split()).upper() if text is not None else ""
    if found := _ZIP_PLUS_4.fullmatch(bare):
        return found.group(1)
    if bare.isascii() and bare.isdigit() and len(bare) <= 5:
        return bare.zfill(5)
    return bare or None


# ------------------------------------------------------------------------------------------------ time zone


_PLACELESS: Final = frozenset(
    {
        phonenumbers.PhoneNumberType.TOLL_FREE,
        phonenumbers.PhoneNumberType.PREMIUM_RATE,
        phonenumbers.PhoneNumberType.PERSONAL_NUMBER,
        phonenumbers.PhoneNumberType.VOIP,
        phonenumbers.PhoneNumberType.UAN,
    },
)


_ZONES: Final = {
    beginning: zone for table in (AREAS, OTHERS) for zone, them in table.items() for beginning in them.split()
}


def time_zone_of(zipcode: str | None, phone: str | None) -> str | None:
    """The IANA time zone of a zipcode, else of an E.164 phone's area code, else None (toll-free numbers have none)."""
    zone = _zone_of_zipcode(zipcode[:5]) if zipcode else None
    if zone is None and phone:
        zone = _zone_of_area(phone[:8])
    return zone


def _zone_of_zipcode(zipcode: str) -> str | None:
    """A new zipcode lies where those lie that begin alike."""
    if len(zipcode) != 5 or not (zipcode.isascii() and zipcode.isdigit()):
        return None
    return _ZONES.get(zipcode) or _ZONES.get(zipcode[:3])


@lru_cache(maxsize=65_536)
def _zone_of_area(beginning: str) -> str | None:
    """By `+1` and six digits: where an area lies in two zones the exchange may tell, else the first is taken."""
    try:
        number = phonenumbers.parse(beginning.ljust(12, "0"))
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.number_type(number) in _PLACELESS:
        return None
    zones = phone_zones.time_zones_for_geographical_number(number)
    return next((zone for zone in zones if "/" in zone and not zone.startswith("Etc/")), None)
