"""The text of an alert to an agent: the masked preview and a link in at most two segments of GSM letters. Pure.

What does not fit is shortened in this order: price, town, source, first name. The link stays whole.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.preview import Preview
from leadroutes.domain.segments import count_segments, with_gsm_letters

MOST_SEGMENTS = 2
SOMEONE = "Someone"
LEAST_LEFT = 3  # characters of a name or a source that is cut


class TextAlert(Struct, frozen=True, kw_only=True):
    """What an alert says: `New lead: Mia, Denver, Buyer, $450,000 (Zillow).` and what follows it.

    `explanation` and `end` are sentences without what may be shortened; `end` holds the link.
    """

    headline: str
    first_name: str
    town: str | None = None
    type: str | None = None
    price: str | None = None
    source: str | None = None
    explanation: str = ""
    end: str = ""

    def __str__(self) -> str:
        about = ", ".join(part for part in (self.first_name, self.town, self.type, self.price) if part)
        source = f" ({self.source})" if self.source else ""
        return " ".join(part for part in (f"{self.headline}: {about}{source}.", self.explanation, self.end) if part)

    @property
    def is_short(self) -> bool:
        return count_segments(str(self)).count <= MOST_SEGMENTS


def text_alert(headline: str, lead: Preview, source: str | None = None, explanation: str = "", end: str = "") -> str:
    """Returns the text. Only a link that is longer than two segments makes it longer."""
    alert = TextAlert(
        headline=headline,
        first_name=_in_gsm(lead.first_name) or SOMEONE,
        town=_in_gsm(lead.town),
        type=_in_gsm(lead.type),
        price=_in_gsm(lead.price),
        source=_in_gsm(source),
        explanation=_in_gsm(explanation) or "",
        end=end,
    )
    for shorter in _shorter_and_shorter(alert):
        if shorter.is_short:
            return str(shorter)
    return end or str(alert)


def text_reply(name: str, said: str, doubt: str, link: str) -> str:
    """Returns a text about what a contact has texted, cut so that it fits."""
    whole = _in_gsm(said) or "..."
    beginning, end = f"{_in_gsm(name) or SOMEONE}: ", " ".join(filter(None, ("", _in_gsm(doubt), link)))

    def fits(count: int) -> bool:
        return count_segments(f"{beginning}{_first(whole, count)}{end}").count <= MOST_SEGMENTS

    fitting, too_long = 0, len(whole) + 1
    while too_long - fitting > 1:
        middle = (fitting + too_long) // 2
        fitting, too_long = (middle, too_long) if fits(middle) else (fitting, middle)
    return f"{beginning}{_first(whole, fitting)}{end}"


def _first(text: str, count: int) -> str:
    return text if count >= len(text) else f"{text[:count].rstrip()}..."


def link_part(link: str, verb: str, reply_number: int | None = None) -> str:
    """Returns `Claim: https://… or reply 3 (pass: 3N)`; without a number the link alone."""
    reply = f" or reply {reply_number} (pass: {reply_number}N)" if reply_number is not None else ""
    return f"{verb}: {link}{reply}"


def _in_gsm(text: str | None) -> str | None:
    return " ".join(with_gsm_letters(text or "").split()) or None


def _shorter_and_shorter(alert: TextAlert) -> Iterator[TextAlert]:
    yield alert
    yield (alert := replace(alert, price=None))
    yield (alert := replace(alert, town=None))
    yield from _cut(alert, "source")
    yield from _cut(alert := replace(alert, source=None), "first_name")
    yield from _cut(alert := replace(alert, first_name=SOMEONE), "type")
    yield from _cut(alert := replace(alert, type=None), "explanation")
    yield replace(alert, explanation="")


def _cut(alert: TextAlert, name: str) -> Iterator[TextAlert]:
    """Yields the alert with this part as long as it may be, where anything of it fits."""
    text: str = getattr(alert, name) or ""
    fitting, too_long = 0, len(text) + 1
    while too_long - fitting > 1:
        middle = (fitting + too_long) // 2
        if replace(alert, **{name: text[:middle].rstrip()}).is_short:
            fitting = middle
        else:
            too_long = middle
    if fitting >= LEAST_LEFT:
        yield replace(alert, **{name: text[:fitting].rstrip()})
