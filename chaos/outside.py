"""A provider of texts and calls, and a receiver of webhooks, with moods like those of the mail server (`sink`).

A program (`python -m chaos.outside FILE SEED SERVICE`), as `outsider` says; it notes every text, call and webhook. To
SERVICE it reports what became of texts and calls (late, twice, in another order, or not at all), and sends what agents
and contacts reply; it notes an answer of a contact once the service has acknowledged it.
"""

import asyncio
import itertools
import random
import re
import sys
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chaos.brokerage import TEXT_STEPS
from chaos.outsider import SLOWEST, Fate, Mood, Note, Outsider, obey
from leadroutes.security.provider_signature import HEADER, signed
from leadroutes.server.run import listen, serving_http
from leadroutes.settings import Settings

ACCOUNT: Final = "AC0000000000000000000000000chaos"
TOKEN: Final = "token-of-the-account"  # noqa: S105 -- of a server that ends with the run
NUMBER: Final = "+13035550100"
WEBHOOKS: Final = "/webhooks"  # the path of the receiver

Kind = Literal["text", "call", "webhook", "answer"]
# Of a hundred requests while it is moody. The rest are answered at once.
FATES: Final[dict[Fate, float]] = {
    "taken, no answer": 1.5,
    "lost, no answer": 1.5,
    "refused for now": 3,
    "refused for good": 1,
}
REPLIES: Final = 0.3  # of the texts to agents, the part that is answered with a claim
ANSWERS: Final = {"STOP": 0.06, "Thanks, please call me": 0.1}  # of the texts to contacts, the part that is answered so
LOST, DOUBLED = 0.1, 0.2  # of the reports
AWAY_FOR: Final = 20  # attempts of a report while the service is being killed
_REPLY: Final = re.compile(r"reply (\d{1,2})\b")


class Taken(Note, frozen=True, kw_only=True):
    """One request. `to` and `said`: number and words, or the id and type of a webhook.

    Of the kind `answer`: a contact with the number `to` said it at `said_at`, and the service acknowledged it at `at`.
    """

    kind: Kind
    said: str
    said_at: float = 0.0


class Outside:
    """Both of them; `mood` is theirs together."""

    def __init__(self, file: Path, seed: int, service: str) -> None:
        self.mood: Mood = "moody"
        self._file = file.open("ab", buffering=0)
        self._dice = random.Random(seed)  # noqa: S311 -- it has to be repeatable
        self._service = service
        self._numbers = itertools.count(1)
        self._texts: dict[str, dict[str, str]] = {}  # by the provider's id
        self._under_way: set[asyncio.Task[object]] = set()
        self._client = httpx.AsyncClient(timeout=10, trust_env=False)

    @property
    def application(self) -> Starlette:
        account = "/2010-04-01/Accounts/{account}"
        return Starlette(
            routes=[
                Route(f"{account}/Messages.json", self._take_text, methods=["POST"]),
                Route(f"{account}/Messages.json", self._list_texts),
                Route(f"{account}/Messages/{{sid}}.json", self._show_text),
                Route(f"{account}/Calls.json", self._take_call, methods=["POST"]),
                Route(f"{account}/Calls/{{sid}}.json", self._end_call, methods=["POST"]),
                Route(f"{account}/IncomingPhoneNumbers.json", _list_numbers),
                Route(WEBHOOKS, self._take_webhook, methods=["POST"]),
            ]
        )

    # -- the provider

    async def _take_text(self, request: Request) -> Response:
        came_at, fields = time.time(), await _fields(request)
        fate = await self._whim()
        self._note("text", fate, fields["To"], fields["Body"], came_at)
        if fate in ("taken", "taken, no answer"):
            message_id = f"SM{next(self._numbers):032d}"
            self._texts[message_id] = fields
            self._begin(self._report_text(message_id, fields))
            if (reply := _REPLY.search(fields["Body"])) and self._dice.random() < REPLIES:
                self._begin(self._reply(fields["To"], reply[1]))
            if fields["Body"].startswith(tuple(TEXT_STEPS)):
                self._begin(self._answer_of_contact(fields["To"]))
            return await self._answer(fate, JSONResponse({"sid": message_id, "status": "queued"}, 201))
        return await self._answer(fate, _problem(400, 21211))

    async def _report_text(self, message_id: str, fields: dict[str, str]) -> None:
        address = fields.get("StatusCallback")
        states = ["sent", "delivered"]
        if self._dice.random() < LOST:
            states.reverse()
        for state in states if address else ():
            report = {"MessageSid": message_id, "MessageStatus": state, "To": fields["To"], "AccountSid": ACCOUNT}
            await self._report(str(address), report)

    async def _reply(self, number: str, words: str) -> bool:
        """Returns whether the service has acknowledged it."""
        await asyncio.sleep(self._dice.uniform(0.0, 2.0))
        message_id = f"SM9{next(self._numbers):031d}"
        fields = {"MessageSid": message_id, "AccountSid": ACCOUNT, "From": number, "To": NUMBER, "Body": words}
        return await self._insist(f"{self._service}/twilio/messages", fields)

    async def _answer_of_contact(self, number: str) -> None:
        """Some answer, and some of them want no more texts."""
        silent = 1 - sum(ANSWERS.values())
        [words] = self._dice.choices(["", *ANSWERS], [silent, *ANSWERS.values()])
        said_at = time.time()
        if words and await self._reply(number, words):
            self._note("answer", "taken", number, words, said_at=said_at)

    async def _list_texts(self, request: Request) -> Response:
        to = request.query_params.get("To")
        found = [
            {"sid": message_id, "status": "delivered", "body": fields["Body"], "to": fields["To"]}
            for message_id, fields in self._texts.items()
            if fields["To"] == to
        ]
        return JSONResponse({"messages": found, "next_page_uri": None})

    async def _show_text(self, request: Request) -> Response:
        message_id = request.path_params["sid"]
        if message_id not in self._texts:
            return _problem(404, 20404)
        return JSONResponse({"sid": message_id, "status": "delivered"})

    async def _take_call(self, request: Request) -> Response:
        fields = await _fields(request)
        fate = await self._whim()
        self._note("call", fate, fields["To"], fields["Url"])
        if fate not in ("taken", "taken, no answer"):
            return await self._answer(fate, _problem(400, 21211))
        call_id = f"CA{next(self._numbers):032d}"
        self._begin(self._ring(call_id, fields))
        return await self._answer(fate, JSONResponse({"sid": call_id, "status": "queued"}, 201))

    async def _ring(self, call_id: str, fields: dict[str, str]) -> None:
        """A machine hears it, or it is busy."""
        call = {"CallSid": call_id, "To": fields["To"], "From": fields["From"], "AccountSid": ACCOUNT}
        is_busy = self._dice.random() < LOST
        if not is_busy:
            await self._insist(fields["Url"], call | {"CallStatus": "in-progress"})
        await self._report(fields["StatusCallback"], call | {"CallStatus": "busy" if is_busy else "completed"})

    async def _end_call(self, request: Request) -> Response:
        return JSONResponse({"sid": request.path_params["sid"], "status": "canceled"})

    async def _report(self, address: str, fields: dict[str, str]) -> None:
        await asyncio.sleep(self._dice.uniform(0.0, SLOWEST if self.mood != "calm" else 0.1))
        if self._dice.random() < LOST and self.mood != "calm":
            return
        for _ in range(2 if self._dice.random() < DOUBLED else 1):
            await self._insist(address, fields)

    async def _insist(self, given: str, fields: dict[str, str]) -> bool:
        """A signed request to the service, repeated while it is away; what follows a # is not signed.

        Returns whether it was answered 2xx.
        """
        address = given.partition("#")[0]
        headers = {HEADER: signed(TOKEN, address, fields.items())}
        for _ in range(AWAY_FOR):
            with suppress(httpx.HTTPError):
                answer = await self._client.post(address, data=fields, headers=headers)
                if answer.status_code < 500:
                    return answer.is_success
            await asyncio.sleep(self._dice.uniform(0.2, 1.0))
        return False

    # -- the receiver

    async def _take_webhook(self, request: Request) -> Response:
        body = await request.json()
        fate = await self._whim()
        self._note("webhook", fate, request.headers["webhook-id"], body["type"])
        is_taken = fate in ("taken", "taken, no answer")
        return await self._answer(fate, Response(status_code=204) if is_taken else Response(status_code=400))

    # -- moods

    async def _whim(self) -> Fate:
        """What becomes of a request. One that is slow is taken in the end."""
        match self.mood:
            case "calm":
                return "taken"
            case "slow":
                await asyncio.sleep(self._dice.uniform(0.5, SLOWEST))
                return "taken"
            case "away":
                return "refused for now"
            case "moody":
                weights = [100 - sum(FATES.values()), *FATES.values()]
                return self._dice.choices(["taken", *FATES], weights)[0]

    async def _answer(self, fate: Fate, answer: Response) -> Response:
        """Returns what is answered; where nothing is, once the other side has given up."""
        match fate:
            case "taken" | "refused for good":
                return answer
            case "refused for now":
                return _problem(503, None)
            case "taken, no answer" | "lost, no answer":
                return _HangUp()

    def _note(self, kind: Kind, fate: Fate, to: str, said: str, at: float | None = None, said_at: float = 0.0) -> None:
        at = time.time() if at is None else at
        taken = Taken(kind=kind, fate=fate, to=to, said=said, at=at, said_at=said_at)
        self._file.write(msgspec.json.encode(taken) + b"\n")

    def _begin(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)


class _HangUp(Response):
    """A server begins an answer without its end, and closes the connection: the client knows nothing."""

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"1")]})


async def _list_numbers(_request: Request) -> Response:
    return JSONResponse({"incoming_phone_numbers": [{"phone_number": NUMBER}], "next_page_uri": None})


async def _fields(request: Request) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.form()).items()}


def _problem(status: int, code: int | None) -> Response:
    return JSONResponse({"code": code, "message": "not now", "status": status}, status)


async def main(file: Path, seed: int, service: str) -> None:
    """Serves until the input ends."""
    outside = Outside(file, seed, service)
    listening = listen("127.0.0.1", 0)

    async def become(mood: Mood) -> None:
        outside.mood = mood

    async with serving_http(Settings(), outside.application, listening):
        await obey(listening.getsockname()[1], become)


@dataclass
class World(Outsider[Taken]):
    """The program, from the run."""

    module = "chaos.outside"
    note = Taken

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """The settings with which the service uses both."""
        return {
            "LEADROUTES_TWILIO_URL": f"{self.url}/2010-04-01",
            "LEADROUTES_TWILIO_ACCOUNT": ACCOUNT,
            "LEADROUTES_TWILIO_TOKEN": TOKEN,
            "LEADROUTES_TWILIO_FROM": NUMBER,
            "LEADROUTES_TEXTS_PER_SECOND": "500",
            "LEADROUTES_CALLS_PER_SECOND": "500",
            "LEADROUTES_WEBHOOKS_TO_PRIVATE": "on",
            "LEADROUTES_WEBHOOK_TRIES": ",".join(["1s"] * 5 + ["5s"] * 200),
        }


if __name__ == "__main__":
    arguments: list[Any] = sys.argv[1:]
    asyncio.run(main(Path(arguments[0]), int(arguments[1]), arguments[2]))
