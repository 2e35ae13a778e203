"""Steps of calls to agents, as the provider asks for them: what is said next, and what a key has done.

Each step is dealt with once; what follows from it, leadroutes/engine/phone_calls.py knows.
"""

from typing import Final

from leadroutes.api.provider_calls import ProviderRequest, RequestKind
from leadroutes.domain.phone_steps import PhoneStep
from leadroutes.engine.phone_calls import CALL_MARK, PhoneRequest
from leadroutes.errors import Invalid
from leadroutes.store.provider_requests import Answer

CALL_STEP_PATH: Final = "/twilio/calls/:key"


def _step(request: ProviderRequest) -> PhoneStep:
    step = PhoneStep.of(request.query.get("step"), request.query.get("after"))
    if step is None:
        raise Invalid("step: the address names no step of a call; expected the address of the last answer")
    return step


def _key_of_step(request: ProviderRequest) -> str:
    return f"call {request.need('CallSid')} {_step(request).number}"


async def _take_step(request: ProviderRequest) -> Answer:
    [token] = request.keys
    asked = PhoneRequest(
        token=token,
        step=_step(request),
        digits=request.fields.get("Digits", "")[:10],
        provider_id=request.need("CallSid"),
        number=request.need("To"),
        has_talked=request.fields.get("DialCallStatus") in ("completed", "answered"),
    )
    said = await request.context.phone_calls.answer(asked)
    return Answer(text=said.document, owner_id=said.owner_id, contact_id=said.contact_id)


def _with_secret(request: ProviderRequest, text: str) -> str:
    """The secret of a call is not stored, so it is put into the addresses of each answer."""
    return text.replace(CALL_MARK, request.keys[0])


CALL_STEP: Final = RequestKind(
    path=CALL_STEP_PATH,
    about="What is said next in a call to an agent, for the provider of texts and calls",
    key=_key_of_step,
    work=_take_step,
    completed=_with_secret,
)
