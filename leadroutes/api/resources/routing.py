"""Lead sources, contact sources, and the lead routes that decide what happens with leads from them."""

from typing import Any

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.access import broker_with, may_create
from leadroutes.api.resources.common import (
    CUSTOM_FIELD_NAMES,
    flag,
    id_and_name,
    integer,
    object_schema,
    owner,
    record_id,
    reference,
    text,
    word,
)
from leadroutes.api.rule_values import RouteConditions
from leadroutes.api.sql_parts import object_sql
from leadroutes.api.values import Choice, Integer, Text, Texts
from leadroutes.domain.condition_words import conditions_text
from leadroutes.domain.conditions import conditions_in, unknown_fields
from leadroutes.domain.model import ORDER_METHODS, RETURNING_CONTACTS
from leadroutes.domain.rule_fields import settle_route


class LeadSourceBehaviour(Behaviour):
    """Revoked intake keys do not keep a lead source from being removed."""

    async def before_delete(self, writing: Writing) -> None:
        await writing.transaction.execute(
            "DELETE FROM intake_keys WHERE owner_id = $1 AND lead_source_id = $2 AND revoked_at IS NOT NULL",
            writing.owner_id,
            writing.id,
        )


LEAD_SOURCES = Resource(
    path="/lead-sources",
    is_audited_in_full=True,
    noun="a lead source",
    page_about="Providers of leads: a built-in catalogue, and your own.",
    table="lead_sources",
    fields=(record_id(), text("name", 200, required=True)),
    methods="LGCPUD",
    visible=f"t.owner_id IS NULL OR t.owner_id = $1 OR t.owner_id = {broker_with('is_lead_sources_enabled')}",
    creatable=may_create("is_lead_sources_new_enabled"),
    needed_by={"lead_routes": "A lead route uses this lead source", "intake_keys": "An intake key uses it"},
    behaviour=LeadSourceBehaviour(),
)

CONTACT_SOURCES = Resource(
    path="/contact-sources",
    is_audited_in_full=True,
    noun="a contact source",
    page_about="Where contacts came from.",
    table="contact_sources",
    fields=(record_id(), text("name", 200, required=True), owner()),
    methods="LGCPUD",
    needed_by={"lead_routes": "A lead route uses this contact source"},
)


_CUSTOM_FIELDS = "SELECT ARRAY(SELECT f.name FROM custom_fields f WHERE f.owner_id = $1 ORDER BY f.rank, f.id)"
_ORDER_NUMBER = f"array_position(ARRAY[{', '.join(map(repr, ORDER_METHODS))}]::text[], x.order_method) - 1"
_TEAM = object_sql(
    (
        ("id", "x.id"),
        ("name", "x.name"),
        ("is_sharing_contacts", "x.is_contact_resource_sharing_enabled::integer"),
        ("order_method", _ORDER_NUMBER),
        ("mins_until_next_alert", "x.mins_until_next_alert"),
        ("distribution_zipcodes", "x.distribution_zipcodes"),
    ),
    "teams x WHERE x.owner_id = t.owner_id AND x.id = t.team_id",
)


def _named(name: str, to: str, noun: str, table: str, condition: str) -> Field:
    return reference(
        name, to, noun, required=True, key=name.removesuffix("_id"), shows=id_and_name(table, condition),
        schema=object_schema("id", "name"),
    )  # fmt: skip


class LeadRouteBehaviour(Behaviour):
    """Clears the fields that do not apply to the target of the route, and says its conditions in a sentence."""

    validates_by_rows = True

    def normalize(self, record: dict[str, Any]) -> Errors:
        conditions = conditions_in(record["conditions"])
        if conditions is not None or record["conditions"] is None:
            record["conditions_text"] = conditions_text(conditions) if conditions is not None else None
        return settle_route(record)

    async def validate(self, writing: Writing, _found: Errors) -> Errors:
        """The fields of the owner's that new conditions name are there."""
        conditions = conditions_in(writing.record["conditions"]) if writing.sent.get("conditions") else None
        named = list(conditions.custom_fields) if conditions is not None else []
        if not named:
            return {}
        names = await writing.transaction.fetchval(CUSTOM_FIELD_NAMES, writing.owner_id)
        return unknown_fields(named, names)


LEAD_ROUTES = Resource(
    path="/lead-routes",
    is_audited_in_full=True,
    noun="a lead route",
    page_about="What happens with leads from certain sources: the team that gets offers and the campaign that starts.",
    table="lead_routes",
    is_versioned=True,
    fields=(
        record_id(),
        reference(
            "team_id", "/teams", "a team that you created",
            "EXISTS (SELECT FROM teams x WHERE x.owner_id = $1 AND x.id = {value})",
            key="team", shows=_TEAM,
            schema=object_schema(
                "id", "name", is_sharing_contacts=Integer(0, 1), order_method=Integer(0, len(ORDER_METHODS) - 1),
                mins_until_next_alert=Integer(0), distribution_zipcodes=Texts(45),
            ),
        ),
        _named("campaign_id", "/campaigns", "a campaign that you see", "campaigns", "x.id = t.campaign_id"),
        _named("lead_source_id", "/lead-sources", "a lead source that you see", "lead_sources",
               "x.id = t.lead_source_id"),
        _named("contact_source_id", "/contact-sources", "a contact source of yours", "contact_sources",
               "x.owner_id = t.owner_id AND x.id = t.contact_source_id"),
        word("distribution_target", Choice(("Myself", "Team Rollout")), required=True),
        word("team_selection_method", Choice(("None", "Specific Team", "Zipcode")), note="with Team Rollout"),
        text("filter", 45, note="compared with the lead's type without regard to letter case; null: no filter"),
        flag("is_active", default=True),
        integer("priority", default=0, note="lower is tried first"),
        word("campaign_start", Choice(("Arrival", "Claim")), default="Arrival"),
        Field("conditions", RouteConditions(), write=Write.ALWAYS, filterable=False,
              note="what else a lead has to be: all, any or not, or one comparison of a field; null: anything"),
        Field("conditions_text", Text(), filterable=False, note="the conditions as a sentence"),
        word("returning_contact", Choice(RETURNING_CONTACTS), default="Route Again",
             note="Same Agent: whoever has the contact is offered the lead first, if a member of the team"),
        text("name", 100, note="by which a document finds the route; no two routes have the same one"),
    ),
    methods="LGCPUD",
    unique="Another lead route has this name",
    version="u.rules_version FROM users u WHERE u.id = $1",
    behaviour=LeadRouteBehaviour(),
)  # fmt: skip

ROUTING = (LEAD_SOURCES, CONTACT_SOURCES, LEAD_ROUTES)
