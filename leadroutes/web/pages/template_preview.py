"""A template as its reader would see it, filled in for a contact of the account: as mail, on a phone, as text.

A preview is a document of its own in a frame without rights, so that nothing in a template reaches the pages.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from leadroutes.channels.words import campaign_template_input
from leadroutes.domain.message import (
    MessageContact,
    MessageLead,
    MessageSender,
    MessageStatus,
    MessageTemplate,
    OutgoingMessage,
)
from leadroutes.domain.segments import Segments, count_segments
from leadroutes.domain.template import ComposeResult, MessageContent
from leadroutes.errors import Invalid, Unavailable
from leadroutes.sandbox.processes import run_sandboxed
from leadroutes.sandbox.templates import COMPOSE_MESSAGE
from leadroutes.sandbox.work import ComputationFailed
from leadroutes.store.drips import MessageRecords, find_newest_contact, load_preview
from leadroutes.web.page import Document, Visit
from leadroutes.web.pages.contact_search import find_contacts, name_of

LONGEST_GIVEN = 60  # characters
VIEWS = {"mail": "As mail", "phone": "On a phone", "text": "As text"}
CHANNELS = {"Email": "email", "Text": "text", "Phone": "call"}
FRAME_HEADERS = {
    "content-security-policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox;"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
    "x-frame-options": "SAMEORIGIN",
}
EXAMPLE = MessageRecords(
    contact=MessageContact(
        id=0, first_name="Mia", last_name="Lund", email="mia.lund@example.com", mobile_phone="+13035550147",
        owner_name="Your Brokerage", postal_address="1 Example Street\nDenver, CO 80202",
    ),
    lead=MessageLead(
        id=0, type="Buyer", listing_price="450000", street_address="12 Elm Street", city="Denver", state="CO",
        zipcode="80202", text_body="Is the garden sunny?", source="Zillow",
    ),
    sender=None,
)  # fmt: skip
PLACEHOLDERS = (
    ("The contact", (
        ("contact.first_name", "First name"), ("contact.last_name", "Last name"), ("contact.email", "E-mail"),
        ("contact.phone", "Phone"), ("contact.company", "Company"),
    )),
    ("The property", (
        ("property.street_address", "Street"), ("property.city", "City"), ("property.state", "State"),
        ("property.zipcode", "ZIP"), ("property.price", "Price"), ("property.mls_id", "MLS number"),
    )),
    ("The lead", (("lead.type", "Type"), ("lead.source", "Lead source"), ("lead.message", "What was asked"))),
    ("The agent", (
        ("agent.first_name", "First name"), ("agent.name", "Full name"), ("agent.phone", "Phone"),
        ("agent.email", "E-mail"),
    )),
    ("The owner of the account", (
        ("owner.name", "Full name"), ("owner.phone", "Phone"), ("owner.email", "E-mail"),
    )),
    ("The campaign", (("campaign.name", "Its name"),)),
    ("The end of a mail", (
        ("signature", "The agent’s signature"), ("unsubscribe_link", "Link to unsubscribe"),
        ("postal_address", "Your postal address"),
    )),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DraftTemplate:
    """A template as it is in the editor, saved or not."""

    template_type: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class FilledTemplate:
    """What a frame shows. `fault` where the template cannot be filled in; then `words` is None."""

    view: str
    template_type: str
    shown_with: str
    records: MessageRecords
    words: MessageContent | None = None
    fault: str = ""
    segments: Segments | None = None


async def show_preview(visit: Visit, draft: DraftTemplate, typed: str, sender_id: int | None = None) -> Document:
    """Answers the frame: `typed` chooses the contact, "" the newest one."""
    view = visit.query.get("frame", "mail")
    try:
        records, shown_with = await _records(visit, typed, sender_id)
        preview = await _filled_in(visit, draft, view if view in VIEWS else "mail", records, shown_with)
    except Unavailable:
        preview = FilledTemplate(
            "text", draft.template_type, "", EXAMPLE, fault="The preview is busy. Try again in a moment."
        )
    return Document("pages/frame.html", {"preview": preview, "views": VIEWS}, FRAME_HEADERS)


async def _records(visit: Visit, typed: str, sender_id: int | None) -> tuple[MessageRecords, str]:
    """Returns what is filled in, and with whom that is."""
    owner_id, others = visit.viewer.owner_id, ""
    if sender_id is not None and await visit.api.find(f"/users/{sender_id}") is None:
        sender_id = None  # no one is shown whom the viewer does not see
    if typed.strip():
        found = await _found(visit, typed)
        if found:
            others = f", one of {len(found)} that fit" if len(found) > 1 else ""
            records = await load_preview(visit.database, found[0]["owner_user_id"], found[0]["id"], sender_id)
            return records, name_of(found[0]) + others
        others = f" (no contact fits “{typed.strip()[:60]}”)"
    newest = await find_newest_contact(visit.database, owner_id)
    if newest is None:
        return EXAMPLE, "an example, as there is no contact yet" + others
    records = await load_preview(visit.database, owner_id, newest, sender_id)
    name = " ".join(filter(None, (records.contact.first_name, records.contact.last_name)))
    return records, (name or "your newest contact") + others


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder to pick, and what it gives for a contact; "" where that is not known."""

    name: str
    words: str
    given: str


async def load_placeholders(visit: Visit) -> dict[str, Any]:
    """Returns the placeholders under their headings, and the contact for whom they are filled in."""
    records, shown_with = await _records(visit, visit.query.get("with", ""), None)
    message = _message(visit, DraftTemplate("Email", "", ""), records)
    filled = campaign_template_input(message, f"{visit.settings.public_url}/unsubscribe/…")
    given = filled.variables | {"signature": filled.signature_text or filled.signature_html}
    return {
        "placeholders": [
            (heading, [Placeholder(name, words, _given(given, name)) for name, words in names])
            for heading, names in PLACEHOLDERS
        ],
        "placeholders_of": shown_with,
    }


def _given(variables: Mapping[str, Any], name: str) -> str:
    """Returns the beginning of what a placeholder gives, on one line."""
    record, _, field = name.partition(".")
    value = variables[record][field] if field else variables[record]
    text = " ".join(str(value if value is not None else "").split())
    return text if len(text) <= LONGEST_GIVEN else f"{text[: LONGEST_GIVEN - 1]}…"


async def _found(visit: Visit, typed: str) -> list[dict[str, Any]]:
    try:
        return await find_contacts(visit, typed, most=5)
    except Invalid:  # more words than a search takes
        return []


async def _filled_in(
    visit: Visit, draft: DraftTemplate, view: str, records: MessageRecords, shown_with: str
) -> FilledTemplate:
    composed = await _composed(visit, draft, records)
    shown = FilledTemplate(view, draft.template_type, shown_with, records, words=composed.words)
    if composed.words is None:
        return replace(shown, fault=fault_in_words(composed.fault or "", draft.subject, draft.body))
    if draft.template_type == "Text":
        return replace(shown, segments=count_segments(composed.words.text_body))
    return shown


async def _composed(visit: Visit, draft: DraftTemplate, records: MessageRecords) -> ComposeResult:
    if draft.template_type not in CHANNELS:  # direct mail is not filled in
        return ComposeResult(words=MessageContent(subject=draft.subject or None, text_body=draft.body))
    link = f"{visit.settings.public_url}/unsubscribe/example"
    template_input = campaign_template_input(_message(visit, draft, records), link)
    try:
        return await run_sandboxed(COMPOSE_MESSAGE, template_input, owner=visit.viewer.owner_id)
    except ComputationFailed as error:
        return ComposeResult(fault=f"The template {error.reason}")


def _message(visit: Visit, draft: DraftTemplate, records: MessageRecords) -> OutgoingMessage:
    user = visit.viewer.user
    sender = records.sender or MessageSender(
        id=user.id, name=user.name, first_name=user.name.partition(" ")[0], email=visit.viewer.email,
        phone=visit.viewer.phone,
    )  # fmt: skip
    return OutgoingMessage(
        owner_id=visit.viewer.owner_id,
        id=0,
        kind="campaign",
        channel=CHANNELS[draft.template_type],
        attempts=0,
        was_sending=False,
        status=MessageStatus(),
        contact=records.contact,
        lead=records.lead,
        sender=sender,
        owner=records.owner or sender,
        template=MessageTemplate(id=0, subject=draft.subject, body=draft.body),
        campaign_name="The name of the campaign",
    )


# --------------------------------------------------------------------------------------------- what is wrong with it

_FAULT = re.compile(r"(?:\w+: )?The template cannot be processed: (?:line (?P<line>\d+): )?(?P<what>.*)", re.DOTALL)


def fault_in_words(fault: str, *texts: str) -> str:
    """Returns what is wrong with a template, and the line of the text in which it is."""
    found = _FAULT.fullmatch(fault)
    if found is None:
        return re.sub(r"^\w+: ", "", fault)
    what = found["what"].rstrip(".")
    if found["line"] is None:
        return f"A placeholder or tag is not right: {what}."
    number = int(found["line"])
    lines = [text.splitlines()[number - 1].strip() for text in texts if len(text.splitlines()) >= number]
    line = next((each for each in lines if "{" in each), "")
    quoted = f" That line is: {line[:120]}" if line else ""
    return f"Line {number} is not right: {what}.{quoted}"


def faults_in_words(errors: dict[str, Any], draft: DraftTemplate) -> dict[str, str]:
    """Returns the API's errors of a template as its author reads them, by the fields of the editor."""
    texts = {"subject": draft.subject, "body": draft.body}
    return {
        name: fault_in_words(str(fault), texts[name]) if name in texts else str(fault).removeprefix(f"{name}: ")
        for name, fault in errors.items()
    }
