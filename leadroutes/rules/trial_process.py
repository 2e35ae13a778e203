"""One half of a trial, in a process of its own: past leads come in, and what one rule set does with them goes out.

The two halves run beside each other on two cores. Nothing is read but the input.
"""

import signal
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.condition_fields import FactValue
from leadroutes.domain.conditions import Conditions
from leadroutes.domain.identity import comparable_zipcode
from leadroutes.domain.model import Facts, Rules, RuleSet
from leadroutes.domain.named_facts import AskedLead, ContactFacts, named_facts
from leadroutes.domain.returning import with_agents
from leadroutes.domain.trial import PastClaim, PastLead, TrialFigures, TrialRun, TriedLead
from leadroutes.domain.trial_attendance import Availability
from leadroutes.sandbox import pipes

NO_CONTACT: Final = ContactFacts()


class TriedRules(Struct, frozen=True):
    """What a process begins with: `rules` is JSON."""

    number: int
    rules: bytes
    channels: list[str]
    open_for: timedelta
    availability: Availability


class StoredLead(Struct, frozen=True, array_like=True):
    """A past lead as the database lists it; what no condition asks for is null."""

    id: int
    arrived_at: datetime
    lead_source_id: int | None
    contact_source_id: int | None
    type: str | None
    zipcode: str | None
    claimed_by: int | None
    claimed_at: datetime | None
    asked: AskedLead | None
    contact: ContactFacts | None
    named: dict[str, FactValue] | None  # as they were stored with it
    mls_id: str | None = None
    agent: int | None = None  # of the contact, when the lead came

    def past_lead(self, keys: frozenset[str]) -> PastLead:
        """Returns the lead with the facts of these names: those that it was decided by, else as they are now."""
        named: dict[str, FactValue] = {}
        if keys and self.asked is not None:
            named = named_facts(keys, self.asked, self.contact or NO_CONTACT)
            named |= {name: value for name, value in (self.named or {}).items() if name in keys}
        return PastLead(
            self.id,
            self.arrived_at,
            Facts(
                lead_source_id=self.lead_source_id,
                contact_source_id=self.contact_source_id,
                type=self.type,
                zipcode=comparable_zipcode(self.zipcode),
                named=named,
            ),
            self.claim,
        )

    @property
    def claim(self) -> PastClaim | None:
        if self.claimed_by is None or self.claimed_at is None or self.claimed_at < self.arrived_at:
            return None
        return PastClaim(self.claimed_by, self.claimed_at)


STORED: Final = msgspec.json.Decoder(list[StoredLead])
TRIED: Final = msgspec.msgpack.Decoder(list[TriedLead])
FIGURES: Final = msgspec.msgpack.Decoder(TrialFigures)
END: Final = b"[]"  # no more leads


def encoded_rules(rule_set: RuleSet, availability: Availability) -> bytes:
    """Returns what a process for this rule set begins with."""
    given = TriedRules(
        number=rule_set.number, rules=rules_as_json(rule_set.rules), channels=sorted(rule_set.channels),
        open_for=rule_set.open_for, availability=availability,
    )  # fmt: skip
    return msgspec.msgpack.encode(given)


def rules_as_json(rules: Rules) -> bytes:
    """Returns rules as JSON, from which `rules_from_json` makes them again."""
    return msgspec.json.encode(rules, enc_hook=_conditions_as_json)


def rules_from_json(text: str | bytes) -> Rules:
    return msgspec.json.decode(text, type=Rules, dec_hook=_read_conditions)


def _conditions_as_json(value: Any) -> Any:
    assert isinstance(value, Conditions)
    return value.given


def _read_conditions(_kind: type, value: Any) -> Conditions:
    return Conditions.stored(value)


class TrialHalf:
    """One rule set, the leads so far, and what is added up of them."""

    def __init__(self, rule_set: RuleSet, availability: Availability | None = None) -> None:
        self._rule_set = rule_set
        self._keys = rule_set.named_by_source
        self._run = TrialRun(rule_set, availability)
        self.figures = TrialFigures()

    @classmethod
    def of(cls, begun: bytes) -> "TrialHalf":
        """`begun` is what `encoded_rules` returns."""
        given = msgspec.msgpack.decode(begun, type=TriedRules)
        rule_set = RuleSet(given.number, rules_from_json(given.rules), frozenset(given.channels), given.open_for)
        return cls(rule_set, given.availability)

    def decide(self, leads: Sequence[StoredLead]) -> Iterator[TriedLead]:
        """Yields what becomes of the next leads."""
        for stored in leads:
            past = stored.past_lead(self._keys.get(stored.lead_source_id or 0, _NO_KEYS))
            facts = with_agents(self._rule_set, past.facts, stored.agent, stored.mls_id)
            tried = self._run.decide(past if facts is past.facts else replace(past, facts=facts))
            self.figures.add(tried)
            yield tried


_NO_KEYS: Final[frozenset[str]] = frozenset()


def main() -> None:
    """Answers until the input is closed. SIGINT is ignored: Ctrl+C is meant for the parent process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    half = TrialHalf.of(pipes.read(asked))
    while part := pipes.read(asked):
        if part == END:
            pipes.answer(answers, msgspec.msgpack.encode(half.figures))
        else:
            pipes.answer(answers, msgspec.msgpack.encode(list(half.decide(STORED.decode(part)))))


if __name__ == "__main__":
    main()
