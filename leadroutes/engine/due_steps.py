"""Sends the steps of campaigns that are due and may leave; the others wait until they may, or are skipped.

The domain decides about each; what follows is written for all of them at once.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

import asyncpg
from msgspec.structs import replace

from leadroutes.domain.mail_pace import mail_rule, turns, waiting_turn
from leadroutes.domain.windows import TEXT, Leave, SendingRules, Skip, Wait, decide
from leadroutes.store import statement
from leadroutes.store.campaigns import queue_communications, repeat_birthdays
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.windows import (
    Key,
    facts_of,
    find_changing_steps,
    hold_steps,
    load_step_facts,
    lock_mail_paces,
    lock_texted_contacts,
    lock_windows,
    note_mail_paces,
    note_sending_rules,
    skip_steps,
)

MAIL: Final = "Email Contact"
STEPS_PER_SLICE: Final = 200  # steps that are decided before other work goes on
LOOKED_AT_AGAIN: Final = 5_000  # waiting steps of a campaign whose window has changed, in one transaction


class DueSteps:
    """One per process."""

    def __init__(self, database: Database, rules: SendingRules) -> None:
        self._database = database
        self._rules = rules
        self.version = 0  # of the rules, once they are stored

    async def note_rules(self) -> None:
        """Stores the rules, the first time: those of the process that begins last count for what waits already."""
        if not self.version:
            self.version = await self._database.run(partial(note_sending_rules, rules=self._rules))

    async def send(self, transaction: Transaction, taken: Sequence[asyncpg.Record]) -> None:
        """Decides about steps that the caller has taken, and so locked, and writes what follows."""
        steps = await self._countable(transaction, taken)
        await lock_windows(transaction, steps)
        if changing := await find_changing_steps(transaction, steps):
            steps = [row for row in steps if row["id"] not in changing]
        with_senders = self._rules.mails_per_hour is not None
        rows = await load_step_facts(transaction, steps, transaction.now, with_senders=with_senders)
        leaving: list[asyncpg.Record] = []
        held: list[tuple[asyncpg.Record, Wait]] = []
        skipped: defaultdict[str, list[asyncpg.Record]] = defaultdict(list)
        contacts = {row["id"]: (row["owner_id"], row["contact_id"]) for row in steps}
        texts: defaultdict[Key, list[datetime]] = defaultdict(list)  # that leave now, by contact
        for number, row in enumerate(rows, 1):
            facts = facts_of(row)
            if also := texts.get(contacts[row["id"]]):
                facts = replace(facts, texts=tuple(sorted([*facts.texts, *also])))
            match decide(facts, transaction.now, self._rules):
                case Leave():
                    leaving.append(row)
                    if row["type"] == TEXT:
                        texts[contacts[row["id"]]].append(transaction.now)
                case Wait() as wait:
                    held.append((row, wait))
                case Skip(reason):
                    skipped[reason].append(row)
            if number % STEPS_PER_SLICE == 0:
                await asyncio.sleep(0)
        if self._rules.mails_per_hour is not None:
            leaving = await self._in_turn(transaction, leaving, held, self._rules.mails_per_hour)
        await queue_communications(transaction, leaving)
        if held:
            await hold_steps(transaction, held, self.version)
        for reason, their in skipped.items():
            await _skip(transaction, their, reason)

    async def _countable(self, transaction: Transaction, taken: Sequence[asyncpg.Record]) -> list[asyncpg.Record]:
        """Returns the steps without those texts whose contact another worker counts just now: they stay due."""
        contacts = [(row["owner_id"], row["contact_id"]) for row in taken if row["type"] == TEXT]
        if not contacts:
            return list(taken)
        free = await lock_texted_contacts(transaction, contacts)
        return [row for row in taken if row["type"] != TEXT or (row["owner_id"], row["contact_id"]) in free]

    async def _in_turn(
        self,
        transaction: Transaction,
        leaving: Sequence[asyncpg.Record],
        held: list[tuple[asyncpg.Record, Wait]],
        per_hour: int,
    ) -> list[asyncpg.Record]:
        """Returns what leaves without the mails that would be too many in an hour; these are added to `held`."""
        mails: defaultdict[int, list[asyncpg.Record]] = defaultdict(list)
        for row in leaving:
            if row["type"] == MAIL and row["sender_id"] is not None:
                mails[row["sender_id"]].append(row)
        if not mails:
            return list(leaving)
        clock, waiting = self._database.clock, set()
        paces = await lock_mail_paces(transaction, list(mails), self.version)
        after = {}
        for sender_id, rows in mails.items():
            pace, real_now = paces[sender_id]
            rule = mail_rule(per_hour)
            waited = [row["waits_rule"] == rule and row["held_by"] == self.version for row in rows]
            found = turns(pace, real_now, waited, per_hour, self._rules.warm_up_days)
            after[sender_id] = found.pace
            for row, at in zip(rows[found.granted :], found.later, strict=True):
                until = transaction.now + (at - real_now) * clock.anchor.scale
                held.append((row, waiting_turn(until, per_hour)))
                waiting.add(row["id"])
        await note_mail_paces(transaction, after, self.version)
        return [row for row in leaving if row["id"] not in waiting]


async def _skip(transaction: Transaction, rows: Sequence[asyncpg.Record], reason: str) -> None:
    """A birthday that was missed comes again."""
    await skip_steps(transaction, rows, reason)
    if of_birthdays := [row for row in rows if row["is_of_birthdays"]]:
        await repeat_birthdays(transaction, of_birthdays)


async def look_again(transaction: Transaction, taken: Sequence[asyncpg.Record]) -> None:
    """Looks again at waiting steps of campaigns whose windows have changed, so many at once, and at what is queued."""
    for row in taken:
        campaign = {"owner_id": row["owner_id"], "campaign_id": row["id"]}
        if not row["after_id"]:
            await transaction.execute(*statement("look_at_queued_messages_again").bind(campaign_id=row["id"]))
        last = await transaction.fetchval(
            *statement("look_at_campaign_again").bind(
                campaign_id=row["id"], after_id=row["after_id"], most=LOOKED_AT_AGAIN
            )
        )
        if last is None:
            await transaction.execute(*statement("forget_changed_window").bind(**campaign))
        else:
            await transaction.execute(*statement("note_looked_again").bind(**campaign, after_id=last))


async def look_at_owners_again(transaction: Transaction, taken: Sequence[asyncpg.Record]) -> None:
    """Looks again at steps of owners that wait by the clock of a sender who has moved to another time zone."""
    for row in taken:
        owner = {"owner_id": row["owner_id"]}
        last = await transaction.fetchval(
            *statement("look_at_owner_again").bind(**owner, after_id=row["after_id"], most=LOOKED_AT_AGAIN)
        )
        await transaction.execute(*statement("note_owner_looked_at").bind(**owner, after_id=last))
