"""What ends a campaign for a contact, besides a person who stops it. A table of data. Pure."""

from typing import Final, Literal

StopEvent = Literal["reply", "conversation", "claim", "appointment"]

STOP_EVENTS: Final[dict[StopEvent, str]] = {
    "reply": "the contact answered",
    "conversation": "someone has talked with the contact",
    "claim": "someone has the lead",
    "appointment": "an appointment was made with the contact",
}
"""The events that a campaign may stop on, and the reason that is stored with what was not sent."""

CAMPAIGN_REMOVED: Final = "the campaign was removed"
"""Why what a campaign that was removed had still to send is not sent."""

DEFAULT_STOPS: Final[tuple[StopEvent, ...]] = ("reply", "conversation")
"""What stops a new campaign."""


def stop_event_named(type_: str) -> StopEvent | None:
    """Returns what an entered event of this type is for campaigns; None where it is nothing to them."""
    match type_.strip().casefold():
        case "conversation":
            return "conversation"
        case "appointment":
            return "appointment"
    return None
