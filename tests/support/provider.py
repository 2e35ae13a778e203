"""A provider of texts and calls on loopback: Twilio's API over real HTTP, whose requests the provider's own SDK signs.

It answers and calls back as a test tells it to: late, twice, in another order, with an error, or not at all.
"""

import asyncio
import base64
import contextlib
import itertools
import socket
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from leadroutes.settings import Settings

ACCOUNT, TOKEN = "AC00000000000000000000000000000001", "the token of the account"
NUMBER = "+13035550100"  # the account's first one
SETTINGS = {"twilio_account": ACCOUNT, "twilio_token": TOKEN, "twilio_from": NUMBER, "texts_per_second": 1000.0}
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Refusal:
    """What the next request that does something is answered with. `is_done`: it was done, and no answer comes."""

    status: int = 400
    code: int | None = None
    message: str = "no"
    is_done: bool = False


@dataclass(frozen=True)
class Asked:
    """A request that was made: method, path below the account, fields of form and query."""

    method: str
    path: str
    fields: dict[str, str]
    user: str


@dataclass
class Provider:
    """`texts` and `calls` are the records by their ids; `asked` all requests; `refusals` are given once each, in order.

    `service` is what its own requests are sent with; its base is where the public address really leads.
    """

    numbers: list[dict[str, Any]] = field(default_factory=lambda: [number_record(NUMBER)])
    texts: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    refusals: deque[Refusal] = field(default_factory=deque)
    refused_numbers: dict[str, int] = field(default_factory=dict)  # number -> the error of every text to it
    plan: Iterable[tuple[str, int | None]] = ()  # states that every text runs through by itself
    on_call: Callable[[dict[str, Any]], Awaitable[None]] | None = None
    before_call: Callable[[dict[str, Any]], Awaitable[None]] | None = None  # is done before the answer
    on_change: Callable[[dict[str, Any], str], Awaitable[None]] | None = None  # of a call, instead of its new status
    service: httpx.AsyncClient | None = None
    account_status: str = "active"
    password: str = TOKEN
    sent_at: list[float] = field(default_factory=list)  # of texts, by the event loop
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _counter: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _listening: socket.socket | None = None
    _server: uvicorn.Server | None = None
    _serving: asyncio.Task[None] | None = None

    # -- server

    async def __aenter__(self) -> Self:
        records = "/2010-04-01/Accounts/{account}"
        routes = [
            Route(f"{records}.json", self._show_account),
            Route(f"{records}/Messages.json", self._send_text, methods=["POST"]),
            Route(f"{records}/Messages.json", self._list_texts),
            Route(f"{records}/Messages/{{sid}}.json", self._show_text),
            Route(f"{records}/Calls.json", self._make_call, methods=["POST"]),
            Route(f"{records}/Calls/{{sid}}.json", self._change_call, methods=["POST"]),
            Route(f"{records}/IncomingPhoneNumbers.json", self._list_numbers),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1
        )
        self._listening = socket.create_server(("127.0.0.1", 0))  # connections wait here until it serves
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listening]))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        assert self._serving is not None
        for task in self._tasks:
            task.cancel()
        self._server.should_exit = True
        await self._serving
        if self.service is not None:
            await self.service.aclose()

    @property
    def url(self) -> str:
        assert self._listening is not None
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    @property
    def settings(self) -> dict[str, Any]:
        """The settings with which the service uses it."""
        return {**SETTINGS, "twilio_url": f"{self.url}/2010-04-01"}

    def serves(self, app: Any, settings: Settings) -> None:
        """Its requests go to this application, in the process of the test."""
        self.service = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=settings.public_url)

    # -- what the service asks

    async def _asked(self, request: Request) -> dict[str, str] | Response:
        """Returns the fields of a request, or the refusal of one with wrong credentials."""
        form = {name: str(value) for name, value in (await request.form()).items()} if request.method == "POST" else {}
        fields = {**dict(request.query_params), **form}
        kind, _, packed = request.headers.get("authorization", "").partition(" ")
        user, _, password = base64.b64decode(packed).decode().partition(":") if kind == "Basic" else ("", "", "")
        path = request.url.path.partition(request.path_params["account"])[2]
        self.asked.append(Asked(request.method, path, fields, user))
        if password != self.password or request.path_params["account"] != ACCOUNT:
            return problem(401, 20003, "Authenticate")
        return fields

    async def _show_account(self, request: Request) -> Response:
        fields = await self._asked(request)
        if isinstance(fields, Response):
            return fields
        return JSONResponse({"sid": ACCOUNT, "friendly_name": "A brokerage", "status": self.account_status})

    async def _send_text(self, request: Request) -> Response:
        fields = await self._asked(request)
        if isinstance(fields, Response):
            return fields
        refusal = self.refusals.popleft() if self.refusals else None
        if refusal is not None and not refusal.is_done:
            return problem(refusal.status, refusal.code, refusal.message)
        if code := self.refused_numbers.get(fields["To"]):
            return problem(400, code, f"The number {fields['To']} cannot be sent to")
        record = await self._accept(fields)
        if refusal is not None:  # as when the connection breaks before the answer
            return problem(refusal.status, None, "gone") if refusal.status != 200 else await _no_answer(request)
        return JSONResponse(record, 201)

    async def _accept(self, fields: dict[str, str]) -> dict[str, Any]:
        sid = f"SM{next(self._counter):032d}"
        record = {
            "sid": sid,
            "account_sid": ACCOUNT,
            "to": fields["To"],
            "from": fields.get("From"),
            "messaging_service_sid": fields.get("MessagingServiceSid"),
            "body": fields["Body"],
            "status": "queued",
            "error_code": None,
            "error_message": None,
            "date_created": format_datetime(datetime.now(UTC)),
            "date_sent": format_datetime(datetime.now(UTC)),
            "callback": fields.get("StatusCallback"),
        }
        self.sent_at.append(asyncio.get_running_loop().time())
        async with self._arrived:
            self.texts[sid] = record
            self._arrived.notify_all()
        if plan := tuple(self.plan):
            self._spawn(self._run_through(sid, plan))
        return record

    async def _run_through(self, sid: str, plan: Iterable[tuple[str, int | None]]) -> None:
        for state, code in plan:
            await self.report(sid, state, code)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _list_texts(self, request: Request) -> Response:
        fields = await self._asked(request)
        if isinstance(fields, Response):
            return fields
        found = [each for each in self.texts.values() if each["to"] == fields.get("To", each["to"])]
        return JSONResponse({"messages": found, "next_page_uri": None})

    async def _show_text(self, request: Request) -> Response:
        fields = await self._asked(request)
        if isinstance(fields, Response):
            return fields
        record = self.texts.get(request.path_params["sid"])
        return JSONResponse(record) if record is not None else problem(404, 20404, "There is no such text")

    async def _make_call(self, request: Request) -> Response:
        fields = await self._asked(request)
        if isinstance(fields, Response):
            return fields
        if self.refusals:
            refusal = self.refusals.popleft()
            return problem(refusal.status, refusal.code, refusal.message)
        sid = f"CA{next(self._counter):032d}"
        record = {"sid": sid, "account_sid": ACCOUNT, "to": fields["To"], "from": fields["From"], "status": "queued",
                  "fields": fields}  # fmt: skip
        async with self._arrived:
            self.calls[sid] = record
            self._arrived.notify_all()
        if self.before_call is not None:
            await self.before_call(record)
        if self.on_call is not None:
            self._spawn(self.on_call(record))
        return JSONResponse(record, 201)

    async def _change_call(self, request: Request) -> Response:
        fields = await self._asked(request)
        if isinstance(fields, Response):
            return fields
        if self.refusals:
            refusal = self.refusals.popleft()
            return problem(refusal.status, refusal.code, refusal.message)
        record = self.calls.get(request.path_params["sid"])
        if record is None:
            return problem(404, 20404, "There is no such call")
        status = fields.get("Status", record["status"])
        if self.on_change is not None:
            await self.on_change(record, status)
        else:
            record["status"] = status
        return JSONResponse(record)

    async def _list_numbers(self, request: Request) -> Response:
        """Two on a page, so that whoever reads only the first misses some."""
        fields = await self._asked(request)
        if isinstance(fields, Response):
            return fields
        page = int(fields.get("Page", "0"))
        further = f"{request.url.path}?Page={page + 1}" if len(self.numbers) > 2 * page + 2 else None
        return JSONResponse({"incoming_phone_numbers": self.numbers[2 * page : 2 * page + 2], "next_page_uri": further})

    # -- what it asks the service

    async def report(self, sid: str, state: str, code: int | None = None, *, times: int = 1) -> httpx.Response | None:
        """Calls back that a text has come into a state, so many times; returns the last answer."""
        record = self.texts[sid]
        record["status"], record["error_code"] = state, code
        fields = {"MessageSid": sid, "SmsSid": sid, "MessageStatus": state, "SmsStatus": state, "AccountSid": ACCOUNT,
                  "To": record["to"], "From": record["from"] or "", "ApiVersion": "2010-04-01"}  # fmt: skip
        if code is not None:
            fields["ErrorCode"] = str(code)
        response = None
        for _ in range(times if record["callback"] else 0):
            response = await self.post(record["callback"], fields)
        return response

    async def text_in(
        self, sender: str, text: str, *, to: str = NUMBER, sid: str | None = None, **more: str
    ) -> httpx.Response:
        """A text comes in at a number of the account. Returns what the service answers."""
        [number] = [each for each in self.numbers if each["phone_number"] == to]
        sid = sid or f"SM{next(self._counter):032d}"
        fields = {"MessageSid": sid, "SmsSid": sid, "AccountSid": ACCOUNT, "From": sender, "To": to, "Body": text,
                  "NumMedia": "0", "NumSegments": "1", "SmsStatus": "received", **more}  # fmt: skip
        return await self.post(number["sms_url"] or f"{self._public}/twilio/messages", fields)

    @property
    def _public(self) -> str:
        assert self.service is not None
        return str(self.service.base_url).rstrip("/")

    async def post(self, address: str, fields: dict[str, str], *, signature: str | None = None) -> httpx.Response:
        """A request that is signed for this address, as the provider does: without what is behind #."""
        assert self.service is not None, "serves() says where the service is"
        address = address.partition("#")[0]
        headers = {"X-Twilio-Signature": signature if signature is not None else sign(address, fields)}
        parts = urlsplit(address)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return await self.service.post(target, data=fields, headers=headers)

    # -- what tests wait for

    async def wait_for(
        self, count: int, matching: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> list[dict[str, Any]]:
        """Wait, ten seconds at the most, until so many texts that match have come."""

        def found() -> list[dict[str, Any]]:
            return [each for each in self.texts.values() if matching(each)]

        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(lambda: len(found()) >= count), 10)
        return found()

    @property
    def bodies(self) -> list[str]:
        return [each["body"] for each in self.texts.values()]


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider() as provider:
        yield provider


class _Server(uvicorn.Server):
    """Signals are those of the test run."""

    def capture_signals(self) -> Any:
        return contextlib.nullcontext()


async def _no_answer(request: Request) -> Response:
    """Nothing is answered until the other side gives up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()


def problem(status: int, code: int | None, message: str) -> Response:
    """An error as the API shows it."""
    return JSONResponse({"code": code, "message": message, "status": status}, status)


def number_record(number: str, *, text_url: str | None = None, call_url: str | None = None) -> dict[str, Any]:
    """A number of the account."""
    return {
        "sid": f"PN{abs(hash(number)):032d}"[:34],
        "phone_number": number,
        "friendly_name": number,
        "sms_url": text_url,
        "voice_url": call_url,
        "capabilities": {"sms": True, "voice": True, "mms": True},
    }


def sign(address: str, fields: dict[str, str], token: str = TOKEN) -> str:
    """The signature by the provider's own SDK."""
    return str(RequestValidator(token).compute_signature(address, fields))
