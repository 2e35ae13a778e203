"""Attributes that an account defines for its contacts: hotnesses, custom fields, tags."""

from typing import Any

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.resource import Resource
from leadroutes.api.resources.access import (
    broker_with,
    may_create,
)
from leadroutes.api.resources.common import (
    integer,
    owner,
    record_id,
    text,
    word,
)
from leadroutes.api.values import (
    Choice,
    quoted,
)
from leadroutes.store import contacts as store

HOTNESSES = Resource(
    path="/hotnesses",
    is_audited_in_full=True,
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
    order=("t.owner_id", "t.rank NULLS FIRST"),
)

CUSTOM_FIELDS = Resource(
    path="/custom-fields",
    is_audited_in_full=True,
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


class TagBehaviour(Behaviour):
    """A tag holds no comma; a change of it is a change of the tag in the owner's contacts."""

    def normalize(self, record: dict[str, Any]) -> Errors:
        content = record["content"] or ""
        if "," in content:
            return {"content": f"content: {quoted(content)} was given; expected no comma, as it separates tags"}
        return {}

    def derive(self, record: dict[str, Any]) -> dict[str, Any]:
        return {"content_key": record["content"].casefold()}

    async def after_write(self, writing: Writing) -> None:
        if writing.before is not None and writing.before["content"] != writing.record["content"]:
            await store.rewrite_tag(
                writing.transaction, writing.owner_id, writing.before["content"], writing.record["content"]
            )


TAGS = Resource(
    path="/tags",
    is_audited_in_full=True,
    noun="a tag",
    page_about="The tags of your contacts; changing one changes it in them.",
    table="tags",
    fields=(record_id(), text("content", 255, required=True, note="unique, letter case ignored")),
    methods="LGCPU",
    unique="A tag of this content exists already",
    behaviour=TagBehaviour(),
)

CONTACT_ATTRIBUTES = (HOTNESSES, CUSTOM_FIELDS, TAGS)
