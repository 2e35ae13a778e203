"""The rule sets that decisions need: built when first needed after a change, stored once, cached in every process.

A cached one is never trusted blindly: the statement that commits a decision checks its number.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from functools import partial

import asyncpg
import msgspec

from leadroutes.domain.model import Rules, RuleSet
from leadroutes.store import statement
from leadroutes.store.postgres import Transaction

MOST_CACHED = 20_000  # rule sets, present and past


class RuleSets:
    """The cache of one process, least recently used out first."""

    def __init__(self) -> None:
        self._cached: OrderedDict[tuple[int, int], RuleSet] = OrderedDict()

    async def load_present(self, transaction: Transaction, versions: Mapping[int, int]) -> dict[int, RuleSet]:
        """The rule set of each owner; `versions` are users.rules_version as just read, so a cached one may serve."""
        found = {owner_id: self._find(owner_id, number) for owner_id, number in versions.items()}
        missing = [owner_id for owner_id, rule_set in found.items() if rule_set is None]
        built = await self._build(transaction, missing) if missing else {}
        return {
            owner_id: rule_set or built[owner_id]
            for owner_id, rule_set in found.items()
            if rule_set or owner_id in built
        }

    async def load_kept(
        self, transaction: Transaction, wanted: Collection[tuple[int, int]]
    ) -> dict[tuple[int, int], RuleSet]:
        """Past rule sets by (owner_id, number), as leads were decided with."""
        found = {key: rule_set for key in set(wanted) if (rule_set := self._find(*key)) is not None}
        missing = [key for key in set(wanted) if key not in found]
        if missing:
            rows = await transaction.fetch(
                "SELECT owner_id, number, rules::text AS rules FROM rule_sets"
                " JOIN unnest($1::bigint[], $2::bigint[]) AS wanted (owner_id, number) USING (owner_id, number)",
                *zip(*missing, strict=True),
            )
            for row in rows:
                rule_set = RuleSet(row["number"], msgspec.json.decode(row["rules"], type=Rules))
                self._keep(rule_set)
                found[row["owner_id"], row["number"]] = rule_set
        return found

    async def load_one(self, transaction: Transaction, owner_id: int) -> RuleSet:
        """The present rule set of one owner."""
        number = await transaction.fetchval("SELECT rules_version FROM users WHERE id = $1", owner_id)
        return (await self.load_present(transaction, {owner_id: number}))[owner_id]

    async def _build(self, transaction: Transaction, owner_ids: Iterable[int]) -> dict[int, RuleSet]:
        rows = await transaction.fetch(statement("load_rules"), list(owner_ids))
        built = [RuleSet(row["number"], msgspec.json.decode(row["rules"], type=Rules)) for row in rows]
        if not any(row["is_copy"] for row in rows):
            await self._store(transaction, rows, built)
        return {rule_set.rules.owner_id: rule_set for rule_set in built}

    async def _store(self, transaction: Transaction, rows: list[asyncpg.Record], built: list[RuleSet]) -> None:
        await transaction.execute(
            statement("keep_rule_sets"),
            [row["owner_id"] for row in rows],
            [row["number"] for row in rows],
            [row["rules"] for row in rows],
            transaction.now,
        )
        # Not before: a lead must never be decided by a rule set that a rollback has taken out of the database.
        transaction.once_committed.append(partial(self._keep, *built))

    def _find(self, owner_id: int, number: int) -> RuleSet | None:
        rule_set = self._cached.get((owner_id, number))
        if rule_set is not None:
            self._cached.move_to_end((owner_id, number))
        return rule_set

    def _keep(self, *rule_sets: RuleSet) -> None:
        for rule_set in rule_sets:
            self._cached[rule_set.rules.owner_id, rule_set.number] = rule_set
        while len(self._cached) > MOST_CACHED:
            self._cached.popitem(last=False)
