"""The embedded server starts wherever its data lie, whatever that place is called, or says why it does not."""

import subprocess
import sys
from pathlib import Path

import pytest


def list_users(data: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The shortest command that starts the server, uses it and stops it."""
    return subprocess.run(
        [sys.executable, "-m", "leadroutes", "user", "list"], cwd=data.parent, capture_output=True, text=True,
        timeout=60, check=False, env={"PATH": "/usr/bin:/bin:/usr/sbin", "LEADROUTES_DATA": str(data)} | environment,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["a data directory", "it's & % ; (café) *"], ids=["blanks", "signs"])
def test_a_directory_may_have_any_name(name: str, tmp_path: Path) -> None:
    done = list_users(tmp_path / name)

    assert (done.returncode, done.stderr) == (0, "")
    assert "email" in done.stdout
    assert (tmp_path / name / "postgres" / "PG_VERSION").exists()


@pytest.mark.parametrize(
    "name", ["$(touch owned)", "`touch owned`", 'a "quoted" one', "back\\slash", "two\nlines", "a, b"]
)
def test_a_name_that_postgresql_would_misread_is_refused(name: str, tmp_path: Path) -> None:
    done = list_users(tmp_path / name)

    assert done.returncode == 1
    assert "LEADROUTES_DATA" in done.stderr
    assert list(tmp_path.iterdir()) == [], "nothing is made, nothing is carried out"


def test_nothing_is_shared_with_other_users_of_the_machine(tmp_path: Path) -> None:
    """A directory for temporary files in which somebody else has left a lock, and which therefore cannot be opened."""
    (tmp_path / "temporary" / ".lockfile").mkdir(parents=True)
    done = list_users(tmp_path / "data", TMPDIR=str(tmp_path / "temporary"))

    assert (done.returncode, done.stderr) == (0, "")
