"""Why a lead has passed a member by, as a sentence to that member. Pure."""

import re
from datetime import datetime
from typing import Final

from msgspec import Struct

from leadroutes.domain.availability import moment_in_words
from leadroutes.domain.lineup import ACCOUNT_INACTIVE
from leadroutes.domain.rollout import TURN_PASSED
from leadroutes.domain.why import span_in_words

SOMEONE_ELSE: Final = "someone else"


class PassedLead(Struct, frozen=True, kw_only=True):
    """A lead that is over for a member who was never notified of it. Names are those of teammates; None: another."""

    state: str  # of the member's offer; left out: the member was not in the line-up
    reason: str | None
    at: datetime  # since when it is over for the member
    routed_at: datetime
    notify_at: datetime | None  # when the member would have been notified
    lead_state: str
    is_junk: bool = False
    claimed_at: datetime | None = None
    via: str | None = None
    winner: str | None = None
    was_winners_turn: bool = False


def reason_in_words(lead: PassedLead, zone: str) -> str:
    """Returns why the member was not notified, as one sentence without a full stop."""
    if lead.state in ("skipped", "left out"):
        return why_not_you(lead.reason)
    if lead.claimed_at is not None and lead.claimed_at <= lead.at:
        return _someone_was_first(lead, zone)
    if lead.is_junk:
        return "It was junk before it was your turn"
    if lead.lead_state == "claimed":
        return "Someone had it before it was your turn"
    return "It was over before it was your turn"


def _someone_was_first(lead: PassedLead, zone: str) -> str:
    assert lead.claimed_at is not None
    who = lead.winner or SOMEONE_ELSE
    after = span_in_words(lead.claimed_at - lead.routed_at)
    match lead.via:
        case "Auto":
            did = f"{who} got it at once" if after == "less than a minute" else f"{who} got it after {after}"
        case "Assigned":
            return f"It was assigned to {who} after {after}"
        case _:
            did = f"{who} claimed it after {after}"
    if lead.was_winners_turn:
        whose = f"{who}'s turn"
        return f"It was {whose}, and {did if lead.winner else did.replace(SOMEONE_ELSE, 'they', 1)}"
    did = did[:1].upper() + did[1:]
    return f"{did}, before you at {moment_in_words(lead.notify_at, zone)}" if lead.notify_at else did


def outcome_in_words(lead: PassedLead) -> str:
    """Returns what has become of the lead."""
    if lead.lead_state == "claimed":
        return f"claimed by {lead.winner or SOMEONE_ELSE}"
    return "junk" if lead.is_junk else lead.lead_state


# --------------------------------------------------------------------------------------------- reasons, as sentences

# The reasons that offers are skipped with, and members left out with, and what the member reads instead.
_SENTENCES: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (r"paused( until .+)?", r"You were paused\1"),
        (r"off( until .+)?", r"You were off\1"),
        (r"outside working hours( until .+)?", r"You were outside your working hours\1"),
        (r"back (.+)", r"You were not back before \1"),
        (r"open leads: (\d+) of (\d+)", r"You had as many open leads as you may: \1 of \2"),
        (r"leads today: (\d+) of (\d+)", r"You had got as many leads that day as you may: \1 of \2"),
        (r"leads this week: (\d+) of (\d+)", r"You had got as many leads that week as you may: \1 of \2"),
        (re.escape(ACCOUNT_INACTIVE), "Your account was not active"),
        (r"membership request is Pending", "You had not accepted to be in the team yet"),
        (r"membership request is Declined", "You had declined to be in the team"),
        (r"no distribution option for this team", "You had no distribution option in the team"),
        (r"the member has left the team", "You had left the team"),
        (r"the team has been removed", "The team had been removed"),
        (r"no alert by (.{1,80}) can be sent to the member", r"No alert by \1 could be sent to you"),
        (re.escape(TURN_PASSED), "The next member's turn had already started"),
    )
)


def why_not_you(reason: str | None) -> str:
    """Returns the reason of an offer that was skipped, as a sentence to its member."""
    for pattern, sentence in _SENTENCES:
        if found := pattern.fullmatch(reason or ""):
            return found.expand(sentence)
    return f"You were skipped: {reason}" if reason else "You were skipped"
