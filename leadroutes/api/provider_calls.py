"""Requests of the provider of texts and calls: /twilio/…, verified by their signature, each dealt with once.

What each means is a function of PROVIDER_REQUESTS; what it does belongs to the engine and the store.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

import structlog

from leadroutes.api.bodies import read_bytes
from leadroutes.api.call import Call, Context, Response
from leadroutes.domain.identity import normal_phone
from leadroutes.domain.message import MessageName
from leadroutes.domain.provider_errors import read_code
from leadroutes.domain.received_text import body_of
from leadroutes.errors import Forbidden, Invalid
from leadroutes.observability import metrics
from leadroutes.security.provider_signature import HEADER, KEYS_HEADER, Pairs, Signatures
from leadroutes.store.calls import note_call_state
from leadroutes.store.provider_requests import Answer, answer_once
from leadroutes.store.provider_states import ProviderReport, note_report
from leadroutes.store.received_texts import NewText, add_received_text

log = structlog.get_logger()

FORM: Final = "application/x-www-form-urlencoded"
TWIML: Final = "text/xml"
NOTHING: Final = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
LARGEST = 262_144  # bytes; a form writes a letter of another alphabet with up to twelve
LONGEST_ID = 200  # characters of an id or a word of the provider


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """A request that the provider has signed: the fields of its form, those of its query, the keys in its path."""

    context: Context
    fields: Mapping[str, str]
    query: Mapping[str, str]
    keys: tuple[str, ...]

    def need(self, name: str) -> str:
        """Returns a field that names something. Raises Invalid where there is none."""
        value = self.fields.get(name, "").strip()
        if not value.isprintable() or not 0 < len(value) <= LONGEST_ID:
            raise Invalid(f"{name}: {value[:40]!r} was given; expected 1 to {LONGEST_ID} characters to read")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKind:
    """One kind of request: by what it is known for ever, and what is done the first time.

    `completed`: returns an answer with what must not be stored of it.
    """

    path: str
    about: str
    key: Callable[[ProviderRequest], str]
    work: Callable[[ProviderRequest], Awaitable[Answer]]
    completed: Callable[[ProviderRequest, str], str] | None = None


async def answer(call: Call, kind: RequestKind) -> Response:
    """POST: 403 unless the provider has signed it; else what `kind` answers, the same for every delivery."""
    request = await _verified(call, kind)
    text = await answer_once(call.context.database, kind.key(request), lambda: kind.work(request))
    metrics.PROVIDER_REQUESTS.labels(kind.path, "answered").inc()
    text = text or NOTHING
    if kind.completed is not None:
        text = kind.completed(request, text)
    return Response(200, text.encode(), b"text/xml; charset=utf-8")


async def _verified(call: Call, kind: RequestKind) -> ProviderRequest:
    """Raises Forbidden where the signature is wrong or missing; nothing is stored then."""
    request = call.request
    data = await read_bytes(request, LARGEST, call.context.settings.body_timeout)
    is_form = (request.header("content-type") or FORM).partition(";")[0].strip().lower() == FORM
    pairs: Pairs = parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True) if is_form else ()
    signatures = Signatures.of(call.context.settings)
    if not signatures.is_right(
        request.url, request.header(HEADER), request.header(KEYS_HEADER), pairs if is_form else data
    ):
        metrics.PROVIDER_REQUESTS.labels(kind.path, "forged").inc()
        log.warning("a request is not signed by the provider", address=signatures.address(request.url))
        raise Forbidden("The signature is wrong")
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    return ProviderRequest(call.context, dict(pairs), query, call.ids)


# ------------------------------------------------------------------------------------------ what became of a message


def _key_of_status(request: ProviderRequest) -> str:
    if "CallSid" in request.fields:
        return f"status {request.need('CallSid')} {request.need('CallStatus').lower()}"
    return f"status {request.need('MessageSid')} {request.need('MessageStatus').lower()}"


async def _take_status(request: ProviderRequest) -> Answer:
    """Stores what became of a text or a call; one that names none that we know is only taken note of."""
    if "CallSid" in request.fields:
        return await _take_call_status(request)
    name = MessageName.read(request.query.get("message"))
    if name is not None:
        report = ProviderReport(
            owner_id=name.owner_id,
            message_id=name.id,
            provider_id=request.need("MessageSid"),
            state=request.need("MessageStatus").lower(),
            error_code=read_code(request.fields.get("ErrorCode")),
            address=normal_phone(request.fields.get("To")),
        )
        await note_report(request.context.database, report, is_callback=True)
    return Answer()


async def _take_call_status(request: ProviderRequest) -> Answer:
    if token := request.query.get("call"):
        call_id, state = request.need("CallSid"), request.need("CallStatus").lower()
        code = read_code(request.fields.get("ErrorCode"))
        await note_call_state(request.context.database, token, call_id, state, code)
    return Answer()


# --------------------------------------------------------------------------------------------------- a text came in


def _key_of_text(request: ProviderRequest) -> str:
    return f"message {request.need('MessageSid')}"


async def _take_text(request: ProviderRequest) -> Answer:
    """Stores a text, which a job deals with: what is answered to its sender is a message of its own."""
    fields = request.fields
    text = NewText(
        provider_id=request.need("MessageSid"),
        number=normal_phone(fields.get("To")),
        phone=normal_phone(fields.get("From")),
        body=body_of(fields.get("Body"), fields.get("NumMedia")),
        opt_out_type=fields.get("OptOutType", "")[:LONGEST_ID].replace("\0", "") or None,
    )
    await add_received_text(request.context.database, text)
    return Answer()


PROVIDER_REQUESTS: Final = (
    RequestKind(
        path="/twilio/messages",
        about="A text that came in, from the provider of texts and calls",
        key=_key_of_text,
        work=_take_text,
    ),
    RequestKind(
        path="/twilio/status",
        about="What became of a text or a call, from the provider of texts and calls",
        key=_key_of_status,
        work=_take_status,
    ),
)
