"""The demonstration is played to its end: every kind of route, claims by link and API, lapses; the ledger adds up."""

import json
import re
import subprocess
import sys
from pathlib import Path

from leadroutes.demo import EXAMPLES
from leadroutes.demo.board import Line, news
from leadroutes.demo.script import ACTS, ARRIVALS

ROOT = Path(__file__).parents[2]


def test_it_ends_by_itself_with_the_ledger_on_the_last_line(open_directory: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "leadroutes", "demo", "--once", "--port", "0"],
        cwd=open_directory, capture_output=True, text=True, timeout=110, check=False, stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(open_directory)},
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    *lines, last = done.stdout.rstrip("\n").split("\n")
    ledger = json.loads(last)
    assert ledger["received"] == sum(ledger[name] for name in ("claimed", "on_offer", "unclaimed", "held", "rejected"))
    assert ledger["received"] == len(ARRIVALS) + 2 - 1, "two through the API, and one is the touch of another"
    assert (ledger["on_offer"], ledger["held"], ledger["rejected"], ledger["imported"]) == (0, 1, 1, 0)
    assert ledger["unclaimed"] == 4
    sent = r"; [1-9]\d* mails, [1-9]\d* texts and [1-9]\d* notifications were sent, [1-9]\d* calls made, "
    assert re.search(sent, lines[-1]), lines[-1]
    assert all(re.match(r"minute +\d+  ", line) for line in lines[5:-4]), lines
    check, trial, why_not = lines[-4:-1]
    assert re.fullmatch(r"The check has [1-9]\d* findings?, first: \S.+", check), check
    moved = r"A trial: if First Response took turns, [1-9]\d* of (\d+) leads would go to someone else first"
    tried = re.fullmatch(moved, trial)
    assert tried is not None, trial
    assert int(tried[1]) == ledger["received"] - ledger["held"] - ledger["rejected"], trial
    why = r"Why Yesenia was not offered the lead from \S+ \(.+\): You were paused until \w{3} \d+ \w{3} 09:00"
    assert re.fullmatch(why, why_not), why_not
    for act in ACTS:
        if act.how != "decline":
            how = {"link": "by email", "text": "by text", "phone": "by phone"}.get(act.how, "signed in")
            assert any(f" {act.first_name} " in f" {line}" and f", {how}, after" in line for line in lines), act


def test_two_do_not_play_in_one_directory(tmp_path: Path) -> None:
    import fcntl

    (tmp_path / ".leadroutes").mkdir()
    with (tmp_path / ".leadroutes" / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, "-m", "leadroutes", "demo", "--once"],
            cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip

    assert done.returncode == 1
    assert "running in this directory already" in done.stderr


def test_every_example_lead_is_played() -> None:
    files = {file.name for file in (EXAMPLES / "leads").iterdir() if file.suffix in {".json", ".form", ".eml"}}

    assert {arrival.file for arrival in ARRIVALS} == files


def line(**fields: object) -> Line:
    values = {
        "id": 1, "name": "Mia Lund", "came": "Zillow Buyer", "route": "North Side", "offers": (), "alert_count": 0,
        "claimed_by": "", "how": "", "after": "", "is_settled": False,
    }  # fmt: skip
    return Line(**values | fields)  # type: ignore[arg-type]


def test_news_are_reported_once() -> None:
    notified, later = ("Bob", "notified"), ("Carol", "later")
    first = [line(offers=(notified, later))]
    second = [line(offers=(notified, ("Carol", "notified")))]
    third = [line(offers=(("Bob", "lost"), ("Carol", "won")), claimed_by="Carol", how="by email", after="2:03")]

    assert list(news([], first)) == [
        "Mia Lund (Zillow Buyer) has come in: North Side", "Mia Lund is offered to Bob"
    ]  # fmt: skip
    assert list(news(first, second)) == ["Mia Lund is offered to Carol"]
    assert list(news(second, third)) == ["Mia Lund: Carol, by email, after 2:03 min"]
    assert list(news(third, third)) == []
