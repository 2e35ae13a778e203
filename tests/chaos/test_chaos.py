"""The short form of bin/chaos: everything is tried, killed, stopped, cut and filled once, and nothing may be lost.

As a program of its own, on PostgreSQL servers of its own whatever the other tests use: those of others are not killed.
"""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from chaos.hostile import ATTACKS
from chaos.mischief import KILLS, NUISANCES
from chaos.page import as_sentence, as_tables
from chaos.postgres import binaries

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(binaries() is None, reason="PostgreSQL's programs did not come with the installation")
@pytest.mark.timeout(400)
def test_nothing_is_lost_or_done_twice_whatever_dies(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "chaos", "--short", "--kills", "10", "--out", str(out)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr

    results = msgspec.json.decode(out.read_bytes())
    assert results["breaches"] == {}
    assert results["kills"].keys() == {"all", *KILLS}
    assert results["nuisances"].keys() == {"all", *NUISANCES}
    assert results["hostile"].keys() == {attack.name for attack in ATTACKS}
    assert all(each["beside hostile ones"]["requests"] for each in results["waits"].values())
    assert results["leads"] > 0
    assert all(f"| {check} | holds |" in as_tables(results) for check in results["checks"])
    assert " ".join(as_sentence(results).split()).endswith("nothing was lost and nothing was done twice.")
