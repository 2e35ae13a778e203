"""Loads a document into the rules of an owner: one transaction, one version, all of it or nothing."""

from dataclasses import dataclass, replace
from datetime import date

from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.campaign import wrong_recurrence
from leadroutes.domain.laid_over import laid_over
from leadroutes.domain.rule_difference import RuleChange, Sentences, difference
from leadroutes.domain.rule_document import RuleDocument, as_invalid, document_of
from leadroutes.domain.rule_fields import CAMPAIGN, LISTING_AGENT, MEMBER, MOST_LISTINGS, STEP
from leadroutes.domain.rule_records import Names, Records, records_of
from leadroutes.engine.campaigns import is_to_come
from leadroutes.errors import Invalid
from leadroutes.rules.applying import apply_changes
from leadroutes.store.audit import note_act
from leadroutes.store.invitations import MOST_OPEN, count_open
from leadroutes.store.postgres import Transaction
from leadroutes.store.rule_records import find_number, load_campaign_records, load_present_rules, lock_rules

MOST_AUDITED = 500  # sentences in one entry of the audit


@dataclass(frozen=True, slots=True)
class LoadedRules:
    """The number of the rule set afterwards, and the difference in sentences."""

    rule_set: int
    changes: list[str]


async def export_rules(transaction: Transaction, owner_id: int, names: Names) -> RuleDocument:
    """Returns the present rules as a document; `names` have to know the owner's templates."""
    _, rules = await load_present_rules(transaction, owner_id)
    return document_of(rules, names, await load_campaign_records(transaction, owner_id))


async def load_rules(
    transaction: Transaction, owner_id: int, document: RuleDocument, names: Names, *, prune: bool, dry_run: bool,
    by_user_id: int, act: AuditRow | None = None,
) -> LoadedRules:  # fmt: skip
    """Lays a document over the rules, and makes them so unless it is a dry run. Raises Invalid with all faults.

    `names` have to know the owner's templates, and the people whom the document names; `act` is for the audit.
    """
    if not dry_run:
        await lock_rules(transaction, owner_id)
    number, present = await load_present_rules(transaction, owner_id)
    campaigns = await load_campaign_records(transaction, owner_id)
    laid = laid_over(document, present, names, campaigns, prune=prune)
    if laid.faults:
        raise as_invalid(laid.faults)
    before, wished = records_of(present) | campaigns, records_of(laid.rules) | laid.campaigns
    changes = difference(before, wished)
    named = {each["id"]: each["name"] for each in wished[CAMPAIGN.name].values()}
    teams = {team.id: team.name for team in present.teams.values()}
    sentences = Sentences(replace(names, teams=teams, campaigns={**names.campaigns, **named})).of(changes)
    _require_room_for_listings(changes, wished)
    await _require_room(transaction, owner_id, changes)
    _require_recurrences(owner_id, changes, transaction.now.date())
    if dry_run or not changes:
        return LoadedRules(number, sentences)
    await apply_changes(transaction, owner_id, changes, wished, by_user_id=by_user_id)
    if act is not None:
        note_act(transaction, act.with_change(field="changes", after=sentences[:MOST_AUDITED]))
    return LoadedRules(await find_number(transaction, owner_id), sentences)


def _require_room_for_listings(changes: list[RuleChange], wished: Records) -> None:
    """Raises Invalid where more listings would have an agent than an account may have; those that it has may stay."""
    listings = len(wished[LISTING_AGENT.name])
    if listings > MOST_LISTINGS and any(each.kind is LISTING_AGENT and each.what == "added" for each in changes):
        message = f"listing_agents: there would be {listings:,}; expected at most {MOST_LISTINGS:,}"
        raise Invalid.fields({"listing_agents": message})


def _require_recurrences(owner_id: int, changes: list[RuleChange], today: date) -> None:
    """Raises Invalid for the rule of a changed step that does not come within ten years, or ComputationNeeded."""
    for each in changes:
        if each.kind is STEP and each.after and any(field.name == "recurrence" for field in each.fields):
            recurrence = each.after["recurrence"]
            if recurrence is not None and not is_to_come(owner_id, recurrence, today):
                raise wrong_recurrence(recurrence)


async def _require_room(transaction: Transaction, owner_id: int, changes: list[RuleChange]) -> None:
    """Raises Invalid where more would be invited than one may have invited at a time."""
    asked = [
        each for each in changes
        if each.kind is MEMBER and each.what == "added" and each.after and each.after["user_id"] != owner_id
    ]  # fmt: skip
    if asked and await count_open(transaction, owner_id) + len(asked) > MOST_OPEN:
        message = f"members: {len(asked)} would be invited; expected at most {MOST_OPEN} open invitations at a time"
        raise Invalid.fields({"members": message})
