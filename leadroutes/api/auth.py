"""Authentication: the bearer token of a request, its user and what it allows.

Only the sha256 of a token is compared; a token in the query or the body is ignored.
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
    """The user of a token; `application_id` None: a personal token.

    Of a delegate, `user_id` is the owner they act for, and `acting_user_id` is who really acts, in this role.
    """

    user_id: int
    scopes: frozenset[str]
    application_id: int | None = None
    is_admin: bool = False
    is_broker: bool = False
    token_hash: bytes | None = None  # sha256 of the token
    acting_user_id: int | None = None
    role: str | None = None
    team_id: int | None = None  # the only one that the role is for

    @property
    def may_write(self) -> bool:
        return "write" in self.scopes

    @property
    def person_id(self) -> int:
        """Who really acts."""
        return self.user_id if self.acting_user_id is None else self.acting_user_id


@dataclass(frozen=True, slots=True)
class Grant:
    """An operation that the role of a delegate allows. `among`: only for these records; `fields`: only these are sent.

    `among` is SQL with {team} for the delegate's team, $1 for the owner, and {name} for a field of the resource. In
    its place `parent` is about the record above, whose id is $2.
    """

    among: str = ""
    parent: str = ""
    fields: frozenset[str] | None = None


def bearer_token(values: Sequence[str]) -> str:
    """Returns the token. Raises NotAuthenticated unless there is exactly one header, and it has a bearer token."""
    scheme, _, rest = (values[0] if len(values) == 1 else "").partition(" ")
    token = rest.strip(" ")
    if scheme.lower() != "bearer" or not token or token[0].isspace():
        raise NotAuthenticated
    return token


Callers = BatchLoader[bytes, Caller]


def callers_of(database: Database) -> Callers:
    """Returns a loader of callers by the sha256 of their token; concurrent requests share one query."""
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
    """Returns the caller. Raises NotAuthenticated for an unknown, expired or revoked token, or a closed account."""
    caller = await callers.find(hash_secret(token))
    if caller is None:
        raise NotAuthenticated("Invalid access token", invalid_token=True)
    return caller
