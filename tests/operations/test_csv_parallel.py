"""A large file is read by several processes, and the result is the same."""

import asyncio
import contextlib
import sys
from pathlib import Path

import psutil
import pytest

from leadroutes.errors import Unavailable
from leadroutes.intake.csv_import import ImportedRow, RowError, read_csv
from leadroutes.operations.csv_parallel import PART, read_csv_together

pytestmark = pytest.mark.slow

HISTORY = (Path(__file__).parent.parent / "intake" / "samples" / "history.csv").read_bytes()


def long(parts: int) -> bytes:
    rows = (f'2026-08-01T10:00:00Z,mia{number}@example.com,"Hello,\nhere I am"' for number in range(parts * PART))
    return "\n".join(["received_at,email,message", *rows]).encode()


def with_cells(rows: "list[ImportedRow | RowError]") -> "list[tuple[ImportedRow | RowError, tuple[str, ...]]]":
    return [(each, each.cells) for each in rows]


@pytest.mark.parametrize("body", [HISTORY, long(parts=3), b"", b"a,b\n1,2\n", b'received_at,email\n"2026'])
async def test_several_read_what_one_reads(body: bytes) -> None:
    assert with_cells(await read_csv_together(body, large=0)) == with_cells(list(read_csv(body)))


async def test_they_run_nothing_that_lies_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "csv.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)

    assert len(await read_csv_together(HISTORY, large=0)) == len(list(read_csv(HISTORY)))


def readers(of: psutil.Process) -> list[psutil.Process]:
    """Those of a process that read a file; it may have others."""
    found = []
    for each in of.children():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if "csv_parallel" in " ".join(each.cmdline()):
                found.append(each)
    return found


async def test_that_one_of_them_has_ended_is_said() -> None:
    reading = asyncio.create_task(read_csv_together(long(parts=100), large=0))
    while not (processes := readers(psutil.Process())):  # noqa: ASYNC110 -- nothing reports when they start
        await asyncio.sleep(0.001)
    processes[0].kill()

    with pytest.raises(Unavailable, match="A process that was reading the file has ended"):
        await reading
    assert readers(psutil.Process()) == []


READS = """
import asyncio, sys
from leadroutes.operations.csv_parallel import read_csv_together
asyncio.run(read_csv_together(sys.stdin.buffer.read(), large=0))
"""


async def test_they_end_with_the_one_for_whom_they_read() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", READS, stdin=asyncio.subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(long(parts=100))
    process.stdin.close()
    while not (reading := psutil.Process(process.pid).children()):  # noqa: ASYNC110 -- as above
        await asyncio.sleep(0.001)
    process.kill()
    await process.wait()

    _, alive = await asyncio.to_thread(psutil.wait_procs, reading, timeout=30)
    assert alive == []
