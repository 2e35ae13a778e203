"""What the ids in an owner's rules mean: names of sources, campaigns and people, as far as the owner sees them."""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

from leadroutes.api.resources import BY_PATH
from leadroutes.domain.rule_records import Names
from leadroutes.store.postgres import Database, Transaction

# The e-mails of members who have not accepted are not shown to whoever invited them by their ids.
_MEMBERS = "SELECT m.user_id FROM team_members m WHERE m.owner_id = $1 AND m.request_status = 'Accepted'"


async def load_names(
    source: Transaction | Database,
    owner_id: int,
    *,
    emails: Iterable[str] = (),
    user_ids: Iterable[int] = (),
    template_ids: Iterable[int] = (),
    all_templates: bool = False,
) -> Names:
    """Returns the names for an owner; of people those of accepted members, of these e-mails (lower case) and ids.

    Of templates those of these ids, or of all that have a name.
    """
    row = await source.fetchrow(
        _names_sql(), owner_id, sorted(emails), sorted(user_ids), sorted(template_ids), all_templates
    )
    assert row is not None
    read: dict[str, Any] = {name: msgspec.json.decode(text) for name, text in row.items()}
    custom_fields = tuple(read.pop("custom_fields"))
    by_id = {to: {int(record_id): name for record_id, name in named.items()} for to, named in read.items()}
    return Names(custom_fields=custom_fields, **by_id)


@cache
def _names_sql() -> str:
    parts = {
        "lead_sources": _all_of("lead_sources", BY_PATH["/lead-sources"].visible),
        "contact_sources": _all_of("contact_sources", BY_PATH["/contact-sources"].visible),
        "campaigns": _all_of("campaigns", BY_PATH["/campaigns"].visible),
        "templates": _all_of(
            "templates",
            "t.owner_id = $1 AND (t.id = ANY ($4::bigint[]) OR $5::boolean AND btrim(t.description) <> '')",
            "coalesce(t.description, '')",
        ),
        "teams": _all_of("teams", "t.owner_id = $1"),
        "people": _all_of(
            "users",
            f"t.id = $1 OR t.id = ANY ($3::bigint[]) OR t.id = ANY (ARRAY({_MEMBERS}))"
            " OR t.is_active AND lower(t.email) = ANY ($2::text[])",
            "t.email",
        ),
        "custom_fields": "(SELECT coalesce(json_agg(f.name ORDER BY f.rank, f.id), '[]')::text"
        " FROM custom_fields f WHERE f.owner_id = $1)",
    }
    return f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in parts.items())}"


def _all_of(table: str, condition: str, name: str = "t.name") -> str:
    return f"(SELECT coalesce(json_object_agg(t.id, {name}), '{{}}')::text FROM {table} t WHERE {condition})"
