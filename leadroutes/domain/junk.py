"""A lead that is junk, and one that is not after all: what follows for its rollout and its owner. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.alerts import owner_channels
from leadroutes.domain.model import Change, Lead, LeadEvent, Message
from leadroutes.domain.rollout import withdraw
from leadroutes.errors import AlreadyClaimed, Conflict

REASONS: Final = ("spam", "wrong number", "duplicate", "not a lead", "out of area", "other")
LONGEST_NOTE: Final = 200
IS_JUNK: Final = "the lead is junk"


class Junk(Struct, frozen=True, kw_only=True):
    """Why a lead is junk; `other` needs a note."""

    reason: str
    note: str | None = None

    @property
    def detail(self) -> Mapping[str, object]:
        return {"reason": self.reason} | ({"note": self.note} if self.note else {})


def mark_as_junk(
    lead: Lead, junk: Junk, by_user_id: int, now: datetime, *, known: Junk | None = None, is_imported: bool = False
) -> Change | None:
    """The lead is junk. Whoever has it keeps it; one that no one has is over. None: it is known for this reason.

    `known`: why it is junk already; the last reason counts. The owner is notified the first time, of what others do.
    Raises AlreadyClaimed or Conflict for someone who neither owns the lead nor has it any more.
    """
    require_holder_or_owner(lead, by_user_id)
    if junk == known:
        return None
    holder = lead.claim.user_id if lead.claim is not None else None
    event = LeadEvent(kind="junk", user_id=holder, by_user_id=by_user_id, detail=junk.detail)
    after = replace(lead, is_junk=True)
    over = None if is_imported else withdraw(after, IS_JUNK, now)
    change = over or Change(lead=after)
    return replace(
        change,
        messages=() if known is not None or by_user_id == lead.owner_id else _owner_alerts(lead),
        events=(event, *change.events),
    )


def undo_junk(lead: Lead, by_user_id: int) -> Change | None:
    """The lead is not junk after all; offers and campaign steps do not come back. None: it is not junk."""
    require_holder_or_owner(lead, by_user_id)
    if not lead.is_junk:
        return None
    holder = lead.claim.user_id if lead.claim is not None else None
    event = LeadEvent(kind="junk undone", user_id=holder, by_user_id=by_user_id)
    return Change(lead=replace(lead, is_junk=False), events=(event,))


def require_holder_or_owner(lead: Lead, user_id: int) -> None:
    """Raises AlreadyClaimed or Conflict for someone who has lost the lead in the meantime."""
    if user_id == lead.owner_id or (lead.claim is not None and lead.claim.user_id == user_id):
        return
    if lead.claim is not None:
        raise AlreadyClaimed(lead.claim.user_id, lead.claim.claimed_at)
    raise Conflict("You do not have this lead any more")


def _owner_alerts(lead: Lead) -> tuple[Message, ...]:
    return tuple(Message(kind="junk", channel=channel, user_id=lead.owner_id) for channel in owner_channels(lead))
