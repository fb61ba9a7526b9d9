"""Stored state, ledger and positions: one port, SQLite and PostgreSQL behind it."""
