"""The files of others are as they were taken: their hashes, their licences, and none beside them."""

import hashlib
import tomllib
from pathlib import Path

import pytest

from leadroutes import web

VENDOR = Path(web.__file__).parent / "static" / "vendor"
PACKAGES = tomllib.loads((VENDOR / "vendor.toml").read_text())["package"]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda each: each["npm"])
def test_vendored_files_have_the_hashes_that_are_written_down(package) -> None:
    directory = VENDOR / package["directory"]
    present = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in directory.iterdir()}

    assert present == package["sha256"]
    assert "LICENSE" in present
    assert package["licence"]


def test_nothing_is_vendored_without_being_listed() -> None:
    listed = {package["directory"] for package in PACKAGES} | {"vendor.toml"}

    assert {each.name for each in VENDOR.iterdir()} == listed
