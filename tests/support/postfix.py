"""A Postfix of its own, in a folder of the test: nothing of the machine's own mail system is read or changed.

`LEADROUTES_TEST_POSTFIX` names a folder into which the package was unpacked; without it the installed one is used.
"""

import asyncio
import contextlib
import os
import pwd
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(os.environ.get("LEADROUTES_TEST_POSTFIX", "/"))
DAEMONS = ROOT / "usr/lib/postfix/sbin"
LIBRARIES = ROOT / "usr/lib/postfix"
PRIVATE = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace",
           "maildrop", "public")  # fmt: skip
SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def why_missing() -> str | None:
    """Why no Postfix can be started, or None."""
    if not (DAEMONS / "master").exists():
        return "Postfix is not installed"
    return None if os.geteuid() == 0 else "Postfix is started by root alone"


@dataclass(frozen=True)
class Postfix:
    """Takes mail at `url`; the log says what became of it."""

    url: str
    log: Path


def _owner() -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postfix").pw_name
    return "daemon"


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextlib.asynccontextmanager
async def postfix(
    folder: Path, next_hop: tuple[str, int], domain: str, door: tuple[str, int]
) -> AsyncIterator[Postfix]:
    """Passes mail to `domain` to `door`, and everything else to `next_hop`."""
    port, owner = _free_port(), _owner()
    config, queue, data = folder / "config", folder / "queue", folder / "data"
    for each in (config, queue, data, *(queue / name for name in (*PRIVATE, "pid"))):
        each.mkdir(parents=True)
    for name in PRIVATE:
        os.chown(queue / name, pwd.getpwnam(owner).pw_uid, -1)
    os.chown(data, pwd.getpwnam(owner).pw_uid, -1)
    settings = {
        "compatibility_level": "3.6", "queue_directory": queue, "data_directory": data, "mail_owner": owner,
        "setgid_group": "postdrop" if owner == "postfix" else "mail", "command_directory": ROOT / "usr/sbin",
        "daemon_directory": DAEMONS, "shlib_directory": LIBRARIES, "meta_directory": config,
        "myhostname": "mx.relay.example", "mydestination": "", "mynetworks": "127.0.0.0/8", "inet_protocols": "ipv4",
        "inet_interfaces": "127.0.0.1", "smtp_dns_support_level": "disabled", "smtp_host_lookup": "native",
        "relayhost": f"[{next_hop[0]}]:{next_hop[1]}", "alias_maps": "", "alias_database": "",
        "transport_maps": f"inline:{{ {{ {domain} = smtp:[{door[0]}]:{door[1]} }} }}",
        "smtpd_relay_restrictions": "permit_mynetworks, reject", "smtp_tls_security_level": "none",
        "maillog_file": folder / "log", "maillog_file_prefixes": folder, "notify_classes": "",
        "import_environment": f"MAIL_CONFIG MAIL_LOGTAG LANG=C LD_LIBRARY_PATH={LIBRARIES}",
    }  # fmt: skip
    (config / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    (config / "master.cf").write_text(SERVICES.format(port=port))
    environment = {
        "LD_LIBRARY_PATH": str(LIBRARIES),
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "MAIL_CONFIG": str(config),
    }
    master = await asyncio.create_subprocess_exec(DAEMONS / "master", "-c", config, "-d", env=environment)
    try:
        await _until_it_listens(port)
        yield Postfix(f"smtp://127.0.0.1:{port}", folder / "log")
    finally:
        with contextlib.suppress(ProcessLookupError):
            master.terminate()
        await master.wait()


async def _until_it_listens(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.1)
    raise TimeoutError("Postfix does not listen")
