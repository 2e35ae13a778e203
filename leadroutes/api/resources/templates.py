"""Templates of messages and their folders."""

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.resource import Field, Resource
from leadroutes.api.resources.common import (
    created_at,
    integer,
    modified_at,
    nested,
    owner,
    record_id,
    reference,
    text,
    word,
)
from leadroutes.api.sql_parts import object_sql
from leadroutes.api.values import Choice, Id
from leadroutes.domain.template import MAX_TEMPLATE_CHARACTERS
from leadroutes.errors import Conflict
from leadroutes.sandbox.results import ComputedCache
from leadroutes.sandbox.templates import CHECK_TEMPLATE
from leadroutes.sandbox.work import ComputationFailed

TEMPLATE_TYPES = ("Email", "Text", "Phone", "Direct Mail Letter", "Direct Mail Postcard")
USED = "A campaign action uses this template"
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
    is_audited_in_full=True,
    noun="a template folder",
    page_about="A folder of templates.",
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


class TemplateBehaviour(Behaviour):
    """Checks the placeholders of a template before it is stored."""

    async def validate(self, writing: Writing, _errors: Errors) -> Errors:
        """Checks the texts that were sent, and all texts if the type was sent; direct mail is not filled in."""
        if writing.record.get("template_type") not in _FILLED_IN:
            return {}
        is_retyped = "template_type" in writing.sent
        texts = {name: writing.record.get(name) for name in ("subject", "body") if name in writing.sent or is_retyped}
        faults = {name: _fault_of(text, writing.owner_id) for name, text in texts.items() if text}
        return {name: f"{name}: {fault}" for name, fault in faults.items() if fault}

    async def before_delete(self, writing: Writing) -> None:
        """Raises Conflict for a variant of an action, which no foreign key protects."""
        transaction, key = writing.transaction, (writing.owner_id, writing.id)
        await transaction.execute("SELECT FROM templates WHERE owner_id = $1 AND id = $2 FOR UPDATE", *key)
        if await transaction.fetchval(_USED_AS_VARIANT, *key):
            raise Conflict(USED)


_USED_AS_VARIANT = (
    "SELECT EXISTS (SELECT FROM campaign_actions a WHERE a.owner_id = $1 AND a.variants IS NOT NULL"
    " AND a.variants::jsonb @> jsonb_build_array(jsonb_build_object('template_id', $2::bigint)))"
)
_CHECKED = ComputedCache(CHECK_TEMPLATE, most=1_000)


def _fault_of(text: str, owner_id: int) -> str:
    """Returns the fault of a template, or "". Raises WorkFirst if the sandbox has to check it first."""
    if len(text) > MAX_TEMPLATE_CHARACTERS:
        return f"The template has {len(text)} characters; {MAX_TEMPLATE_CHARACTERS} are the limit"
    try:
        found = _CHECKED.find(text)
    except KeyError:
        raise _CHECKED.first({owner_id: [text]}) from None
    return f"The template {found.reason}" if isinstance(found, ComputationFailed) else found


TEMPLATES = Resource(
    path="/templates",
    is_audited_in_full=True,
    noun="a template",
    page_about="The text of a message.",
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
    needed_by={"campaign_actions": USED},
    behaviour=TemplateBehaviour(),
)

TEMPLATE_RESOURCES = (TEMPLATE_FOLDERS, TEMPLATES)
