"""LionDesk's old partner API: `action: NewSubmission` with flat fields, and `Echo`.

Basic auth holds the partner's key with an empty password, X-LionDesk-Id the user's key.
"""

from typing import Any, Final

from leadroutes.domain.inquiry import Inquiry
from leadroutes.intake.authentication import is_same, require_basic, secret
from leadroutes.intake.body import Body
from leadroutes.intake.decoding import record, scalar
from leadroutes.intake.flat import flat_draft, flat_pairs, gather
from leadroutes.intake.results import ControlMessage, Reading, Refusal, Refused, Result

_PERSON: Final = frozenset({"id"})
"""In this API a bare `id` is the person's, not the inquiry's."""


def recognises(incoming: Body) -> bool:
    """Whether a body is JSON with an `action` of that API, or with any action under its header."""
    action = scalar(record(incoming.json_if_any).get("action"))
    is_ours = action is not None and action.strip().lower() in {"newsubmission", "echo"}
    return is_ours or (action is not None and incoming.header("X-LionDesk-Id") is not None)


def check(incoming: Body) -> None:
    """Raises Refused for a wrong partner key or user key."""
    require_basic(incoming, secret(incoming, "api_key"), None, empty_password=True)
    if not is_same(incoming.header("X-LionDesk-Id"), secret(incoming, "user_key")):
        raise Refused("bad_secret", "The header X-LionDesk-Id must hold the user's key.")


def read(incoming: Body) -> list[Result]:
    """Returns one lead, the answer to an echo, or `not_a_lead` for every other action."""
    pairs = _pairs(incoming)
    action = _named(pairs, "action")
    match action.lower():
        case "newsubmission":
            return [flat_draft(gather(pairs), incoming.default_source, without=_PERSON).normalize()]
        case "echo":
            reply = {"error": 0, "errorText": "", "action": "Echo", "msg": dict(pairs).get("msg")}
            return [ControlMessage("echo", reply=reply)]
    raise Refused("not_a_lead", f"The action {action[:50]!r} brings no lead; NewSubmission does.")


def marks(incoming: Body) -> dict[str, str]:
    """Returns the action, which the answer repeats."""
    return {"action": _named(_pairs(incoming), "action")}


def answer(reading: Reading, lead_id: int | None) -> dict[str, Any]:
    """Returns what LionDesk's old API answered: error 0 and the id, or error 1 and a sentence."""
    result = reading.results[0]
    if isinstance(result, ControlMessage) and result.reply is not None:
        return dict(result.reply)
    text = result.detail if isinstance(result, Refusal) else ""
    action = reading.marks.get("action", "NewSubmission")
    return {"error": 0 if isinstance(result, Inquiry) else 1, "errorText": text, "action": action, "id": lead_id}


def _pairs(incoming: Body) -> list[tuple[str, Any]]:
    if incoming.is_form:
        return list(incoming.form)
    if not isinstance(incoming.json, dict):
        raise Refused("malformed", "The JSON must be an object.")
    return list(flat_pairs(incoming.json))


def _named(pairs: list[tuple[str, Any]], name: str) -> str:
    """Returns the first text under exactly this name."""
    texts = (scalar(value) or "" for key, value in pairs if key == name)
    return next((text.strip() for text in texts if text.strip()), "")
