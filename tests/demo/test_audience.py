"""The demonstration as whoever watches it sees it, and takes part: in a terminal of 80 × 24, and through a pipe."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from selectolax.lexbor import LexborHTMLParser

from leadroutes.demo.board import Line, as_table, offered
from leadroutes.demo.script import PASSWORD
from tests.support.examples import examples

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, "-m", "leadroutes", "demo", "--port", "0"]
WIDTH, HEIGHT = 80, 24
CURL = re.compile(r"^ *(curl -d '[^']*' \S+)$", re.MULTILINE)
CLAIM = re.compile(r"^Open this first: (.+)'s claim link for (.+)\n *(http://\S+/claim/\S+)$", re.MULTILINE)
IS_WHOLE = re.compile(r"^lead .*after\n─+\n(?:.+\n)+A second here .*\n\n.+\n.+\n.+\n.+$", re.MULTILINE)
SIGN_IN = re.compile(r"^Sign in at (http://\S+) with the password (\S+) as\n +(\S+), .*\n +(\S+), .*$", re.MULTILINE)


def read_until(read: Callable[[], str], pattern: str) -> Iterator[str]:
    """What there is to read, again and again, until the pattern is in it."""
    deadline = time.monotonic() + 100
    while True:
        yield (text := read())
        if re.search(pattern, text, re.MULTILINE):
            return
        assert time.monotonic() < deadline, text
        time.sleep(0.2)


def take_part(read: Callable[[], str]) -> None:
    """Do what the last lines say: open the claim page, look at the sign-in page, send the lead, and look again."""
    *_, text = read_until(read, r"^Open this first: .*\n.*\n(.*\n)*.*click on Board first, .*\n.*days$")
    curl, claim, sign_in = CURL.findall(text)[-1], CLAIM.findall(text)[-1], SIGN_IN.findall(text)[-1]
    lines = text.rstrip().splitlines()
    assert [bool(SIGN_IN.search("\n".join(lines[-4:]))), "curl" in lines[-7]] == [True, True], "these are the last"

    who, lead, link = claim
    page = httpx.get(link)
    assert (who, lead, page.status_code) == ("Imani Osterhaus", "Nadia Kessler", 200)
    assert LexborHTMLParser(page.text).css_first("form[method=post] button, form[method=POST] button") is not None
    url, password, *_ = sign_in
    assert (password, httpx.get(url, follow_redirects=True).status_code) == (PASSWORD, 200)

    done = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, timeout=30, check=True)
    assert '"id":' in done.stdout
    assert len(f"  {curl}".replace(url.removeprefix("http://"), "127.0.0.1:65535")) <= WIDTH
    *_, text = read_until(read, r"^Open this first: Imani Osterhaus's claim link for Mia$")
    assert "Mia is offered to Imani Osterhaus" in text


# ---------------------------------------------------------------------------------------------------- in a terminal


@dataclass(frozen=True)
class Terminal:
    tmux: Sequence[str]

    def screen(self) -> str:
        return self._captured()

    def everything(self) -> str:
        """With what has scrolled away, and lines whole that the terminal has folded."""
        return self._captured("-J", "-S", "-300")

    def type(self, key: str) -> None:
        subprocess.run([*self.tmux, "send-keys", key], check=True)

    def _captured(self, *options: str) -> str:
        done = subprocess.run([*self.tmux, "capture-pane", "-p", *options], capture_output=True, text=True, check=True)
        return "\n".join(line.rstrip() for line in done.stdout.splitlines())


@pytest.fixture
def terminal(open_directory: Path) -> Iterator[Terminal]:
    """One in which a demonstration has just begun."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    tmux = ["tmux", "-S", str(open_directory / "tmux"), "-f", "/dev/null"]
    command = f"{shlex.join(DEMO)}; echo ended with $?; exec cat"
    subprocess.run(
        [*tmux, "-u", "new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), command],
        cwd=open_directory, check=True, env=os.environ | {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    yield Terminal(tmux)
    subprocess.run([*tmux, "kill-server"], check=False)


def names(text: str) -> list[str]:
    """Of the leads on the board, from top to bottom."""
    _head, found, below = text.rpartition("─" * 10)
    rows = below.partition("\nA second here")[0].splitlines()[1:]
    return [row[:23].strip() for row in rows if "earlier)" not in row] if found else []


def test_in_a_terminal_of_the_usual_size_nothing_is_cut_and_nothing_new_is_hidden(terminal: Terminal) -> None:
    screens = list(read_until(terminal.screen, "^Open this first"))
    everything = terminal.everything()
    all_names = names(everything.partition("\nThe ledger")[0])
    boards = [screen for screen in screens if IS_WHOLE.search(screen)]  # and not about to be drawn

    assert len(all_names) == 22
    assert len(boards) > 10
    seen: set[str] = set()
    for screen in boards:
        shown = names(screen)
        earlier = int(found[1]) if (found := re.search(r"^\((\d+) earlier\)$", screen, re.MULTILINE)) else 0
        seen.update(shown)
        present = [name for name in all_names if name in seen]  # of two at once the later one may be stored first
        assert shown == present[earlier:]
        assert SIGN_IN.search(screen), "where to sign in is never out of sight"
        assert "…" not in screen
    assert names(boards[-1])[-1] == all_names[-1]
    assert any("earlier)" in screen for screen in boards), "there was more than the screen has room for"
    assert "…" not in everything

    take_part(terminal.everything)
    assert SIGN_IN.search(terminal.screen())
    terminal.type("C-c")
    list(read_until(terminal.screen, "^ended with 0$"))


def test_a_terminal_that_is_closed_leaves_nothing_running(terminal: Terminal, open_directory: Path) -> None:
    list(read_until(terminal.screen, r"^Priya Raman"))
    [found] = open_directory.glob(".leadroutes/demo/postgres/postmaster.pid")
    server = psutil.Process(int(found.read_text().split()[0]))
    subprocess.run([*terminal.tmux, "kill-server"], check=True)

    server.wait(timeout=60)


# ---------------------------------------------------------------------------------------------------- through a pipe


def test_through_a_pipe_the_ways_to_take_part_come_last(open_directory: Path) -> None:
    output = open_directory / "output"
    with output.open("w") as file:
        demo = subprocess.Popen(
            DEMO, cwd=open_directory, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        try:
            take_part(lambda: output.read_text(encoding="utf-8"))
        finally:
            demo.send_signal(signal.SIGINT)
            code = demo.wait(timeout=60)

    assert code == 0
    assert "\x1b" not in output.read_text(encoding="utf-8")


# --------------------------------------------------------------------------------------------------------- the board

FIRST_NAMES = ("Imani", "Dmitri", "Noor", "Marcus", "Gwendolyn", "Tuấn", "Beatriz")


@st.composite
def leads(draw: st.DrawFn) -> list[Line]:
    """With the longest of everything that the script has."""

    def lead(number: int) -> Line:
        states = draw(st.lists(st.sampled_from(("lost", "declined", "notified", "later")), max_size=4))
        winner = draw(st.sampled_from((None, *FIRST_NAMES)))
        notified = [(f"{name} Price-Abara", state) for name, state in zip(FIRST_NAMES, states, strict=False)]
        return Line(
            id=number, name=f"{number} Yolanda Hightower-Nakai", came="Realtor.com Seller",
            route="no team has the zipcode 60614", alert_count=draw(st.integers(0, 99)), claimed_by=winner or "",
            offers=(*notified, *([(f"{winner} Price-Abara", "won")] if winner else [])), how="",
            after=draw(st.sampled_from(("", "99:59"))) if winner is None else "21:00", is_settled=False,
        )  # fmt: skip

    return [lead(number) for number in range(draw(st.integers(0, 40)))]


@settings(max_examples=examples(60), deadline=None)
@given(leads(), st.integers(60, 200), st.integers(8, 60))
def test_a_board_fits_and_ends_with_the_newest_lead(lines: list[Line], width: int, height: int) -> None:
    console = Console(width=width, height=height, no_color=True)
    with console.capture() as capture:
        console.print(as_table(lines, width, height))
    shown = capture.get().splitlines()

    assert len(shown) <= height
    assert max(map(len, shown)) <= width
    if lines:
        assert shown[-2].startswith(lines[-1].name.partition(" ")[0] + " ")
        assert not lines[-1].claimed_by or f"✔{lines[-1].claimed_by}" in shown[-2]


@settings(deadline=None)
@given(leads())
def test_who_has_it_is_shown_however_little_room_there_is(lines: list[Line]) -> None:
    for line in lines:
        text = offered(line, 12).plain
        assert f"✔{line.claimed_by}" in text if line.claimed_by else "✔" not in text
