"""How many text messages a text becomes when it is sent: alphabet and segments by GSM 03.38 and 03.40. Pure.

A segment of the GSM alphabet holds 160 characters, one of UCS-2 70; of several, each loses some to what joins them.
"""

import unicodedata

from msgspec import Struct

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_OF_TWO = frozenset("\f^{}\\[~]|€")
GSM_ALONE, GSM_JOINED = 160, 153
UCS_ALONE, UCS_JOINED = 70, 67


class Segments(Struct, frozen=True, kw_only=True):
    """What a text costs: `units` of its alphabet in `count` segments; `left` fit into the last one.

    `beyond_gsm`: the characters for which it needs UCS-2, each once, in their order.
    """

    alphabet: str  # "GSM-7" or "UCS-2"
    units: int
    count: int
    left: int
    beyond_gsm: tuple[str, ...] = ()


def count_segments(text: str) -> Segments:
    """Returns how a text is sent. A character that takes two units is never split between two segments."""
    beyond = tuple(dict.fromkeys(each for each in text if each not in _GSM and each not in _GSM_OF_TWO))
    if beyond:
        sizes = [2 if ord(each) > 0xFFFF else 1 for each in text]
        alphabet, alone, joined = "UCS-2", UCS_ALONE, UCS_JOINED
    else:
        sizes = [2 if each in _GSM_OF_TWO else 1 for each in text]
        alphabet, alone, joined = "GSM-7", GSM_ALONE, GSM_JOINED
    units = sum(sizes)
    if units <= alone:
        return Segments(alphabet=alphabet, units=units, count=min(units, 1), left=alone - units, beyond_gsm=beyond)
    count, filled = 1, 0
    for size in sizes:
        if filled + size > joined:
            count, filled = count + 1, 0
        filled += size
    return Segments(alphabet=alphabet, units=units, count=count, left=joined - filled, beyond_gsm=beyond)


# -------------------------------------------------------------------------------------------------- the nearest letters

_NEAREST = str.maketrans({
    "\t": " ", "\u00a0": " ", "\u2002": " ", "\u2003": " ", "\u2009": " ", "\u202f": " ",
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'",
    "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "«": '"', "»": '"', "‹": "'", "›": "'",
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "•": "-", "·": "-",
    "…": "...", "©": "(c)", "®": "(r)", "™": "TM", "×": "x", "÷": "/", "°": "o", "¢": "c",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ħ": "h", "Ħ": "H", "ı": "i", "ĸ": "k", "ł": "l", "Ł": "L", "ŋ": "n",
    "Ŋ": "N", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "Th", "ŧ": "t", "Ŧ": "T", "ẞ": "ß", "ĳ": "ij", "Ĳ": "IJ",
})  # fmt: skip


def with_gsm_letters(text: str) -> str:
    """Returns the text in the GSM alphabet: every other character becomes the nearest one, or is dropped."""
    return "".join(each if _is_gsm(each) else _nearest(each) for each in text.translate(_NEAREST))


def _is_gsm(character: str) -> bool:
    return character in _GSM or character in _GSM_OF_TWO


def _nearest(character: str) -> str:
    """A letter without its marks, or what a character is made of: `á` is `a`, `①` is `1`, `👍` is nothing."""
    return "".join(each for each in unicodedata.normalize("NFKD", character) if _is_gsm(each))
