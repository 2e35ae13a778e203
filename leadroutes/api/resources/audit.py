"""The audit: who changed what on an account, when. It is only read here."""

# ruff: noqa: S608 -- what is put into SQL text is written here; values are bound

from leadroutes.api.resource import Field, Resource
from leadroutes.api.resources.common import owner, record_id
from leadroutes.api.values import Bool, Id, Moment, Nested, Text

MOST_COUNTED = 1_000

# Each half is ordered, so that PostgreSQL reads it by an index and merges both, however many entries there are.
_ORDER = "ORDER BY a.at DESC, a.id DESC"
_SEEN = (
    f"((SELECT a.* FROM audit_entries a WHERE a.owner_id = $1 {_ORDER})"
    " UNION ALL (SELECT a.* FROM audit_entries a WHERE a.is_about_user AND a.owner_id <> $1"
    f" AND (SELECT u.is_admin FROM users u WHERE u.id = $1) {_ORDER})) t"
)

AUDIT = Resource(
    path="/audit",
    noun="an audit entry",
    page_about="Who changed what, when, newest first: acts of people on your account, not of the machine."
    " Administrators also see acts on the accounts of users."
    f" The total stops at {MOST_COUNTED:,}; go on with `at[$lte]`.",
    table="audit_entries",
    source=_SEEN,
    fields=(
        record_id(),
        owner("owner_user_id"),
        Field("at", Moment(), null=False),
        Field("user_id", Id(), null=False, note="who acted: the owner, a delegate, an agent or an administrator"),
        Field("user_name", Text(), column="", filterable=False, null=True,
              shows="(SELECT display_name(u) FROM users u WHERE u.id = t.user_id)"),
        Field("application_id", Id(), filterable=False, note="whose token was used; null: a page or a personal token"),
        Field("method", Text(), null=False, filterable=False),
        Field("resource", Text(), null=False, note="a path, such as /lead-routes or /leads/:id/assignment"),
        Field("record_id", Id()),
        Field("label", Text(), filterable=False, note="the name of the record, but never a contact's"),
        Field("changes", Nested({"type": "array", "items": {"type": "object"}}), filterable=False,
              note="[{field, before, after}]; of contacts, leads and secrets only the field"),
        Field("is_about_user", Bool(), null=False, filterable=False, note="an act on the account of a user"),
    ),
    methods="LG",
    visible="true",
    order=("t.at DESC", "t.id DESC"),
    most_counted=MOST_COUNTED,
)  # fmt: skip
