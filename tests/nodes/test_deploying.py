"""What lies in deploy/ and is said in docs/deploying.md: every setting, command, file, service named there exists."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main
import yaml

from chaos.programs import ROOT
from leadroutes.cli import app
from leadroutes.settings import Settings, described
from leadroutes.store.postgres import Database

DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.iterdir() if path.is_file())
UNITS = sorted(DEPLOY.glob("*.service"))
PAGE = ROOT / "docs" / "deploying.md"
SETTING = re.compile(r"\b(?:DATABASE_URL|LEADROUTES_[A-Z_]+[A-Z])\b")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yml").read_text())


@pytest.mark.parametrize("path", [*FILES, PAGE], ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    known = {name for name, _, _ in described()}

    assert {name.removesuffix("_FILE") for name in SETTING.findall(path.read_text())} <= known


def test_the_environment_file_is_one_that_the_service_can_read() -> None:
    lines = (DEPLOY / "leadroutes.env").read_text().splitlines()
    given = dict(line.removeprefix("#").split("=", 1) for line in lines if re.match(r"#?[A-Z_]+=", line))

    assert len(given) > 5
    secrets = {"DATABASE_URL": "postgresql://pgbouncer/leadroutes", "LEADROUTES_TWILIO_TOKEN": "0123456789abcdef"}
    assert Settings.load({**secrets, **given}).stop_delay == 10


def understood(arguments: list[str]) -> None:
    """Raises what the command line says of arguments that it does not know."""
    command: Any = typer.main.get_command(app)
    context = click.Context(command)
    while hasattr(command, "commands"):
        name, *arguments = arguments
        command = command.get_command(context, name)
        assert command is not None, f"there is no command {name}"
    command.make_context(command.name, list(arguments), resilient_parsing=False)


def in_dockerfile(word: str) -> list[str]:
    return re.findall(rf"^{word} (.+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)


def test_the_images_commands_are_understood() -> None:
    [entrypoint], [command] = in_dockerfile("ENTRYPOINT"), in_dockerfile("CMD")
    assert yaml.safe_load(entrypoint) == ["leadroutes"]
    for arguments in [
        yaml.safe_load(command),
        *(each["command"] for each in COMPOSE["services"].values() if "command" in each),
    ]:
        understood(arguments)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_units_command_is_understood(path: Path) -> None:
    [line] = re.findall(r"^ExecStart=(.+)$", path.read_text(), re.MULTILINE)
    program, *arguments = shlex.split(line.replace("%i", "8081"))

    assert program == "/opt/leadroutes/.venv/bin/leadroutes"
    understood(arguments)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong_with_a_unit(path: Path, tmp_path: Path) -> None:
    unit = tmp_path / path.name.replace("@", "@8081")
    unit.write_text(path.read_text().replace("/opt/leadroutes/.venv/bin/leadroutes", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, [line for line in done.stderr.splitlines() if path.stem.split("@")[0] in line]) == (0, [])


def test_a_process_is_given_time_enough_to_end() -> None:
    """The delay, and what requests that are under way may take."""
    from leadroutes.server.run import DRAIN_TIMEOUT

    needed = 10 + DRAIN_TIMEOUT
    assert all(int(re.findall(r"TimeoutStopSec=(\d+)", path.read_text())[0]) > needed for path in UNITS)
    assert int(COMPOSE["services"]["serve1"]["stop_grace_period"].removesuffix("s")) > needed


def test_the_compose_file_names_only_what_it_has() -> None:
    services = COMPOSE["services"]
    for service in services.values():
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        assert set(service.get("depends_on", ())) <= set(services)
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (DEPLOY / source).exists()
    nodes = services["caddy"]["environment"]["NODES"].split()
    assert {node.split(":")[0] for node in nodes} == {name for name in services if name.startswith("serve")}
    assert {node.split(":")[1] for node in nodes} == set(in_dockerfile("EXPOSE"))


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker is not installed")
def test_compose_reads_it_as_it_is_meant() -> None:
    asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    if asked.returncode:
        pytest.skip("docker compose is not installed")
    done = subprocess.run(
        ["docker", "compose", "-f", str(DEPLOY / "compose.yml"), "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_what_the_image_copies_makes_the_whole_package(tmp_path: Path) -> None:
    """Built from those files alone, it is installed with all its statements, templates and pages."""
    for line in in_dockerfile("COPY"):
        *sources, _ = line.split()
        for source in sources if not line.startswith("--from") else ():
            copied = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copied(ROOT / source, tmp_path / source)
    installed = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*install, "--disable-pip-version-check", "--target", installed, tmp_path], check=True, env=quiet())
    version = subprocess.run(
        [sys.executable, "-m", "leadroutes", "--version"], cwd=installed, check=True, capture_output=True, text=True
    )

    assert version.stdout.startswith("leadroutes ")
    assert files_of(installed / "leadroutes") == files_of(ROOT / "leadroutes")


def quiet() -> dict[str, str]:
    return os.environ | {"PIP_ROOT_USER_ACTION": "ignore"}


def files_of(package: Path) -> set[str]:
    return {
        path.relative_to(package).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_every_file_that_the_page_names_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE.read_text())

    assert links
    assert [link for link in links if "://" not in link and not (PAGE.parent / link).exists()] == []


# ------------------------------------------------------------------------------------------------- beyond one server

KEYS = """
SELECT c.relname, bool_or(i.indisprimary AND a.attname = 'owner_id') AS is_first,
       bool_or(i.indisunique AND NOT i.indisprimary AND NOT EXISTS (
           SELECT FROM pg_attribute b
           WHERE b.attrelid = c.oid AND b.attnum = ANY (i.indkey) AND b.attname = 'owner_id')) AS lacks
FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname !~ '^pgqueuer' GROUP BY 1
"""


async def test_the_page_knows_which_keys_do_not_begin_with_the_owner(database: Database) -> None:
    rows = await database.fetch(KEYS)

    assert tables_after("keys without owner_id first") == {row["relname"] for row in rows if not row["is_first"]}
    assert tables_after("unique without owner_id") == {
        row["relname"] for row in rows if row["is_first"] and row["lacks"]
    }


def tables_after(mark: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", PAGE.read_text().partition(f"<!-- {mark} -->")[2].partition("<!-- end -->")[0]))


def test_every_statement_that_the_page_names_exists() -> None:
    names = re.findall(r"`((?:take|find|load)_\w+)`", PAGE.read_text())

    assert len(names) > 5
    known = {path.stem for path in (ROOT / "leadroutes" / "store" / "sql").glob("*/*.sql")}
    assert [name for name in names if name not in known] == []
