"""The call for a message beyond reading it: a failed message is sent again."""

from leadroutes.api.audit import act_of_call
from leadroutes.api.call import Call, Response
from leadroutes.api.lead_calls import read_nothing
from leadroutes.api.query import selection
from leadroutes.api.reads import id_in
from leadroutes.api.resources import BY_PATH
from leadroutes.api.statements import record_sql
from leadroutes.errors import NotFound
from leadroutes.store.messages import retry_message

MESSAGES = BY_PATH["/messages"]


async def retry(call: Call) -> Response:
    """POST /messages/:id/retry: queues the message again and returns it. Raises Conflict if it has not failed."""
    sql = record_sql(MESSAGES, (), selection(MESSAGES, call.request.query))
    await read_nothing(call)
    message_id = id_in(call.ids[0])
    await _record(call, sql, message_id)
    call.require_json_accepted()
    act = act_of_call(call, call.caller.user_id, message_id)
    await retry_message(call.context.database, call.caller.user_id, message_id, act)
    return Response(200, (await _record(call, sql, message_id)).encode())


async def _record(call: Call, sql: str, message_id: int) -> str:
    row = await call.context.database.fetchrow(sql, call.caller.user_id, message_id)
    if row is None or row["record"] is None:
        raise NotFound.record(call.ids[0])
    record: str = row["record"]
    return record
