"""Where throw-away servers put their data: in memory if there is room.

Each database is a thousand files. Where many files were removed a moment ago, ext4 without a journal takes ten times as
long to create others, so that copies of the template took most of the time of the suite.
"""

import atexit
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
ENOUGH = 4 * 1024**3  # bytes; servers of a run hold 1 GiB of write-ahead log at most each, and a few small databases


def make_directory(purpose: str) -> Path:
    """Returns a new directory. It is removed at the latest when this process ends, after its server was stopped.

    Programs may not be started from it.
    """
    is_in_memory = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ENOUGH
    prefix = f"leadroutes-{purpose}-{os.getpid()}-"
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if is_in_memory else None))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)  # first registered, last run
    return directory


def remove_leftovers() -> None:
    """Removes what killed runs left in memory. A server whose data are gone ends by itself within a minute."""
    for path in MEMORY.glob("leadroutes-*"):
        found = re.fullmatch(r"leadroutes-\w+-(\d+)-\w+", path.name)
        if found and not Path("/proc", found[1]).exists():
            shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """For what starts a PostgreSQL of its own, which is another user's process where tests run as root.

    pytest closes the directory above `tmp_path` to other users whenever any run on this machine begins.
    """
    directory = make_directory("test")
    yield directory
    shutil.rmtree(directory, ignore_errors=True)
