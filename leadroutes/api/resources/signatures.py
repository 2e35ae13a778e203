"""Signatures of users: how mails to contacts end that go in their name."""

from typing import Any

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.resource import Resource
from leadroutes.api.resources.common import created_at, flag, modified_at, owner, record_id, text

LONGEST = 10_000  # characters
_HAS_DEFAULT = "SELECT EXISTS (SELECT FROM signatures s WHERE s.owner_id = $1 AND s.is_default)"
_NO_OTHER_DEFAULT = "UPDATE signatures SET is_default = false WHERE owner_id = $1 AND is_default AND id <> $2"


class SignatureBehaviour(Behaviour):
    """One signature of a user is the default, the first one by itself; a new default replaces the one before."""

    def normalize(self, record: dict[str, Any]) -> Errors:
        for name in ("text_body", "html_body"):
            record[name] = record[name] if (record[name] or "").strip() else None
        if record["text_body"] is None and record["html_body"] is None:
            return {"text_body": "text_body is required, unless there is html_body"}
        return {}

    async def validate(self, writing: Writing, _found: Errors) -> Errors:
        """Makes way for a new default; writers of one user wait for each other."""
        transaction, record = writing.transaction, writing.record
        await transaction.execute("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", writing.owner_id)
        if writing.before is None and "is_default" not in writing.sent:
            record["is_default"] = not await transaction.fetchval(_HAS_DEFAULT, writing.owner_id)
        if record["is_default"] is True and not _found:
            await transaction.execute(_NO_OTHER_DEFAULT, writing.owner_id, writing.id or 0)
        return {}


SIGNATURES = Resource(
    path="/signatures",
    noun="a signature",
    page_about="How mails of campaigns end that go in your name: the default one is put at the end, or where the"
    " template has {{ signature }}. A missing form is made from the other one.",
    table="signatures",
    fields=(
        record_id(),
        owner(),
        text("name", 200, required=True),
        text("text_body", LONGEST, filterable=False, note="for the text of a mail; required without html_body"),
        text("html_body", LONGEST, filterable=False, note="for its HTML"),
        flag("is_default", default=False, note="used; true for your first one, and one of a user at most"),
        created_at(),
        modified_at(),
    ),
    methods="LGCPD",
    most=100,
    behaviour=SignatureBehaviour(),
)
