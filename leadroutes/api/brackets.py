"""Parses query strings and forms with brackets, `a[b][]=c`, into text, lists and objects as Express does.

Pure; it does not know fields or operators.
"""

import re
from collections.abc import Iterator
from typing import Any

from leadroutes.errors import Invalid

MAX_PARAMETERS = 1000
MAX_DEPTH = 5

_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_NAME = re.compile(r"([^\[\]][^\[]*)((?:\[[^\[\]]*\])*)")
_BRACKET = re.compile(r"\[([^\[\]]*)\]")

Tree = dict[str | int, Any]  # values are str or Tree; an int key is an entry of `[]`, the next of a list


def parse(text: str, *, only: str | None = None) -> dict[str, Any]:
    """Returns the parameters as text, lists and objects. `only`: those of this name; all others are ignored.

    Raises Invalid for more than 1000 of them, for nesting deeper than five, and for brackets that do not close.
    """
    tree: Tree = {}
    for name, value in _parts(text, only):
        found = _NAME.fullmatch(name)
        if found is None:
            raise Invalid(f"Invalid query parameter {name}: its brackets cannot be read")
        path = [found[1], *_BRACKET.findall(found[2])]
        if len(path) - 1 > MAX_DEPTH:
            raise Invalid(f"Invalid query parameter {name}: nested more than {MAX_DEPTH} levels deep")
        _put(tree, path, value)
    return {str(key): _finished(value) for key, value in tree.items()}


def decode(text: str) -> str:
    """Percent-decodes as UTF-8, `+` as a blank; an invalid escape remains as it was sent."""
    if "+" in text:
        text = text.replace("+", " ")
    return _ESCAPES.sub(_decoded, text) if "%" in text else text


def _parts(text: str, only: str | None) -> Iterator[tuple[str, str]]:
    count = 0
    for part in text.split("&"):
        name, _, value = part.partition("=")
        name = decode(name)
        if not name or name.startswith("__proto__"):
            continue
        if only is not None and name != only and not name.startswith(only + "["):
            continue
        count += 1
        if count > MAX_PARAMETERS:
            raise Invalid(f"More than {MAX_PARAMETERS} parameters were given")
        yield name, decode(value)


def _decoded(found: re.Match[str]) -> str:
    raw = found[0]
    data = bytes.fromhex(raw.replace("%", ""))
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "".join(_decoded_or_as_sent(data, raw))


def _decoded_or_as_sent(data: bytes, raw: str) -> Iterator[str]:
    """Yields the valid escapes of a run decoded, the others as they were sent."""
    start = 0
    while start < len(data):
        for end in range(min(start + 4, len(data)), start, -1):
            try:
                character = data[start:end].decode()
            except UnicodeDecodeError:
                continue
            yield character
            start = end
            break
        else:
            yield raw[3 * start : 3 * start + 3]
            start += 1


def _put(tree: Tree, path: list[str], value: str) -> None:
    *above, last = path
    for word in above:
        tree = _branch(tree, _key(tree, word))
    key = _key(tree, last)
    if key not in tree:
        tree[key] = value
        return
    branch = _branch(tree, key)
    branch[_next(branch)] = value


def _branch(tree: Tree, key: str | int) -> Tree:
    """Returns the branch at the key; a text at this key becomes the first entry of a new branch."""
    there = tree.get(key)
    if isinstance(there, dict):
        return there
    branch: Tree = {} if there is None else {0: there}
    tree[key] = branch
    return branch


def _key(tree: Tree, word: str) -> str | int:
    return word or _next(tree)


def _next(tree: Tree) -> int:
    """Returns the next free number, which is the number of entries."""
    return len(tree)


def _finished(value: Any) -> Any:
    """Trees whose keys are all numbers become lists, in the order of appearance."""
    if not isinstance(value, dict):
        return value
    if all(isinstance(key, int) or (key.isascii() and key.isdigit()) for key in value):
        return [_finished(each) for each in value.values()]
    return {str(key): _finished(each) for key, each in value.items()}
