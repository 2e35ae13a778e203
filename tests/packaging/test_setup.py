"""bin/setup in a fresh clone: what users run and nothing else; more is added to it; README's lines run as pasted."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lock_files import applies, locked

pytestmark = [pytest.mark.registry, pytest.mark.timeout(400)]

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
ALWAYS_THERE = {"pip", "leadroutes"}


def run(*command: str | Path, **options: object) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(command, text=True, capture_output=True, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return done  # type: ignore[no-any-return]


def installed(clone: Path, environment: dict[str, str]) -> dict[str, str]:
    """Versions by name."""
    listed = run(clone / ".venv" / "bin" / "python", "-m", "pip", "list", "--format", "freeze", env=environment)
    pairs = (line.partition("==")[::2] for line in listed.stdout.split())
    return {re.sub("[-_.]+", "-", name).lower(): version for name, version in pairs}


def pinned(lock: str) -> set[str]:
    return {name for name, pins in locked(lock).items() if any(map(applies, pins))}


def test_what_users_run_is_installed_and_nothing_else(set_up_clone: Path, environment: dict[str, str]) -> None:
    there = installed(set_up_clone, environment)

    assert there.keys() - ALWAYS_THERE == pinned("requirements.lock")
    run(set_up_clone / ".venv" / "bin" / "python", "-m", "pip", "check", env=environment)


def test_a_second_call_does_nothing(set_up_clone: Path, environment: dict[str, str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in (set_up_clone / ".venv").rglob("*") if path.is_file()}
    done = run(set_up_clone / "bin" / "setup", env=environment)

    assert (done.stdout, done.stderr) == ("", "")
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_calls_at_the_same_time_wait_for_each_other_and_add_to_what_is_there(
    set_up_clone: Path, environment: dict[str, str]
) -> None:
    """The traces' packages stand for the developers' tools here: there are fewer of them."""
    before = installed(set_up_clone, environment)
    made = (set_up_clone / ".venv" / "pyvenv.cfg").stat().st_ino
    command = [set_up_clone / "bin" / "setup", "--with", "otel"]
    calls = [
        subprocess.Popen(command, env=environment, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    errors = [call.communicate(timeout=300)[1] for call in calls]

    assert [call.returncode for call in calls] == [0, 0, 0], errors
    there = installed(set_up_clone, environment)
    assert there.keys() - ALWAYS_THERE == pinned("requirements-otel.lock")
    assert before.items() < there.items()
    assert (set_up_clone / ".venv" / "pyvenv.cfg").stat().st_ino == made
    assert run(set_up_clone / "bin" / "setup", env=environment).stderr == "", "what users run is up to date as well"


def test_a_wrong_argument_is_reported_and_changes_nothing(clone: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [clone / "bin" / "setup", "--dev"], env=environment, text=True, capture_output=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr == "bin/setup: --dev was given; expected nothing, --with otel or --with dev\n"


# ------------------------------------------------------------------------------------------------------ README's lines


def blocks(heading: str) -> str:
    """The commands of a section, one after the other."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))


def answers(heading: str) -> list[str]:
    """The objects that a section shows as answers, but for those with a moment or an omission in them."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    shown = "\n".join(re.findall(r"^```json\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))
    found = [each for each in re.findall(r"\{[^{}]*\}", shown) if "_at" not in each]
    assert len(found) >= 5
    return found


def files_of(clone: Path) -> Iterator[Path]:
    """But for what git ignores."""
    for directory, names, files in os.walk(clone):
        names[:] = [
            name for name in names if name not in {".venv", ".leadroutes", "__pycache__", "leadroutes.egg-info"}
        ]
        yield from (Path(directory) / name for name in files)


def test_every_line_of_use_it_runs_as_it_is_pasted(set_up_clone: Path, environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    lines = blocks("Use it").replace("8080", str(port))
    before = set(files_of(set_up_clone))
    watched = "trap 'echo \"$BASH_COMMAND ended with $?\" >&2; kill %% 2>/dev/null; exit 1' ERR\n"
    bash = subprocess.Popen(
        ["bash"], cwd=set_up_clone, env=environment, text=True, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        end = '\ncurl -s -f -o page "$PAGE"\nrm page\necho; echo "the password: $PASSWORD"\nkill %%\nwait %% || true\n'
        output, errors = bash.communicate(
            watched + lines + end.replace("$PAGE", f"http://127.0.0.1:{port}/sign-in"), timeout=300
        )
    finally:
        if bash.poll() is None:
            os.killpg(bash.pid, signal.SIGKILL)

    assert bash.returncode == 0, output + errors
    assert [part for part in answers("Use it") if part not in output] == [], "what README says is answered"
    assert '"claimed_by_user_id"' in output, "the lead in the list"
    assert re.search(r"lead routes +\d+ +\d+", output), "the brokerage"
    [password] = re.findall("^the password: (.{12,})$", output, re.MULTILINE)
    assert set(files_of(set_up_clone)) == before, "nothing is left in the clone"
    assert [path for path in before if password.encode() in path.read_bytes()] == []
