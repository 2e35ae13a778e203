"""Drip campaigns: the list, a new one (empty or ready-made), and one campaign with its steps and its contacts."""

from collections.abc import Mapping
from typing import Any

from leadroutes.channels import configured_channels
from leadroutes.domain.campaign import COMMUNICATIONS
from leadroutes.domain.windows import window_in_words
from leadroutes.errors import Conflict, Invalid
from leadroutes.store.drips import MOST_COUNTED, PAGE, describe_campaigns
from leadroutes.web.page import Document, Done, Inverse, MenuItem, Page, Stale, Visit, change, owners
from leadroutes.web.pages import campaign_contacts, campaign_editing, campaign_windows
from leadroutes.web.pages.campaign_editing import given_step
from leadroutes.web.pages.campaign_results import in_percent, load_results
from leadroutes.web.pages.campaign_steps import CHANNELS, KINDS, day_number, timeline, when
from leadroutes.web.pages.campaign_words import STOPS, stops_in_words
from leadroutes.web.pages.condition_form import set_rows
from leadroutes.web.pages.contact_search import name_of
from leadroutes.web.pages.step_variants import template_ids
from leadroutes.web.pages.template_editor import LARGEST_FORM, preview_typed, saved_draft
from leadroutes.web.pages.template_preview import show_preview
from leadroutes.web.pages.templates import given_id
from leadroutes.web.pages.week_fields import week_rows
from leadroutes.web.ready_made import ReadyCampaign, ready_campaigns
from leadroutes.web.sent import Sent

MOST_TEMPLATES = 300  # to choose from
MOST_STEPS = 200
CHANNEL_NAMES = {"email": "e-mail", "text": "texting", "call": "calling"}

# ---------------------------------------------------------------------------------------------------------- the list


async def load_campaigns(visit: Visit) -> Mapping[str, Any]:
    before = given_id(visit, "before")
    query: dict[str, Any] = {"$sort[id]": -1} | ({"id[$lt]": before} if before else {})
    found = await visit.api.records("/campaigns", query, most=PAGE + 1)
    shown = found[:PAGE]
    return {
        "campaigns": shown,
        "about": await describe_campaigns(visit.database, visit.viewer.owner_id, [each["id"] for each in shown]),
        "older_than": shown[-1]["id"] if len(found) > PAGE else None,
        "most": MOST_COUNTED - 1,
    }


# ------------------------------------------------------------------------------------------------------- a new one


async def load_new(_visit: Visit) -> Mapping[str, Any]:
    return {"ready": ready_campaigns(), "sections": _ready_steps(), "kinds": KINDS}


def _ready_steps() -> dict[str, list[dict[str, Any]]]:
    """Returns by key the steps of ready-made campaigns, in words."""
    return {
        key: [
            {"when": when(_as_step(each.action)), "type": each.type,
             "about": each.template or each.description, "subject": each.subject, "body": each.body.strip()}
            for each in campaign.steps
        ]
        for key, campaign in ready_campaigns().items()
    }  # fmt: skip


def _as_step(action: Mapping[str, Any]) -> dict[str, Any]:
    names = ("delay_by_seconds", "delay_by_days", "dispatch_time", "recurrence", "dispatch_datetime")
    return dict.fromkeys(names) | dict(action)


async def add_empty(visit: Visit, sent: Sent) -> Done:
    name = campaign_name(sent)
    made = await named(visit.api.post("/campaigns", {"name": name}))
    return Done(f"/campaigns/{made['id']}?step=new#step-new", f"“{name}” is there. Add its first step.")


async def add_ready(visit: Visit, sent: Sent) -> Done:
    ready = ready_campaigns().get(sent.on)
    if ready is None:
        raise Invalid(f"on: {sent.on[:40]!r} was given; expected one of the campaigns that the page offers.")
    name = campaign_name(sent)
    campaign = await named(visit.api.post("/campaigns", {"name": name}))
    await _fill(visit, campaign["id"], ready)
    return Done(f"/campaigns/{campaign['id']}", f"“{name}” is there with {len(ready.steps)} steps. Read them once.")


async def _fill(visit: Visit, campaign_id: int, ready: ReadyCampaign) -> None:
    """Adds steps and templates to a new campaign; if that fails, nothing of it stays."""
    made = [f"/campaigns/{campaign_id}"]
    try:
        templates = await _templates(visit, ready, made)
        for step in ready.steps:
            template_id = templates[step.template] if step.template else None
            await visit.api.post(f"/campaigns/{campaign_id}/actions", {**step.action, "template_id": template_id})
    except BaseException:
        for path in made:
            await visit.api.delete(path)
        raise


async def _templates(visit: Visit, ready: ReadyCampaign, made: list[str]) -> dict[str, int]:
    """Returns the ids of its templates by their names: those of its folder, and new ones, which `made` notes."""
    named = await visit.api.records("/template-folders", {"name": ready.name}, most=1)
    known: dict[str, int] = {}
    if named:
        folder_id = named[0]["id"]
        query = {"template_folder_id": folder_id, "$select": "description"}
        known = {each["description"]: each["id"] for each in await visit.api.records("/templates", query)}
    else:
        folder_id = (await visit.api.post("/template-folders", {"name": ready.name}))["id"]
        made.append(f"/template-folders/{folder_id}")
    for step in ready.steps:
        fields = step.template_fields
        if fields is None or step.template in known:
            continue
        template = await visit.api.post("/templates", {**fields, "template_folder_id": folder_id})
        made.insert(1, f"/templates/{template['id']}")
        known[step.template] = template["id"]
    return known


def campaign_name(sent: Sent) -> str:
    name = sent.text("name")
    if name is None or len(name) > 255:
        raise Invalid.fields({"name": "Give the campaign a name of up to 255 characters."})
    return name


async def named(call: Any) -> Any:
    """Awaits a call that names a campaign. Raises Invalid at the field where the name is taken."""
    try:
        return await call
    except Conflict as problem:
        if isinstance(problem, Stale):
            raise
        taken = "You have a campaign of this name already. Choose another name."
        raise Invalid.fields({"name": taken}) from None


# ----------------------------------------------------------------------------------------------------- one campaign


async def load_campaign(visit: Visit) -> Mapping[str, Any]:
    campaign = await visit.api.get(f"/campaigns/{visit.id}")
    about = (await describe_campaigns(visit.database, visit.viewer.owner_id, [visit.id]))[visit.id]
    steps = await visit.api.records(f"/campaigns/{visit.id}/actions", most=MOST_STEPS)
    return {
        "campaign": campaign,
        "about": about,
        "most": MOST_COUNTED - 1,
        "timeline": timeline(steps),
        "templates_by_id": await _templates_of(visit, steps),
        "users": await _users(visit),
        "kinds": KINDS,
        "when": when,
        "week_rows": week_rows,
        "window_in_words": window_in_words,
        "day_number": day_number,
        "template_ids": template_ids,
        "in_percent": in_percent,
        "results": await load_results(visit, steps),
        "communications": COMMUNICATIONS,
        "unavailable": _unavailable(visit, steps),
        "stops": STOPS,
        "stops_in_words": stops_in_words(campaign),
        "tried": None,
        **await campaign_editing.load(visit, steps, is_own=about["is_own"]),
        **await campaign_contacts.load(visit),
    }


def _unavailable(visit: Visit, steps: list[dict[str, Any]]) -> list[str]:
    """Returns the channels, in words, that steps use and this installation does not have."""
    missing = {CHANNELS[each["type"]] for each in steps if each["type"] in CHANNELS}
    missing -= configured_channels(visit.settings) - {"call"}  # with it agents are called, and no contact
    return [words for name, words in CHANNEL_NAMES.items() if name in missing]


async def _templates_of(visit: Visit, steps: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Returns the templates of steps by id; of a campaign that someone shares, none can be seen."""
    ids = [template_id for each in steps for template_id in template_ids(each)]
    return await visit.api.by_id("/templates", ids, ("description", "subject", "template_type"))


async def _users(visit: Visit) -> dict[int, str]:
    users = await visit.api.records("/users", most=MOST_TEMPLATES)
    return {each["id"]: name_of(each) for each in users}


async def rename(visit: Visit, sent: Sent) -> Done:
    name, path = campaign_name(sent), f"/campaigns/{visit.id}"
    before = (await visit.api.get(path))["name"]
    await named(change(visit, path, {"name": name}, sent.get("seen")))
    return Done("", f"The campaign is called “{name}” now.", Inverse("PATCH", path, {"name": before}, {"name": name}))


async def share(visit: Visit, sent: Sent) -> Done:
    path, is_on = f"/campaigns/{visit.id}", sent.is_checked("is_broker_sharing_on")
    await change(visit, path, {"is_broker_sharing_on": is_on}, sent.get("seen"))
    words = "may use this campaign now" if is_on else "do not see this campaign any more"
    undo = Inverse("PATCH", path, {"is_broker_sharing_on": not is_on}, {"is_broker_sharing_on": str(is_on).lower()})
    return Done("", f"Your sub-accounts {words}.", undo)


async def remove(visit: Visit, _sent: Sent) -> Done:
    try:
        await visit.api.delete(f"/campaigns/{visit.id}")
    except Conflict:
        raise Conflict("A route starts this campaign. Give the route another campaign first.") from None
    return Done("/campaigns", "The campaign is gone. What it had sent stays in the outbox.")


async def frame(visit: Visit) -> Document:
    """The preview of the template of the step that is open."""
    steps = await visit.api.records(f"/campaigns/{visit.id}/actions", most=MOST_STEPS)
    step = given_step(visit, steps)
    if step is None or not template_ids(step):
        raise Invalid("step: expected a step with a template.")
    template = await visit.api.get(f"/templates/{template_ids(step)[0]}")
    return await show_preview(visit, saved_draft(template), visit.query.get("with", ""), step["assigned_user_id"])


CAMPAIGN_PAGES = (
    Page(
        path="/campaigns",
        title="Campaigns",
        about="your drip campaigns: how many steps, for how many contacts each runs, which routes start it",
        template="pages/campaigns.html",
        load=load_campaigns,
        may=owners,
        place=MenuItem("Rules", "Campaigns", "megaphone"),
        parts=("items",),
    ),
    Page(
        path="/campaigns/new",
        title="New campaign",
        about="begin a campaign empty, or with ready-made steps and templates: new buyer, new seller, rental, open"
        " house, long nurture",
        template="pages/campaign_new.html",
        load=load_new,
        acts={"add": add_empty, "ready": add_ready},
        may=owners,
        below="/campaigns",
    ),
    Page(
        path="/campaigns/{id}",
        title="Campaign",
        about="the steps of a campaign on a time line, to add, change, move and remove, with their conditions and the"
        " templates that are tried, and for how many contacts a change changes something; their templates beside a"
        " preview with a contact of yours; what stops it; what came of it; who is in it, and what comes next for each",
        template="pages/campaign.html",
        load=load_campaign,
        acts={
            "rename": rename,
            "window": campaign_windows.change_window,
            "share": share,
            "remove": remove,
            "preview": preview_typed,
            "rows": set_rows(load_campaign, lambda sent: "change-step" if sent.on else "add-step"),
            **campaign_editing.ACTS,
            **campaign_contacts.ACTS,
        },
        looks=frozenset({"preview", "try-step", "rows"}),
        frame=frame,
        may=owners,
        below="/campaigns",
        parts=("contacts",),
        largest=LARGEST_FORM,
    ),
)
