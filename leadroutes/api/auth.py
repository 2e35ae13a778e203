"""Who calls: the bearer token of a request and what it allows.

Only the sha256 of a token is ever compared; a token in the query or the body is not looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadroutes.errors import NotAuthenticated
from leadroutes.store import statement
from leadroutes.store.accounts import hash_secret
from leadroutes.store.batching import BatchLoader
from leadroutes.store.postgres import Database
from leadroutes.store.token_uses import TokenUses


@dataclass(frozen=True, slots=True)
class Caller:
    """The user of a token; `application_id` None: a personal token."""

    user_id: int
    scopes: frozenset[str]
    application_id: int | None = None
    is_admin: bool = False
    is_broker: bool = False
    token_hash: bytes | None = None  # sha256 of the token

    @property
    def may_write(self) -> bool:
        return "write" in self.scopes


def bearer_token(values: Sequence[str]) -> str:
    """The token of the Authorization headers; NotAuthenticated unless there is exactly one that carries one."""
    scheme, _, rest = (values[0] if len(values) == 1 else "").partition(" ")
    token = rest.strip(" ")
    if scheme.lower() != "bearer" or not token or token[0].isspace():
        raise NotAuthenticated
    return token


Callers = BatchLoader[bytes, Caller]


def callers_of(database: Database) -> Callers:
    """Who calls, by the sha256 of the token; asked for all requests of the moment at once."""
    uses = TokenUses(database)

    async def load(hashes: list[bytes]) -> Mapping[bytes, Caller]:
        rows = await database.fetch(*statement("find_callers").bind(token_hashes=hashes))
        uses.note(row["token_hash"] for row in rows if row["is_due"])
        return {
            row["token_hash"]: Caller(
                row["user_id"],
                frozenset(row["scope"]),
                row["application_id"],
                row["is_admin"],
                row["is_broker"],
                row["token_hash"],
            )
            for row in rows
        }

    return BatchLoader(load)


async def authenticate(callers: Callers, token: str) -> Caller:
    """The caller behind a token; NotAuthenticated for one that is unknown, expired, revoked or of a closed account."""
    caller = await callers.find(hash_secret(token))
    if caller is None:
        raise NotAuthenticated("Invalid access token", invalid_token=True)
    return caller
