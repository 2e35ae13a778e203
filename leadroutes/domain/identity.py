"""Identity of a person: names, e-mail, phone, zipcode and time zone in their normal forms.

Pure: what cannot be read becomes None, it is never repaired and never raises.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import timezone as phone_zones

from leadroutes.domain.text import field_text, is_absent, one_line, with_few_marks
from leadroutes.domain.time_zones import AREAS, OTHERS

RELAY_DOMAIN: Final = "convo.zillow.com"
"""Addresses here pass mail on to a person whose own address the portal keeps."""

TITLES: Final = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof"})
SUFFIXES: Final = frozenset({"jr", "sr", "ii", "iii", "iv"})
"""What follows a name even where one word is before the comma (`Smith, Jr.`)."""
DEGREES: Final = frozenset(
    {
        *("v", "vi", "vii", "viii", "ix", "x"),
        *("md", "do", "phd", "dds", "dmd", "dvm", "od", "rn", "np", "pa", "pharmd", "psyd", "edd", "lcsw"),
        *("esq", "jd", "llm", "mba", "ma", "msw", "mph", "cpa", "cfp", "cfa", "pe", "pmp", "aia", "ret", "llc", "inc"),
        *("gri", "abr", "crs", "sres", "srs", "cips", "ccim"),
    }
)
"""Numerals and degrees: behind two words or more they follow the name (`John Ingram, MD`)."""
TRADES: Final = frozenset({"realtor", "realtors", "broker", "agent", "attorney", "esquire", "trustee", "lender"})
"""They follow a name too, whatever comes behind them (`Ann Lee, Realtor at Juniper`)."""
NAME_LIMIT: Final = 1_000
"""Characters of a text that may be a full name or hold a phone number; what is longer is neither."""
EMAIL_LIMIT: Final = 254
"""The longest address that mail can be sent to (RFC 5321)."""


# ---------------------------------------------------------------------------------------------------- names


def normal_names(first: str | None, last: str | None, full: str | None = None) -> tuple[str | None, str | None]:
    """First and last name as given; only where both are missing is `full` split."""
    first, last = said_names(first, last)
    first_name, last_name = normal_name(first), normal_name(last)
    if first_name is None and last_name is None:
        return said_names(*split_name(full))
    return first_name, last_name


def said_names(first: str | None, last: str | None) -> tuple[str | None, str | None]:
    """The two names; none where both are what programs write for nothing: a person called Null has another one."""
    return (None, None) if is_absent(first) and is_absent(last) else (first, last)


def normal_name(text: str | None) -> str | None:
    """Returns a name on one line; None if it has no letter or holds a mail address."""
    name = one_line(text)
    if name is None or _holds_mail_address(name):
        return None
    return name if _has_letter(name) else None


_PLAIN_LETTER = re.compile("[A-Za-z]")


def _has_letter(text: str) -> bool:
    return _PLAIN_LETTER.search(text) is not None or any(character.isalpha() for character in text)


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
    """Leading titles dropped, those of couples too (`Mr. and Mrs. Lee`), and bullets, numbers, emoji (`1.`, `🏡`)."""
    start = 0
    while start < len(words):
        joins_titles = start > 0 and words[start].lower() in {"&", "and"} and _is_title(words[start + 1 : start + 2])
        if not joins_titles and not _is_title(words[start : start + 1]) and not _is_ornament(words[start]):
            break
        start += 1
    return words[start:]


def _is_title(word: list[str]) -> bool:
    return bool(word) and word[0].lower().removesuffix(".") in TITLES


def _is_ornament(word: str) -> bool:
    """Whether a word has no letter. A word with the signs of a program (`{{`) is not an ornament of a name."""
    return not _has_letter(word) and _PROGRAM.isdisjoint(word)


_PROGRAM: Final = frozenset("{}<>[]|%=$\\")


def _turned_round(name: str) -> str:
    """`Last, First` as `First Last`; what follows a name stays behind it: `Smith, John, Jr.` → `John Smith, Jr.`."""
    last, *others = [part.strip() for part in name.split(",")]
    others = [part for part in others if part]
    following = [part for part in others if _follows_a_name(part)]
    firsts = [part for part in others if not _follows_a_name(part)]
    if not firsts and following and len(last.split()) == 1 and not _is_suffix(following[0]):
        firsts, following = following[:1], following[1:]
    if not firsts:
        return name
    return ", ".join([f"{' '.join(firsts)} {last}", *following])


def _is_suffix(part: str) -> bool:
    return part.split(maxsplit=1)[0].lower().rstrip(".") in SUFFIXES


def _follows_a_name(part: str) -> bool:
    """Whether a part behind a comma is a numeral, degrees or a trade, and no first name."""
    words = ["".join(character for character in word if character.isalpha()) for word in part.split()]
    return _is_suffix(part) or words[0].lower() in TRADES or all(_is_degree(word) for word in words)


def _is_degree(letters: str) -> bool:
    is_first_name = letters in {"Do", "Vi", "Ma", "Pa"}  # a degree of two letters is written in capitals
    return not is_first_name and letters.lower() in DEGREES | SUFFIXES


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
_WORDS = re.compile(r"[^\W\d_]+")
_BEHIND = re.compile(r"[(\[][^\w()\[\]]{0,3}[0-9]{1,6}[^\w()\[\]]{0,3}[)\]]\W{0,20}$")
_NOT_A_DIGIT = re.compile(r"[^0-9]+")
_DOMESTIC = re.compile(r"1?([2-9][0-9]{2}[2-9][0-9]{6})")
_FOREIGN = re.compile(r"(?!1)[1-9][0-9]{6,14}")
_DIGITS_BEFORE_AN_EXTENSION = 7
_DIGITS_BEFORE_A_BRACKET = 10


def normal_phone(text: str | None) -> str | None:
    """A phone number in E.164, by form alone: ten digits (or eleven with 1) as in America, or `+` and another country.

    An extension is dropped and words around the digits do not matter, nor digits among these words
    (`303-555-0142 (call after 5)`); of several numbers the first that is one counts.
    """
    line = field_text(text)
    if line is None or len(line) > NAME_LIMIT:
        return None
    if not line.isascii():
        line = unicodedata.normalize("NFKC", with_few_marks(line))
    number = _without_bracket_behind(_without_extensions(line))
    for parts in (_WORDS.split(number), [number], _DIVIDER.split(number)):
        if phone := next((phone for part in parts if (phone := _one_phone(part))), None):
            return phone
    return None


def _without_bracket_behind(line: str) -> str:
    """`303-555-0142 (136)`: a few digits in brackets behind a whole number are no part of it."""
    found = _BEHIND.search(line)
    digits_before = sum(character.isdigit() for character in line[: found.start()]) if found else 0
    return line[: found.start()] if found and digits_before >= _DIGITS_BEFORE_A_BRACKET else line


def _without_extensions(line: str) -> str:
    """An extension follows a number: `Phone #303 555 0142` has none."""
    parts, end = [], 0
    digits = 0
    for found in _EXTENSION.finditer(line):
        before = line[end : found.start()]
        digits += sum(character.isdigit() for character in before)
        parts.append(before if digits >= _DIGITS_BEFORE_AN_EXTENSION else before + found.group())
        end = found.end()
    return "".join(parts) + line[end:]


def _one_phone(text: str) -> str | None:
    before, plus, after = text.partition("+")
    if plus and not any(character.isdigit() for character in before):
        digits = _NOT_A_DIGIT.sub("", after)
        if "+" not in after and _FOREIGN.fullmatch(digits):
            return _without_trunk_zero(digits)
        found = _DOMESTIC.fullmatch(digits) if digits.startswith("1") else None
    else:
        found = _DOMESTIC.fullmatch(_NOT_A_DIGIT.sub("", text))
    return f"+1{found.group(1)}" if found else None


def _without_trunk_zero(digits: str) -> str:
    """`44 020 …` is dialled as `44 20 …`; Italy's zero belongs to the number."""
    if "0" not in digits[1:4]:
        return f"+{digits}"
    try:
        parsed = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return f"+{digits}"
    dialled = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return dialled if E164.fullmatch(dialled) else f"+{digits}"


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


def comparable_mls_id(text: str | None) -> str | None:
    """Returns the number of a listing without blanks and letter case; None without one."""
    return "".join((text or "").split()).casefold() or None


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


def _zone_of_area(beginning: str) -> str | None:
    """By `+1` and six digits: where an area lies in two zones the exchange may tell, else the first is taken."""
    return next(iter(_zones_of_area(beginning)), None)


def time_zones_of_phone(phone: str | None) -> tuple[str, ...]:
    """Returns all time zones in which the area of an E.164 phone lies; none for one that belongs to no area."""
    return _zones_of_area(phone[:8]) if phone else ()


@lru_cache(maxsize=65_536)
def _zones_of_area(beginning: str) -> tuple[str, ...]:
    try:
        number = phonenumbers.parse(beginning.ljust(12, "0"))
    except phonenumbers.NumberParseException:
        return ()
    if phonenumbers.number_type(number) in _PLACELESS:
        return ()
    zones = phone_zones.time_zones_for_geographical_number(number)
    return tuple(zone for zone in zones if "/" in zone and not zone.startswith("Etc/"))
