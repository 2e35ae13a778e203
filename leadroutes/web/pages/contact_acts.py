"""What the forms on the page of a contact do. What can be taken back says how."""

from collections.abc import Mapping
from typing import Any

from leadroutes.domain.identity import normal_email, normal_phone
from leadroutes.errors import Forbidden, Invalid, NotFound
from leadroutes.store.outbox import list_campaigns_of_contact
from leadroutes.web.page import Done, Inverse, Stale, Visit, change, put_back
from leadroutes.web.pages import suppression_acts
from leadroutes.web.pages.contact_fields import differences, read_address, read_contact, tags_of, with_tag, without_tag
from leadroutes.web.pages.lead import store_conversation, store_note, store_task
from leadroutes.web.pages.suppression_acts import suppress_address, suppression_of
from leadroutes.web.sent import Sent

LONGEST_TAGS = 508
LONGEST_FILTER = 200


async def edit(visit: Visit, sent: Sent) -> Done:
    contact = await visit.api.get(_path(visit))
    try:
        await change(visit, _path(visit), read_contact(sent, contact), sent.get("seen"))
    except Stale as stale:
        raise Stale(stale.now, differences(sent, stale.now)) from None
    return Done("", "The contact is stored.")


# ---------------------------------------------------------------------------------------------------------- tags


async def add_tag(visit: Visit, sent: Sent) -> Done:
    tags = [tag.strip() for tag in sent.get("tag").split(",") if tag.strip()]
    if not tags:
        raise Invalid.fields({"tag": "Write a tag first"})
    contact = await visit.api.get(_path(visit))
    wanted = tags_of(contact)
    for tag in tags:
        wanted = with_tag(wanted, tag)
    return await _set_tags(visit, contact, wanted, f"Tagged: {', '.join(tags)}.")


async def remove_tag(visit: Visit, sent: Sent) -> Done:
    tag = sent.get("tag")
    contact = await visit.api.get(_path(visit))
    return await _set_tags(visit, contact, without_tag(tags_of(contact), tag), f"The tag {tag[:60]} is removed.")


async def _set_tags(visit: Visit, contact: Mapping[str, Any], wanted: list[str], done: str) -> Done:
    """Changes the tags unless someone else has done so in between. Raises Invalid for more than are stored."""
    before, after = contact["tags"], ", ".join(wanted) or None
    if wanted == tags_of(contact):
        return Done("", "The tags are as they were.")
    if after is not None and len(after) > LONGEST_TAGS:
        raise Invalid.fields({"tag": f"All tags of a contact together may have {LONGEST_TAGS} characters"})
    try:
        await visit.api.patch(_path(visit), {"tags": after}, _only_if(before))
    except NotFound:
        raise Stale(await visit.api.get(_path(visit))) from None
    return Done("", done, put_back(_path(visit), {"tags": before}, {"tags": after}, _only_if(after)))


def _only_if(tags: str | None) -> dict[str, object]:
    """Returns the filter of a contact that has just these tags; none where they are too long for a filter."""
    return {"tags": tags} if tags is None or 0 < len(tags) <= LONGEST_FILTER else {}


# ----------------------------------------------------------------------------------------------------- addresses


async def add_address(visit: Visit, sent: Sent) -> Done:
    body = read_address(sent)
    if not any(value for name, value in body.items() if name != "type"):
        raise Invalid.fields({"street_address_1": "Write the street or the city first"})
    address = await visit.api.post(f"{_path(visit)}/addresses", body)
    return Done("", "The address is stored.", Inverse("DELETE", f"{_path(visit)}/addresses/{address['id']}"))


async def change_address(visit: Visit, sent: Sent) -> Done:
    path = f"{_path(visit)}/addresses/{_address_id(sent)}"
    await change(visit, path, read_address(sent), sent.get("seen"))
    return Done("", "The address is stored.")


async def remove_address(visit: Visit, sent: Sent) -> Done:
    path = f"{_path(visit)}/addresses"
    address = await visit.api.get(f"{path}/{_address_id(sent)}")
    await visit.api.delete(f"{path}/{address['id']}")
    stored = {name: address[name] for name in read_address(sent)}
    return Done("", "The address is removed.", Inverse("POST", path, stored))


def _address_id(sent: Sent) -> int:
    address_id = sent.id("address_id")
    if address_id is None:
        raise Invalid("address_id: expected one of the addresses of the page.")
    return address_id


# ------------------------------------------------------------------------------------------ what is said and done


async def note(visit: Visit, sent: Sent) -> Done:
    return await store_note(visit, sent, visit.id)


async def talked(visit: Visit, sent: Sent) -> Done:
    return await store_conversation(visit, sent, visit.id)


async def add_task(visit: Visit, sent: Sent) -> Done:
    return await store_task(visit, sent, visit.id)


async def start(visit: Visit, sent: Sent) -> Done:
    """Starts a campaign for the contact."""
    campaign_id = sent.id("campaign_id")
    if campaign_id is None:
        raise Invalid.fields({"campaign_id": "Choose a campaign"})
    contact = await visit.api.get(_path(visit))
    running = await list_campaigns_of_contact(visit.database, contact["owner_user_id"], visit.id)
    if campaign_id in {run["campaign_id"] for run in running}:  # starting it again would send all of it again
        raise Invalid.fields({"campaign_id": "This campaign runs for the contact already"})
    path = f"/campaigns/{campaign_id}/contacts"
    run = await visit.api.post(path, {"contact_id": visit.id})
    return Done("", "The campaign is started.", Inverse("DELETE", f"{path}/{run['id']}"))


# -------------------------------------------------------------------------------------------- what may be sent


def addresses_of(contact: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns what of a contact can be suppressed, as (channel, address in its plain form), each once."""
    mails = [("email", normal_email(contact[name])) for name in ("email", "secondary_email") if contact[name]]
    numbers = [
        (channel, normal_phone(contact[name]))
        for name in ("mobile_phone", "home_phone", "office_phone")
        if contact[name]
        for channel in ("text", "call")
    ]
    return list(dict.fromkeys((channel, value) for channel, value in (*mails, *numbers) if value))


async def suppress(visit: Visit, sent: Sent) -> Done:
    """Enters that an address must not be written to."""
    channel, _, value = sent.get("address").partition(" ")
    contact = await visit.api.get(_path(visit))
    if (channel, value) not in addresses_of(contact):
        raise Invalid.fields({"address": "Choose one of the contact's addresses"})
    return await suppress_address(visit, sent, channel, value, "address")


async def lift(visit: Visit, sent: Sent) -> Done:
    """Lets campaigns write again to one of the contact's addresses."""
    stored = await visit.api.get(f"/suppressions/{suppression_of(sent)}")
    contact = await visit.api.get(_path(visit))
    if (stored["channel"], stored["value"]) not in addresses_of(contact):
        raise Invalid("suppression_id: expected one of this contact's addresses.")
    return await suppression_acts.lift(visit, sent)


async def agree(visit: Visit, sent: Sent) -> Done:
    """Records what the person agreed to."""
    how = sent.text("how")
    if how is None:
        raise Invalid.fields({"how": "Say where, or how, the person agreed"})
    body = {"contact_id": visit.id, "channel": sent.get("channel"), "how": how, "words": sent.text("words")}
    await visit.api.post("/consents", body)
    return Done("", "It is recorded that the person agreed.")


# ------------------------------------------------------------------------------------------- for good: no way back


async def merge(visit: Visit, sent: Sent) -> Done:
    """Merges another contact into this one."""
    contact_id = sent.id("contact_id")
    if contact_id is None:
        raise Invalid("Search for the other contact first.")
    await visit.api.post(f"{_path(visit)}/merge", {"contact_id": contact_id})
    return Done("", "The contacts are merged: everything of both is here.")


async def erase(visit: Visit, _sent: Sent) -> Done:
    contact = await visit.api.get(_path(visit))
    if contact["owner_user_id"] != visit.viewer.owner_id:
        raise Forbidden("Only the owner of a contact erases it.")
    await visit.api.post(f"{_path(visit)}/erasure")
    return Done("/contacts", "The person is erased. What was counted stays, without a name.")


def _path(visit: Visit) -> str:
    return f"/contacts/{visit.id}"
