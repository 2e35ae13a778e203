"""What becomes of a message as the provider reports its state: it rises, of two final ones the first stays. Pure."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.provider_errors import CODES, effect_of

RANKS: Final = {
    "accepted": 1, "scheduled": 1, "queued": 2, "sending": 3, "sent": 4,
    "delivered": 5, "read": 5, "undelivered": 5, "failed": 5, "canceled": 5,
}  # fmt: skip
ARRIVED: Final = frozenset({"delivered", "read"})
NOT_ARRIVED: Final = frozenset({"undelivered", "failed", "canceled"})
OPEN_STATES: Final = frozenset({"queued", "sent", "unknown"})
"""Of messages that a report may change: while one is being sent, the outcome of the attempt takes it into account."""


class MessageAtProvider(Struct, frozen=True, kw_only=True):
    """A message as it is stored: its own state and reason, and what the provider has reported so far."""

    state: str
    reason: str | None = None
    provider_id: str | None = None
    provider_state: str | None = None
    error_code: int | None = None
    is_delivered: bool = False
    is_for_next_window: bool = False  # the provider refuses it at this time of day

    @property
    def is_final(self) -> bool:
        return self.provider_state in ARRIVED | NOT_ARRIVED


def after_report(known: MessageAtProvider, provider_id: str, state: str, error_code: int | None) -> MessageAtProvider:
    """Returns the message after a report. One about an earlier attempt to send it changes nothing."""
    if known.provider_id not in (None, provider_id):
        return known
    is_risen = RANKS.get(state, 0) > RANKS.get(known.provider_state or "", 0)
    after = replace(
        known,
        provider_id=provider_id,
        provider_state=state if is_risen or known.provider_state is None else known.provider_state,
        error_code=error_code or known.error_code,
    )
    return _with_own_state(replace(after, is_delivered=after.provider_state in ARRIVED), was_reported=not is_risen)


def _with_own_state(after: MessageAtProvider, *, was_reported: bool) -> MessageAtProvider:
    is_given_up = after.state == "failed" and not was_reported  # before the provider said anything of it
    if after.state not in OPEN_STATES and not is_given_up:
        return after
    if after.provider_state not in NOT_ARRIVED:
        return after if after.state == "sent" else replace(after, state="sent", reason=None)
    reason = reason_of(after.provider_state, after.error_code)
    if effect_of(after.error_code) == "window":
        return replace(after, state="queued", reason=reason, is_for_next_window=True)
    return replace(after, state="failed", reason=reason)


def reason_of(state: str | None, error_code: int | None) -> str:
    """Returns why a message did not arrive, for the outbox: `the provider said 30006, undelivered: The number is …`."""
    known = CODES.get(error_code) if error_code is not None else None
    said = f"{error_code}, {state}" if error_code is not None else state
    return f"the provider said {said}: {known.what}" if known is not None else f"the provider said {said}"
