"""Brings the stored rules of an owner to wished ones, within one transaction: set-based, in the order that keys allow.

What is wished for, and whether it is possible, is decided before. Everything that follows from a change happens, as it
does for changes through the API: new members are invited, offers of those who leave are withdrawn, and a changed step
of a campaign changes for everyone for whom it has not left.
"""

from collections.abc import Sequence

from leadroutes.domain.rule_difference import RuleChange
from leadroutes.domain.rule_fields import CAMPAIGN, LISTING_AGENT, MEMBER, OPTION, ROUTE, STEP, TEAM, RuleKind
from leadroutes.domain.rule_records import Record, Records, is_new
from leadroutes.engine.campaign_changes import note_action_changed, note_action_removed
from leadroutes.engine.departures import end_sharing, withdraw_from_team
from leadroutes.engine.memberships import members_of, remove_member
from leadroutes.errors import Conflict
from leadroutes.store.campaigns import release_communications_of_campaign
from leadroutes.store.invitations import invite_user
from leadroutes.store.postgres import Transaction
from leadroutes.store.rule_records import MOMENTS, delete_records, insert_records, new_ids, taken_ids, update_records


async def apply_changes(
    transaction: Transaction, owner_id: int, changes: Sequence[RuleChange], wished: Records, *, by_user_id: int
) -> dict[tuple[str, int], int]:
    """Makes the changes; `wished` are the rules as they are afterwards. Returns the ids of new records, by kind and id.

    Raises Conflict where a user has been invited in the meantime. The rules have to be locked.
    """
    applying = _Applying(transaction, owner_id, changes, wished, by_user_id)
    await applying.everything()
    return applying.new_ids


class _Applying:
    def __init__(
        self, transaction: Transaction, owner_id: int, changes: Sequence[RuleChange], wished: Records, by_user_id: int
    ) -> None:
        self._transaction = transaction
        self._owner_id = owner_id
        self._changes = changes
        self._wished = wished
        self._by_user_id = by_user_id
        self.new_ids: dict[tuple[str, int], int] = {}

    async def everything(self) -> None:
        for kind in (TEAM, OPTION, ROUTE, LISTING_AGENT, CAMPAIGN, STEP):
            await self._number(kind)
        await self._remove(ROUTE)
        await self._remove(LISTING_AGENT)
        await self._write(TEAM)
        await self._add_members()
        await self._write(CAMPAIGN)
        await self._release_steps()
        await self._change_steps()
        await self._write(ROUTE)
        await self._remove_members()
        await self._remove(OPTION)
        await self._remove_teams()
        await self._write(OPTION)
        await self._write(LISTING_AGENT)

    async def _number(self, kind: RuleKind) -> None:
        """Gives ids to records that are new, and to restored ones whose own id is taken."""
        added = self._ids(kind, "added")
        taken = (
            await taken_ids(self._transaction, kind, [each for each in added if not is_new(each)]) if added else set()
        )
        wanting = [each for each in added if is_new(each) or each in taken]
        found = await new_ids(self._transaction, kind, len(wanting)) if wanting else []
        self.new_ids |= {(kind.name, old): new for old, new in zip(wanting, found, strict=True)}

    async def _remove(self, kind: RuleKind) -> None:
        await delete_records(self._transaction, kind, self._owner_id, self._ids(kind, "removed"))

    async def _write(self, kind: RuleKind) -> None:
        changed = [self._record(kind, each) for each in self._ids(kind, "changed")]
        await update_records(self._transaction, kind, self._owner_id, changed)
        added = [self._record(kind, each) for each in self._ids(kind, "added")]
        await insert_records(self._transaction, kind, self._owner_id, added)

    async def _release_steps(self) -> None:
        """What waited for the claim waits no longer where its campaign does not."""
        for each in self._changes:
            if each.kind is not CAMPAIGN or each.before is None or each.after is None:
                continue
            if each.before["pause_on_offer"] and not each.after["pause_on_offer"]:
                await release_communications_of_campaign(self._transaction, each.id)

    async def _change_steps(self) -> None:
        for each in self._changes:
            if each.kind is not STEP:
                continue
            if each.what == "removed":
                assert each.before is not None
                await note_action_removed(
                    self._transaction, self._owner_id, each.before["campaign_id"], each.id, self._by_user_id
                )
                await delete_records(self._transaction, STEP, self._owner_id, [each.id])
                continue
            step = self._record(STEP, each.id)
            write = insert_records if each.what == "added" else update_records
            await write(self._transaction, STEP, self._owner_id, [step])
            changed = [field.name for field in (STEP.fields if each.what == "added" else each.fields)]
            await note_action_changed(self._transaction, self._owner_id, step["campaign_id"], step["id"], changed)

    async def _add_members(self) -> None:
        for member_id in self._ids(MEMBER, "added"):
            member = self._record(MEMBER, member_id)
            is_owner = member["user_id"] == self._owner_id
            invited = await invite_user(
                self._transaction, self._owner_id, member["team_id"], member["user_id"], is_accepted=is_owner
            )
            if invited is None:
                raise Conflict(f"The user {member['user_id']} has been asked, or is a member, already")

    async def _remove_members(self) -> None:
        for member_id in self._ids(MEMBER, "removed"):
            await remove_member(self._transaction, member_id, self._by_user_id)

    async def _remove_teams(self) -> None:
        """Offers of a team are withdrawn while it is still there, as they name it."""
        for team_id in self._ids(TEAM, "removed"):
            members = await members_of(self._transaction, self._owner_id, team_id)
            await withdraw_from_team(self._transaction, self._owner_id, team_id, self._by_user_id)
            await delete_records(self._transaction, TEAM, self._owner_id, [team_id])
            await end_sharing(self._transaction, members)

    def _ids(self, kind: RuleKind, what: str) -> list[int]:
        return [each.id for each in self._changes if each.kind is kind and each.what == what]

    def _record(self, kind: RuleKind, record_id: int) -> Record:
        """Returns a wished record, with ids in place of those that it, its team and its campaign have for now."""
        record = dict(self._wished[kind.name][record_id])
        record["id"] = self.new_ids.get((kind.name, record_id), record_id)
        for name, to in (("team_id", TEAM), ("campaign_id", CAMPAIGN)):
            if record.get(name) is not None:
                record[name] = self.new_ids.get((to.name, record[name]), record[name])
        return record | (dict.fromkeys(MOMENTS, self._transaction.now) if kind is CAMPAIGN else {})
