"""Requests to pass a lead to a colleague: seen by the owner, who answers them, and by whoever asks."""

from leadroutes.api.behaviour import Behaviour, Writing
from leadroutes.api.resource import Field, Resource
from leadroutes.api.resources.common import created_at, object_schema, owner, record_id
from leadroutes.api.sql_parts import object_sql
from leadroutes.api.values import Choice, Id, Moment, Text
from leadroutes.errors import Conflict

_USER = ("id", "first_name", "last_name", "email")


def _user(name: str) -> Field:
    shown = object_sql(tuple((each, f"x.{each}") for each in _USER), f"users x WHERE x.id = t.{name}")
    return Field(name, Id(), null=False, key=name.removesuffix("_id"), shows=shown, schema=object_schema(*_USER))


class HandoverBehaviour(Behaviour):
    """Whoever asks may take the request back while it is open."""

    async def before_delete(self, writing: Writing) -> None:
        assert writing.before is not None
        if writing.before["state"] != "asked":
            raise Conflict(f"This request is {writing.before['state']}; only an open one is taken back")


HANDOVERS = Resource(
    path="/handovers",
    noun="a handover",
    page_about="Leads that an agent wants to pass to a colleague. The owner answers; whoever asks may take it back.",
    table="handovers",
    fields=(
        record_id(),
        owner("owner_user_id"),
        Field("lead_id", Id(), null=False),
        _user("from_user_id"),
        _user("to_user_id"),
        Field("note", Text()),
        Field("state", Choice(("asked", "accepted", "declined", "over")), null=False,
              note="over: someone else has the lead in the meantime"),
        Field("answer", Text(), note="what the owner said"),
        Field("answered_by_user_id", Id()),
        created_at(),
        Field("answered_at", Moment()),
    ),
    methods="LGD",
    visible="t.owner_id = $1 OR t.from_user_id = $1 OR (t.to_user_id = $1 AND t.state = 'accepted')",
    removable="t.from_user_id = $1",
    behaviour=HandoverBehaviour(),
)  # fmt: skip
