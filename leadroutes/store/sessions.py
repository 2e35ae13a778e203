"""Sessions of the web pages. Only the hash of the browser's token is stored; lifetimes are real time."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache

import asyncpg

from leadroutes.store import statement
from leadroutes.store.accounts import hash_secret
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.sign_ins import NO_BROWSER, Whereabouts
from leadroutes.store.statements import Statement

LIFE = timedelta(days=90)  # from the last use
NOTE_PAUSE = timedelta(hours=1)  # between two uses that are noted


@dataclass(frozen=True, slots=True)
class SessionUser:
    """A user who is signed in. `viewer`: what find_viewer says of the user, where it was read with the session."""

    id: int
    name: str
    timezone: str
    is_admin: bool
    viewer: asyncpg.Record | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class FoundSession:
    """The user of a session; `is_prolonged`: its life begins anew, so that the browser's cookie has to as well."""

    user: SessionUser
    is_prolonged: bool


async def find_password(database: Database, email: str) -> asyncpg.Record | None:
    """Return (id, password_hash) of the active account with this e-mail, or None."""
    return await database.fetchrow(*statement("find_password").bind(email=email.strip().lower()))


async def add_session(source: Database | Transaction, user_id: int, origin: Whereabouts = NO_BROWSER) -> str:
    """Sign a user in and return the token for the browser."""
    token = secrets.token_urlsafe(32)
    await source.execute(
        *statement("add_session").bind(
            token_hash=hash_secret(token),
            user_id=user_id,
            lifetime=LIFE,
            browser=origin.browser,
            network=origin.network,
        )
    )
    return token


async def find_session(database: Database, token: str, *, with_viewer: bool = False) -> FoundSession | None:
    """Return the session of this token while it is valid, or None; its use is noted, at most once an hour.

    `with_viewer`: with what decides which pages the user is shown, in the same round trip.
    """
    token_hash = hash_secret(token)
    found = _session_with_viewer() if with_viewer else statement("find_session")
    row = await database.fetchrow(*found.bind(token_hash=token_hash, pause=NOTE_PAUSE))
    if row is None:
        return None
    if row["is_due"]:
        await database.execute(
            *statement("note_session_use").bind(token_hash=token_hash, pause=NOTE_PAUSE, lifetime=LIFE)
        )
    user = SessionUser(
        row["id"], row["name"], row["own_timezone"], row["is_admin"], viewer=row if with_viewer else None
    )
    return FoundSession(user, row["is_due"])


@cache
def _session_with_viewer() -> Statement:
    """Return the statement that finds a session and then its viewer."""
    session, viewer = statement("find_session"), statement("find_viewer")
    return Statement(
        "find_session with find_viewer",
        f"SELECT s.id, s.name, s.own_timezone, s.is_due, v.* FROM (\n{session.source}\n) s"  # noqa: S608 -- of our files
        f" CROSS JOIN LATERAL (\n{viewer.inline(user_id='s.id')}\n) v",
    )


async def remove_session(database: Database, token: str) -> int | None:
    """Sign out, and return whose session it was. An unknown token changes nothing."""
    user_id: int | None = await database.fetchval(*statement("remove_session").bind(token_hash=hash_secret(token)))
    return user_id


async def list_sessions(database: Database, user_id: int, token: str | None = None) -> list[asyncpg.Record]:
    """Return id, created_at, last_used_at, browser, network, is_current (is it the one of `token`) of each session."""
    return await database.fetch(
        *statement("list_sessions").bind(user_id=user_id, token_hash=hash_secret(token) if token else b"")
    )
