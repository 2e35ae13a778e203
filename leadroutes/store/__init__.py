"""REMEMBERS. PostgreSQL through asyncpg, SQL in files; decides nothing."""

from functools import cache
from importlib.resources import files


@cache
def statement(name: str) -> str:
    """The SQL of `sql/<name>.sql`; values are bound as $1, $2 …, in the order that its first comment names."""
    return files(__name__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
