"""Why a lead went to a member and not to another, in words: for the owner of all, for a member of that member. Pure.

A sentence names no one and nothing of the contact.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from leadroutes.domain.availability import moment_in_words
from leadroutes.domain.model import Offer

Explained = Mapping[str, Any]  # what `explain` returns


class Addressee(Struct, frozen=True):
    """Who reads the words: as "you", with the times of a zone."""

    user_id: int
    zone: str = "UTC"


def in_words(
    explained: Explained, offers: Sequence[Offer], addressee: Addressee, routed_at: datetime, turn: int | None = None
) -> dict[str, Any]:
    """Returns the explanation with `words` for each member. `turn`: the user whose turn it was."""
    by_user = {offer.user_id: offer for offer in offers}
    members = []
    for each in explained["members"]:
        words = _of_member(each, by_user.get(each["user_id"]), routed_at, addressee.zone, turn)
        if each["user_id"] == addressee.user_id:
            words = words.replace("the member's", "your").replace("the member has", "you have")
            words = words.replace("the member", "you")
        members.append({**each, "words": words})
    return {**explained, "members": members, "before": None}


def for_member(explained: Explained, user_id: int) -> dict[str, Any]:
    """Returns what a member may know: the own line, the outcome, and of the others how many came first.

    `before` is null for someone who has no place in the line.
    """
    own = [each for each in explained["members"] if each["user_id"] == user_id]
    moment = own[0]["notify_at"] if own else None
    before = None
    if moment is not None:
        moments = [each["notify_at"] for each in explained["members"] if each["user_id"] != user_id]
        before = sum(1 for each in moments if each is not None and each < moment)
    return {**explained, "routes": [], "team": None, "members": own, "before": before}


def span_in_words(span: timedelta) -> str:
    """Returns how long something took, in its largest unit."""
    seconds = max(0, int(span.total_seconds()))
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        number = seconds // size
        if number >= (2 if unit == "day" else 1):
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return "less than a minute"


def _of_member(line: Mapping[str, Any], offer: Offer | None, routed_at: datetime, zone: str, turn: int | None) -> str:
    parts = _first(line, turn)
    if offer is None:
        parts.append(f"Not in the line-up: {line['reason']}")
    else:
        parts += _of_offer(offer, routed_at, zone)
    if counted := _counted(line.get("counted")):
        parts.append(f"counted: {counted}")
    return "; ".join(part if not number else part[:1].lower() + part[1:] for number, part in enumerate(parts))


def _first(line: Mapping[str, Any], turn: int | None) -> list[str]:
    if turn is not None and line["user_id"] == turn:
        return ["It was the member's turn"]
    return [f"First in line: {line['first']}"] if line.get("first") else []


def _of_offer(offer: Offer, routed_at: datetime, zone: str) -> list[str]:
    because = [offer.reason] if offer.reason else []
    if offer.state == "skipped":
        return [f"Skipped: {offer.reason}" if offer.reason else "Skipped"]
    if offer.notified_at is None:
        moment = moment_in_words(offer.notify_at, zone)
        if offer.state == "scheduled":
            return [f"To be notified {moment}, {_after(offer.notify_at, routed_at)}", *because]
        if offer.state == "won":
            return ["Not notified: the lead was assigned to the member", *because]
        return [f"Not notified: someone had the lead, or it was over, before {moment}", *because]
    notified = f"Notified {moment_in_words(offer.notified_at, zone)}, {_after(offer.notified_at, routed_at)}"
    return [notified, *([_ENDS[offer.state]] if offer.state in _ENDS else []), *because]


_ENDS = {
    "declined": "the member declined",
    "expired": "the time to claim it was over",
    "withdrawn": "the offer was withdrawn",
    "won": "the member has the lead",
    "lost": "someone else has the lead",
}


def _after(moment: datetime, routed_at: datetime) -> str:
    span = moment - routed_at
    return "at once" if span < timedelta(minutes=1) else f"{span_in_words(span)} after the lead was routed"


def _counted(counted: Mapping[str, Any] | None) -> str:
    """Returns what was counted of a member, where the order of the team depends on that."""
    if counted is None:
        return ""
    weight = "" if counted["weight"] in (None, 1) else f", weight {counted['weight']}"
    return f"{counted['text']}{weight}"
