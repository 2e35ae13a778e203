"""Calls for the example brokerage: shown, loaded, removed. For administrators, as it adds users.

Nothing is decided here: leadroutes.operations loads and removes it.
"""

from typing import Any

import msgspec

from leadroutes.api.audit import act_of_call
from leadroutes.api.call import Call, Response
from leadroutes.api.lead_calls import read_nothing
from leadroutes.errors import Forbidden
from leadroutes.operations.example_brokerage import load_example, remove_example, show_example


async def show(call: Call) -> Response:
    """GET /example-brokerage: whether it is loaded, or can be."""
    _require_administrator(call)
    call.require_json_accepted()
    return _answer(200, await show_example(call.context.database, call.caller.user_id))


async def load(call: Call) -> Response:
    """POST /example-brokerage: adds it to the caller's account."""
    await _begin(call)
    await load_example(call.context.database, call.caller.user_id, act_of_call(call, call.caller.user_id))
    return _answer(201, await show_example(call.context.database, call.caller.user_id))


async def remove(call: Call) -> Response:
    """DELETE /example-brokerage: removes all that it has added, and the test leads."""
    await _begin(call)
    act = act_of_call(call, call.caller.user_id)
    return _answer(200, {"removed": await remove_example(call.context.database, call.caller.user_id, act)})


async def _begin(call: Call) -> None:
    await read_nothing(call)
    _require_administrator(call)
    call.require_json_accepted()


def _require_administrator(call: Call) -> None:
    if not call.caller.is_admin:
        raise Forbidden("Only administrators load the example brokerage, as it adds users")


def _answer(status: int, shown: dict[str, Any]) -> Response:
    return Response(status, msgspec.json.encode(shown))
