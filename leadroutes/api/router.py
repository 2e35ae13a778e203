"""Finds the operations of a path; the letter case of fixed segments is ignored, variable segments are returned.

Pure; of HTTP it knows the methods only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadroutes.api.operations import ApiPath, Operation
from leadroutes.errors import Invalid, MethodNotAllowed, NotFound

_MANY = {"PATCH": "Can not patch multiple entries", "DELETE": "Can not remove multiple entries"}
_REPLACE_MANY = "You can not replace multiple instances. Did you mean 'patch'?"


@dataclass(frozen=True, slots=True)
class PathMatch:
    """A path that exists, with the values of its variable segments."""

    path: ApiPath
    ids: tuple[str, ...]


class Router:
    """All paths as a tree of segments; built once."""

    def __init__(self, paths: Mapping[str, ApiPath]) -> None:
        self._root: dict[str | None, Any] = {}
        for template, path in paths.items():
            branch = self._root
            for word in template.strip("/").split("/"):
                branch = branch.setdefault(None if word.startswith(":") else word, {})
            branch[""] = path

    def find(self, segments: tuple[str, ...]) -> PathMatch | None:
        branch, ids = self._root, []
        for segment in segments:
            next_branch = branch.get(segment.lower())
            if next_branch is None:
                next_branch = branch.get(None)
                ids.append(segment)
            if next_branch is None:
                return None
            branch = next_branch
        path = branch.get("")
        return PathMatch(path, tuple(ids)) if path is not None else None


def operation_for(path: ApiPath, method: str, url: str) -> Operation:
    """Returns the operation. Raises what the dialect requires for a wrong method (docs/api-dialect.md)."""
    operation = path.operations.get("GET" if method == "HEAD" else method)
    if operation is not None:
        return operation
    if method == "POST" and path.kind == "record":
        raise page_not_found(url)
    if path.kind == "collection" and method in _MANY:
        raise MethodNotAllowed(_MANY[method], allowed=path.allowed)
    if path.kind == "collection" and method == "PUT" and path.replaces:
        raise Invalid(_REPLACE_MANY)
    raise MethodNotAllowed(f"Method {method} is not allowed here", allowed=path.allowed)


def page_not_found(url: str) -> NotFound:
    """Returns the problem for a path that does not exist."""
    return NotFound("Page not found", data={"url": url})
