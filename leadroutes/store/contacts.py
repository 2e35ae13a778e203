"""What belongs to a contact beside its columns: identities, tags, values of custom fields, time zone.

Who may write it is decided elsewhere.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from leadroutes.domain.dedupe import EMAILS, PHONES, Identity, KnownContact
from leadroutes.domain.identity import is_relay, normal_email, normal_phone, time_zone_of
from leadroutes.errors import NotFound
from leadroutes.store import statement
from leadroutes.store.postgres import Transaction

LONGEST_TAG = 255


@dataclass(frozen=True, slots=True)
class ContactKey:
    owner_id: int
    id: int


def identities_in(record: Mapping[str, Any]) -> frozenset[Identity]:
    """Return what identifies a contact with these columns: its e-mails, except portals' relay addresses, and phones."""
    emails = (normal_email(record.get(name)) for name in EMAILS)
    phones = (normal_phone(record.get(name)) for name in PHONES)
    found = {("email", each) for each in emails if each and not is_relay(each)}
    return frozenset(found | {("phone", each) for each in phones if each})


async def forget_deliveries(transaction: Transaction, key: ContactKey) -> None:
    """Removes the contact's data from what was, or was to be, sent to webhooks."""
    await transaction.fetchval(*statement("erase_deliveries").bind(owner_id=key.owner_id, contact_id=key.id))


async def lock_contacts(transaction: Transaction, keys: Collection[tuple[int, int]]) -> list[asyncpg.Record]:
    """Locks these contacts, by owner and id, after the leads of theirs that are locked; what is decided is in turn.

    Returns `owner_id`, `id`, `assigned_user_id` of each as they are once it is locked.
    """
    return await transaction.fetch(
        *statement("lock_contacts").bind(
            owner_ids=[owner_id for owner_id, _ in keys], contact_ids=[contact_id for _, contact_id in keys]
        )
    )


async def load_contacts(
    transaction: Transaction, keys: Collection[tuple[int, int]]
) -> dict[tuple[int, int], KnownContact]:
    """Return contacts by (owner_id, id); those that do not exist are missing."""
    if not keys:
        return {}
    owner_ids, contact_ids = zip(*keys, strict=True)
    rows = await transaction.fetch(*statement("load_contacts").bind(owner_ids=owner_ids, contact_ids=contact_ids))
    return {(owner_id, row["id"]): KnownContact(**row) for row in map(dict, rows) for owner_id in [row.pop("owner_id")]}


async def load_contact(transaction: Transaction, owner_id: int, contact_id: int) -> KnownContact:
    """Return one contact. Raises NotFound."""
    found = await load_contacts(transaction, [(owner_id, contact_id)])
    if not found:
        raise NotFound.record(contact_id)
    return found[owner_id, contact_id]


async def hold_identities(
    transaction: Transaction, key: ContactKey, before: frozenset[Identity], after: frozenset[Identity]
) -> None:
    """Add the identities that the contact has gained and no other contact has; pass on those that it has lost."""
    lost, gained = sorted(before - after), sorted(after - before)
    if gained:
        held = statement("add_identities").bind(owner_id=key.owner_id, contact_id=key.id, **_columns(gained))
        await transaction.execute(*held)
    if lost:
        released = await transaction.fetch(
            *statement("release_identities").bind(owner_id=key.owner_id, contact_id=key.id, **_columns(lost))
        )
        await pass_on(transaction, key.owner_id, [(row["kind"], row["value"]) for row in released])


async def held_identities(transaction: Transaction, key: ContactKey) -> list[Identity]:
    rows = await transaction.fetch(
        "SELECT kind, value FROM contact_identities WHERE owner_id = $1 AND contact_id = $2", key.owner_id, key.id
    )
    return [(row["kind"], row["value"]) for row in rows]


async def pass_on(transaction: Transaction, owner_id: int, released: Iterable[Identity]) -> None:
    """Give identities that a contact has lost to the next contact, by id, that has the value."""
    for kind, value in sorted(released):
        sought = value if kind == "email" else _digits(value)
        rows = await transaction.fetch(*statement(f"find_contacts_by_{kind}").bind(owner_id=owner_id, value=sought))
        heir = next((row["id"] for row in rows if (kind, value) in identities_in(dict(row))), None)
        if heir is not None:
            await transaction.execute(
                *statement("add_identities").bind(owner_id=owner_id, contact_id=heir, kinds=[kind], values=[value])
            )


def _columns(identities: Collection[Identity]) -> dict[str, list[str]]:
    return {"kinds": [kind for kind, _ in identities], "values": [value for _, value in identities]}


def _digits(phone: str) -> str:
    """Return the digits that every spelling of the number has."""
    return phone.removeprefix("+1") if phone.startswith("+1") else phone.removeprefix("+")


# -------------------------------------------------------------------------------------------------------- tags


async def add_tags(transaction: Transaction, owner_id: int, tags: str) -> None:
    """Add each new piece of a comma-separated text, trimmed, as a tag of the owner."""
    pieces = {piece.casefold(): piece for each in tags.split(",") if (piece := each.strip())}
    known = dict(sorted((key, piece) for key, piece in pieces.items() if len(piece) <= LONGEST_TAG))
    if known:
        await transaction.execute(
            *statement("add_tags").bind(owner_id=owner_id, contents=list(known.values()), content_keys=list(known))
        )


async def rewrite_tag(transaction: Transaction, owner_id: int, old: str, new: str) -> None:
    """Replace a tag in all contacts of the owner by its new form; blanks around it stay."""
    rows = await transaction.fetch(
        "SELECT id, tags FROM contacts WHERE owner_id = $1 AND tags <> '' ORDER BY id FOR NO KEY UPDATE", owner_id
    )
    rewritten = {row["id"]: _with_new_tag(row["tags"], old.strip().casefold(), new) for row in rows}
    changed = {row["id"]: rewritten[row["id"]] for row in rows if rewritten[row["id"]] != row["tags"]}
    if changed:
        await transaction.execute(
            *statement("change_tags").bind(
                owner_id=owner_id, now=transaction.now, contact_ids=list(changed), tags=list(changed.values())
            )
        )


def _with_new_tag(tags: str, old: str, new: str) -> str:
    pieces = tags.split(",")
    return ",".join(
        re.sub(r"\S(?:.*\S)?", lambda _: new.strip(), each, count=1, flags=re.DOTALL)
        if each.strip().casefold() == old
        else each
        for each in pieces
    )


# ----------------------------------------------------------------------------------------- values, time zone


async def set_custom_values(transaction: Transaction, key: ContactKey, values: Mapping[int, str | None]) -> None:
    """Set the values of these custom fields; None removes one. Other fields stay."""
    await transaction.execute(
        *statement("set_custom_values").bind(
            owner_id=key.owner_id, contact_id=key.id, custom_field_ids=list(values), values=list(values.values())
        )
    )


async def hand_over_tasks(transaction: Transaction, key: ContactKey, user_id: int | None) -> None:
    """Assign the open campaign tasks of a contact to the user it is assigned to now, or to its owner."""
    await transaction.execute(
        *statement("hand_over_tasks").bind(
            now=transaction.now, owner_id=key.owner_id, contact_id=key.id, user_id=user_id
        )
    )


async def note_assignment(transaction: Transaction, key: ContactKey, user_id: int | None, by_user_id: int) -> None:
    """Record the user who assigned the contact, if a sharing teammate did: it goes back when the sharing ends."""
    await transaction.execute(
        "DELETE FROM shared_assignments WHERE owner_id = $1 AND contact_id = $2", key.owner_id, key.id
    )
    if user_id is not None and by_user_id != key.owner_id:
        await transaction.execute(
            *statement("note_shared_assignment").bind(
                owner_id=key.owner_id, contact_id=key.id, user_id=user_id, by_user_id=by_user_id
            )
        )


async def place(transaction: Transaction, key: ContactKey) -> None:
    """Set the contact's time zone: by the zip code of its address or inquiry, else by its phones."""
    row = await transaction.fetchrow(*statement("load_time_zone_hints").bind(owner_id=key.owner_id, contact_id=key.id))
    if row is None:
        return
    zones = [time_zone_of(zipcode, None) for zipcode in row["zipcodes"]]
    zones += [time_zone_of(None, normal_phone(row[name])) for name in PHONES]
    zone = next((each for each in zones if each), None)
    if zone != row["time_zone"]:
        await transaction.execute(
            "UPDATE contacts SET time_zone = $3 WHERE owner_id = $1 AND id = $2", key.owner_id, key.id, zone
        )


async def add_event(
    transaction: Transaction, owner_id: int, user_id: int, contact_id: int, type_: str, description: str | None
) -> int:
    """Add an event of a contact that a user had a part in. Returns its id."""
    added: int = await transaction.fetchval(
        *statement("add_event").bind(
            owner_id=owner_id,
            user_id=user_id,
            contact_id=contact_id,
            type=type_,
            description=description,
            now=transaction.now,
        )
    )
    return added
