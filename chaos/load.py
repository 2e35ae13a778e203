"""The load: lead sources that send until they are answered, agents who all want the same lead, an owner who assigns.

Notes what was sent and what was answered; whether that was right is judged afterwards. What contacts do about the mails
that they get is in `people`.
"""

import asyncio
import itertools
import random
import re
from collections import Counter, defaultdict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from chaos.brokerage import AGENTS, LAST_NAME, OWNER, Brokerage, place_of
from chaos.drips import Stop
from chaos.people import People
from chaos.sink import Sink

PATIENCE = 8.0  # seconds for an answer, as senders of leads have it
ATTEMPTS = 400  # of a sender, before it gives a lead up
KINDS = ("Buyer", "Buyer", "Buyer", "Seller", "Seller", "Renter", "Land")  # there is no route for land
_LINK = re.compile(r"/claim/[\w-]+")
FIRST_PHONES = {"L": 7000000, "S": 6000000, "W": 4000000}  # behind the area code, by the letter of a lead's name
BETWEEN_LOOKS = 0.05  # seconds
Phase = Literal["alone", "beside hostile ones"]  # in which is measured, before anything is killed
Kind = Literal["an arrival", "a claim", "GET /me", "GET /healthz", "anything else"]


@dataclass(frozen=True, slots=True)
class Timing:
    """The time of an answer. `status` 0: there was no answer."""

    phase: Phase
    kind: Kind
    seconds: float
    status: int


@dataclass(slots=True)
class Sent:
    """A lead as its sender knows it. `lead_ids`: the ids that were answered; it should be one."""

    vendor_id: str
    lead_ids: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Record:
    """All that was sent, and the answers."""

    leads: dict[str, Sent] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    faults: list[str] = field(default_factory=list)  # answers that no one should get, whatever happens
    claimed: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))  # users who got 200, by lead
    claims: Counter[int] = field(default_factory=Counter)  # by status
    assigned: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))  # tried, by lead
    assigned_for_certain: set[int] = field(default_factory=set)
    declined: set[int] = field(default_factory=set)  # offers
    stops: list[Stop] = field(default_factory=list)  # of campaigns, which were acknowledged; not those by text
    began_at: float = 0.0  # from then on leads are sent all the time
    ended_at: float | None = None  # and from then on no new ones
    accepted_at: list[float] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    killed_from: float = 0.0  # from then on processes die


class Load:
    """Everybody who sends requests, until `end()`; those that are under way are seen through by `finish()`."""

    def __init__(
        self, brokerage: Brokerage, ports: Sequence[int], mail_ports: Sequence[int], sink: Sink, seed: int
    ) -> None:
        self.record = Record()
        self.phase: Phase | None = None
        self.rate = 1.0  # leads a second
        self._measured = 0  # requests under way whose time counts
        self._brokerage = brokerage
        self._dice = random.Random(seed)  # noqa: S311 -- it has to be repeatable
        self._sink = sink
        self._clients = [_client(port) for port in ports]
        self._lookers = [_client(port) for port in ports]  # who wait for no connection that others use
        self._tasks: set[asyncio.Task[None]] = set()
        self._number = 0
        self._links: dict[str, list[str]] = defaultdict(list)  # by the first name of the person
        self._people = People(mail_ports, self._dice, self._insist, self._read_mails, self.record.faults)
        self.record.stops = self._people.stops

    async def run(self, rate: float) -> None:
        """So many leads a second, until it is over; `self.rate` may be changed meanwhile."""
        self.rate = rate
        self.record.began_at = _now()
        while self.record.ended_at is None:
            self.send_one()
            await asyncio.sleep(self._dice.expovariate(self.rate))

    async def look(self, seconds: float) -> None:
        """For so long, ask every moment who one is and whether the service is there, beside everything else."""
        until = _now() + seconds
        while _now() < until:
            token = self._brokerage.tokens[self._dice.choice(AGENTS)]
            for path, headers in (("/me", {"Authorization": f"Bearer {token}"}), ("/healthz", {})):
                self._begin(self._look(path, headers))
            await asyncio.sleep(BETWEEN_LOOKS)

    async def end_phase(self) -> None:
        """Measure nothing that is asked for from now on, and wait for the answers that are measured."""
        self.phase = None
        while self._measured:  # noqa: ASYNC110 -- each of them has a time limit
            await asyncio.sleep(0.05)

    async def _look(self, path: str, headers: dict[str, str]) -> None:
        answer = await self._call(self._dice.choice(self._lookers), "GET", path, headers=headers)
        if answer is not None and answer.status_code not in (200, 503):
            self._fault(f"GET {path} was answered", answer)

    def end(self) -> None:
        self.record.ended_at = _now()

    async def finish(self) -> None:
        """Waits until all requests are answered."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in (*self._clients, *self._lookers):
            await client.aclose()

    def taken(self) -> int:
        """How many of the first leads have all been taken in."""
        leads, names = self.record.leads, (f"L{number}" for number in range(1, self._number + 1))
        return sum(1 for _ in itertools.takewhile(lambda name: name in leads and leads[name].lead_ids, names))

    def burst(self, count: int) -> None:
        """So many at once: more than the service takes in its stride, and the queue is full."""
        for _ in range(count):
            self.send_one(is_acted_on=False)

    def send_one(self, *, is_acted_on: bool = True) -> None:
        self._number += 1
        self._begin(self._live(f"L{self._number}", is_acted_on=is_acted_on))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send_to(self, number: int, vendor_id: str) -> int | None:
        """One lead to one of the services, once; the status, None without an answer."""
        sent = self.record.leads.setdefault(vendor_id, Sent(vendor_id))
        return await self._offer(sent, self._body(sent, "Buyer"), self._clients[number])

    async def send(self, vendor_id: str) -> None:
        """One lead to any of the services, until it is taken."""
        sent = self.record.leads.setdefault(vendor_id, Sent(vendor_id))
        await self._send(sent, self._body(sent, "Buyer"))

    # -- the life of one lead

    async def _live(self, name: str, *, is_acted_on: bool) -> None:
        sent = self.record.leads[name] = Sent(name)
        body = self._body(sent, self._dice.choice(KINDS))
        twice = self._dice.random() < 0.1  # some senders have two machines
        await asyncio.gather(*(self._send(sent, body) for _ in range(2 if twice else 1)))
        if self._dice.random() < 0.1:  # and some do not trust the answer
            await self._send(sent, body)
        if is_acted_on and len(sent.lead_ids) == 1:
            [lead_id] = sent.lead_ids
            await asyncio.gather(self._act(sent, lead_id), self._people.react(name, lead_id))

    def _body(self, sent: Sent, kind: str) -> dict[str, str]:
        name = f"{sent.vendor_id}x"  # so that no name is the beginning of another one
        place = place_of(sent.vendor_id)
        return {
            "lead_id": sent.vendor_id, "mls_id": sent.vendor_id, "first_name": name, "last_name": LAST_NAME,
            "email": f"{name.lower()}@example.org", "phone": phone_of(sent.vendor_id),
            "lead_type": kind, "city": place.city, "state": place.state, "zip": place.zipcode,
        }  # fmt: skip

    async def _send(self, sent: Sent, body: dict[str, str]) -> None:
        """Sends a lead as a lead source does: repeatedly, until it is accepted."""
        for _ in range(ATTEMPTS):
            if await self._offer(sent, body, self._dice.choice(self._clients)) in (200, 201):
                return
            await asyncio.sleep(self._dice.uniform(0.2, 1.0))

    async def _offer(self, sent: Sent, body: dict[str, str], client: httpx.AsyncClient) -> int | None:
        answer = await self._call(client, "POST", f"/intake/{self._brokerage.key}", json=body)
        if answer is None:
            return None
        if answer.status_code in (200, 201):
            sent.lead_ids.add(answer.json()["id"])
            self.record.accepted_at.append(_now())
        elif answer.status_code != 503:
            self._fault(f"{sent.vendor_id} was answered", answer)
        return answer.status_code

    # -- what people do with it

    async def _act(self, sent: Sent, lead_id: int) -> None:
        await asyncio.sleep(self._dice.uniform(0.0, 4.0))
        deed = self._dice.random()
        if deed < 0.35:
            await asyncio.gather(*(self._claim(lead_id, name) for name in (*AGENTS, *AGENTS)))
        elif deed < 0.5:
            await self._claim_by_link(sent)
        elif deed < 0.6:
            await asyncio.gather(*(self._decline(lead_id, name) for name in AGENTS[:2]))
        elif deed < 0.7:
            for name in self._dice.sample(AGENTS, self._dice.choice((1, 2))):
                await self._assign(lead_id, name)
        elif deed < 0.8:
            await self._start_second_campaign(lead_id)
        if deed < 0.1:
            await self._assign(lead_id, self._dice.choice(AGENTS))

    async def _claim(self, lead_id: int, name: str) -> None:
        """Claims until the answer is definite: 200, 404 (the agent was not notified yet) or 409."""
        user_id = self._brokerage.users[name]
        answer = await self._insist("POST", f"/leads/{lead_id}/claim", name, {200, 404, 409})
        if answer is not None:
            self.record.claims[answer.status_code] += 1
            if answer.status_code == 200:
                self.record.claimed[lead_id].add(user_id)

    async def _claim_by_link(self, sent: Sent) -> None:
        """Two of those who were mailed press the button at once."""
        self._read_mails()
        links = self._links.pop(f"{sent.vendor_id}x", [])
        answers = await asyncio.gather(*(self._insist("POST", link, None, {200, 404, 409}) for link in links[:2]))
        for answer in answers:
            if answer is not None:
                self.record.claims[answer.status_code] += 1

    def _read_mails(self) -> None:
        for mail in self._sink.new_notes():
            self._people.receive(mail)
            if (link := _LINK.search(mail.text)) and (name := re.search(r"L\d+x", mail.subject)):
                self._links[name[0]].append(link[0])

    async def _decline(self, lead_id: int, name: str) -> None:
        listed = await self._insist("GET", f"/lead-offers?lead_id={lead_id}", name, {200})
        for offer in listed.json()["data"] if listed is not None else ():
            answer = await self._insist("POST", f"/lead-offers/{offer['id']}/decline", name, {200, 404, 409})
            if answer is not None and answer.status_code == 200:
                self.record.declined.add(offer["id"])

    async def _assign(self, lead_id: int, name: str) -> None:
        self.record.assigned[lead_id].add(self._brokerage.users[name])
        body = {"user_id": self._brokerage.users[name]}
        answer = await self._insist("POST", f"/leads/{lead_id}/assignment", OWNER, {200}, body)
        if answer is not None:
            self.record.assigned_for_certain.add(lead_id)

    async def _start_second_campaign(self, lead_id: int) -> None:
        lead = await self._insist("GET", f"/leads/{lead_id}", OWNER, {200})
        if lead is not None:
            path = f"/campaigns/{self._brokerage.second_campaign_id}/contacts"
            await self._insist("POST", path, OWNER, {201, 409}, {"contact_id": lead.json()["contact_id"]})

    # -- requests

    async def _insist(
        self, method: str, path: str, name: str | None, expected: set[int], body: Any = None
    ) -> httpx.Response | None:
        """Repeats a request until it is answered. Returns None if it never is, or if the answer is unexpected."""
        headers = {"Authorization": f"Bearer {self._brokerage.tokens[name]}"} if name else {}
        for _ in range(ATTEMPTS):
            client = self._dice.choice(self._clients)
            json = None if method == "GET" or name is None else body or {}
            answer = await self._call(client, method, path, json=json, headers=headers)
            if answer is not None and answer.status_code in expected:
                return answer
            if answer is not None and answer.status_code != 503:
                self._fault(f"{method} {path.partition('?')[0]} of {name or 'a link'} was answered", answer)
                return None
            await asyncio.sleep(self._dice.uniform(0.2, 1.0))
        self.record.faults.append(f"{method} {path} was never answered")
        return None

    async def _call(self, client: httpx.AsyncClient, method: str, path: str, **options: Any) -> httpx.Response | None:
        phase, began = self.phase, _now()
        answer: httpx.Response | None = None
        self._measured += phase is not None
        try:
            answer = await client.request(method, path, **options)
        except httpx.TransportError:
            pass
        finally:
            self._measured -= phase is not None
        status = 0 if answer is None else answer.status_code
        if phase is not None:
            self.record.timings.append(Timing(phase, _kind(method, path), _now() - began, status))
        if answer is None:
            self.record.unanswered += 1
        else:
            self.record.statuses[status] += 1
        return answer

    def _fault(self, what: str, answer: httpx.Response) -> None:
        self.record.faults.append(f"{what} {answer.status_code}: {answer.text[:300]}")


def _kind(method: str, path: str) -> Kind:
    if path.startswith("/intake/"):
        return "an arrival"
    if method == "POST" and path.endswith("/claim"):
        return "a claim"
    return "GET /me" if path == "/me" else "GET /healthz" if path == "/healthz" else "anything else"


def phone_of(vendor_id: str) -> str:
    """Returns a number of one person only: `vendor_id` is a letter and a number."""
    return f"+1{place_of(vendor_id).area_code}{FIRST_PHONES[vendor_id[0]] + int(vendor_id[1:])}"


def _client(port: int) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20)
    timeout = httpx.Timeout(PATIENCE, pool=None)
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=timeout, limits=limits, trust_env=False)


def _now() -> float:
    return asyncio.get_running_loop().time()
