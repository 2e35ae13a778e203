"""What each line of a list of listings says, and what is wrong with it."""

import pytest

from leadroutes.web.pages.listing_file import read_listings

EMAILS = {"bob@example.com", "carol@example.com"}


@pytest.mark.parametrize(
    ("content", "agents"),
    [
        (b"mls_id,agent\nA1,bob@example.com\n", {"A1": "bob@example.com"}),
        (b"Agent E-mail;MLS Number\n BOB@example.com ; A 1 \n", {"A 1": "bob@example.com"}),
        (b"mls,email,agent\nA1,x,carol@example.com\n", {"A1": "carol@example.com"}),
        (b"mls_id,agent\n'-7,bob@example.com\n,\n", {"-7": "bob@example.com"}),
    ],
)
def test_columns_are_found_by_name(content: bytes, agents: dict[str, str]) -> None:
    read = read_listings(content, EMAILS)
    assert (read.agents, read.faults, read.fault) == (agents, [], None)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (",bob@example.com", "mls_id: '' was given"),
        (f"{'9' * 46},bob@example.com", "up to 45 characters"),
        ("A1,dave@example.com", "agent: 'dave@example.com' was given"),
        ("A1,", "agent: '' was given"),
        ("A1", "as many cells"),
        ("a 9,carol@example.com", "not on line 2 already"),
    ],
)
def test_a_line_that_is_wrong_is_named(line: str, why: str) -> None:
    read = read_listings(f"mls_id,agent\nA9,bob@example.com\n{line}\n".encode(), EMAILS)
    assert list(read.agents) == ["A9"]
    [(number, said)] = read.faults
    assert number == 3
    assert why in said


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"agent\nbob@example.com\n", "mls_id: no column has this heading; expected one of mls, mlsid"),
        (b"mls_id\nA1\n", "agent: no column has this heading"),
        (b"mls_id,agent\n", "there is no row in it"),
        (b"", "no column has this heading"),
    ],
)
def test_a_file_without_what_is_needed_has_a_fault(content: bytes, why: str) -> None:
    assert why in (read_listings(content, EMAILS).fault or "")
