"""Alice's brokerage with its engine, a worker and a mail server."""

from collections.abc import Iterator

import pytest

from leadroutes.observability import logs, metrics


class Counted:
    """What a figure of this process has grown by since the test began."""

    def __init__(self) -> None:
        self.before = self._now()

    def __call__(self, name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return self._now().get(key, 0.0) - self.before.get(key, 0.0)

    def _now(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for metric in metrics.REGISTRY.collect()
            for sample in metric.samples
        }


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def log_output(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Logs as JSON, as they come out of a process; put back afterwards."""
    import logging

    import structlog

    handlers, level = logging.root.handlers[:], logging.root.level
    logs.set_up(as_json=True)
    yield capsys
    logs.set_up(as_json=True, level=logging.CRITICAL)
    logging.root.handlers[:], logging.root.level = handlers, level
    structlog.reset_defaults()
