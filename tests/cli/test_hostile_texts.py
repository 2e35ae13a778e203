"""What strangers wrote is shown as text: it neither acts on a terminal, nor is markup, nor begins a line of a log."""

import io
import json
import logging
import re
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from leadroutes.demo.board import as_table, load_board, news
from leadroutes.domain.text import visible, visible_json
from leadroutes.observability import logs
from leadroutes.operations.console import PlainConsole, print_table, shown_if_terminal
from leadroutes.store.postgres import Database
from tests.support.commands import Run
from tests.support.town import Town

NASTY = "Mia\x1b[2J\x1b]0;owned\x07\r\n\x9b31m\u202eevil [red]markup[/x] :smile: \x00\x7f\u2028end"
ACTS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")  # all but line ends


@given(st.text())
def test_what_is_shown_does_nothing_and_says_what_it_was(text: str) -> None:
    shown = visible(text)
    assert shown.split("\n") == [shown]
    assert not ACTS.search(shown)
    assert visible(shown) == shown
    lines = visible(text, keeps_lines=True)
    assert lines.count("\n") == text.count("\n")
    assert not ACTS.search(lines)


@pytest.mark.parametrize("text", ["Zoë 雪 👩\u200d👧 e\u0301 می\u200cخواهم", "plain [words] with \\ in them", ""])
def test_what_does_nothing_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_is_the_same_with_escapes(text: str) -> None:
    shown = visible_json(json.dumps([text], ensure_ascii=False))
    assert json.loads(shown) == [text]
    assert not ACTS.search(shown)


def test_a_console_prints_text_and_no_markup() -> None:
    stream = io.StringIO()
    console = PlainConsole(file=stream, width=500, force_terminal=False)
    console.print(f"two\nlines {NASTY}", soft_wrap=True)
    written = stream.getvalue()
    assert not ACTS.search(written)
    assert "[red]markup[/x] :smile:" in written
    assert written.startswith("two\nlines Mia\\x1b[2J")


def test_a_table_shows_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name",), [(NASTY,)])
    written = capsys.readouterr().out
    assert not ACTS.search(written)
    assert "[red]markup[/x]" in written


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_export_is_itself_in_a_file_and_shown_on_a_terminal() -> None:
    file, terminal = io.StringIO(), Terminal()
    shown_if_terminal(file).write(NASTY)
    shown_if_terminal(terminal).write(NASTY)
    assert file.getvalue() == NASTY
    assert not ACTS.search(terminal.getvalue())


def test_a_refusal_quotes_what_was_given_as_text(run: Run, tmp_path: Path) -> None:
    errors = run("export", "leads", "--owner", NASTY.replace("\x00", ""), code=1).stderr
    assert "Mia\\x1b[2J" in errors
    assert not ACTS.search(errors)


async def test_the_board_shows_what_came_in_as_text(database: Database) -> None:
    town = await Town.create(database)
    nasty = NASTY.replace("\x00", "")
    contact_id = await town.contact("alice", first_name=nasty, last_name=nasty)
    source_id = await town.lead_source("alice", nasty)
    await town.lead("alice", contact_id, source_id=source_id, type=None)
    lines = await load_board(database, town.users["alice"])
    stream = io.StringIO()
    console = Console(file=stream, width=2000, force_terminal=False)
    console.print(as_table(lines, 2000))
    for sentence in news([], lines):
        console.print(sentence, markup=False)
    assert "[red]markup[/x]" in stream.getvalue()
    assert not ACTS.search(stream.getvalue())


@pytest.mark.parametrize("as_json", [True, False])
def test_a_log_line_is_one_line_of_text(quiet: None, capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    logs.set_up(as_json=as_json)
    structlog.get_logger().warning("a request was refused", path=NASTY, name="\x1b[2J")
    logging.getLogger("another.library").warning("refused: %s", NASTY)
    written = capsys.readouterr().err
    assert len(written.splitlines()) == written.count("\n") == 2
    assert not ACTS.search(written)
    if as_json:
        assert json.loads(written.splitlines()[0])["path"] == NASTY


def test_a_traceback_keeps_its_lines_and_its_message_acts_on_nothing(
    quiet: None, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up(as_json=False)
    structlog.get_logger().error("it failed", exc_info=ValueError(NASTY))
    written = capsys.readouterr().err
    assert "\nValueError: Mia" in written
    assert not ACTS.search(written)
