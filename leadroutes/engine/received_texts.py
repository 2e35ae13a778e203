"""Deals with texts that come in from people who are known: words of stopping, claims and passes, texts of contacts.

Each text acts once: what follows from it and that it was dealt with are stored in one transaction.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from leadroutes.domain.agent_hours import agent_zone
from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.campaign import zone_named
from leadroutes.domain.received_text import (
    ABOUT_LINE,
    AGENT_ABOUT_LINE,
    GONE_LINE,
    OWN_LINE,
    PASSED_LINE,
    STARTED_LINE,
    STOPPED_LINE,
    OfferReply,
    OpenOffer,
    Wish,
    claimed_line,
    help_line,
    only_open,
    read_reply,
    read_wish,
    yours_line,
)
from leadroutes.engine.engine import Engine
from leadroutes.errors import AlreadyClaimed, Conflict, NotFound
from leadroutes.store.campaigns import stop_campaigns
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.received_texts import (
    FollowingMessage,
    OfferedPhone,
    ReceivedText,
    TextingContact,
    TextOutcome,
    add_following_messages,
    add_text_event,
    find_last_offers,
    find_texting_contacts,
    finish_received_text,
    load_offered_phone,
    load_reply_facts,
    may_help,
)
from leadroutes.store.screens import account_topic, user_topic
from leadroutes.store.step_results import note_text_replied
from leadroutes.store.suppressions import note_unsubscribed, start_phone, stop_phone
from leadroutes.store.webhook_events import note_event

LONGEST_EVENT: Final = 2_000  # characters of an event's description


class TextReplies:
    """One per process. `answers_wishes`: the provider leaves it to us to confirm STOP, START and HELP."""

    def __init__(self, engine: Engine, *, answers_wishes: bool) -> None:
        self._engine = engine
        self._database: Database = engine.database
        self._answers_wishes = answers_wishes

    async def deal_with(self, text: ReceivedText) -> bool:
        """Returns False for a text of someone who is not known, which remains to be dealt with. May be repeated."""
        if text.phone is None:
            return False
        wish = read_wish(text.body, text.opt_out_type)
        offered = await load_offered_phone(self._database, text.phone, self._database.clock.now())
        if wish is not None:
            await self._heed(text, wish, offered)
            return True
        reply = read_reply(text.body)
        if offered is not None and offered.is_recent and reply is not None:
            await self._reply(text, reply, offered)
            return True
        if await self._take_from_contact(text, offered):
            return True
        if offered is not None:
            await self._help(text, offered)
        return offered is not None

    # -- words of stopping

    async def _heed(self, text: ReceivedText, wish: Wish, offered: OfferedPhone | None) -> None:
        async def work(transaction: Transaction) -> None:
            if not await finish_received_text(transaction, text.id, wish):
                return
            phone = text.phone or ""
            is_new = True
            contacts = await find_texting_contacts(transaction, text)
            if wish == "stop":
                heard_by = contacts[0].owner_id if contacts else None
                is_new = await stop_phone(transaction, phone, text.received_at, heard_by=heard_by)
            elif wish == "start":
                is_new = await start_phone(transaction, phone, text.received_at)
            following: list[FollowingMessage] = []
            if wish == "stop" and is_new and offered is not None:
                following += await self._notices_of_stop(transaction, phone)
            if contacts:
                following += await self._note_text(transaction, contacts[0], text, stops=False)
            if contacts and wish == "stop" and is_new:
                note_unsubscribed(transaction, contacts[0].owner_id, contacts[0].id, "text", text.body)
            if is_new and await self._is_confirmed(transaction, text, wish, offered):
                following += _confirmation(text, _words_for(wish, offered), contacts, offered)
            await add_following_messages(transaction, following)

        await self._database.run(work)

    async def _is_confirmed(
        self, transaction: Transaction, text: ReceivedText, wish: Wish, offered: OfferedPhone | None
    ) -> bool:
        """One confirmation, unless the provider sends it, or nothing was ever sent to the phone."""
        if not self._answers_wishes or text.opt_out_type or not (text.was_written_to or offered is not None):
            return False
        return wish != "help" or await may_help(transaction, text.phone or "")

    async def _notices_of_stop(self, transaction: Transaction, phone: str) -> list[FollowingMessage]:
        """Returns mails to the owners: an agent gets no texts any more."""
        offers = await find_last_offers(transaction, phone)
        return [
            FollowingMessage(
                owner_id=owner_id, kind="texts_stopped", channel="email", user_id=owner_id, offer_id=offer_id
            )
            for owner_id, offer_id in offers
        ]

    # -- claims and passes

    async def _reply(self, text: ReceivedText, reply: OfferReply, offered: OfferedPhone) -> None:
        if reply.number is None:
            offer = only_open(offered.open_offers, has_unnumbered=offered.has_unnumbered)
        else:
            offer = offered.by_number.get(reply.number)
        if offer is None:
            await self._help(text, offered)
            return
        words = await self._act_on(offer, text, self._claim if reply.is_claim else self._pass_on)
        await self._answer(text, "claim" if reply.is_claim else "pass", offer, words)

    async def _act_on(self, offer: OpenOffer, text: ReceivedText, act: Callable[[OpenOffer], Awaitable[str]]) -> str:
        """Returns what the agent is answered; a claim or a pass is on disk then."""
        try:
            return await act(offer)
        except NotFound:
            return GONE_LINE
        except AlreadyClaimed:
            return await self._who_has_it(offer, text)
        except Conflict as conflict:
            return f"{conflict.message}."

    async def _claim(self, offer: OpenOffer) -> str:
        act = _act(offer, "/leads/:id/claim", offer.lead_id)
        await self._engine.claim(offer.owner_id, offer.lead_id, offer.user_id, "Text", act)
        facts = await load_reply_facts(self._database, offer)
        if facts is None:
            return GONE_LINE
        return yours_line(facts["name"], facts["phone"], facts["email"], facts["street"])

    async def _pass_on(self, offer: OpenOffer) -> str:
        act = _act(offer, "/lead-offers/:id/decline", offer.offer_id)
        await self._engine.decline(offer.owner_id, offer.offer_id, offer.user_id, act)
        return PASSED_LINE

    async def _who_has_it(self, offer: OpenOffer, text: ReceivedText) -> str:
        facts = await load_reply_facts(self._database, offer)
        if facts is None or facts["claimed_at"] is None:
            return GONE_LINE
        if facts["claimed_by_user_id"] == offer.user_id:
            return OWN_LINE
        zone = zone_named(agent_zone(facts["timezone"], text.phone, facts["owner_timezone"]))
        return claimed_line(facts["winner"], facts["claimed_at"], text.received_at, zone)

    async def _answer(self, text: ReceivedText, outcome: TextOutcome, offer: OpenOffer, words: str) -> None:
        async def work(transaction: Transaction) -> None:
            if await finish_received_text(transaction, text.id, outcome):
                await add_following_messages(transaction, [_answer_to(text, offer, words, offer.lead_id)])

        await self._database.run(work)

    async def _help(self, text: ReceivedText, offered: OfferedPhone) -> None:
        """One line of help to a phone with open offers, or one that has tried to claim; five in an hour at most."""

        async def work(transaction: Transaction) -> None:
            is_reply = read_reply(text.body) is not None
            is_answered = offered.last is not None and (bool(offered.open_offers) or is_reply)
            if not await finish_received_text(transaction, text.id, "help" if is_answered else "ignored"):
                return
            if is_answered and offered.last is not None and await may_help(transaction, text.phone or ""):
                answer = _answer_to(text, offered.last, help_line(offered.open_offers))
                await add_following_messages(transaction, [answer])

        await self._database.run(work)

    # -- texts of contacts

    async def _take_from_contact(self, text: ReceivedText, offered: OfferedPhone | None) -> bool:
        """Returns False where no contact has the phone."""

        async def work(transaction: Transaction) -> bool:
            contacts = await find_texting_contacts(transaction, text)
            if not contacts:
                return False
            if not await finish_received_text(transaction, text.id, "contact"):
                return True
            following = await self._note_text(transaction, contacts[0], text, stops=True)
            if offered is not None and offered.open_offers and await may_help(transaction, text.phone or ""):
                following.append(_answer_to(text, offered.open_offers[0], help_line(offered.open_offers)))
            await add_following_messages(transaction, following)
            return True

        return await self._database.run(work)

    async def _note_text(
        self, transaction: Transaction, contact: TextingContact, text: ReceivedText, *, stops: bool
    ) -> list[FollowingMessage]:
        """Puts the text onto the contact's timeline and returns the alerts to whoever has the contact."""
        event = await add_text_event(transaction, contact, text, text.body[:LONGEST_EVENT], stops=stops)
        transaction.changed.update((account_topic(contact.owner_id), user_topic(contact.agent_id)))
        if stops:
            await stop_campaigns(transaction, "reply", [(contact.owner_id, contact.id)])
            await note_text_replied(transaction, contact.owner_id, contact.id)
            note_event(transaction, contact.owner_id, "contact.replied", contact.id, text=text.body, channel="text")
        about: dict[str, Any] = {"owner_id": contact.owner_id, "lead_id": event["lead_id"], "event_id": event["id"]}
        return [
            FollowingMessage(kind="replied", channel=channel, user_id=contact.agent_id, **about)
            for channel in event["channels"]
        ]


def _act(offer: OpenOffer, resource: str, record_id: int) -> AuditRow:
    return AuditRow(
        owner_id=offer.owner_id, user_id=offer.user_id, method="POST", resource=resource, record_id=record_id
    )


def _answer_to(text: ReceivedText, offer: OpenOffer, words: str, lead_id: int | None = None) -> FollowingMessage:
    """Returns an answer to the agent who was sent the offer. `lead_id`: of a lead that the words say something of."""
    return FollowingMessage(
        owner_id=offer.owner_id,
        kind="answer",
        user_id=offer.user_id,
        lead_id=lead_id,
        address=text.phone,
        text_body=words,
        sent_from=text.number,
    )


def _words_for(wish: Wish, offered: OfferedPhone | None) -> str:
    match wish:
        case "stop":
            return STOPPED_LINE
        case "start":
            return STARTED_LINE
        case _ if offered is not None and offered.open_offers:
            return help_line(offered.open_offers)
        case _:
            return ABOUT_LINE if offered is None else AGENT_ABOUT_LINE


def _confirmation(
    text: ReceivedText, words: str, contacts: Sequence[TextingContact], offered: OfferedPhone | None
) -> list[FollowingMessage]:
    """Returns one answer in the name of whoever wrote to the phone; none where no one of them is known."""
    said: dict[str, Any] = {"kind": "confirmation", "address": text.phone, "text_body": words, "sent_from": text.number}
    if offered is not None and offered.last is not None:
        last = offered.last
        return [FollowingMessage(owner_id=last.owner_id, user_id=last.user_id, **said)]
    return [FollowingMessage(owner_id=each.owner_id, contact_id=each.id, **said) for each in contacts[:1]]
