"""Calls about webhooks beyond their records: a new secret, a test, and a delivery that is sent again."""

from collections.abc import Awaitable, Callable

import msgspec

from leadroutes.api.audit import act_of_call
from leadroutes.api.call import Call, Response
from leadroutes.api.lead_calls import read_nothing
from leadroutes.api.query import selection
from leadroutes.api.reads import id_in
from leadroutes.api.resources import BY_PATH
from leadroutes.api.resources.webhooks import seal_webhook_secret
from leadroutes.api.statements import record_sql
from leadroutes.domain.webhooks import TEST_EVENT
from leadroutes.errors import Conflict, NotFound
from leadroutes.security.webhook_signature import new_webhook_secret
from leadroutes.store import webhooks as store
from leadroutes.store.audit import note_act
from leadroutes.store.postgres import Transaction
from leadroutes.store.webhook_events import add_deliveries

WEBHOOKS, DELIVERIES = BY_PATH["/webhooks"], BY_PATH["/webhooks/:id/deliveries"]


async def rotate(call: Call) -> Response:
    """POST /webhooks/:id/rotation: the webhook with its new secret; for a day the old one signs as well."""
    selection(WEBHOOKS, call.request.query)
    webhook_id, owner_id = await _begin(call), call.caller.user_id
    secret = new_webhook_secret()
    sealed = seal_webhook_secret(call.context.settings, secret)

    async def work(transaction: Transaction) -> None:
        await store.rotate_secret(transaction, owner_id, webhook_id, sealed)

    await _do(call, webhook_id, work)
    shown = msgspec.json.decode(await _webhook(call, webhook_id))
    return Response(200, msgspec.json.encode(shown | {"secret": secret}))


async def send_test(call: Call) -> Response:
    """POST /webhooks/:id/test: an event that says no more than that, as a delivery that is sent at once."""
    selection(DELIVERIES, call.request.query)
    webhook_id, owner_id = await _begin(call), call.caller.user_id
    data = {"webhook_id": webhook_id, "text": "This is a test of your webhook."}
    added: list[int] = []

    async def work(transaction: Transaction) -> None:
        rows = await add_deliveries(
            transaction,
            [{"owner_id": owner_id, "webhook_id": webhook_id, "type": TEST_EVENT,
              "data": msgspec.json.encode(data).decode()}],
        )  # fmt: skip
        if not rows:
            raise Conflict("The webhook is switched off; switch it on first")
        added[:] = [row["id"] for row in rows]

    await _do(call, webhook_id, work)
    return Response(201, (await _delivery(call, webhook_id, added[0])).encode())


async def retry(call: Call) -> Response:
    """POST /webhooks/:id/deliveries/:id/retry: sends a delivery again at once, with all its tries."""
    selection(DELIVERIES, call.request.query)
    webhook_id, delivery_id = await _begin(call), id_in(call.ids[1])
    await _delivery(call, webhook_id, delivery_id)

    async def work(transaction: Transaction) -> None:
        await store.retry_delivery(transaction, call.caller.user_id, webhook_id, delivery_id)

    await _do(call, webhook_id, work)
    return Response(200, (await _delivery(call, webhook_id, delivery_id)).encode())


async def _begin(call: Call) -> int:
    """Returns the id of the webhook, which the caller has to see; nothing is changed yet."""
    await read_nothing(call)
    webhook_id = id_in(call.ids[0])
    await _webhook(call, webhook_id)
    call.require_json_accepted()
    return webhook_id


async def _do(call: Call, webhook_id: int, change: Callable[[Transaction], Awaitable[None]]) -> None:
    """Does it in one transaction with the act for the audit."""
    act = act_of_call(call, call.caller.user_id, webhook_id)

    async def work(transaction: Transaction) -> None:
        note_act(transaction, act)
        await change(transaction)

    await call.context.database.run_prepared(work)


async def _webhook(call: Call, webhook_id: int) -> str:
    row = await call.context.database.fetchrow(record_sql(WEBHOOKS, (), ()), call.caller.user_id, webhook_id)
    if row is None or row["record"] is None:
        raise NotFound.record(webhook_id)
    record: str = row["record"]
    return record


async def _delivery(call: Call, webhook_id: int, delivery_id: int) -> str:
    keys = selection(DELIVERIES, call.request.query)
    sql = record_sql(DELIVERIES, (), keys)
    row = await call.context.database.fetchrow(sql, call.caller.user_id, webhook_id, delivery_id)
    if row is None or row["record"] is None:
        raise NotFound.record(delivery_id)
    record: str = row["record"]
    return record
