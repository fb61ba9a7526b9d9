"""The embedded store: one SQLite file, for any number of sessions and processes of one machine.

Each session has a connection and a thread of its own, so that a transaction's fsync keeps nobody else waiting. SQLite
knows one lock, the file's: whoever writes has it, and `lock` takes it whatever customers are named.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from shared.store import schema, sqlite_reads, sqlite_writes, versions
from shared.store.port import Conflict, StoreMismatch, StoreUnavailable
from shared.store.rows import (
    Amendment,
    Catalog,
    Changes,
    Claim,
    CustomerRow,
    Fill,
    Identity,
    JourneyRow,
    LedgerRow,
    LinkRow,
    SnapshotRow,
)

P = ParamSpec("P")
T = TypeVar("T")


def _connect(path: Path, lease: float) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, cached_statements=128)
    db.execute(f"PRAGMA busy_timeout = {int(lease * 1000)}")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA cache_size = -16384")  # KiB
    db.execute("PRAGMA wal_autocheckpoint = 8000")  # pages: longer runs between checkpoints write a page once
    return db


class SqliteSession:
    """A `port.Session`: its calls run one after another in its thread, on its connection."""

    def __init__(self, path: Path, lease: float) -> None:
        self._path, self._lease = path, lease
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._db: sqlite3.Connection | None = None

    async def _run(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        def run() -> T:
            try:
                if self._db is None:
                    self._db = _connect(self._path, self._lease)
                return work(self._db, *args, **kwargs)
            except sqlite3.IntegrityError as error:
                raise Conflict(str(error)) from error
            except sqlite3.OperationalError as error:
                self._disconnect()
                raise StoreUnavailable(f"{self._path}: {error}") from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    def _disconnect(self) -> None:
        if self._db is not None:
            self._db.close()  # rolls back what is open
            self._db = None

    async def close(self) -> None:
        """Ends the thread after what it is doing."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    async def claim(self, partition: int, owner: str) -> Claim:
        return await self._run(sqlite_writes.claim, partition, owner)

    async def clock(self, held: Sequence[Claim], at_end: bool) -> int:
        return await self._run(sqlite_writes.clock, held if at_end else ())

    async def catalog(self) -> Catalog:
        return await self._run(sqlite_reads.catalog)

    async def amendments(self) -> list[Amendment]:
        return await self._run(sqlite_reads.amendments)

    async def announce(self) -> None:
        await self._run(sqlite_writes.announce)

    async def streams_after(self, project: int, after: int, limit: int) -> list[tuple[int, int]]:
        return await self._run(sqlite_reads.streams_after, project, after, limit)

    async def names(self, project: int) -> set[tuple[str, str]]:
        return await self._run(sqlite_reads.names, project)

    async def identities(self, keys: Sequence[tuple[int, int, str]]) -> dict[tuple[int, int, str], Identity]:
        return await self._run(sqlite_reads.identities, keys)

    async def customers(self, ids: Sequence[tuple[int, int]]) -> dict[int, CustomerRow]:
        return await self._run(sqlite_reads.customers, ids)

    async def lock(self, ids: Sequence[tuple[int, int]]) -> None:
        await self._run(sqlite_writes.lock)

    async def abandon(self) -> None:
        await self._run(sqlite_writes.abandon)

    async def streams(self, ids: Sequence[tuple[int, int]]) -> dict[int, list[tuple[int, str, int]]]:
        return await self._run(sqlite_reads.streams, ids)

    async def owners(self, project: int, streams: Sequence[int]) -> dict[int, int]:
        return await self._run(sqlite_reads.owners, project, streams)

    async def links_of(self, project: int, streams: Sequence[int]) -> list[LinkRow]:
        return await self._run(sqlite_reads.links, "stream", project, streams)

    async def links_to(self, project: int, owners: Sequence[int]) -> list[LinkRow]:
        return await self._run(sqlite_reads.links, "owner", project, owners)

    async def history(self, project: int, spans: Sequence[tuple[int, int, int]]) -> list[tuple[int, bytes]]:
        return await self._run(sqlite_reads.history, project, spans)

    async def ids(self, ids: Sequence[tuple[int, int]]) -> dict[int, bytes]:
        return await self._run(sqlite_reads.ids, ids)

    async def snapshot(self, project: int, customer: int, before: int) -> SnapshotRow | None:
        return await self._run(sqlite_reads.snapshot, project, customer, before)

    async def ledger(self, ids: Sequence[tuple[int, int]]) -> dict[int, list[LedgerRow]]:
        return await self._run(sqlite_reads.ledger, ids)

    async def due(self, partition: int, until: int, limit: int) -> list[tuple[int, int]]:
        return await self._run(sqlite_reads.due, partition, until, limit)

    async def queue(self, partition: int, limit: int) -> list[tuple[int, int, int]]:
        return await self._run(sqlite_reads.queue, partition, limit)

    async def fills(self, partitions: Sequence[int]) -> list[Fill]:
        return await self._run(sqlite_reads.fills, partitions)

    async def to_fill(self, project: int, start: int, until: int, limit: int) -> list[int]:
        return await self._run(sqlite_reads.to_fill, project, start, until, limit)

    async def write(self, changes: Changes) -> None:
        await self._run(sqlite_writes.write, changes)


class SqliteStore:
    """A `port.Store`."""

    def __init__(self, path: Path, lease: float) -> None:
        self._path, self._lease = path, lease

    @asynccontextmanager
    async def session(self) -> AsyncIterator[SqliteSession]:
        session = SqliteSession(self._path, self._lease)
        try:
            yield session
        finally:
            await session.close()

    async def check(self) -> None:
        if not self._path.exists():
            raise StoreMismatch(f"there is no store at {self._path}: {schema.REMEDY}")
        async with self.session() as session:
            schema.verify(await session._run(sqlite_reads.revision))

    async def add_journey(self, project: int, name: str, definition: str, hold: bool = False) -> JourneyRow:
        return await versions.add(self._path, project, name, definition, hold)


@asynccontextmanager
async def open(path: Path, lease: float) -> AsyncIterator[SqliteStore]:
    """Opens the store in this file. `lease`: seconds to wait for another writer before it is unavailable."""
    yield SqliteStore(path, lease)
