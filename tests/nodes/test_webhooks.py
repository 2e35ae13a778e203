"""Webhooks of real processes: a worker that is killed while it delivers loses nothing, and another one goes on."""

import json
from pathlib import Path

from leadroutes.store.postgres import Database
from leadroutes.store.webhook_events import add_deliveries
from tests.support.brokerage import Brokerage
from tests.support.hooks import Hooks
from tests.support.processes import WORKER, node, until
from tests.support.receiver import Receiver

COUNT = 400


async def test_a_worker_that_is_killed_while_it_delivers_loses_nothing(
    brokerage: Brokerage, database: Database, database_url: str, receiver: Receiver, tmp_path: Path
) -> None:
    hooks = Hooks(brokerage)
    webhook_id = await hooks.add(receiver.url)
    environment = {
        "DATABASE_URL": database_url,
        "LEADROUTES_SECRET": str(hooks.settings.secret),
        "LEADROUTES_WEBHOOKS_TO_PRIVATE": "127.0.0.0/8",
        "LEADROUTES_DATA": str(tmp_path),
    }
    async with node(environment, *WORKER) as first:
        async with database.transaction() as transaction:
            await add_deliveries(transaction, [event(brokerage, webhook_id, number) for number in range(COUNT)])
        await receiver.wait_for(50)
        first.process.kill()
        await first.end()
    sent = len(receiver.messages)
    assert 50 <= sent < COUNT

    await database.execute("UPDATE webhooks SET taken_until = now()")  # the lease of the dead one ends
    async with node(environment, *WORKER) as second:
        await until(lambda: all_delivered(database))
        assert await second.stop() == 0

    numbers = [message.json["data"]["number"] for message in receiver.messages]
    assert set(numbers) == set(range(COUNT)), "nothing is lost"
    assert numbers[:sent] == list(range(sent)), "in order before the kill"
    rest = numbers[sent:]
    assert rest == list(range(rest[0], COUNT)), "and after it, beginning with what was not noted"
    ids = {message.json["data"]["number"]: message.id for message in receiver.messages[:sent]}
    again = [message for message in receiver.messages[sent:] if message.json["data"]["number"] in ids]
    assert all(ids[message.json["data"]["number"]] == message.id for message in again), "under the same id"


def event(brokerage: Brokerage, webhook_id: int, number: int) -> dict[str, object]:
    data = json.dumps({"webhook_id": webhook_id, "number": number})
    return {"owner_id": brokerage.owner_id, "webhook_id": webhook_id, "type": "webhook.test", "data": data}


async def all_delivered(database: Database) -> bool:
    return bool(
        await database.fetchval("SELECT NOT EXISTS (SELECT FROM webhook_deliveries WHERE state <> 'delivered')")
    )
