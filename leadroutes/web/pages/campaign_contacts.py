"""Who is in a campaign: the contacts with what comes next for each, to add one and to take one out."""

from typing import Any

from leadroutes.errors import Conflict, Invalid
from leadroutes.store.drips import list_campaign_contacts
from leadroutes.web.forms import read_id
from leadroutes.web.page import Done, Inverse, Visit
from leadroutes.web.pages.contact_search import find_contacts, name_of
from leadroutes.web.pages.templates import given_id
from leadroutes.web.sent import Sent

MOST_FOUND = 10


async def load(visit: Visit) -> dict[str, Any]:
    typed = visit.query.get("find", "")
    people, older_than = await list_campaign_contacts(
        visit.database, visit.viewer.owner_id, visit.id, given_id(visit, "before")
    )
    return {
        "people": people,
        "older_than": older_than,
        "find": typed,
        "found": await find_contacts(visit, typed, most=MOST_FOUND) if typed.strip() else None,
        "name_of": name_of,
    }


async def add_contact(visit: Visit, sent: Sent) -> Done:
    """Starts the campaign for a contact."""
    contact_id = sent.id("contact_id")
    if contact_id is None:
        raise Invalid("Choose a contact: search for a name, an e-mail or a phone number.")
    path = f"/campaigns/{visit.id}/contacts"
    try:
        run = await visit.api.post(path, {"contact_id": contact_id})
    except Conflict:
        raise Conflict("The campaign runs for this contact already.") from None
    contact = await visit.api.get(f"/contacts/{contact_id}")
    undo = Inverse("DELETE", f"{path}/{run['id']}")
    return Done(f"/campaigns/{visit.id}#contacts", f"{name_of(contact)} is in the campaign.", undo)


async def remove_contact(visit: Visit, sent: Sent) -> Done:
    """Stops the campaign for a contact; it can go on where it was."""
    run_id = read_id(sent.on)
    if run_id is None:
        raise Invalid(f"on: {sent.on[:40]!r} was given; expected a contact of the list.")
    path = f"/campaigns/{visit.id}/contacts/{run_id}"
    await visit.api.delete(path)
    undo = Inverse("POST", f"{path}/resumption")
    said = "The campaign has stopped for this contact. Open tasks are closed."
    return Done(f"/campaigns/{visit.id}#contacts", said, undo)


ACTS = {"add-contact": add_contact, "remove-contact": remove_contact}
