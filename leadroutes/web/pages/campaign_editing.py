"""The steps of a campaign as its owner changes them: one is open at a time, with its template beside a preview."""

from collections.abc import Mapping, Sequence
from typing import Any

from leadroutes.domain.campaign import COMMUNICATIONS
from leadroutes.domain.condition_fields import STEP_FIELDS as STEP_CONDITIONS
from leadroutes.errors import Invalid, NotFound, Problem
from leadroutes.web.forms import read_id
from leadroutes.web.page import Act, Done, Inverse, Revealed, Stale, Visit, change, digest, put_back
from leadroutes.web.pages.campaign_steps import (
    KINDS,
    RULES,
    STEP_FIELDS,
    TIMING_FIELDS,
    TIMINGS,
    TRIGGERS,
    UNITS,
    form_values,
    neighbour,
    read_step,
)
from leadroutes.web.pages.campaign_words import STOPS, change_in_words, stops_in_words
from leadroutes.web.pages.condition_rows import (
    GROUPS,
    OPERATORS,
    Rows,
    as_json,
    by_row,
    field_choices,
    is_sent,
    is_unchanged,
    stored_rows,
    typed_rows,
)
from leadroutes.web.pages.step_variants import MOST, read_variants, template_ids
from leadroutes.web.pages.step_variants import by_row as variants_by_row
from leadroutes.web.pages.template_editor import FIRST_WORDS, TYPES, change_template
from leadroutes.web.pages.templates import editor_values
from leadroutes.web.ready_made import TEMPLATE_TYPES
from leadroutes.web.sent import Sent

MOST_TEMPLATES = 300  # to choose from
MOST_STEPS = 200
TRIED = {"dry_run": True}
NEW = "new"  # in place of the id of a step, or of a template
LONGEST_UNDONE = 400  # characters of texts and conditions that fit into the way back
UNFILTERED = frozenset({"conditions", "variants"})  # whether they are as they were left cannot be asked
NO_STEP = "This step is not there any more, or the campaign is someone else's."


async def load(visit: Visit, steps: list[dict[str, Any]], *, is_own: bool) -> dict[str, Any]:
    """Returns the step that is open, with what its form offers; nothing of a campaign that is someone else's."""
    open_step = given_step(visit, steps)
    is_new = visit.query.get("step") == NEW
    if not is_own or (open_step is None and not is_new):
        return {"open_step": None, "is_new": False}
    ids = template_ids(open_step) if open_step else []
    template_id = next(iter(ids), None)
    return {
        **await _conditions(visit, open_step),
        "most_variants": MOST,
        "open_step": open_step,
        "is_new": is_new,
        "values": form_values(open_step, visit.viewer.timezone),
        "edited": await visit.api.get(f"/templates/{template_id}") if template_id else None,
        "template_options": await _template_options(visit, ids),
        "kinds_in_words": [(name, words) for name, (words, _) in KINDS.items()],
        "timings": TIMINGS,
        "units": UNITS,
        "rules": RULES,
        "triggers": TRIGGERS,
        **await editor_values(visit),
    }


def given_step(visit: Visit, steps: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Returns the step that the page's address opens."""
    step_id = read_id(visit.query.get("step"))
    return next((each for each in steps if each["id"] == step_id), None)


async def _conditions(visit: Visit, step: dict[str, Any] | None) -> dict[str, Any]:
    """The rows of conditions: those that were typed, else those of the step."""
    is_typed = is_sent(visit.sent) and visit.sent.on == (str(step["id"]) if step else "")
    rows = stored_rows(step["conditions"], step["conditions_text"]) if step else Rows()
    rows = typed_rows(visit.sent) if is_typed else rows
    custom = await visit.api.records("/custom-fields", {"$select": "name"}, most=MOST_TEMPLATES)
    return {
        "conditions": rows,
        "groups": list(GROUPS.items()),
        "fields": field_choices([each["name"] for each in custom], rows, STEP_CONDITIONS),
        "operators": list(OPERATORS.items()),
    }


async def _template_options(visit: Visit, chosen: Sequence[int]) -> list[tuple[int, str]]:
    """The newest templates that a step may have, by folder, and those that are chosen."""
    query = {
        "$sort[id]": -1,
        "template_type[$in]": list(TEMPLATE_TYPES.values()),
        "$select": ("description", "template_type"),
    }
    found = await visit.api.records("/templates", query, most=MOST_TEMPLATES)
    known = {each["id"] for each in found}
    found += [await visit.api.get(f"/templates/{each}") for each in chosen if each not in known]
    return sorted(
        ((each["id"], f"{TYPES[each['template_type']]}: {each['description'] or 'without a name'}") for each in found),
        key=lambda each: each[1].casefold(),
    )


# --------------------------------------------------------------------------------------------------------- the acts


async def add_step(visit: Visit, sent: Sent) -> Done:
    body, path = await _read(visit, sent), f"/campaigns/{visit.id}/actions"
    made = await _post_with_template(visit, path, body, sent)
    undo = Inverse("DELETE", f"{path}/{made['id']}")
    opened = f"?step={made['id']}" if template_ids(made) else ""
    return Done(f"/campaigns/{visit.id}{opened}#step-{made['id']}", "The step is added.", undo)


async def change_step(visit: Visit, sent: Sent) -> Done:
    path = _path(visit, sent)
    before = await visit.api.get(path)
    body = await _read(visit, sent, before)
    made = None
    if body["template_id"] == NEW:
        made = body["template_id"] = await _new_template(visit, body["type"])
    is_asked = body.get("conditions") is not None
    if is_asked and is_unchanged(sent, before["conditions"], before["conditions_text"]):
        body["conditions"] = before["conditions"]  # as they were written
    try:
        after = await _in_words(change(visit, path, _divided(body, sent), sent.get("seen")), sent)
    except BaseException:
        if made is not None:
            await visit.api.delete(f"/templates/{made}")
        raise
    opened = f"?step={after['id']}" if template_ids(after) else ""
    undo = None if made else _inverse(path, before, after)
    return Done(f"/campaigns/{visit.id}{opened}#step-{after['id']}", "The step is changed.", undo)


async def try_step(visit: Visit, sent: Sent) -> Revealed:
    """Says for how many contacts, and how many messages, what was typed would change. Nothing is stored."""
    is_new = not sent.on
    body = await _read(visit, sent, None if is_new else await visit.api.get(_path(visit, sent)))
    if body["template_id"] == NEW:
        body["template_id"] = None
    path = f"/campaigns/{visit.id}/actions" if is_new else _path(visit, sent)
    changes = await _in_words(visit.api.call("POST" if is_new else "PATCH", path, _divided(body, sent), TRIED), sent)
    shown = Sent({**sent.fields, "do": ["add-step" if is_new else "change-step"]})
    return Revealed({"tried": change_in_words(changes)}, shown)


async def move_step(visit: Visit, sent: Sent) -> Done:
    """Lets a step and its neighbour on the time line change places: each comes when the other did."""
    path = _path(visit, sent)
    steps = await visit.api.records(f"/campaigns/{visit.id}/actions", most=MOST_STEPS)
    moving = next((each for each in steps if str(each["id"]) == sent.on), None)
    if moving is None:
        raise NotFound(NO_STEP)
    other = neighbour(steps, moving["id"], is_earlier=sent.get("to") == "earlier")
    if other is None:
        raise Invalid("There is no step with which this one could change places.")
    mine, theirs = ({name: each[name] for name in TIMING_FIELDS} for each in (moving, other))
    await change(visit, path, theirs, digest(moving))
    try:
        await change(visit, f"/campaigns/{visit.id}/actions/{other['id']}", mine, digest(other))
    except Problem:
        await visit.api.patch(path, mine)
        raise
    return Done(f"/campaigns/{visit.id}#step-{moving['id']}", "The two steps have changed places.")


async def remove_step(visit: Visit, sent: Sent) -> Done:
    path = _path(visit, sent)
    changes = await visit.api.delete(path, TRIED)
    removed = await visit.api.delete(path)
    undo = Inverse("POST", f"/campaigns/{visit.id}/actions", {name: removed[name] for name in STEP_FIELDS})
    said = f"The step is removed. {change_in_words(changes)}"
    return Done(f"/campaigns/{visit.id}", said, undo if _fits(removed) else None)


async def change_words(visit: Visit, sent: Sent) -> Done:
    """Changes the template of the step that is open."""
    template_id = read_id(sent.on)
    if template_id is None:
        raise Invalid(f"on: {sent.on[:40]!r} was given; expected the id of a template.")
    await change_template(visit, template_id, sent)
    step = read_id(visit.query.get("step"))
    return Done(
        f"/campaigns/{visit.id}" + (f"?step={step}#step-{step}" if step else ""),
        "The words are saved. Whoever has not got them yet gets the new ones.",
    )


async def save_stops(visit: Visit, sent: Sent) -> Done:
    """Chooses what ends the campaign for a contact, and whether it waits until someone has the lead."""
    path, chosen = f"/campaigns/{visit.id}", [name for name in STOPS if name in sent.all("stops_on")]
    before = await visit.api.get(path)
    if sent.get("seen") and sent.get("seen") != digest(before):
        raise Stale(before)
    after = {"stops_on": chosen, "pause_on_offer": sent.is_checked("pause_on_offer")}
    await visit.api.patch(path, after)
    undo = put_back(path, before, after, {"pause_on_offer": _as_filter(after["pause_on_offer"])})
    return Done("", stops_in_words(after), undo)


ACTS: Mapping[str, Act] = {
    "stops": save_stops,
    "try-step": try_step,
    "add-step": add_step,
    "change-step": change_step,
    "move-step": move_step,
    "remove-step": remove_step,
    "words": change_words,
}


# ------------------------------------------------------------------------------------------------------ what they do


async def _read(visit: Visit, sent: Sent, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """Returns what the API takes; the template may be NEW. `before` is the step as it is, None for a new one."""
    wants_new = sent.get("template_id") == NEW
    fields = sent.fields if not wants_new else {**sent.fields, "template_id": [""]}
    body = read_step(Sent(fields), visit.viewer.timezone, before["dispatch_datetime"] if before else None)
    is_communication = body["type"] in COMMUNICATIONS
    if wants_new and is_communication:
        body["template_id"] = NEW
    elif is_communication and body["template_id"] is None:
        raise Invalid.fields({"template_id": "Choose what the message says, or “write a new one”."})
    elif not is_communication and body["description"] is None:
        raise Invalid.fields({"description": "Say what is to be done."})
    if not is_communication:
        body |= {"conditions": None, "variants": None}
    elif is_sent(sent):
        body["conditions"] = as_json(typed_rows(sent), visit.viewer.timezone)
    elif sent.is_checked("conditions-removed"):
        body["conditions"] = None
    read_variants(sent, None)  # before anything is made for it
    return body


def _divided(body: dict[str, Any], sent: Sent) -> dict[str, Any]:
    """Returns what the API takes, with the other templates that the form names."""
    if body["type"] not in COMMUNICATIONS:
        return body
    variants = read_variants(sent, body["template_id"])
    return body | {"variants": variants} | ({"template_id": None} if variants else {})


def _path(visit: Visit, sent: Sent) -> str:
    step_id = read_id(sent.on)
    if step_id is None:
        raise Invalid(f"on: {sent.on[:40]!r} was given; expected the id of a step.")
    return f"/campaigns/{visit.id}/actions/{step_id}"


async def _post_with_template(visit: Visit, path: str, body: dict[str, Any], sent: Sent) -> dict[str, Any]:
    if body["template_id"] != NEW:
        made: dict[str, Any] = await _in_words(visit.api.post(path, _divided(body, sent)), sent)
        return made
    await visit.api.get(path)  # before anything is made for it
    template_id = await _new_template(visit, body["type"])
    try:
        made = await _in_words(visit.api.post(path, _divided({**body, "template_id": template_id}, sent)), sent)
    except BaseException:
        await visit.api.delete(f"/templates/{template_id}")
        raise
    return made


async def _new_template(visit: Visit, step_type: str) -> int:
    """Adds a template with its first words, in the folder that is named as the campaign. Returns its id."""
    campaign = await visit.api.get(f"/campaigns/{visit.id}")
    name = campaign["name"][:150]
    folders = await visit.api.records("/template-folders", {"name": name}, most=1)
    folder = folders[0] if folders else await visit.api.post("/template-folders", {"name": name})
    type_ = TEMPLATE_TYPES[step_type]
    fields = {
        "template_folder_id": folder["id"],
        "template_type": type_,
        "description": f"{name}: {KINDS[step_type][0].split(' to ')[0].lower()}",
        "subject": "Hello, {{ contact.first_name }}" if type_ == "Email" else None,
        "body": FIRST_WORDS[type_],
    }
    return int((await visit.api.post("/templates", fields))["id"])


async def _in_words(call: Any, sent: Sent) -> Any:
    """Awaits a call of the API, whose errors name fields that the form has under other names."""
    try:
        return await call
    except Invalid as problem:
        if not problem.errors:
            raise
        shown = {"delay_by_seconds": "delay", "campaign_id": "type"}
        errors = by_row(variants_by_row(problem.errors, sent), typed_rows(sent))
        raise Invalid.fields(
            {shown.get(name, name): text.removeprefix(f"{name}: ") for name, text in errors.items()}
        ) from problem


def _inverse(path: str, before: dict[str, Any], after: dict[str, Any]) -> Inverse | None:
    """Returns the way back, where the step still is as it was left; None where it does not fit into an address."""
    different = [name for name in STEP_FIELDS if before[name] != after[name]]
    if not different or not _fits(before) or not _fits(after) or not UNFILTERED.isdisjoint(different):
        return None
    compared = [name for name in different if name != "send_window"]  # which is not a filter
    only_if = {name: "null" if after[name] is None else _as_filter(after[name]) for name in compared}
    return put_back(path, before, {name: after[name] for name in different}, only_if)


def _as_filter(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _fits(step: dict[str, Any]) -> bool:
    texts = (step["description"] or "", repr(step["conditions"]), repr(step["variants"]))
    return sum(map(len, texts)) <= LONGEST_UNDONE
