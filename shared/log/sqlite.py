"""The embedded log: one SQLite file, durable at every acknowledgement.

A commit appends one row of packed values per partition (in slices of `SLICE`) and moves the partition's end,
which outlives the values. Several processes may append to one file at once, and see what the others appended.
"""

import asyncio
import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from functools import partial
from itertools import takewhile
from pathlib import Path

import msgspec

from shared.log.gather import Budget, Lane
from shared.log.port import Chunk, Entry, LogUnavailable, PositionLost, Reader, partition_of
from shared.log.sqlite_file import Connection, begin, ends, prepare

Values = defaultdict[int, list[bytes]]

#: The most values in one row, so that reading a few does not unpack very many.
SLICE = 1000
#: So many rows go into one statement; SQLite takes 32,766 values in one.
ROWS, COLUMNS = 1000, 5
#: One read returns early once it holds this many bytes, however few values they are.
READ_BYTES = 32 << 20
#: How often a waiting reader looks for what other processes appended, in seconds.
POLL = 0.1

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[bytes]).decode


@asynccontextmanager
async def open_sqlite_log(
    path: Path,
    partitions: int,
    retention_seconds: float,
    append_deadline: float = 10,
    append_bytes: int = 64 << 20,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator["SqliteLog"]:
    """Opens the file, making it if it is not there. Raises LogMismatch or LogUnavailable.

    On leaving, what was appended is written before the file is closed.
    """
    log = SqliteLog(path, partitions, retention_seconds, append_deadline, append_bytes, clock)
    try:
        await log.prepare()
        yield log
    finally:
        await log.close()


class SqliteLog:
    """A Log. Made by `open_sqlite_log`."""

    def __init__(
        self,
        path: Path,
        partitions: int,
        retention_seconds: float,
        append_deadline: float,
        append_bytes: int,
        clock: Callable[[], float],
    ) -> None:
        self.partitions = partitions
        self._path, self._retention, self._deadline, self._clock = (
            path,
            retention_seconds,
            append_deadline,
            clock,
        )
        self._budget = Budget(append_bytes)
        self._lane: Lane[Values] = Lane(partial(defaultdict, list), self._write, self._budget, append_deadline)
        self._writer = Connection(path, "log-writer")
        self._reader = Connection(path, "log-reader")
        self._appended = asyncio.Event()
        self._closed = False

    async def prepare(self) -> None:
        """Makes or checks the file."""
        await self._writer.run(lambda db: prepare(db, self._path, self.partitions, self._deadline))

    async def close(self) -> None:
        """Refuses further appends, then writes what was accepted."""
        self._closed = True
        await self._lane.drain()
        await self._writer.close()
        await self._reader.close()

    async def append(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        size = sum([len(value) for _, value in entries])
        self._take(size)
        content, partitions = self._lane.content, self.partitions
        for key, value in entries:
            content[partition_of(key, partitions)].append(value)
        await self._durable(size)

    async def healthy(self) -> None:
        """Writes an empty commit, so a full disk, a lost file or a lock held for long is noticed."""
        self._take(0)
        await self._durable(0)

    async def start(self, partition: int) -> int:
        return (await self._reader.run(lambda db: _bounds(db, partition)))[0]

    async def end(self, partition: int) -> int:
        return (await self._reader.run(lambda db: _bounds(db, partition)))[1]

    @asynccontextmanager
    async def reader(self, name: str) -> AsyncIterator[Reader]:
        """Every member is assigned all partitions: the store's epochs decide between two."""
        yield _SqliteReader(frozenset(range(self.partitions)), self._reader, self._appended)

    def onlooker(self) -> AbstractAsyncContextManager[Reader]:
        return self.reader("onlooker")

    async def trim(self, positions: dict[int, int]) -> int:
        """Drops values older than the retention that lie before these positions; returns how many.

        A partition that is not named keeps everything.
        """
        before, dropped = self._clock() - self._retention, 0
        for partition, position in sorted(positions.items()):
            dropped += await self._trim_partition(partition, position, before)
        return dropped

    async def _trim_partition(self, partition: int, position: int, before: float) -> int:
        """In short steps, so that appends wait little."""
        dropped = 0
        while step := await self._writer.run(lambda db: self._trim_step(db, partition, position, before)):
            dropped += step
        return dropped

    def _take(self, size: int) -> None:
        if self._closed:
            raise LogUnavailable("the log is being closed")
        self._budget.take(size)

    async def _durable(self, size: int) -> None:
        if error := await self._lane.join(size):
            raise error

    async def _write(self, content: Values) -> None:
        await self._writer.run(lambda db: self._commit(db, content))
        self._appended.set()
        self._appended.clear()

    def _commit(self, db: sqlite3.Connection, content: Values) -> None:
        """In few statements: each may have to wait until the event loop's thread lets go of the interpreter."""
        begin(db, self._deadline)
        appended, following = self._clock(), ends(db)
        row: list[object] = []
        for partition, values in content.items():
            for at in range(0, len(values), SLICE):
                part = values[at : at + SLICE]
                first = following[partition]
                following[partition] += len(part)
                row += (partition, first, following[partition], appended, _pack(part))
                if len(row) >= ROWS * COLUMNS:
                    _insert(db, row)
        if row:
            _insert(db, row)
        db.execute("UPDATE ends SET next = ?", (json.dumps(following),))
        db.execute("COMMIT")

    def _trim_step(self, db: sqlite3.Connection, partition: int, position: int, before: float) -> int:
        begin(db, self._deadline)
        oldest = db.execute(
            "SELECT rowid, next - first, appended FROM chunks WHERE partition = ? AND next <= ?"
            " ORDER BY next LIMIT 100",
            (partition, position),
        ).fetchall()
        # A clock set back leaves newer stamps before older ones: the front may go, never the middle.
        old = list(takewhile(lambda row: row[2] < before, oldest))
        db.executemany("DELETE FROM chunks WHERE rowid = ?", [(rowid,) for rowid, _, _ in old])
        db.execute("COMMIT")
        return sum(count for _, count, _ in old)


class _SqliteReader:
    def __init__(self, partitions: frozenset[int], connection: Connection, appended: asyncio.Event) -> None:
        self._partitions, self._connection, self._appended = partitions, connection, appended
        self._seen: list[int] = []

    def assigned(self) -> frozenset[int]:
        return self._partitions

    async def read(self, partition: int, position: int, limit: int) -> Chunk:
        return await self._connection.run(lambda db: _read(db, partition, position, limit))

    async def ends(self, partitions: Sequence[int]) -> dict[int, int]:
        found = await self._connection.run(ends)
        return {partition: found[partition] for partition in partitions}

    async def wait(self, seconds: float) -> None:
        """What was appended since the last return counts, so nothing falls between a read and a wait."""
        until = time.monotonic() + seconds
        while True:
            woken = asyncio.ensure_future(self._appended.wait())
            try:
                found = await self._connection.run(ends)
                left = until - time.monotonic()
                if found != self._seen or left <= 0:
                    self._seen = found
                    return
                await asyncio.wait((woken,), timeout=min(left, POLL))
            finally:
                woken.cancel()


def _insert(db: sqlite3.Connection, row: list[object]) -> None:
    places = ", ".join(["(?, ?, ?, ?, ?)"] * (len(row) // COLUMNS))
    db.execute(f"INSERT INTO chunks VALUES {places}", row)  # noqa: S608  (only question marks are put together)
    row.clear()


def _bounds(db: sqlite3.Connection, partition: int) -> tuple[int, int]:
    """(start, end) of one partition; both are its end when everything was trimmed."""
    # In one statement, so that nothing is appended between the two.
    following, first = db.execute(
        "SELECT next, (SELECT first FROM chunks WHERE partition = ? ORDER BY chunks.next LIMIT 1) FROM ends",
        (partition,),
    ).fetchone()
    end: int = json.loads(following)[partition]
    return (end if first is None else first), end


def _read(db: sqlite3.Connection, partition: int, position: int, limit: int) -> Chunk:
    values: list[bytes] = []
    size = 0
    with closing(
        db.execute(
            "SELECT first, body FROM chunks WHERE partition = ? AND next > ? ORDER BY next",
            (partition, position),
        )
    ) as rows:
        for first, body in rows:
            if first > position + len(values):
                break  # a gap: what lay before it was trimmed
            part = _unpack(body)
            values += part[position + len(values) - first :]
            size += len(body)
            if len(values) >= limit or size >= READ_BYTES:
                break
    if not values:
        start, end = _bounds(db, partition)
        if not start <= position <= end:
            raise PositionLost(partition, position, start, end)
    del values[limit:]
    return Chunk(values, position + len(values))
