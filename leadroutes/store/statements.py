"""The SQL statements in `sql/*/<name>.sql`, with named parameters. Runs none of them; see sql/README.md."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from operator import itemgetter
from typing import Any

# What is read as a whole, so that no `:name` is found in it: comments, strings, quoted names, casts, and the second
# bound of an array slice. Whatever is in dollar quotes is looked into.
_TOKENS = re.compile(
    r"""--[^\n]*                        # a comment
    | \b[eE]'(?:[^'\\]|\\.|'')*'        # a string with escapes
    | '(?:[^']|'')*'
    | "(?:[^"]|"")*"
    | ::
    | [\w\])]\s*:\s*\w+(?=\s*\])        # a slice: [1:n]
    | :(?P<name>[a-z_][a-z0-9_]*)
    """,
    re.VERBOSE | re.DOTALL,
)


class Statement:
    """One statement: `text` with $1, $2 … in place of its named parameters, and their names in that order.

    Not a str itself: asyncpg takes no subclass of str.
    """

    __slots__ = ("_count", "_head", "_select", "name", "parameters", "text")

    def __init__(self, name: str, source: str) -> None:
        numbers: dict[str, int] = {}

        def number(found: re.Match[str]) -> str:
            parameter = found["name"]
            return found[0] if parameter is None else f"${numbers.setdefault(parameter, len(numbers) + 1)}"

        self.name = name
        self.text = _TOKENS.sub(number, source)
        self.parameters = tuple(numbers)
        self._count = len(numbers)
        self._head = (self.text,)
        self._select = _selector(self.parameters)

    def bind(self, **values: Any) -> tuple[Any, ...]:
        """Return the text and the values in its order: `await database.fetch(*statement(…).bind(owner_id=1))`.

        Raises TypeError when a parameter has no value, or a value no parameter.
        """
        try:
            if len(values) == self._count:
                return self._head + self._select(values)  # in half of the time that (self.text, *…) takes
        except KeyError:
            pass
        raise TypeError(self._complaint(values))

    def inline(self, **values: str) -> str:
        """Return the text with these SQL expressions in place of its parameters, for psql and EXPLAIN.

        Raises TypeError as `bind` does.
        """
        _, *expressions = self.bind(**values)
        return re.sub(r"\$(\d+)", lambda found: expressions[int(found[1]) - 1], self.text)

    @property
    def source(self) -> str:
        """The text with the names of its parameters, to be a part of another statement."""
        return self.inline(**{name: f":{name}" for name in self.parameters})

    def _complaint(self, values: Mapping[str, Any]) -> str:
        missing = [name for name in self.parameters if name not in values]
        unknown = [name for name in values if name not in self.parameters]
        faults = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has no {', '.join(unknown)}"] * bool(unknown)
        return f"{self.name} {' and '.join(faults)}"


def _selector(parameters: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Return the function that takes the values of `parameters` out of a dict, in this order."""
    match parameters:
        case ():
            return lambda _: ()
        case (name,):
            return lambda values: (values[name],)  # itemgetter returns no tuple for one name
        case _:
            return itemgetter(*parameters)


@cache
def statement(name: str) -> Statement:
    """Return the statement of this name, in whichever folder it is. Raises KeyError where there is none."""
    return Statement(name, _statement_files()[name].read_text(encoding="utf-8"))


@cache
def joined(*names: str) -> Statement:
    """Return one statement that runs several which only read, so that they take one round trip.

    Its row has a column for each of them, with the rows that it returns as a JSON list. Parameters of one name are one.
    """
    columns = [
        f"(SELECT coalesce(json_agg(x), '[]') FROM (\n{statement(name).source}\n) x)::text AS {name}"  # noqa: S608 -- of our files
        for name in names
    ]
    return Statement(" with ".join(names), "SELECT " + ",\n".join(columns))


def statement_names(folder: str) -> list[str]:
    """Return the names of the statements in one folder of `sql/`, in alphabetical order."""
    return sorted(each.name.removesuffix(".sql") for each in _sql().joinpath(folder).iterdir())


@cache
def _statement_files() -> dict[str, Traversable]:
    folders = (each for each in _sql().iterdir() if each.is_dir())
    return {file.name.removesuffix(".sql"): file for folder in folders for file in folder.iterdir()}


def _sql() -> Traversable:
    return files("leadroutes.store").joinpath("sql")
