"""An authenticator app: the codes that it shows, at the database's time."""

from leadroutes.domain.totp import code_at, step_at
from leadroutes.engine.second_factors import SecondFactors
from leadroutes.security.vault import Vault
from leadroutes.store.postgres import Database
from leadroutes.store.sign_ins import NO_BROWSER


async def present_code(database: Database, secret: str, steps: int = 0) -> str:
    """The code of now, or of so many steps later."""
    return code_at(secret, step_at(await database.real_now()) + steps)


async def add_factor(database: Database, key: str, user_id: int) -> tuple[str, list[str]]:
    """Gives a user a second factor: its secret and the recovery codes; the codes of now can be used again."""
    factors = SecondFactors(database, Vault(key))
    secret = (await factors.begin(user_id)).secret
    codes = await factors.confirm(user_id, await present_code(database, secret), NO_BROWSER)
    await database.execute("UPDATE second_factors SET last_step = NULL WHERE user_id = $1", user_id)
    return secret, codes
