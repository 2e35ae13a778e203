"""Who is signed in on the web pages. Only the hash of what the browser holds is kept; lives are real time."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from leadroutes.store import statement
from leadroutes.store.postgres import Database

LIFE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class SessionUser:
    """Someone who is signed in."""

    id: int
    name: str
    timezone: str
    is_admin: bool


async def find_password(database: Database, email: str) -> asyncpg.Record | None:
    """(id, password_hash) of the active account with this e-mail."""
    return await database.fetchrow(*statement("find_password").bind(email=email.strip().lower()))


async def add_session(database: Database, user_id: int) -> str:
    """Sign him in; the token is for his browser alone."""
    token = secrets.token_urlsafe(32)
    await database.execute(*statement("add_session").bind(token_hash=_digest(token), user_id=user_id, lifetime=LIFE))
    return token


async def find_session(database: Database, token: str) -> SessionUser | None:
    """Who holds this token, while it lasts."""
    row = await database.fetchrow(*statement("find_session").bind(token_hash=_digest(token)))
    return SessionUser(**row) if row is not None else None


async def remove_session(database: Database, token: str) -> None:
    """Sign out; an unknown token is no matter."""
    await database.execute(*statement("remove_session").bind(token_hash=_digest(token)))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
