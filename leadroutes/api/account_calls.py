"""The calls for accounts beyond reading and changing them: the second factor, signing out, links that set a password.

They check who may call; the engine does the rest.
"""

from functools import partial
from typing import Any

import msgspec

from leadroutes.api.audit import act_on_user
from leadroutes.api.auth import Caller
from leadroutes.api.bodies import fields_of, read_limited
from leadroutes.api.call import Call, Response
from leadroutes.api.lead_calls import encoded, read_nothing
from leadroutes.api.query import selection
from leadroutes.api.reads import id_in, require_allowed
from leadroutes.api.resources import BY_PATH
from leadroutes.api.resources.sign_ins import is_mailed, shown_link
from leadroutes.api.resources.users import must_be_ones_own
from leadroutes.api.statements import record_sql
from leadroutes.engine.ended_sessions import end_sessions
from leadroutes.engine.password_links import make_reset_link, send_invitation_again
from leadroutes.engine.second_factors import WRONG_CODE, SecondFactors, remove_second_factor
from leadroutes.errors import Conflict, Forbidden, Invalid, NotFound
from leadroutes.security.throttle import limits_of_code, limits_of_user
from leadroutes.security.vault import Vault
from leadroutes.store.accounts import is_password_of
from leadroutes.store.sign_ins import NO_BROWSER

USERS, INVITATIONS = BY_PATH["/users"], BY_PATH["/user-invitations"]
BODY_LIMIT = 4_096
LONGEST_PASSWORD = 255


# -------------------------------------------------------------------------------------------- one's second factor


async def second_factor(call: Call) -> Response:
    """Whether the caller has a second factor, and whether one is required."""
    _must_be_personal(call.caller)
    call.require_json_accepted()
    return Response(200, await _state(call))


async def _state(call: Call) -> bytes:
    state = await _factors(call).state(call.caller.user_id)
    return encoded(
        {
            "is_on": state.is_on,
            "confirmed_at": state.confirmed_at,
            "recovery_codes_left": state.codes_left if state.is_on else 0,
            "is_required": _is_required(call),
        }
    )


async def begin_second_factor(call: Call) -> Response:
    """Returns a secret for an app; it is in force once a code of it is confirmed."""
    body = await _read(call)
    await _check_password(call, body)
    call.require_json_accepted()
    enrolment = await _factors(call).begin(call.caller.user_id)
    return Response(201, encoded({"secret": enrolment.secret, "uri": enrolment.uri}))


async def confirm_second_factor(call: Call) -> Response:
    """Puts the second factor into force, and returns the recovery codes, once."""
    body = await _read(call)
    await must_be_ones_own(call.context.database, call.caller, {"password": None})
    code = _text(body, "code")
    call.require_json_accepted()
    confirm = partial(_factors(call).confirm, call.caller.user_id, code, NO_BROWSER)
    codes = await call.context.throttle.compare(limits_of_code(call.caller.user_id), _wrong_as_false(confirm))
    if not codes:
        raise Invalid.fields({"code": WRONG_CODE})
    return Response(200, encoded({"recovery_codes": codes}))


def _wrong_as_false(confirm: Any) -> Any:
    """A wrong code counts against the limit, where an exception would not."""

    async def find() -> list[str]:
        try:
            return list(await confirm())
        except Invalid:
            return []

    return find


async def renew_recovery_codes(call: Call) -> Response:
    """Replaces the caller's recovery codes; the new ones are returned, once."""
    body = await _read(call)
    await _check_password(call, body)
    call.require_json_accepted()
    return Response(200, encoded({"recovery_codes": await _factors(call).renew_codes(call.caller.user_id)}))


async def remove_own_second_factor(call: Call) -> Response:
    """Removes the caller's second factor with its recovery codes and trusted browsers."""
    body = await _read(call)
    await _check_password(call, body)
    if _is_required(call):
        raise Conflict("Administrators need a second factor here")
    call.require_json_accepted()
    await remove_second_factor(call.context.database, call.caller.user_id, NO_BROWSER)
    return Response(200, await _state(call))


def _is_required(call: Call) -> bool:
    return call.caller.is_admin and call.context.settings.admin_second_factor


def _factors(call: Call) -> SecondFactors:
    return SecondFactors(call.context.database, Vault.of(call.context.settings))


async def _check_password(call: Call, body: dict[str, Any]) -> None:
    await must_be_ones_own(call.context.database, call.caller, {"password": None})
    user_id = call.caller.user_id
    compare = partial(is_password_of, call.context.database, user_id, _text(body, "current_password"))
    if not await call.context.throttle.compare(limits_of_user(user_id), compare):
        message = "current_password: another one was given; expected the present password"
        raise Invalid.fields({"current_password": message})


# ------------------------------------------------------------------------------------------------ other accounts


async def sign_out_user(call: Call) -> Response:
    """Ends all sessions of the caller, or, for an administrator, of another user."""
    await read_nothing(call)
    user_id = await _get_user_id(call, own=True)
    call.require_json_accepted()
    act = act_on_user(call, user_id)
    ended = await end_sessions(call.context.database, user_id, call.caller.user_id, act=act)
    return Response(200, encoded({"ended": ended}))


async def make_password_link(call: Call) -> Response:
    """Sends a user a link that sets a password; where mails go nowhere, the administrator gets it."""
    await read_nothing(call)
    await must_be_ones_own(call.context.database, call.caller, {"password": None})
    user_id = await _get_user_id(call)
    call.require_json_accepted()
    settings = call.context.settings
    act, mailed = act_on_user(call, user_id), is_mailed(settings)
    made = await make_reset_link(call.context.database, user_id, call.caller.user_id, is_mailed=mailed, act=act)
    return Response(201, encoded({"link": shown_link(settings, made)}))


async def remove_users_second_factor(call: Call) -> Response:
    """Removes the second factor of a user who has lost it, for an administrator."""
    await read_nothing(call)
    await must_be_ones_own(call.context.database, call.caller, {"password": None})
    user_id = await _get_user_id(call)
    call.require_json_accepted()
    act = act_on_user(call, user_id)
    await remove_second_factor(call.context.database, user_id, NO_BROWSER, call.caller.user_id, act)
    return Response(200, encoded({"is_on": False}))


async def _get_user_id(call: Call, *, own: bool = False) -> int:
    """Raises NotFound for a user whom the caller does not see, Forbidden unless the caller is an administrator.

    `own`: users may do it for themselves.
    """
    user_id = id_in(call.ids[0])
    row = await call.context.database.fetchrow(record_sql(USERS, (), ("id",)), call.caller.user_id, user_id)
    if row is None or row["record"] is None:
        raise NotFound.record(call.ids[0])
    _must_be_personal(call.caller)
    if not (call.caller.is_admin or (own and user_id == call.caller.user_id)):
        raise Forbidden("Only an administrator does this for another user")
    return user_id


async def send_invitation(call: Call) -> Response:
    """Sends a new link for an invitation; the earlier one ends."""
    keys = selection(INVITATIONS, call.request.query)
    await read_nothing(call)
    require_allowed(call, INVITATIONS)
    link_id = id_in(call.ids[0])
    sql = record_sql(INVITATIONS, (), keys)
    await _invitation(call, sql, link_id)
    await must_be_ones_own(call.context.database, call.caller, {"password": None})
    call.require_json_accepted()
    settings = call.context.settings
    made = await send_invitation_again(
        call.context.database,
        link_id,
        call.caller.user_id,
        is_mailed=is_mailed(settings),
        act=act_on_user(call, call.caller.user_id, link_id),
    )
    shown = msgspec.json.decode(await _invitation(call, sql, link_id))
    if "link" in shown:
        shown["link"] = shown_link(settings, made)
    return Response(200, encoded(shown))


async def _invitation(call: Call, sql: str, link_id: int) -> str:
    row = await call.context.database.fetchrow(sql, call.caller.user_id, link_id)
    if row is None or row["record"] is None:
        raise NotFound.record(call.ids[0])
    record: str = row["record"]
    return record


# -------------------------------------------------------------------------------------------------------- bodies


def _must_be_personal(caller: Caller) -> None:
    if caller.application_id is not None:
        raise Forbidden("The token of an application does not do this")


async def _read(call: Call) -> dict[str, Any]:
    _must_be_personal(call.caller)
    data = await read_limited(call.request, BODY_LIMIT, call.context.settings.body_timeout)
    return fields_of(call.request, data, is_new=False)


def _text(body: dict[str, Any], name: str) -> str:
    """Returns a text of the body. Raises Invalid."""
    value = body.get(name)
    if value is None:
        raise Invalid.fields({name: f"{name} is required"})
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > LONGEST_PASSWORD:
        raise Invalid.fields({name: f"{name}: expected a text of at most {LONGEST_PASSWORD} characters"})
    return str(value)
