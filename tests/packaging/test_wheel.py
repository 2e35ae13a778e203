"""`pip wheel .` makes a wheel that is enough: the demo and the service run from it, far from the clone."""

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from leadroutes import __version__

pytestmark = [pytest.mark.registry, pytest.mark.timeout(400)]

PAGES = ("/healthz", "/readyz", "/docs", "/openapi.json", "/sign-in")


@pytest.fixture(scope="module")
def wheel(clone: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", directory, "."],
        cwd=clone, env=environment, check=True,
    )  # fmt: skip
    [made] = directory.iterdir()
    return made


@pytest.fixture(scope="module")
def programs(wheel: Path, clone: Path, environment: dict[str, str]) -> Iterator[Path]:
    """The bin directory of a fresh environment with the wheel, and of all else only what is locked for users."""
    around = Path(tempfile.mkdtemp(prefix="leadroutes-test-"))  # as for open_directory
    directory = around / "of its own"
    subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    pip = [directory / "bin" / "python", "-m", "pip"]
    install = [*pip, "install", "--quiet", "--quiet", "--disable-pip-version-check", "--no-compile"]
    subprocess.run([*install, "--require-hashes", "-r", clone / "requirements.lock"], env=environment, check=True)
    subprocess.run([*install, "--no-deps", "--no-index", wheel], env=environment, check=True)
    subprocess.run([*pip, "check"], env=environment, check=True)
    yield directory / "bin"
    shutil.rmtree(around, ignore_errors=True)


def test_it_says_what_it_is_and_brings_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        text = archive.read(metadata).decode()
        licences = [name for name in archive.namelist() if name.endswith(".dist-info/licenses/LICENSE")]
        rooms = {name.partition("/")[0] for name in archive.namelist() if ".dist-info/" not in name}

    assert wheel.name == f"leadroutes-{__version__}-py3-none-any.whl"
    assert len(licences) == 1
    assert rooms == {"leadroutes"}
    for line in (
        "License-Expression: Apache-2.0",
        "Requires-Python: >=3.11",
        "Description-Content-Type: text/markdown",
    ):
        assert line in text
    assert text.count("\nClassifier: ") > 10
    assert set(re.findall("^Provides-Extra: (.*)$", text, re.MULTILINE)) == {"otel"}


def test_the_demo_runs_from_it(programs: Path, environment: dict[str, str], open_directory: Path) -> None:
    done = subprocess.run(
        [programs / "leadroutes", "demo", "--once", "--port", "0"], cwd=open_directory, env=environment,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["received"] == 23


def test_the_service_runs_from_it(programs: Path, environment: dict[str, str], open_directory: Path) -> None:
    where = [programs / "python", "-c", "import leadroutes; print(leadroutes.__file__)"]
    found = subprocess.run(where, cwd=open_directory, env=environment, capture_output=True, text=True, check=True)
    assert Path(found.stdout.strip()).is_relative_to(programs.parent)

    service = subprocess.Popen(
        [programs / "leadroutes", "serve", "--port", "0"], cwd=open_directory,
        env=environment | {"LEADROUTES_LOG_JSON": "on"}, text=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert service.stderr is not None
        log = (json.loads(line) for line in service.stderr if line.startswith("{"))  # the interpreter may warn before
        address = next(line["address"] for line in log if line.get("event") == "listening")
        with httpx.Client(base_url=address, follow_redirects=True) as client:
            answers = {page: client.get(page).status_code for page in PAGES}
            assets = re.findall(r'(?:href|src)="(/assets/[^"]+)"', client.get("/sign-in").text)
            answers |= {asset: client.get(asset).status_code for asset in assets}
    finally:
        service.send_signal(signal.SIGTERM)
        service.communicate(timeout=60)

    assert assets
    assert answers == dict.fromkeys([*PAGES, *assets], 200)
    assert service.returncode == 0
    assert [path.name for path in open_directory.iterdir()] == [".leadroutes"]
