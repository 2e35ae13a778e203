"""Reads who of the teams is available, before decisions are made: once for a batch, in its transaction.

Nothing is read about teams whose members have neither hours, pauses, time off nor caps.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from leadroutes.domain.availability import Attendance
from leadroutes.domain.model import Absence, Member, RuleSet
from leadroutes.store.availability import load_presences, lock_availabilities
from leadroutes.store.contacts import lock_contacts
from leadroutes.store.leads import LeadRow
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.routing import RuleSets, require_present
from leadroutes.store.workloads import MemberOfOwner, load_workloads

TeamOfOwner = tuple[int, int]  # owner, team
Value = TypeVar("Value")


async def attendance_for(
    transaction: Transaction,
    rule_sets: Mapping[int, RuleSet],
    teams: Collection[TeamOfOwner],
    *,
    locks: bool = True,
    losers: Collection[int] = (),
    contacts: Collection[tuple[int, int]] = (),
) -> dict[int, Attendance]:
    """Returns by owner who of these teams is available; owners of whose members no one can be away are missing.

    Where leads are assigned automatically below a cap, or wait for a return, the members are locked before they are
    read: of two decisions about the same member the second sees the first. `locks` false: nothing is decided.
    `losers`: users who may lose a lead by the decision, which locks them too; `contacts`: those that it may assign; so
    all are locked in one order.
    """
    limited = {(owner_id, team_id) for owner_id, team_id in teams if team_id in rule_sets[owner_id].limited_teams}
    if not limited:
        return {}
    members = [(key, member) for key in sorted(limited) for member in _limited_members(rule_sets[key[0]], key[1])]
    to_lock = {member.user_id for key, member in members if _is_decided_alone(rule_sets[key[0]], key[1], member)}
    if to_lock and locks:
        await lock_contacts(transaction, contacts)
        await lock_availabilities(transaction, to_lock | set(losers))
        # What was read before says who is paused, or has a cap; a change passes by leads that are locked already.
        await require_present(transaction, [rule_sets[owner_id] for owner_id in {owner_id for owner_id, _ in limited}])
    away = {
        (owner_id, member.user_id)
        for (owner_id, _), member in members
        if rule_sets[owner_id].rules.people[member.user_id].may_be_away
    }
    presences = await load_presences(transaction, away)
    zones: dict[MemberOfOwner, str] = {}
    for (owner_id, _), member in members:
        if member.option is not None and member.option.has_caps:
            key = owner_id, member.user_id
            known = presences.get(key)
            zones[key] = known.timezone if known else rule_sets[owner_id].rules.people[member.user_id].timezone
    open_for = next(iter(rule_sets.values())).open_for  # of the installation
    workloads = await load_workloads(transaction, zones, open_for)
    return {
        owner_id: Attendance(
            rule_sets[owner_id], transaction.now, _of_owner(presences, owner_id), _of_owner(workloads, owner_id)
        )
        for owner_id in {owner_id for owner_id, _ in limited}
    }


async def attendance_of_leads(transaction: Transaction, rows: Iterable[LeadRow]) -> dict[int, Attendance]:
    """Returns by owner who can be offered these leads, as `attendance_for` does, for the teams of their offers."""
    rule_sets: dict[int, RuleSet] = {}
    teams: set[TeamOfOwner] = set()
    losers: set[int] = set()
    contacts: set[tuple[int, int]] = set()
    for row in rows:
        if row.lead.claim is not None:
            losers.add(row.lead.claim.user_id)
        if row.present.limited_teams:
            rule_sets[row.lead.owner_id] = row.present
            contacts.add((row.lead.owner_id, row.contact_id))
            teams |= {(row.lead.owner_id, each.team_id) for each in row.lead.offers if each.team_id is not None}
    return await attendance_for(transaction, rule_sets, teams, losers=losers, contacts=contacts)


async def who_is_away(database: Database, rule_sets: RuleSets, owner_id: int, team_id: int) -> dict[int, Absence]:
    """Returns who of a team cannot be offered a lead at this moment, and why, by user; for people to read."""
    async with database.transaction() as transaction:
        rule_set = await rule_sets.load_one(transaction, owner_id)
        found = await attendance_for(transaction, {owner_id: rule_set}, {(owner_id, team_id)}, locks=False)
    return found[owner_id].absences(team_id) if found else {}


def _limited_members(rule_set: RuleSet, team_id: int) -> list[Member]:
    return [each for each in rule_set.rules.teams[team_id].members if rule_set.is_limited_member(each)]


def _is_decided_alone(rule_set: RuleSet, team_id: int, member: Member) -> bool:
    option = member.option
    is_exact = option is not None and option.assign_automatically and option.has_caps
    return is_exact or rule_set.rules.teams[team_id].when_nobody_is_available == "Hold"


def _of_owner(found: Mapping[MemberOfOwner, Value], owner_id: int) -> dict[int, Value]:
    return {user_id: value for (each, user_id), value in found.items() if each == owner_id}
