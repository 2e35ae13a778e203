"""Messages on an owner's account, sent or not: alerts to agents and steps of campaigns."""

from leadroutes.api.resource import Field, Resource
from leadroutes.api.resources.common import created_at, record_id
from leadroutes.api.values import Choice, Id, Integer, Moment, Text
from leadroutes.store.outbox import CHANNELS, STATES

MESSAGES = Resource(
    path="/messages",
    noun="a message",
    page_about="Alerts and steps of campaigns: what was sent on your account, and what was not, with the reason.",
    table="messages",
    fields=(
        record_id(),
        Field("channel", Choice(CHANNELS), null=False),
        Field(
            "kind",
            Text(),
            null=False,
            note="offer, reoffer, won, claimed, unclaimed, untold, junk, given_back, handover, handover_declined,"
            " replied, call_due, texts_stopped, digest, test, campaign; answer and confirmation: to a text that"
            " came in",
        ),
        Field("state", Choice(STATES), null=False),
        Field("reason", Text(), note="why it was not sent, or why it waits"),
        Field("advice", Text(), note="in words, what went wrong and what to do about it"),
        Field("lead_id", Id()),
        Field("contact_id", Id(), note="the recipient; null for an agent"),
        Field("user_id", Id(), note="the recipient; null for a contact"),
        Field("address", Text(), note="an e-mail address or a phone number; null until it is sent"),
        Field("provider_id", Text(), note="of a text at the provider that sends it"),
        Field(
            "provider_state",
            Text(),
            note="what the provider says of a text: queued, sending, sent, delivered, undelivered, failed",
        ),
        Field("error_code", Integer(), note="the provider's"),
        Field("delivered_at", Moment()),
        created_at(),
        Field("sent_at", Moment()),
    ),
    methods="LG",
)
