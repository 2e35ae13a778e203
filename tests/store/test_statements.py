"""Statements are files in folders by area, and each is found by its name alone."""

from collections import Counter
from pathlib import Path

import leadroutes.store
from leadroutes.store import statement_names

SQL = Path(leadroutes.store.__file__).parent / "sql"


def test_no_two_statements_have_the_same_name() -> None:
    names = Counter(path.stem for path in SQL.rglob("*.sql"))

    assert [name for name, number in names.items() if number > 1] == []


def test_every_statement_is_in_a_folder_and_there_is_no_folder_in_a_folder() -> None:
    assert sorted(SQL.rglob("*.sql")) == sorted(SQL.glob("*/*.sql"))


def test_checks_and_cleanings_have_folders_of_their_own() -> None:
    assert {path.parent.name for path in SQL.rglob("check_*.sql")} == {"checks"}
    assert {path.parent.name for path in SQL.rglob("clean_*.sql")} == {"retention"}
    assert all(name.startswith("check_") for name in statement_names("checks"))
