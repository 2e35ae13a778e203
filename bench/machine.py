"""Describes the machine of a run: processor, system, PostgreSQL and the settings that affect durability and speed."""

import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # comes with the embedded server

from bench.ground import Ground

SETTINGS = (
    *("server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_level", "wal_sync_method"),
    *(
        "wal_compression",
        "shared_buffers",
        "max_wal_size",
        "checkpoint_timeout",
        "autovacuum",
        "track_commit_timestamp",
    ),
)


async def describe(ground: Ground) -> dict[str, Any]:
    """Returns the machine and the server of a run."""
    async with ground.connection() as connection:
        rows = await connection.fetch(
            "SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name", list(SETTINGS)
        )
    return {
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "postgresql": {row["name"]: row["value"] for row in rows},
        "fsyncs_per_second": measure_fsync(ground.directory),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def measure_fsync(directory: Path, seconds: float = 1.0) -> float:
    """How often a second this disk makes 8 kB durable, one after the other: no single chain of commits is faster."""
    file = os.open(directory / "fsync", os.O_RDWR | os.O_CREAT, 0o600)
    count, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        os.pwrite(file, b"x" * 8192, 0)
        os.fdatasync(file)
        count += 1
    os.close(file)
    return round(count / seconds)


def idle(seconds: float = 1.0) -> float:
    """Returns the idle share of the CPU, 0 to 1: other programs falsify a measurement."""
    return round(1 - float(psutil.cpu_percent(interval=seconds)) / 100, 2)


def commit() -> str:
    """Returns the commit that is measured, with a + where files differ from it."""
    root = Path(__file__).parents[1]
    names = ["git", "describe", "--always", "--dirty=+"]
    done = subprocess.run(names, cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "not a clone"
