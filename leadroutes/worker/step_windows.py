"""Looks once more at the windows of a campaign's message before it leaves, which may have waited in the queue.

What its contact, or its sender, has been sent is counted once more as well.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final

from msgspec.structs import replace

from leadroutes.channels.envelope import NoLongerWanted
from leadroutes.domain.mail_pace import given_back, turns, waiting_turn
from leadroutes.domain.message import OutgoingMessage
from leadroutes.domain.windows import Decision, Leave, SendingRules, Wait, decide
from leadroutes.errors import Unavailable
from leadroutes.store.batching import GroupCommit
from leadroutes.store.contacts import lock_contacts
from leadroutes.store.messages import DeliveryOutcome
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.windows import (
    Key,
    facts_of,
    load_step_facts,
    lock_leaving_mails,
    note_leaving_mails,
    note_leaving_text,
)

MOST_TURNS: Final = 100  # that are taken in one commit
_MAY_HAVE_LEFT: Final = ("sent", "unknown")


class StepWindows:
    """One per process."""

    def __init__(self, database: Database, rules: SendingRules) -> None:
        self._database = database
        self._rules = rules
        self._mails: GroupCommit[OutgoingMessage, Wait | datetime] = GroupCommit(
            self._take_mail_turns, max_batch=MOST_TURNS
        )

    async def find_wait(self, message: OutgoingMessage) -> Wait | None:
        """Returns until when a message of a campaign waits, and why; None: it leaves now. Raises Unavailable.

        A step that fell due in time is not too late any more, however long its channel did not work. Of texts to one
        contact that have waited for that, one leaves at a time: a text that leaves counts for the others at once.
        """
        if message.communication_id is None or not (message.channel != "email" or message.has_window):
            return None
        step = (message.owner_id, message.communication_id)
        if message.channel == "text" and message.contact is not None:
            contact = (message.owner_id, message.contact.id)
            return await self._database.run_prepared(partial(self._take_turn, step=step, contact=contact))
        return _wait_in(await self._decide(self._database, step))

    async def _take_turn(self, transaction: Transaction, step: Key, contact: Key) -> Wait | None:
        await lock_contacts(transaction, [contact])
        decision = await self._decide(transaction, step)
        if isinstance(decision, Leave):
            await note_leaving_text(transaction, step)
        return _wait_in(decision)

    async def in_turn(
        self, message: OutgoingMessage, send: Callable[[], Awaitable[DeliveryOutcome]]
    ) -> DeliveryOutcome:
        """Sends a message, a mail of a campaign only once it is its sender's turn; returns the outcome.

        Mails that have waited for their channel were counted in the hours in which they were queued. A mail counts
        from before it is sent, and does not count any more where it was not.
        """
        if message.kind != "campaign" or message.channel != "email" or message.sender_id is None:
            return await send()
        if self._rules.mails_per_hour is None:
            return await send()
        try:
            turn = await self._mails.add(message)
        except Unavailable as error:
            return DeliveryOutcome(state="queued", reason=error.message, is_counted=False)
        if isinstance(turn, Wait):
            return waiting_for(turn)
        outcome = await send()
        if outcome.state not in _MAY_HAVE_LEFT:
            with suppress(Unavailable):  # then one mail less leaves in this hour
                await self._database.run_prepared(partial(_give_back, user_id=message.sender_id, at=turn))
        return outcome

    async def _take_mail_turns(self, messages: list[OutgoingMessage]) -> list[Wait | datetime]:
        """Returns for each of these mails the real time at which it leaves, or until when it waits."""
        return await self._database.run_prepared(partial(self._count_mails, messages=messages))

    async def _count_mails(
        self, transaction: Transaction, messages: Sequence[OutgoingMessage]
    ) -> list[Wait | datetime]:
        per_hour, scale = self._rules.mails_per_hour or 1, self._database.clock.anchor.scale
        places: defaultdict[int, list[int]] = defaultdict(list)
        for place, message in enumerate(messages):
            places[message.sender_id or 0].append(place)
        paces = await lock_leaving_mails(transaction, places)
        found: dict[int, Wait | datetime] = {}
        after = {}
        has_waited = waiting_for(waiting_turn(transaction.now, per_hour)).reason
        for sender_id, (pace, real_now) in paces.items():
            waited = {place: messages[place].reason == has_waited for place in places[sender_id]}
            in_order = sorted(waited, key=lambda place: not waited[place])
            taken = turns(pace, real_now, [waited[place] for place in in_order], per_hour, self._rules.warm_up_days)
            after[sender_id] = taken.pace
            found |= dict.fromkeys(in_order[: taken.granted], real_now)
            for place, at in zip(in_order[taken.granted :], taken.later, strict=True):
                found[place] = waiting_turn(transaction.now + (at - real_now) * scale, per_hour)
        await note_leaving_mails(transaction, after)
        return [found[place] for place in range(len(messages))]

    async def _decide(self, source: Database | Transaction, step: Key) -> Decision | None:
        owner_id, communication_id = step
        now = self._database.clock.now()
        rows = await load_step_facts(source, [{"owner_id": owner_id, "id": communication_id}], now, only_sent=True)
        return decide(replace(facts_of(rows[0]), late_from=now), now, self._rules) if rows else None


async def _give_back(transaction: Transaction, user_id: int, at: datetime) -> None:
    [(pace, _)] = (await lock_leaving_mails(transaction, [user_id])).values()
    await note_leaving_mails(transaction, {user_id: given_back(pace, at)})


def _wait_in(decision: Decision | None) -> Wait | None:
    return decision if isinstance(decision, Wait) else None


class WindowClosed(NoLongerWanted):
    """The windows of a message have closed while it waited for its channel: it leaves when they open."""

    def __init__(self, wait: Wait) -> None:
        super().__init__(wait.text)
        self.wait = wait


def waiting_for(wait: Wait) -> DeliveryOutcome:
    """Returns the outcome of a message that waits in the queue until its windows open."""
    return DeliveryOutcome(state="queued", reason=f"waits: {wait.text}", is_counted=False, leaves_at=wait.until)
