"""Over which channels a user gets which alert: what users choose, and what is done where they have not. Pure.

`push` goes beside every other channel; the store adds it for users with a browser that shows notifications, also where
an offer is lost, whose notification is replaced. It is alone here where an offer has no other channel.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from leadroutes.domain.model import ChannelName, Claim, Lead, Message, MessageKind, Offer

NOTICE: Final = "notice"  # for `claimed`: the channel of the alert about the offer
UNTOLD: Final = "could not be told"  # the reason of an offer of which every alert has failed
CHOICES: Final = {  # kind of alert -> channels that a user may choose for it
    "won": ("email", "text", "push"),
    "claimed": (NOTICE, "email", "text", "push"),
    "unclaimed": ("email", "text", "push"),
    "replied": ("email", "text", "push"),
    "digest": ("email", "text", "push"),
}
DEFAULTS: Final = {
    "won": (),
    "claimed": (NOTICE,),
    "unclaimed": ("email", "text"),
    "replied": ("email", "text"),
    "digest": (),
}
_PUSH_ALONE: Final[tuple[ChannelName, ...]] = ("push",)
_BY_NAME: Final[dict[str, ChannelName]] = {"email": "email", "text": "text", "push": "push"}


def offer_alerts(kind: MessageKind, offers: Iterable[Offer]) -> tuple[Message, ...]:
    """Returns the alerts to members whose distribution option says over which channels."""
    return tuple(
        [
            Message(kind=kind, channel=channel, user_id=offer.user_id)
            for offer in offers
            for channel in offer.channels or _PUSH_ALONE
        ]
    )


def owner_channels(lead: Lead) -> tuple[ChannelName, ...]:
    """Returns the channels of alerts to the owner that no one chooses."""
    return ("text", "email") if lead.owner_has_phone else ("email",)


def unclaimed_channels(lead: Lead) -> tuple[ChannelName, ...]:
    """Returns the channels over which the owner hears that no one has claimed the lead; (): over none."""
    choice = lead.alerts.get(lead.owner_id)
    return owner_channels(lead) if choice is None else _named(choice.unclaimed)


def unclaimed_alerts(lead: Lead) -> tuple[Message, ...]:
    """Returns the alerts to the owner that no one has claimed the lead."""
    channels = unclaimed_channels(lead) or _PUSH_ALONE
    return tuple(Message(kind="unclaimed", channel=channel, user_id=lead.owner_id) for channel in channels)


def claimed_alerts(lead: Lead, user_id: int, offer: Offer | None) -> Iterator[Message]:
    """Yields the alerts to someone who had been notified of the lead, or had it, that another user has it now."""
    choice, notice = lead.alerts.get(user_id), _notice_channel(offer)
    chosen = DEFAULTS["claimed"] if choice is None else choice.claimed
    for channel in _named(notice or "" if each == NOTICE else each for each in chosen):
        yield Message(kind="claimed", channel=channel, user_id=user_id)


def won_alerts(lead: Lead, claim: Claim, offer: Offer | None) -> Iterator[Message]:
    """Yields the alerts to whoever has the lead now.

    Someone who was given the lead always hears of it, as of an offer; someone who claimed it only where they want to.
    """
    choice = lead.alerts.get(claim.user_id)
    chosen = () if choice is None else _named(choice.won)
    given = offer.channels if offer is not None else ()
    match claim.via:
        case "Auto":
            channels = tuple(dict.fromkeys((*given, *chosen))) or _PUSH_ALONE
        case "Assigned":
            channels = chosen if set(chosen) - {"push"} else given or ("email",)
        case _:
            channels = chosen
    for channel in channels:
        yield Message(kind="won", channel=channel, user_id=claim.user_id)


def _notice_channel(offer: Offer | None) -> ChannelName | None:
    """Returns the channel that says who has the lead: one e-mail or text, never a call. None: no alerts are wanted."""
    if offer is None:
        return "email"
    if offer.has_text_alert and not offer.has_email_alert:
        return "text"
    return "email" if offer.channels else None


def _named(chosen: Iterable[str]) -> tuple[ChannelName, ...]:
    """Returns the channels of these names, each once."""
    return tuple(dict.fromkeys(_BY_NAME[each] for each in chosen if each in _BY_NAME))
