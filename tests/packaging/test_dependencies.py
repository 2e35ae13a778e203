"""What is declared, what is locked and what is imported are the same packages."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.lock_files import ROOT, applies, locked, names

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
USE = PROJECT["project"]["dependencies"]
OTEL = PROJECT["project"]["optional-dependencies"]["otel"]
INSTALL, DEV = PROJECT["dependency-groups"]["install"], PROJECT["dependency-groups"]["dev"]
LOCKS = {
    "requirements.lock": [*USE, *INSTALL],
    "requirements-otel.lock": [*USE, *INSTALL, *OTEL],
    "requirements-dev.lock": [*USE, *INSTALL, *OTEL, *DEV],
}
NOT_IMPORTED = {"httptools", "tzdata"}  # uvicorn's parser; what zoneinfo reads where the system has no time zones


def needed(declared: Iterable[str]) -> dict[str, list[Requirement]]:
    """All that these need on this machine, themselves and what they need in turn, with every demand on its version."""
    found: dict[str, list[Requirement]] = {}
    waiting = [each for each in map(Requirement, declared) if applies(each)]
    seen = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        found.setdefault(name, []).append(requirement)
        if (key := (name, frozenset(requirement.extras))) not in seen:
            seen.add(key)
            further = map(Requirement, metadata.requires(name) or ())
            waiting += [each for each in further if applies(each, ("", *requirement.extras))]
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_is_declared_and_what_that_needs_and_nothing_else(lock: str) -> None:
    """bin/lock makes it so; this is for whoever has changed pyproject.toml and not run it."""
    here = {name: each for name, all_of_it in locked(lock).items() for each in all_of_it if applies(each)}
    wanted = needed(LOCKS[lock])

    assert set(here) == set(wanted)
    for name, demands in wanted.items():
        [pin] = here[name].specifier
        assert pin.operator == "=="
        assert [str(each) for each in demands if not each.specifier.contains(pin.version, prereleases=True)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]

    assert len(entries) == sum(map(len, locked(lock).values())) > 50
    assert [entry.partition(" ")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_locks_contain_each_other_so_that_one_is_installed_on_top_of_another() -> None:
    use, otel, dev = ({(name, str(each)) for name, pins in locked(lock).items() for each in pins} for lock in LOCKS)

    assert use < otel < dev


def test_what_users_install_holds_no_developers_tool() -> None:
    tools = names(DEV) - set(needed([*USE, *OTEL]))  # some of them need each other's, as the command line needs click

    assert {"pytest", "mypy", "ruff", "selenium", "schemathesis", "uv"} <= tools
    assert tools & set(locked("requirements.lock")) == set()


# ----------------------------------------------------------------------------------------------------- what is imported


def imported(*rooms: str) -> Iterator[str]:
    """The packages that the code of these rooms imports, by their names in a registry."""
    ours = {"leadroutes", "tests", "bench", "chaos", *sys.stdlib_module_names}
    providers = metadata.packages_distributions()
    for path in (path for room in rooms for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                modules = [node.module]
            for module in modules:
                top = module.partition(".")[0]
                if top == "opentelemetry":  # a namespace of many packages, of which two are declared
                    yield from names(OTEL)
                elif top not in ours:
                    assert top in providers, f"{path}: nothing that is installed provides {module}"
                    yield canonicalize_name(providers[top][0])


def test_what_the_package_imports_is_declared_and_nothing_else() -> None:
    assert set(imported("leadroutes")) == names([*USE, *OTEL]) - NOT_IMPORTED


def test_what_is_optional_is_imported_in_one_place() -> None:
    rooms = {path for path in (ROOT / "leadroutes").rglob("*.py") if "opentelemetry" in path.read_text()}

    assert {path.name for path in rooms} == {"traces.py"}


def test_what_tests_and_tools_import_is_declared() -> None:
    assert set(imported("tests", "bench", "chaos", "bin")) <= names([*USE, *OTEL, *DEV])
