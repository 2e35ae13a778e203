"""Intake keys, and the arrivals that came in through them."""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from typing import Any

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.call import Context
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.common import computed, created_at, record_id, reference
from leadroutes.api.values import Bool, Choice, Id, Integer, Moment, NamedTexts, Text
from leadroutes.domain.vendors import website_snippet
from leadroutes.intake.formats import FORMATS, why_not_secrets
from leadroutes.security.vault import Vault
from leadroutes.settings import Settings
from leadroutes.store import accounts
from leadroutes.store.audit import note_act


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
            key_id = await accounts.store_intake_key(
                transaction, writing.owner_id, key, record["lead_source_id"], record["contact_source_id"],
                record["format"], Vault.of(context.settings).seal(secrets) if secrets else None,
                is_private=record["is_private"],
            )  # fmt: skip
            note_act(transaction, writing.act, record_id=key_id)
            return key_id

    def shown_once(self, context: Context, writing: Writing) -> dict[str, Any]:
        return secret_of_key(context.settings, writing.notes["key"], writing.record["format"])

    async def delete(self, writing: Writing) -> None:
        """Revokes the key. It stays in the table, as a replay of its arrivals reads its settings."""
        await writing.transaction.execute(
            "UPDATE intake_keys SET revoked_at = $3 WHERE owner_id = $1 AND id = $2",
            writing.owner_id,
            writing.id,
            writing.transaction.now,
        )


def secret_of_key(settings: Settings, key: str, format_: str | None) -> dict[str, Any]:
    """Returns the key with its addresses, and a form for a web page where such a form may send through it."""
    url = f"{settings.public_url}/intake/{key}"
    shown = {"key": key, "url": url}
    if settings.mail_domain:
        shown["mail_address"] = f"{key}@{settings.mail_domain}"
    if format_ in FORMATS_OF_FORMS:
        shown["snippet"] = website_snippet(url)
    return shown


FORMATS_OF_FORMS = (None, "website")
MOST_ERRORS = 1000
# Both are found through indexes of the key's arrivals, however many there are.
_LAST_ARRIVAL = (
    "(SELECT max(a.received_at) FROM arrivals a WHERE a.owner_id = t.owner_id AND a.intake_key_id = t.id"
    " AND a.intake_key_id IS NOT NULL)"
)
_ERRORS = (
    "(SELECT count(*) FROM (SELECT FROM arrivals a WHERE a.owner_id = t.owner_id AND a.intake_key_id = t.id"
    f" AND a.status = 'rejected' AND a.handled_at IS NULL LIMIT {MOST_ERRORS}) e)"
)

INTAKE_KEYS = Resource(
    path="/intake-keys",
    is_audited_in_full=True,
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
        computed("last_arrival_at", Moment(), _LAST_ARRIVAL, filterable=False),
        computed("open_errors", Integer(), _ERRORS, null=False, filterable=False,
                 note=f"rejected arrivals that no one has marked as handled; {MOST_ERRORS}: that many or more"),
        Field("old_key_ends_at", Moment(), note="until when the key works that the present one has replaced"),
    ),
    methods="LGCPD",
    visible="t.owner_id = $1 AND t.revoked_at IS NULL",
    behaviour=IntakeKeyBehaviour(),
)  # fmt: skip

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
        Field("corrected_at", Moment(), note="when a person wrote what is to be read in place of the body"),
        Field("corrected_by_user_id", Id()),
        Field("handled_at", Moment(), note="when a person said that nothing remains to be done"),
        Field("handled_by_user_id", Id()),
        computed("is_handled", Bool(), "t.handled_at IS NOT NULL", null=False),
    ),
    methods="LG",
)

INTAKE_RESOURCES = (INTAKE_KEYS, ARRIVALS)
