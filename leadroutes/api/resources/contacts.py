"""Contacts and their addresses."""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.resource import Field, Resource, Search, Shown, Visibility, Write
from leadroutes.api.resources.access import (
    CHANGES_CONTACT,
    CHANGES_CONTACT_OF,
    CONTACT_WORDS,
    OWN_OR_TEAMMATE_OF_OWNER,
    SEES_CONTACT,
    SHARERS,
    SHARING_OWNERS,
    broker_with,
    may_create,
)
from leadroutes.api.resources.common import (
    created_at,
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
    EmailText,
    Id,
    Moment,
    Nested,
    Text,
    quoted,
    whole_number,
)
from leadroutes.store import contacts as store
from leadroutes.store.contacts import ContactKey

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
# Why campaigns do not write to the contact's e-mail; of a bounced address, the mail server's reply.
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
# The contact that $2 was merged into.
_MERGED = (
    "(SELECT m.contact_id FROM merged_contacts m JOIN contacts t ON t.owner_id = m.owner_id AND t.id = m.contact_id"
    f" WHERE m.id = $2 AND {SEES_CONTACT})"
)
_SEARCH = Search(
    ids=(
        f"SELECT t.id FROM contacts t WHERE {CONTACT_WORDS}"
        " UNION ALL SELECT t.contact_id FROM contact_addresses t"
        " WHERE search_words(t.owner_id, ARRAY[t.street_address_1, t.street_address_2, t.city], NULL, NULL, NULL)"
        " @@ {pattern}"
    ),
    owners=f"ARRAY(SELECT unnest({SHARERS}) UNION SELECT x.owner_id FROM owners_of_contacts_of($1) x (owner_id))",
)
_VALUE = Text(2000, takes_number=True)


_SOURCE_OF_OWNER = "EXISTS (SELECT FROM contact_sources x WHERE x.owner_id = $1 AND x.owner_id = $2 AND x.id = {value})"


class ContactBehaviour(Behaviour):
    """Writes what belongs to a contact: identities, tags, custom values, the tasks of its agent."""

    async def validate(self, writing: Writing, _found: Errors) -> Errors:
        """Reads the values of custom fields: each entry sets or removes one, and names a field that the caller sees."""
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

    async def after_write(self, writing: Writing) -> None:
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

    async def before_delete(self, writing: Writing) -> None:
        writing.notes["held"] = await store.held_identities(writing.transaction, _contact_key(writing))

    async def after_delete(self, writing: Writing) -> None:
        """Passes what identified the contact to the next one that has it; webhooks are sent nothing more of it."""
        await store.pass_on(writing.transaction, writing.owner_id, writing.notes["held"])
        await store.forget_deliveries(writing.transaction, _contact_key(writing))


def _contact_key(writing: Writing) -> ContactKey:
    assert writing.id is not None
    return ContactKey(writing.owner_id, writing.id)


CONTACTS = Resource(
    path="/contacts",
    noun="a contact",
    page_about="A person. A POST always adds a new one; look up by e-mail or phone first.",
    table="contacts",
    fields=(
        record_id(),
        owner("owner_user_id"),
        reference("assigned_user_id", "/users", "the owner or a teammate of the owner", OWN_OR_TEAMMATE_OF_OWNER),
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
    listed=Visibility(
        sharers=SHARING_OWNERS,
        others="SELECT x.owner_id FROM owners_of_contacts_of($1) x (owner_id)",
        some=(Shown("t.assigned_user_id = $1"),),
        whole=SHARERS,
    ),
    changeable=CHANGES_CONTACT,
    removable="t.owner_id = $1",
    creatable=may_create("is_contact_ownership_new_enabled"),
    merged=_MERGED,
    search=_SEARCH,
    behaviour=ContactBehaviour(),
)  # fmt: skip


class AddressBehaviour(Behaviour):
    """A change of an address may change where the contact lives."""

    async def after_write(self, writing: Writing) -> None:
        await _place_contact(writing)

    async def after_delete(self, writing: Writing) -> None:
        await _place_contact(writing)


async def _place_contact(writing: Writing) -> None:
    assert writing.parent_id is not None
    await store.place(writing.transaction, ContactKey(writing.owner_id, writing.parent_id))


ADDRESSES = Resource(
    path="/contacts/:id/addresses",
    noun="an address",
    page_about="An address at which a contact lives or works.",
    table="contact_addresses",
    parent=CONTACTS,
    parent_column="contact_id",
    fields=_ADDRESS_FIELDS,
    methods="LGCPUD",
    most=50,
    visible="true",
    changeable=CHANGES_CONTACT_OF,
    creatable=CHANGES_CONTACT,
    behaviour=AddressBehaviour(),
)

CONTACT_RESOURCES = (CONTACTS, ADDRESSES)
