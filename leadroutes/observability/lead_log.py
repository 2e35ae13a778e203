"""What happened to leads, once it is committed: counted for /metrics, and a log line each with owner and lead.

Only numbers and fixed words: no person's name, address or inquiry is logged here.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from leadroutes.domain.arrival import StoredArrival
from leadroutes.domain.model import Change, Decision
from leadroutes.observability import logs, metrics
from leadroutes.store.leads import Applied


def log_arrivals(answers: Iterable[StoredArrival]) -> None:
    """What was answered to a batch of arrivals."""
    lines = []
    for stored in answers:
        metrics.ARRIVALS.labels(stored.status).inc()
        for lead_id in stored.lead_ids or (None,):
            about = {"owner": stored.owner_id, "lead": lead_id, "arrival": stored.arrival_id}
            lines.append({"event": "lead arrived", **about, "status": stored.status, "is_new": stored.is_new})
    logs.write_lead_lines(lines)


def log_changes(changes: Sequence[Applied], now: datetime) -> None:
    """What was decided about leads, and what came of it at `now`."""
    lines = []
    states: Counter[str] = Counter()
    for each in changes:
        states.update(offer.state for offer in each.change.offers)
        about = {"owner": each.change.lead.owner_id, "lead": each.change.lead.id}
        if each.decision is not None:
            lines.append({"event": "lead routed", **about, **_decided(each.decision, each.rule_set)})
        if notified := [offer.user_id for offer in each.change.offers if offer.notified_at == now]:
            lines.append({"event": "lead offered", **about, "users": notified})
        for event in each.change.events:
            metrics.LEAD_EVENTS.labels(event.kind).inc()
            lines.append({"event": f"lead {event.kind}", **about, "user": event.user_id, "by": event.by_user_id})
        if each.change.claim is not None and not each.is_replacement:
            _note_claim(each.change)
    for state, times in states.items():
        metrics.OFFERS.labels(state).inc(times)
    logs.write_lead_lines(lines)


def _decided(decision: Decision, rule_set: int | None) -> dict[str, object]:
    outcome = _outcome(decision)
    metrics.DECISIONS.labels(outcome).inc()
    route = decision.route.id if decision.route else None
    offers = len(decision.change.lead.offers)
    return {"outcome": outcome, "route": route, "team": decision.team_id, "rule_set": rule_set, "offers": offers}


def _outcome(decision: Decision) -> str:
    match decision:
        case Decision(route=None):
            return "no route"
        case Decision(route=route) if route is not None and route.distribution_target == "Myself":
            return "kept"
        case Decision(change=Change(lead=lead)) if lead.was_offered_to_owner:
            return "nobody"
        case Decision(change=Change(claim=claim)) if claim is not None:
            return "assigned"
        case _:
            return "offered"


def _note_claim(change: Change) -> None:
    """Counted from the earliest offer, which is the moment of routing."""
    claim, first = change.claim, min((offer.notify_at for offer in change.lead.offers), default=None)
    if claim is not None and first is not None:
        metrics.CLAIM_DELAY.observe(max(0.0, (claim.claimed_at - first) / timedelta(seconds=1)))


def log_lateness(timer: str, moments: Iterable[datetime], now: datetime, scale: float) -> None:
    """When work that was begun at `now` had been due; on a clock that runs `scale` times as fast as the real one."""
    lateness = metrics.LATENESS.labels(timer)
    for moment in moments:
        lateness.observe(max(0.0, (now - moment) / timedelta(seconds=1) / scale))


def log_delivery(owner_id: int, lead_id: int | None, message_id: int, kind: str, channel: str, state: str) -> None:
    """Log what became of a message. The reason is in the outbox only: a mail server's reason may name the recipient."""
    metrics.DELIVERIES.labels(channel, state).inc()
    about = {"owner": owner_id, "lead": lead_id, "message": message_id}
    logs.write_lead_lines([{"event": "message", **about, "kind": kind, "channel": channel, "state": state}])
