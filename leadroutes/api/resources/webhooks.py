"""Webhooks, which are sent what happens on an account, and the deliveries to them."""

from collections.abc import Mapping
from typing import Any

from leadroutes.api.behaviour import Behaviour, Writing
from leadroutes.api.call import Context
from leadroutes.api.resource import Field, Resource
from leadroutes.api.resources.common import created_at, flag, modified_at, record_id, word
from leadroutes.api.values import Choice, ChoiceList, Id, Integer, Moment, Nested, Text, quoted
from leadroutes.domain.webhooks import EVENTS, FORMATS, STATES
from leadroutes.errors import Invalid
from leadroutes.security.outside_addresses import LONGEST_URL, AllowedNetworks, why_not_target
from leadroutes.security.vault import Vault
from leadroutes.security.webhook_signature import new_webhook_secret
from leadroutes.settings import Settings
from leadroutes.store import webhooks as store
from leadroutes.store.audit import note_act

MOST_WEBHOOKS = 50  # of one owner


class WebhookBehaviour(Behaviour):
    """Makes the secret, and lets a webhook lead to where the operator allows it."""

    async def create_through(self, context: Context, writing: Writing) -> int:
        """Adds it here, as only the context has the settings."""
        _require_allowed(context.settings, writing.record)
        writing.notes["secret"] = secret = new_webhook_secret()
        sealed = seal_webhook_secret(context.settings, secret)
        async with context.database.transaction() as transaction:
            webhook_id = await store.add_webhook(transaction, writing.owner_id, writing.record, sealed)
            note_act(transaction, writing.act, record_id=webhook_id)
            return webhook_id

    async def change_through(self, context: Context, writing: Writing) -> None:
        """Changes it here, for the same reason."""
        assert writing.id is not None
        assert writing.before is not None
        if writing.record["url"] != writing.before["url"]:
            _require_allowed(context.settings, writing.record)
        async with context.database.transaction() as transaction:
            await store.change_webhook(transaction, writing.owner_id, writing.id, writing.record)
            note_act(transaction, writing.act)

    def shown_once(self, _context: Context, writing: Writing) -> dict[str, Any]:
        return {"secret": writing.notes["secret"]}


def seal_webhook_secret(settings: Settings, secret: str) -> bytes:
    """Returns the secret of a webhook as it is stored."""
    return Vault.of(settings).seal({"secret": secret})


def _require_allowed(settings: Settings, record: Mapping[str, Any]) -> None:
    if why_not := why_not_target(record["url"], AllowedNetworks.of(settings)):
        raise Invalid.fields({"url": f"url: {quoted(record['url'])} was given; {why_not}"})


WEBHOOKS = Resource(
    path="/webhooks",
    is_audited_in_full=True,
    noun="a webhook",
    page_about="An address that is sent what happens on your account, as it happens. `secret`, by which the receiver"
    " verifies the signatures, is shown once, when it is made or replaced.",
    table="webhooks",
    fields=(
        record_id(),
        word("url", Text(LONGEST_URL), required=True,
             note="https, and a public host; the operator may allow others, and http to them"),
        word("events", ChoiceList(tuple(EVENTS)), filterable=False, note="null: all"),
        word("format", Choice(FORMATS), default="standard",
             note="standard: signed JSON (standardwebhooks.com); slack, teams: a card for an incoming webhook"),
        flag("is_active", default=True),
        Field("disabled_at", Moment(), note="when the service switched it off; is_active true takes that back"),
        Field("disabled_reason", Text()),
        created_at(),
        modified_at(),
    ),
    methods="LGCPD",
    most=MOST_WEBHOOKS,
    behaviour=WebhookBehaviour(),
)  # fmt: skip

_TRIES: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "status": {"type": ["integer", "null"], "description": "null: no answer came"},
            "milliseconds": {"type": "integer"},
            "answer": {"type": ["string", "null"], "description": "the first 1,000 characters"},
            "error": {"type": ["string", "null"], "description": "why no answer came"},
        },
    },
}

DELIVERIES = Resource(
    path="/webhooks/:id/deliveries",
    noun="a delivery",
    page_about="An event that is sent to a webhook, with every try; for 30 days.",
    table="webhook_deliveries",
    parent=WEBHOOKS,
    parent_column="webhook_id",
    fields=(
        record_id(),
        Field("webhook_id", Id(), null=False),
        Field("type", Text(), null=False, note="the event"),
        Field("at", Moment(), null=False, note="when it happened"),
        Field("state", Choice(STATES), null=False, note="withdrawn: its contact was erased before it was sent"),
        Field("reason", Text(), note="why the last try failed"),
        Field("lead_id", Id()),
        Field("contact_id", Id()),
        Field("tried", Integer(0), null=False, note="tries since it was added or sent again"),
        Field("due_at", Moment(), note="when the next try is due, in real time"),
        created_at(),
        Field("tries", Nested(_TRIES), filterable=False, null=False, shows="t.tries"),
    ),
    methods="LG",
)

WEBHOOK_RESOURCES = (WEBHOOKS, DELIVERIES)
