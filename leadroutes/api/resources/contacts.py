"""Contacts with all that hangs on them: addresses, custom fields, hotnesses, tags, tasks, events, properties."""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from typing import Any

from leadroutes.api.resource import Errors, Field, Resource, Write, Writing
from leadroutes.api.resources.access import (
    CHANGES_CONTACT,
    CHANGES_CONTACT_OF,
    OWN_OR_TEAMMATE_OF_OWNER,
    SEES_CONTACT,
    SEES_CONTACT_OF,
    broker_with,
    may_create,
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
from leadroutes.api.statements import object_sql
from leadroutes.api.values import (
    Choice,
    DecimalText,
    EmailText,
    Id,
    Moment,
    Nested,
    Number,
    Text,
    quoted,
    whole_number,
)
from leadroutes.store import contacts as store
from leadroutes.store.contacts import ContactKey

# --------------------------------------------------------------------------------------- hotnesses, fields, tags

HOTNESSES = Resource(
    path="/hotnesses",
    noun="a hotness",
    page_about="How warm a contact is.",
    table="hotnesses",
    fields=(
        record_id(),
        integer("rank", note="1 is on top"),
        owner(),
        text("name", 45, required=True),
        text("color", 7, note="#rrggbb"),
    ),
    methods="LGCPUD",
    visible=f"t.owner_id = $1 OR t.owner_id = {broker_with('user_can_see_broker_hotnesses')}",
    creatable=may_create("user_can_create_own_hotnesses"),
    order="t.owner_id, t.rank NULLS FIRST",
)

CUSTOM_FIELDS = Resource(
    path="/custom-fields",
    noun="a custom field",
    page_about="Fields of your own for contacts.",
    table="custom_fields",
    fields=(
        record_id(),
        owner(),
        word("data_type", Choice(("Text", "Number", "Date", "Dollar Amt")), required=True, note="for display only"),
        text("name", 255, required=True),
        integer("rank", default=99999, note="lower is higher in the list"),
    ),
    methods="LGCPUD",
    most=200,
    visible=f"t.owner_id = $1 OR t.owner_id = {broker_with('is_custom_fields_enabled')}",
    creatable=may_create("is_custom_fields_new_enabled"),
)


def _normalize_tag(record: dict[str, Any]) -> Errors:
    if "," in (record["content"] or ""):
        return {"content": f"content: {quoted(record['content'])} was given; expected no comma, as it separates tags"}
    return {}


async def _rewrite_tag(writing: Writing) -> None:
    if writing.before is not None and writing.before["content"] != writing.record["content"]:
        await store.rewrite_tag(
            writing.transaction, writing.owner_id, writing.before["content"], writing.record["content"]
        )


TAGS = Resource(
    path="/tags",
    noun="a tag",
    page_about="The tags of your contacts; changing one changes it in them.",
    table="tags",
    fields=(record_id(), text("content", 255, required=True, note="unique, letter case ignored")),
    methods="LGCPU",
    normalize=_normalize_tag,
    derive=lambda record: {"content_key": record["content"].casefold()},
    after_write=_rewrite_tag,
    unique="A tag of this content exists already",
)

# ---------------------------------------------------------------------------------------------------- contacts

_ADDRESS_TYPES = ("Home", "Main Office", "Branch Office", "Second Home", "Investment", "Mailing")
_ADDRESS_FIELDS = (
    record_id(),
    word("type", Choice(_ADDRESS_TYPES)),
    text("street_address_1", 45),
    text("street_address_2", 45),
    text("zip", 45, takes_number=True),
    text("city", 200),
    text("state", 200),
    created_at(),
    modified_at(),
)


def _list_of(pairs: str, source: str, order: str) -> str:
    return (
        "('[' || coalesce((SELECT string_agg(row_to_json(n)::text, ',') FROM"
        f" (SELECT {pairs} FROM {source} ORDER BY {order}) n), '') || ']')::json"
    )


_ADDRESSES = _list_of(
    ", ".join(f'{each.kind.shown("x." + each.name)} AS "{each.name}"' for each in _ADDRESS_FIELDS),
    "contact_addresses x WHERE x.owner_id = t.owner_id AND x.contact_id = t.id",
    "x.id",
)
_CUSTOM_FIELDS = _list_of(
    "x.id, v.value, x.name, x.data_type, x.owner_id AS user_id, x.rank",
    "custom_fields x LEFT JOIN custom_field_values v ON v.owner_id = t.owner_id AND v.contact_id = t.id"
    f" AND v.custom_field_id = x.id WHERE x.owner_id = $1 OR x.owner_id = {broker_with('is_custom_fields_enabled')}",
    "x.rank, x.id",
)
# Why campaigns do not write to the contact's e-mail; of a dead address, what the mail server said.
_EMAIL_SUPPRESSION = object_sql(
    (
        ("id", "v.id"),
        ("reason", "v.reason"),
        (
            "text",
            (
                "concat_ws(': ', suppressed_because(v.reason), (SELECT m.reason FROM messages m"
                " WHERE v.reason = 'bounced' AND m.owner_id = t.owner_id AND m.id = v.source_message_id"
                " AND m.state = 'failed'))"
            ),
        ),
        ("at", Moment().shown("v.at")),
        ("by_user_id", "v.by_user_id"),
        ("source_message_id", "v.source_message_id"),
    ),
    "suppression_of(t.owner_id, t.email) v",
)
_VALUE = Text(2000, takes_number=True)


async def _check_contact(writing: Writing, _found: Errors) -> Errors:
    """The values of custom fields: which entries set and which remove, if they can be read and name fields he sees."""
    entries = writing.sent.get("custom_fields")
    if not entries:
        return {}
    values: dict[int, str | None] = {}
    for entry in entries:
        try:
            field_id = whole_number(entry.get("id"))
            given = entry.get("value")
            values[field_id] = None if given in (None, "") else _VALUE.take(given)
        except ValueError:
            expected = 'entries such as {"id": 147, "value": "Ann"}'
            return {"custom_fields": f"custom_fields: {quoted(str(entry))} was given; expected {expected}"}
    sees = f"x.owner_id = $1 OR x.owner_id = {broker_with('is_custom_fields_enabled')}"
    known = await writing.transaction.fetch(
        f"SELECT x.id FROM custom_fields x WHERE ({sees}) AND x.id = ANY ($2)",
        writing.caller.user_id,
        [each for each in values if 0 < each < 2**63],
    )
    if unknown := set(values) - {row["id"] for row in known}:
        return {"custom_fields": f"custom_fields: there is no custom field {min(unknown)} that you see"}
    writing.notes["custom_values"] = values
    return {}


async def _after_contact(writing: Writing) -> None:
    key = _contact_key(writing)
    before, record = writing.before or {}, writing.record
    held, wanted = store.identities_in(before), store.identities_in(record)
    if held != wanted:
        await store.hold_identities(writing.transaction, key, held, wanted)
        await store.place(writing.transaction, key)
    if record["tags"] and record["tags"] != before.get("tags"):
        await store.add_tags(writing.transaction, key.owner_id, record["tags"])
    if writing.before is not None and record["assigned_user_id"] != before["assigned_user_id"]:
        await store.hand_over_tasks(writing.transaction, key, record["assigned_user_id"])
        await store.note_assignment(writing.transaction, key, record["assigned_user_id"], writing.caller.user_id)
    if values := writing.notes.get("custom_values"):
        await store.set_custom_values(writing.transaction, key, values)


async def _before_contact_goes(writing: Writing) -> None:
    writing.notes["held"] = await store.held_identities(writing.transaction, _contact_key(writing))


async def _after_contact_is_gone(writing: Writing) -> None:
    """What identified him now identifies the next who has it."""
    await store.pass_on(writing.transaction, writing.owner_id, writing.notes["held"])


def _contact_key(writing: Writing) -> ContactKey:
    assert writing.id is not None
    return ContactKey(writing.owner_id, writing.id)


_SOURCE_OF_OWNER = "EXISTS (SELECT FROM contact_sources x WHERE x.owner_id = $1 AND x.owner_id = $2 AND x.id = {value})"

CONTACTS = Resource(
    path="/contacts",
    noun="a contact",
    page_about="A person. Making one always makes a new one; look up by e-mail or phone first.",
    table="contacts",
    fields=(
        record_id(),
        owner("owner_user_id"),
        reference("assigned_user_id", "/users", "the contact's owner or a teammate of his", OWN_OR_TEAMMATE_OF_OWNER),
        text("first_name", 255),
        text("last_name", 255),
        word("email", EmailText(255)),
        word("secondary_email", EmailText(255)),
        text("mobile_phone", 255, takes_number=True),
        text("home_phone", 45, takes_number=True),
        text("office_phone", 45, takes_number=True),
        text("fax", 45, takes_number=True),
        text("company", 45),
        text("birthday", 45),
        text("anniversary", 45),
        text("spouse_name", 45),
        word("spouse_email", EmailText(45)),
        text("spouse_phone", 45, takes_number=True),
        text("spouse_birthday", 45, takes_number=True),
        text("tags", 508, note="separated by commas"),
        reference("hotness_id", "/hotnesses", "a hotness that you see"),
        reference("source_id", "/contact-sources", "a contact source of yours, on a contact of yours",
                  _SOURCE_OF_OWNER),
        word("created_at", Moment(), null=False),
        word("modified_at", Moment(), null=False),
        Field(
            "custom_fields",
            Nested({"type": "array", "items": {"type": "object", "properties": {
                "id": {"type": "integer"}, "value": {"type": ["string", "null"]}}}}),
            write=Write.ALWAYS, column="", shows=_CUSTOM_FIELDS, filterable=False,
        ),
        nested("addresses", _ADDRESSES, {"type": "array", "items": {"type": "object"}}),
        nested("email_suppression", _EMAIL_SUPPRESSION,
               object_schema("reason", "text", id=Id(), at=Moment(), by_user_id=Id(), source_message_id=Id())),
    ),
    methods="LGCPUD",
    visible=SEES_CONTACT,
    changeable=CHANGES_CONTACT,
    removable="t.owner_id = $1",
    creatable=may_create("is_contact_ownership_new_enabled"),
    validate=_check_contact,
    after_write=_after_contact,
    before_delete=_before_contact_goes,
    after_delete=_after_contact_is_gone,
)  # fmt: skip


async def _place_contact(writing: Writing) -> None:
    assert writing.parent_id is not None
    await store.place(writing.transaction, ContactKey(writing.owner_id, writing.parent_id))


ADDRESSES = Resource(
    path="/contacts/:id/addresses",
    noun="an address",
    page_about="Where a contact lives or works.",
    table="contact_addresses",
    parent=CONTACTS,
    parent_column="contact_id",
    fields=_ADDRESS_FIELDS,
    methods="LGCPUD",
    most=50,
    visible="true",
    changeable=CHANGES_CONTACT_OF,
    creatable=CHANGES_CONTACT,
    after_write=_place_contact,
    after_delete=_place_contact,
)

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


def _without_old_name(body: dict[str, Any]) -> dict[str, Any]:
    """`reminder_type` is an older name of `action_type`; it counts where it is sent alone."""
    if "reminder_type" not in body or "action_type" in body:
        return body
    return body | {"action_type": body["reminder_type"]}


async def _check_task(writing: Writing, found: Errors) -> Errors:
    """A task may be about a colleague's contact, so it keeps whose the contact is."""
    contact_id = writing.record.get("contact_id")
    if writing.before is not None and "assigned_user_id" in writing.sent:
        writing.record["follows_contact"] = False  # somebody has said whose it is
    if "contact_id" not in found and (writing.before or {}).get("contact_id") != contact_id:
        writing.record["contact_owner_id"] = contact_id and await writing.transaction.fetchval(
            "SELECT owner_id FROM contacts WHERE id = $1", contact_id
        )
    return {}


TASKS = Resource(
    path="/tasks",
    noun="a task",
    page_about="Something to be done, by yourself or somebody you share a team with.",
    table="tasks",
    fields=(
        record_id(),
        owner("owner_user_id"),
        reference("contact_id", "/contacts", "a contact that you see"),
        word("action_type", Choice(TASK_TYPES), required=True),
        computed("reminder_type", Choice(TASK_TYPES), "t.action_type", null=False, note="equal to action_type"),
        reference("assigned_user_id", "/users", "the task's owner or a teammate of his", OWN_OR_TEAMMATE_OF_OWNER),
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
    rewrite=_without_old_name,
    validate=_check_task,
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


async def _check_event(writing: Writing, found: Errors) -> Errors:
    """An event belongs to the contact's owner, whoever makes it."""
    if writing.before is None and "contact_id" not in found:
        writing.record["user_id"] = writing.caller.user_id
        writing.owner_id = await writing.transaction.fetchval(
            "SELECT owner_id FROM contacts WHERE id = $1", writing.record["contact_id"]
        )
    return {}


EVENTS = Resource(
    path="/events",
    noun="an event",
    page_about="Something that a contact did.",
    table="events",
    fields=(
        record_id(),
        Field("user_id", Id(), null=False),
        reference("contact_id", "/contacts", "a contact that you see", write=Write.ONCE, required=True),
        Field("source", Choice(("web", "disposition", "api")), null=False),
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
    validate=_check_event,
)


async def _check_property(writing: Writing, _found: Errors) -> Errors:
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
    validate=_check_property,
    unique="The event has its property already",
)

CONTACT_RESOURCES = (
    HOTNESSES,
    CUSTOM_FIELDS,
    TAGS,
    CONTACTS,
    ADDRESSES,
    TASKS,
    EVENTS,
    EVENT_PROPERTIES,
)
