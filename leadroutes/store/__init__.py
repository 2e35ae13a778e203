"""REMEMBERS. PostgreSQL through asyncpg, SQL in files; decides nothing."""

from leadroutes.store.statements import Statement, statement, statement_names

__all__ = ["Statement", "statement", "statement_names"]
