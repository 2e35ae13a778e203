"""Templates of messages and their folders: the list, the editor beside its preview, what uses a template."""

from collections.abc import Mapping
from typing import Any

from leadroutes.errors import Conflict, Invalid
from leadroutes.store.drips import PAGE, list_template_uses
from leadroutes.web.forms import read_id
from leadroutes.web.page import Document, Done, Inverse, MenuItem, Page, Visit, change, owners
from leadroutes.web.pages.template_editor import (
    FIRST_WORDS,
    LARGEST_FORM,
    NEW_FOLDER,
    TYPES,
    add_template,
    change_template,
    folder_choices,
    preview_typed,
    saved_draft,
)
from leadroutes.web.pages.template_preview import VIEWS, load_placeholders, show_preview
from leadroutes.web.sent import Sent

LISTED = ("description", "template_type", "subject", "template_folder_id", "modified_at")


def given_id(visit: Visit, name: str) -> int | None:
    """Returns an id of the page's address. Raises Invalid for what cannot be one."""
    text = visit.query.get(name) or None
    number = read_id(text)
    if text is not None and number is None:
        raise Invalid(f"{name}: {text[:40]!r} was given; expected the id of a record.")
    return number


# ---------------------------------------------------------------------------------------------------------- the list


async def load_templates(visit: Visit) -> Mapping[str, Any]:
    folder_id, before = given_id(visit, "folder"), given_id(visit, "before")
    kind = visit.query.get("type", "")
    query: dict[str, Any] = {"$select": LISTED, "$sort[id]": -1}
    query |= {"template_folder_id": folder_id} if folder_id else {}
    query |= {"template_type": kind} if kind in TYPES else {}
    query |= {"id[$lt]": before} if before else {}
    found = await visit.api.records("/templates", query, most=PAGE + 1)
    folders = await visit.api.records("/template-folders")
    return {
        "templates": found[:PAGE],
        "older_than": found[PAGE - 1]["id"] if len(found) > PAGE else None,
        "uses": await list_template_uses(visit.database, visit.viewer.owner_id, [each["id"] for each in found]),
        "folders": sorted(folders, key=lambda each: each["name"].casefold()),
        "folder": next((each for each in folders if each["id"] == folder_id), None),
        "folder_names": {each["id"]: each["name"] for each in folders},
        "kind": kind if kind in TYPES else "",
        "types": TYPES,
    }


async def add_folder(visit: Visit, sent: Sent) -> Done:
    name = _folder_name(sent)
    made = await visit.api.post("/template-folders", {"name": name})
    undo = Inverse("DELETE", f"/template-folders/{made['id']}", only_if={"name": name})
    return Done(f"/templates?folder={made['id']}", f"The folder “{name}” is there.", undo)


async def rename_folder(visit: Visit, sent: Sent) -> Done:
    folder_id, name = _on(sent, "folder"), _folder_name(sent)
    path = f"/template-folders/{folder_id}"
    before = (await visit.api.get(path))["name"]
    await change(visit, path, {"name": name}, sent.get("seen"))
    undo = Inverse("PATCH", path, {"name": before}, {"name": name})
    return Done(f"/templates?folder={folder_id}", f"The folder is called “{name}” now.", undo)


async def remove_folder(visit: Visit, sent: Sent) -> Done:
    folder_id = _on(sent, "folder")
    try:
        removed = await visit.api.delete(f"/template-folders/{folder_id}")
    except Conflict:
        raise Conflict("The folder holds templates. Move them to another folder, or remove them first.") from None
    name = {"name": removed["name"], "description": removed["description"]}
    return Done("/templates", f"The folder “{removed['name']}” is gone.", Inverse("POST", "/template-folders", name))


def _folder_name(sent: Sent) -> str:
    name = sent.text("name")
    if name is None or len(name) > 200:
        raise Invalid.fields({"name": "Give the folder a name of up to 200 characters."})
    return name


def _on(sent: Sent, noun: str) -> int:
    """Returns the id of the record that a form is about."""
    number = read_id(sent.on)
    if number is None:
        raise Invalid(f"on: {sent.on[:40]!r} was given; expected the id of a {noun}.")
    return number


# -------------------------------------------------------------------------------------------------------- the editor


async def load_new(visit: Visit) -> Mapping[str, Any]:
    kind = visit.query.get("type", "")
    kind = kind if kind in TYPES else "Email"
    template = {
        "id": None, "template_type": kind, "subject": "", "description": "", "body": FIRST_WORDS.get(kind, ""),
        "template_folder_id": given_id(visit, "folder"),
    }  # fmt: skip
    return {"edited": template, "uses": [], "is_new": True, **await editor_values(visit)}


async def load_template(visit: Visit) -> Mapping[str, Any]:
    template = await visit.api.get(f"/templates/{visit.id}")
    uses = await list_template_uses(visit.database, visit.viewer.owner_id, [visit.id])
    return {"edited": template, "uses": uses.get(visit.id, []), "is_new": False, **await editor_values(visit)}


async def editor_values(visit: Visit) -> dict[str, Any]:
    """Returns what the editor needs on any page."""
    return {
        "folder_options": await folder_choices(visit),
        "types": TYPES,
        **await load_placeholders(visit),
        "views": VIEWS,
        "shown_with": visit.query.get("with", ""),
        "new_folder": NEW_FOLDER,
    }


async def add(visit: Visit, sent: Sent) -> Done:
    return Done(f"/templates/{await add_template(visit, sent)}", "The template is saved.")


async def save(visit: Visit, sent: Sent) -> Done:
    await change_template(visit, visit.id, sent)
    return Done("", "The template is saved. Whoever has not got it yet gets the new words.")


async def duplicate(visit: Visit, _sent: Sent) -> Done:
    template = await visit.api.get(f"/templates/{visit.id}")
    fields = {name: template[name] for name in ("template_folder_id", "template_type", "subject", "body")}
    name = f"{(template['description'] or '')[:190]} (copy)"
    made = await visit.api.post("/templates", {**fields, "description": name})
    undo = Inverse("DELETE", f"/templates/{made['id']}")
    return Done(f"/templates/{made['id']}", "This is the copy.", undo)


async def remove(visit: Visit, _sent: Sent) -> Done:
    try:
        await visit.api.delete(f"/templates/{visit.id}")
    except Conflict:
        raise Conflict("A campaign uses this template. Give its step another one first.") from None
    return Done("/templates", "The template is gone.")


async def frame_new(visit: Visit) -> Document:
    template = (await load_new(visit))["edited"]
    return await show_preview(visit, saved_draft(template), visit.query.get("with", ""))


async def frame(visit: Visit) -> Document:
    template = await visit.api.get(f"/templates/{visit.id}")
    return await show_preview(visit, saved_draft(template), visit.query.get("with", ""))


TEMPLATE_PAGES = (
    Page(
        path="/templates",
        title="Templates",
        about="the texts of your campaigns by folder, with the campaigns that use each",
        template="pages/templates.html",
        load=load_templates,
        acts={"add-folder": add_folder, "rename-folder": rename_folder, "remove-folder": remove_folder},
        may=owners,
        place=MenuItem("Rules", "Templates", "file-text"),
        parts=("items",),
    ),
    Page(
        path="/templates/new",
        title="New template",
        about="write a template beside its preview",
        template="pages/template.html",
        load=load_new,
        acts={"add": add, "preview": preview_typed},
        looks=frozenset({"preview"}),
        frame=frame_new,
        may=owners,
        below="/templates",
        largest=LARGEST_FORM,
    ),
    Page(
        path="/templates/{id}",
        title="Template",
        about="change a template beside its preview with a contact of yours: as mail, on a phone, as text; copy it,"
        " remove it",
        template="pages/template.html",
        load=load_template,
        acts={"save": save, "preview": preview_typed, "duplicate": duplicate, "remove": remove},
        looks=frozenset({"preview"}),
        frame=frame,
        may=owners,
        below="/templates",
        largest=LARGEST_FORM,
    ),
)
