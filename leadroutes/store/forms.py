"""Which forms of the web pages have been used: a form acts once, however often and to whichever process it is sent."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from leadroutes.domain.text import json_without_zeros
from leadroutes.store import statement
from leadroutes.store.postgres import Database


@dataclass(frozen=True, slots=True)
class FormUse:
    """`path` is the page that answered when the form was sent before; None while that is under way."""

    is_first: bool
    path: str | None = None


async def use_form(database: Database, token: str, user_id: int) -> FormUse:
    """Mark a form as used; of several who do at once, one is the first."""
    row = await database.fetchrow(*statement("use_form").bind(token_hash=_digest(token), user_id=user_id))
    assert row is not None
    return FormUse(**row)


async def note_answer(database: Database, token: str, path: str) -> None:
    """Note where the form has led, for whoever sends it again."""
    await database.execute(*statement("note_answer").bind(token_hash=_digest(token), path=path))


async def release_form(database: Database, token: str) -> None:
    """Let a form be sent again: it was refused, and nothing has changed."""
    await database.execute(*statement("release_form").bind(token_hash=_digest(token)))


@dataclass(frozen=True, slots=True)
class TypedForm:
    """What was typed into a form that was sent without a session."""

    path: str
    fields: dict[str, list[str]]


async def add_typed_form(database: Database, user_id: int, path: str, fields: Mapping[str, list[str]]) -> str:
    """Keep what was typed until the user has signed in again, for an hour. Returns the token that finds it."""
    token = secrets.token_urlsafe(24)
    values = statement("add_typed_form").bind(
        token_hash=_digest(token), user_id=user_id, path=path, fields=json_without_zeros(json.dumps(fields))
    )
    await database.execute(*values)
    return token


async def find_typed_form(database: Database, token: str, user_id: int) -> TypedForm | None:
    row = await database.fetchrow(*statement("find_typed_form").bind(token_hash=_digest(token), user_id=user_id))
    return TypedForm(row["path"], json.loads(row["fields"])) if row is not None else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
