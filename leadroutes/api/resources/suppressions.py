"""Addresses that must not be written to: seen and entered by their owner, and by whoever has such a contact."""

from typing import Any

from leadroutes.api.resource import Errors, Field, Resource, Write, Writing
from leadroutes.api.resources.common import owner, record_id
from leadroutes.api.values import Choice, EmailText, Id, Moment, Text, quoted
from leadroutes.domain.identity import normal_email, normal_phone
from leadroutes.errors import Conflict, Invalid
from leadroutes.store import suppressions as store
from leadroutes.store.suppressions import CHANNELS, REASONS, Suppression

# Those of contacts of other owners that the caller has.
_OF_ASSIGNED = (
    "ARRAY(SELECT s.id FROM contacts a CROSS JOIN suppression_salt k"
    " JOIN suppressions s ON s.owner_id = a.owner_id AND s.channel = 'email' AND s.ended_at IS NULL"
    " AND s.digest = address_digest(a.email, k.salt)"
    " WHERE a.assigned_user_id = $1 AND a.owner_id <> $1)"
)


def _normalize(record: dict[str, Any]) -> Errors:
    """An address is stored in its normal form; it has to be one for its channel."""
    is_email = record["channel"] == "email"
    value = (normal_email if is_email else normal_phone)(record["value"])
    if record["channel"] not in CHANNELS or value is not None:
        record["value"] = value
        return {}
    expected = "an e-mail address" if is_email else "a phone number with its area code"
    return {"value": f"value: {quoted(record['value'])} was given; expected {expected}"}


async def _add(writing: Writing) -> int:
    """Return the new one, the caller's own where there are several. Conflict: it is in force already."""
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
    new_id: int = min(added, key=lambda row: (row["owner_id"] != caller_id, row["id"]))["id"]
    return new_id


async def _ask_for_consent(writing: Writing) -> None:
    """Invalid where the person has asked for it and nothing is said of their consent."""
    assert writing.before is not None
    reason, consent = writing.before["reason"], (writing.sent.get("consent") or "").strip()
    if not consent and await store.is_own_wish(writing.transaction, reason):
        message = f"consent is required, as the person has asked for this ({reason}): how have they agreed since?"
        raise Invalid.fields({"consent": message})


async def _end(writing: Writing) -> None:
    assert writing.id is not None
    consent = (writing.sent.get("consent") or "").strip() or None
    await store.end_suppression(writing.transaction, writing.owner_id, writing.id, writing.caller.user_id, consent)


SUPPRESSIONS = Resource(
    path="/suppressions",
    noun="a suppression",
    page_about="An address that campaigns do not write to, whichever contacts have it. Alerts to agents are not bound"
    " by it. Who has a contact sees and enters those of the contact's e-mail, in the account of the contact's owner."
    " Removing one lifts it; where the person has asked for it, `consent` says how they have agreed since.",
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
    normalize=_normalize,
    insert=_add,
    fields_on_delete=(
        Field("consent", Text(200), note="how the person has agreed to be written to again; it is kept on record"),
    ),
    before_delete=_ask_for_consent,
    delete=_end,
)  # fmt: skip
