"""What people have agreed to: that they may be written to or called, in which words, and when."""

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.access import SEES_CONTACT_OF
from leadroutes.api.resources.common import owner, record_id, reference
from leadroutes.api.values import Choice, Id, Moment, Text, quoted
from leadroutes.domain.addresses import is_ip_address
from leadroutes.store.suppressions import CHANNELS


class ConsentBehaviour(Behaviour):
    """A consent belongs to the owner of its contact, whoever enters it, and is not changed afterwards."""

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        if "contact_id" not in found:
            writing.owner_id = await writing.transaction.fetchval(
                "SELECT owner_id FROM contacts WHERE id = $1", writing.record["contact_id"]
            )
        errors: Errors = {}
        ip, at = writing.record["ip"], writing.record["at"]
        if at is None:
            writing.record["at"] = writing.transaction.now
        elif at > writing.transaction.now:
            errors["at"] = f"at: {quoted(at.isoformat())} was given; expected a moment that has passed"
        if ip is not None and not is_ip_address(ip):
            errors["ip"] = f"ip: {quoted(ip)} was given; expected an address such as 203.0.113.7 or 2001:db8::7"
        writing.record["by_user_id"] = writing.caller.user_id
        return errors


CONSENTS = Resource(
    path="/consents",
    noun="a consent",
    page_about="That a contact has agreed to be written to or called, as the record of it: an inquiry that carries a"
    " consent text puts it here, and whoever sees the contact enters what was said. It is not changed and not removed;"
    " who wants no more messages is in `/suppressions`, which count whatever was agreed to.",
    table="consents",
    fields=(
        record_id(),
        owner("owner_user_id"),
        reference("contact_id", "/contacts", "a contact that you see", write=Write.ONCE, required=True),
        Field("channel", Choice(CHANNELS), write=Write.ONCE, required=True),
        Field("how", Text(255), write=Write.ONCE, required=True, note="where it was given: a form, a call, a paper"),
        Field("words", Text(2000), write=Write.ONCE, note="what the person agreed to"),
        Field("at", Moment(), write=Write.ONCE, null=False, note="when; now, where it is not sent"),
        Field("ip", Text(45), write=Write.ONCE, note="the address from which the form was sent"),
        Field("lead_id", Id(), note="the inquiry that carried it, which may be gone"),
        Field("by_user_id", Id(), note="who entered it; null: an inquiry"),
    ),
    methods="LGC",
    visible=SEES_CONTACT_OF,
    behaviour=ConsentBehaviour(),
)
