"""The embedded server belongs to one user: no other user of the machine connects to it, whatever its directory is.

Each server is started by a process of its own; as root also by one of an ordinary user.
"""

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from leadroutes.errors import Misconfigured
from leadroutes.store.embedded import LONGEST_SOCKET, SOCKET, bundled_programs, start_embedded_server
from tests.support.directories import make_directory

IS_ROOT = os.geteuid() == 0
STRANGER = "daemon"
# The process becomes another user once all modules are there: their files may be where only root reads.
HOLD = """
import os, pwd, sys
from pathlib import Path
from leadroutes.errors import Problem
from leadroutes.store.embedded import bundled_programs, start_embedded_server
bundled_programs()
import leadroutes.store.embedded_server
if sys.argv[2]:
    user = pwd.getpwnam(sys.argv[2])
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ["HOME"] = "/"
try:
    print(start_embedded_server(Path(sys.argv[1])), flush=True)
except Problem as problem:
    sys.exit(problem.message)
sys.stdin.readline()
"""
TRUST = "local all all trust\nhost all all 127.0.0.1/32 trust\n"
LONG = f"{'a' * 60}/{'b' * 60}"

as_root = pytest.mark.skipif(not IS_ROOT, reason="only root can become another user")


@pytest.fixture(params=["ourselves", pytest.param("nobody", marks=as_root)])
def user(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "ourselves" else request.param


@pytest.fixture
def top(user: str | None) -> Iterator[Path]:
    """A directory of the user's that all may enter."""
    directory = make_directory("test")
    directory.chmod(0o755)
    if user:
        shutil.chown(directory, user)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def as_user(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    known = pwd.getpwnam(name)
    return {"user": known.pw_uid, "group": known.pw_gid, "extra_groups": ()}


@contextlib.contextmanager
def holding(data: Path, user: str | None) -> Iterator[str]:
    """A process that holds the server; its address."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", HOLD, str(data), user or ""], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd="/", env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        yield process.stdout.readline().strip() or process.stderr.read().strip()
    finally:
        process.communicate()


def ask(url: str, user: str | None) -> subprocess.CompletedProcess[str]:
    """What a user of the machine reads there."""
    psql = bundled_programs()[18] / "psql"
    return subprocess.run(
        [psql, "-X", "-A", "-t", f"--dbname={url}", "--command=SELECT current_user"],
        capture_output=True, text=True, cwd="/", check=False, **as_user(user),
    )  # fmt: skip


def socket_directory(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    "name", ["data", LONG, "it's a directory & more", "a, b"], ids=["short", "long", "odd", "comma"]
)
def test_no_other_user_reaches_it(top: Path, user: str | None, name: str) -> None:
    with holding(top / name, user) as url:
        sockets = socket_directory(url)
        assert len(os.fsencode(sockets / SOCKET)) <= LONGEST_SOCKET
        assert (mode(sockets), mode(top / name / "postgres"), mode(sockets / SOCKET)) == (0o700, 0o700, 0o700)
        assert "trust" not in (top / name / "postgres" / "pg_hba.conf").read_text()
        assert ask(url, user).stdout == "postgres\n"
        if IS_ROOT:
            assert "Permission denied" in ask(url, STRANGER).stderr
            for each in (top / name, sockets, sockets / SOCKET):
                each.chmod(0o777)  # as if someone had opened it
            assert "Peer authentication failed" in ask(url, STRANGER).stderr
            sockets.chmod(0o700)
    assert sockets == top / name / "postgres" or not sockets.exists(), "nothing is left behind"


@as_root
def test_a_server_that_an_earlier_version_left_open_is_closed(top: Path, user: str | None) -> None:
    data = top / "data"
    with holding(data, user):
        pass
    access = data / "postgres" / "pg_hba.conf"
    access.write_text(TRUST)
    with holding(data, user) as url:
        assert access.read_text() != TRUST
        access.write_text(TRUST)
        (data / "postgres" / SOCKET).chmod(0o777)
        data.chmod(0o755)
        (data / "postgres").chmod(0o755)
        os.kill(int((data / "postgres" / "postmaster.pid").read_text().split()[0]), 1)
        _until(lambda: ask(url, STRANGER).stdout == "postgres\n")
        with holding(data, user) as again:
            assert again == url
            assert mode(data / "postgres") == 0o700
            (data / "postgres").chmod(0o755)
            _until(lambda: "Peer authentication failed" in ask(url, STRANGER).stderr)


def _until(is_so: Any) -> None:
    """The server reads its files again some moments after it was asked to."""
    for _ in range(1000):
        if is_so():
            return
    pytest.fail("the server has not read its files again")


@as_root
def test_the_directories_above_can_be_passed_and_not_read() -> None:
    private = make_directory("test")
    with holding(private / "data", None) as url:
        assert ask(url, None).stdout == "postgres\n"
        assert (mode(private), mode(private / "data")) == (0o711, 0o711)
    shutil.rmtree(private)


@as_root
def test_root_does_not_take_a_server_from_its_user(top: Path) -> None:
    data = top / "data"
    shutil.chown(top, "nobody")
    with holding(data, "nobody"):
        pass
    with pytest.raises(Misconfigured, match="is the user nobody's; run this as that user"):
        start_embedded_server(data)
    assert (data / "postgres").owner() == "nobody"


@as_root
def test_another_user_learns_whose_it_is(top: Path) -> None:
    data = top / "data"
    shutil.chown(top, "nobody")
    with holding(data, "nobody"), holding(data, STRANGER) as message:
        assert "does not start" in message


def test_a_name_that_a_shell_would_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r'has " \$ in its name'):
        start_embedded_server(tmp_path / 'a "$b"')


def test_two_processes_at_once_share_one(top: Path, user: str | None) -> None:
    with holding(top / "data", user) as one, holding(top / "data", user) as two:
        assert one == two
    with holding(top / "data", user) as again:
        assert ask(again, user).stdout == "postgres\n"
