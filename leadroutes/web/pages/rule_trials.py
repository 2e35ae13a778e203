"""Trials of rules: a draft is pasted, or a route tried from its editor; how far the trial is, and what it would change.

The worker runs a trial; nothing of the account changes.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from leadroutes.api.rule_names import load_names
from leadroutes.api.trial_calls import find_trial
from leadroutes.domain.document_text import write_document
from leadroutes.domain.model import Route
from leadroutes.domain.rule_document import RuleDocument
from leadroutes.errors import Conflict, Invalid, NotFound
from leadroutes.rules.documents import export_rules
from leadroutes.rules.drafts import lay_route
from leadroutes.rules.trials import Trial, begin_trial
from leadroutes.store import statement
from leadroutes.store.postgres import Transaction
from leadroutes.store.trials import PastLeads
from leadroutes.web.forms import read_id
from leadroutes.web.page import Done, MenuItem, Page, Visit, owners
from leadroutes.web.sent import Sent

PERIODS: Final = {
    "7d": "the last 7 days",
    "30d": "the last 30 days",
    "90d": "the last 90 days",
    "365d": "the last year",
}
SPAN_OF_A_ROUTE: Final = timedelta(days=90)
MOST_SHOWN: Final = 20  # leads of each list
COLUMNS: Final = {
    "routed": "in the line-up", "first": "first", "notified": "notified in 5 minutes", "got": "got it",
}  # fmt: skip
OF_ROUTES: Final = COLUMNS | {"routed": "leads"}
TOTALS: Final = {"without_route": "without a route", "to_owner": "to the owner", "got": "someone has them"}


async def load_trial(visit: Visit) -> Mapping[str, Any]:
    trial_id = read_id(visit.query.get("trial"))
    trial = await shown_trial(visit, trial_id) if trial_id is not None else None
    draft = await _present_rules(visit) if visit.query.get("draft") == "present" else ""
    return {"periods": list(PERIODS.items()), "draft": draft, "trial": trial, **WORDS, **await _names(visit, trial)}


async def _present_rules(visit: Visit) -> str:
    """Returns the rules of the account as a document, to be changed into a draft."""
    owner_id = visit.viewer.owner_id

    async def work(transaction: Transaction) -> RuleDocument:
        return await export_rules(transaction, owner_id, await load_names(transaction, owner_id))

    return write_document(await visit.database.run(work))


async def shown_trial(visit: Visit, trial_id: int) -> dict[str, Any] | None:
    """Returns a trial of the viewer's; None where it is not there any more."""
    viewer = visit.viewer
    try:
        return await find_trial(visit.database, viewer.owner_id, trial_id, viewer.user.id)
    except NotFound:
        return None


WORDS: Final = {"columns": COLUMNS, "columns_of_routes": OF_ROUTES, "totals": TOTALS, "most_shown": MOST_SHOWN}


async def _names(visit: Visit, trial: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if trial is None or "members" not in trial:
        return {"names": {}}
    user_ids = [each["user_id"] for each in trial["members"]]
    rows = await visit.database.fetch(*statement("find_display_names").bind(user_ids=user_ids))
    return {"names": {row["id"]: row["name"] for row in rows}}


async def try_draft(visit: Visit, sent: Sent) -> Done:
    since = sent.get("since")
    if since not in PERIODS:
        raise Invalid.fields({"since": "Choose one of the periods."})
    text = sent.get("draft")
    if not text.strip():
        raise Invalid.fields({"draft": "Paste the draft: rules as a document."})
    body = {"draft": text, "since": since, "prune": sent.is_checked("prune")}
    try:
        trial = await visit.api.post("/rules/trials", body)
    except Invalid as refused:
        raise Invalid.fields({"draft": refused.message}) from None
    return Done(f"/try?trial={trial['id']}")


async def begin_route_trial(visit: Visit, route: Route) -> int:
    """Tries a route as it is being filled in. Raises Conflict while another trial of the account runs."""
    owner_id, now = visit.viewer.owner_id, visit.now

    async def work(transaction: Transaction) -> int:
        laid = await lay_route(transaction, owner_id, route, visit.engine.rule_sets)
        since = now - SPAN_OF_A_ROUTE
        trial = await Trial.of(transaction, PastLeads(owner_id, since, now), laid.present, laid.drafted)
        return await begin_trial(transaction, trial, visit.viewer.user.id)

    try:
        return await visit.database.run(work)
    except Conflict:
        raise Invalid("Another trial of this account is under way. Wait until it has ended, and try again.") from None


TRY = Page(
    path="/try",
    title="Try",
    about="try a draft of your rules on past leads: who would have been asked first, notified, and who would have got"
    " each; nothing changes",
    template="pages/try.html",
    load=load_trial,
    acts={"try": try_draft},
    may=owners,
    place=MenuItem("Rules", "Try", "play"),
    parts=("outcome",),
    largest=3_500_000,
)
