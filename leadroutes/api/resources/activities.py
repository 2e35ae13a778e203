"""Tasks of contacts, events of contacts, and the properties that events are about."""

from typing import Any

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.access import (
    OWN_OR_TEAMMATE_OF_OWNER,
    SEES_CONTACT_OF,
)
from leadroutes.api.resources.common import (
    computed,
    created_at,
    integer,
    modified_at,
    nested,
    object_schema,
    owner,
    record_id,
    reference,
    text,
    word,
)
from leadroutes.api.sql_parts import object_sql
from leadroutes.api.values import (
    Choice,
    DecimalText,
    Id,
    Moment,
    Number,
)
from leadroutes.domain.stops import stop_event_named
from leadroutes.store.campaigns import stop_campaigns

# ------------------------------------------------------------------------------------------------------- tasks

TASK_TYPES = (
    "None",
    "Email Contact",
    "Call Contact",
    "Text Contact",
    "Agent Task - Email Reminder",
    "Agent Task - Call Reminder",
    "Agent Task - Text Reminder",
    "Agent Task - No Reminder",
    "BombBomb Video Email",
    "Direct Mail: Letter",
    "Direct Mail: Postcard",
    "Agent Task - Direct Mail: Letter (Manual)",
    "Agent Task - Direct Mail: Postcard (Manual)",
)


class TaskBehaviour(Behaviour):
    """Accepts the old name of a field, and records whose contact the task is about."""

    def rewrite(self, body: dict[str, Any]) -> dict[str, Any]:
        """`reminder_type` is an older name of `action_type`; it counts if it is sent alone."""
        if "reminder_type" not in body or "action_type" in body:
            return body
        return body | {"action_type": body["reminder_type"]}

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        """Records the contact's owner, as a task may be about a colleague's contact."""
        contact_id = writing.record.get("contact_id")
        if writing.before is not None and "assigned_user_id" in writing.sent:
            writing.record["follows_contact"] = False  # an assignment by hand; it no longer follows the contact
        if "contact_id" not in found and (writing.before or {}).get("contact_id") != contact_id:
            writing.record["contact_owner_id"] = contact_id and await writing.transaction.fetchval(
                "SELECT owner_id FROM contacts WHERE id = $1", contact_id
            )
        return {}


TASKS = Resource(
    path="/tasks",
    noun="a task",
    page_about="Something to be done, by you or someone you share a team with.",
    table="tasks",
    fields=(
        record_id(),
        owner("owner_user_id"),
        reference("contact_id", "/contacts", "a contact that you see"),
        word("action_type", Choice(TASK_TYPES), required=True),
        computed("reminder_type", Choice(TASK_TYPES), "t.action_type", null=False, note="equal to action_type"),
        reference("assigned_user_id", "/users", "the owner or a teammate of the owner", OWN_OR_TEAMMATE_OF_OWNER),
        word("due_at", Moment()),
        text("description", 2000, required=True),
        word("status", Choice(("complete", "incomplete", "deleted")), required=True),
        text("notes", 2000),
        created_at(),
        modified_at(),
    ),
    methods="LGCPUD",
    visible="t.owner_id = $1 OR t.assigned_user_id = $1",
    changeable="t.owner_id = $1 OR t.assigned_user_id = $1",
    removable="t.owner_id = $1",
    behaviour=TaskBehaviour(),
)

# ------------------------------------------------------------------------------------------ events, properties

_PROPERTY_FIELDS = (
    record_id(),
    Field("api_event_id", Id(), null=False),
    Field("contact_id", Id(), null=False),
    text("mls", 45, takes_number=True),
    text("url", 200),
    text("address", 200),
    text("city", 200),
    text("state", 200),
    text("zip", 200, takes_number=True),
    integer("beds"),
    integer("full_baths"),
    integer("half_baths"),
    integer("listing_days_on_market"),
    integer("year_built"),
    text("type", 45),
    text("listing_status", 45),
    text("square_feet", 45, takes_number=True),
    word("listing_price", DecimalText()),
    word("estimated_value", DecimalText()),
    word("last_sold_price", DecimalText()),
    word("last_sold_at", Moment()),
    word("listed_at", Moment()),
    word("latitude", Number()),
    word("longitude", Number()),
    text("images", 255, note="addresses separated by commas"),
)


class EventBehaviour(Behaviour):
    """An event belongs to the owner of its contact, whoever adds it; some stop campaigns."""

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        """Gives the event to the contact's owner, whoever adds it."""
        if writing.before is None and "contact_id" not in found:
            writing.record["user_id"] = writing.caller.user_id
            writing.owner_id = await writing.transaction.fetchval(
                "SELECT owner_id FROM contacts WHERE id = $1", writing.record["contact_id"]
            )
        return {}

    async def after_write(self, writing: Writing) -> None:
        """Stops the campaigns that a conversation or an appointment stops, where it is a new one."""
        event = stop_event_named(writing.record["type"])
        if event is not None and (writing.before is None or stop_event_named(writing.before["type"]) != event):
            await stop_campaigns(writing.transaction, event, [(writing.owner_id, writing.record["contact_id"])])


EVENTS = Resource(
    path="/events",
    noun="an event",
    page_about="Something that a contact did.",
    table="events",
    fields=(
        record_id(),
        Field("user_id", Id(), null=False),
        reference("contact_id", "/contacts", "a contact that you see", write=Write.ONCE, required=True),
        Field("source", Choice(("web", "disposition", "api", "email", "text")), null=False),
        text("type", 45, required=True),
        text("description", 2000),
        text("site_domain", 100),
        Field("dialer_session_id", Id()),
        nested(
            "property",
            object_sql(
                tuple((each.name, each.kind.shown(f"x.{each.name}")) for each in _PROPERTY_FIELDS),
                "event_properties x WHERE x.owner_id = t.owner_id AND x.api_event_id = t.id",
            ),
            object_schema(**{each.name: each.kind for each in _PROPERTY_FIELDS}),
        ),
        word("created_at", Moment(), null=False),
        word("modified_at", Moment(), null=False),
    ),
    methods="LGCPUD",
    visible=SEES_CONTACT_OF,
    behaviour=EventBehaviour(),
)


class PropertyBehaviour(Behaviour):
    """Only an event that came through the API has a property that can be added."""

    async def validate(self, writing: Writing, _found: Errors) -> Errors:
        if writing.before is not None:
            return {}
        event = await writing.transaction.fetchrow(
            "SELECT source, contact_id FROM events WHERE owner_id = $1 AND id = $2", writing.owner_id, writing.parent_id
        )
        assert event is not None
        if event["source"] != "api":
            return {"api_event_id": f"api_event_id: the event's source is {event['source']}; expected api"}
        writing.record["contact_id"] = event["contact_id"]
        return {}


EVENT_PROPERTIES = Resource(
    path="/events/:id/properties",
    noun="a property",
    page_about="The property that an event is about; one for each event.",
    table="event_properties",
    parent=EVENTS,
    parent_column="api_event_id",
    fields=_PROPERTY_FIELDS,
    methods="LGCPUD",
    visible="true",
    unique="The event has its property already",
    behaviour=PropertyBehaviour(),
)

ACTIVITIES = (TASKS, EVENTS, EVENT_PROPERTIES)
