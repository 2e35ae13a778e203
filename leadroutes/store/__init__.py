"""REMEMBERS. PostgreSQL through asyncpg, SQL in files; decides nothing."""

from leadroutes.store.statements import Statement, joined, statement, statement_names

__all__ = ["Statement", "joined", "statement", "statement_names"]
