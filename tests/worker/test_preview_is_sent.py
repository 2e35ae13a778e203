"""What the preview says is what mail server and provider are given, to the minute and the letter, for random contacts.

Only the test moves the domain's clock, so that a preview and the start of a campaign are of the same moment, however
long they take.
"""

import asyncio
import contextlib
import json
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadroutes.channels import open_channels
from leadroutes.domain.weekly_hours import DAYS
from leadroutes.engine.campaign_preview import preview_campaign
from leadroutes.engine.engine import Engine
from leadroutes.retry import RetryLater
from leadroutes.settings import Settings
from leadroutes.settings.sending import sending_rules
from leadroutes.store.messages import MessageKey
from leadroutes.store.postgres import Database
from leadroutes.worker.delivery import MessageDelivery
from tests.support.mailbox import Mailbox, text_of
from tests.support.provider import Provider
from tests.support.town import Town

CONTACTS = 100  # of each set
CAMPAIGNS = 14
SETS = ((1, "strict"), (2, "law"))
START = datetime.fromisoformat("2027-03-11T15:07:00+00:00")  # a Thursday; the clocks go forward on Sunday
NEARLY_STILL = 1e-9  # of a second, in each real one
LINK = re.compile(r"https?://\S+/unsubscribe/[\w.~-]+")
PLACES = (
    ("America/Denver", "80205", "CO", "303"), ("America/New_York", "10001", "NY", "212"),
    ("America/Los_Angeles", "90012", "CA", "213"), ("America/Chicago", "78701", "TX", "512"),
    ("America/New_York", "33130", "FL", "305"), ("Pacific/Honolulu", "96813", "HI", "808"),
    ("America/Anchorage", "99501", "AK", "907"), ("America/New_York", "02903", "RI", "401"),
    ("America/Phoenix", "85004", "AZ", "602"), ("America/New_York", "15222", "PA", "412"),
)  # fmt: skip
CONDITIONS = (
    {"field": "has_mobile", "is": "equal", "value": True}, {"field": "has_mobile", "is": "equal", "value": False},
    {"field": "replied", "is": "equal", "value": False}, {"field": "claimed", "is": "equal", "value": True},
)  # fmt: skip
NOT_SENT = (
    "As things are", "Nothing is sent", "The contact has no", "The step has no", "The template", "No window",
    "Its moment",
)  # fmt: skip

Message = tuple[datetime, str, str, str, str, str, str]  # when, channel, to, subject, text, HTML, from whom


@dataclass
class Office:
    """Alice's campaigns and contacts, random ones, and what was really given to mail server and provider."""

    town: Town
    mailbox: Mailbox
    provider: Provider
    dice: random.Random
    engine: Engine
    delivery: MessageDelivery
    settings: Settings
    prefix: str  # of names and addresses, so that each set has its own
    mails: int  # those that have been noted, as are the texts
    texts: int
    sent: list[Message] = field(default_factory=list)
    _numbers: "Counter[str]" = field(default_factory=Counter)

    @property
    def database(self) -> Database:
        return self.town.database

    @property
    def owner_id(self) -> int:
        return self.town.users["alice"]

    def chance(self, part: float) -> bool:
        return self.dice.random() < part

    def number(self, kind: str) -> str:
        self._numbers[kind] += 1
        return f"{self.prefix}{self._numbers[kind]:03}"

    # -- who and what

    def window(self, part: float) -> str | None:
        """Hours of a week, in quarters of an hour, at times over midnight and on few days."""
        if not self.chance(part):
            return None
        begin = self.dice.randrange(96)
        times = [f"{each % 96 // 4:02}:{each % 4 * 15:02}" for each in (begin, begin + self.dice.randrange(4, 60))]
        hours = {day: [times] for day in self.dice.sample(DAYS, self.dice.choice((1, 3, 5, 7)))}
        return json.dumps({"weekly_hours": hours})

    async def template(self, kind: str) -> int:
        number = self.number("template")
        words = f"{kind} {number} to {{{{ contact.first_name }}}}"
        body = f"{words}, {{{{ agent.first_name }}}} of {{{{ owner.name }}}} ({{{{ campaign.name }}}})"
        if self.chance(0.2):
            body += " and so on" * 30
        if self.chance(0.3):
            body = f"<p>{body} {{% if property.city %}}in {{{{ property.city }}}}{{% endif %}}</p>"
        if self.chance(0.06):
            body = "{{ 1 | divided_by: 0 }}"
        return await self.town.template("alice", subject=words, body=body, template_type=kind)

    async def campaign(self) -> int:
        dice = self.dice
        campaign_id = await self.town.campaign(
            "alice", f"Drip {self.number('campaign')}", send_window=self.window(0.5), stops_on=[],
            first_answer_minutes=dice.choice((0, 0, 15, 1440)),
        )  # fmt: skip
        for _ in range(dice.randint(2, 6)):
            kind = dice.choice(("Email", "Text", "Text"))
            columns = self.timing() | {"type": f"{kind} Contact", "send_window": self.window(0.2)}
            columns["assigned_user_id"] = dice.choice((None, None, self.town.users["carol"]))
            if self.chance(0.25):
                columns["conditions"] = json.dumps(dice.choice(CONDITIONS))
            if self.chance(0.25):
                parts = [{"template_id": await self.template(kind), "share": share} for share in (1, 2)]
                columns["variants"] = json.dumps(parts)
            elif not self.chance(0.04):
                columns["template_id"] = await self.template(kind)
            await self.town.action("alice", campaign_id, **columns)
        return campaign_id

    def timing(self) -> dict[str, Any]:
        dice = self.dice
        match dice.randrange(6):
            case 0:
                time = dice.choice(("02:30", "09:00", "18:45"))
                day = {"delay_by_days": dice.randrange(4), "dispatch_time": time, "delay_by_seconds": None}
                return {"timing_type": "Delay by Day and Time"} | day
            case 1:
                moment = self.database.clock.now() + timedelta(hours=dice.choice((-3, 5, 30, 66)))
                return {"timing_type": "Exact Date and Time", "delay_by_seconds": None, "dispatch_datetime": moment}
            case _:
                return {"delay_by_seconds": dice.choice((0, 60, 240, 600, 7200, 43_200, 90_000))}

    async def contact(self) -> tuple[int, str | None, str | None]:
        """Returns id, e-mail and phone of someone of whom more or less is known."""
        dice, number = self.dice, self.number("contact")
        zone, zipcode, state, area = dice.choice(PLACES)
        if self.chance(0.15):
            area = dice.choice(PLACES)[3]
        email = f"mia{number}@mailhost.example" if not self.chance(0.04) else None
        phone = f"+1{area}555{number}" if not self.chance(0.06) else None
        contact_id = await self.town.contact(
            "alice", first_name=f"Mia{number}", email=email, mobile_phone=phone,
            time_zone=zone if self.chance(0.8) else None,
            assigned_user_id=dice.choice((None, self.town.users["bob"], self.town.users["carol"])),
        )  # fmt: skip
        if self.chance(0.5):
            moments = {"created_at": self.town.now, "modified_at": self.town.now}
            address = {"owner_id": self.owner_id, "contact_id": contact_id, "type": "Home"} | moments
            await self.town.insert("contact_addresses", **address, zip=zipcode, state=state)
        if self.chance(0.5):
            at = self.database.clock.now() - timedelta(minutes=dice.choice((0, 5, 600)))
            await self.town.lead("alice", contact_id, zipcode=zipcode, city="Denver", created_at=at, touched_at=at)
        if phone is not None and self.chance(0.08):
            await self.database.execute(
                "INSERT INTO suppressions (owner_id, channel, value, reason, at, digest)"
                " SELECT $1, 'text', $2, 'manual', $3, address_digest($2, salt) FROM suppression_salt",
                self.owner_id, phone, self.town.now,
            )  # fmt: skip
        return contact_id, email, phone

    # -- what is said, and what is sent

    async def preview(self, campaign_id: int, contact_id: int) -> list[dict[str, Any]]:
        address = self.settings.public_url
        return await preview_campaign(
            self.database, self.engine.sending_rules, address, self.owner_id, campaign_id, contact_id
        )

    async def start(self, campaign_id: int, contact_id: int) -> None:
        await self.engine.start_campaign(self.owner_id, campaign_id, contact_id, self.owner_id)

    async def run_until(self, end: datetime) -> None:
        """Does what is due, moment after moment."""
        while True:
            following = await self.engine.run_due()
            if await self.deliver():
                continue
            if following is None or following > end:
                return
            assert following > self.database.clock.now(), "nothing is left that is due now"
            await self.database.move_clock(following - self.database.clock.now())

    async def deliver(self) -> int:
        """Sends what is in the queue, and notes what has come of it at this moment. Returns how many there were."""
        rows = await self.database.fetch(
            "SELECT owner_id, id FROM messages WHERE state = 'queued' AND leaves_at IS NULL ORDER BY id LIMIT 20"
        )

        async def deliver_one(key: MessageKey) -> None:
            with contextlib.suppress(RetryLater):
                await self.delivery.deliver(key)

        await asyncio.gather(*(deliver_one(MessageKey(row["owner_id"], row["id"])) for row in rows))
        now = self.database.clock.now()
        for mail in self.mailbox.mails[self.mails :]:
            html = mail.get_body(("html",))
            words = html.get_content() if html is not None else ""
            name = str(mail["From"]).partition(" <")[0]
            self.sent.append((now, "email", mail["To"], mail["Subject"], plain(text_of(mail)), plain(words), name))
        for text in list(self.provider.texts.values())[self.texts :]:
            self.sent.append((now, "text", text["to"], "", text["body"], "", ""))
        self.mails, self.texts = len(self.mailbox.mails), len(self.provider.texts)
        return len(rows)

    def as_sent(self, row: dict[str, Any], email: str | None, phone: str | None) -> Message | None:
        """Returns what a row of a preview says will be sent; None: nothing will."""
        if row["leaves_at"] is None or any(each.startswith(NOT_SENT) for each in row["warnings"]):
            return None
        if row["type"] == "Text Contact":
            return (row["leaves_at"], "text", phone or "", "", row["text_body"], "", "")
        name = next(name for name, user_id in self.town.users.items() if user_id == row["sender_user_id"])
        return (row["leaves_at"], "email", email or "", row["subject"], plain(row["text_body"]),
                plain(row["html_body"] or ""), f"{name.title()} Town")  # fmt: skip


def plain(words: str) -> str:
    """The link to unsubscribe is another one in each mail, and lines end otherwise."""
    return LINK.sub("LINK", words.replace("\r\n", "\n")).strip()


@pytest.fixture
async def town(database: Database) -> Town:
    """The clock hardly moves; Alice lives in New York, and Bob signs."""
    town = await Town.create(database)
    await database.set_time_scale(NEARLY_STILL)
    await database.begin_clock(START)
    await database.execute(
        "UPDATE users SET postal_address = '1 Elm Street', timezone = 'America/New_York' WHERE id = $1",
        town.users["alice"],
    )
    moments = {"created_at": town.now, "modified_at": town.now}
    signature = {"name": "s", "is_default": True, "text_body": "Bob\n+1 303", "html_body": "<b>Bob</b>"}
    await town.insert("signatures", owner_id=town.users["bob"], **signature, **moments)
    return town


@contextlib.asynccontextmanager
async def office_of(
    town: Town, mailbox: Mailbox, provider: Provider, directory: Path, seed: int, quiet_hours: str
) -> AsyncIterator[Office]:
    settings = Settings(
        smtp_url=mailbox.url, data=directory, public_url="https://leads.example", quiet_hours=quiet_hours,
        **provider.settings,
    )  # fmt: skip
    channels = open_channels(settings)
    engine = Engine(town.database, [name for name, each in channels.items() if each], rules=sending_rules(settings))
    yield Office(
        town=town, mailbox=mailbox, provider=provider, dice=random.Random(seed), engine=engine, settings=settings,
        delivery=MessageDelivery(town.database, channels, settings), prefix=str(seed),
        mails=len(mailbox.mails), texts=len(provider.texts),
    )  # fmt: skip
    for channel in channels.values():
        if channel is not None:
            await channel.close()


@pytest.mark.parametrize(
    ("body", "waits"),
    [
        ("{{ 1 | divided_by: 0 }}", None),
        ("{% if contact.company %}Hello{% else %}{{ 1 | divided_by: 0 }}{% endif %}", None),
        ("{{ contact.company }}", None),
        ("Hello{{ contact.company }}", "10 minutes between two texts"),
    ],
)
async def test_a_text_of_another_campaign_counts_where_it_can_be_filled_in(
    town: Town, provider: Provider, tmp_path: Path, body: str, waits: str | None
) -> None:
    async with Mailbox() as mailbox, office_of(town, mailbox, provider, tmp_path, 1, "law") as office:
        contact_id = await town.contact(
            "alice", first_name="Mia", mobile_phone="+12125550101", time_zone="America/New_York", company=None
        )
        campaigns = []
        for name, words, delay in (("Other", body, 60), ("This", "Good day", 300)):
            campaign_id = await town.campaign("alice", name, stops_on=[])
            template_id = await town.template("alice", subject=name, body=words, template_type="Text")
            columns = {"type": "Text Contact", "template_id": template_id, "delay_by_seconds": delay}
            await town.action("alice", campaign_id, **columns)
            campaigns.append(campaign_id)
        await office.start(campaigns[0], contact_id)
        [said] = await office.preview(campaigns[1], contact_id)
        assert said["rule"] == waits
        await office.start(campaigns[1], contact_id)
        assert [(each["leaves_at"], each["rule"]) for each in await office.preview(campaigns[1], contact_id)] == [
            (said["leaves_at"], waits)
        ]
        await office.run_until(START + timedelta(hours=1))
        assert [each[0] for each in office.sent if each[4] == "Good day"] == [said["leaves_at"]]


@pytest.mark.timeout(600)  # two hundred contacts, which a busy machine takes two minutes for
async def test_the_preview_says_what_is_sent_to_the_minute_and_the_letter(
    town: Town, provider: Provider, tmp_path: Path
) -> None:
    rules: Counter[str | None] = Counter()
    async with Mailbox() as mailbox:
        for seed, quiet_hours in SETS:
            async with office_of(town, mailbox, provider, tmp_path, seed, quiet_hours) as office:
                rules += await compare(office)
            await town.database.move_clock(timedelta(days=14) + START - town.database.clock.now())
    assert rules.total() > 400
    expected = ("campaign's window", "step's window", "quiet hours", "10 minutes between two texts", None)
    assert all(rules[rule] > 5 for rule in expected), rules
    assert any(str(rule).endswith("texts in 24 hours") for rule in rules), rules


async def compare(office: Office) -> "Counter[str | None]":
    """Returns by which rules messages waited that were sent as it was said."""
    campaigns = [await office.campaign() for _ in range(CAMPAIGNS)]
    expected: list[Message] = []
    rules: Counter[str | None] = Counter()
    for _ in range(CONTACTS):
        contact_id, email, phone = await office.contact()
        chosen = office.dice.sample(campaigns, 2 if office.chance(0.2) else 1)
        for campaign_id in chosen:
            said = await office.preview(campaign_id, contact_id)
            await office.start(campaign_id, contact_id)
            if campaign_id == chosen[-1]:
                assert [each for each in await office.preview(campaign_id, contact_id) if is_to_come(each)] == [
                    each for each in said if is_to_come(each)
                ], "a preview before the start says the same"
        for campaign_id in chosen:
            for row in await office.preview(campaign_id, contact_id):
                if (message := office.as_sent(row, email, phone)) is not None:
                    expected.append(message)
                    rules[row["rule"]] += 1
    await office.run_until(office.database.clock.now() + timedelta(days=12))
    said, sent = Counter(expected), Counter(office.sent)
    assert (sorted(said - sent), sorted(sent - said)) == ([], []), "said and not sent, sent and not said"
    return rules


def is_to_come(row: dict[str, Any]) -> bool:
    """Whether the preview says that a step is still to leave, so that a run that goes on says the same of it."""
    return row["leaves_at"] is not None
