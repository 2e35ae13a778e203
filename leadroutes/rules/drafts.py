"""A draft of rules: a document laid over the present rules, or a route in place of a stored one. Changes nothing."""

from dataclasses import dataclass

from msgspec.structs import replace

from leadroutes.domain.laid_over import laid_over
from leadroutes.domain.model import Route, RuleSet
from leadroutes.domain.rule_document import RuleDocument, as_invalid
from leadroutes.domain.rule_records import Names
from leadroutes.store.postgres import Transaction
from leadroutes.store.routing import RuleSets
from leadroutes.store.rule_records import load_campaign_records, load_present_rules


@dataclass(frozen=True, slots=True)
class DraftedRules:
    """The rules as they are, and as the draft wants them; new records have negative ids."""

    present: RuleSet
    drafted: RuleSet


async def lay_document(
    transaction: Transaction,
    owner_id: int,
    document: RuleDocument,
    names: Names,
    *,
    prune: bool,
    rule_sets: RuleSets,
) -> DraftedRules:
    """Lays a document over the present rules. Raises Invalid with all that is wrong with it, and where.

    `names` have to know the people whom it names; with `prune` what it does not name is removed.
    """
    number, present = await load_present_rules(transaction, owner_id)
    campaigns = await load_campaign_records(transaction, owner_id)
    laid = laid_over(document, present, names, campaigns, prune=prune)
    if laid.faults:
        raise as_invalid(laid.faults)
    return DraftedRules(rule_sets.with_rules(number, present), rule_sets.with_rules(number, laid.rules))


async def lay_route(transaction: Transaction, owner_id: int, route: Route, rule_sets: RuleSets) -> DraftedRules:
    """Puts a route in place of the stored one with its id, or beside the others if there is none."""
    number, present = await load_present_rules(transaction, owner_id)
    others = tuple(each for each in present.routes if each.id != route.id)
    drafted = replace(present, routes=(*others, route))
    return DraftedRules(rule_sets.with_rules(number, present), rule_sets.with_rules(number, drafted))
