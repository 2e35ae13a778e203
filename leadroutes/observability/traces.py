"""OpenTelemetry traces, where OTEL_EXPORTER_OTLP_ENDPOINT is set and `leadroutes[otel]` is installed; else nothing.

What a span says are numbers and words of our own: no address, no path that holds a secret.
"""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import structlog

from leadroutes.settings import Settings

log = structlog.get_logger()

_NOTHING: AbstractContextManager[None] = contextlib.nullcontext()
_tracers: list[Any] = []  # the tracer of this process, if it has one


def span(name: str, **attributes: str | int | None) -> AbstractContextManager[Any]:
    """Around some work: a span of this name. Free where there are no traces."""
    if not _tracers:
        return _NOTHING
    known = {f"leadroutes.{key}": value for key, value in attributes.items() if value is not None}
    found: AbstractContextManager[Any] = _tracers[-1].start_as_current_span(name, attributes=known)
    return found


@contextlib.contextmanager
def traced(settings: Settings) -> Iterator[None]:
    """While the block runs, spans go where the settings say; those that wait are sent at its end."""
    provider = _provider(settings)
    if provider is None:
        yield
        return
    _tracers.append(provider.get_tracer("leadroutes"))
    try:
        yield
    finally:
        _tracers.pop()
        provider.shutdown()


def _provider(settings: Settings) -> Any:
    if settings.otlp_endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 -- optional
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        log.warning("there will be no traces: install leadroutes[otel], or unset OTEL_EXPORTER_OTLP_ENDPOINT")
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": "leadroutes"}))
    exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
