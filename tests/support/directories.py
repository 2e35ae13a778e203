"""Where throw-away servers keep their data: in memory if there is room.

Each database is a thousand files. ext4 passes over the inodes of files that were removed a moment ago, which makes a
database take ten times as long where tests have just dropped others.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
ENOUGH = 4 * 1024**3  # bytes; servers of a run hold 1 GiB of write-ahead log at most each, and a few small databases


def make_directory(purpose: str) -> Path:
    """A new directory, which its maker removes. Programs may not be started from it."""
    is_in_memory = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ENOUGH
    return Path(tempfile.mkdtemp(prefix=f"leadroutes-{purpose}-", dir=MEMORY if is_in_memory else None))


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """For what starts a PostgreSQL of its own, which is another user's process where tests run as root.

    pytest closes the directory above `tmp_path` to other users whenever any run on this machine begins.
    """
    directory = make_directory("test")
    yield directory
    shutil.rmtree(directory, ignore_errors=True)
