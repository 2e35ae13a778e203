"""What decides whether steps of campaigns may leave, loaded for many of them, and what is stored of the decisions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from leadroutes.domain.identity import normal_phone
from leadroutes.domain.lawful_hours import KnownPlaces
from leadroutes.domain.mail_pace import MailTally
from leadroutes.domain.windows import SendingRules, StepFacts, Wait
from leadroutes.store import statement
from leadroutes.store.leads import wake_worker
from leadroutes.store.postgres import Database, Transaction

Key = tuple[int, int]  # owner_id, id
NOWHERE: Final = KnownPlaces()


async def note_sending_rules(transaction: Transaction, rules: SendingRules) -> int:
    """Stores by which rules messages of campaigns leave from now on, and returns their version.

    It is another one where the rules are: then what waits in the queue is looked at again. Steps that wait by earlier
    rules are found by the version.
    """
    text = msgspec.json.encode(rules).decode()
    if await transaction.fetchval(*statement("note_sending_rules").bind(rules=text)) is not None:
        await transaction.execute(*statement("look_at_queued_messages_again").bind(campaign_id=None))
        await wake_worker(transaction)
    version: int = await transaction.fetchval("SELECT version FROM sending_rules")
    return version


async def lock_texted_contacts(transaction: Transaction, contacts: Sequence[Key]) -> set[Key]:
    """Returns those of these contacts that no one else counts the texts of; they are locked."""
    wanted = sorted(set(contacts))
    rows = await transaction.fetch(
        *statement("lock_texted_contacts").bind(
            owner_ids=[owner_id for owner_id, _ in wanted], contact_ids=[contact_id for _, contact_id in wanted]
        )
    )
    return {(row["owner_id"], row["id"]) for row in rows}


async def note_leaving_text(transaction: Transaction, step: Key) -> None:
    """Has the text of a step count as sent from now on, before it is; its contact is locked."""
    owner_id, communication_id = step
    await transaction.execute(
        *statement("note_leaving_text").bind(owner_id=owner_id, communication_id=communication_id, now=transaction.now)
    )


async def find_changing_steps(transaction: Transaction, steps: Sequence[asyncpg.Record]) -> set[int]:
    """Returns those of these steps whose action has changed, and is still to be carried over to them.

    In a statement after that of `lock_windows`: it sees what has changed before that.
    """
    rows = await transaction.fetch(*statement("find_changing_steps").bind(**_columns(steps)))
    return {row["id"] for row in rows}


async def lock_windows(transaction: Transaction, steps: Sequence[asyncpg.Record]) -> None:
    """Has whoever changes a window of these steps' campaigns wait for the end of the transaction."""
    await transaction.execute(*statement("lock_windows").bind(**_columns(steps)))


async def load_step_facts(
    source: Database | Transaction,
    steps: Sequence[Any],
    now: datetime,
    *,
    only_sent: bool = False,
    with_senders: bool = False,
) -> list[asyncpg.Record]:
    """Returns what decides about steps, given by owner_id and id, in the order of their moments: rows for `facts_of`.

    `only_sent`: texts that are queued do not count among those that the contact gets. `with_senders`: each row names
    the sender; else only those of contacts whose time zone is not known do, as it takes as long as all else.
    """
    flags = {"only_sent": only_sent, "with_senders": with_senders}
    return await source.fetch(*statement("load_step_facts").bind(**_columns(steps), now=now, **flags))


def facts_of(row: asyncpg.Record) -> StepFacts:
    """Returns a row of `load_step_facts` as the domain knows it."""
    return StepFacts(
        type=row["type"],
        send_at=row["send_at"],
        late_from=row["late_from"],
        campaign_window=row["campaign_window"],
        step_window=row["step_window"],
        contact_zone=row["contact_zone"],
        sender_zone=row["sender_zone"],
        places=places(row),
        first_answer_minutes=row["first_answer_minutes"],
        inquired_at=row["inquired_at"],
        texts=tuple(row["texts"] or ()),
    )


def places(row: asyncpg.Record) -> KnownPlaces:
    """Returns what tells where the contact of a row is."""
    if row["phone"] is None and not row["addresses"] and not row["inquiry_zipcodes"]:
        return NOWHERE
    addresses = [each.partition("|") for each in row["addresses"] or ()]
    return KnownPlaces(
        address_zipcodes=tuple(zipcode for zipcode, _, _ in addresses if zipcode),
        address_states=tuple(state for _, _, state in addresses if state),
        phone=normal_phone(row["phone"]),
        inquiry_zipcodes=tuple(row["inquiry_zipcodes"] or ()),
    )


async def hold_steps(transaction: Transaction, held: Sequence[tuple[asyncpg.Record, Wait]], version: int) -> None:
    """Stores until when steps wait, and why, by this version of the rules."""
    await transaction.execute(
        *statement("hold_communications").bind(
            **_columns([row for row, _ in held]),
            moments=[wait.until for _, wait in held],
            rules=[wait.rule for _, wait in held],
            texts=[wait.text for _, wait in held],
            version=version,
        )
    )


async def skip_steps(transaction: Transaction, skipped: Sequence[asyncpg.Record], reason: str) -> None:
    """Ends steps without sending them."""
    await transaction.execute(
        *statement("skip_communications").bind(
            communication_ids=[row["id"] for row in skipped], now=transaction.now, reason=reason
        )
    )


async def lock_mail_paces(
    transaction: Transaction, user_ids: Sequence[int], version: int
) -> dict[int, tuple[MailTally, datetime]]:
    """Returns by sender what it has sent, and the real time. The senders are locked.

    Turns count that were given by this version of the rules.
    """
    bound = statement("lock_mail_paces").bind(user_ids=sorted(set(user_ids)), version=version)
    return _tallies(await transaction.fetch(*bound))


async def lock_leaving_mails(
    transaction: Transaction, user_ids: Iterable[int]
) -> dict[int, tuple[MailTally, datetime]]:
    """Returns the same of the mails that have left, whenever they were queued; turns count by the present rules."""
    return _tallies(await transaction.fetch(*statement("lock_leaving_mails").bind(user_ids=sorted(set(user_ids)))))


def _tallies(rows: Iterable[asyncpg.Record]) -> dict[int, tuple[MailTally, datetime]]:
    return {
        row["user_id"]: (
            MailTally(
                first_at=row["first_at"],
                sent=msgspec.json.decode(row["sent"], type=tuple[tuple[int, int], ...]),
                last_turn=row["last_turn"],
            ),
            row["real_now"],
        )
        for row in rows
    }


async def note_mail_paces(transaction: Transaction, paces: Mapping[int, MailTally], version: int) -> None:
    """Stores what senders have sent, and the turns that were given by this version of the rules."""
    await transaction.execute(*statement("note_mail_paces").bind(**_columns_of(paces), version=version))


async def note_leaving_mails(transaction: Transaction, paces: Mapping[int, MailTally]) -> None:
    """Stores the same of the mails that have left; the senders are locked."""
    await transaction.execute(*statement("note_leaving_mails").bind(**_columns_of(paces)))


def _columns_of(paces: Mapping[int, MailTally]) -> dict[str, list[Any]]:
    return {
        "user_ids": list(paces),
        "sent": [msgspec.json.encode(pace.sent).decode() for pace in paces.values()],
        "last_turns": [pace.last_turn for pace in paces.values()],
    }


def _columns(rows: Sequence[Any]) -> dict[str, list[int]]:
    return {"owner_ids": [row["owner_id"] for row in rows], "communication_ids": [row["id"] for row in rows]}
