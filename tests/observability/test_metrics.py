"""/metrics: who may read it, what it counts, and that no one can be recognised in it."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import httpx
import yaml

from leadroutes.engine.engine import Engine
from leadroutes.observability import metrics
from leadroutes.server import app
from leadroutes.settings import Settings
from leadroutes.store.figures import load_figures
from leadroutes.store.messages import MessageKey
from leadroutes.store.postgres import Database
from leadroutes.worker.worker import Worker
from tests.support.brokerage import Brokerage
from tests.support.observability import Counted
from tests.support.sender import Sender

DOCS = Path(__file__).parents[2] / "docs"
OPEN = Settings(metrics=True)


async def scrape(database: Database, settings: Settings, authorization: str | None = None) -> httpx.Response:
    application = app.build_app(settings, database)
    headers = {"Authorization": authorization} if authorization else {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://town") as client:
        return await client.get("/metrics", headers=headers)


# ---------------------------------------------------------------------------------------------------- who may read it


async def test_there_is_nothing_to_read_unless_it_is_switched_on(database: Database) -> None:
    answer = await scrape(database, Settings())

    assert answer.status_code == 404
    assert "leadroutes_" not in answer.text


async def test_a_token_of_its_own_is_asked_for_where_one_is_set(database: Database) -> None:
    guarded = Settings(metrics=True, metrics_token="a secret of Prometheus")

    assert (await scrape(database, guarded)).status_code == 401
    assert (await scrape(database, guarded, "Bearer something else")).status_code == 401
    assert (await scrape(database, guarded, "Bearer a secret of Prometheus")).status_code == 200


async def test_prometheus_understands_it(database: Database) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    answer = await scrape(database, OPEN)

    assert answer.headers["content-type"].startswith("text/plain")
    assert {"leadroutes_arrivals", "leadroutes_queue_due"} <= {
        m.name for m in text_string_to_metric_families(answer.text)
    }


async def test_it_tells_no_one_apart(brokerage: Brokerage) -> None:
    await brokerage.ask()
    text = (await scrape(brokerage.town.database, OPEN)).text

    labels = {name for each in re.findall(r"^leadroutes_\w+\{([^}]*)\}", text, re.MULTILINE)
              for name in re.findall(r"(\w+)=", each)}  # fmt: skip
    assert labels <= {"status", "outcome", "state", "kind", "le", "timer", "channel", "task", "room", "method", "what"}
    assert "mia" not in text.lower()


async def test_without_the_database_a_process_still_tells_its_own_figures(database_url: str) -> None:
    database = await Database.open(Settings(), url=database_url)
    await database.pool.close()
    answer = await scrape(database, OPEN)

    assert answer.status_code == 200
    assert "leadroutes_database_up 0.0" in answer.text
    assert "leadroutes_workers_alive NaN" in answer.text


async def test_an_unknown_method_makes_no_series_of_its_own(database: Database, counted: Counted) -> None:
    application = app.build_app(OPEN, database)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://town") as client:
        await client.request("BREW", "/healthz")

    assert counted("leadroutes_http_requests_total", room="api", method="other", status="405") == 1


# --------------------------------------------------------------------------------------------------- what it counts


async def test_a_lead_is_counted_from_arrival_to_claim(brokerage: Brokerage, counted: Counted) -> None:
    answer = await brokerage.ask()
    await brokerage.ask(message="again")
    [lead_id] = answer.stored.lead_ids
    await brokerage.town.database.move_clock(timedelta(minutes=2))
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])

    assert counted("leadroutes_arrivals_total", status="accepted") == 1
    assert counted("leadroutes_arrivals_total", status="touch") == 1
    assert counted("leadroutes_decisions_total", outcome="offered") == 1
    assert counted("leadroutes_offers_total", state="notified") == 1
    assert counted("leadroutes_offers_total", state="scheduled") == 1
    assert counted("leadroutes_offers_total", state="won") == 1
    assert counted("leadroutes_lead_events_total", kind="claimed") == 1
    assert counted("leadroutes_claim_delay_seconds_count") == 1
    assert 120 <= counted("leadroutes_claim_delay_seconds_sum") < 130
    assert counted("leadroutes_commit_batch_size_count") == 2


async def test_what_is_rolled_back_is_not_counted(brokerage: Brokerage, counted: Counted) -> None:
    database = brokerage.town.database
    await database.execute("ALTER TABLE leads ADD CONSTRAINT no_lead CHECK (false) NOT VALID")
    answer = await brokerage.ask()

    assert answer.stored.reason == "not_stored: CheckViolationError"
    assert counted("leadroutes_arrivals_total", status="accepted") == 0
    assert counted("leadroutes_decisions_total", outcome="offered") == 0


async def test_a_timer_that_is_late_is_counted_with_its_lateness(brokerage: Brokerage, counted: Counted) -> None:
    await brokerage.ask()
    await brokerage.town.database.move_clock(timedelta(minutes=7))
    await brokerage.engine.run_due()

    assert counted("leadroutes_timer_lateness_seconds_count", timer="offer") == 1
    assert 120 <= counted("leadroutes_timer_lateness_seconds_sum", timer="offer") < 130


async def test_a_lead_that_no_one_claims_is_counted_once(brokerage: Brokerage, counted: Counted) -> None:
    await brokerage.ask()
    for _ in range(3):
        await brokerage.town.database.move_clock(timedelta(hours=1))
        await brokerage.engine.run_due()

    assert counted("leadroutes_lead_events_total", kind="unclaimed") == 1
    assert (await load_figures(brokerage.town.database))["leads_unclaimed"] == 1


async def test_deliveries_are_counted_by_channel_and_outcome(
    brokerage: Brokerage, sender: Sender, counted: Counted
) -> None:
    await brokerage.ask()
    message_id = await sender.the_only()
    await sender.delivery.deliver(MessageKey(brokerage.owner_id, message_id))

    assert counted("leadroutes_deliveries_total", channel="email", outcome="sent") == 1


async def test_a_job_that_breaks_off_is_counted(database: Database, tmp_path: Path, counted: Counted) -> None:
    from leadroutes.store.queue import enqueue

    broken = asyncio.Event()

    async def break_off(_payload: bytes, _attempt: int) -> None:
        broken.set()
        raise ValueError("no such thing")

    worker = Worker(database, Engine(database), Settings(data=tmp_path), {"read_again": break_off})
    task = asyncio.create_task(worker.run())
    async with database.transaction() as transaction:
        await enqueue(transaction.connection, "read_again", [(1, 1)])
    await asyncio.wait_for(broken.wait(), 20)
    worker.stop()
    await asyncio.wait_for(task, 20)

    assert counted("leadroutes_jobs_total", task="read_again", outcome="broken") == 1


# ---------------------------------------------------------------------------------------------- what the database says


async def test_figures_of_an_empty_house(database: Database) -> None:
    figures = dict(await load_figures(database))

    assert set(figures) == set(metrics.FIGURES)
    assert figures.pop("worker_silence_seconds") == float("inf")
    assert set(figures.values()) == {0}


async def test_figures_of_a_house_at_work(brokerage: Brokerage) -> None:
    database = brokerage.town.database
    await brokerage.ask()
    await database.execute("INSERT INTO worker_heartbeats VALUES ('w', now() - interval '5 seconds')")
    figures = await load_figures(database)
    assert (figures["leads_on_offer"], figures["offers_scheduled"], figures["timers_due"]) == (1, 1, 0)
    assert (figures["queue_due"], figures["messages_open"], figures["workers_alive"]) == (1, 1, 1)
    assert 5 <= figures["worker_silence_seconds"] < 30

    await database.execute("UPDATE pgqueuer SET execute_after = now() - interval '1 minute'")
    await database.move_clock(timedelta(minutes=6))
    figures = await load_figures(database)
    assert (figures["offers_scheduled"], figures["timers_due"]) == (0, 1)
    assert 60 <= figures["timers_late_seconds"] < 70
    assert 60 <= figures["queue_late_seconds"] < 70

    await database.execute("UPDATE messages SET state = 'failed'")
    await database.execute("UPDATE pgqueuer SET execute_after = now() + interval '1 minute'")
    figures = await load_figures(database)
    assert (figures["messages_open"], figures["messages_undelivered"]) == (0, 1)
    assert (figures["queue_due"], figures["queue_put_off"], figures["queue_late_seconds"]) == (0, 1, 0)


# --------------------------------------------------------------------------------------------- alerts and documents


def test_every_figure_that_an_alert_or_a_document_names_exists() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in (*DOCS.glob("*.md"), DOCS / "alerts.yml")}
    files = {"leadroutes_secret"}  # names of files with settings, which look the same
    named = {name: set(re.findall(r"\bleadroutes_[a-z_]+[a-z]\b", text)) - files for name, text in texts.items()}

    known = metrics.names()
    histograms = {name.removesuffix("_bucket") for name in known if name.endswith("_bucket")}
    assert named["alerts.yml"] <= known
    assert len(named["alerts.yml"]) > 10
    assert {name: found - known - histograms for name, found in named.items() if found - known - histograms} == {}


def test_every_label_that_an_alert_asks_for_exists() -> None:
    text = (DOCS / "alerts.yml").read_text(encoding="utf-8")
    asked = [
        (name, label)
        for name, selectors in re.findall(r"\b(leadroutes_[a-z_]+)\{([^}]*)\}", text)
        for label in re.findall(r"([a-z_]+)(?:=~|!~|!=|=)", selectors)
    ]
    labels = {each._name: set(each._labelnames) for each in metrics.REGISTRY._collector_to_names}

    assert len(asked) > 5
    assert [(name, label) for name, label in asked if label not in labels[name.removesuffix("_total")]] == []
    assert text.count("(") == text.count(")")


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    groups = yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]

    assert len(rules) >= 6
    for rule in rules:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "description"}


def test_every_figure_is_explained_in_the_documents() -> None:
    page = (DOCS / "monitoring.md").read_text(encoding="utf-8")
    families = {metric.name + ("_total" if metric.type == "counter" else "") for metric in metrics.REGISTRY.collect()}

    assert {name for name in families if f"`{name}`" not in page} == set()
