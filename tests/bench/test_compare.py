"""Two checkouts are compared round by round, and a figure of which less is better counts the other way round."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.compare import costs, gains

ROOT = Path(__file__).parents[2]


def figures(rate: float, wait: float) -> dict[tuple[str, str], dict[str, object]]:
    return {
        ("arrival", "leads in"): {"value": rate, "less_is_better": False, "unit": "leads/s"},
        ("arrival", "p99"): {"value": wait, "less_is_better": True, "unit": "ms"},
    }


def test_a_higher_rate_and_a_shorter_wait_are_both_gains() -> None:
    found = gains([(figures(100, 20), figures(110, 10))])

    assert found == {("arrival", "leads in"): [1.1], ("arrival", "p99"): [2.0]}


def test_each_round_is_compared_with_its_neighbour_so_that_a_busy_hour_does_not_count() -> None:
    """The machine is half as fast in the second round; the cost is the same."""
    found = gains([(figures(100, 10), figures(95, 10)), (figures(50, 20), figures(47.5, 20))])

    assert costs(found["arrival", "leads in"]) == pytest.approx(0.05)
    assert costs(found["arrival", "p99"]) == pytest.approx(0)


def test_what_only_one_of_them_measures_is_left_out() -> None:
    one, other = figures(100, 10), figures(100, 10)
    del other["arrival", "p99"]

    assert gains([(one, other)]).keys() == {("arrival", "leads in")}


def compare(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench.compare", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_checkout_is_compared_with_itself() -> None:
    done = compare(str(ROOT), str(ROOT), "decision", "--size", "tiny", "--rounds", "2", "--at-most", "0.99")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "round 2 of 2" in done.stdout
    assert "decision" in done.stdout


def test_a_directory_that_is_not_a_checkout_is_refused(tmp_path: Path) -> None:
    done = compare(str(ROOT), str(tmp_path), "decision")

    assert done.returncode == 2
    assert "expected a checkout in which bin/setup has been run" in " ".join(done.stderr.split())
