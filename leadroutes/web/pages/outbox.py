"""The outbox: every message of an account, why it was not sent, and the button that sends it again."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from leadroutes.domain.causes import advice_of
from leadroutes.errors import Invalid
from leadroutes.store.outbox import CHANNELS, STATES, WINDOW, Sought, list_messages
from leadroutes.web.forms import read_id
from leadroutes.web.page import Done, MenuItem, Page, Visit, owners
from leadroutes.web.pages.leads import full_name
from leadroutes.web.sent import Sent

STATE_NAMES = {
    "queued": "waiting", "sending": "on the way", "sent": "sent", "failed": "failed", "suppressed": "not sent",
    "unknown": "uncertain",
}  # fmt: skip
TITLES = {  # of messages that have no subject: texts and calls, and what has not been made yet
    "offer": "New lead",
    "won": "A lead was assigned",
    "claimed": "A lead was claimed",
    "unclaimed": "No one claimed a lead",
    "reoffer": "A lead is offered again",
    "given_back": "A lead was given back",
    "junk": "A lead is junk",
    "handover": "A lead is to be passed on",
    "handover_declined": "A lead was not passed on",
    "untold": "An agent could not be notified",
    "digest": "The morning's digest",
    "test": "A test of alerts",
    "campaign": "Follow-up",
    "answer": "Answer to a text",
    "confirmation": "Answer to STOP, START or HELP",
    "replied": "A contact has answered",
    "call_due": "A contact is to be called",
    "texts_stopped": "An agent gets no more texts",
    "invitation": "Invitation into a team",
    "email_change": "A new e-mail address",
    "email_changing": "Change of the e-mail address",
    "webhook_off": "A webhook was switched off",
}


CALL_STATES = {  # what the provider says of a call
    "queued": "is about to ring", "initiated": "is about to ring", "ringing": "rings", "in-progress": "under way",
    "completed": "answered", "busy": "busy", "no-answer": "no answer", "failed": "did not get through",
    "canceled": "ended while it rang",
}  # fmt: skip
CHANNEL_NAMES = {
    "email": "e-mail", "text": "text", "call": "call", "webhook": "webhook", "push": "notification",
}  # fmt: skip
MOST_NAMED = 200  # contacts of a name whose messages are found


async def load_outbox(visit: Visit) -> Mapping[str, Any]:
    state, channel = _one_of(visit, "state", STATES), _one_of(visit, "channel", CHANNELS)
    search = visit.query.get("search", "").strip()[:200]
    before = visit.query.get("before") or None
    message_id = read_id(before)
    if before is not None and message_id is None:
        raise Invalid(f"before: {before[:40]!r} was given; expected the id of a message.")
    wanted = Sought(state=state, channel=channel, **(await _to_whom(visit, search) if search else {}))
    return {
        "outbox": await list_messages(visit.database, visit.viewer.owner_id, wanted, message_id),
        "asked": {"state": state or "", "channel": channel or "", "search": search},
        "states": STATE_NAMES,
        "channels": CHANNEL_NAMES,
        "call_states": CALL_STATES,
        "titles": TITLES,
        "advice_of": advice_of,
        "window": WINDOW,
    }


def _one_of(visit: Visit, name: str, among: Sequence[str]) -> str | None:
    given = visit.query.get(name) or None
    if given is not None and given not in among:
        raise Invalid(f"{name}: {given[:40]!r} was given; expected one of {', '.join(among)}.")
    return given


async def _to_whom(visit: Visit, search: str) -> dict[str, Any]:
    """Returns what finds messages by an address or a subject, and by the name of whom they are to."""
    small = search.casefold()
    users = await visit.api.records("/users", {"$select": ["id", "first_name", "last_name", "email"]})
    try:
        contacts = await visit.api.records("/contacts", {"$search": search, "$select": ["id"]}, most=MOST_NAMED)
    except Invalid:  # more words than a name has
        contacts = []
    return {
        "words": small,
        "user_ids": [each["id"] for each in users if small in f"{full_name(each)} {each['email']}".casefold()],
        "contact_ids": [each["id"] for each in contacts],
    }


async def retry(visit: Visit, sent: Sent) -> Done:
    """Queue a message that failed once more. Leads back to the same part of the outbox."""
    message_id = sent.id("id")
    if message_id is None:
        raise Invalid("id: expected the id of a message.")
    await visit.api.post(f"/messages/{message_id}/retry")
    asked = {name: text for name in ("state", "channel", "search") if (text := sent.text(name))}
    return Done(f"/outbox?{urlencode(asked)}" if asked else "/outbox", "It is queued once more.")


OUTBOX = Page(
    path="/outbox",
    title="Outbox",
    about="every message of your account, with its state, the reason and what to do about it, whom it is about and,"
    " once it was made, its text; found by recipient, address and subject; what failed can be sent again",
    template="pages/outbox.html",
    load=load_outbox,
    acts={"retry": retry},
    may=owners,
    place=MenuItem("Leads in and out", "Outbox", "send"),
    parts=("messages",),
)
