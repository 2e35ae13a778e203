"""Fields of forms by which a person agrees to be written to or called, with the words of the form.

A form says so in many ways: a box with its text as the value, a box and its text beside it, a question with an answer.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from leadroutes.cache import short_cache
from leadroutes.domain.addresses import is_ip_address
from leadroutes.domain.inquiry import ConsentChannel
from leadroutes.domain.text import message_text, one_line

LONGEST: Final = 2_000  # characters of a consent
MOST: Final = 10  # consents of one inquiry

_NAMES: Final = re.compile(
    r"consent|\bopt ?in\b|optin|tcpa|\bagree|permission|disclaimer|\bmay we (?:text|call|e-?mail|contact)"
)
_NOT: Final = re.compile(r"\b(?:not|no|never|opt ?out|without)\b|optout|unsubscribe")
_TEXT_OF: Final = re.compile(r" (?:text|language|wording|copy|label|statement|words|message)$")
_REFUSED: Final = frozenset(
    {"no", "n", "false", "0", "off", "unchecked", "none", "null", "decline", "declined", "disagree", "i disagree",
     "i do not agree", "not checked", "undefined"}
)  # fmt: skip
_REFUSES: Final = re.compile(
    r"no(?:pe)?(?:\W*(?:thanks?\b|thank you\b|$)|(?:[,.;!:]| -)\s)|n/a\W*$|never\W*$"
    r"|(?:no )?(?:i |please )*(?:do not|don.?t|did not|didn.?t|will not|won.?t|never|cannot|can.?t)"
    r" (?:\w+ )?(?:agree|accept|consent|want|wish|like|allow|permit|authori[sz]e|opt|text|call|contact|e-?mail|message"
    r"|send|subscribe)\b"
    r"|(?:i )?(?:decline|refuse|disagree|withdraw)d?\b"
    r"|(?:i )?(?:have |am )?not (?:agree|accept|consent|check|select|given|opt|interested|now\b)"
    r"|(?:i )?(?:have |am )?(?:opt(?:ed)?[ -]?out|unsubscribe)d?\W*$"
)
"""How answers begin by which a person does not agree; sentences of a form that say how to opt out do not."""
_CHANNELS: Final[dict[ConsentChannel, re.Pattern[str]]] = {
    "email": re.compile(r"\be-?mails?\b|\be-?mailed\b|newsletter"),
    "text": re.compile(r"\btexts?\b|\btexted\b|\btexting\b|\bsms\b|\bmms\b"),
    "call": re.compile(r"\bcalls?\b|\bcalled\b|\bcalling\b|\btelephone\b|\bby phone\b|\bdial"),
}
_ADDRESSES: Final = frozenset(
    {"ip", "ipaddress", "userip", "useripaddress", "clientip", "remoteip", "remoteaddr", "visitorip", "consentip"}
)
_IN_A_ROW: Final = 3  # words that make a sentence


class GivenConsent(Struct, frozen=True, kw_only=True):
    """A consent as the form sent it. `channels`: those that it names; empty where it names none."""

    field: str
    words: str
    channels: tuple[ConsentChannel, ...]
    ip: str | None = None


class _Field(NamedTuple):
    """What the name of a field says; `box`: the words of the name without those for the text of a box."""

    plain: str
    box: str
    asks: bool
    is_address: bool

    @property
    def is_text(self) -> bool:
        """Whether it holds the text of a box, not the box."""
        return self.box != self.plain


def given_consents(pairs: Iterable[tuple[str, str]]) -> tuple[GivenConsent, ...]:
    """Returns what a person has agreed to, by the names and the values of a form; boxes without a tick do not count."""
    fields = [(_field(name), name, value) for name, value in pairs]
    asked = [(field, name.strip(), value.strip()) for field, name, value in fields if field.asks and value.strip()]
    if not asked:
        return ()
    flags = [each for each in asked if not each[0].is_text]
    texts = {field.box: value for field, _, value in asked if field.is_text}
    addresses = (value.strip() for field, _, value in fields if field.is_address)
    ip = next((value for value in addresses if is_ip_address(value[:60])), None)
    found = [_given(*each, texts, ip) for each in flags if not _is_refused(each[2])]
    if not flags:
        found = [_given(*each, {}, ip) for each in asked if not _is_refused(each[2])]
    return tuple(found[:MOST])


def _is_refused(value: str) -> bool:
    plain = value.casefold()
    return plain in _REFUSED or _REFUSES.match(plain) is not None


@short_cache(entries=4_096, longest=200)
def _field(name: str) -> _Field:
    """Once for each name: the inquiries of a form have the same ones."""
    plain = _plain(name.strip())
    return _Field(
        plain,
        box=_TEXT_OF.sub("", plain),
        asks=_NAMES.search(plain) is not None and _NOT.search(plain) is None,
        is_address=plain.replace(" ", "") in _ADDRESSES,
    )


def _given(field: _Field, name: str, value: str, texts: dict[str, str], ip: str | None) -> GivenConsent:
    """The text is the value where it is a sentence, else what is beside it, else the question with its answer."""
    is_sentence = len(value.split()) >= _IN_A_ROW
    text = value if is_sentence else texts.get(field.plain) or (next(iter(texts.values())) if len(texts) == 1 else None)
    words = text or f"{name}: {value}"
    named = f"{field.box} {words.casefold() if text else ''}"
    channels = tuple(channel for channel, pattern in _CHANNELS.items() if pattern.search(named))
    asked = one_line(name[:100]) or ""
    return GivenConsent(field=asked, words=message_text(words[:LONGEST]) or asked, channels=channels, ip=ip)


def _plain(name: str) -> str:
    """`form[SMS_Consent-Text]` as words: `sms consent text`."""
    inner = re.findall(r"\[([^\[\]]{1,200})\]", name[:400])
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", inner[-1] if inner else name[:400])
    return re.sub(r"[\s_\-.:?!]+", " ", spaced).strip().casefold()


def disclaimers(responses: Sequence[tuple[str, bool]]) -> tuple[GivenConsent, ...]:
    """Returns the boxes of a form that were ticked, of which only the keys are known."""
    ticked = [key for key, is_checked in responses if is_checked and key]
    pairs = [(f"consent {key}", "ticked") for key in ticked]
    return given_consents(pairs)
