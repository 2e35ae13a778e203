"""Leads and their offers to agents."""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.access import ASSIGNED_CONTACTS, SHARERS
from leadroutes.api.resources.common import (
    computed,
    created_at,
    id_and_name,
    modified_at,
    object_schema,
    owner,
    record_id,
    reference,
    text,
)
from leadroutes.api.statements import object_sql
from leadroutes.api.values import Bool, Choice, Id, Integer, Moment, Text

# The owner, those who see the contact and the claimer see all of a lead; those who were notified of it, all but the
# texts and the address. Ids of leads are unique across owners.
_SEES_ALL = (
    f"(t.owner_id = ANY ({SHARERS}) OR t.contact_id = ANY ({ASSIGNED_CONTACTS}) OR coalesce(c.user_id = $1, false))"
)
# A member who left the team no longer sees leads that were offered through it and were open at that time.
_WAS_NOTIFIED = "{0}.notified_at IS NOT NULL AND {0}.state <> 'withdrawn'"
# By their ids, so that each half of the condition has an index to itself.
_NOTIFIED_OF = (
    "ARRAY(SELECT cl.lead_id FROM claims cl WHERE cl.user_id = $1"
    f" UNION ALL SELECT o.lead_id FROM offers o WHERE o.user_id = $1 AND {_WAS_NOTIFIED.format('o')}"
    " UNION ALL SELECT l.id FROM contacts a JOIN leads l ON l.owner_id = a.owner_id AND l.contact_id = a.id"
    " WHERE a.assigned_user_id = $1)"
)
_SEES = f"(t.owner_id = ANY ({SHARERS}) OR t.id = ANY ({_NOTIFIED_OF}))"


# Conditions and orders name this instead, as the planner would plan three sub-selects for each of hundreds of
# conditions. OFFSET 0 prevents it from inlining the expression into each of them.
_ONCE = f"CROSS JOIN LATERAL (SELECT {_SEES_ALL} AS sees_all OFFSET 0) once"


def _masked(column: str) -> str:
    return f"CASE WHEN {_SEES_ALL} THEN t.{column} END"


def _masked_once(column: str) -> str:
    return f"CASE WHEN once.sees_all THEN t.{column} END"


VIAS = ("None", "Email", "Text", "Phone", "Assigned", "Auto")

LEADS = Resource(
    path="/leads",
    noun="a lead",
    order="t.id + 0",  # by the leads that the caller sees; the index of ids would lead through those of all owners
    page_about="An inquiry of a contact, usually about a property. A POST routes it, unless `distribute` is false.",
    table="leads",
    source="leads t LEFT JOIN claims c ON c.owner_id = t.owner_id AND c.lead_id = t.id",
    once=_ONCE,
    fields=(
        record_id(),
        owner("owner_user_id"),
        reference("contact_id", "/contacts", "a contact that you see", write=Write.ONCE, required=True),
        reference("source_id", "/lead-sources", "a lead source that you see"),
        computed("claimed_by_user_id", Id(), "c.user_id"),
        computed("claimed_at", Moment(), "c.claimed_at"),
        Field(
            "claimed_via", Choice(VIAS), write=Write.ONCE, default="None", sql="coalesce(c.via, t.claimed_via)",
            note="claims nothing by itself",
        ),
        computed(
            "time_to_claim", Integer(), "floor(extract(epoch FROM c.claimed_at - t.created_at))::bigint",
            note="whole seconds",
        ),
        text("text_body", None, filterable=False, shows=_masked("text_body")),
        text("html_body", None, filterable=False, shows=_masked("html_body")),
        text("mls_id", 45, takes_number=True),
        text("listing_status", 45),
        text("listing_price", 45, takes_number=True),
        text("street_address", 200, sql=_masked_once("street_address"), shows=_masked("street_address")),
        computed(
            "address_1", Text(), _masked_once("street_address"), shows=_masked("street_address"),
            note="always equal to street_address",
        ),
        text("city", 200),
        text("state", 200),
        Field("zipcode", Text(45, takes_number=True, pad=5), write=Write.ALWAYS),
        text("type", 45, note="compared with the filter of lead routes"),
        created_at(),
        modified_at(),
        Field("distribute", Bool(), write=Write.ONCE, default=True, column="", key="", filterable=False,
              note="false: stored without being routed"),
    ),
    methods="LGCP",
    visible=_SEES,
    body_limit=1_048_576,
)  # fmt: skip

SEES_ALL_OF_LEAD = _SEES_ALL

# ------------------------------------------------------------------------------------------------------ offers

_LEAD = object_sql(
    (
        ("id", "x.id"),
        ("contact_id", "x.contact_id"),
        ("source_id", "x.source_id"),
        ("type", "x.type"),
        ("claimed_by_user_id", "y.user_id"),
        ("claimed_at", Moment().shown("y.claimed_at")),
    ),
    "leads x LEFT JOIN claims y ON y.owner_id = x.owner_id AND y.lead_id = x.id"
    " WHERE x.owner_id = t.owner_id AND x.id = t.lead_id",
)
_RECEIVER = ("id", "first_name", "last_name", "email")
STATES = ("scheduled", "notified", "declined", "expired", "skipped", "withdrawn", "won", "lost")

_OFFER_FIELDS = (
    record_id(),
    Field("lead_id", Id(), null=False, key="lead", shows=_LEAD,
          schema=object_schema("id", "type", contact_id=Id(), source_id=Id(), claimed_by_user_id=Id(),
                               claimed_at=Moment())),
    Field("user_id", Id(), null=False, key="user",
          shows=object_sql(tuple((name, f"x.{name}") for name in _RECEIVER), "users x WHERE x.id = t.user_id"),
          schema=object_schema(*_RECEIVER)),
    Field("team_id", Id(), key="team", shows=id_and_name("teams", "x.owner_id = t.owner_id AND x.id = t.team_id"),
          schema=object_schema("id", "name")),
    Field("notify_at", Moment(), null=False, note="when the notice is or was sent"),
    Field("rank", Integer()),
    Field("assign_automatically", Bool(), null=False),
    Field("has_call_alert", Bool(), null=False),
    Field("has_text_alert", Bool(), null=False),
    Field("has_email_alert", Bool(), null=False),
    Field("state", Choice(STATES), null=False),
)  # fmt: skip

_CREATOR = "(SELECT l.creator_user_id FROM leads l WHERE l.owner_id = t.owner_id AND l.id = t.lead_id)"

OFFERS_OF_LEAD = Resource(
    path="/leads/:id/offers",
    noun="an offer",
    page_about="All offers of a lead, for its owner and creator; for others their own, once they were notified.",
    table="offers",
    parent=LEADS,
    parent_column="lead_id",
    fields=_OFFER_FIELDS,
    methods="LG",
    visible=f"t.owner_id = $1 OR {_CREATOR} = $1 OR (t.user_id = $1 AND {_WAS_NOTIFIED.format('t')})",
)

LEAD_OFFERS = Resource(
    path="/lead-offers",
    noun="an offer",
    page_about="Offers of leads to you that you were notified of.",
    table="offers",
    fields=_OFFER_FIELDS,
    methods="LG",
    visible=f"t.user_id = $1 AND {_WAS_NOTIFIED.format('t')}",
)

LEAD_RESOURCES = (LEADS, OFFERS_OF_LEAD, LEAD_OFFERS)
