"""The embedded server starts wherever its data lie, whatever that place is called, or says why it does not."""

import subprocess
import sys
from pathlib import Path

import pytest


def list_users(data: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The shortest command that starts the server, uses it and stops it."""
    return subprocess.run(
        [sys.executable, "-m", "leadroutes", "user", "list"], cwd=data.parent, capture_output=True, text=True,
        timeout=110, check=False, env={"PATH": "/usr/bin:/bin:/usr/sbin", "LEADROUTES_DATA": str(data)} | environment,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["a data directory", "it's & % ; (café) *", "a, b"], ids=["blanks", "signs", "comma"])
def test_a_directory_may_have_any_name(name: str, open_directory: Path) -> None:
    done = list_users(open_directory / name)

    assert (done.returncode, done.stderr) == (0, "")
    assert "email" in done.stdout
    assert (open_directory / name / "postgres" / "PG_VERSION").exists()


@pytest.mark.parametrize("name", ["$(touch owned)", "`touch owned`", 'a "quoted" one', "back\\slash", "two\nlines"])
def test_a_name_that_postgresql_would_misread_is_refused(name: str, open_directory: Path) -> None:
    done = list_users(open_directory / name)

    assert done.returncode == 1
    assert "LEADROUTES_DATA" in done.stderr
    assert list(open_directory.iterdir()) == [], "nothing is made, nothing is carried out"


def test_nothing_is_shared_with_other_users_of_the_machine(open_directory: Path) -> None:
    """A directory for temporary files in which another user has left a lock, and which therefore cannot be opened."""
    (open_directory / "temporary" / ".lockfile").mkdir(parents=True)
    done = list_users(open_directory / "data", TMPDIR=str(open_directory / "temporary"))

    assert (done.returncode, done.stderr) == (0, "")


def test_data_that_it_cannot_start_with_are_named(open_directory: Path) -> None:
    (open_directory / "data" / "postgres").mkdir(parents=True)
    (open_directory / "data" / "postgres" / "PG_VERSION").write_text("18\n")
    done = list_users(open_directory / "data")

    assert done.returncode == 1
    assert done.stderr.startswith(
        f"leadroutes: The PostgreSQL server in {open_directory / 'data' / 'postgres'} does not start:"
    )
