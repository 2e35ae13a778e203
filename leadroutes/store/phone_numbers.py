"""Phone numbers of the provider's account and their users. Who may change them is decided elsewhere."""

import asyncpg

from leadroutes.store import statement
from leadroutes.store.postgres import Database, Transaction


async def add_phone_number(transaction: Transaction, user_id: int, number: str, intake_key_id: int | None) -> int:
    """Gives a number to a user, and returns its id. The number is unique: raises UniqueViolationError."""
    new_id: int = await transaction.fetchval(
        "INSERT INTO phone_numbers (owner_id, number, intake_key_id, created_at) VALUES ($1, $2, $3, $4) RETURNING id",
        user_id,
        number,
        intake_key_id,
        transaction.now,
    )
    await set_system_phone(transaction, user_id, number)
    return new_id


async def set_system_phone(transaction: Transaction, user_id: int | None, number: str) -> None:
    """Makes a number the system_phone of this user, and of no one else."""
    await transaction.execute(*statement("set_system_phone").bind(user_id=user_id, number=number, now=transaction.now))


async def has_intake_key(transaction: Transaction, user_id: int, intake_key_id: int) -> bool:
    """Returns whether the user has this intake key, and it was not revoked."""
    found = await transaction.fetchval(
        "SELECT true FROM intake_keys WHERE owner_id = $1 AND id = $2 AND revoked_at IS NULL", user_id, intake_key_id
    )
    return found is not None


async def list_keys_for_numbers(database: Database, most: int) -> list[asyncpg.Record]:
    """Returns intake keys as {id, owner_id, owner_name, source}."""
    return await database.fetch(*statement("list_keys_for_numbers").bind(most=most))
