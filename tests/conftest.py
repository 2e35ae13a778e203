"""What every test may ask for: the fixtures of tests/support, an environment that is cleaned up, a directory."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from leadroutes.sandbox.processes import close_sandbox

pytest.register_assert_rewrite("tests.support")
pytest_plugins = [
    "tests.support.api_apps",
    "tests.support.arrivals",
    "tests.support.brokerage",
    "tests.support.browser",
    "tests.support.clone",
    "tests.support.cluster",
    "tests.support.commands",
    "tests.support.databases",
    "tests.support.deadlocks",
    "tests.support.sender",
    "tests.support.intake_app",
    "tests.support.javascript",
    "tests.support.oauth_app",
    "tests.support.observability",
    "tests.support.web_app",
    "tests.support.story",
]


@pytest.fixture(scope="session", autouse=True)
async def _sandbox() -> AsyncIterator[None]:
    """Processes that work out foreign text are started when a test needs them, and end with the run."""
    yield
    await close_sandbox()


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """For what starts a PostgreSQL of its own, which is another user's process where tests run as root.

    pytest closes the directory above `tmp_path` to other users whenever any run on this machine begins.
    """
    directory = Path(tempfile.mkdtemp(prefix="leadroutes-test-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)
