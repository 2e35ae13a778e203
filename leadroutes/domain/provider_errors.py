"""What the error numbers of the provider of texts and calls mean: for us, in words, and what to do about it. Pure.

The numbers are Twilio's, which other providers of the same API use as well.
"""

from dataclasses import dataclass
from typing import Final, Literal

Effect = Literal["stopped", "landline", "filtered", "window", "sender", "account", "later"]
"""What follows from an error, beyond that this message has failed:

- stopped: the number asked for no more texts, and gets none.
- landline: the number takes no texts.
- filtered: carriers refuse the text or its sender; it is not tried again.
- window: the provider refuses texts at this time of day; the text waits for the next window.
- sender: the number that it comes from cannot send it.
- account: nothing at all is sent until someone mends the account.
- later: the provider is busy.
"""


@dataclass(frozen=True, slots=True)
class ProviderError:
    """`what` and `remedy` are sentences for whoever looks at the outbox."""

    what: str
    remedy: str
    effect: Effect | None = None


_REGISTER: Final = (
    "Register your number and campaign with the provider (10DLC, or the verification of toll-free numbers)."
)
_LANDLINE: Final = ProviderError(
    "The number is a landline or cannot take texts.", "Call it, or ask for a mobile number; no more texts go there.",
    "landline",
)  # fmt: skip
_SENDER: Final = ProviderError(
    "The number that texts come from cannot send this one.",
    "Set a number of the account that can send texts, or a messaging service.", "sender",
)  # fmt: skip
_ACCOUNT: Final = ProviderError(
    "The provider does not accept our account or its credentials.",
    "Look at the account there, and at LEADROUTES_TWILIO_ACCOUNT and the token or key.", "account",
)  # fmt: skip
_BUSY: Final = ProviderError("The provider is busy.", "Nothing to do: it is tried again.", "later")
_WRONG: Final = ProviderError("The phone number is not a valid one.", "Correct it, then send again.")
_UNREACHABLE: Final = ProviderError(
    "The phone is switched off, out of reach, or blocks texts.", "Send again later, or call."
)

CODES: Final = {
    20003: _ACCOUNT,
    20005: _ACCOUNT,
    20006: _ACCOUNT,
    20404: _ACCOUNT,
    20429: _BUSY,
    21211: _WRONG,
    21212: _SENDER,
    21217: _WRONG,
    21408: ProviderError(
        "The account may not send to the region of this number.", "Allow the region at the provider, then send again."
    ),
    21601: _SENDER,
    21602: ProviderError("The text is empty.", "Correct the template, then send again."),
    21603: _SENDER,
    21606: _SENDER,
    21610: ProviderError(
        "The number has asked for no more texts.",
        "Respect it. The person can text START to the number that the texts came from.", "stopped",
    ),
    21611: _BUSY,
    21612: ProviderError(
        "No carrier takes texts from our number to this one.", "Call, or ask for another number."
    ),
    21614: _LANDLINE,
    21617: ProviderError("The text is too long.", "Shorten the template, then send again."),
    21635: _LANDLINE,
    21659: _SENDER,
    21660: _SENDER,
    21703: _SENDER,
    21704: _SENDER,
    21705: _SENDER,
    30001: ProviderError("Too many texts waited at the provider.", "Send again; lower LEADROUTES_TEXTS_PER_SECOND."),
    30002: ProviderError("The provider has suspended the account.", "Look at the account there, then send again."),
    30003: _UNREACHABLE,
    30004: ProviderError("The phone or its carrier blocks our number.", "Call, or write an e-mail."),
    30005: ProviderError("The number does not exist any more.", "Ask for another number."),
    30006: _LANDLINE,
    30007: ProviderError(
        "The carrier refused the text: it takes it for unwanted.",
        f"{_REGISTER} Name who writes, and leave out short links.", "filtered",
    ),
    30008: ProviderError("The carrier does not say why it did not deliver the text.", "Send again, or call."),
    30010: ProviderError("The text costs more than the account allows.", "Raise the limit at the provider."),
    30022: ProviderError("More texts were sent than our registration allows.", "Lower LEADROUTES_TEXTS_PER_SECOND."),
    30023: ProviderError("More texts were sent today than our registration allows.", "Set LEADROUTES_TEXTS_PER_DAY."),
    30032: ProviderError("The carrier refused the text: the toll-free number is not verified.", _REGISTER, "filtered"),
    30034: ProviderError("The carrier refused the text: the number is not registered.", _REGISTER, "filtered"),
    30410: _UNREACHABLE,
    30610: ProviderError(
        "The provider sends no texts to this number at this time of day.",
        "Nothing to do: it is sent within the next window.", "window",
    ),
}  # fmt: skip

FILTERED: Final = tuple(sorted(code for code, error in CODES.items() if error.effect == "filtered"))


def effect_of(code: int | None) -> Effect | None:
    """Returns what follows from an error number; None for one that only this message failed with, or an unknown one."""
    found = CODES.get(code) if code is not None else None
    return found.effect if found is not None else None


def read_code(value: object) -> int | None:
    """Returns an error number, also one that is written as text; None for anything else, and for 0."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9 else None
