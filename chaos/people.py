"""Contacts, and an owner who cares for them: some answer a mail, unsubscribe, or are not to be written to any more.

Each of these stops is noted once the service has acknowledged it; whether anything came afterwards `drips` judges.
"""

import asyncio
import random
import re
import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import Any, Final, Protocol

import aiosmtplib
import httpx

from chaos.brokerage import OWNER, STEPS
from chaos.drips import Channel, Stop
from chaos.postgres import HOST
from chaos.sink import Mail

REACTIONS: Final = {"answer": 8, "answer STOP": 4, "unsubscribe": 6, "suppress": 4, "conversation": 4}  # of a hundred
ENDS: Final[dict[str, tuple[Channel | None, ...]]] = {  # a channel, or (None) the campaigns that have begun
    "answer": (None,), "answer STOP": (None, "email"), "unsubscribe": ("email",), "suppress": ("email",),
    "conversation": (None,),
}  # fmt: skip
WAITS: Final = 20.0  # seconds for a mail to react to; others have been stopped, or live where no window is open
BETWEEN_LOOKS: Final = 0.5  # seconds
ATTEMPTS: Final = 100  # of a mail to the service
_LINK: Final = re.compile(r"https?://[^/>]+(/unsubscribe/[^>]+)>")
_NAME: Final = re.compile(r"\b([A-Z]\d+)x")


class Insists(Protocol):
    """Repeats a request until it is answered; None: it was not answered as expected."""

    async def __call__(
        self, method: str, path: str, name: str | None, expected: set[int], body: Any = None
    ) -> httpx.Response | None: ...


class People:
    """One for a run. `stops` are those that were acknowledged."""

    def __init__(
        self, mail_ports: Sequence[int], dice: random.Random, insist: Insists, look: Callable[[], None],
        faults: list[str],
    ) -> None:  # fmt: skip
        self.stops: list[Stop] = []
        self._mails: dict[str, Mail] = {}  # the latest of a campaign, by the name of a lead
        self._ports = mail_ports
        self._dice = dice
        self._insist = insist
        self._look = look
        self._faults = faults

    def receive(self, mail: Mail) -> None:
        """Someone has a mail in their mailbox; only those of the campaign are reacted to."""
        if mail.has_arrived and mail.subject.startswith(tuple(STEPS)) and (name := _NAME.search(mail.subject)):
            self._mails[name[1]] = mail

    async def react(self, name: str, lead_id: int) -> None:
        """What the person of a lead does about the first mail that comes, if anything."""
        silent = 100 - sum(REACTIONS.values())
        [deed] = self._dice.choices(["", *REACTIONS], [silent, *REACTIONS.values()])
        mail = await self._first_mail(name) if deed else None
        if mail is None:
            return
        await asyncio.sleep(self._dice.uniform(0.0, 2.0))
        said_at = time.time()
        match deed:
            case "unsubscribe":
                link = _LINK.search(dict(mail.headers)["List-Unsubscribe"])
                assert link is not None, mail.headers
                done = await self._insist("POST", link[1], None, {200})
            case "suppress":
                body = {"channel": "email", "value": mail.to}
                done = await self._insist("POST", "/suppressions", OWNER, {201, 409}, body)
            case "conversation":
                done = await self._talk(lead_id)
            case _:
                done = await self._answer(mail, "STOP" if deed == "answer STOP" else "Thanks, please call me.")
        if done:
            self.stops += [Stop(name, deed, said_at, time.time(), channel) for channel in ENDS[deed]]

    async def _first_mail(self, name: str) -> Mail | None:
        until = time.monotonic() + WAITS
        while name not in self._mails and time.monotonic() < until:
            self._look()
            await asyncio.sleep(BETWEEN_LOOKS)
        return self._mails.get(name)

    async def _talk(self, lead_id: int) -> object:
        """The owner has talked with the person."""
        lead = await self._insist("GET", f"/leads/{lead_id}", OWNER, {200})
        if lead is None:
            return None
        return await self._insist("POST", f"/contacts/{lead.json()['contact_id']}/conversation", OWNER, {201})

    async def _answer(self, mail: Mail, words: str) -> bool:
        """Sends an answer as a mail server does: repeatedly, until it is taken. Returns whether it was."""
        answer = EmailMessage()
        answer["From"], answer["To"] = mail.to, dict(mail.headers)["Reply-To"]
        answer["Subject"], answer["Message-ID"] = f"Re: {mail.subject}", f"<answer-to-{mail.message_id.strip('<>')}>"
        answer.set_content(words)
        for _ in range(ATTEMPTS):
            try:
                port = self._dice.choice(self._ports)
                await aiosmtplib.send(answer, hostname=HOST, port=port, start_tls=False, timeout=30)
            except (aiosmtplib.SMTPException, OSError) as error:
                if 500 <= getattr(error, "code", 0) < 600:
                    self._faults.append(f"the answer of {mail.to} was refused: {error}")
                    return False
                await asyncio.sleep(self._dice.uniform(0.2, 1.0))
            else:
                return True
        self._faults.append(f"the answer of {mail.to} was never taken")
        return False
