"""Intake keys, and the arrivals that came in through them."""

from typing import Any

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.call import Context
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.common import created_at, record_id, reference
from leadroutes.api.values import Bool, Choice, Id, Moment, NamedTexts, Text
from leadroutes.intake.formats import FORMATS, why_not_secrets
from leadroutes.security.vault import Vault
from leadroutes.store import accounts


class IntakeKeyBehaviour(Behaviour):
    """Issues a key with the secrets of its vendor; removing one revokes it."""

    async def validate(self, writing: Writing, _errors: Errors) -> Errors:
        """Checks that the secrets belong to the format and are complete."""
        why_not = why_not_secrets(writing.record["format"], writing.sent.get("secrets") or {})
        return {"secrets": f"secrets: {why_not}"} if why_not else {}

    async def create_through(self, context: Context, writing: Writing) -> int:
        """Creates the key here, as only the context has the vault that encrypts the vendor's secrets."""
        writing.notes["key"] = key = accounts.new_intake_key()
        record, secrets = writing.record, writing.sent.get("secrets")
        async with context.database.transaction() as transaction:
            return await accounts.store_intake_key(
                transaction, writing.owner_id, key, record["lead_source_id"], record["contact_source_id"],
                record["format"], Vault.of(context.settings).seal(secrets) if secrets else None,
                is_private=record["is_private"],
            )  # fmt: skip

    def shown_once(self, context: Context, writing: Writing) -> dict[str, Any]:
        key = writing.notes["key"]
        address = {"mail_address": f"{key}@{context.settings.mail_domain}"} if context.settings.mail_domain else {}
        return {"key": key, "url": f"{context.settings.public_url}/intake/{key}", **address}

    async def delete(self, writing: Writing) -> None:
        """Revokes the key. It stays in the table, as a replay of its arrivals reads its settings."""
        await writing.transaction.execute(
            "UPDATE intake_keys SET revoked_at = $3 WHERE owner_id = $1 AND id = $2",
            writing.owner_id,
            writing.id,
            writing.transaction.now,
        )


INTAKE_KEYS = Resource(
    path="/intake-keys",
    noun="an intake key",
    page_about="A secret address that takes leads in for you. `key` and `url` are shown once, when it is made.",
    table="intake_keys",
    fields=(
        record_id(),
        reference("lead_source_id", "/lead-sources", "a lead source that you see", required=True),
        reference("contact_source_id", "/contact-sources", "a contact source of yours"),
        Field("format", Choice(tuple(each.name for each in FORMATS)), write=Write.ONCE, note="null: recognised"),
        Field(
            "secrets",
            NamedTexts(1000),
            write=Write.ONCE,
            column="",
            key="",
            filterable=False,
            note="what the vendor authenticates with, by name; stored encrypted and never shown",
        ),
        Field(
            "is_private",
            Bool(),
            write=Write.ALWAYS,
            null=False,
            sql="is_known_to_its_sender_alone(t)",
            note="only the vendor knows the address, so that it authenticates the sender; by default true for vendors'"
            " formats and mail, false for website, zapier and no format",
        ),
        created_at(),
        Field("last_used_at", Moment()),
    ),
    methods="LGCPD",
    visible="t.owner_id = $1 AND t.revoked_at IS NULL",
    behaviour=IntakeKeyBehaviour(),
)

ARRIVALS = Resource(
    path="/arrivals",
    noun="an arrival",
    page_about="Everything that came in through your intake keys, with its outcome.",
    table="arrivals",
    fields=(
        record_id(),
        Field("received_at", Moment(), null=False),
        Field("intake_key_id", Id()),
        Field("lead_source_id", Id()),
        Field("format", Text()),
        Field("status", Choice(("accepted", "touch", "test", "update", "pending", "rejected")), null=False),
        Field("reason", Text()),
        Field("lead_id", Id()),
    ),
    methods="LG",
)

INTAKE_RESOURCES = (INTAKE_KEYS, ARRIVALS)
