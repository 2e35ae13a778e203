"""Text in normal form: one line, absent values, messages."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadroutes.domain.text import (
    ABSENT,
    MESSAGE_LIMIT,
    field_text,
    json_without_zeros,
    message_text,
    one_line,
    without_accents,
)


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("Ann", "Ann"),
        ("  Ann   Lee ", "Ann Lee"),
        ("Ann\tLee\r\nSmith", "Ann Lee Smith"),
        ("Ann\u00a0\u2003\u3000Lee", "Ann Lee"),
        ("Ann\u2028Lee\u2029Smith\u0085Jones", "Ann Lee Smith Jones"),
        ("Ann\x00\x1f\x7f\x9fLee", "Ann Lee"),
        ("\ufeffA\u200bn\u200dn\u200e\u202e\u2060", "Ann"),
        ("\u200b \u00a0\n", None),
        ("Jose\u0301", "José"),
        ("José", "José"),
        ("mcDONALD", "mcDONALD"),
        ("<b>Ann</b> &amp; Tom", "<b>Ann</b> &amp; Tom"),
        ("Ann \ud83d Lee", "Ann \ufffd Lee"),
        ("", None),
        (None, None),
    ],
)
def test_a_line_has_single_blanks_and_nothing_invisible(typed: str | None, line: str | None) -> None:
    assert one_line(typed) == line


@pytest.mark.parametrize("absent", sorted(ABSENT))
def test_what_says_that_nothing_is_there_is_absent_in_any_case(absent: str) -> None:
    assert field_text(absent) is None
    assert field_text(f"  {absent.upper()} ") is None
    assert field_text(f"{absent} x") == f"{absent} x"
    assert one_line(absent) == absent


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"),
        ("\n \n  one  \n\n\n  two\t\n \n", "one\n\n\n  two"),
        ("a\tb\x00\x08\x0bc", "a\tbc"),
        ("n/a", "n/a"),
        ("-", "-"),
        ("<b>yes</b> &amp; no", "<b>yes</b> &amp; no"),
        ("Cafe\u0301", "Café"),
        ("👩\u200d👧 family", "👩\u200d👧 family"),
        (" \n\t\r\n", None),
        ("", None),
        (None, None),
    ],
)
def test_a_message_keeps_its_lines(typed: str | None, message: str | None) -> None:
    assert message_text(typed) == message


def test_a_message_is_cut() -> None:
    assert message_text("x" * (MESSAGE_LIMIT + 1)) == "x" * MESSAGE_LIMIT


@given(st.text())
def test_normal_text_is_its_own_normal_form(typed: str) -> None:
    assert one_line(one_line(typed)) == one_line(typed)
    assert message_text(message_text(typed)) == message_text(typed)


@given(st.text(st.characters(categories=("Cc", "Zs", "Zl", "Zp", "Cf", "Lu"))))
def test_a_line_holds_no_control_character_whatever_is_typed(typed: str) -> None:
    line = one_line(typed) or ""
    assert all(character == " " or character.isalpha() for character in line)
    assert "  " not in line


def test_accents_are_dropped_for_comparing_only() -> None:
    assert without_accents("Prénom Ångström") == "Prenom Angstrom"


def test_heaps_of_accents_take_no_quadratic_time() -> None:
    start = time.process_time()
    line = one_line("e" + "\u0315\u0301" * 100_000)
    assert line is not None
    assert line.startswith("é")
    assert time.process_time() - start < 1


@pytest.mark.parametrize("text", ["a\0b", "a\\u0000b", "\\\0", "\\\\u0000\0", "\\\\\0\0\\", '"\0"\\"u0000'])
def test_json_loses_zeros_and_nothing_else(text: str) -> None:
    assert json.loads(json_without_zeros(json.dumps(text))) == text.replace("\0", "")
