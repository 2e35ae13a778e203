"""What a text says that came in at one of our numbers: to stop, to claim or pass on a lead, or something else.

Pure. What it means for whom is decided where the sender is known.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from leadroutes.domain import stop_words
from leadroutes.domain.moments import wall_clock
from leadroutes.domain.text import message_text, with_few_marks

MAX_REPLY_NUMBER: Final = 99
LONGEST_READ: Final = 1_600
"""Characters that are looked through for words; a provider sends no more in one text."""

Wish = Literal["stop", "start", "help"]


def body_of(body: str | None, media: str | None) -> str:
    """Returns the words of a text as they are stored. `media`: how many pictures and files came with it."""
    count = int(media) if media and media.isascii() and media.isdigit() and len(media) <= 3 else 0
    what = "1 picture or file" if count == 1 else f"{count} pictures or files"
    note = f"[{what}, not stored]" if count else None
    return "\n".join(filter(None, (message_text(body), note)))


# ------------------------------------------------------------------------------------------------- to stop


def read_wish(body: str, opt_out_type: str | None = None) -> Wish | None:
    """Returns what a text wants with regard to all texts. `opt_out_type`: how the provider has understood it."""
    match (opt_out_type or "").strip().upper():
        case "STOP":
            return "stop"
        case "START":
            return "start"
        case "HELP":
            return "help"
    wish = stop_words.read_wish(with_few_marks(body[:LONGEST_READ]))
    return wish if wish != "unclear" else None


def _plain(text: str) -> str:
    """Returns the text with the letters that a keyboard has in place of others that look alike (`３`, `ＳＴＯＰ`)."""
    return unicodedata.normalize("NFKC", with_few_marks(text))


# ------------------------------------------------------------------------------------- to claim or to pass on


@dataclass(frozen=True, slots=True)
class OfferReply:
    """A claim, or a pass, of the offer with this number; None: of the only one that is open."""

    is_claim: bool
    number: int | None = None


_CLAIMS: Final = ("claim", "c", "y")
_PASSES: Final = ("pass", "no", "n")
_IGNORED: Final = re.compile("[\\s#.!\ufe0e\ufe0f\u20e3\u200b-\u200f\u2060\ufeff]+")
_EITHER: Final = "|".join((*_CLAIMS, *_PASSES))
_REPLY: Final = re.compile(f"(?P<before>{_EITHER})?(?P<number>[1-9][0-9]?)?(?P<behind>{_EITHER})?")
_LONGEST_REPLY: Final = 40


def read_reply(body: str) -> OfferReply | None:
    """`3`, `3Y`, `claim 3` claim; `3N`, `pass 3`, `no 3` decline; so do the words alone. `YES` and `START` do not."""
    if len(body) > _LONGEST_REPLY:
        return None
    said = _REPLY.fullmatch(_IGNORED.sub("", _plain(body)).casefold())
    if said is None or not said.group():
        return None
    words = [word for word in (said["before"], said["behind"]) if word]
    if len(words) > 1:
        return None
    is_claim = not words or words[0] in _CLAIMS
    return OfferReply(is_claim, int(said["number"]) if said["number"] else None)


# ------------------------------------------------------------------------------------------------ what is answered


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOffer:
    """An offer that a phone was sent by text and that can still be claimed."""

    owner_id: int
    lead_id: int
    offer_id: int
    user_id: int
    number: int


def only_open(offers: list[OpenOffer], *, has_unnumbered: bool) -> OpenOffer | None:
    """Returns the offer that a word without a number means. `has_unnumbered`: one was sent without a number."""
    return offers[0] if len(offers) == 1 and not has_unnumbered else None


def help_line(offers: list[OpenOffer]) -> str:
    """Returns one line that says what can be answered."""
    numbers = sorted({offer.number for offer in offers})
    if not numbers:
        return "No lead is open for you at the moment."
    first = numbers[0]
    if len(numbers) == 1:
        return f"Reply {first} to claim the lead, {first}N to pass."
    listed = ", ".join(map(str, numbers[:_MOST_LISTED]))
    return f"Open: {listed}. Reply a number to claim that lead, with N to pass: {first}N."


_MOST_LISTED: Final = 10


def yours_line(name: str | None, phone: str | None, email: str | None, street: str | None) -> str:
    """Returns who the person is whose lead was claimed, to its winner."""
    known = ", ".join(filter(None, (name, dashed(phone), email, street)))
    return f"Yours: {known}".rstrip(".") + "." if known else "Yours."


def dashed(phone: str | None) -> str | None:
    """Returns `+13035550199` as `303-555-0199`; other numbers as they are."""
    found = _AMERICAN.fullmatch(phone or "")
    return "-".join(found.groups()) if found else phone


_AMERICAN: Final = re.compile(r"\+?1?[ -.]?\(?([2-9][0-9]{2})\)?[ -.]?([2-9][0-9]{2})[ -.]?([0-9]{4})")


def claimed_line(name: str, at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Returns who has the lead, and since when by the clock of the reader."""
    moment, today = wall_clock(at, zone), wall_clock(now, zone).date()
    day = "" if moment.date() == today else f"on {moment:%b} {moment.day} "
    return f"{name} claimed it {day}at {moment:%H:%M}."


STOPPED_LINE: Final = "You get no more texts from us. Reply START to get them again."
STARTED_LINE: Final = "You get texts from us again. Reply STOP to end them."
ABOUT_LINE: Final = "These texts are about real estate, from an agent whom you have asked. Reply STOP to get no more."
AGENT_ABOUT_LINE: Final = "These texts offer you leads. Reply STOP to get no more."
PASSED_LINE: Final = "You have passed on it."
OWN_LINE: Final = "It is yours already. To give it back, open the lead."
GONE_LINE: Final = "This lead is not offered to you any more."
