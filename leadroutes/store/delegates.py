"""Who acts for whose account, and what they may do there. What a role allows is decided elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from leadroutes.store import statement
from leadroutes.store.batching import BatchLoader
from leadroutes.store.postgres import Database


@dataclass(frozen=True, slots=True)
class DelegationKey:
    """A user who asks to act for an owner; `token_hash` is that of the token in use, None in a browser's session."""

    user_id: int
    owner_id: int
    token_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Delegation:
    """What a user may do for an owner: the role, the team that it is for, and whether the owner is a broker."""

    role: str
    team_id: int | None
    is_broker: bool


Delegations = BatchLoader[DelegationKey, Delegation]


def delegations_of(database: Database) -> Delegations:
    """Returns a loader; concurrent requests share one query, and nothing is cached: what is revoked ends at once."""

    async def load(keys: list[DelegationKey]) -> Mapping[DelegationKey, Delegation]:
        rows = await database.fetch(
            *statement("find_delegations").bind(
                user_ids=[each.user_id for each in keys],
                owner_ids=[each.owner_id for each in keys],
                token_hashes=[each.token_hash for each in keys],
            )
        )
        return {
            DelegationKey(row["user_id"], row["owner_id"], row["token_hash"]): Delegation(
                row["role"], row["team_id"], row["is_broker"]
            )
            for row in rows
        }

    return BatchLoader(load)


async def list_delegations_of(database: Database, user_id: int) -> list[asyncpg.Record]:
    """Return owner_id, owner_name, role, team_id of the accounts that this user acts for."""
    return await database.fetch(*statement("list_delegations_of").bind(user_id=user_id))
