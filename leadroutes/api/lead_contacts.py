"""The `contact` of POST /leads: the person by name, e-mail and phone, for those who enter a lead by hand in one call.

Whoever is known by e-mail or phone is found, as for an arrival; anyone else is added.
"""

from collections.abc import Mapping
from typing import Any

from leadroutes.api.behaviour import Errors
from leadroutes.api.call import Call
from leadroutes.api.fields import read_fields
from leadroutes.api.resources import BY_PATH
from leadroutes.api.values import quoted
from leadroutes.api.writes import insert_record
from leadroutes.domain.dedupe import EMAILS, PHONES, DedupeKey
from leadroutes.store import statement
from leadroutes.store.contacts import identities_in
from leadroutes.store.postgres import Transaction

CONTACTS = BY_PATH["/contacts"]
NAMED = ("first_name", "last_name", *EMAILS, *PHONES, "company", "tags")
FIELDS = tuple(each for each in CONTACTS.writeable if each.name in NAMED)


def read_contact(body: Mapping[str, Any], errors: Errors) -> dict[str, Any] | None:
    """Returns the fields of the contact, of which one is needed; None without a contact, or with its id."""
    given = body.get("contact")
    if given is None or body.get("contact_id") is not None:
        return None
    errors.pop("contact_id", None)
    if not isinstance(given, dict):
        errors["contact"] = f"contact: {quoted(str(given))} was given; expected an object"
        return None
    sent, wrong = read_fields(FIELDS, given)
    errors.update({f"contact.{name}": f"contact.{text}" for name, text in wrong.items()})
    if not wrong and not any(isinstance(value, str) and value.strip() for value in sent.values()):
        errors["contact"] = f"contact: nothing was given; expected some of {', '.join(NAMED)}"
    return sent


async def find_or_add_contact(call: Call, sent: dict[str, Any], key: DedupeKey | None) -> int:
    """Returns the caller's contact with one of these e-mails or phones, else a new one.

    `key`: of the request; the lead that came with it before has the contact, so that a repetition adds none.
    """
    owner_id = call.caller.user_id

    async def work(transaction: Transaction) -> int:
        if key is not None:
            repeated = statement("find_contact_of_key").bind(owner_id=owner_id, scope=key.scope, key=key.key)
            if (contact_id := await transaction.fetchval(*repeated)) is not None:
                return int(contact_id)
        identities = sorted(identities_in(sent))
        known = await transaction.fetch(
            *statement("find_identities").bind(
                owner_id=owner_id,
                kinds=[kind for kind, _ in identities],
                values=[value for _, value in identities],
            )
        )
        return int(known[0]["contact_id"]) if known else await insert_record(transaction, CONTACTS, call.caller, sent)

    return await call.context.database.run(work)
