"""Leads and their offers to agents."""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.resource import Field, Resource, Search, Shown, Visibility, Write
from leadroutes.api.resources.access import (
    CONTACT_WORDS,
    SEES_CONTACT,
    SHARERS,
    SHARING_OWNERS,
)
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
from leadroutes.api.sql_parts import object_sql
from leadroutes.api.values import Bool, Choice, Id, Integer, Moment, Text
from leadroutes.domain.junk import REASONS
from leadroutes.errors import Forbidden
from leadroutes.store import statement
from leadroutes.store.screens import account_topic, user_topic

# The owner, those who see the contact and the claimer see all of a lead; those who were notified of it, all but the
# texts and the address. Ids of leads are unique across owners. What is asked of one lead is looked up by its keys.
_CONTACT_IS_ASSIGNED = (
    "(SELECT a.assigned_user_id FROM contacts a WHERE a.owner_id = t.owner_id AND a.id = t.contact_id) = $1"
)
_SEES_ALL = (
    f"(t.owner_id = ANY ({SHARERS}) OR coalesce(t.claimed_by_user_id = $1, false)"
    f" OR coalesce({_CONTACT_IS_ASSIGNED}, false))"
)
# A member who left the team no longer sees leads that were offered through it and were open at that time.
_WAS_NOTIFIED = "{0}.notified_at IS NOT NULL AND {0}.state <> 'withdrawn'"
_SEES = (
    f"({_SEES_ALL} OR (SELECT o.user_id FROM offers o WHERE o.lead_id = t.id AND o.user_id = $1"
    f" AND o.owner_id = t.owner_id AND {_WAS_NOTIFIED.format('o')}) IS NOT NULL)"
)
LEAD_STATES = ("held", "on offer", "unclaimed", "claimed", "imported")
# Every lead is in one of the counters by state, or is a test. What is counted changes in the transaction of the lead.
_NUMBER_OF_LEADS = (
    f"((SELECT coalesce(sum(k.number), 0) FROM unnest('{{{','.join(LEAD_STATES)}}}'::text[]) s (state)"
    " CROSS JOIN LATERAL (SELECT x.number FROM counters x WHERE x.owner_id = w.owner_id AND x.figure = s.state"
    " AND x.span = 'month' OFFSET 0) k)"
    " + (SELECT coalesce(sum(c.number), 0) FROM counter_changes c WHERE c.owner_id = w.owner_id"
    " AND c.kind IN ('lead', 'imported'))"
    " + (SELECT count(*) FROM leads l WHERE l.owner_id = w.owner_id AND l.is_test))::bigint"
)
_LISTED = Visibility(
    sharers=SHARING_OWNERS,
    others="SELECT x.owner_id FROM owners_of_leads_shown_to($1) x (owner_id)",
    some=(
        Shown(
            "t.claimed_by_user_id = $1",
            keys="SELECT l.id FROM leads l WHERE l.owner_id = w.owner_id AND l.id > 0 AND l.claimed_by_user_id = $1",
        ),
        Shown(
            f"m.user_id = $1 AND m.lead_id = t.id AND {_WAS_NOTIFIED.format('m')}",
            "offers m",
            "SELECT m.lead_id FROM offers m WHERE m.owner_id = w.owner_id AND m.user_id = $1"
            f" AND {_WAS_NOTIFIED.format('m')}",
        ),
        Shown(
            "m.assigned_user_id = $1 AND m.id = t.contact_id",
            "contacts m",
            # an array, which one walk through the index goes through in order, and not a descent for each contact
            "SELECT x.id FROM leads x WHERE x.owner_id = w.owner_id AND x.id > 0 AND x.contact_id = ANY (ARRAY("
            "SELECT m.id FROM contacts m WHERE m.owner_id = w.owner_id AND m.assigned_user_id = $1))",
        ),
    ),
    whole=SHARERS,
    keyed="t.id > 0",
    ranges=("t.created_at", "t.modified_at"),
    nullable=("t.source_id", "t.type", "t.zipcode", "t.claimed_by_user_id"),
    indexed=("t.id", "t.contact_id", "t.source_id", "t.type", "t.zipcode", "t.claimed_by_user_id"),
    total=_NUMBER_OF_LEADS,
)


# Conditions and orders name this instead, as the planner would plan three sub-selects for each of hundreds of
# conditions. OFFSET 0 prevents it from inlining the expression into each of them.
_ONCE = f"CROSS JOIN LATERAL (SELECT {_SEES_ALL} AS sees_all OFFSET 0) once"


def _masked(column: str) -> str:
    return f"CASE WHEN {_SEES_ALL} THEN t.{column} END"


def _masked_once(column: str) -> str:
    return f"CASE WHEN once.sees_all THEN t.{column} END"


# Leads whose street or contact matches, if the caller sees it. OFFSET 0 keeps the planner from an index of all that the
# owner has: with each word comes its owner, so the words alone lead to the few that match.
_SEARCH = Search(
    ids=(
        "SELECT t.id"
        " FROM (SELECT t.owner_id, t.id, t.contact_id, t.claimed_by_user_id FROM leads t"
        " WHERE t.street_address IS NOT NULL"
        " AND search_words(t.owner_id, ARRAY[t.street_address], NULL, NULL, NULL) @@ {pattern} OFFSET 0) t"
        f" WHERE {_SEES_ALL}"
        " UNION ALL SELECT l.id"
        f" FROM (SELECT t.owner_id, t.id, t.assigned_user_id FROM contacts t WHERE {CONTACT_WORDS} OFFSET 0) t"
        " CROSS JOIN LATERAL"
        " (SELECT l.id FROM leads l WHERE l.owner_id = t.owner_id AND l.contact_id = t.id OFFSET 0) l"
        f" WHERE {SEES_CONTACT}"
    ),
    owners=f"ARRAY(SELECT unnest({SHARERS}) UNION SELECT x.owner_id FROM owners_of_leads_shown_to($1) x (owner_id))",
)

# What has to hold for the states that few leads are in, so that a list of them is read by an index of its own.
_IMPLIED = {
    "held": "t.routed_at IS NULL AND NOT t.is_imported",
    "on offer": "t.lapses_at IS NOT NULL",
    "unclaimed": "t.unclaimed_at IS NOT NULL",
}

VIAS = ("None", "Email", "Text", "Phone", "Assigned", "Auto")


class LeadBehaviour(Behaviour):
    """Whoever has a lead of another owner closes it and opens it again, and changes nothing else of it."""

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        others = (set(writing.sent) | set(found)) - {"is_closed"}
        if others and writing.before is not None and writing.owner_id != writing.caller.user_id:
            raise Forbidden(f"Whoever has a lead changes is_closed alone; {', '.join(sorted(others))} is the owner's")
        return {}

    async def after_write(self, writing: Writing) -> None:
        is_closed = writing.record["is_closed"]
        if writing.before is None or is_closed == writing.before["is_closed"]:
            return
        await writing.transaction.execute(
            *statement("add_lead_event").bind(
                owner_id=writing.owner_id,
                lead_id=writing.id,
                now=writing.transaction.now,
                kind="closed" if is_closed else "reopened",
                user_id=None,
                by_user_id=writing.caller.user_id,
            )
        )
        writing.transaction.changed.update((account_topic(writing.owner_id), user_topic(writing.caller.user_id)))


LEADS = Resource(
    path="/leads",
    noun="a lead",
    page_about="An inquiry of a contact, usually about a property. A POST routes it, unless `distribute` is false.",
    table="leads",
    source="leads t LEFT JOIN claims c ON c.owner_id = t.owner_id AND c.lead_id = t.id",
    once=_ONCE,
    worked_out_once=(_SEES_ALL, "once.sees_all"),
    fields=(
        record_id(),
        owner("owner_user_id"),
        reference("contact_id", "/contacts", "a contact that you see", write=Write.ONCE, required=True),
        reference("source_id", "/lead-sources", "a lead source that you see"),
        Field("claimed_by_user_id", Id()),
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
        Field("is_test", Bool(), null=False, note="made to try an intake key; it is counted nowhere"),
        computed(
            "lead_state", Choice(LEAD_STATES), "lead_state(c.claimed_at, t.unclaimed_at, t.routed_at, t.is_imported)",
            null=False, implies=_IMPLIED,
        ),
        Field("is_closed", Bool(), write=Write.LATER, null=False, implies={"true": "t.is_closed"},
              note="nothing remains to be done; whoever has the lead may set it, too"),
        Field("junk_reason", Choice(REASONS), note="null: it is not junk; see POST /leads/:id/junk"),
        Field("junk_note", Text(), sql=_masked_once("junk_note"), shows=_masked("junk_note")),
        Field("distribute", Bool(), write=Write.ONCE, default=True, column="", key="", filterable=False,
              note="false: stored without being routed"),
    ),
    methods="LGCP",
    visible=_SEES,
    changeable="(t.owner_id = $1 OR coalesce(t.claimed_by_user_id = $1, false))",
    behaviour=LeadBehaviour(),
    search=_SEARCH,
    listed=_LISTED,
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
    Field("reason", Text(), note="why it was skipped or withdrawn, why it fell to the owner, or `could not be told`:"
                                 " every alert about it has failed"),
    Field("available_from", Moment(), note="beside a reason of availability: when the member will be available, if that"
                                           " is known"),
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
