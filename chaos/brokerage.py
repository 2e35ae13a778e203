"""The brokerage under test: Alice's, with a team by rank and one that takes turns, and a campaign of mails and a text.

Its website has a form, whose key anyone can read; and someone else has an account of the same service, with a token.

Names in mails (a contact's first name, their address) belong to one lead only, so that a mail shows whose it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec

from leadroutes.domain.weekly_hours import DAYS
from leadroutes.operations.brokerage_file import read_brokerage
from leadroutes.operations.load_brokerage import load_brokerage
from leadroutes.settings import Settings
from leadroutes.store import accounts
from leadroutes.store.migrate import prepare
from leadroutes.store.postgres import Database

OWNER = "alice"
AGENTS = ("bob", "carol", "erin", "frank")
PHONES = {"carol": "+13035550142", "frank": "+13035550143"}
HOSTILE = "dave"
PASSWORD = "the password of the hostile account"  # noqa: S105 -- of a database that ends with the run
SOURCE, FORM = "Website", "Form"  # the form's key is public
CAMPAIGN, SECOND_CAMPAIGN, FORM_CAMPAIGN = "Welcome", "Second look", "Thanks"
# Seconds after the start, by template. The last ones come long after a stop that came early.
STEPS = {"Welcome 1": 0, "Welcome 2": 120, "Welcome 3": 420, "Welcome 4": 2400}
SECOND_STEPS = {"Second look": 60}
FORM_STEPS = {"Thank you": 30}
TEXT_STEPS = {"A text": 60, "Another text": 2100}  # of the welcome, too; in the night they wait
LAST_NAME = "Lund"  # of every person who inquires honestly, and of no one else
TIME_SCALE = 120.0  # the quarter of an hour after which a lead counts as unclaimed takes 7.5 seconds
# A Tuesday, 07:45 in Denver: whenever a run is started, the hours of texts begin there after 7.5 seconds.
CLOCK_START = datetime.fromisoformat("2027-01-12T07:45:00-07:00")
WINDOW = [(60 * hour, 60 * hour + 90) for hour in range(0, 24, 2)]  # of the welcome; minutes of every day


@dataclass(frozen=True, slots=True)
class Place:
    """Where someone lives, and from when to when texts may go there on a Tuesday; minutes of the day."""

    area_code: str
    zipcode: str
    city: str
    state: str
    zone: str
    hours: tuple[int, int]


# Written down beside the table of docs/drips.md, so that a mistake there would be noticed.
PLACES = (
    Place("303", "80205", "Denver", "CO", "America/Denver", (8 * 60, 21 * 60)),
    Place("212", "10001", "New York", "NY", "America/New_York", (8 * 60, 21 * 60)),
    Place("213", "90012", "Los Angeles", "CA", "America/Los_Angeles", (8 * 60, 21 * 60)),
    Place("512", "78701", "Austin", "TX", "America/Chicago", (9 * 60, 21 * 60)),
    Place("305", "33130", "Miami", "FL", "America/New_York", (8 * 60, 20 * 60)),
)


def place_of(name: str) -> Place:
    """Returns where the person lives who sends a lead of this name: a letter and a number."""
    return PLACES[int(name[1:]) % len(PLACES)]


@dataclass(frozen=True, slots=True)
class Brokerage:
    """What those who act need to know. `users` and `tokens` by name."""

    url: str
    owner_id: int
    key: str
    form_key: str
    campaign_id: int
    second_campaign_id: int
    lead_source_id: int
    users: dict[str, int]
    tokens: dict[str, str]
    hostile_key: str  # of a form of the hostile account's own


async def found(url: str) -> Brokerage:
    """Set up an empty database, on the domain's fast clock, and everybody in it."""
    database = await Database.open(Settings(), url=url)
    try:
        await prepare(database)
        await database.set_time_scale(TIME_SCALE)
        await database.begin_clock(CLOCK_START)
        await load_brokerage(database, read_brokerage(msgspec.json.encode(_file())), address_of(OWNER))
        owner_id = await accounts.get_user_id(database, address_of(OWNER))
        async with database.transaction() as transaction:
            key = await accounts.issue_intake_key(transaction, owner_id, SOURCE, SOURCE, None, is_private=True)
            form_key = await accounts.issue_intake_key(transaction, owner_id, FORM, FORM, None, is_private=False)
            stranger = accounts.NewUser(email=address_of(HOSTILE), first_name=HOSTILE.title(), password=PASSWORD)
            hostile_id = await accounts.add_user(transaction, stranger)
            hostile_key = await accounts.issue_intake_key(transaction, hostile_id, SOURCE, "Web", None)
        everyone = (OWNER, *AGENTS, HOSTILE)
        campaigns = {
            row["name"]: row["id"] for row in await database.fetch("SELECT id, name FROM campaigns")
        }  # fmt: skip
        return Brokerage(
            url=url,
            owner_id=owner_id,
            key=key,
            form_key=form_key,
            campaign_id=campaigns[CAMPAIGN],
            second_campaign_id=campaigns[SECOND_CAMPAIGN],
            lead_source_id=await database.fetchval("SELECT min(lead_source_id) FROM intake_keys WHERE is_private"),
            users={name: await accounts.get_user_id(database, address_of(name)) for name in everyone},
            tokens={name: await accounts.issue_token(database, address_of(name), ["write"]) for name in everyone},
            hostile_key=hostile_key,
        )
    finally:
        await database.close()


def _file() -> dict[str, Any]:
    """As a brokerage file says it."""
    teams = {"By rank": AGENTS[:3], "In turn": AGENTS}
    return {
        "brokerage": {"owner": OWNER},
        "users": [
            {
                "username": name, "email": address_of(name), "first_name": name.title(), "timezone": "America/Denver",
                "phone": PHONES.get(name),
            }
            for name in (OWNER, *AGENTS)
        ],
        "teams": [
            {"name": "By rank", "order_method": "Rank", "mins_until_next_alert": 3},
            {"name": "In turn", "order_method": "Round Robin", "mins_until_next_alert": 3, "offer_mode": "Exclusive"},
        ],
        "team_members": [
            {"team": team, "user": name, "request_status": "Accepted"}
            for team, names in teams.items()
            for name in names
        ],
        "team_member_distribution_options": [
            {
                "team": team, "user": name, "rank": rank if team == "By rank" else 1, "assign_automatically": False,
                "has_email_alert": True, "has_text_alert": name == "carol", "has_call_alert": name == "frank",
            }
            for team, names in teams.items()
            for rank, name in enumerate(names, start=1)
        ],
        "lead_sources": [{"name": SOURCE}, {"name": FORM}],
        "contact_sources": [{"name": SOURCE, "user": OWNER}, {"name": FORM, "user": OWNER}],
        "template_folders": [{"name": "All"}],
        "templates": _templates(),
        "campaigns": [
            _campaign(CAMPAIGN, STEPS, TEXT_STEPS) | {"send_window": {"weekly_hours": dict.fromkeys(DAYS, _ranges())}},
            _campaign(SECOND_CAMPAIGN, SECOND_STEPS),
            _campaign(FORM_CAMPAIGN, FORM_STEPS),
        ],
        "lead_routes": [
            _route("Buyer", distribution_target="Team Rollout", team_selection_method="Specific Team", team="By rank"),
            _route("Seller", distribution_target="Team Rollout", team_selection_method="Specific Team", team="In turn"),
            _route("Renter", distribution_target="Myself"),
            {
                "lead_source": FORM, "contact_source": FORM, "campaign": FORM_CAMPAIGN, "campaign_start": "Arrival",
                "distribution_target": "Team Rollout", "team_selection_method": "Specific Team", "team": "By rank",
            },
        ],
    }  # fmt: skip


def _templates() -> list[dict[str, Any]]:
    mails = [
        {
            "description": name,
            "template_folder": "All",
            "template_type": "Email",
            "subject": f"{name}, {{{{contact.first_name}}}}",
            "body": "Hello {{contact.first_name}}",
        }
        for name in (*STEPS, *SECOND_STEPS, *FORM_STEPS)
    ]
    texts = [
        {
            "description": name,
            "template_folder": "All",
            "template_type": "Text",
            "body": f"{name}, {{{{contact.first_name}}}}",
        }
        for name in TEXT_STEPS
    ]
    return mails + texts


def _campaign(name: str, steps: dict[str, int], texts: Mapping[str, int] = MappingProxyType({})) -> dict[str, Any]:
    return {
        "name": name,
        "stops_on": ["reply", "conversation"],
        "actions": [
            {"type": kind, "timing_type": "Delay by Minutes", "template": step, "delay_by_seconds": seconds}
            for kind, found in (("Email Contact", steps), ("Text Contact", texts))
            for step, seconds in found.items()
        ],
    }


def _ranges() -> list[list[str]]:
    return [[f"{minute // 60:02}:{minute % 60:02}" for minute in each] for each in WINDOW]


def _route(filter_: str, **columns: str) -> dict[str, Any]:
    usual = {"lead_source": SOURCE, "contact_source": SOURCE, "campaign": CAMPAIGN}
    return usual | {"filter": filter_, "campaign_start": "Claim" if filter_ == "Seller" else "Arrival"} | columns


def address_of(name: str) -> str:
    return f"{name}@example.com"
