"""What the embedded log promises beyond the contract: trimming, full disks, other processes and other files."""

import asyncio
import os
import shutil
import sqlite3
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from shared.log.port import Entry, LogMismatch, LogUnavailable, PositionLost, partition_of
from shared.log.sqlite import SLICE, SqliteLog, open_sqlite_log
from tests.contract.log_backends import SqliteBackend, flat, numbered
from tests.support.need import need
from tests.support.processes import Processes

HOME = partition_of(b"key-0", 4)


@pytest.fixture
def backend(tmp_path: Path) -> SqliteBackend:
    """A log that keeps values for 100 seconds, at a time of 1000 seconds."""
    return SqliteBackend(tmp_path / "log.db", retention=100, clock=lambda: 1000)


async def trimmed(backend: SqliteBackend, at: float, positions: dict[int, int]) -> int:
    """How many values a trim at this time drops."""
    async with replace(backend, clock=lambda: at).open() as log:
        assert isinstance(log, SqliteLog)
        return await log.trim(positions)


async def test_only_what_is_old_and_staged_is_trimmed(backend: SqliteBackend) -> None:
    """Values are kept while they are younger than the retention, or not before the position given."""
    async with backend.open() as log:
        await log.append(numbered(10, keys=1))
        await log.append(numbered(5, keys=1))
    assert await trimmed(backend, 1100, {HOME: 15}) == 0
    assert await trimmed(backend, 1101, {HOME: 9}) == 0
    assert await trimmed(backend, 1101, {(HOME + 1) % 4: 15}) == 0
    assert await trimmed(backend, 1101, {HOME: 14}) == 10
    async with backend.open() as log:
        assert (await log.start(HOME), await log.end(HOME)) == (10, 15)


async def test_positions_outlive_every_value(backend: SqliteBackend) -> None:
    """A log trimmed to nothing goes on at the position where it was, after reopening too."""
    async with backend.open() as log:
        await log.append(numbered(3 * SLICE, keys=1))
    assert await trimmed(backend, 2000, {HOME: 10**9}) == 3 * SLICE
    async with backend.open() as log, log.reader("a") as reader:
        assert (await log.start(HOME), await log.end(HOME)) == (3 * SLICE, 3 * SLICE)
        assert await reader.read(HOME, 3 * SLICE, 10) == ([], 3 * SLICE)
        await log.append([Entry(b"key-0", b"next")])
        assert await reader.read(HOME, 3 * SLICE, 10) == ([b"next"], 3 * SLICE + 1)


async def test_a_position_that_was_trimmed_is_lost(backend: SqliteBackend) -> None:
    """Reading before the start says which positions are left."""
    async with backend.open() as log:
        await log.append(numbered(10, keys=1))
    await trimmed(backend, 2000, {HOME: 10})
    async with backend.open() as log, log.reader("a") as reader:
        with pytest.raises(PositionLost, match="holds positions 10 to 10, but the store goes on at 9"):
            await reader.read(HOME, 9, 10)


async def test_a_clock_set_back_leaves_no_hole(backend: SqliteBackend) -> None:
    """Only the front of a partition is trimmed, also where a later value has an earlier stamp."""
    async with backend.open() as log:
        await log.append(numbered(10, keys=1))
    async with replace(backend, clock=lambda: 10).open() as log:
        await log.append(numbered(10, keys=1))
    assert await trimmed(backend, 1050, {HOME: 20}) == 0


async def test_a_lock_held_by_another_process_ends_in_a_refusal(backend: SqliteBackend) -> None:
    """While something else holds the file, an append fails at its deadline and not much later; then appends go on."""
    async with backend.open(deadline=0.3) as log:
        other = sqlite3.connect(backend.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        before = time.monotonic()
        with pytest.raises(LogUnavailable, match=r"did not acknowledge within 0\.3 s|locked"):
            await log.append(numbered(1))
        assert time.monotonic() - before < 3
        with pytest.raises(LogUnavailable):
            await log.healthy()
        other.close()
        await log.append([Entry(b"key-0", b"after")])
    assert b"after" in flat(await backend.contents())


async def test_another_file_is_refused(backend: SqliteBackend) -> None:
    """A file that is not SQLite, and a log of a later layout, are refused by name."""
    backend.path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(LogMismatch, match="not a Milepost log"):
        async with backend.open():
            pass
    backend.path.unlink()
    async with backend.open():
        pass
    with sqlite3.connect(backend.path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(LogMismatch, match="layout 99"):
        async with backend.open():
            pass


async def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """Opening names the file that cannot be opened."""
    with pytest.raises(LogUnavailable, match="nowhere"):
        async with open_sqlite_log(tmp_path / "nowhere" / "log.db", 4, 1):
            pass


async def test_a_full_disk_refuses_until_there_is_room(tmp_path: Path, processes: Processes) -> None:
    """On a small disk of its own: filling it refuses appends with the reason; what was acknowledged stays, and
    appends go on when there is room. A read-only disk is named when the log is opened."""
    unshare = need("unshare", shutil.which("unshare"), "install util-linux")
    mount = tmp_path / "disk"
    mount.mkdir()
    user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    script = f"mount -t tmpfs -o size=2m none {mount} && exec {sys.executable} -m tests.contract.log_full_disk {mount}"
    child = processes.start(unshare, *user, "--mount", "sh", "-c", script)
    code = await asyncio.to_thread(child.wait, 60)
    if code and "mount: " in child.output():
        need("a mount namespace", None, "run as root, or allow unprivileged user namespaces")
    assert (code, child.output().splitlines()[-1:]) == (0, ["all as promised"]), child.output()
