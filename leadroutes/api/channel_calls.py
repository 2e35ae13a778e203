"""Calls about the channels of the installation, for administrators: their state, and a message to try one.

The worker finds out what works; here that is only shown.
"""

from typing import Any

import msgspec
from asyncpg import Record

from leadroutes.api.call import Call, Response
from leadroutes.api.lead_calls import encoded, read_nothing
from leadroutes.channels import CHANNELS, LINES_TO_ADD, open_channels
from leadroutes.channels.envelope import Envelope
from leadroutes.domain.identity import normal_phone
from leadroutes.errors import Conflict, Forbidden
from leadroutes.operations.channel_checks import SUBJECT, TEST_MAIL, TEST_TEXT, deliver_test
from leadroutes.store import statement
from leadroutes.store.channel_faults import list_channel_faults


async def show_channels(call: Call) -> Response:
    """GET /channels: each channel with its state, and what to add to the settings where it is not configured."""
    _require_administrator(call)
    call.require_json_accepted()
    faults = {row["channel"]: row for row in await list_channel_faults(call.context.database)}
    channels = open_channels(call.context.settings)
    return Response(200, encoded([_shown(name, channels[name] is not None, faults.get(name)) for name in CHANNELS]))


def _shown(name: str, is_configured: bool, fault: Any) -> dict[str, Any]:
    return {
        "name": name,
        "is_available": name in LINES_TO_ADD,
        "is_configured": is_configured,
        "is_working": is_configured and fault is None,
        "reason": fault["reason"] if fault else None,
        "since": fault["since"] if fault else None,
        "last_at": fault["last_at"] if fault else None,
        "waiting": fault["waiting"] if fault else 0,
        "lines": [] if is_configured else list(LINES_TO_ADD.get(name, ())),
    }


async def send_test_mail(call: Call) -> Response:
    """POST /channels/email/test: a mail to the caller; says whether the mail server took it, else why not."""
    person = await _person(call)
    envelope = Envelope(address=person["email"], subject=SUBJECT, text_body=TEST_MAIL)
    return await _try(call, "email", envelope)


async def send_test_text(call: Call) -> Response:
    """POST /channels/text/test: a text to the caller; says whether the provider took it, else why not."""
    number = normal_phone((await _person(call))["phone"])
    if number is None:
        raise Conflict("Your account has no phone number; add one, and try again")
    return await _try(call, "text", Envelope(address=number, subject=None, text_body=TEST_TEXT, is_alert=True))


async def _person(call: Call) -> Record:
    await read_nothing(call)
    _require_administrator(call)
    call.require_json_accepted()
    person = await call.context.database.fetchrow(*statement("find_person").bind(user_id=call.caller.user_id))
    assert person is not None
    return person


async def _try(call: Call, name: str, envelope: Envelope) -> Response:
    reason = await deliver_test(call.context.database, call.context.settings, name, envelope)
    return Response(
        200, msgspec.json.encode({"is_sent": reason is None, "address": envelope.address, "reason": reason})
    )


def _require_administrator(call: Call) -> None:
    if not call.caller.is_admin:
        raise Forbidden("Only administrators see the channels")
