"""The embedded log's file: its layout, and connections to it that outlive errors."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from shared.log.port import LogMismatch, LogUnavailable

T = TypeVar("T")

#: How long SQLite itself waits for a lock: only where another process recovers the file after a crash.
BUSY = 1
#: How long a writer sleeps between two tries for the lock: short, as SQLite's own longer sleeps starve.
RETRY = 0.001

VERSION = 1
#: `ends` has one row: the end of every partition, as a JSON list.
SCHEMA = """
CREATE TABLE ends (next TEXT NOT NULL);
CREATE TABLE chunks (
    partition INTEGER NOT NULL, first INTEGER NOT NULL, next INTEGER NOT NULL,
    appended REAL NOT NULL, body BLOB NOT NULL
);
CREATE UNIQUE INDEX chunks_by_position ON chunks (partition, next);
"""


class Connection:
    """One SQLite connection on one thread of its own, opened again after an error."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `work` on the thread. What SQLite raises becomes LogUnavailable, and nothing was committed."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._drop)
        self._thread.shutdown()

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._db is None:
                self._db = _connect(self._path)
            return work(self._db)
        except sqlite3.Error as error:
            self._drop()
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
                raise LogMismatch(
                    f"{self._path} is not a Milepost log: name another data folder (MILEPOST_DATA)"
                ) from error
            raise LogUnavailable(f"the log's file {self._path}: {error}") from error

    def _drop(self) -> None:
        """Closing rolls back what was not committed."""
        if self._db is not None:
            db, self._db = self._db, None
            db.close()


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA wal_autocheckpoint = 4000")  # pages: 16 MB, so that a busy log checkpoints less often
    except sqlite3.Error:
        db.close()
        raise
    return db


def begin(db: sqlite3.Connection, deadline: float) -> None:
    """Starts a write transaction as soon as no other process is in one."""
    db.execute("PRAGMA busy_timeout = 0")
    _retry(lambda: db.execute("BEGIN IMMEDIATE"), deadline)


def ends(db: sqlite3.Connection) -> list[int]:
    """The end of every partition."""
    found: list[int] = json.loads(db.execute("SELECT next FROM ends").fetchone()[0])
    return found


def _retry(step: Callable[[], object], deadline: float) -> None:
    until = time.monotonic() + deadline
    while True:
        try:
            step()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(RETRY)


def prepare(db: sqlite3.Connection, path: Path, partitions: int, deadline: float) -> None:
    """Makes the file, or checks that it is such a log. Raises LogMismatch."""
    _retry(lambda: db.execute("PRAGMA journal_mode = WAL"), deadline)
    begin(db, deadline)
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        for statement in SCHEMA.split(";"):
            db.execute(statement)
        db.execute("INSERT INTO ends VALUES (?)", (json.dumps([0] * partitions),))
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")
    if version not in (0, VERSION):
        raise LogMismatch(f"{path} was written by another version of Milepost (layout {version}, not {VERSION})")
    found = len(ends(db))
    if found != partitions:
        raise LogMismatch(f"{path} has {found} partitions, not {partitions}: set MILEPOST_PARTITIONS={found}")
