"""The table of what was tried against the service: each row says what is right, and each test it names exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"


def rows() -> list[tuple[str, str, str]]:
    """What is tried, what is right, and which tests show it."""
    _, _, section = PAGE.read_text(encoding="utf-8").partition("\n## What was tried against it\n")
    table = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("|")]
    found = []
    for line in table[2:]:
        tried, right, tests = (each.strip() for each in line.strip("|").split("|"))
        found.append((tried, right, tests))
    return found


def test_every_row_says_what_is_right_and_names_tests_that_exist() -> None:
    assert len(rows()) > 30
    for tried, right, tests in rows():
        paths = re.findall(r"`(tests/[\w/]+\.py)`", tests)
        assert tried, tests
        assert right, tried
        assert paths, tried
        assert [path for path in paths if not (ROOT / path).is_file()] == []
        assert all("def test_" in (ROOT / path).read_text(encoding="utf-8") for path in paths)


def test_the_page_is_linked_where_weaknesses_are_reported() -> None:
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")

    assert "docs/reliability.md#what-was-tried-against-it" in page
