"""The first start: a code that makes the first administrator, while there is no user. One of two who try is first."""

import secrets
from datetime import timedelta

from leadroutes.errors import Invalid, NotFound
from leadroutes.store import statement
from leadroutes.store.accounts import NewUser, add_user, hash_secret
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.sign_ins import SignInKind, Whereabouts, log_sign_in

CODE_LIFE = timedelta(days=1)  # real time
OVER = "This link is over: it has expired, or the service has been set up."


async def new_setup_code(database: Database) -> str | None:
    """Returns a new code; earlier ones stay good until they expire. None: there are users already."""
    code = secrets.token_urlsafe(24)
    added = await database.fetchval(*statement("add_setup_code").bind(code_hash=hash_secret(code), lifetime=CODE_LIFE))
    return code if added is not None else None


async def is_setup_code(database: Database, code: str) -> bool:
    return bool(await database.fetchval(*statement("find_setup_code").bind(code_hash=hash_secret(code))))


async def set_up(
    database: Database, code: str, wanted: NewUser, brokerage_name: str | None, origin: Whereabouts
) -> int:
    """Makes the first administrator, and returns the id; from then on no code is good.

    Raises NotFound for a code that is not good, and where someone else was faster; Invalid for a wrong field.
    """
    if not wanted.password:
        raise Invalid.fields({"password": "password is required"})

    async def work(transaction: Transaction) -> int:
        taken = await transaction.fetchval(
            *statement("take_installation").bind(code_hash=hash_secret(code), brokerage_name=brokerage_name)
        )
        if taken is None:
            raise NotFound(OVER)
        user_id = await add_user(transaction, wanted)
        await transaction.execute(*statement("set_installation_user").bind(user_id=user_id))
        await log_sign_in(transaction, user_id, SignInKind.PASSWORD_SET, origin)
        return user_id

    return await database.run(work)
