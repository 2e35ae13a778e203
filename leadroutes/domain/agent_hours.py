"""When an agent may be rung: not at night, by the clock where the agent is. Pure."""

from datetime import datetime, time

from leadroutes.domain.campaign import zone_named
from leadroutes.domain.identity import normal_phone, time_zone_of
from leadroutes.domain.moments import wall_clock

NIGHT_BEGINS, NIGHT_ENDS = time(22), time(7)
NOT_AT_NIGHT = "no calls between 22:00 and 07:00"  # begins the reason of an alert that goes another way instead
UNSET = "UTC"  # what every account begins with: it says nothing about where the agent is


def agent_zone(own: str | None, phone: str | None, owners: str | None) -> str:
    """Returns the time zone of an agent: the own one if it was set, else the phone's area code's, else the owner's."""
    if own and own != UNSET:
        return own
    return time_zone_of(None, normal_phone(phone)) or owners or UNSET


def is_night(now: datetime, zone: str) -> bool:
    """Whether it is between 22:00 and 07:00 there."""
    local = wall_clock(now, zone_named(zone)).time()
    return local >= NIGHT_BEGINS or local < NIGHT_ENDS
