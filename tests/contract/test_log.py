"""What every log promises (shared/log/port.py), held by every adapter."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from shared.log.kafka import setup_kafka
from shared.log.port import Entry, Log, LogMismatch, LogUnavailable, PositionLost, Reader, partition_of
from tests.contract.log_backends import Backend, KafkaBackend, SpooledBackend, SqliteBackend, flat, numbered
from tests.support.processes import Processes, eventually


@pytest.fixture(params=["sqlite", "kafka", "spooled"])
async def backend(request: pytest.FixtureRequest, tmp_path: Path, topic_prefix: str) -> AsyncIterator[Backend]:
    """An empty log with four partitions, of each kind."""
    if request.param == "sqlite":
        yield SqliteBackend(tmp_path / "log.db")
    elif request.param == "spooled":
        yield SpooledBackend(SqliteBackend(tmp_path / "log.db"), tmp_path / "spool")
    else:
        kafka = KafkaBackend(request.getfixturevalue("kafka"), f"{topic_prefix}log")
        await setup_kafka(kafka.settings())
        yield kafka


async def read_all(reader: Reader, ends: dict[int, int]) -> dict[int, list[bytes]]:
    """All values from position 0 up to these ends, in reads of at most 100."""
    found: dict[int, list[bytes]] = {}
    for partition, end in ends.items():
        found[partition], position = [], 0
        while position < end:
            chunk = await reader.read(partition, position, 100)
            assert len(chunk.values) <= 100
            assert chunk.next == position + len(chunk.values)
            found[partition] += chunk.values
            position = chunk.next
            if not chunk.values:
                await reader.wait(0.2)
    return found


async def ends_of(log: Log) -> dict[int, int]:
    """The end of every partition."""
    return {partition: await log.end(partition) for partition in range(log.partitions)}


async def test_an_empty_log_starts_and_ends_at_zero(backend: Backend) -> None:
    """Every partition of a new log starts and ends at position 0 and has nothing to read."""
    async with backend.open() as log, log.reader("a") as reader:
        assert log.partitions == 4
        for partition in range(4):
            assert (await log.start(partition), await log.end(partition)) == (0, 0)
            assert await reader.read(partition, 0, 10) == ([], 0)


async def test_what_was_acknowledged_is_there_after_reopening(backend: Backend) -> None:
    """Appended values are read back, each once and in order per key, by a later process."""
    entries = numbered(1000)
    async with backend.open() as log:
        await log.append(entries)
    async with backend.open() as log, log.reader("a") as reader:
        found = await read_all(reader, await ends_of(log))
    for partition, values in found.items():
        assert values == [value for key, value in entries if partition_of(key, 4) == partition]


async def test_concurrent_appends_are_all_kept_in_order_per_key(backend: Backend) -> None:
    """Fifty callers append at once; each key's values stand in the order in which its caller appended them."""
    async with backend.open() as log:

        async def caller(number: int) -> None:
            for n in range(20):
                await log.append([Entry(b"key-%d" % number, b"%d %d" % (number, n))])

        await asyncio.gather(*map(caller, range(50)))
    by_caller = defaultdict(list)
    for value in flat(await backend.contents()):
        number, n = map(int, value.split())
        by_caller[number].append(n)
    assert by_caller == {number: list(range(20)) for number in range(50)}


async def test_a_large_append_is_split_and_kept_in_order(backend: Backend) -> None:
    """Values of many megabytes in one call, of all bytes there are, come back whole and in order."""
    entries = [Entry(b"one key", bytes(range(256)) * 100 + b"%d" % n) for n in range(200)]
    async with backend.open() as log:
        await log.append(entries)
    assert flat(await backend.contents()) == [value for _, value in entries]


async def test_appending_nothing_changes_nothing(backend: Backend) -> None:
    """An empty append returns and moves no end."""
    async with backend.open() as log:
        await log.append([])
        assert sum((await ends_of(log)).values()) == 0


async def test_reading_goes_on_from_any_position(backend: Backend) -> None:
    """A reader may jump back and forth: what it reads depends on the position it asks for, and on nothing else."""
    async with backend.open() as log, log.reader("a") as reader:
        await log.append(numbered(300, keys=1))
        partition = partition_of(b"key-0", 4)
        for position in (0, 250, 10, 11, 0, 299):
            values = await eventually(partial(_values, reader, partition, position))
            assert values[0] == b"v %d" % position


@pytest.mark.parametrize("position", [5, 10**6])
async def test_a_position_past_the_end_is_lost(backend: Backend, position: int) -> None:
    """A store that is ahead of the log (a wiped or another log) is told so, with the log's bounds."""
    partition = partition_of(b"key-0", 4)
    async with backend.open() as log, log.reader("a") as reader:
        await log.append(numbered(4, keys=1))

        async def lost() -> PositionLost | None:
            try:
                assert not (await reader.read(partition, position, 10)).values
            except PositionLost as error:
                return error
            await reader.wait(0.2)
            return None

        error = await eventually(lost)
        assert error is not None
        assert (error.partition, error.position, error.start, error.end) == (partition, position, 0, 4)
        chunk = await eventually(partial(_values, reader, partition, 0))
        assert len(chunk) == 4


async def _values(reader: Reader, partition: int, position: int) -> list[bytes]:
    return (await reader.read(partition, position, 10)).values


async def test_the_end_is_a_position_to_read_from(backend: Backend) -> None:
    """At the end there is nothing, until something is appended: then a waiting reader wakes and reads it."""
    partition = partition_of(b"key-0", 4)
    async with backend.open() as log, log.reader("a") as reader:
        await log.append(numbered(3, keys=1))
        assert await reader.ends([partition]) == {partition: 3}
        assert await reader.read(partition, 3, 10) == ([], 3)
        while (await log.end(partition)) == 3:
            waiting = asyncio.ensure_future(reader.wait(30))
            await asyncio.sleep(0)
            await log.append([Entry(b"key-0", b"more")])
            await asyncio.wait_for(waiting, 10)
        assert await eventually(partial(_values, reader, partition, 3)) == [b"more"]


async def test_a_reader_sees_what_another_instance_appends(backend: Backend) -> None:
    """Two openings of one log: a reader of the first wakes for, and reads, what the second appends."""
    async with backend.open() as log, backend.open() as other, log.reader("a") as reader:
        await other.append(numbered(50))

        async def arrived() -> bool:
            await reader.wait(0.2)
            return sum((await reader.ends(range(4))).values()) == 50

        assert await eventually(arrived)
        assert sorted(flat(await read_all(reader, await ends_of(log)))) == sorted(v for _, v in numbered(50))


async def test_an_onlooker_reads_everything_and_takes_nothing_away(backend: Backend) -> None:
    """While a member works on all partitions, an onlooker reads them all too, and the member keeps them."""
    every = frozenset(range(4))

    async def assigned(member: Reader) -> bool:
        await member.wait(0.1)
        return member.assigned() == every

    async with backend.open() as log, log.reader("a") as member:
        await log.append(numbered(50))
        await eventually(partial(assigned, member))
        async with log.onlooker() as onlooker:
            assert onlooker.assigned() == every
            found = await read_all(onlooker, await ends_of(log))
            assert sorted(flat(found)) == sorted(value for _, value in numbered(50))
            assert await assigned(member)
        assert await read_all(member, await ends_of(log)) == found


async def test_two_processes_append_at_once(backend: Backend, processes: Processes) -> None:
    """A child process and this one append for a while; both make progress and nothing of either is missing."""
    async with backend.open() as log:
        child = processes.start(sys.executable, "-m", "tests.contract.log_child", backend.address, "child")
        await eventually(lambda: "\n" in child.output(), within=30)
        for first in range(0, 500, 10):
            await log.append(numbered(500, tag="own")[first : first + 10])
        seen = len(child.output().splitlines())
        await eventually(lambda: len(child.output().splitlines()) > seen + 10)
        child.stop()
        acknowledged = int(child.output().splitlines()[-1])
    values = set(flat(await backend.contents()))
    assert {b"own %d" % n for n in range(500)} <= values
    assert {b"child %d" % n for n in range(acknowledged + 1)} <= values


async def test_a_killed_writer_loses_nothing_it_acknowledged(backend: Backend, processes: Processes) -> None:
    """SIGKILL in the middle of appends: all that was acknowledged is there, once, in order, and the log goes on."""
    async with backend.open():
        pass
    child = processes.start(sys.executable, "-m", "tests.contract.log_child", backend.address, "child")
    await eventually(lambda: len(child.output().splitlines()) > 30, within=30)
    child.kill()
    acknowledged = int(child.output().rpartition("\n")[0].splitlines()[-1])
    async with backend.open() as log:
        await log.append([Entry(b"key-0", b"child 999999")])
    contents = await backend.contents()
    numbers = {partition: [int(v.split()[1]) for v in values] for partition, values in contents.items()}
    assert all(sorted(set(found)) == found for found in numbers.values())
    assert set(range(acknowledged + 1)) <= {n for found in numbers.values() for n in found}


async def test_too_much_in_flight_is_refused_at_once(backend: Backend) -> None:
    """Past the bound on bytes in flight an append fails at once; what was accepted before is durable."""
    async with backend.open(in_flight=1000) as log:
        first = asyncio.ensure_future(log.append([Entry(b"a", b"x" * 900)]))
        await asyncio.sleep(0)
        with pytest.raises(LogUnavailable, match="900 bytes"):
            await log.append([Entry(b"a", b"y" * 200)])
        await first
        await log.append([Entry(b"a", b"z" * 5000)])
    assert [value[:1] for value in flat(await backend.contents())] == [b"x", b"z"]


async def test_a_closed_log_takes_nothing_but_keeps_what_it_took(backend: Backend) -> None:
    """Leaving the context writes what was being appended; an append after it is refused."""
    async with backend.open() as log:
        last = asyncio.ensure_future(log.append(numbered(20)))
        await asyncio.sleep(0)
    await last
    with pytest.raises(LogUnavailable, match="closed"):
        await log.append(numbered(1))
    assert len(flat(await backend.contents())) == 20


async def test_another_number_of_partitions_is_a_mismatch(backend: Backend) -> None:
    """A log with four partitions is not opened with five; the message names the setting."""
    async with backend.open():
        pass
    with pytest.raises(LogMismatch, match="MILEPOST_PARTITIONS=4"):
        async with backend.open(partitions=5):
            pass


async def test_a_log_that_works_is_healthy(backend: Backend) -> None:
    """`healthy` returns on a log that takes appends, and appends nothing."""
    async with backend.open() as log:
        await log.healthy()
        assert sum((await ends_of(log)).values()) == 0
