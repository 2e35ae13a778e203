"""A mail server with moods: it refuses for now or for good, answers slowly, hangs up with the mail; forgets nothing.

A program (`python -m chaos.sink FILE SEED`), as `outsider` says; it notes every mail: its fate, recipient, header and
words.
"""

import asyncio
import random
import sys
import time
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import msgspec
from aiosmtpd.smtp import SMTP, Envelope, Session

from chaos.outsider import SLOWEST, Fate, Mood, Note, Outsider, obey

# Of a hundred mails while it is moody. The rest are taken at once.
MOODS: dict[str, float] = {
    "taken, no answer": 1.5,
    "lost, no answer": 1.5,
    "refused for now": 3,
    "refused for good": 1.5,
    "slow": 4,
    "not even heard": 2,
}


class Mail(Note, frozen=True, kw_only=True):
    """One mail, and what became of it."""

    subject: str
    message_id: str
    text: str
    headers: tuple[tuple[str, str], ...] = ()  # as they came, in their order


class Moody:
    """What aiosmtpd asks at each step of a conversation."""

    def __init__(self, file: Path, seed: int) -> None:
        self.mood: Mood = "moody"
        self._file = file.open("ab", buffering=0)
        self._dice = random.Random(seed)  # noqa: S311 -- it has to be repeatable

    def _whim(self) -> str:
        match self.mood:
            case "moody":
                return self._dice.choices(["taken", *MOODS], [100 - sum(MOODS.values()), *MOODS.values()])[0]
            case "calm":
                return "taken"
            case "slow":
                return "slow"
            case "away":
                return "not even heard"

    async def handle_MAIL(  # noqa: N802 -- aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._whim() == "not even heard":
            return "421 not now"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        mail = message_from_bytes(cast("bytes", envelope.content), policy=policy.default)
        match self._whim():
            case "refused for now":
                return self._note("refused for now", envelope, mail, "451 come again")
            case "refused for good":
                return self._note("refused for good", envelope, mail, "554 no such person")
            case "taken, no answer":
                self._note("taken, no answer", envelope, mail, "")
                return self._hang_up(server)
            case "lost, no answer":
                self._note("lost, no answer", envelope, mail, "")
                return self._hang_up(server)
            case "slow":
                answer = self._note("taken", envelope, mail, "250 OK")
                await asyncio.sleep(self._dice.uniform(0.5, SLOWEST))
                return answer
            case _:
                return self._note("taken", envelope, mail, "250 OK")

    def _note(self, fate: Fate, envelope: Envelope, mail: EmailMessage, answer: str) -> str:
        part = mail.get_body(("plain",))
        noted = Mail(
            fate=fate, to=envelope.rcpt_tos[0], at=time.time(),
            subject=str(mail["Subject"]), message_id=str(mail["Message-ID"]),
            text=str(part.get_content()) if part is not None else "", headers=_headers(cast("bytes", envelope.content)),
        )  # fmt: skip
        self._file.write(msgspec.json.encode(noted) + b"\n")
        return answer

    def _hang_up(self, server: SMTP) -> str:
        assert server.transport is not None
        cast("asyncio.Transport", server.transport).abort()
        return "421 no one hears this"


def _headers(content: bytes) -> tuple[tuple[str, str], ...]:
    """Names and values without any decoding, as a reader that knows nothing of encoded words has them."""
    read = message_from_bytes(content, policy=policy.compat32)
    return tuple((name, str(value)) for name, value in read.items())


async def main(file: Path, seed: int) -> None:
    """Takes mails until the input ends."""
    loop = asyncio.get_running_loop()
    moody = Moody(file, seed)
    server = await loop.create_server(lambda: SMTP(moody, loop=loop), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def become(mood: Mood) -> None:
        nonlocal server
        moody.mood = mood
        if mood == "away":
            server.close()
        elif not server.is_serving():
            server = await loop.create_server(lambda: SMTP(moody, loop=loop), "127.0.0.1", port)

    await obey(port, become)


@dataclass
class Sink(Outsider[Mail]):
    """The program, from the run."""

    module = "chaos.sink"
    note = Mail

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


if __name__ == "__main__":
    arguments: list[Any] = sys.argv[1:]
    asyncio.run(main(Path(arguments[0]), int(arguments[1])))
