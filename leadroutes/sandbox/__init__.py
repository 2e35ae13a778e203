"""RUNS FOREIGN TEXT. In processes of their own, limited in time and memory. Decides nothing, knows no database."""
