"""REMEMBERS. PostgreSQL through asyncpg, SQL in files; decides nothing."""

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable


@cache
def statement(name: str) -> str:
    """Return the SQL of `sql/*/<name>.sql`; values are bound as $1, $2 …, in the order that its first comment names."""
    return _statement_files()[name].read_text(encoding="utf-8")


def statement_names(folder: str) -> list[str]:
    """Return the names of the statements of one folder of `sql/`, in order."""
    return sorted(each.name.removesuffix(".sql") for each in files(__name__).joinpath("sql", folder).iterdir())


@cache
def _statement_files() -> dict[str, Traversable]:
    folders = (each for each in files(__name__).joinpath("sql").iterdir() if each.is_dir())
    return {file.name.removesuffix(".sql"): file for folder in folders for file in folder.iterdir()}
