"""Calls about the rules of an account as a whole: the check. Nothing is decided here."""

import msgspec

from leadroutes.api.call import Call, Response


async def check(call: Call) -> Response:
    """GET /rules/check: what in the caller's rules cannot work, and what is hardly meant."""
    call.require_json_accepted()
    found = await call.context.engine.rule_checks.check(call.caller.user_id)
    return Response(200, msgspec.json.encode(found))
