"""A fresh clone, and the environment of a user who has nothing but Python."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OF_THIS_RUN = ("LEADROUTES_", "PYTHON", "DATABASE_URL", "VIRTUAL_ENV", "COVERAGE")


@pytest.fixture(scope="session")
def clone() -> Iterator[Path]:
    """The files that git keeps, as they are now, in a directory with a blank in its name."""
    around = Path(tempfile.mkdtemp(prefix="leadroutes-test-"))  # as for open_directory
    directory = around / "a clone"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, directory / name, follow_symlinks=False)
    yield directory
    shutil.rmtree(around, ignore_errors=True)


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Without what tells a program of this run's environment or settings; what pip reads of registries stays."""
    path = [part for part in os.environ["PATH"].split(os.pathsep) if not Path(part).is_relative_to(ROOT)]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OF_THIS_RUN)}
    return inherited | {"PATH": os.pathsep.join(path), "PIP_ROOT_USER_ACTION": "ignore"}


@pytest.fixture(scope="session")
def set_up_clone(clone: Path, environment: dict[str, str]) -> Path:
    """The clone after bin/setup."""
    done = subprocess.run(
        [clone / "bin" / "setup"], cwd="/", env=environment, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return clone
