"""What a transaction is asked for more than once costs one statement."""

from datetime import UTC, datetime

from leadroutes.store.leads import wake_worker
from leadroutes.store.postgres import WAKE_CHANNEL, Transaction


async def test_the_worker_is_woken_by_one_statement_of_a_transaction() -> None:
    executed: list[tuple[str, ...]] = []

    class Connection:
        async def execute(self, *arguments: str) -> None:
            executed.append(arguments)

    for _ in range(2):
        transaction = Transaction(Connection(), datetime.now(UTC))
        for _ in range(3):
            await wake_worker(transaction)
    assert [channel for _, channel in executed] == [WAKE_CHANNEL] * 2
