"""Keys for the way in, and what has come in through them."""

import secrets
from typing import Any

from leadroutes.api.call import Rooms
from leadroutes.api.resource import Field, Resource, Write, Writing
from leadroutes.api.resources.common import created_at, record_id, reference
from leadroutes.api.values import Id, Moment, OneOf, Text
from leadroutes.intake.formats import FORMATS
from leadroutes.store.accounts import hash_secret


async def _insert_key(writing: Writing) -> int:
    writing.notes["key"] = key = secrets.token_hex(20)
    record = writing.record
    key_id: int = await writing.transaction.fetchval(
        "INSERT INTO intake_keys (owner_id, key_hash, lead_source_id, contact_source_id, format, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        writing.owner_id,
        hash_secret(key),
        record["lead_source_id"],
        record["contact_source_id"],
        record["format"],
        writing.transaction.now,
    )
    return key_id


async def _revoke_key(writing: Writing) -> None:
    """Arrivals that came through it stay, and are read again as it says."""
    await writing.transaction.execute(
        "UPDATE intake_keys SET revoked_at = $3 WHERE owner_id = $1 AND id = $2",
        writing.owner_id,
        writing.id,
        writing.transaction.now,
    )


def _key_given(rooms: Rooms, writing: Writing) -> dict[str, Any]:
    key = writing.notes["key"]
    return {"key": key, "url": f"{rooms.settings.public_url}/intake/{key}"}


INTAKE_KEYS = Resource(
    path="/intake-keys",
    noun="an intake key",
    page_about="A secret address that takes leads in for you. `key` and `url` are shown once, when it is made.",
    table="intake_keys",
    fields=(
        record_id(),
        reference("lead_source_id", "/lead-sources", "a lead source that you see", write=Write.ONCE, required=True),
        reference("contact_source_id", "/contact-sources", "a contact source of yours", write=Write.ONCE),
        Field("format", OneOf(tuple(each.name for each in FORMATS)), write=Write.ONCE, note="null: recognised"),
        created_at(),
        Field("last_used_at", Moment()),
    ),
    methods="LGCD",
    visible="t.owner_id = $1 AND t.revoked_at IS NULL",
    insert=_insert_key,
    delete=_revoke_key,
    given_once=_key_given,
)

ARRIVALS = Resource(
    path="/arrivals",
    noun="an arrival",
    page_about="Everything that came in through your intake keys, whatever became of it.",
    table="arrivals",
    fields=(
        record_id(),
        Field("received_at", Moment(), null=False),
        Field("intake_key_id", Id()),
        Field("lead_source_id", Id()),
        Field("format", Text()),
        Field("status", OneOf(("accepted", "touch", "test", "update", "pending", "rejected")), null=False),
        Field("reason", Text()),
        Field("lead_id", Id()),
    ),
    methods="LG",
)

INTAKE_RESOURCES = (INTAKE_KEYS, ARRIVALS)
