"""What the spool promises beyond the contract: while the log behind it is away, and when its own disk fails.

The log behind is an embedded one that is away because something else holds its file, or because its folder is gone.
"""

import asyncio
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from shared import telemetry
from shared.log.port import Entry, LogMismatch, LogUnavailable
from shared.log.spool import SpooledLog
from shared.log.spool_folder import BROKEN, SUFFIX, waiting
from shared.metric import Metric, exposition
from tests.contract.log_backends import SpooledBackend, SqliteBackend, flat, numbered
from tests.support.need import need
from tests.support.processes import Processes, eventually
from tests.support.prometheus import samples


@pytest.fixture
def backend(tmp_path: Path) -> SpooledBackend:
    """A log whose folder is not there yet, and a spool."""
    return SpooledBackend(SqliteBackend(tmp_path / "log" / "log.db"), tmp_path / "spool")


@contextmanager
def held(backend: SpooledBackend) -> Iterator[None]:
    """Something else holds the log's file: it takes nothing."""
    other = sqlite3.connect(backend.behind.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


async def drained(log: SpooledLog) -> None:
    """Returns when nothing waits."""
    await eventually(lambda: log.waiting == 0)


def counted(registry: CollectorRegistry, metric: Metric) -> float:
    """A metric without labels."""
    return samples(exposition(registry))[metric.name, ()]


def segments(backend: SpooledBackend, suffix: str = SUFFIX) -> list[Path]:
    """The spool's files."""
    return sorted(backend.root.rglob(f"*{suffix}"))


async def test_what_the_log_does_not_take_is_spooled_and_drained(backend: SpooledBackend) -> None:
    """An append that the log refuses is acknowledged all the same, later ones at once; when the log takes records
    again it has everything, and the spool's files are gone."""
    backend.come()
    registry = CollectorRegistry()
    async with backend.open(deadline=0.3, registry=registry) as log:
        await log.append(numbered(10, tag="before"))
        with held(backend):
            await log.append(numbered(10, tag="first"))
            began = time.monotonic()
            await log.append(numbered(10, tag="later"))
            assert time.monotonic() - began < 0.25
            await log.healthy()
            assert (counted(registry, telemetry.SPOOL_RECORDS), counted(registry, telemetry.SPOOLED)) == (20, 20)
            assert counted(registry, telemetry.SPOOL_BYTES) == sum(path.stat().st_size for path in segments(backend))
            assert 0 < counted(registry, telemetry.SPOOL_OLDEST) < 60
        await drained(log)
        assert counted(registry, telemetry.SPOOL_DRAINED) == 20
        assert counted(registry, telemetry.SPOOL_BYTES) == counted(registry, telemetry.SPOOL_OLDEST) == 0
        await log.append(numbered(10, tag="after"))
    assert segments(backend) == []
    sent = [value for tag in ("before", "first", "later", "after") for _, value in numbered(10, tag=tag)]
    assert sorted(flat(await backend.contents())) == sorted(sent)


async def test_it_starts_before_the_log_does(backend: SpooledBackend) -> None:
    """With the log unreachable at the start, appends are acknowledged and reading is refused; then it connects."""
    async with backend.open(start=0.01) as log:
        await log.append(numbered(10))
        with pytest.raises(LogUnavailable):
            await log.end(0)
        with pytest.raises(LogUnavailable):
            log.reader("a")
        backend.come()
        await drained(log)
        assert sum([await log.end(partition) for partition in range(4)]) == 10


async def test_what_waits_outlives_the_process(backend: SpooledBackend) -> None:
    """What was spooled by a process that has ended is drained by the next, and counted as waiting meanwhile."""
    for number in range(3):
        async with backend.open(start=0.01) as log:
            assert log.waiting == 10 * number
            await log.append(numbered(10, tag=str(number)))
    records, size, aside = waiting(backend.root)
    assert (records, size, aside) == (30, sum(path.stat().st_size for path in segments(backend)), [])
    backend.come()
    async with backend.open() as log:
        await drained(log)
    assert len(set(flat(await backend.contents()))) == 30


async def test_the_oldest_is_drained_first(backend: SpooledBackend) -> None:
    """Over several processes, what was spooled first comes first on the log."""
    for number in range(3):
        async with backend.open(start=0.01) as log:
            await log.append([Entry(b"key", b"%d" % number)])
    backend.come()
    async with backend.open() as log:
        await drained(log)
    assert flat(await backend.contents()) == [b"0", b"1", b"2"]


async def test_a_log_that_is_another_is_told_whenever_it_is_met(backend: SpooledBackend) -> None:
    """Met at the start, a log with other partitions is refused; met later, the spool keeps everything and is not
    healthy, so that it is noticed."""
    backend.come()
    async with backend.open():
        pass
    with pytest.raises(LogMismatch, match="MILEPOST_PARTITIONS=4"):
        async with backend.open(partitions=5):
            pass
    shutil.move(backend.behind.path.parent, backend.root / "elsewhere")
    async with backend.open(start=0.01, partitions=5) as log:
        await log.append(numbered(10))
        shutil.move(backend.root / "elsewhere", backend.behind.path.parent)

        async def told() -> bool:
            try:
                await log.healthy()
            except LogUnavailable as error:
                return "MILEPOST_PARTITIONS=4" in str(error)
            return False

        await eventually(told)
        await log.append(numbered(10))
        assert log.waiting == 20


async def test_a_full_spool_refuses_at_once(backend: SpooledBackend) -> None:
    """Beyond its bound nothing is acknowledged, quickly, and it is not healthy; drained, it takes more."""
    registry = CollectorRegistry()
    async with backend.open(start=0.01, on_disk=1000, registry=registry) as log:
        await log.append([Entry(b"key", b"x" * 900)])
        began = time.monotonic()
        with pytest.raises(LogUnavailable, match="spool is full"):
            await log.append([Entry(b"key", b"y" * 200)])
        assert time.monotonic() - began < 0.1
        page = samples(exposition(registry))
        assert page[telemetry.SPOOL_REFUSED.name, (("reason", "full"),)] == 1
        assert log.waiting == 1
        backend.come()
        await drained(log)
        await log.append([Entry(b"key", b"z" * 5000)])
    assert [value[:1] for value in flat(await backend.contents())] == [b"x", b"z"]


async def test_a_damaged_record_costs_itself_alone(backend: SpooledBackend, caplog: pytest.LogCaptureFixture) -> None:
    """A flipped bit in the middle and a torn end: every other record is drained; the damage is counted, told, and
    kept in its file."""
    async with backend.open(start=0.01) as log:
        await log.append(numbered(50))
    (path,) = segments(backend)
    data = bytearray(path.read_bytes())
    data[data.index(b"v 7") + 2] ^= 1
    path.write_bytes(data[:-3])
    backend.come()
    registry = CollectorRegistry()
    async with backend.open(registry=registry) as log:
        await drained(log)
        await eventually(lambda: counted(registry, telemetry.SPOOL_BROKEN) == 1)
    found = flat(await backend.contents())
    assert sorted(found) == sorted(b"v %d" % n for n in range(49) if n != 7)
    assert [kept.read_bytes() for kept in segments(backend, BROKEN)] == [data[:-3]]
    assert waiting(backend.root) == (0, 0, segments(backend, BROKEN))
    assert "damaged" in caplog.text


async def test_two_processes_share_the_folder(backend: SpooledBackend, processes: Processes) -> None:
    """Each process has a part of its own; what a killed one left is drained by the one that runs."""
    child = processes.start(sys.executable, "-m", "tests.contract.log_child", backend.address, "child")
    await eventually(lambda: len(child.output().splitlines()) > 20, within=30)
    async with backend.open(start=0.01) as log:
        await log.append(numbered(10, tag="own"))
        assert {path.parent.name for path in segments(backend)} == {"1", "2"}
        assert log.waiting == 10
        child.kill()
        backend.come()
        acknowledged = int(child.output().rpartition("\n")[0].splitlines()[-1])
        await eventually(lambda: not segments(backend), within=20)
    found = set(flat(await backend.contents()))
    assert {b"own %d" % n for n in range(10)} <= found
    assert {b"child %d" % n for n in range(acknowledged + 1)} <= found


async def test_leaving_while_the_log_is_away_loses_nothing(backend: SpooledBackend) -> None:
    """Appends under way when the log is left end in the spool, acknowledged; the next is refused."""
    backend.come()
    opened = AsyncExitStack()
    log = await opened.enter_async_context(backend.open(deadline=0.5))
    with held(backend):
        appends = [asyncio.ensure_future(log.append(numbered(10, tag=str(n)))) for n in range(20)]
        await asyncio.sleep(0)
        await opened.aclose()
        await asyncio.gather(*appends)
    with pytest.raises(LogUnavailable, match="closed"):
        await log.append(numbered(1))
    async with backend.open() as log:
        await drained(log)
    expected = {value for n in range(20) for _, value in numbered(10, tag=str(n))}
    assert set(flat(await backend.contents())) == expected


async def test_death_at_any_step_loses_nothing(tmp_path: Path, processes: Processes) -> None:
    """SIGKILL before and after every touch of the disk, one by one: what was acknowledged is on the log at last."""
    child = processes.start(sys.executable, "-m", "tests.contract.log_spool_faults", "killed", tmp_path)
    code = await asyncio.to_thread(child.wait, 60)
    assert (code, child.output().splitlines()[-1:][0][:15]) == (0, "nothing lost in"), child.output()


async def test_a_full_disk_refuses_and_is_drained(tmp_path: Path, processes: Processes) -> None:
    """On a small disk of its own: a full one refuses with the reason, keeps what it had, is drained without room, and
    takes more afterwards. A process does not start on a read-only one, and says why."""
    unshare = need("unshare", shutil.which("unshare"), "install util-linux")
    mount = tmp_path / "disk"
    mount.mkdir()
    user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    run = f"exec {sys.executable} -m tests.contract.log_spool_faults disk {mount}"
    script = f"mount -t tmpfs -o size=1m none {mount} && {run}"
    child = processes.start(unshare, *user, "--mount", "sh", "-c", script)
    code = await asyncio.to_thread(child.wait, 60)
    if code and "mount: " in child.output():
        need("a mount namespace", None, "run as root, or allow unprivileged user namespaces")
    assert (code, child.output().splitlines()[-1:]) == (0, ["all as promised"]), child.output()
