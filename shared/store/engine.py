"""Connections for everything but the stager's hot path: SQLAlchemy, the same on both databases.

An address is the path of a SQLite file, or a postgresql:// address as asyncpg takes it.
"""

import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.store.port import Conflict, StoreUnavailable

#: Seconds that SQLite waits for another writer, and that a connection to PostgreSQL may take.
PATIENCE = 30


def _connected(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver would begin transactions when it thinks fit
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
    cursor.execute("PRAGMA page_size = 8192")
    _use_wal(cursor)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """The file keeps the mode. The first to open it switches, and while two do so the busy time-out is not observed."""
    until = time.monotonic() + PATIENCE
    while True:
        cursor.execute("PRAGMA journal_mode")
        if cursor.fetchone()[0] == "wal":
            return
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def _begun(connection: Connection) -> None:
    # A transaction that reads first and writes later could not be given the lock, however long it waited.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def engine(address: str | Path) -> AsyncEngine:
    """A pool of connections, made when needed. The caller disposes of it."""
    if isinstance(address, Path):
        path = address

        def present(*_: object) -> None:
            if not path.exists():  # SQLite's own error would leave a thread behind
                raise StoreUnavailable(f"there is no store at {path}")

        uri = path.absolute().as_uri()
        made = create_async_engine(f"sqlite+aiosqlite:///{uri}?mode=rw&uri=true")
        event.listen(made.sync_engine, "do_connect", present)
        event.listen(made.sync_engine, "connect", _connected)
        event.listen(made.sync_engine, "begin", _begun)
        return made

    import asyncpg  # not needed where the store is a file

    async def connect() -> Any:  # asyncpg reads the address itself, as it does for the stager
        try:
            return await asyncpg.connect(address, timeout=PATIENCE, command_timeout=4 * PATIENCE)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StoreUnavailable(str(error) or type(error).__name__) from error

    return create_async_engine("postgresql+asyncpg://", async_creator=connect, pool_pre_ping=True)


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Conflict(str(error.orig)) from error
    except DBAPIError as error:
        raise StoreUnavailable(str(error.orig)) from error
    except OSError as error:  # a time-out is one too
        raise StoreUnavailable(str(error) or type(error).__name__) from error


@asynccontextmanager
async def reading(database: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction in which everything is read as of one moment. Raises StoreUnavailable."""
    with _available():
        async with database.connect() as connection:
            if database.dialect.name == "postgresql":
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection


@asynccontextmanager
async def writing(database: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction committed at the end. Raises StoreUnavailable, and Conflict if what is added is there already."""
    with _available():
        async with database.execution_options(writes=True).begin() as connection:
            yield connection
