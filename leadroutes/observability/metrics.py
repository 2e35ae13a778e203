"""What /metrics shows to Prometheus: every figure with its name, its labels and one line of help.

Counters and histograms are those of this process alone; what the database holds is read at the moment of the
scrape, by one statement whose counts end at a limit. Nothing here names an owner, a lead or a person.
"""

import time
from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from leadroutes.errors import Unavailable
from leadroutes.store.figures import load_figures
from leadroutes.store.postgres import Database

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST.encode()
REGISTRY: Final = CollectorRegistry()

FAST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LATENESS_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
CLAIM_DELAY_BUCKETS = (1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 14_400, 86_400)
BATCH_SIZE_BUCKETS = (1, 2, 5, 10, 20, 50, 100)

ARRIVALS = Counter("leadroutes_arrivals", "Arrivals answered, by what became of them.", ("status",), registry=REGISTRY)
DECISIONS = Counter("leadroutes_decisions", "Leads routed, by where they went.", ("outcome",), registry=REGISTRY)
OFFERS = Counter("leadroutes_offers", "Offers that have come into a state.", ("state",), registry=REGISTRY)
LEAD_EVENTS = Counter(
    "leadroutes_lead_events", "What happened to leads, as their history has it.", ("kind",), registry=REGISTRY
)
CLAIM_DELAY = Histogram(
    "leadroutes_claim_delay_seconds", "From the first offer of a lead to its claim, in the domain's time.",
    buckets=CLAIM_DELAY_BUCKETS, registry=REGISTRY,
)  # fmt: skip
LATENESS = Histogram(
    "leadroutes_timer_lateness_seconds", "How late due work was begun, in real time.", ("timer",),
    buckets=LATENESS_BUCKETS, registry=REGISTRY,
)  # fmt: skip
DELIVERIES = Counter(
    "leadroutes_deliveries", "Messages dealt with, by channel and what came of them.", ("channel", "outcome"),
    registry=REGISTRY,
)  # fmt: skip
WEBHOOK_TRIES = Counter(
    "leadroutes_webhook_tries", "Tries to deliver an event to a webhook, by what came of them.", ("outcome",),
    registry=REGISTRY,
)  # fmt: skip
JOBS = Counter(
    "leadroutes_jobs", "Jobs of the queue: done, put off, or ended by an internal error.", ("task", "outcome"),
    registry=REGISTRY,
)  # fmt: skip
COMMIT_BATCH_SIZE = Histogram(
    "leadroutes_commit_batch_size", "Arrivals that shared a commit.", buckets=BATCH_SIZE_BUCKETS, registry=REGISTRY
)
COMMIT_SECONDS = Histogram(
    "leadroutes_commit_seconds", "From the look-ups of a batch of arrivals to its commit.",
    buckets=FAST_BUCKETS, registry=REGISTRY,
)  # fmt: skip
REQUESTS = Counter("leadroutes_http_requests", "Requests answered.", ("room", "method", "status"), registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "leadroutes_http_request_seconds", "From a request to the head of its answer.", ("room",),
    buckets=FAST_BUCKETS, registry=REGISTRY,
)  # fmt: skip
PROVIDER_REQUESTS = Counter(
    "leadroutes_provider_requests", "Requests at the addresses of the provider of texts and calls, answered or forged.",
    ("path", "outcome"), registry=REGISTRY,
)  # fmt: skip
CLEANED_ROWS = Counter(
    "leadroutes_cleaned_rows", "Rows that the hourly cleaning has removed or emptied.", ("what",), registry=REGISTRY
)
POOL = Gauge("leadroutes_pool_connections", "Connections of this process's pool.", ("state",), registry=REGISTRY)
DATABASE_UP = Gauge(
    "leadroutes_database_up", "Whether the database answered the statement of this scrape.", registry=REGISTRY
)
NOTIFY_LOST = Gauge(
    "leadroutes_notify_lost", "Whether NOTIFY was found not to reach this process, as behind a pooler.",
    registry=REGISTRY,
)  # fmt: skip
FIGURES_SECONDS = Gauge("leadroutes_figures_seconds", "How long the statement of this scrape took.", registry=REGISTRY)

# The columns of load_figures, each a gauge of the same name; counts end at the store's limit.
FIGURES: Final[Mapping[str, str]] = {
    "leads_on_offer": "Leads that someone may claim, or will be offered.",
    "leads_unclaimed": "Leads that became unclaimed within the last 24 hours, without junk, and that still no one has.",
    "offers_scheduled": "Offers whose moment has not come.",
    "timers_due": "Offers, leads and campaign steps whose moment has passed.",
    "timers_late_seconds": "How long the earliest of these has been waiting, in real time.",
    "queue_due": "Jobs that wait for a worker.",
    "queue_put_off": "Jobs that wait for their next attempt.",
    "queue_late_seconds": "How long the earliest job has been waiting for a worker.",
    "messages_open": "Messages that are queued or being sent.",
    "messages_undelivered": "Messages of the last 24 hours that failed, or of which no one knows whether they arrived.",
    "texts_refused_percent": "Of the texts of the last 24 hours, how many in a hundred carriers refused as unwanted or"
    " unregistered.",
    "channel_faults": "Channels that do not work: their messages wait until that is mended.",
    "workers_alive": "Workers that have given a sign of life within the last 30 seconds.",
    "worker_silence_seconds": "Since the last sign of life of any worker.",
}
GAUGES: Final = {name: Gauge(f"leadroutes_{name}", help_, registry=REGISTRY) for name, help_ in FIGURES.items()}


def names() -> set[str]:
    """Returns every name under which a sample is shown, as rules and dashboards write it."""
    found: set[str] = set()
    for metric in REGISTRY.collect():
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(metric.type, ("",))
        found |= {metric.name + suffix for suffix in suffixes}
    return found


async def render(database: Database) -> bytes:
    """All figures at this moment, in Prometheus' text format; those of this process also while the database is away."""
    pool = database.pool
    POOL.labels("in use").set(pool.get_size() - pool.get_idle_size())
    POOL.labels("idle").set(pool.get_idle_size())
    POOL.labels("most").set(pool.get_max_size())
    NOTIFY_LOST.set(bool(database.listener.notify_is_lost))
    await _ask(database)
    return generate_latest(REGISTRY)


async def _ask(database: Database) -> None:
    begun = time.perf_counter()
    try:
        figures = await load_figures(database)
    except Unavailable:
        DATABASE_UP.set(0)
        for gauge in GAUGES.values():
            gauge.set(float("nan"))
        return
    DATABASE_UP.set(1)
    FIGURES_SECONDS.set(time.perf_counter() - begun)
    for name, gauge in GAUGES.items():
        gauge.set(figures[name])
