"""The editor of a template, on its own page and beside the step of a campaign: its fields, its preview, its choices."""

from collections.abc import Awaitable
from typing import Any

from leadroutes.errors import Invalid
from leadroutes.web.page import Document, Visit, change
from leadroutes.web.pages.template_preview import DraftTemplate, faults_in_words, show_preview
from leadroutes.web.sent import Sent

TYPES = {
    "Email": "E-mail",
    "Text": "Text message",
    "Phone": "Words for a phone call",
    "Direct Mail Letter": "Letter on paper",
    "Direct Mail Postcard": "Postcard on paper",
}
SIGN_OFF = "{% if signature %}{{ signature }}{% else %}{{ agent.name }}\n{{ agent.phone }}{% endif %}"
FIRST_WORDS = {
    "Email": f"Hi {{{{ contact.first_name }}}},\n\n\n\n{SIGN_OFF}",
    "Text": "Hi {{ contact.first_name }}, this is {{ agent.first_name }}. Reply STOP to opt out.",
    "Phone": "Ask {{ contact.first_name }} about {{ property.street_address }}.",
}
MOST_FOLDERS = 500
LARGEST_FORM = 1_048_576  # bytes; a template has 200,000 characters at most
NEW_FOLDER = "Templates"


async def folder_choices(visit: Visit) -> list[tuple[int, str]]:
    folders = await visit.api.records("/template-folders", most=MOST_FOLDERS)
    return sorted(((each["id"], each["name"]) for each in folders), key=lambda each: each[1].casefold())


def draft_of(sent: Sent) -> DraftTemplate:
    return DraftTemplate(sent.get("template_type", "Email"), sent.get("subject"), sent.get("body"))


def saved_draft(template: dict[str, Any]) -> DraftTemplate:
    return DraftTemplate(template["template_type"], template["subject"] or "", template["body"] or "")


async def preview_typed(visit: Visit, sent: Sent) -> Document:
    """Answers the frame with what was typed; nothing is saved."""
    return await show_preview(visit, draft_of(sent), sent.get("with"), sent.id("sender_id"))


def read_template(sent: Sent) -> dict[str, Any]:
    """Returns what the API takes. Raises Invalid with the fields that are not filled in as they should be."""
    errors: dict[str, str] = {}
    type_ = sent.get("template_type")
    if type_ not in TYPES:
        errors["template_type"] = "Choose what kind of message it is."
    if not sent.get("body").strip():
        errors["body"] = "Write what the message says."
    if type_ == "Email" and not sent.get("subject").strip():
        errors["subject"] = "Give the mail a subject; it is what its reader sees first."
    if not sent.get("description").strip():
        errors["description"] = "Give the template a name; you choose it by that."
    if errors:
        raise Invalid.fields(errors)
    return {
        "template_type": type_,
        "subject": sent.text("subject"),
        "body": sent.get("body"),
        "description": sent.text("description"),
    }


async def add_template(visit: Visit, sent: Sent) -> int:
    """Adds a template, and the folder for it where one was named instead of chosen. Returns its id."""
    fields = read_template(sent)
    folder_id, folder_name = sent.id("template_folder_id"), sent.text("folder_name")
    if folder_id is not None and not folder_name:
        made = await _checked(visit.api.post("/templates", {**fields, "template_folder_id": folder_id}), sent)
        return int(made["id"])
    folder = await visit.api.post("/template-folders", {"name": folder_name or NEW_FOLDER})
    try:
        made = await _checked(visit.api.post("/templates", {**fields, "template_folder_id": folder["id"]}), sent)
    except BaseException:
        await visit.api.delete(f"/template-folders/{folder['id']}")
        raise
    return int(made["id"])


async def change_template(visit: Visit, template_id: int, sent: Sent) -> None:
    """Changes a template. Raises Stale where someone has changed it since the form was made."""
    fields = read_template(sent)
    folder_id = sent.id("template_folder_id")
    if folder_id is not None:
        fields["template_folder_id"] = folder_id
    await _checked(change(visit, f"/templates/{template_id}", fields, sent.get("seen")), sent)


async def _checked(call: Awaitable[Any], sent: Sent) -> Any:
    """Awaits a call of the API, whose errors of a template become words for its author."""
    try:
        return await call
    except Invalid as problem:
        if not problem.errors:
            raise
        raise Invalid.fields(faults_in_words(problem.errors, draft_of(sent))) from problem
