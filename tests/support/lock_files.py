"""The packages that a requirements file pins, by name."""

import re
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def names(declared: Iterable[str]) -> set[str]:
    return {canonicalize_name(Requirement(each).name) for each in declared}


def locked(lock: str) -> dict[str, list[Requirement]]:
    """The pinned requirements by name; a name may be there twice, with markers that exclude each other."""
    found: dict[str, list[Requirement]] = {}
    for line in re.findall(r"^[a-z0-9][^\\\n]*", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE):
        requirement = Requirement(line)
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def applies(requirement: Requirement, extras: Iterable[str] = ("",)) -> bool:
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)
