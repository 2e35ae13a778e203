"""Campaigns, their actions, the contacts that they run for, and the messages that they schedule."""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from typing import Any

import msgspec

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.call import Context
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.access import SEES_CONTACT_OF
from leadroutes.api.resources.common import (
    CUSTOM_FIELD_NAMES,
    computed,
    created_at,
    flag,
    integer,
    modified_at,
    nested,
    record_id,
    reference,
    text,
    word,
)
from leadroutes.api.step_values import StepConditions, StepVariants
from leadroutes.api.values import Bool, Choice, ChoiceList, Id, Integer, Moment, Text, TimeOfDay, nullable
from leadroutes.api.window_values import SendWindow
from leadroutes.domain.campaign import COMMUNICATIONS, wrong_recurrence
from leadroutes.domain.campaign_steps import ACTION_TYPES, MOST_ACTIONS, TIMINGS, settle_step
from leadroutes.domain.condition_fields import STEP_FIELDS
from leadroutes.domain.condition_words import conditions_text
from leadroutes.domain.conditions import conditions_in, unknown_fields
from leadroutes.domain.faults import refusal
from leadroutes.domain.recurrence import read_rule
from leadroutes.domain.rule_fields import MOST_FIRST_ANSWER
from leadroutes.domain.stops import CAMPAIGN_REMOVED, DEFAULT_STOPS, STOP_EVENTS
from leadroutes.engine.campaign_changes import note_action_changed, note_action_removed
from leadroutes.engine.campaign_removals import empty_campaign
from leadroutes.engine.campaigns import is_to_come
from leadroutes.store.campaign_changes import ChangedSteps
from leadroutes.store.campaign_removals import note_removing_user
from leadroutes.store.campaigns import release_communications_of_campaign


def send_window(note: str) -> Field:
    """When the messages of a campaign, or of one of its actions, may leave."""
    return Field("send_window", SendWindow(), write=Write.ALWAYS, filterable=False, note=note)


_MY_BROKER = "(SELECT s.owner_id FROM sub_accounts s WHERE s.user_id = $1)"
_SHARED = f"t.owner_id <> $1 AND NOT t.is_default AND t.is_broker_sharing_on AND t.owner_id = {_MY_BROKER}"


_LEFT_TO_CHANGE = (
    "(SELECT coalesce(sum(x.left_count), 0)::int FROM changed_actions x"
    " WHERE x.owner_id = t.owner_id AND x.campaign_id = t.id)"
)


class CampaignBehaviour(Behaviour):
    """The name is unique without regard to letter case; messages of a removed campaign stay.

    A new campaign stops on what DEFAULT_STOPS says, unless it is sent, be it as null.
    """

    async def validate(self, writing: Writing, _found: Errors) -> Errors:
        if writing.before is None and "stops_on" not in writing.sent:
            writing.record["stops_on"] = list(DEFAULT_STOPS)
        return {}

    async def after_write(self, writing: Writing) -> None:
        if writing.before is not None and writing.before["pause_on_offer"] and not writing.record["pause_on_offer"]:
            assert writing.id is not None
            await release_communications_of_campaign(writing.transaction, writing.id)

    def derive(self, record: dict[str, Any]) -> dict[str, Any]:
        return {"name_key": record["name"].casefold()}

    async def before_delete(self, writing: Writing) -> None:
        """Cancels what was not sent. All messages stay, with the name that the campaign had."""
        assert writing.id is not None
        name = await writing.transaction.fetchval("SELECT name FROM campaigns WHERE id = $1", writing.id)
        await empty_campaign(writing.transaction, writing.id, name, writing.caller.user_id)

    async def after_delete(self, writing: Writing) -> None:
        """What many have of it is ended by the worker; it is shown as ended from now on."""
        assert writing.id is not None
        await note_removing_user(writing.transaction, writing.id, writing.caller.user_id)


CAMPAIGNS = Resource(
    path="/campaigns",
    is_audited_in_full=True,
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
        send_window("by the contact's clock; null: at any time"),
        Field(
            "first_answer_minutes",
            Integer(0, MOST_FIRST_ANSWER),
            write=Write.ALWAYS,
            default=0,
            note="so long after the contact's own inquiry a text passes this window and the quiet hours",
        ),
        word("stops_on", ChoiceList(tuple(STOP_EVENTS), may_be_empty=True), filterable=False,
             note="what ends the campaign for a contact: reply and conversation, where it is not sent; null, as in"
             " campaigns of before: an answer by text stops the texts marked so"),
        flag("pause_on_offer", default=False, note="steps wait until someone has the lead"),
        Field("left_to_change", Integer(0), null=False, column="", shows=_LEFT_TO_CHANGE, filterable=False,
              note="contacts to whom changes of its actions are still to be carried over"),
    ),
    methods="LGCPUD",
    visible=f"t.owner_id = $1 OR t.is_default OR ({_SHARED})",
    unique="A campaign of this name exists already",
    needed_by={"lead_routes": "A lead route uses this campaign"},
    behaviour=CampaignBehaviour(),
)  # fmt: skip

# ----------------------------------------------------------------------------------------------------- actions

# Until the action is stored none of them is deleted.
_LOCK_TEMPLATES = "SELECT id FROM templates WHERE owner_id = $1 AND id = ANY ($2::bigint[]) ORDER BY id FOR KEY SHARE"


class ActionBehaviour(Behaviour):
    """Keeps the fields of one timing type, and at most MOST_ACTIONS actions in a campaign.

    A change counts for everyone for whom the step has not left.
    """

    def normalize(self, record: dict[str, Any]) -> Errors:
        """Sets the fields of other timing types to null; those of the action's own type are required."""
        errors: Errors = settle_step(record)
        conditions = conditions_in(record["conditions"], STEP_FIELDS)
        if conditions is not None or record["conditions"] is None:
            record["conditions_text"] = conditions_text(conditions) if conditions is not None else None
        return errors | _wrong_recurrence(record["recurrence"])

    async def validate(self, writing: Writing, errors: Errors) -> Errors:
        """Checks the number of actions, what others are named, and that a recurrence occurs within ten years."""
        found = await _unknown_names(writing)
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

    async def after_write(self, writing: Writing) -> None:
        assert writing.parent_id is not None
        assert writing.id is not None
        before = writing.before
        changed = [name for name, value in writing.record.items() if before is None or before[name] != value]
        if changed:
            writing.notes["changes"] = await note_action_changed(
                writing.transaction, writing.owner_id, writing.parent_id, writing.id, changed, is_tried=writing.is_tried
            )

    async def before_delete(self, writing: Writing) -> None:
        assert writing.parent_id is not None
        assert writing.id is not None
        writing.notes["changes"] = await note_action_removed(
            writing.transaction, writing.owner_id, writing.parent_id, writing.id, writing.caller.user_id,
            is_tried=writing.is_tried,
        )  # fmt: skip

    def dry_run(self, writing: Writing) -> dict[str, Any]:
        """Returns for how many contacts, and how many messages and tasks to come, the write changes something."""
        changes: ChangedSteps = writing.notes.get("changes") or ChangedSteps()
        return changes.as_json()


async def _unknown_names(writing: Writing) -> Errors:
    """Returns what is wrong with the owner's fields and templates that conditions and variants name."""
    found: Errors = {}
    sent, record, transaction = writing.sent, writing.record, writing.transaction
    conditions = conditions_in(record["conditions"], STEP_FIELDS) if sent.get("conditions") else None
    if conditions is not None and (named := list(conditions.custom_fields)):
        names = await transaction.fetchval(CUSTOM_FIELD_NAMES, writing.owner_id)
        found |= unknown_fields(named, names)
    if sent.get("variants"):
        variants = msgspec.json.decode(record["variants"])
        ids = [each["template_id"] for each in variants]
        rows = await transaction.fetch(_LOCK_TEMPLATES, writing.owner_id, ids)
        known = {row["id"] for row in rows}
        for place, template_id in enumerate(ids):
            if template_id not in known:
                at = f"variants[{place}].template_id"
                found[at] = refusal(at, template_id, "a template of yours")
    return found


def _wrong_recurrence(recurrence: str | None) -> Errors:
    return {} if recurrence is None or read_rule(recurrence) else wrong_recurrence(recurrence).errors


CAMPAIGN_ACTIONS = Resource(
    path="/campaigns/:id/actions",
    is_audited_in_full=True,
    noun="a campaign action",
    page_about="One step of a campaign. Seen with the campaign, changed by its owner. A step that is added, changed or"
    " removed changes for every contact for whom it has not left; one whose moment has passed for a contact is not sent"
    " to them. With `dry_run=true` nothing is stored: the answer says how many contacts, messages and tasks change.",
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
        integer("delay_by_days", 0),
        word("dispatch_time", TimeOfDay(), note="in the contact's time zone"),
        integer("delay_by_seconds", 0),
        word("dispatch_datetime", Moment()),
        text("recurrence", 1000, note="a rule of RFC 5545"),
        word("trigger_type", Integer(1, 2), default=1, note="1: at the start; 2: on the contact's birthdays"),
        flag("is_stopped_on_text_reply", default=False),
        text("description", 500, note="what the task says; of no effect with communications"),
        send_window("in place of the campaign's; of communications only"),
        Field("conditions", StepConditions(), write=Write.ALWAYS, filterable=False,
              note="asked when the step falls due; where they do not hold it is skipped. With communications"),
        Field("conditions_text", Text(), filterable=False, note="the conditions as a sentence"),
        Field("variants", StepVariants(), write=Write.ALWAYS, filterable=False,
              note="templates among which contacts are divided, in place of template_id"),
        word("smallest_difference", Integer(1, 50), default=5,
             note="percentage points of replies between variants that are worth seeing; the results plan by it"),
    ),
    methods="LGCPUD",
    visible="true",
    creatable="t.owner_id = $1",
    has_dry_run=True,
    behaviour=ActionBehaviour(),
)  # fmt: skip

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
            writing.owner_id, writing.parent_id, writing.record["contact_id"], writing.caller.user_id, writing.act
        )

    async def remove_through(self, context: Context, writing: Writing) -> None:
        assert writing.id is not None
        await context.engine.stop_campaign(writing.owner_id, writing.id, writing.caller.user_id, writing.act)


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
_WHY_NOT_SENT = f"""(CASE
    WHEN t.is_active AND rc.id IS NOT NULL THEN
        concat_ws(' by ', '{CAMPAIGN_REMOVED}', (SELECT display_name(u) FROM users u WHERE u.id = rc.removed_by))
    WHEN t.is_active AND t.is_held THEN 'it waits until someone has the lead'
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


WAITS_FOR_SCHEMA = nullable({
    "type": "object",
    "properties": {
        "until": {"type": "string", "format": "date-time"},
        "rule": {"type": "string"},
        "text": {"type": "string"},
    },
})  # fmt: skip

# Until when a step waits though its moment has come, by which rule, and both in words: one that is held, or whose
# message has waited in the queue until a window closed.
_WAITS_FOR = """(CASE
    WHEN rc.id IS NOT NULL THEN NULL
    WHEN t.is_active AND t.taken_at IS NULL AND t.waits_until IS NOT NULL THEN
        jsonb_build_object('until', iso(t.waits_until), 'rule', t.waits_rule, 'text', t.waits_text)
    WHEN t.is_active AND t.taken_at IS NOT NULL THEN
        (SELECT jsonb_build_object('until', iso(m.leaves_at), 'rule', regexp_replace(m.reason, '^.*: ', ''),
                                   'text', regexp_replace(m.reason, '^waits: ', ''))
         FROM messages m WHERE m.owner_id = t.owner_id AND m.communication_id = t.id AND m.leaves_at IS NOT NULL)
END)"""


class CommunicationBehaviour(Behaviour):
    """Stops a scheduled message, or has it sent after all."""

    async def change_through(self, context: Context, writing: Writing) -> None:
        assert writing.id is not None
        await context.engine.set_communication_active(
            writing.owner_id, writing.id, writing.record["is_active"], writing.caller.user_id, writing.act
        )


CONTACT_COMMUNICATIONS = Resource(
    path="/contact-communications",
    noun="a contact communication",
    page_about="A message that a campaign scheduled for a contact. Whoever sees the contact may stop it.",
    table="contact_communications",
    source="contact_communications t LEFT JOIN campaigns ca ON ca.id = t.campaign_id"
    " LEFT JOIN removed_campaigns rc ON rc.id = t.campaign_id"  # what is left of it counts as ended
    " JOIN contacts co ON co.owner_id = t.owner_id AND co.id = t.contact_id",
    fields=(
        record_id(),
        Field("contact_id", Id(), null=False),
        computed("campaign_id", Id(), "ca.id", null=True, note="null once the campaign is removed"),
        Field("campaign_name", Text(), column="", shows="coalesce(ca.name, rc.name, t.campaign_name)",
              filterable=False),
        Field("type", Choice(COMMUNICATIONS), null=False),
        Field("is_stopped_on_text_reply", Bool(), null=False),
        Field("template_subject", Text(), column="", shows=_of_template("subject"), filterable=False),
        Field("template_name", Text(), column="", shows=_of_template("description"), filterable=False),
        Field("template_folder_name", Text(), column="", shows=_FOLDER_NAME, filterable=False),
        flag("is_active", sql="(t.is_active AND rc.id IS NULL)",
             note="true: not yet sent, or a call that is not made yet"),
        Field("send_at", Moment(), null=False),
        Field("completed_at", Moment(), shows=Moment().shown("coalesce(t.completed_at, rc.removed_at)")),
        computed(
            "send_from_user_id",
            Id(),
            "coalesce(t.sent_from_user_id, step_sender(t.owner_id, t.assigned_user_id, co.assigned_user_id))",
            null=False,
        ),
        Field("completing_user_id", Id(),
              shows="CASE WHEN t.is_active THEN coalesce(t.completing_user_id, rc.removed_by)"
              " ELSE t.completing_user_id END"),
        Field("reason", Text(), column="", shows=_WHY_NOT_SENT, filterable=False,
              note="why it was not sent, or will not be"),
        Field("campaign_contact_id", Id(), shows="CASE WHEN rc.id IS NULL THEN t.campaign_contact_id END",
              note="the campaign contact, whose removal stops all of its messages"),
        nested("waits_for", _WAITS_FOR, WAITS_FOR_SCHEMA),
        Field("asked_user_id", Id(), note="who was asked to make this call, once it was due"),
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
