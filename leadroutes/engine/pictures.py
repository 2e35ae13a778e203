"""Pictures of users: made anew in the sandbox from what was uploaded, and stored with an address that never changes."""

import hashlib

import asyncpg

from leadroutes.domain.audit_row import AuditRow
from leadroutes.errors import Invalid, NotFound
from leadroutes.sandbox.pictures import MAKE_PICTURE, UploadedPicture
from leadroutes.sandbox.processes import run_sandboxed
from leadroutes.sandbox.work import ComputationFailed
from leadroutes.store import statement
from leadroutes.store.audit import note_act
from leadroutes.store.postgres import Database

LARGEST = 524_288  # bytes of an upload
PATH = "/pictures"


async def set_picture(
    database: Database,
    user_id: int,
    content: bytes,
    public_url: str,
    *,
    by_user_id: int,
    act: AuditRow | None = None,
) -> None:
    """Stores a picture of a user in place of the one before. Raises Invalid for what is not a picture, and NotFound."""
    try:
        made = await run_sandboxed(MAKE_PICTURE, UploadedPicture(content), owner=by_user_id)
    except ComputationFailed as error:
        raise Invalid.fields({"picture": f"picture: reading it {error.reason}; expected a smaller one"}) from None
    if made.fault is not None:
        raise Invalid.fields({"picture": f"picture: {made.fault}"})
    digest = hashlib.sha256(made.content).hexdigest()
    async with database.transaction() as transaction:
        found = await transaction.fetchval(
            *statement("set_picture").bind(
                user_id=user_id, digest=digest, content=made.content, address=f"{public_url}{PATH}/{digest}",
                now=transaction.now,
            )
        )  # fmt: skip
        if found is None:
            raise NotFound.record(user_id)
        note_act(transaction, act)


async def remove_picture(database: Database, user_id: int, act: AuditRow | None = None) -> None:
    """Removes the picture of a user, whether it was uploaded here or is an address elsewhere. Idempotent."""
    async with database.transaction() as transaction:
        await transaction.execute(*statement("remove_picture").bind(user_id=user_id, now=transaction.now))
        note_act(transaction, act)


async def find_picture(database: Database, digest: str) -> bytes | None:
    """Returns the JPEG with this digest, or None."""
    row: asyncpg.Record | None = await database.fetchrow(*statement("find_picture").bind(digest=digest))
    return row["content"] if row is not None else None
