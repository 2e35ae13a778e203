"""Acting for another account: the header, and the one declaration of what each role may do there.

A caller who acts for an owner is the owner to everything behind this, within what the role allows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from leadroutes.api.auth import Caller, Grant
from leadroutes.api.call import Call
from leadroutes.api.reads import id_in
from leadroutes.api.resources.access import teammates
from leadroutes.api.resources.availability import MY_MEMBERS
from leadroutes.api.resources.delegates import ADMINISTRATOR, TEAM_LEAD
from leadroutes.api.values import Id, quoted
from leadroutes.errors import Forbidden, Invalid, NotFound
from leadroutes.store.delegates import DelegationKey, Delegations

HEADER = "x-acting-for"

Grants = Mapping[tuple[str, str], Grant]  # by method and path of an operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a delegate may do: the operations of `may`, or all but those whose path begins with one of `not_paths`.

    Of what is below the first words in `not_below`, only these methods are allowed.
    """

    may: Grants | None = None
    not_paths: tuple[str, ...] = ()
    not_below: Mapping[str, frozenset[str]] = field(default_factory=dict)
    narrowed: Grants = field(default_factory=dict)  # where even this role does not see all that the owner sees

    def grant(self, method: str, path: str) -> Grant | None:
        """Returns what the role may do by this operation; None: nothing."""
        if self.may is not None:
            return self.may.get((method, path))
        word = path.split("/")[1]
        is_excluded = word in self.not_paths or (word in self.not_below and method not in self.not_below[word])
        return None if is_excluded else self.narrowed.get((method, path), Grant())


_MEMBERS = (
    "ARRAY(SELECT m.user_id FROM team_members m WHERE m.owner_id = $1 AND m.team_id = {team}"
    " AND m.request_status = 'Accepted')"
)
_OF_TEAM = Grant(among="t.owner_id = $1 AND t.team_id = {team}")
_OF_LEAD_OF_TEAM = Grant(
    parent="EXISTS (SELECT FROM leads t WHERE t.owner_id = $1 AND t.id = $2 AND t.team_id = {team})"
)
_IS_TEAM = Grant(among="t.owner_id = $1 AND t.id = {team}")
_OF_MEMBERS = Grant(among=f"{{user_id}} = ANY ({_MEMBERS})")
_IS_COLLEAGUE = Grant(among=f"t.id = $1 OR t.id = ANY (ARRAY({teammates('$1', sharing=False)}))")
_PAUSES = replace(_OF_TEAM, fields=frozenset({"is_paused", "paused_until"}))


def _reads(path: str, grant: Grant) -> dict[tuple[str, str], Grant]:
    return {("GET", path): grant, ("GET", f"{path}/:id"): grant}


# The one declaration of what each role may do; what is not here is 403. Paths of the service's own administration and
# of what belongs to a person (passwords, tokens, sessions) are never a delegate's.
ROLES: Mapping[str, Role] = MappingProxyType({
    ADMINISTRATOR: Role(
        not_paths=(
            "delegates",
            "me",
            "applications",
            "tokens",
            "sessions",
            "sign-ins",
            "trusted-browsers",
            "user-invitations",
            "alert-preferences",
            "push-subscriptions",
            "signatures",
            "passed-over",
            "channels",
            "phone-numbers",
            "example-brokerage",
        ),
        not_below=MappingProxyType({"users": frozenset({"GET"})}),
        narrowed=MappingProxyType(
            _reads("/users", _IS_COLLEAGUE)
            | _reads("/audit", Grant(among="t.owner_id = $1"))
            | _reads("/availabilities", Grant(among=f"t.id = $1 OR t.id = ANY ({MY_MEMBERS})"))
            | {(method, "/availabilities/:id"): Grant(among="t.id = $1") for method in ("PATCH", "PUT")}
        ),
    ),
    TEAM_LEAD: Role(
        may=MappingProxyType(
            _reads("/leads", _OF_TEAM)
            | _reads("/leads/:id/offers", _OF_LEAD_OF_TEAM)
            | _reads("/teams", _IS_TEAM)
            | _reads("/team-members", _OF_TEAM)
            | _reads("/team-member-distribution-options", _OF_TEAM)
            | _reads("/availabilities", _OF_MEMBERS)
            | _reads("/time-off", _OF_MEMBERS)
            | {
                ("GET", "/leads/:id/routing"): _OF_LEAD_OF_TEAM,
                ("GET", "/leads/:id/history"): _OF_LEAD_OF_TEAM,
                ("POST", "/leads/:id/assignment"): _OF_LEAD_OF_TEAM,
                ("PATCH", "/team-member-distribution-options/:id"): _PAUSES,
            }
        )
    ),
})  # fmt: skip


async def owners_caller(delegations: Delegations, caller: Caller, values: list[str]) -> Caller:
    """Returns the owner as the caller, with who really acts. `values` are those of the header.

    Raises Invalid for what is not one id, Forbidden for an account that the caller does not act for.
    """
    owner_id = _owner_id(values)
    if owner_id == caller.user_id:
        return caller
    if caller.application_id is not None and not caller.may_write:
        raise Forbidden("Insufficient scope")
    found = await delegations.find(DelegationKey(caller.user_id, owner_id, caller.token_hash))
    if found is None:
        raise Forbidden(f"You do not act for the account {owner_id}")
    return replace(
        caller,
        user_id=owner_id,
        acting_user_id=caller.user_id,
        role=found.role,
        team_id=found.team_id,
        is_admin=False,  # the service is administered by the administrators themselves
        is_broker=found.is_broker,
    )


def _owner_id(values: list[str]) -> int:
    try:
        [value] = values
        return Id().take(value.strip())
    except ValueError:
        given = quoted(", ".join(values))
        raise Invalid(f"X-Acting-For: {given} was given; expected the id of the owner of an account") from None


def require_role_allows(caller: Caller, method: str, path: str) -> Grant | None:
    """Returns what a delegate's role allows by this operation; None: the caller acts for no one else.

    Raises Forbidden for what the role does not allow.
    """
    if caller.role is None:
        return None
    granted = ROLES[caller.role].grant(method, path)
    if granted is None:
        raise Forbidden(f"A delegate who is {caller.role} may not do this")
    return granted


async def require_parent(call: Call) -> None:
    """Raises NotFound for a record below one that the caller's role does not see."""
    granted = call.granted
    if granted is None or not granted.parent:
        return
    sql = f"SELECT {granted.parent.format(team='$3')}"
    if not await call.context.database.fetchval(sql, call.caller.user_id, id_in(call.ids[0]), call.caller.team_id):
        raise NotFound.record(call.ids[0])
