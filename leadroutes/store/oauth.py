"""What OAuth2 remembers: applications, consents (grants), codes and tokens. Only hashes of secrets are kept.

Which request is answered how, the protocol knows.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from leadroutes.store import statement
from leadroutes.store.accounts import hash_secret
from leadroutes.store.postgres import Database, Transaction

CODE_LIFE = timedelta(minutes=10)
REFRESH_LIFE = timedelta(days=90)
REFRESH_GRACE = timedelta(seconds=60)  # a client whose answer got lost may ask again with the old one


@dataclass(frozen=True, slots=True)
class Application:
    """A registered application; `secret_hash` None: it cannot keep a secret. `now` is the database's real time."""

    id: int
    client_id: str
    name: str
    secret_hash: bytes | None
    redirect_uris: list[str]
    owner_email: str
    now: datetime


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """An authorization code as it was found, with the grant behind it; `code_hash` is its key."""

    code_hash: bytes
    grant_id: int
    user_id: int
    scope: list[str]
    redirect_uri: str
    code_challenge: str | None
    is_used: bool
    is_over: bool


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as it was found; `is_reused`: it was replaced longer ago than lost answers explain."""

    token_hash: bytes
    grant_id: int
    user_id: int
    scope: list[str]
    is_reused: bool
    is_over: bool


@dataclass(frozen=True, slots=True)
class RevocableToken:
    """A token that somebody wants to end; `access_token_id` None: it is a refresh token, and its grant ends with it."""

    access_token_id: int | None
    application_id: int | None
    grant_id: int | None


@dataclass(frozen=True, slots=True)
class TokenPair:
    """New tokens of a grant, in clear: they go out once. They replace what they were made from."""

    grant_id: int
    scope: tuple[str, ...]
    access_token: str
    refresh_token: str
    life: timedelta
    code_hash: bytes | None = None
    replaced_hash: bytes | None = None


async def find_application(database: Database | Transaction, client_id: str) -> Application | None:
    """The application with this client id."""
    row = (
        await database.fetchrow(*statement("find_application").bind(client_id=client_id))
        if "\0" not in client_id
        else None
    )
    return Application(**row) if row is not None else None


async def take_code(transaction: Transaction, code: str, application_id: int) -> AuthorizationCode | None:
    """The code, locked, if it is this application's."""
    code_hash = hash_secret(code)
    row = await transaction.fetchrow(
        *statement("take_authorization_code").bind(code_hash=code_hash, application_id=application_id)
    )
    return AuthorizationCode(code_hash=code_hash, **row) if row is not None else None


async def take_refresh_token(transaction: Transaction, token: str, application_id: int) -> RefreshToken | None:
    """The refresh token, locked, if it is this application's."""
    token_hash = hash_secret(token)
    row = await transaction.fetchrow(
        *statement("take_refresh_token").bind(
            token_hash=token_hash, application_id=application_id, grace_period=REFRESH_GRACE
        )
    )
    return RefreshToken(token_hash=token_hash, **row) if row is not None else None


async def add_code(
    database: Database,
    *,
    user_id: int,
    application_id: int,
    scope: tuple[str, ...],
    redirect_uri: str,
    code_challenge: str | None,
) -> str:
    """A consent of this user's, and the code that carries it: 40 hex digits, good for ten minutes."""
    code = secrets.token_hex(20)
    await database.execute(
        *statement("add_authorization_code").bind(
            user_id=user_id,
            application_id=application_id,
            scope=list(scope),
            code_hash=hash_secret(code),
            redirect_uri=redirect_uri,
            code_challenge=code_challenge,
            lifetime=CODE_LIFE,
        )
    )
    return code


async def issue_pair(transaction: Transaction, pair: TokenPair) -> None:
    """From now on both tokens work."""
    await transaction.execute(
        *statement("issue_grant_tokens").bind(
            grant_id=pair.grant_id,
            scope=list(pair.scope),
            access_token_hash=hash_secret(pair.access_token),
            access_lifetime=pair.life,
            refresh_token_hash=hash_secret(pair.refresh_token),
            refresh_lifetime=REFRESH_LIFE,
            used_code_hash=pair.code_hash,
            replaced_token_hash=pair.replaced_hash,
        )
    )


async def revoke_grants(
    database: Database | Transaction, grant_ids: list[int], user_id: int | None = None
) -> list[asyncpg.Record]:
    """End them and all tokens made from them; `user_id`: only those of this user. Those that were good."""
    return await database.fetch(*statement("revoke_grants").bind(grant_ids=grant_ids, user_id=user_id))


async def find_revocable(transaction: Transaction, token: str) -> RevocableToken | None:
    """Whose access or refresh token this is."""
    row = await transaction.fetchrow(*statement("find_revocable").bind(token_hash=hash_secret(token)))
    return RevocableToken(**row) if row is not None else None


async def end_access_token(transaction: Transaction, token_id: int) -> None:
    """From now on it is refused."""
    await transaction.execute(*statement("end_access_token").bind(token_id=token_id))


# ------------------------------------------------------------------------------------- what a user has, on his pages


async def list_allowed(database: Database, user_id: int) -> list[asyncpg.Record]:
    """client_id, name, owner_email, scope, since, last_used_at, grant_ids of the applications that may act for them."""
    return await database.fetch(*statement("list_allowed").bind(user_id=user_id))


async def disallow(database: Database, user_id: int, client_id: str) -> bool:
    """End all that he has allowed this application; whether there was anything."""
    if "\0" in client_id:
        return False
    rows = await database.fetch(*statement("list_grants").bind(user_id=user_id, client_id=client_id))
    return bool(await revoke_grants(database, [row["id"] for row in rows], user_id))


async def list_own_applications(database: Database, user_id: int) -> list[asyncpg.Record]:
    """client_id, name, redirect_uris, has_secret, created_at of those that he registered."""
    return await database.fetch(*statement("list_own_applications").bind(user_id=user_id))


async def remove_own_application(database: Database, user_id: int, client_id: str) -> bool:
    """It and all its tokens; whether it was his."""
    return "\0" not in client_id and bool(
        await database.fetchval(*statement("remove_own_application").bind(user_id=user_id, client_id=client_id))
    )


async def list_own_tokens(database: Database, user_id: int) -> list[asyncpg.Record]:
    """id, name, scope, created_at, last_used_at, expires_at of their personal tokens that are good."""
    return await database.fetch(*statement("list_own_tokens").bind(user_id=user_id))


async def revoke_own_token(database: Database, user_id: int, token_id: int) -> bool:
    """Whether it was a personal token of his that was good."""
    return bool(await database.fetchval(*statement("revoke_own_token").bind(user_id=user_id, token_id=token_id)))
