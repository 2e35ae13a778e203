"""The rule sets that decisions need: built when first used after a change, stored once, cached in every process.

A cached one is never trusted blindly: the statement that commits a decision checks its number.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
import msgspec

from leadroutes.domain.conditions import Conditions
from leadroutes.domain.model import OPEN_FOR, Rules, RuleSet
from leadroutes.store import statement
from leadroutes.store.postgres import Transaction

MAX_CACHED_CHARACTERS = (
    4_000_000  # characters of JSON, which is a thousand small teams; in memory rule sets take three times as many bytes
)


def _read_conditions(_kind: type, value: Any) -> Conditions:
    """They are the only values of a rule set that are not plain."""
    return Conditions.stored(value)


_DECODER = msgspec.json.Decoder(Rules, dec_hook=_read_conditions)


async def begin_deciding(transaction: Transaction, owner_id: int) -> None:
    """Has whoever leaves a team of the owner wait for what this transaction decides, by rules that it reads after this.

    Called where leads are offered that no member was offered at the moment; a batch of arrivals does it itself.
    """
    await transaction.execute(*statement("begin_deciding").bind(owner_ids=[owner_id]))


class RulesChanged(asyncpg.SerializationError):
    """Rules were changed after a transaction had read them: it is run again, by those of now."""


async def require_present(transaction: Transaction, rule_sets: Collection[RuleSet]) -> None:
    """Raises RulesChanged unless all are the present rules of their owners; they may change after this."""
    numbers = {each.rules.owner_id: each.number for each in rule_sets}
    rows = await transaction.fetch("SELECT id, rules_version FROM users WHERE id = ANY ($1::bigint[])", list(numbers))
    if any(numbers[row["id"]] != row["rules_version"] for row in rows):
        raise RulesChanged


RuleSetKey = tuple[int, int]  # owner, number


class RuleSets:
    """The cache of one process, least recently used out first. Others are read from the database."""

    def __init__(
        self,
        most: int = MAX_CACHED_CHARACTERS,
        channels: frozenset[str] = frozenset(),
        open_for: timedelta = OPEN_FOR,
    ) -> None:
        self._most = most
        self._channels = channels
        self._open_for = open_for
        self._cached: OrderedDict[RuleSetKey, tuple[RuleSet, int]] = OrderedDict()
        self._size = 0

    @classmethod
    def of_transaction(cls, transaction: Transaction) -> "RuleSets":
        """Returns an empty cache for what one transaction builds, which others must not see before it is committed."""
        return cls(channels=transaction.installation.channels, open_for=transaction.installation.open_for)

    def with_rules(self, number: int, rules: Rules) -> RuleSet:
        """Return rules as a rule set of this installation, which says what it can send over and what is open."""
        return RuleSet(number, rules, self._channels, self._open_for)

    def forget(self) -> None:
        """Empty the cache."""
        self._cached.clear()
        self._size = 0

    async def load_current(self, transaction: Transaction, versions: Mapping[int, int]) -> dict[int, RuleSet]:
        """Return the rule set of each owner; `versions` are users.rules_version, just read: a cached one may serve."""
        known = await self.load_by_number(transaction, versions.items())
        missing = [owner_id for owner_id, number in versions.items() if (owner_id, number) not in known]
        built = await self._build(transaction, missing) if missing else {}
        return built | {owner_id: rule_set for (owner_id, _), rule_set in known.items()}

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

    @staticmethod
    def read_rules(text: str) -> Rules:
        """Return rules from the JSON that load_rules and load_rule_sets return."""
        return _DECODER.decode(text)

    def _read(self, row: asyncpg.Record) -> "_CachedRuleSet":
        rule_set = self.with_rules(row["number"], _DECODER.decode(row["rules"]))
        return _CachedRuleSet((row["owner_id"], row["number"]), len(row["rules"]), rule_set)

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

    def __init__(self, key: RuleSetKey, size: int, rule_set: RuleSet) -> None:
        self.key = key
        self.size = size
        self.rule_set = rule_set
