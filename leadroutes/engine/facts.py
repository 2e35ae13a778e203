"""Leads that are to be routed, and their facts, completed by what the conditions of routes ask for.

Where no condition asks for more, nothing is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from msgspec.structs import replace as replace_fields

from leadroutes.domain.condition_fields import CUSTOM, needs_contact
from leadroutes.domain.dedupe import KnownContact
from leadroutes.domain.identity import comparable_zipcode
from leadroutes.domain.model import Facts, RuleSet
from leadroutes.domain.named_facts import AskedLead, ContactFacts, named_facts
from leadroutes.store.facts import LeadOfContact, load_contact_facts
from leadroutes.store.postgres import Transaction

Keys = frozenset[str]
NO_KEYS: Keys = frozenset()


@dataclass(frozen=True, slots=True)
class LeadToRoute:
    """A lead that is to be routed, with its contact as it is then."""

    owner_id: int
    lead_id: int
    contact: KnownContact
    facts: Facts
    is_test: bool = False  # it takes no one's turn and starts no campaign
    asked: AskedLead | None = None  # where conditions ask for more than the facts have
    has_earlier_lead: bool = False  # of the same contact, in the same batch
    mls_id: str | None = None

    @classmethod
    def of(
        cls, key: tuple[int, int], contact: KnownContact, *, source_id: int | None, type_: str | None,
        zipcode: str | None, mls_id: str | None, is_test: bool = False, asked: AskedLead | None = None,
        has_earlier_lead: bool = False,
    ) -> "LeadToRoute":  # fmt: skip
        """`key` is (owner_id, lead_id); the others are the lead's columns."""
        facts = Facts(
            lead_source_id=source_id,
            contact_source_id=contact.source_id,
            type=type_,
            zipcode=comparable_zipcode(zipcode),
        )
        return cls(*key, contact, facts, is_test, asked, has_earlier_lead, mls_id)


def keys_asked_for(rule_set: RuleSet, lead_source_id: int | None) -> Keys:
    """Returns what conditions of routes of this source ask for."""
    return rule_set.named_by_source.get(lead_source_id or 0, NO_KEYS)


async def with_named_facts(
    transaction: Transaction, rule_sets: Mapping[int, RuleSet], leads: Sequence[LeadToRoute]
) -> Sequence[LeadToRoute]:
    """Returns the same leads, in the same order, with what is asked for among their facts."""
    if all(lead.asked is None for lead in leads):
        return leads
    keys = [keys_asked_for(rule_sets[lead.owner_id], lead.facts.lead_source_id) for lead in leads]
    wanted = [
        _of_contact(lead, lead.asked, names)
        for lead, names in zip(leads, keys, strict=True)
        if lead.asked is not None and any(map(needs_contact, names))
    ]
    stored = await load_contact_facts(transaction, wanted)
    return [
        lead if lead.asked is None else _completed(lead, lead.asked, names, stored.get((lead.owner_id, lead.lead_id)))
        for lead, names in zip(leads, keys, strict=True)
    ]


def _of_contact(lead: LeadToRoute, asked: AskedLead, keys: Keys) -> LeadOfContact:
    return LeadOfContact(
        owner_id=lead.owner_id,
        contact_id=lead.contact.id,
        lead_id=lead.lead_id,
        received_at=asked.received_at,
        with_custom=any(key.startswith(CUSTOM) for key in keys),
    )


def _completed(lead: LeadToRoute, asked: AskedLead, keys: Keys, stored: ContactFacts | None) -> LeadToRoute:
    """What the batch knows of the contact comes first: it may not be stored yet."""
    known, contact = stored or ContactFacts(), lead.contact
    about = replace_fields(
        known,
        email=_email(contact) or known.email,
        phone=_phone(contact) or known.phone,
        has_earlier_lead=known.has_earlier_lead or lead.has_earlier_lead,
    )
    return replace(lead, facts=replace_fields(lead.facts, named=named_facts(keys, asked, about)))


def _email(contact: KnownContact) -> str | None:
    return contact.email or contact.secondary_email


def _phone(contact: KnownContact) -> str | None:
    return contact.mobile_phone or contact.home_phone or contact.office_phone
