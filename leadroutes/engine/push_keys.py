"""The keys by which push services know this installation: made once, stored, the private one sealed in the vault."""

from leadroutes.channels.push_encryption import PushKeys
from leadroutes.errors import Misconfigured
from leadroutes.security.vault import Vault
from leadroutes.store import statement
from leadroutes.store.postgres import Database

SEALED_BY_ANOTHER = (
    "the keys for notifications were stored under another LEADROUTES_SECRET; set that one again, or make new keys with"
    " `leadroutes push keys --new`, after which every browser has to be allowed again"
)


async def load_push_keys(database: Database, vault: Vault) -> PushKeys:
    """Returns the keys, making them first where there are none. Raises Misconfigured where they cannot be unsealed."""
    row = await database.fetchrow(*statement("find_push_keys").bind())
    if row is None:
        made = PushKeys.generate()
        await database.execute(
            *statement("add_push_keys").bind(public_key=made.public_key, sealed=_sealed(made, vault))
        )
        row = await database.fetchrow(*statement("find_push_keys").bind())
        assert row is not None  # ours, or those of a process that was faster
    unsealed = vault.unseal(row["sealed"]) or {}
    if "private_key" not in unsealed:
        raise Misconfigured(SEALED_BY_ANOTHER)
    return PushKeys.read(unsealed["private_key"])


async def replace_push_keys(database: Database, vault: Vault) -> tuple[PushKeys, int]:
    """Makes new keys. Returns them, and the number of browsers that were removed, as they accept only the old ones."""
    made = PushKeys.generate()
    removed: int = await database.fetchval(
        *statement("replace_push_keys").bind(public_key=made.public_key, sealed=_sealed(made, vault))
    )
    return made, removed


def _sealed(keys: PushKeys, vault: Vault) -> bytes:
    return vault.seal({"private_key": keys.written})
