"""Traces go to a collector by OTLP over HTTP where one is named; a collector that is away disturbs nothing."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from leadroutes.observability.traces import span, traced
from leadroutes.settings import Settings
from leadroutes.store.messages import MessageKey
from tests.support.arrivals import BODY
from tests.support.brokerage import Brokerage
from tests.support.processes import serving
from tests.support.sender import Sender


class Collector:
    """A real HTTP server on loopback that keeps the spans that it is sent."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self.paths: set[str] = set()
        self.bodies: list[bytes] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._answers())
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def _answers(collector) -> type[BaseHTTPRequestHandler]:  # noqa: N805 -- `self` is the request's
        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    import gzip

                    body = gzip.decompress(body)
                collector.take(self.path, body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quietly."""

        return Answer

    def take(self, path: str, body: bytes) -> None:
        self.paths.add(path)
        self.bodies.append(body)
        for each in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.services |= {a.value.string_value for a in each.resource.attributes if a.key == "service.name"}
            self.spans += [found for scope in each.scope_spans for found in scope.spans]

    def named(self, name: str) -> list[dict[str, object]]:
        """The attributes of the spans of this name."""
        return [
            {a.key: a.value.int_value or a.value.string_value for a in found.attributes}
            for found in self.spans
            if found.name == name
        ]


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, daemon=True)
    thread.start()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()
    thread.join(10)


async def test_a_lead_can_be_followed_by_its_spans(brokerage: Brokerage, sender: Sender, collector: Collector) -> None:
    with traced(Settings(otlp_endpoint=f"{collector.url}/")):
        answer = await brokerage.ask(message="Call me at (303) 555-0199")
        [lead_id] = answer.stored.lead_ids
        message_id = await sender.the_only()
        await sender.delivery.deliver(MessageKey(brokerage.owner_id, message_id))
        await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])

    about = {"leadroutes.owner": brokerage.owner_id, "leadroutes.lead": lead_id}
    assert collector.paths == {"/v1/traces"}
    assert collector.services == {"leadroutes"}
    assert collector.named("store arrivals") == [{"leadroutes.batch": 1}]
    assert collector.named("send email") == [{**about, "leadroutes.message": message_id}]
    assert collector.named("claim") == [{**about, "leadroutes.user": brokerage.town.users["bob"]}]
    assert all(found.end_time_unix_nano > found.start_time_unix_nano for found in collector.spans)


async def test_the_service_sends_what_it_has_when_it_stops_and_names_no_one(
    collector: Collector, database_url: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    async with serving(database_url) as running, httpx.AsyncClient(base_url=running.address, timeout=30) as client:
        assert (await client.post(f"/intake/{key}", content=BODY)).status_code == 201
        assert await running.stop() == 0

    names = {found.name for found in collector.spans}
    assert {"POST api", "store arrivals"} <= names
    assert names & {"do what is due"}, "of the worker, too"
    log_output = b"".join(collector.bodies).lower()
    assert not any(word in log_output for word in (b"mia", b"lund", b"example.com", key.lower().encode()))


async def test_a_collector_that_is_away_stops_no_one(
    database_url: str, key: str, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{unused_tcp_port}")
    async with serving(database_url) as running, httpx.AsyncClient(base_url=running.address, timeout=30) as client:
        assert (await client.post(f"/intake/{key}", content=BODY)).status_code == 201
        assert await running.stop() == 0


def test_without_a_collector_a_span_is_nothing() -> None:
    with traced(Settings()), span("something", lead=1) as nothing:
        assert nothing is None
