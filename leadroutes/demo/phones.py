"""The provider of the demonstration: takes texts and calls as a real one does, and reports what became of them.

It stores what it is given, and sends nothing to anyone. Calls are answered by a machine, which listens and hangs up,
unless an agent is there to press a key.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import httpx
from selectolax.lexbor import LexborHTMLParser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from leadroutes.security.provider_signature import HEADER, signed
from leadroutes.server.run import address_of, listen, serving_http
from leadroutes.settings import Settings

ACCOUNT: Final = "AC00000000000000000000000000demo"
TOKEN: Final = "demo"  # noqa: S105 -- of a server of our own on loopback
NUMBER: Final = "+13035550100"
_OF_A_TEXT: Final = ("sent", "delivered")
_REPLY: Final = re.compile(r"reply (\d{1,2})\b")


@dataclass(frozen=True, slots=True)
class KeyPress:
    """What an agent does in a call that speaks of a person with this first name, after so many seconds."""

    number: str
    first_name: str
    key: str
    after: float


class Phones:
    """`texts` are all that were taken, as (number, text); `calls` the numbers that were called.

    `key_presses` are expected; all other calls are heard by machines.
    """

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self.calls: list[str] = []
        self.key_presses: list[KeyPress] = []
        self._arrived = asyncio.Condition()
        self._said = 0
        self._reporting: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[dict[str, Any]]:
        """The settings with which the service uses it."""
        account = "/2010-04-01/Accounts/{account}"
        routes = [
            Route(f"{account}/Messages.json", self._take, methods=["POST"]),
            Route(f"{account}/Calls.json", self._ring, methods=["POST"]),
            Route(f"{account}/Calls/{{call_id}}.json", _end_call, methods=["POST"]),
            Route(f"{account}/IncomingPhoneNumbers.json", self._list_numbers),
        ]
        listening = listen("127.0.0.1", 0)
        async with serving_http(Settings(), Starlette(routes=routes), listening):
            try:
                yield {
                    "twilio_url": f"{address_of(listening)}/2010-04-01",
                    "twilio_account": ACCOUNT,
                    "twilio_token": TOKEN,
                    "twilio_from": NUMBER,
                }
            finally:
                for each in self._reporting:
                    each.cancel()

    async def wait_for_reply_number(self, number: str, first_name: str) -> str:
        """Waits for a text to this phone about the person with this first name; returns with what to claim it."""

        def find() -> str | None:
            found = (_REPLY.search(body) for to, body in self.texts if to == number and first_name in body)
            return next((each[1] for each in found if each), None)

        async with self._arrived:
            return await self._arrived.wait_for(find) or ""

    async def say(self, service: str, number: str, body: str) -> httpx.Response:
        """Sends a text from this phone to the service at this address."""
        self._said += 1
        message_id = f"SM9{self._said:031d}"
        fields = {"MessageSid": message_id, "AccountSid": ACCOUNT, "From": number, "To": NUMBER, "Body": body}
        async with httpx.AsyncClient() as client:
            return await _ask(client, f"{service}/twilio/messages", fields)

    async def _take(self, request: Request) -> JSONResponse:
        fields = await _fields(request)
        async with self._arrived:
            self.texts.append((fields["To"], fields["Body"]))
            self._arrived.notify_all()
        message_id = f"SM{len(self.texts):032d}"
        if callback := fields.get("StatusCallback"):
            reports = [{"MessageSid": message_id, "MessageStatus": state, "To": fields["To"]} for state in _OF_A_TEXT]
            self._begin(_report(callback, reports))
        return JSONResponse({"sid": message_id, "status": "queued"}, 201)

    async def _ring(self, request: Request) -> JSONResponse:
        fields = await _fields(request)
        self.calls.append(fields["To"])
        call = {"CallSid": f"CA{len(self.calls):032d}", "To": fields["To"]}
        self._begin(self._talk(call, fields["Url"], fields["StatusCallback"]))
        return JSONResponse({"sid": call["CallSid"], "status": "queued"}, 201)

    async def _talk(self, call: dict[str, str], address: str, callback: str) -> None:
        """A call from its first word to its end."""
        async with _requests() as client:
            heard = await _ask(client, address, call | {"CallStatus": "in-progress"})
            question = LexborHTMLParser(heard.text)
            words, gather = heard.text, question.css_first("gather")
            press = next(
                (each for each in self.key_presses if each.number == call["To"] and each.first_name in words), None
            )
            if press is not None and gather is not None:
                await asyncio.sleep(press.after)
                await _ask(
                    client, str(gather.attributes["action"]), call | {"CallStatus": "in-progress", "Digits": press.key}
                )
            await _ask(client, callback, call | {"CallStatus": "completed"})

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._reporting.add(task)
        task.add_done_callback(self._reporting.discard)

    async def _list_numbers(self, _request: Request) -> JSONResponse:
        return JSONResponse({"incoming_phone_numbers": [{"phone_number": NUMBER}], "next_page_uri": None})


async def _end_call(request: Request) -> JSONResponse:
    return JSONResponse({"sid": request.path_params["call_id"], "status": "canceled"})


async def _fields(request: Request) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.form()).items()}


@contextlib.asynccontextmanager
async def _requests() -> AsyncIterator[httpx.AsyncClient]:
    """A client; the service may end in the meantime."""
    with contextlib.suppress(httpx.HTTPError):
        async with httpx.AsyncClient() as client:
            yield client


async def _report(address: str, reports: list[dict[str, str]]) -> None:
    async with _requests() as client:
        for report in reports:
            await _ask(client, address, report)


async def _ask(client: httpx.AsyncClient, given: str, fields: dict[str, str]) -> httpx.Response:
    """A signed request to the service; what follows a # is for the provider alone."""
    address = given.partition("#")[0]
    return await client.post(address, data=fields, headers={HEADER: signed(TOKEN, address, fields.items())})
