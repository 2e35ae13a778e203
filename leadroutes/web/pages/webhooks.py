"""Webhooks: where events of the account are sent, what became of each delivery, a test, and a new secret."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from leadroutes.domain.webhooks import EVENTS, TEST_EVENT
from leadroutes.errors import Invalid
from leadroutes.web.page import Done, MenuItem, Page, Revealed, Visit, change, owners
from leadroutes.web.sent import Sent

PAGE = 25  # deliveries shown at once
FORMATS = {
    "standard": "An application: signed JSON",
    "slack": "Slack: an incoming webhook",
    "teams": "Microsoft Teams: a workflow",
}
EVENT_WORDS = {
    "lead.arrived": "A lead came in",
    "lead.offered": "A lead was offered to an agent",
    "lead.claimed": "A lead was claimed",
    "lead.assigned": "A lead was assigned",
    "lead.unclaimed": "No one claimed a lead",
    "lead.touched": "Someone asked again about a lead",
    "lead.junk": "A lead is junk",
    "lead.declined": "An agent passed on a lead",
    "arrival.rejected": "Something came in that could not be read",
    "contact.replied": "A contact has answered",
    "contact.unsubscribed": "A contact wants no more messages",
    "message.failed": "A message could not be sent",
    TEST_EVENT: "A test",
}
STATES = {"waiting": "waiting", "delivered": "delivered", "failed": "failed", "withdrawn": "not sent"}


async def load_webhooks(visit: Visit) -> Mapping[str, Any]:
    webhooks = await visit.api.records("/webhooks", {"$sort[id]": 1})
    return {"webhooks": webhooks, "formats": FORMATS, "host_of": host_of}


def host_of(url: str) -> str:
    """Returns the host of an address, which says enough where the rest of it is a secret."""
    return urlsplit(url).netloc or url


async def load_new(_visit: Visit) -> Mapping[str, Any]:
    return {"formats": FORMATS, "events_known": EVENTS, "event_words": EVENT_WORDS}


async def make(visit: Visit, sent: Sent) -> Revealed:
    """A new webhook, whose secret is shown this once."""
    made = await visit.api.post("/webhooks", _body(sent) | {"format": sent.get("format")})
    return Revealed({"made": made})


def _body(sent: Sent) -> dict[str, Any]:
    """Returns what both forms have; where all events are wanted, those that are yet to be invented are, too."""
    url = sent.text("url")
    if url is None:
        raise Invalid.fields({"url": "Fill in the address that events are to be sent to"})
    if sent.get("which") != "some":
        return {"url": url, "events": None}
    if not (chosen := sent.all("events")):
        raise Invalid.fields({"events": "Choose at least one event, or all of them"})
    return {"url": url, "events": chosen}


async def load_webhook(visit: Visit) -> Mapping[str, Any]:
    webhook = await visit.api.get(f"/webhooks/{visit.id}")
    query: dict[str, object] = {"$sort[id]": -1}
    if visit.query.get("after"):
        query["id[$lt]"] = Sent({"after": [visit.query["after"]]}).id("after")
    found = await visit.api.records(f"/webhooks/{visit.id}/deliveries", query, most=PAGE + 1)
    shown = found[:PAGE]
    return {
        "webhook": webhook,
        "deliveries": shown,
        "last": shown[-1]["id"] if len(found) > PAGE else None,
        "formats": FORMATS,
        "events_known": EVENTS,
        "event_words": EVENT_WORDS,
        "states": STATES,
        "host_of": host_of,
    }


async def save(visit: Visit, sent: Sent) -> Done:
    await change(visit, f"/webhooks/{visit.id}", _body(sent), sent.get("seen"))
    return Done("", "It is saved.")


async def switch(visit: Visit, sent: Sent) -> Done:
    """On or off; on again, what waits is sent."""
    is_active = sent.is_checked("is_active")
    await visit.api.patch(f"/webhooks/{visit.id}", {"is_active": is_active})
    return Done("", "It is on, and what waited is sent." if is_active else "It is off: nothing is sent to it.")


async def send_test(visit: Visit, _sent: Sent) -> Done:
    await visit.api.post(f"/webhooks/{visit.id}/test")
    return Done("", "A test is on its way; below is what becomes of it.")


async def rotate(visit: Visit, _sent: Sent) -> Revealed:
    """A new secret, shown this once; for a day the old one signs as well."""
    return Revealed({"made": await visit.api.post(f"/webhooks/{visit.id}/rotation")})


async def retry(visit: Visit, sent: Sent) -> Done:
    delivery_id = sent.id("delivery")
    if delivery_id is None:
        raise Invalid("delivery: expected one of the page's buttons.")
    await visit.api.post(f"/webhooks/{visit.id}/deliveries/{delivery_id}/retry")
    return Done("", "It is sent again.")


async def remove(visit: Visit, _sent: Sent) -> Done:
    await visit.api.delete(f"/webhooks/{visit.id}")
    return Done("/webhooks", "The webhook is removed, with what waited there.")


WEBHOOK_PAGES = (
    Page(
        path="/webhooks",
        title="Webhooks",
        about="where what happens on your account is sent: applications, Slack and Microsoft Teams, and whether it"
        " arrives there",
        template="pages/webhooks.html",
        load=load_webhooks,
        may=owners,
        place=MenuItem("Leads in and out", "Webhooks", "link"),
    ),
    Page(
        path="/webhooks/new",
        title="A new webhook",
        about="send events to an application, to Slack or to Microsoft Teams; the secret that verifies them is shown"
        " once",
        template="pages/webhook_new.html",
        load=load_new,
        acts={"make": make},
        may=owners,
        below="/webhooks",
    ),
    Page(
        path="/webhooks/{id}",
        title="Webhook",
        about="one webhook: its address and events, the switch, a test, a new secret, and what became of every"
        " delivery, each of which can be sent again",
        template="pages/webhook.html",
        load=load_webhook,
        acts={
            "save": save, "switch": switch, "test": send_test, "rotate": rotate, "retry": retry, "remove": remove,
        },
        may=owners,
        below="/webhooks",
        parts=("rows",),
    ),
)  # fmt: skip
