"""Phones that the provider of the tests rings: people who press keys, machines, lines that are busy.

What the service answers is carried out verb by verb, as the provider does it. Time does not pass: who presses no key is
silent at once.
"""

import asyncio
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import httpx

from tests.support.provider import ACCOUNT, Provider

MOST_DOCUMENTS: Final = 60  # of one call
VERBS: Final = frozenset({"Say", "Gather", "Redirect", "Dial", "Hangup"})


@dataclass
class Person:
    """Who or what is at a number. `keys`: one for each question, None for silence; then silence."""

    line: Literal["answers", "busy", "no-answer", "failed", "rings"] = "answers"
    keys: tuple[str | None, ...] = ()
    waits_for: asyncio.Event | asyncio.Barrier | None = None  # before the first key, or the end of a connection
    called: str | None = None  # what the provider says was called, where a test lies
    has_doubles: bool = False  # every request is delivered twice


@dataclass
class FakeCall:
    """A call with all that happened in it; `record` is the provider's."""

    record: dict[str, Any]
    person: Person
    keys: list[str | None]
    said: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)  # that were asked, and the key that went there
    dialled: list[dict[str, str]] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)  # by the service
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def form(self) -> Mapping[str, str]:
        fields: Mapping[str, str] = self.record["fields"]
        return fields

    @property
    def to(self) -> str:
        return self.form["To"]

    @property
    def status(self) -> str:
        return str(self.record["status"])

    @property
    def words(self) -> str:
        return " ".join(self.said)


class Phones:
    """All phones, and all calls in the order in which they were made."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.people: dict[str, list[Person]] = {}
        self.calls: list[FakeCall] = []
        self.faults: list[str] = []
        self._changed = asyncio.Condition()
        provider.on_call, provider.on_change = self._run, self._change

    def at(self, number: str, *people: Person) -> None:
        """Who is at this number: one person for each call, the last one for all further calls."""
        self.people[number] = list(people)

    def made_to(self, number: str) -> list[FakeCall]:
        return [call for call in self.calls if call.to == number]

    async def call_to(self, number: str, which: int = 1, *, is_done: bool = True) -> FakeCall:
        """The call of this number, once it has been made, and is over."""
        async with asyncio.timeout(20):
            async with self._changed:
                await self._changed.wait_for(lambda: len(self.made_to(number)) >= which)
            call = self.made_to(number)[which - 1]
            if is_done:
                await call.done.wait()
        assert self.faults == []
        return call

    # -- what happens in a call

    async def _run(self, record: dict[str, Any]) -> None:
        people = self.people.get(record["to"]) or [Person(line="no-answer")]
        person = people.pop(0) if len(people) > 1 else people[0]
        call = FakeCall(record, person, list(person.keys))
        async with self._changed:
            self.calls.append(call)
            self._changed.notify_all()
        try:
            await self._ring(call)
        except Exception as error:  # noqa: BLE001 -- whoever waits for the call raises it
            self.faults.append(f"{type(error).__name__}: {error}")
        finally:
            call.done.set()

    async def _change(self, record: dict[str, Any], status: str) -> None:
        """The service ends a call; `canceled` ends only one that rings."""
        for call in self.calls:
            if call.record is record and (status == "completed" or call.status in ("queued", "ringing")):
                call.ended.set()

    async def _ring(self, call: FakeCall) -> None:
        call.record["status"] = "ringing"
        if call.person.line == "rings":
            await call.ended.wait()
            call.record["status"] = "canceled"
        elif call.person.line == "answers":
            call.record["status"] = "in-progress"
            await self._talk(call)
            call.record["status"] = "completed"
        else:
            call.record["status"] = call.person.line
        if address := call.form.get("StatusCallback"):
            await self._ask(call, address, CallStatus=call.status, Timestamp="now")

    async def _talk(self, call: FakeCall) -> None:
        following: tuple[str, dict[str, str]] | None = (call.form["Url"], {})
        while following is not None and not call.ended.is_set():
            address, given = following
            answer = await self._ask(call, address, CallStatus="in-progress", **given)
            assert answer.headers["content-type"].startswith(("text/xml", "application/xml")), answer.headers
            call.documents.append(answer.text)
            assert len(call.documents) <= MOST_DOCUMENTS, "a call without an end"
            following = await self._execute(call, ET.fromstring(answer.text))

    async def _execute(self, call: FakeCall, document: ET.Element) -> tuple[str, dict[str, str]] | None:
        """Carries out the verbs; returns what is asked next, or None at the end."""
        assert document.tag == "Response"
        for verb in document:
            assert verb.tag in VERBS, verb.tag
            match verb.tag:
                case "Say":
                    self._say(call, verb)
                case "Gather":
                    if (key := await self._gather(call, verb)) is not None:
                        return verb.attrib["action"], {"Digits": key}
                case "Redirect":
                    return verb.text or "", {}
                case "Dial":
                    return verb.attrib["action"], await self._dial(call, verb)
                case "Hangup":
                    return None
        return None

    def _say(self, call: FakeCall, verb: ET.Element) -> None:
        assert len(verb) == 0, "only text is said"
        assert len(verb.text or "") <= 4096, "the provider refuses longer texts"
        call.said.append(verb.text or "")

    async def _gather(self, call: FakeCall, verb: ET.Element) -> str | None:
        assert (verb.attrib["numDigits"], verb.attrib["timeout"]) == ("1", "6")
        for each in verb:
            assert each.tag == "Say"
            self._say(call, each)
        match call.person.waits_for:
            case asyncio.Barrier() as barrier:
                call.person.waits_for = None
                await barrier.wait()
            case asyncio.Event() as event:
                await event.wait()
        return call.keys.pop(0) if call.keys else None

    async def _dial(self, call: FakeCall, verb: ET.Element) -> dict[str, str]:
        [number] = [each.text or "" for each in verb if each.tag == "Number"]
        call.dialled.append({"number": number, **verb.attrib})
        people = self.people.get(number)
        if people and isinstance(people[0].waits_for, asyncio.Event):
            await people[0].waits_for.wait()
        status = "completed" if people and people[0].line == "answers" else "no-answer"
        return {"DialCallStatus": status}

    async def _ask(self, call: FakeCall, address: str, **given: str) -> httpx.Response:
        called = call.person.called or call.to
        form = {
            "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "CallSid": call.record["sid"],
            "Direction": "outbound-api", "From": call.form["From"], "To": called, "Called": called, **given,
        }  # fmt: skip
        bare = address.partition("#")[0]
        call.addresses.append(f"{bare} {given.get('Digits', '')}".strip())
        answer = await self.provider.post(bare, form)
        assert answer.status_code == 200, (bare, answer.status_code, answer.text)
        if call.person.has_doubles:
            again = await self.provider.post(bare, form)
            assert (again.status_code, again.text) == (answer.status_code, answer.text)
        return answer
