"""Registers the fixtures of tests/support, and marks each test with its tiers."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from leadroutes.sandbox.processes import close_sandbox

pytest.register_assert_rewrite("tests.support")
pytest_plugins = [
    "tests.support.api_apps",
    "tests.support.arrivals",
    "tests.support.brokerage",
    "tests.support.browser",
    "tests.support.call_story",
    "tests.support.clone",
    "tests.support.cluster",
    "tests.support.commands",
    "tests.support.databases",
    "tests.support.deadlocks",
    "tests.support.directories",
    "tests.support.every_page",
    "tests.support.hooks",
    "tests.support.intake_app",
    "tests.support.javascript",
    "tests.support.oauth_app",
    "tests.support.observability",
    "tests.support.phones",
    "tests.support.post",
    "tests.support.provider",
    "tests.support.push_service",
    "tests.support.receiver",
    "tests.support.sender",
    "tests.support.story",
    "tests.support.texting",
    "tests.support.web_app",
]

TIERS_OF_FIXTURES = {
    "server_url": {"database"},
    "other_server_url": {"database"},
    "open_directory": {"database", "process"},
    "small_disk": {"database", "process"},
    "node_js": {"process"},
    "chromium": {"browser"},
}
TIERS_OF_PATHS = {
    "bench": {"database", "process"},
    "chaos": {"database", "process"},
    "clients": {"process"},
    "demo": {"database", "process"},
    "nodes": {"database", "process"},
    "packaging": {"process"},
    "sandbox/test_processes.py": {"process"},
    "store/test_embedded.py": {"database", "process"},
}
HERE = Path(__file__).parent


def pytest_configure() -> None:
    """A run that is terminated cleans up as one that is interrupted; no setting of the machine changes a test."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for name in [*os.environ]:
        if name.startswith(("LEADROUTES_", "DATABASE_URL")) and not name.startswith("LEADROUTES_TEST_"):
            del os.environ[name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks each test with the tiers of the fixtures that it uses, directly or not, and of the place of its file."""
    for item in items:
        used = [TIERS_OF_FIXTURES.get(name, set()) for name in getattr(item, "fixturenames", ())]
        path = item.path.relative_to(HERE)
        places = [TIERS_OF_PATHS.get(place.as_posix(), set()) for place in (path, *path.parents)]
        for tier in sorted(set().union(*used, *places)):
            item.add_marker(tier)


@pytest.fixture(scope="session", autouse=True)
async def _sandbox() -> AsyncIterator[None]:
    """Processes that work out foreign text are started when a test needs them, and end with the run."""
    yield
    await close_sandbox()
