"""A log with a store of either kind, and what lies in the store, in plain SQL."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from shared.log.sqlite import open_sqlite_log
from shared.store import postgres
from shared.store.port import Store
from shared.store.schema import setup
from tests.support.ledgers import Books, read_books, sqlite_books
from tests.support.small import JOURNEY
from tests.support.staging import PARTITIONS, Staging, staging

KINDS = ("sqlite", "postgres")


@asynccontextmanager
async def world(kind: str, folder: Path, database: str, devices: str = "split") -> AsyncIterator[Staging]:
    """An empty log and store with the small journey: in the folder, or the store in this PostgreSQL database."""
    if kind == "sqlite":
        async with staging(folder, [JOURNEY], devices) as made:
            yield made
        return
    await setup(database, PARTITIONS, "UTC", devices)
    async with open_sqlite_log(folder / "log.db", PARTITIONS, 86_400) as log, postgres.open(database, 5.0) as store:
        opened: Store = store
        await opened.add_journey(1, "small", JOURNEY)
        async with Staging.over(log, opened) as made:
            yield made


async def books_of(kind: str, folder: Path, database: str, now: int) -> Books:
    """The books of either kind of store."""
    if kind == "sqlite":
        return sqlite_books(folder / "store.db", now)
    answers: dict[str, Sequence[Any]] = {}
    while True:  # ask what is not answered yet, until everything is
        try:
            return read_books(lambda sql: answers[sql], now)
        except KeyError as missing:
            sql = missing.args[0]
            answers[sql] = await ask_postgres(database, sql)


async def ask(kind: str, folder: Path, database: str, sql: str) -> list[tuple[Any, ...]]:
    """The rows of one question."""
    if kind == "postgres":
        return await ask_postgres(database, sql)
    with sqlite3.connect(folder / "store.db") as db:
        return db.execute(sql).fetchall()


async def ask_postgres(database: str, sql: str) -> list[tuple[Any, ...]]:
    """The rows of one question to a PostgreSQL database."""
    connection = await asyncpg.connect(database)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()
