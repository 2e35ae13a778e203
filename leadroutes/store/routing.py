"""The rule sets that decisions need: built when first used after a change, stored once, cached in every process.

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

MAX_CACHED_CHARACTERS = (
    4_000_000  # characters of JSON, which is a thousand small teams; in memory rule sets take three times as many bytes
)
_DECODER = msgspec.json.Decoder(Rules)

RuleSetKey = tuple[int, int]  # owner, number


class RuleSets:
    """The cache of one process, least recently used out first. Others are read from the database."""

    def __init__(self, most: int = MAX_CACHED_CHARACTERS, channels: frozenset[str] = frozenset()) -> None:
        self._most = most
        self._channels = channels
        self._cached: OrderedDict[RuleSetKey, tuple[RuleSet, int]] = OrderedDict()
        self._size = 0

    def forget(self) -> None:
        """Empty the cache."""
        self._cached.clear()
        self._size = 0

    async def load_current(self, transaction: Transaction, versions: Mapping[int, int]) -> dict[int, RuleSet]:
        """Return the rule set of each owner; `versions` are users.rules_version, just read: a cached one may serve."""
        stored = await self.load_by_number(transaction, versions.items())
        missing = [owner_id for owner_id, number in versions.items() if (owner_id, number) not in stored]
        built = await self._build(transaction, missing) if missing else {}
        return built | {owner_id: rule_set for (owner_id, _), rule_set in stored.items()}

    async def load_by_number(
        self, transaction: Transaction, wanted: Collection[RuleSetKey]
    ) -> dict[RuleSetKey, RuleSet]:
        """Return rule sets by (owner_id, number) as far as they are stored, as all are that decided leads."""
        found = {key: rule_set for key in set(wanted) if (rule_set := self._find(key)) is not None}
        missing = [key for key in set(wanted) if key not in found]
        if missing:
            owner_ids, numbers = zip(*missing, strict=True)
            rows = await transaction.fetch(*statement("load_rule_sets").bind(owner_ids=owner_ids, numbers=numbers))
            read = [self._read(row) for row in rows]
            transaction.after_commit.append(partial(self._keep, read))
            found |= {each.key: each.rule_set for each in read}
        return found

    async def load_one(self, transaction: Transaction, owner_id: int) -> RuleSet:
        """Return the present rule set of one owner."""
        number = await transaction.fetchval("SELECT rules_version FROM users WHERE id = $1", owner_id)
        return (await self.load_current(transaction, {owner_id: number}))[owner_id]

    async def _build(self, transaction: Transaction, owner_ids: Iterable[int]) -> dict[int, RuleSet]:
        rows = await transaction.fetch(*statement("load_rules").bind(owner_ids=list(owner_ids)))
        read = [self._read(row) for row in rows]
        if not any(row["is_copy"] for row in rows):
            await self._store(transaction, rows, read)
        return {each.key[0]: each.rule_set for each in read}

    async def _store(
        self, transaction: Transaction, rows: list[asyncpg.Record], read: "Iterable[_CachedRuleSet]"
    ) -> None:
        await transaction.execute(
            *statement("store_rule_sets").bind(
                owner_ids=[row["owner_id"] for row in rows],
                numbers=[row["number"] for row in rows],
                rules=[row["rules"] for row in rows],
                now=transaction.now,
            ),
        )
        # Not before: no lead may be decided by a rule set that a rollback has removed from the database.
        transaction.after_commit.append(partial(self._keep, read))

    def _read(self, row: asyncpg.Record) -> "_CachedRuleSet":
        return _CachedRuleSet((row["owner_id"], row["number"]), row["rules"], self._channels)

    def _find(self, key: RuleSetKey) -> RuleSet | None:
        found = self._cached.get(key)
        if found is None:
            return None
        self._cached.move_to_end(key)
        return found[0]

    def _keep(self, read: "Iterable[_CachedRuleSet]") -> None:
        for each in read:
            if each.key not in self._cached:
                self._cached[each.key] = each.rule_set, each.size
                self._size += each.size
        while self._size > self._most and len(self._cached) > 1:
            _, (_, size) = self._cached.popitem(last=False)
            self._size -= size


class _CachedRuleSet:
    """A rule set with the size of its JSON."""

    __slots__ = ("key", "rule_set", "size")

    def __init__(self, key: RuleSetKey, text: str, channels: frozenset[str]) -> None:
        self.key = key
        self.size = len(text)
        self.rule_set = RuleSet(key[1], _DECODER.decode(text), channels)
