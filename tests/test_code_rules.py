"""Rules of STYLE.md that a machine checks: sizes, docstrings, names, imports, and documents that say what is so."""

import ast
import functools
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer.main

from leadroutes.cli import app
from leadroutes.settings import described
from leadroutes.store.postgres import Database

ROOT = Path(__file__).parent.parent
ROOMS = ("leadroutes", "tests", "bin", "bench", "chaos")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
STATEMENTS = sorted((ROOT / "leadroutes" / "store" / "sql").glob("*/*.sql"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

LONGEST_FUNCTION = 60
LONGEST_FILE = 500
DECLARATIONS = frozenset({
    "leadroutes/store/migrations/0001_initial.sql",
    "leadroutes/store/migrations/0003_counters.sql",
    "leadroutes/store/schema.sql",
})  # fmt: skip
MARKS = tuple(mark[::-1] for mark in ("ODOT", "EMXIF", "X" * 3, "KCAH"))  # backwards, so that this file passes
EMPTY_NAMES = ("Manager", "Service", "Helper", "Util", "Utils", "Handler", "Processor", "Factory", "Base", "Abstract")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Module:
    """What the rules look at; the tree itself is dropped, since 400 of them keep the garbage collector busy."""

    is_described: bool
    functions: dict[str, int]  # lines
    classes: list[str]
    imports: list[str]


@functools.cache
def read(path: Path) -> Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = Module(not tree.body or ast.get_docstring(tree) is not None, {}, [], [])
    for node in statements(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                found.functions[node.name] = max(lines, found.functions.get(node.name, 0))
            case ast.ClassDef():
                found.classes.append(node.name)
            case ast.ImportFrom():
                found.imports.append(node.module or "")
            case ast.Import():
                found.imports.extend(name.name for name in node.names)
    return found


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Without their expressions, which are nearly all of a tree."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield child
            yield from statements(child)


# --------------------------------------------------------------------------------------------------------- sizes


def test_no_function_is_longer_than_a_screen() -> None:
    lines = {f"{named(path)}:{name}": count for path in SOURCES for name, count in read(path).functions.items()}

    assert {name: count for name, count in lines.items() if count > LONGEST_FUNCTION} == {}


def test_no_file_is_longer_than_a_sitting() -> None:
    files = [*SOURCES, *(ROOT / "leadroutes").rglob("*.sql"), *(ROOT / "leadroutes" / "web").rglob("*.html")]
    lengths = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files}

    assert {name for name, length in lengths.items() if length > LONGEST_FILE} - DECLARATIONS == set()
    assert lengths.keys() >= DECLARATIONS, "an exception that is not needed any more"


# ------------------------------------------------------------------------------------------------------ one author

FUTURES = {
    "leadroutes/store/batching.py",
    # Turns, of which each caller waits for its own; nothing is done in batches.
    "leadroutes/store/lists.py",
    "leadroutes/web/turns.py",
    # Work in another process, which comes back over a pipe.
    "leadroutes/sandbox/processes.py",
}


def test_callers_are_answered_in_batches_by_one_module() -> None:
    sources = [path for path in SOURCES if path.is_relative_to(ROOT / "leadroutes")]

    assert {named(path) for path in sources if "create_future" in path.read_text(encoding="utf-8")} == FUTURES


# --------------------------------------------------------------------------------------------------------- words


def test_every_module_says_what_it_does() -> None:
    assert [named(path) for path in SOURCES if not read(path).is_described] == []


def test_no_class_has_an_empty_name() -> None:
    classes = {f"{named(path)}:{name}": name for path in SOURCES for name in read(path).classes}

    assert [
        where
        for where, name in classes.items()
        if name.lstrip("_").endswith(EMPTY_NAMES) or name.startswith(EMPTY_NAMES)
    ] == []


def classes() -> Iterator[tuple[str, str]]:
    """(module, name) of every class of the package."""
    for path in SOURCES:
        if path.is_relative_to(ROOT / "leadroutes"):
            yield from ((named(path), name) for name in read(path).classes)


def test_no_two_classes_have_the_same_name() -> None:
    modules: defaultdict[str, list[str]] = defaultdict(list)
    for module, name in classes():
        modules[name].append(module)

    assert {name: found for name, found in modules.items() if len(found) > 1} == {}


def test_a_word_that_ends_several_names_has_one_meaning_in_the_glossary() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    nouns = {word for row in re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE) for word in re.findall(r"[a-z]+", row)}
    names: defaultdict[str, list[str]] = defaultdict(list)
    for _, name in classes():
        if not name.startswith("_"):
            names[re.findall(r"[A-Z][a-z0-9]*|[A-Z]+(?![a-z])", name)[-1].lower()].append(name)

    shared = {word: found for word, found in names.items() if len(found) > 1}
    assert len(shared) > 30
    assert {word: found for word, found in shared.items() if not {word, word.removesuffix("s")} & nouns} == {}


def test_nothing_is_marked_unfinished() -> None:
    files = [*SOURCES, *STATEMENTS, *DOCUMENTS, *(ROOT / "bin").iterdir(), *(ROOT / "leadroutes" / "web").rglob("*.*")]
    texts = {named(path): path.read_bytes().decode("utf-8", "replace") for path in files if path.is_file()}

    assert {name: mark for name, text in texts.items() for mark in MARKS if re.search(rf"\b{mark}\b", text)} == {}


def test_every_statement_is_asked_for() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES if path.is_relative_to(ROOT / "leadroutes"))
    loaded = set(re.findall(r"""["']([a-z_]+)["']""", code))
    beginnings = ("check_", *re.findall(r'statement\(f"([a-z_]+)\{', code))  # of names that are put together

    assert [p.stem for p in STATEMENTS if not p.stem.startswith(beginnings) and p.stem not in loaded] == []


# ------------------------------------------------------------------------------------------------------- imports


def test_at_most_seven_modules_lie_outside_the_rooms() -> None:
    """Each is a word that readers know. That every room has a layer is checked by lint-imports (exhaustive)."""
    assert len([path for path in (ROOT / "leadroutes").glob("*.py") if path.name != "__init__.py"]) <= 7


@pytest.mark.slow
def test_no_room_imports_what_it_may_not() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint_imports, "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_tests_share_through_support_alone() -> None:
    paths = [path for path in SOURCES if path.is_relative_to(ROOT / "tests")]
    own = [(named(path), name) for path in paths for name in read(path).imports if name.startswith("tests")]

    assert [each for each in own if not each[1].startswith("tests.support")] == []
    assert [named(path) for path in paths if path.name == "conftest.py"] == ["tests/conftest.py"]


# ----------------------------------------------------------------------------------------------------- documents


@functools.cache
def commands() -> set[str]:
    """`serve`, `user add` … as the command line has them."""
    found: set[str] = set()
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        found |= {name, *(f"{name} {inner}" for inner in getattr(command, "commands", ()))}
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_command_that_a_document_names_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    known = commands()
    groups = {name.split()[0] for name in known if " " in name}
    named_there = set()
    for line in re.findall(r"^\s*(?:\$ )?(?:\.venv/bin/)?leadroutes ([a-z-]+(?: [a-z-]+)?)", text, re.MULTILINE):
        first, *_ = words = line.split()
        named_there.add(" ".join(words[:2]) if first in groups else first)
    scripts = set(re.findall(r"(?<![\w/.])bin/([a-z]+)", text))

    assert named_there <= known
    assert {name for name in scripts if not (ROOT / "bin" / name).exists()} == set()


def test_every_setting_is_documented_and_every_variable_is_a_setting() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    settings = {name for name, _, _ in described()}
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "leadroutes").rglob("*.py"))

    assert {name for name in settings if f"`{name}`" not in page} == set()
    assert set(re.findall(r"\bLEADROUTES_[A-Z_]+[A-Z]\b", code)) <= settings


@pytest.mark.slow
def test_what_is_made_from_the_code_is_what_the_code_makes() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "bin" / "generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


# -------------------------------------------------------------------------------------------------------- schema

CATALOGUE = """
SELECT 'column' AS kind, table_name || '.' || column_name AS name,
       concat_ws(' ', data_type, collation_name, is_nullable, column_default, identity_generation) AS definition
FROM information_schema.columns WHERE table_schema = $1
UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = $1
UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = $1::regnamespace AND conrelid <> 0
UNION ALL SELECT 'function', proname, pg_get_functiondef(oid)
FROM pg_proc WHERE pronamespace = $1::regnamespace AND prokind <> 'a'
UNION ALL SELECT 'aggregate', aggfnoid::oid::regprocedure::text,
       concat_ws(' ', aggtransfn, aggtranstype::regtype, agginitval)
FROM pg_aggregate JOIN pg_proc ON pg_proc.oid = aggfnoid WHERE pronamespace = $1::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(pg_trigger.oid)
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE relnamespace = $1::regnamespace AND NOT tgisinternal
"""


async def test_the_schema_is_the_sum_of_the_migrations(database: Database) -> None:
    """Applied in one go, to an empty place, it makes what the migrations make one after the other."""
    schema = (ROOT / "leadroutes" / "store" / "schema.sql").read_text(encoding="utf-8")
    async with database.pool.acquire() as connection, connection.transaction():
        migrated = await catalogue(connection, "public")
        await connection.execute("CREATE SCHEMA other; SET LOCAL search_path = other")
        await connection.execute(schema)
        summed = await catalogue(connection, "other")

    foreign = {key for key in migrated if "pgqueuer" in key[1] or key[1].startswith(("migrations", "tg_pgqueuer"))}
    assert {key: value for key, value in migrated.items() if key not in foreign} == summed


async def catalogue(connection: object, schema: str) -> dict[tuple[str, str], str]:
    rows = await connection.fetch(CATALOGUE, schema)  # type: ignore[attr-defined]
    prefix = f"{schema}."
    return {(row["kind"], row["name"].replace(prefix, "")): row["definition"].replace(prefix, "") for row in rows}


def test_only_one_function_reads_the_clock_of_a_zone() -> None:
    """Moments that people enter reach to the ends of the calendar, where `astimezone` fails; `wall_clock` does not."""
    reading = re.compile(r"\.astimezone\((?!UTC\))")
    files = [each for each in SOURCES if named(each).startswith("leadroutes/") and "demo" not in named(each)]
    found = {named(each) for each in files if reading.search(each.read_text(encoding="utf-8"))}
    assert found == {"leadroutes/domain/moments.py"}


def test_a_clock_that_a_test_moves_to_a_date_has_begun_at_one() -> None:
    """A clock goes forward only: moved from now to a date, it stays where it is as soon as that date is past."""
    moving = re.compile(r"move_clock\(.*(?:fromisoformat|datetime\(|\b[A-Z]{2}[A-Z_]*\b).* - .*\bnow\b")
    texts = {named(each): each.read_text(encoding="utf-8") for each in SOURCES if named(each).startswith("tests/")}
    assert [name for name, text in texts.items() if moving.search(text) and "begin_clock" not in text] == []
