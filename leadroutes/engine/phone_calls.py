"""What an agent hears in a call, and what a key does: claims, declines, repeats, or connects to the person.

Answers with TwiML; who has a lead, the engine and the domain decide.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from leadroutes.channels import speech, twiml
from leadroutes.channels.envelope import DeliveryError
from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.identity import E164, normal_phone
from leadroutes.domain.lawful_hours import KnownPlaces, lawful_from, lawful_hours, whereabouts_of
from leadroutes.domain.phone_steps import After, PhoneStep, act_of
from leadroutes.engine.engine import Engine
from leadroutes.errors import AlreadyClaimed, Conflict, NotFound, Problem
from leadroutes.store.calls import AgentCall, CallDetails, find_call, load_call_details, note_call_state
from leadroutes.store.campaigns import stop_campaigns
from leadroutes.store.contacts import add_event
from leadroutes.store.postgres import Transaction
from leadroutes.store.suppressions import find_why_suppressed

KEY_SECONDS: Final = 6  # that a key is waited for
RING_SECONDS: Final = 20  # that the phone of the person rings
NUMBERS_TIMEOUT: Final = 4.0  # seconds, while someone waits on the phone
CALL_MARK: Final = "{call}"  # in addresses of documents, which are stored; no value that is said has braces
HAS_IT_ALREADY: Final = "You have this lead already. Goodbye."
CONNECTED: Final = "connected by phone when the lead was claimed"
OFFER_IS_OVER: Final = "This lead is not offered to you any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneRequest:
    """What the provider asks at a step of a call: the secret of its address, and what its form says."""

    token: str
    step: PhoneStep
    digits: str
    provider_id: str
    number: str  # that was called
    has_talked: bool = False  # the person answered to whom the agent was connected


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """The document that is answered, with CALL_MARK for the secret of the call, and about whom it says something."""

    document: str
    owner_id: int | None = None
    contact_id: int | None = None


@dataclass(frozen=True, slots=True)
class PhoneCalls:
    """One per process. `numbers`: returns those of the account at the provider; `number`: the installation's own."""

    engine: Engine
    public_url: str
    number: str | None
    numbers: Callable[[], Awaitable[Collection[str]]]

    async def answer(self, request: PhoneRequest) -> Instructions:
        """Returns what is said next. Nothing is done unless the call was made to that number, for that offer."""
        call = await find_call(self.engine.database, request.token)
        if call is None or not _is_of(request, call):
            return Instructions(document=_ended(speech.NOT_OFFERED))
        if request.step.number == 0:
            await note_call_state(self.engine.database, request.token, request.provider_id, "in-progress")
        verbs = await self._follow(request, call)
        return Instructions(document=twiml.response(*verbs), owner_id=call.owner_id, contact_id=call.contact_id)

    async def _follow(self, request: PhoneRequest, call: AgentCall) -> list[Element]:
        if request.step.after == "connection" and request.has_talked:
            await self._note_conversation(call)  # also where someone else has the lead by now
        digits = "" if call.kind == "won" and request.digits == "2" else request.digits
        match act_of(request.step, digits):
            case "ask":
                return self._ask(request, call)
            case "ask at last":
                return self._ask(request, call, is_last=True)
            case "ask again":
                return self._ask(request, call, begins_with=speech.WRONG_KEY)
            case "claim":
                return await self._claim(request, call)
            case "decline":
                return await self._decline(call)
            case "repeat details" if call.claimed_by_user_id == call.user_id:
                return self._details(request, await load_call_details(self.engine.database, call))
        return [twiml.hang_up()]

    def _ask(
        self, request: PhoneRequest, call: AgentCall, *, is_last: bool = False, begins_with: str | None = None
    ) -> list[Element]:
        if call.claimed_by_user_id is not None and call.claimed_by_user_id != call.user_id:
            return _end(speech.claimed_by(call.claimed_by_name or ""))
        if call.claimed_by_user_id is not None and call.kind != "won":
            return _end(HAS_IT_ALREADY)
        if call.claimed_by_user_id is None and call.offer_state != "notified":
            return _end(speech.refusal(OFFER_IS_OVER))
        words = " ".join(part for part in (begins_with, speech.question(_spoken_lead(call))) if part)
        gather = twiml.gather(words, action=self._address(request, "question"), seconds=KEY_SECONDS)
        return [gather, twiml.hang_up() if is_last else twiml.redirect(self._address(request, "silence"))]

    async def _claim(self, request: PhoneRequest, call: AgentCall) -> list[Element]:
        act = _act(call, "/leads/:id/claim", call.lead_id)
        try:
            await self.engine.claim(call.owner_id, call.lead_id, call.user_id, "Phone", act)
        except (Conflict, NotFound) as problem:
            return _end(_refusal(problem, call))
        known = await load_call_details(self.engine.database, call)
        return await self._connect(request, call, known) or self._details(request, known)

    async def _decline(self, call: AgentCall) -> list[Element]:
        if call.offer_id is None:
            return _end(speech.refusal(OFFER_IS_OVER))
        act = _act(call, "/lead-offers/:id/decline", call.offer_id)
        try:
            await self.engine.decline(call.owner_id, call.offer_id, call.user_id, act)
        except (Conflict, NotFound) as problem:
            return _end(_refusal(problem, call))
        return _end(speech.DECLINED)

    def _details(self, request: PhoneRequest, known: CallDetails) -> list[Element]:
        words = speech.details_again(_spoken_details(known))
        return [twiml.gather(words, action=self._address(request, "details"), seconds=KEY_SECONDS), twiml.hang_up()]

    # -- connecting

    async def _note_conversation(self, call: AgentCall) -> None:
        async def work(transaction: Transaction) -> None:
            await add_event(transaction, call.owner_id, call.user_id, call.contact_id, "conversation", CONNECTED)
            await stop_campaigns(transaction, "conversation", [(call.owner_id, call.contact_id)])

        await self.engine.database.run(work)

    async def _connect(self, request: PhoneRequest, call: AgentCall, known: CallDetails) -> list[Element] | None:
        """Returns how the agent is connected to the person, or None where that is not wanted or not allowed now."""
        number = _number_of_person(known)
        if not known.connect_on_claim or call.is_test or number is None:
            return None
        person = KnownPlaces(
            address_zipcodes=known.address_zipcodes,
            address_states=known.address_states,
            phone=number,
            inquiry_zipcodes=known.inquiry_zipcodes,
        )
        if await find_why_suppressed(self.engine.database, call.owner_id, "call", number) is not None:
            return None
        now = self.engine.database.clock.now()
        is_strict = self.engine.sending_rules.is_strict
        if lawful_from(now, lawful_hours(whereabouts_of(person), is_strict=is_strict, is_call=True)) > now:
            return None
        caller = await self._caller(known)
        if caller is None:
            return None
        words = f"{speech.details(_spoken_details(known))} {speech.CONNECTING}"
        address = self._address(request, "connection")
        return [twiml.say(words), twiml.dial(number, caller=caller, action=address, seconds=RING_SECONDS)]

    async def _caller(self, known: CallDetails) -> str | None:
        """Returns the number that the person sees: the agent's, else the owner's, if the account has it; else ours."""
        wanted = [phone for phone in map(normal_phone, (known.agent_phone, known.owner_phone)) if phone]
        if not wanted:
            return self.number
        try:
            async with asyncio.timeout(NUMBERS_TIMEOUT):
                owned = await self.numbers()
        except (DeliveryError, TimeoutError):
            return self.number
        return next((phone for phone in wanted if phone in owned), self.number)

    def _address(self, request: PhoneRequest, after: After) -> str:
        following = request.step.next(after)
        query = urlencode({"step": following.number, "after": following.after})
        return f"{self.public_url}/twilio/calls/{CALL_MARK}?{query}"


def _is_of(request: PhoneRequest, call: AgentCall) -> bool:
    """Whether this is the call that was made, to the number that the lead was offered to."""
    return request.number == call.number and call.provider_id in (None, request.provider_id)


def _refusal(problem: Problem, call: AgentCall) -> str:
    match problem:
        case AlreadyClaimed() if problem.user_id == call.user_id:
            return HAS_IT_ALREADY
        case AlreadyClaimed():
            return speech.claimed_by(problem.name or "")
        case Conflict():
            return speech.refusal(problem.message)
    return speech.refusal(OFFER_IS_OVER)


def _act(call: AgentCall, resource: str, record_id: int) -> AuditRow:
    return AuditRow(owner_id=call.owner_id, user_id=call.user_id, method="POST", resource=resource, record_id=record_id)


def _end(words: str) -> list[Element]:
    return [twiml.say(words), twiml.hang_up()]


def _ended(words: str) -> str:
    return twiml.response(*_end(words))


def _number_of_person(known: CallDetails) -> str | None:
    """Returns the first number that can be dialled; that of the inquiry before the contact's."""
    numbers = map(normal_phone, (known.inquirer.get("phone"), *known.phones))
    return next((number for number in numbers if number and E164.fullmatch(number)), None)


def _spoken_lead(call: AgentCall) -> speech.SpokenLead:
    return speech.SpokenLead(
        kind=call.kind,
        is_test=call.is_test,
        source=call.source,
        first_name=call.first_name,
        city=call.city,
        type=call.type,
        listing_price=call.listing_price,
    )


def _spoken_details(known: CallDetails) -> speech.SpokenDetails:
    """What the inquiry gave comes first, name and number together."""
    inquirer = known.inquirer
    own = inquirer if inquirer.get("first_name") or inquirer.get("last_name") else {}
    return speech.SpokenDetails(
        first_name=own.get("first_name") if own else known.first_name,
        last_name=own.get("last_name") if own else known.last_name,
        phone=_number_of_person(known),
        email=inquirer.get("email") or known.email,
        street_address=known.street_address,
        city=known.city,
    )
