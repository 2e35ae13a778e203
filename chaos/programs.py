"""The service's processes under a supervisor that restarts whatever ends, and does nothing else.

Kills, stops and continues them when `mischief` says so.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
BEGINS_AGAIN_AFTER = 0.5  # seconds, as a supervisor waits
GOODBYE = 60.0  # seconds for a program to end after a signal


@dataclass
class Program:
    """One command that is restarted when it ends.

    `ends`: exit codes of processes that were not killed by the run; `stalls`: from when to when one was stopped.
    """

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    log: Path
    ends: list[int] = field(default_factory=list)
    stalls: list[tuple[float, float]] = field(default_factory=list)  # seconds of real time
    _process: asyncio.subprocess.Process | None = None
    _task: "asyncio.Task[None] | None" = None
    _is_wanted: bool = False
    _killed: int = 0  # the process id of the last one that we killed

    def start(self) -> None:
        self._is_wanted = True
        self._task = asyncio.create_task(self._keep_running())

    async def _keep_running(self) -> None:
        while self._is_wanted:
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, *self.arguments, cwd=ROOT, env=clean_environment() | self.environment,
                    stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                )  # fmt: skip
            code = await self._process.wait()
            if self._is_wanted:
                if self._killed != self._process.pid:
                    self.ends.append(code)
                await asyncio.sleep(BEGINS_AGAIN_AFTER)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def kill(self) -> bool:
        """Sends SIGKILL. Returns False if no process runs at the moment."""
        if self._process is None or not self.is_running:
            return False
        self._killed = self._process.pid
        self._process.kill()
        return True

    async def pause(self, seconds: float) -> bool:
        """Stop it for a while, as a machine does that hangs; False where there is nothing to stop."""
        if self._process is None or not self.is_running:
            return False
        process, began = self._process, time.time()
        process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.stalls.append((began, time.time()))
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
        return True

    async def stop(self) -> int | None:
        """Tell it to end, and wait until it has; the exit code. Killed where it does not: None."""
        self._is_wanted = False
        code: int | None = None
        if self._process is not None and self.is_running:
            self._process.send_signal(signal.SIGTERM)
            try:
                code = await asyncio.wait_for(self._process.wait(), GOODBYE)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        return code


def clean_environment() -> dict[str, str]:
    """Returns this environment without the settings of another service that the machine may run."""
    clean = {
        name: value for name, value in os.environ.items() if "DATABASE_URL" not in name and "LEADROUTES" not in name
    }
    return clean | {"PYTHONUNBUFFERED": "1"}
