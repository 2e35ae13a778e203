"""Addresses that must not be written to: their owner, and the agent of a contact with one, see and enter them."""

from typing import Any

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.common import owner, record_id
from leadroutes.api.values import Choice, EmailText, Id, Moment, Text, quoted
from leadroutes.domain.identity import normal_email, normal_phone
from leadroutes.errors import Conflict, Invalid
from leadroutes.store import suppressions as store
from leadroutes.store.suppressions import CHANNELS, REASONS, Suppression

# Suppressions of contacts of other owners that are assigned to the caller.
_OF_ASSIGNED = (
    "ARRAY(SELECT s.id FROM contacts a CROSS JOIN suppression_salt k"
    " JOIN suppressions s ON s.owner_id = a.owner_id AND s.channel = 'email' AND s.ended_at IS NULL"
    " AND s.digest = address_digest(a.email, k.salt)"
    " WHERE a.assigned_user_id = $1 AND a.owner_id <> $1"
    " UNION ALL SELECT s.id FROM contacts a CROSS JOIN suppression_salt k"
    " JOIN contact_identities i ON i.owner_id = a.owner_id AND i.contact_id = a.id AND i.kind = 'phone'"
    " JOIN suppressions s ON s.owner_id = a.owner_id AND s.channel <> 'email' AND s.ended_at IS NULL"
    " AND s.digest = address_digest(i.value, k.salt)"
    " WHERE a.assigned_user_id = $1 AND a.owner_id <> $1)"
)


class SuppressionBehaviour(Behaviour):
    """One address for all owners that have it; lifting a person's own wish needs their consent."""

    def normalize(self, record: dict[str, Any]) -> Errors:
        """Normalizes the address, which has to suit its channel."""
        is_email = record["channel"] == "email"
        value = (normal_email if is_email else normal_phone)(record["value"])
        if record["channel"] not in CHANNELS or value is not None:
            record["value"] = value
            return {}
        expected = "an e-mail address" if is_email else "a phone number with its area code"
        return {"value": f"value: {quoted(record['value'])} was given; expected {expected}"}

    async def insert(self, writing: Writing) -> int:
        """Returns the id of the new one, the caller's own if there are several. Raises Conflict if it is in force."""
        transaction, caller_id, record = writing.transaction, writing.caller.user_id, writing.record
        owners = await store.find_owners_of_address(transaction, caller_id, record["channel"], record["value"])
        each = {"channel": record["channel"], "value": record["value"], "reason": record["reason"]}
        added = await store.add_suppressions(
            transaction,
            [Suppression(owner_id=owner_id, at=record["at"] or transaction.now, **each) for owner_id in owners],
            caller_id,
        )
        if not added:
            raise Conflict(f"This address is suppressed already, as {record['reason']}")
        if await store.is_own_wish(transaction, record["reason"]):
            added_owners = [row["owner_id"] for row in added]
            await store.note_wish(transaction, added_owners, record["channel"], record["value"])
        new_id: int = min(added, key=lambda row: (row["owner_id"] != caller_id, row["id"]))["id"]
        return new_id

    async def before_delete(self, writing: Writing) -> None:
        """Raises Invalid if the person asked for the suppression and the request has no consent."""
        assert writing.before is not None
        reason, consent = writing.before["reason"], (writing.sent.get("consent") or "").strip()
        if not consent and await store.is_own_wish(writing.transaction, reason):
            message = f"consent is required, as the person has asked for this ({reason}): how have they agreed since?"
            raise Invalid.fields({"consent": message})

    async def delete(self, writing: Writing) -> None:
        assert writing.id is not None
        consent = (writing.sent.get("consent") or "").strip() or None
        await store.end_suppression(writing.transaction, writing.owner_id, writing.id, writing.caller.user_id, consent)


SUPPRESSIONS = Resource(
    path="/suppressions",
    noun="a suppression",
    page_about="An address that campaigns do not write to, whichever contacts have it. Alerts to agents are sent"
    " all the same. The agent of a contact sees and enters those of the contact's e-mail and phones, for the contact's"
    " owner. Removing one lifts it; where the person has asked for it, `consent` says how they have agreed since.",
    table="suppressions",
    fields=(
        record_id(),
        owner("owner_user_id"),
        Field("channel", Choice(CHANNELS), write=Write.ONCE, required=True),
        Field("value", EmailText(255), write=Write.ONCE, required=True, schema={"type": ["string", "null"]},
              note="an e-mail address, or a phone number in E.164; null in answers where the person was erased"),
        Field("reason", Choice(REASONS), write=Write.ONCE, default="manual",
              note="unsubscribed, stopped and complained are the person's own wish"),
        Field("at", Moment(), write=Write.ONCE, null=False, note="since when; now, where it is not sent"),
        Field("source_message_id", Id(), note="the message that it came from, which may be gone"),
        Field("by_user_id", Id(), note="who entered it; null: the person, or the service"),
    ),
    methods="LGCD",
    visible=f"t.ended_at IS NULL AND (t.owner_id = $1 OR t.id = ANY ({_OF_ASSIGNED}))",
    changeable="true",
    fields_on_delete=(
        Field("consent", Text(200), note="how the person has agreed to be written to again; stored as a record"),
    ),
    behaviour=SuppressionBehaviour(),
)  # fmt: skip
