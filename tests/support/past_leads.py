"""Leads of a quarter as values: when they came, from where, of which type and place; lots say who claims them."""

import csv
import json
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from leadroutes.domain.availability import Presence
from leadroutes.domain.model import Facts, Member, RuleSet
from leadroutes.domain.rule_findings import (
    CheckedAccount,
)
from leadroutes.domain.trial import PastClaim, PastLead
from tests.support.faultless import faultless, with_rules

SAMPLE = Path(__file__).parent.parent / "domain" / "samples" / "past-leads.csv"
SOURCES = {"Zillow": 1, "Realtor.com": 2, "Website": 3, "Facebook": 4, "Google": 5}
OTHER = 6


def rows() -> list[dict[str, str]]:
    with SAMPLE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def past_leads(seed: int, users: int = 12) -> list[PastLead]:
    """Returns the leads in order of arrival, two of three with a claim by one of so many users."""
    chance = random.Random(seed)
    return [_past_lead(number, row, chance, users) for number, row in enumerate(rows(), start=1)]


def _past_lead(number: int, row: dict[str, str], chance: random.Random, users: int) -> PastLead:
    arrived_at = datetime.fromisoformat(row["received_at"])
    known = {"state": row["state"] or None, "price": int(row["price"]) if row["price"].isdigit() else None}
    facts = Facts(
        lead_source_id=SOURCES.get(row["lead_source"], OTHER),
        contact_source_id=chance.choice([None, SOURCES.get(row["contact_source"], OTHER)]),
        type=row["type"] or None,
        zipcode=row["zipcode"] or None,
        named={name: value for name, value in known.items() if value is not None},
    )
    claim = None
    if chance.random() < 0.67:
        after = timedelta(seconds=chance.choice([0, 20, 120, 300, 301, 900, 4000, 90_000]))
        claim = PastClaim(chance.randint(1, users), arrived_at + after)
    return PastLead(number, arrived_at, facts, claim)


def random_rules(seed: int) -> RuleSet:
    """Returns rules in which some members have closed accounts, and whose zipcodes are those of the leads."""
    account: CheckedAccount = faultless(seed)
    chance, rules = random.Random(seed), account.rule_set.rules
    zipcodes = sorted({row["zipcode"] for row in rows() if row["zipcode"]})
    changed: dict[str, Any] = {
        "teams": {
            team.id: replace(
                team,
                distribution_zipcodes=tuple(chance.sample(zipcodes, len(zipcodes) // 4)),
                order_method=chance.choice([team.order_method, "Simultaneous", "Least Loaded", "Longest Idle"]),
                when_nobody_is_available=chance.choice(["Owner", "Hold", "Offer Anyway"]),
                members=tuple(_limited(each, chance) for each in team.members),
            )
            for team in rules.teams.values()
        },
        "people": {
            user_id: replace(
                person, is_active=user_id == rules.owner_id or chance.random() < 0.8, may_be_away=user_id % 2 == 0
            )
            for user_id, person in rules.people.items()
        },
    }
    return with_rules(account, **changed)


def _limited(member: Member, chance: random.Random) -> Member:
    """Some members have a cap, or are paused in their team."""
    if member.option is None or chance.random() < 0.8:
        return member
    caps = {"max_open_leads": chance.choice([None, 3]), "max_leads_per_day": chance.choice([None, 1])}
    return replace(member, option=replace(member.option, is_paused=chance.random() < 0.2, **caps))


def random_presences(seed: int) -> dict[int, Presence]:
    """Returns hours, pauses and time off of every second user."""
    chance = random.Random(seed)
    moments = [datetime.fromisoformat(row["received_at"]) for row in rows()]
    return {user_id: _presence(chance, moments) for user_id in range(2, 13, 2)}


def _presence(chance: random.Random, moments: list[datetime]) -> Presence:
    day = [["09:00", "17:30"]] if chance.random() < 0.7 else [["00:00", "05:00"], ["22:00", "24:00"]]
    hours = dict.fromkeys(("monday", "tuesday", "thursday", "friday", "saturday"), day)
    starts_at = chance.choice(moments)
    return Presence(
        timezone=chance.choice(["America/Denver", "America/New_York"]),
        weekly_hours=json.dumps(hours) if chance.random() < 0.8 else None,
        is_paused=chance.random() < 0.1,
        off=((starts_at, starts_at + timedelta(days=chance.randint(1, 9))),),
    )
