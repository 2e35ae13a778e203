"""Campaigns, their actions, the contacts that they run for, and the messages that they schedule."""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from typing import Any

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.call import Context
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.access import SEES_CONTACT_OF
from leadroutes.api.resources.common import (
    computed,
    created_at,
    flag,
    integer,
    modified_at,
    record_id,
    reference,
    text,
    word,
)
from leadroutes.api.values import Bool, Choice, Id, Integer, Moment, Text, TimeOfDay
from leadroutes.domain.campaign import COMMUNICATIONS, wrong_recurrence
from leadroutes.domain.recurrence import read_rule
from leadroutes.engine.campaigns import is_to_come
from leadroutes.store import statement

_MY_BROKER = "(SELECT s.owner_id FROM sub_accounts s WHERE s.user_id = $1)"
_SHARED = f"t.owner_id <> $1 AND NOT t.is_default AND t.is_broker_sharing_on AND t.owner_id = {_MY_BROKER}"


class CampaignBehaviour(Behaviour):
    """The name is unique without regard to letter case; messages of a removed campaign stay."""

    def derive(self, record: dict[str, Any]) -> dict[str, Any]:
        return {"name_key": record["name"].casefold()}

    async def before_delete(self, writing: Writing) -> None:
        """Cancels what was not sent. All messages stay, with the name that the campaign had."""
        transaction = writing.transaction
        await transaction.execute(
            *statement("end_campaign").bind(
                now=transaction.now, campaign_id=writing.id, by_user_id=writing.caller.user_id
            )
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
    unique="A campaign of this name exists already",
    needed_by={"lead_routes": "A lead route uses this campaign"},
    behaviour=CampaignBehaviour(),
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


class ActionBehaviour(Behaviour):
    """Keeps the fields of one timing type, and at most MOST_ACTIONS actions in a campaign."""

    def normalize(self, record: dict[str, Any]) -> Errors:
        """Sets the fields of other timing types to null; those of the action's own type are required."""
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

    async def validate(self, writing: Writing, errors: Errors) -> Errors:
        """Checks the number of actions, and that a recurrence that was sent occurs within ten years."""
        found: Errors = {}
        recurrence = writing.record["recurrence"]
        is_sent = "recurrence" in writing.sent and recurrence is not None and "recurrence" not in errors
        if is_sent and not is_to_come(writing.owner_id, recurrence, writing.transaction.now.date()):
            found |= wrong_recurrence(recurrence).errors
        if writing.before is None:
            await writing.transaction.execute(
                "SELECT FROM campaigns WHERE id = $1 FOR NO KEY UPDATE", writing.parent_id
            )
            number = await writing.transaction.fetchval(
                "SELECT count(*) FROM campaign_actions WHERE campaign_id = $1", writing.parent_id
            )
            if number >= MOST_ACTIONS:
                found["campaign_id"] = f"campaign_id: the campaign has {number} actions; {MOST_ACTIONS} are the limit"
        return found


def _wrong_recurrence(recurrence: str | None) -> Errors:
    return {} if recurrence is None or read_rule(recurrence) else wrong_recurrence(recurrence).errors


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
        reference(
            "assigned_user_id", "/users", "a user that you see", note="sender or assignee; null: the contact's agent"
        ),
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
    behaviour=ActionBehaviour(),
)

# ---------------------------------------------------------------------------------------- contacts of a campaign


class CampaignContactBehaviour(Behaviour):
    """Adding a contact starts the campaign, removing it stops the campaign."""

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        """Gives the run to the contact's owner, whoever starts it."""
        if "contact_id" not in found:
            writing.owner_id = await writing.transaction.fetchval(
                "SELECT owner_id FROM contacts WHERE id = $1", writing.record["contact_id"]
            )
        return {}

    async def create_through(self, context: Context, writing: Writing) -> int:
        assert writing.parent_id is not None
        return await context.engine.start_campaign(
            writing.owner_id, writing.parent_id, writing.record["contact_id"], writing.caller.user_id
        )

    async def remove_through(self, context: Context, writing: Writing) -> None:
        assert writing.id is not None
        await context.engine.stop_campaign(writing.owner_id, writing.id, writing.caller.user_id)


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
    behaviour=CampaignContactBehaviour(),
)

# ----------------------------------------------------------------------------------------------- communications


def _of_template(column: str) -> str:
    return f"(SELECT x.{column} FROM templates x WHERE x.owner_id = ca.owner_id AND x.id = t.template_id)"


_FOLDER_NAME = (
    "(SELECT f.name FROM templates x JOIN template_folders f ON f.owner_id = x.owner_id"
    " AND f.id = x.template_folder_id WHERE x.owner_id = ca.owner_id AND x.id = t.template_id)"
)

# Of a communication that is over, the reason in its message (those that earlier versions stopped have none); of one
# that waits, whether its address is suppressed now.
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


class CommunicationBehaviour(Behaviour):
    """Stops a scheduled message, or has it sent after all."""

    async def change_through(self, context: Context, writing: Writing) -> None:
        assert writing.id is not None
        await context.engine.set_communication_active(
            writing.owner_id, writing.id, writing.record["is_active"], writing.caller.user_id
        )


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
    behaviour=CommunicationBehaviour(),
)  # fmt: skip

CAMPAIGN_RESOURCES = (
    CAMPAIGNS,
    CAMPAIGN_ACTIONS,
    CAMPAIGN_CONTACTS,
    CONTACT_COMMUNICATIONS,
)
