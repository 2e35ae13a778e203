"""Statements are files in folders by area, and each is found by its name alone."""

import ast
import json
import re
from collections import Counter
from itertools import takewhile
from pathlib import Path

import pytest

import leadroutes.store
from leadroutes.store import Statement, joined, statement, statement_names
from leadroutes.store.postgres import Database

SQL = Path(leadroutes.store.__file__).parent / "sql"
PLANNER_TERMS = set(re.findall(r"^\*\*(.+)\*\*:", (SQL / "README.md").read_text(encoding="utf-8"), re.MULTILINE))


def test_no_two_statements_have_the_same_name() -> None:
    names = Counter(path.stem for path in SQL.rglob("*.sql"))

    assert [name for name, number in names.items() if number > 1] == []


def test_every_statement_is_in_a_folder_and_there_is_no_folder_in_a_folder() -> None:
    assert sorted(SQL.rglob("*.sql")) == sorted(SQL.glob("*/*.sql"))


def test_checks_and_cleanings_have_folders_of_their_own() -> None:
    assert {path.parent.name for path in SQL.rglob("check_*.sql")} == {"checks"}
    assert {path.parent.name for path in SQL.rglob("clean_*.sql")} == {"retention"}
    assert all(name.startswith("check_") for name in statement_names("checks"))


TEXTS = {
    "SELECT :a, :b_2, :a": "SELECT $1, $2, $1",
    "SELECT :a::text, now()::date": "SELECT $1::text, now()::date",
    "SELECT x[1:2], x[n:m], x[:n]": "SELECT x[1:2], x[n:m], x[$1]",
    "SELECT ':a', 'it''s :a', E'\\':a', \":a\"": "SELECT ':a', 'it''s :a', E'\\':a', \":a\"",
    "-- of :a\nSELECT 1 -- :b": "-- of :a\nSELECT 1 -- :b",
    "DO $$ BEGIN x := 1; y := :a; END $$": "DO $$ BEGIN x := 1; y := $1; END $$",
}


@pytest.mark.parametrize(("source", "text"), TEXTS.items(), ids=TEXTS)
def test_named_parameters_become_numbers_wherever_sql_can_have_a_value(source: str, text: str) -> None:
    assert Statement("x", source).text == text


def test_values_are_bound_by_name_and_whatever_is_missing_or_unknown_is_refused() -> None:
    found = Statement("find_it", "SELECT :owner_id, :id, :owner_id")

    assert found.parameters == ("owner_id", "id")
    assert found.bind(id=2, owner_id=1) == ("SELECT $1, $2, $1", 1, 2)
    for values, fault in [
        ({"id": 2}, "find_it lacks owner_id"),
        ({"id": 2, "owner_id": 1, "of": 3}, "find_it has no of"),
        ({"id": 2, "owner": 1}, "find_it lacks owner_id and has no owner"),
    ]:
        with pytest.raises(TypeError, match=f"^{fault}$"):
            found.bind(**values)


def test_one_and_no_parameter_are_bound_as_many_are() -> None:
    assert Statement("x", "SELECT 1").bind() == ("SELECT 1",)
    assert Statement("x", "SELECT :values").bind(values=[1, 2]) == ("SELECT $1", [1, 2])


def test_expressions_are_put_in_place_of_parameters() -> None:
    numbered = Statement("x", "SELECT " + ", ".join(f":p_{number}" for number in range(11)))

    assert numbered.inline(**{f"p_{number}": f"'{number}'" for number in range(11)}) == (
        "SELECT '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10'"
    )


async def test_every_statement_can_be_prepared(database: Database) -> None:
    blocks = {"approve_restored", "clear_schema"}  # of PL/pgSQL, which take no parameters
    async with database.pool.acquire() as connection:
        for found in [statement(path.stem) for path in SQL.glob("*/*.sql") if path.stem not in blocks]:
            prepared = await connection.prepare(found.text)
            assert len(prepared.get_parameters()) == len(found.parameters), found.name


@pytest.mark.parametrize("path", sorted(SQL.glob("*/*.sql")), ids=lambda path: path.stem)
def test_every_statement_begins_with_a_sentence(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    header = " ".join(line.removeprefix("--").strip() for line in takewhile(lambda line: line.startswith("--"), lines))
    sentences, *planner = header.split(" planner: ")

    assert re.fullmatch(r"[A-Z].*[^.]\.", sentences)
    assert max(map(len, lines)) <= 120
    assert [line for line in lines if re.search(r"\$\d", line)] == [], "parameters have names"
    assert {name for each in planner for name in each.split(", ")} <= PLANNER_TERMS


def test_every_term_for_the_planner_is_explained_and_used() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in SQL.glob("*/*.sql"))
    used = {name for names in re.findall(r"-- planner: (.+)", code) for name in names.split(", ")}

    assert used == PLANNER_TERMS


SQL_TEXT = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|LOCK TABLE|TRUNCATE|ANALYZE|NOTIFY)(\s|$)")


def test_there_is_no_sql_outside_the_store_and_the_api() -> None:
    package = SQL.parent.parent
    outside = [path for path in package.rglob("*.py") if path.relative_to(package).parts[0] not in ("store", "api")]

    assert {path.name: texts for path in outside if (texts := sql_in(path))} == {}


def sql_in(path: Path) -> list[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    texts = (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [text for text in texts if SQL_TEXT.match(text)]


async def test_statements_that_are_joined_take_one_round_trip(database: Database) -> None:
    found = joined("has_lead", "find_first_steps", "list_channel_faults")
    assert found.parameters == ("owner_id", "is_admin"), "one of each name"
    row = await database.fetchrow(*found.bind(owner_id=1, is_admin=False))

    assert list(row.keys()) == ["has_lead", "find_first_steps", "list_channel_faults"]
    has_lead, [first_steps], faults = (json.loads(column) for column in row.values())
    assert (has_lead, faults) == ([{"exists": False}], [])
    assert first_steps["has_lead"] is False
