"""Takes in mails that come back: to the return path of a message, or to the address for answers to it.

A mail is read in the sandbox; then it is stored, with all that follows from it, in one transaction, and only once.
"""

import hashlib
import re
from typing import Final

import structlog

from leadroutes.domain.arrival import StoredArrival
from leadroutes.errors import NotFound, TooManyRequests, Unavailable
from leadroutes.ingest.key_budgets import IntakeBudget
from leadroutes.intake.mime import BLANK_LINE
from leadroutes.intake.returned_mail import ReturnedMail
from leadroutes.sandbox.processes import run_sandboxed
from leadroutes.sandbox.returned_mails import READ_RETURNED_MAIL, IncomingMail
from leadroutes.sandbox.work import ComputationFailed
from leadroutes.security.return_token import ReturnAddress, read_return_address
from leadroutes.security.secret_key import load_secret_key
from leadroutes.settings import Settings
from leadroutes.store import returned_mails as store
from leadroutes.store.campaigns import stop_campaigns
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.returned_mails import ReturnedTo
from leadroutes.store.step_results import note_replied
from leadroutes.store.suppressions import note_unsubscribed
from leadroutes.store.webhook_events import note_event

log = structlog.get_logger()

CAME_BACK: Final = "the mail came back"
_MESSAGE_ID: Final = re.compile(rb"(?:^|\n)message-id:\s{0,100}(<[^\r\n<>]{1,500}>)", re.IGNORECASE)
_REPORT: Final = re.compile(rb"(?:^|\n)content-type:\s{0,100}multipart/report", re.IGNORECASE)
_HEAD: Final = 262_144  # bytes


class ReturnedMails:
    """One per process that takes mail in."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._secret = load_secret_key(settings)
        self._domain = settings.mail_domain
        self._budget = IntakeBudget(settings)

    async def open(self, local_part: str) -> ReturnAddress | None:
        """Returns what an address names. Raises NotFound where its message is gone; None: it is not such an address."""
        address = read_return_address(self._secret, local_part)
        if address is not None and not await store.exists(self._database, _key(address)):
            raise NotFound("Page not found")
        return address

    async def take_in(self, address: ReturnAddress, raw: bytes, *, has_sender: bool) -> None:
        """Stores a mail that came to such an address. Raises NotFound, TooManyRequests, or Unavailable: later again."""
        self._budget.count_bytes(("returned", address.owner_id), len(raw))
        await self._store(_key(address), raw, await self._read(address.owner_id, raw, has_sender=has_sender))

    async def take_report(self, owner_id: int, raw: bytes) -> StoredArrival | None:
        """Takes in a report that came through an intake key but is about one of our messages; None: it is not one."""
        if not _REPORT.search(raw[:_HEAD]):
            return None
        read = await self._read(owner_id, raw, has_sender=True)
        for local_part, domain in read.our_addresses:
            address = read_return_address(self._secret, local_part) if domain == self._domain else None
            if address is not None and await store.exists(self._database, _key(address)):
                return await self._store(_key(address), raw, read)
        return None

    async def _read(self, owner_id: int, raw: bytes, *, has_sender: bool) -> ReturnedMail:
        try:
            return await run_sandboxed(READ_RETURNED_MAIL, IncomingMail(raw=raw, has_sender=has_sender), owner=owner_id)
        except ComputationFailed as error:
            return ReturnedMail(kind="unreadable", detail=f"Reading the mail {error.reason}.")

    async def _store(self, key: ReturnedTo, raw: bytes, read: ReturnedMail) -> StoredArrival:
        digest, reason = _digest(raw), _reason(key, read)

        async def work(transaction: Transaction) -> StoredArrival:
            row = await store.add_returned_mail(transaction, key, digest, raw, reason)
            if row is None:
                raise NotFound("Page not found")
            arrival_id = row["arrival_id"]
            if arrival_id is not None:
                await _follow(transaction, key, read, arrival_id, row["contact_id"], row["lead_id"])
            elif (arrival_id := await store.find_returned_mail(transaction, key, digest)) is None:
                raise TooManyRequests("Too many mails have come back to this message", retry_after=3600)
            return StoredArrival(owner_id=key.owner_id, arrival_id=arrival_id, reason=reason)

        stored = await self._database.run(work)
        log.info("a mail came back", owner=key.owner_id, message=key.message_id, kind=read.kind)
        return stored


async def _follow(
    transaction: Transaction,
    key: ReturnedTo,
    read: ReturnedMail,
    arrival_id: int,
    contact_id: int | None,
    lead_id: int | None,
) -> None:
    """Does what follows from a mail that has just been stored."""
    match read.kind:
        case "failed" if read.is_dead_address:
            state = await store.fail_message(transaction, key, f"{CAME_BACK}: {read.detail}")
            if state == "sending":
                raise Unavailable("The message is just being sent")  # the report was faster than its outcome
            await store.suppress_recipient(transaction, key, "bounced")
            if state in store.FAILING:
                note_event(transaction, key.owner_id, "message.failed", key.message_id)
        case "failed":
            await store.note_reason(transaction, key, f"{CAME_BACK}: {read.detail}")
        case "complaint":
            await store.suppress_recipient(transaction, key, "complained")
            if contact_id is not None:
                note_unsubscribed(transaction, key.owner_id, contact_id, "email")
        case "reply" if contact_id is not None and read.reply is not None:
            reply = read.reply
            words = reply.words or reply.subject or None
            await store.add_reply(transaction, key, contact_id, lead_id, arrival_id, words)
            await note_replied(transaction, key.owner_id, key.message_id)
            await stop_campaigns(transaction, "reply", [(key.owner_id, contact_id)])
            note_event(transaction, key.owner_id, "contact.replied", contact_id, text=words, channel="email")
            if reply.asks_to_stop:
                await store.suppress_recipient(transaction, key, "stopped")
                note_unsubscribed(transaction, key.owner_id, contact_id, "email", words)


def _reason(key: ReturnedTo, read: ReturnedMail) -> str:
    """Returns why no lead came of it, as arrivals say it: a code, and words."""
    code = {"failed": "delivery_report", "report": "delivery_report", "automatic": "automatic_reply"}
    return f"{code.get(read.kind, read.kind)}: message {key.message_id}: {read.detail}".replace("\0", "")


def _key(address: ReturnAddress) -> ReturnedTo:
    return ReturnedTo(address.owner_id, address.message_id)


def _digest(raw: bytes) -> bytes:
    """Returns what two deliveries of one mail share, whatever servers on its way have added to its header."""
    blank = BLANK_LINE.search(raw, len(raw) - len(raw.lstrip()))
    head, body = (raw[: blank.start()][:_HEAD], raw[blank.end() :]) if blank else (raw[:_HEAD], b"")
    found = _MESSAGE_ID.search(head)
    return hashlib.sha256(found[1] if found else body).digest()
