"""Calls for trials of drafts: a draft is laid over the rules and tried on past leads; the result is read.

The worker runs a trial; nothing of the account changes.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from leadroutes.api.bodies import read_limited
from leadroutes.api.call import Call, Response
from leadroutes.api.lead_calls import encoded
from leadroutes.api.reads import id_in
from leadroutes.api.rule_calls import read_sent_document
from leadroutes.api.rule_names import load_names
from leadroutes.api.values import quoted
from leadroutes.domain.moments import in_utc
from leadroutes.domain.rule_document import MOST_SIZE, RuleDocument
from leadroutes.errors import Invalid, NotFound
from leadroutes.ingest.replay import moment_of
from leadroutes.rules.drafts import DraftedRules, lay_document
from leadroutes.rules.trials import Trial, begin_trial
from leadroutes.store import statement
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.routing import RuleSets
from leadroutes.store.trials import PastLeads

DEFAULT_SINCE: Final = "90d"
BODY: Final = {
    "type": "object",
    "properties": {
        "draft": {
            "type": ["object", "string"],
            "description": "a document as of /rules/document, laid over the present rules; or its text as YAML",
        },
        "since": {"type": "string", "default": DEFAULT_SINCE, "description": "a moment, or how long ago: 90d, 24h"},
        "until": {"type": ["string", "null"], "description": "a moment; now by default"},
        "prune": {"type": "boolean", "default": False, "description": "remove what the draft does not name"},
    },
    "required": ["draft"],
}
_DRAFT: Final = "draft"


async def begin(call: Call) -> Response:
    """POST /rules/trials: 202 with the trial, which the worker runs. A bad draft: 400 with line, column and field."""
    data = await read_limited(call.request, MOST_SIZE, call.context.settings.body_timeout)
    owner_id, database = call.caller.user_id, call.context.database
    body = await read_sent_document(data, owner_id)
    document = await _draft(body, owner_id)
    now = database.clock.now()
    since, until, prune = _period(body.content, now)
    call.require_json_accepted()
    rule_sets = call.context.engine.rule_sets

    async def work(transaction: Transaction) -> int:
        laid = await lay_draft(transaction, owner_id, document, prune=prune, rule_sets=rule_sets)
        period = PastLeads(owner_id, since, until)
        trial = await Trial.of(transaction, period, laid.present, laid.drafted)
        return await begin_trial(transaction, trial, call.caller.person_id)

    trial_id = await database.run(work)
    return Response(202, encoded(await find_trial(database, owner_id, trial_id, call.caller.person_id)))


async def lay_draft(
    transaction: Transaction, owner_id: int, document: RuleDocument, *, prune: bool, rule_sets: RuleSets
) -> DraftedRules:
    """Lays a document over an owner's rules, with the names that the owner sees. Raises Invalid."""
    names = await load_names(transaction, owner_id, emails=document.people, all_templates=True)
    return await lay_document(transaction, owner_id, document, names, prune=prune, rule_sets=rule_sets)


async def show(call: Call) -> Response:
    """GET /rules/trials/:id: how far it is, and the result once it has ended; for whoever made it, for an hour."""
    owner_id, person_id = call.caller.user_id, call.caller.person_id
    found = await find_trial(call.context.database, owner_id, id_in(call.ids[0]), person_id)
    call.require_json_accepted()
    return Response(200, encoded(found))


async def find_trial(database: Database, owner_id: int, trial_id: int, user_id: int) -> dict[str, Any]:
    """Returns a trial as it is answered. Raises NotFound for one of someone else, or older than an hour."""
    row = await database.fetchrow(
        *statement("find_trial").bind(owner_id=owner_id, trial_id=trial_id, user_id=user_id)
    )  # fmt: skip
    if row is None:
        raise NotFound.record(trial_id)
    shown: dict[str, Any] = {
        "id": trial_id,
        "state": row["state"],
        "done": row["done"],
        "of": row["total"],
        "since": row["since"],
        "until": row["until"],
        "reason": row["reason"],
    }
    return shown | (msgspec.json.decode(row["result"]) if row["result"] is not None else {})


# ---------------------------------------------------------------------------------------------------------- body


async def _draft(body: RuleDocument, owner_id: int) -> RuleDocument:
    """Returns the draft with the places that its parts have in the body. Raises Invalid."""
    content = body.content if isinstance(body.content, dict) else {}
    given = content.get(_DRAFT)
    if isinstance(given, str):
        return await read_sent_document(given.encode("utf-8", "replace"), owner_id)
    if not isinstance(given, dict):
        shown = f"{quoted(given)} was given" if _DRAFT in content else "nothing was given"
        raise Invalid.fields({_DRAFT: f'draft: {shown}; expected a document such as {{"rules": 1, "routes": []}}'})
    start = f"{_DRAFT}."
    places = {path.removeprefix(start): place for path, place in body.places.items() if path.startswith(start)}
    if _DRAFT in body.places:
        places[""] = body.places[_DRAFT]
    return RuleDocument(given, places)


def _period(content: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime, bool]:
    errors: dict[str, str] = {}
    given_since, given_until = content.get("since"), content.get("until")
    given_since = DEFAULT_SINCE if given_since is None else given_since
    since = _moment(given_since, "since", now, errors)
    until = _moment(given_until, "until", now, errors) if given_until is not None else now
    prune = content.get("prune", False)
    if not isinstance(prune, bool):
        errors["prune"] = f"prune: {quoted(prune)} was given; expected true or false"
    if not errors and since >= until:
        errors["since"] = f"since: {quoted(given_since)} was given; expected a moment before until"
    if errors:
        raise Invalid.fields(errors)
    return since, until, bool(prune)


def _moment(given: Any, name: str, now: datetime, errors: dict[str, str]) -> datetime:
    try:
        return past_moment(given, now)
    except ValueError:
        errors[name] = f"{name}: {quoted(given)} was given; expected a moment such as 2026-08-31T00:00:00Z, or 90d, 24h"
        return now


def past_moment(given: Any, now: datetime) -> datetime:
    """Returns a moment, or so long ago. Raises ValueError."""
    if not isinstance(given, str) or len(given) > 60:
        raise ValueError(given)
    try:
        return in_utc(moment_of(given, now))
    except (Invalid, OverflowError):
        raise ValueError(given) from None
