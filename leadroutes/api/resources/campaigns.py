"""Campaigns, their actions, the contacts that they run for, what they send; templates and their folders."""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from typing import Any

from leadroutes.api.call import Context
from leadroutes.api.resource import Errors, Field, Resource, Write, Writing
from leadroutes.api.resources.access import SEES_CONTACT_OF
from leadroutes.api.resources.common import (
    computed,
    created_at,
    flag,
    integer,
    modified_at,
    nested,
    owner,
    record_id,
    reference,
    text,
    word,
)
from leadroutes.api.statements import object_sql
from leadroutes.api.values import Bool, Choice, Id, Integer, Moment, Text, TimeOfDay
from leadroutes.domain.campaign import COMMUNICATIONS, wrong_recurrence
from leadroutes.domain.recurrence import read_rule
from leadroutes.domain.template import MAX_TEMPLATE_CHARACTERS
from leadroutes.engine.campaigns import is_to_come
from leadroutes.sandbox.results import ComputedCache
from leadroutes.sandbox.templates import CHECK_TEMPLATE
from leadroutes.sandbox.work import ComputationFailed
from leadroutes.store import statement

_MY_BROKER = "(SELECT s.owner_id FROM sub_accounts s WHERE s.user_id = $1)"
_SHARED = f"t.owner_id <> $1 AND NOT t.is_default AND t.is_broker_sharing_on AND t.owner_id = {_MY_BROKER}"


def _folded_name(record: dict[str, Any]) -> dict[str, Any]:
    return {"name_key": record["name"].casefold()}


async def _keep_what_was_sent(writing: Writing) -> None:
    """What was not sent never is; it stays, as what was sent does, under the name that the campaign had."""
    transaction = writing.transaction
    await transaction.execute(
        *statement("end_campaign").bind(now=transaction.now, campaign_id=writing.id, by_user_id=writing.caller.user_id)
    )
    await transaction.execute(*statement("leave_campaign").bind(campaign_id=writing.id))


CAMPAIGNS = Resource(
    path="/campaigns",
    noun="a campaign",
    page_about="A set of actions; started for a contact, each is scheduled relative to the start.",
    table="campaigns",
    fields=(
        record_id(),
        text("name", 255, required=True, note="unique, letter case ignored"),
        created_at(),
        modified_at(),
        flag("is_broker_sharing_on", default=False),
        Field("is_default", Bool(), null=False, note="supplied with the product"),
        Field("is_shared_by_broker", Bool(), column="", shows=f"coalesce({_SHARED}, false)", filterable=False),
    ),
    methods="LGCPUD",
    visible=f"t.owner_id = $1 OR t.is_default OR ({_SHARED})",
    derive=_folded_name,
    unique="A campaign of this name exists already",
    needed_by={"lead_routes": "A lead route uses this campaign"},
    before_delete=_keep_what_was_sent,
)

# ----------------------------------------------------------------------------------------------------- actions

MOST_ACTIONS = 200
ACTION_TYPES = (
    *COMMUNICATIONS,
    "Agent Task - Email Reminder",
    "Agent Task - Call Reminder",
    "Agent Task - Text Reminder",
    "Agent Task - No Reminder",
)
TIMINGS = {
    "Delay by Day and Time": ("delay_by_days", "dispatch_time"),
    "Delay by Minutes": ("delay_by_seconds",),
    "Exact Date and Time": ("dispatch_datetime",),
    "Recurring": ("recurrence",),
}
_ALL_TIMING_FIELDS = tuple(name for names in TIMINGS.values() for name in names)


def _normalize_action(record: dict[str, Any]) -> Errors:
    """The fields of other timing types become null; those of its own are needed."""
    errors: Errors = {}
    type_, timing = record["type"], record["timing_type"]
    if record["template_id"] is not None and type_ in ACTION_TYPES and type_ not in COMMUNICATIONS:
        errors["template_id"] = f"template_id: only {', '.join(COMMUNICATIONS)} have a template"
    if timing == "Recurring" and type_ in COMMUNICATIONS:
        errors["timing_type"] = "timing_type: Recurring was given; expected it with tasks only"
    if type_ != "Text Contact":
        record["is_stopped_on_text_reply"] = False
    if timing not in TIMINGS:
        return errors
    for name in _ALL_TIMING_FIELDS:
        if name not in TIMINGS[timing]:
            record[name] = None
        elif record[name] is None:
            errors[name] = f"{name} is required with {timing}"
    return errors | _wrong_recurrence(record["recurrence"])


def _wrong_recurrence(recurrence: str | None) -> Errors:
    return {} if recurrence is None or read_rule(recurrence) else wrong_recurrence(recurrence).errors


async def _check_action(writing: Writing, errors: Errors) -> Errors:
    """A new one has room in its campaign; a rule that was sent comes within ten years."""
    found: Errors = {}
    recurrence = writing.record["recurrence"]
    is_sent = "recurrence" in writing.sent and recurrence is not None and "recurrence" not in errors
    if is_sent and not is_to_come(writing.owner_id, recurrence, writing.transaction.now.date()):
        found |= wrong_recurrence(recurrence).errors
    if writing.before is None:
        await writing.transaction.execute("SELECT FROM campaigns WHERE id = $1 FOR NO KEY UPDATE", writing.parent_id)
        number = await writing.transaction.fetchval(
            "SELECT count(*) FROM campaign_actions WHERE campaign_id = $1", writing.parent_id
        )
        if number >= MOST_ACTIONS:
            found["campaign_id"] = f"campaign_id: the campaign has {number} actions; {MOST_ACTIONS} are the limit"
    return found


CAMPAIGN_ACTIONS = Resource(
    path="/campaigns/:id/actions",
    noun="a campaign action",
    page_about="One step of a campaign. Seen with the campaign, changed by its owner.",
    table="campaign_actions",
    parent=CAMPAIGNS,
    parent_column="campaign_id",
    fields=(
        record_id(),
        Field("campaign_id", Id(), null=False, filterable=False),
        word("type", Choice(ACTION_TYPES), required=True),
        reference("assigned_user_id", "/users", "a user that you see", note="sender or assignee; null: who has him"),
        reference("template_id", "/templates", "a template of yours", note="with communications"),
        word("timing_type", Choice(tuple(TIMINGS)), required=True),
        integer("delay_by_days", 0, filterable=False),
        word("dispatch_time", TimeOfDay(), filterable=False, note="in the contact's time zone"),
        integer("delay_by_seconds", 0, filterable=False),
        word("dispatch_datetime", Moment(), filterable=False),
        text("recurrence", 1000, filterable=False, note="a rule of RFC 5545"),
        word("trigger_type", Integer(1, 2), default=1, note="1: at the start; 2: on the contact's birthdays"),
        flag("is_stopped_on_text_reply", default=False, filterable=False),
    ),
    methods="LGCPUD",
    visible="true",
    creatable="t.owner_id = $1",
    normalize=_normalize_action,
    validate=_check_action,
)

# ---------------------------------------------------------------------------------------- contacts of a campaign


async def _check_campaign_contact(writing: Writing, found: Errors) -> Errors:
    """The run belongs to the contact's owner, whoever starts it."""
    if "contact_id" not in found:
        writing.owner_id = await writing.transaction.fetchval(
            "SELECT owner_id FROM contacts WHERE id = $1", writing.record["contact_id"]
        )
    return {}


async def _start_campaign(context: Context, writing: Writing) -> int:
    started: int = await context.engine.start_campaign(
        writing.owner_id, writing.parent_id, writing.record["contact_id"], writing.caller.user_id
    )
    return started


async def _stop_campaign(context: Context, writing: Writing) -> int:
    assert writing.id is not None
    await context.engine.stop_campaign(writing.owner_id, writing.id, writing.caller.user_id)
    return writing.id


CAMPAIGN_CONTACTS = Resource(
    path="/campaigns/:id/contacts",
    noun="a campaign contact",
    page_about="A contact that a campaign was started for. Adding one starts it, removing it stops it.",
    table="campaign_contacts",
    parent=CAMPAIGNS,
    parent_column="campaign_id",
    is_parents_own=False,
    fields=(
        record_id(),
        Field("campaign_id", Id(), null=False),
        reference("contact_id", "/contacts", "a contact that you see", write=Write.ONCE, required=True),
        created_at(),
    ),
    methods="LGCD",
    visible=f"t.ended_at IS NULL AND {SEES_CONTACT_OF}",
    changeable="true",
    validate=_check_campaign_contact,
    create_through=_start_campaign,
    remove_through=_stop_campaign,
)

# ----------------------------------------------------------------------------------------------- communications


async def _set_active(context: Context, writing: Writing) -> int:
    assert writing.id is not None
    await context.engine.set_communication_active(
        writing.owner_id, writing.id, writing.record["is_active"], writing.caller.user_id
    )
    return writing.id


def _of_template(column: str) -> str:
    return f"(SELECT x.{column} FROM templates x WHERE x.owner_id = ca.owner_id AND x.id = t.template_id)"


_FOLDER_NAME = (
    "(SELECT f.name FROM templates x JOIN template_folders f ON f.owner_id = x.owner_id"
    " AND f.id = x.template_folder_id WHERE x.owner_id = ca.owner_id AND x.id = t.template_id)"
)

# Of one that is over, what its message says (those that earlier versions stopped have none); of one that waits, whether
# its address is suppressed now.
_WHY_NOT_SENT = """(CASE
    WHEN t.is_active AND t.type = 'Email Contact' THEN
        (SELECT suppressed_because(v.reason) FROM suppression_of(co.owner_id, co.email) v)
    WHEN NOT t.is_active THEN
        (SELECT CASE WHEN count(*) > 0 OR t.sent_from_user_id IS NOT NULL
                     THEN max(m.reason) FILTER (WHERE m.state IN ('failed', 'suppressed', 'unknown'))
                     WHEN t.completing_user_id IS NULL THEN 'it was not sent'
                     ELSE (SELECT 'it was stopped by ' || display_name(u) FROM users u
                           WHERE u.id = t.completing_user_id)
                END
         FROM messages m WHERE m.owner_id = t.owner_id AND m.communication_id = t.id)
END)"""

CONTACT_COMMUNICATIONS = Resource(
    path="/contact-communications",
    noun="a contact communication",
    page_about="A message that a campaign scheduled for a contact. Whoever sees the contact may stop it.",
    table="contact_communications",
    source="contact_communications t LEFT JOIN campaigns ca ON ca.id = t.campaign_id"
    " JOIN contacts co ON co.owner_id = t.owner_id AND co.id = t.contact_id",
    fields=(
        record_id(),
        Field("contact_id", Id(), null=False),
        Field("campaign_id", Id(), null=True, note="null once the campaign is removed"),
        Field("campaign_name", Text(), column="", shows="coalesce(ca.name, t.campaign_name)", filterable=False),
        Field("type", Choice(COMMUNICATIONS), null=False),
        Field("is_stopped_on_text_reply", Bool(), null=False),
        Field("template_subject", Text(), column="", shows=_of_template("subject"), filterable=False),
        Field("template_name", Text(), column="", shows=_of_template("description"), filterable=False),
        Field("template_folder_name", Text(), column="", shows=_FOLDER_NAME, filterable=False),
        flag("is_active", note="true: not yet sent"),
        Field("send_at", Moment(), null=False),
        Field("completed_at", Moment()),
        computed(
            "send_from_user_id",
            Id(),
            "coalesce(t.sent_from_user_id, t.assigned_user_id, sender_of(t.owner_id, co.assigned_user_id))",
            null=False,
        ),
        Field("completing_user_id", Id()),
        Field("reason", Text(), column="", shows=_WHY_NOT_SENT, filterable=False,
              note="why it was not sent, or will not be"),
    ),
    methods="LGP",
    visible=SEES_CONTACT_OF,
    changeable="true",
    change_through=_set_active,
)  # fmt: skip

# --------------------------------------------------------------------------------------------------- templates

TEMPLATE_TYPES = ("Email", "Text", "Phone", "Direct Mail Letter", "Direct Mail Postcard")
_FILLED_IN = ("Email", "Text", "Phone")
_COUNTS = object_sql(
    (
        (
            "counts",
            object_sql(
                tuple((name, f"count(*) FILTER (WHERE x.template_type = '{name}')") for name in TEMPLATE_TYPES),
                "templates x WHERE x.owner_id = t.owner_id AND x.template_folder_id = t.id",
            ),
        ),
    ),
    "(SELECT) one",
)

TEMPLATE_FOLDERS = Resource(
    path="/template-folders",
    noun="a template folder",
    page_about="Where templates lie.",
    table="template_folders",
    fields=(
        record_id(),
        owner(),
        text("name", 200, required=True),
        text("description", 200),
        Field("original_template_folder_id", Id(), note="folder that this one was copied from"),
        nested(
            "counts",
            _COUNTS,
            {"type": "object", "properties": {"counts": {"type": "object"}}},
        ),
    ),
    methods="LGCPUD",
    needed_by={"templates": "The folder holds templates"},
)


async def _check_template(writing: Writing, _errors: Errors) -> Errors:
    """What was sent, or is to be filled in from now on, must be such a template; direct mail is kept as it is."""
    if writing.record.get("template_type") not in _FILLED_IN:
        return {}
    is_retyped = "template_type" in writing.sent
    texts = {name: writing.record.get(name) for name in ("subject", "body") if name in writing.sent or is_retyped}
    faults = {name: _fault_of(text, writing.owner_id) for name, text in texts.items() if text}
    return {name: f"{name}: {fault}" for name, fault in faults.items() if fault}


_CHECKED = ComputedCache(CHECK_TEMPLATE, most=1_000)


def _fault_of(text: str, owner_id: int) -> str:
    """What is wrong with a template; empty where nothing is. ComputationNeeded: it has to be checked first, apart."""
    if len(text) > MAX_TEMPLATE_CHARACTERS:
        return f"The template has {len(text)} characters; {MAX_TEMPLATE_CHARACTERS} are the limit"
    try:
        found = _CHECKED.find(text)
    except KeyError:
        raise _CHECKED.first({owner_id: [text]}) from None
    return f"The template {found.reason}" if isinstance(found, ComputationFailed) else found


TEMPLATES = Resource(
    path="/templates",
    noun="a template",
    page_about="The words of a message.",
    table="templates",
    fields=(
        record_id(),
        owner(),
        reference("template_folder_id", "/template-folders", "a template folder of yours", required=True),
        text("body", None, filterable=False),
        text("subject", 1000),
        text("description", 200, note="internal, never sent"),
        integer("file_id"),
        created_at(),
        modified_at(),
        word("template_type", Choice(TEMPLATE_TYPES), required=True),
    ),
    methods="LGCPUD",
    body_limit=1_048_576,
    validate=_check_template,
    needed_by={"campaign_actions": "A campaign action uses this template"},
)

CAMPAIGN_RESOURCES = (
    CAMPAIGNS,
    CAMPAIGN_ACTIONS,
    CAMPAIGN_CONTACTS,
    CONTACT_COMMUNICATIONS,
    TEMPLATE_FOLDERS,
    TEMPLATES,
)
