"""Messages on an owner's account, sent or not: alerts to agents and steps of campaigns."""

from leadroutes.api.resource import Field, Resource
from leadroutes.api.resources.common import created_at, record_id
from leadroutes.api.values import Choice, Id, Moment, Text
from leadroutes.store.outbox import STATES

MESSAGES = Resource(
    path="/messages",
    noun="a message",
    page_about="Alerts and steps of campaigns: what was sent on your account, and what was not, with the reason.",
    table="messages",
    fields=(
        record_id(),
        Field("channel", Choice(("email", "text", "call", "webhook")), null=False),
        Field("kind", Text(), null=False, note="offer, won, claimed, unclaimed, campaign"),
        Field("state", Choice(STATES), null=False),
        Field("reason", Text(), note="why it was not sent, or why it waits"),
        Field("lead_id", Id()),
        Field("contact_id", Id(), note="the recipient; null for an agent"),
        Field("user_id", Id(), note="the recipient; null for a contact"),
        Field("address", Text(), note="an e-mail address or a phone number; null until it is sent"),
        created_at(),
        Field("sent_at", Moment()),
    ),
    methods="LG",
)
