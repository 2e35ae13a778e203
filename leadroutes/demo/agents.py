"""The people of the demonstration: lead sources that send leads, agents who are alerted and claim; all over HTTP.

Any unexpected answer is noted as trouble.
"""

import asyncio
import contextlib
import email
import email.policy
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import httpx
from aiosmtpd.smtp import SMTP, Envelope, Session
from selectolax.lexbor import LexborHTMLParser

from leadroutes.demo.browsers import PushReceiver
from leadroutes.demo.phones import KeyPress, Phones
from leadroutes.demo.script import ACTS, ARRIVALS, LATE_LEAD, PASSWORD, PAUSED, Act, Arrival

FindLeadId = Callable[[str], int | None]  # by the first name of the person

LINK = re.compile(r"https?://[\w.:\[\]-]+(?:/[\w.~%-]+)*?/claim/[\w-]+")
CONTENT_TYPES = {".json": "application/json", ".eml": "message/rfc822"}
PATIENCE = 0.1  # seconds between two looks


class Mailboxes:
    """An SMTP server that stores every mail of the service by the recipient's address."""

    def __init__(self) -> None:
        self.by_address: dict[str, list[str]] = defaultdict(list)
        self.arrived = asyncio.Condition()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's
        """Stores the text of a mail for each recipient."""
        content = envelope.content or b""
        message = email.message_from_bytes(content if isinstance(content, bytes) else b"", policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        body = message.get_body(("plain", "html"))
        text = f"{message['subject']}\n{body.get_content() if body else ''}"
        async with self.arrived:
            for address in envelope.rcpt_tos:
                self.by_address[address.lower()].append(text)
            self.arrived.notify_all()
        return "250 stored"

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """The address of the server, as a setting wants it."""
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(lambda: SMTP(self, enable_SMTPUTF8=True), "127.0.0.1", 0)
        try:
            yield f"smtp://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        finally:
            listening.close()

    @property
    def count(self) -> int:
        return sum(len(mails) for mails in self.by_address.values())

    async def wait_for_link(self, address: str, first_name: str) -> str:
        """Waits for and returns the claim link in a mail to this address about the person with this first name."""
        async with self.arrived:
            return await self.arrived.wait_for(lambda: self.find_link(address, first_name)) or ""

    def find_link(self, address: str, first_name: str) -> str | None:
        """Returns the claim link in the first mail to this address about that person; None if there is none yet."""
        for text in self.by_address[address.lower()]:
            if first_name in text and (link := LINK.search(text)):
                return link.group()
        return None


@dataclass(slots=True)
class Cast:
    """The people who act: tokens by username, intake keys by lead source, and the trouble so far."""

    url: str
    examples: Path
    mailboxes: Mailboxes
    phones: Phones
    push_service: PushReceiver
    keys: Mapping[str, str]
    tokens: Mapping[str, str]
    addresses: Mapping[str, str]  # e-mail by username
    numbers: Mapping[str, str]  # phone by username
    trouble: list[str] = field(default_factory=list)
    find_lead_id: FindLeadId = lambda _: None

    async def play(self, find_lead_id: FindLeadId) -> None:
        """Plays all arrivals and acts of the script, each at its time."""
        self.find_lead_id = find_lead_id
        for act in ACTS:
            if act.how == "phone":
                press = KeyPress(self.numbers[act.username], act.first_name, "1", act.after)
                self.phones.key_presses.append(press)
        await self._pause()
        async with httpx.AsyncClient(base_url=self.url, timeout=20) as client:
            parts = [self._send(client, arrival) for arrival in ARRIVALS]
            parts += [self._act(client, act) for act in ACTS]
            await asyncio.gather(*parts, self._post_leads(client))

    async def ask(self, username: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Returns what the service answers this user; None if that is trouble."""
        what = f"{method} {path} by {username}"
        async with httpx.AsyncClient(base_url=self.url, timeout=20, headers=self._as(username)) as client:
            try:
                answer = await client.request(method, path, json=body)
            except httpx.HTTPError as error:
                self.trouble.append(f"{what}: {error!r}")
                return None
        return answer.json() if self._expect(answer, what) else None

    async def _pause(self) -> None:
        """A member is away until the next morning, and says so before any lead comes."""
        if (me := await self.ask(PAUSED, "GET", "/me")) is not None:
            morning = datetime.now(ZoneInfo(me["timezone"])).replace(hour=9, minute=0, second=0, microsecond=0)
            until = (morning + timedelta(days=1)).astimezone(UTC).isoformat()
            await self.ask(PAUSED, "PATCH", f"/availabilities/{me['id']}", {"paused_until": until})

    async def send_late_lead(self, key: str) -> None:
        """Sends a lead that no agent acts on, so that the viewer has one to claim."""
        async with httpx.AsyncClient(base_url=self.url, timeout=20) as client:
            self._expect(await client.post(f"/intake/{key}", data=LATE_LEAD), "the lead that comes late")

    async def wait_for_late_lead(self, username: str) -> None:
        """Returns once this agent has a mail about the late lead."""
        await self.mailboxes.wait_for_link(self.addresses[username], LATE_LEAD["name"].split()[0])

    async def _send(self, client: httpx.AsyncClient, arrival: Arrival) -> None:
        await asyncio.sleep(arrival.after)
        file = self.examples / arrival.file
        answer = await client.post(
            f"/intake/{self.keys[arrival.source]}", content=file.read_bytes(), headers=_headers(file)
        )
        self._expect(answer, f"{arrival.file} from {arrival.source}")

    async def _post_leads(self, client: httpx.AsyncClient) -> None:
        """Posts leads through the API: a past client asks on Zillow, and a lead is stored to be routed later."""
        headers = self._as("rosalind.vale")
        sources = await client.get("/contact-sources", params={"name": "Past Client"}, headers=headers)
        past_client = sources.json()["data"][0]["id"]
        for name, text, distribute in (
            ("Harriet Oyelaran", "We sold through you in 2019 and are looking again.", True),
            ("Bertram Foss", "Call me after the holidays.", False),
        ):
            await asyncio.sleep(2)
            first_name, last_name = name.split()
            person = {"first_name": first_name, "last_name": last_name, "source_id": past_client}
            contact = await client.post("/contacts", json=person, headers=headers)
            self._expect(contact, f"the contact {name}")
            lead = {"contact_id": contact.json().get("id"), "source_id": 1, "type": "Buyer", "text_body": text}
            posted = await client.post("/leads", json=lead | {"distribute": distribute}, headers=headers)
            self._expect(posted, f"the lead of {name}")

    async def _act(self, client: httpx.AsyncClient, act: Act) -> None:
        match act.how:
            case "link":
                await self._claim_by_link(client, act)
            case "text":
                await self._claim_by_text(act)
            case "notification":
                await self._claim_from_notification(act)
            case "phone":
                pass  # the phone rings, and then the key is pressed
            case "api":
                offer = await self._offered(client, act)
                await asyncio.sleep(act.after)
                path = f"/leads/{offer['lead']['id']}/claim"
                answer = await client.post(path, json={}, headers=self._as(act.username))
                self._expect(answer, f"the claim of {act.username} for {act.first_name}")
            case "decline":
                offer = await self._offered(client, act)
                await asyncio.sleep(act.after)
                answer = await client.post(
                    f"/lead-offers/{offer['id']}/decline", json={}, headers=self._as(act.username)
                )
                self._expect(answer, f"{act.username} declining {act.first_name}")

    async def _claim_by_link(self, client: httpx.AsyncClient, act: Act) -> None:
        """Read the mail, open the page of its link, and press its button, as a browser would."""
        link = await self.mailboxes.wait_for_link(self.addresses[act.username], act.first_name)
        await asyncio.sleep(act.after)
        await self._press_claim(client, link, act)

    async def _claim_by_text(self, act: Act) -> None:
        number = self.numbers[act.username]
        reply = await self.phones.wait_for_reply_number(number, act.first_name)
        await asyncio.sleep(act.after)
        self._expect(await self.phones.say(self.url, number, reply), f"the text of {act.username} for {act.first_name}")

    async def _claim_from_notification(self, act: Act) -> None:
        """Sign in, allow notifications in this browser, tap on one, and press the button of the page that opens."""
        async with httpx.AsyncClient(base_url=self.url, timeout=20, headers={"Origin": self.url}) as browser:
            answer = await browser.post("/sign-in", data={"email": self.addresses[act.username], "password": PASSWORD})
            if answer.status_code != 303:
                self._expect(answer, f"{act.username} signing in")
                return
            shows = self.push_service.make()
            answer = await browser.post("/push-subscriptions", json=shows.subscription, headers=self._as(act.username))
            self._expect(answer, f"the notifications of {act.username}")
            path = await self.push_service.wait_for_path(shows, act.first_name)
            await asyncio.sleep(act.after)
            await self._press_claim(browser, f"{self.url}/app/{path}", act)

    async def _press_claim(self, client: httpx.AsyncClient, address: str, act: Act) -> None:
        """Open a page with the button, and press it."""
        page = await client.get(address)
        if not self._expect(page, f"the claim page of {act.username} for {act.first_name}"):
            return
        form = LexborHTMLParser(page.text).css_first("form:has(button.claim)")
        if form is None:
            self.trouble.append(f"the claim page of {act.username} for {act.first_name} has no button")
            return
        inputs = (each.attributes for each in form.css("input[name]"))
        fields = {str(each["name"]): each.get("value") or "" for each in inputs}
        target = urljoin(address, form.attributes.get("action") or "")
        answer = await client.post(target, data=fields, headers={"Origin": self.url}, follow_redirects=True)
        self._expect(answer, f"the claim of {act.username} for {act.first_name} by {act.how}")

    async def _offered(self, client: httpx.AsyncClient, act: Act) -> dict[str, Any]:
        """Wait until the agent sees an offer of this lead."""
        while True:
            if lead_id := self.find_lead_id(act.first_name):
                offers = await client.get("/lead-offers", params={"lead_id": lead_id}, headers=self._as(act.username))
                self._expect(offers, f"the offers of {act.username}")
                if found := offers.json().get("data"):
                    offer: dict[str, Any] = found[0]
                    return offer
            await asyncio.sleep(PATIENCE)

    def _as(self, username: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[username]}"}

    def _expect(self, answer: httpx.Response, what: str) -> bool:
        if answer.status_code < 300:
            return True
        self.trouble.append(f"{what}: {answer.status_code} {answer.text[:200]}")
        return False


def _headers(file: Path) -> dict[str, str]:
    """Those beside the file, without what belongs to the connection of that time."""
    beside = file.with_suffix(".headers")
    if not beside.exists():
        return {"Content-Type": CONTENT_TYPES[file.suffix]}
    pairs = (line.partition(":")[::2] for line in beside.read_text(encoding="utf-8").splitlines() if line)
    return {name: value.strip() for name, value in pairs if name.lower() not in {"host", "content-length"}}
