"""What the log on Kafka promises beyond the contract: its topic, its group, and brokers that die and come back."""

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.admin.records_to_delete import RecordsToDelete

from shared.log.kafka import check_kafka, open_kafka_log, setup_kafka
from shared.log.port import Entry, Log, LogMismatch, LogUnavailable, PositionLost, Reader
from tests.contract.log_backends import KafkaBackend, flat, numbered
from tests.support.kafka import Kafka
from tests.support.processes import Processes, eventually

ALL = frozenset(range(4))


@pytest.fixture
async def backend(kafka: str, topic_prefix: str) -> KafkaBackend:
    """An empty topic on the session's Kafka."""
    made = KafkaBackend(kafka, f"{topic_prefix}log")
    await setup_kafka(made.settings())
    return made


@pytest.fixture
async def own(start_kafka: Callable[..., Kafka]) -> tuple[Kafka, KafkaBackend]:
    """An empty topic on a Kafka of the test's own, to hurt."""
    server = start_kafka()
    made = KafkaBackend(server.bootstrap, "log")
    await setup_kafka(made.settings())
    return server, made


async def test_a_missing_topic_names_the_remedy(kafka: str) -> None:
    """A topic that was never made is a mismatch, and says what to run."""
    with pytest.raises(LogMismatch, match="no topic absent: run `milepost setup`"):
        await check_kafka(KafkaBackend(kafka, "absent").settings())


async def test_every_difference_is_named(backend: KafkaBackend) -> None:
    """Partitions, replicas and configuration that differ are all listed, each with its own remedy."""
    with pytest.raises(LogMismatch) as caught:
        await check_kafka(backend.settings(partitions=5, replication=2, retention_days=1))
    said = str(caught.value)
    assert "set MILEPOST_PARTITIONS=4" in said
    assert "set MILEPOST_REPLICATION=1" in said
    assert "retention.ms is 604800000, not 86400000: run `milepost setup`" in said


async def test_the_topic_takes_the_largest_event(backend: KafkaBackend) -> None:
    """Setup lets the topic take as large a batch as an event may be; one that takes more is left so."""
    larger = backend.settings(event_bytes=2_000_000)
    with pytest.raises(LogMismatch, match=r"max\.message\.bytes is 1016384, not 2016384: run `milepost setup`"):
        await check_kafka(larger)
    await setup_kafka(larger)
    await check_kafka(larger)
    await check_kafka(backend.settings())
    async with open_kafka_log(larger) as log:
        await log.append([Entry(b"key", bytes(2_000_000))])


async def test_setup_mends_what_can_be_changed_and_keeps_the_rest(backend: KafkaBackend) -> None:
    """Setup sets the retention of an existing topic anew and leaves what an operator set; again, it does nothing."""
    admin = AIOKafkaAdminClient(bootstrap_servers=backend.bootstrap)
    await admin.start()
    topic = ConfigResource(ConfigResourceType.TOPIC, backend.topic, {"segment.ms": "3600000"})
    await admin.alter_configs([topic])
    for _ in range(2):
        await setup_kafka(backend.settings(retention_days=2))
    entries = (await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, backend.topic)]))[0]
    configuration = {entry[0]: entry[1] for entry in entries.resources[0][4]}
    await admin.close()
    assert configuration["retention.ms"] == str(2 * 86_400_000)
    assert configuration["segment.ms"] == "3600000"
    assert configuration["message.timestamp.type"] == "LogAppendTime"


async def test_no_broker_is_unavailable() -> None:
    """Opening, checking and setting up say that Kafka cannot be reached, and where it was looked for."""
    nowhere = KafkaBackend("127.0.0.1:1", "log")
    for attempt in (setup_kafka, check_kafka):
        with pytest.raises(LogUnavailable, match=r"127\.0\.0\.1:1"):
            await attempt(nowhere.settings())
    with pytest.raises(LogUnavailable, match=r"127\.0\.0\.1:1"):
        async with nowhere.open():
            pass


async def test_a_position_that_kafka_deleted_is_lost(backend: KafkaBackend) -> None:
    """Reading before the start says which positions are left."""
    async with backend.open() as log, log.reader("a") as reader:
        await log.append(numbered(100, keys=1))
        ends = await reader.ends(range(4))
        home = max(ends, key=lambda partition: ends[partition])
        admin = AIOKafkaAdminClient(bootstrap_servers=backend.bootstrap)
        await admin.start()
        await admin.delete_records({TopicPartition(backend.topic, home): RecordsToDelete(before_offset=60)})
        await admin.close()

        async def read() -> None:
            while not (await reader.read(home, 59, 10)).values:
                await reader.wait(0.2)

        with pytest.raises(PositionLost, match="holds positions 60 to 100, but the store goes on at 59"):
            await read()


async def test_readers_share_the_partitions(backend: KafkaBackend) -> None:
    """Two members hold two partitions each, a fifth one holds none; who leaves, leaves its share to the others."""
    async with backend.open() as log, AsyncExitStack() as members:
        readers = [await members.enter_async_context(log.reader(f"member-{n}")) for n in range(4)]
        late = AsyncExitStack()
        readers.append(await late.enter_async_context(log.reader("late")))
        await eventually(lambda: shares(readers) == [0, 1, 1, 1, 1], within=30)
        assert frozenset().union(*(reader.assigned() for reader in readers)) == ALL
        before = time.monotonic()
        await late.aclose()
        assert time.monotonic() - before < 7
        await eventually(lambda: shares(readers[:4]) == [1, 1, 1, 1], within=30)


def shares(readers: list[Reader]) -> list[int]:
    """How many partitions the members hold, least first."""
    return sorted(len(reader.assigned()) for reader in readers)


async def test_a_dead_members_partitions_are_taken_over(backend: KafkaBackend, processes: Processes) -> None:
    """After SIGKILL of a member the other one holds everything, and reads on from the positions it is told."""
    async with backend.open() as log:
        await log.append(numbered(40))
        dead = processes.start(sys.executable, "-m", "tests.contract.log_member", backend.address, "dead")
        await eventually(lambda: "[0, 1, 2, 3]" in dead.output(), within=30)
        async with log.reader("heir") as heir:
            await eventually(lambda: len(heir.assigned()) == 2, within=30)
            dead.kill()
            await eventually(lambda: heir.assigned() == ALL, within=40)
            found: list[bytes] = []
            for partition, end in (await heir.ends(range(4))).items():
                position = 0
                while position < end:
                    chunk = await heir.read(partition, position, 1000)
                    found += chunk.values
                    position = chunk.next
                    if not chunk.values:
                        await heir.wait(0.2)
    assert sorted(found) == sorted(value for _, value in numbered(40))


async def test_a_silent_broker_ends_in_a_refusal_at_the_deadline(own: tuple[Kafka, KafkaBackend]) -> None:
    """While the broker is stopped, appends and health checks fail at the deadline; afterwards they go on."""
    server, backend = own
    async with backend.open(deadline=1) as log:
        await log.append([Entry(b"key", b"before")])
        server.pause()
        before = time.monotonic()
        with pytest.raises(LogUnavailable, match="within 1 s"):
            await log.append([Entry(b"key", b"while")])
        assert time.monotonic() - before < 3
        with pytest.raises(LogUnavailable):
            await log.healthy()
        server.resume()
        await eventually(lambda: appended(log, b"after"), within=5)
        await log.healthy()
    values = flat(await backend.contents())
    assert values[0] == b"before"
    assert b"after" in values


async def appended(log: Log, value: bytes) -> bool:
    """Whether an append went well just now."""
    try:
        await log.append([Entry(b"key", value)])
    except LogUnavailable:
        return False
    return True


async def test_a_killed_broker_loses_nothing_acknowledged(own: tuple[Kafka, KafkaBackend]) -> None:
    """SIGKILL in the middle of appends from many callers: all that was acknowledged is there, nothing that the
    adapter itself sent again stands twice, and appends go on within about a second of the broker's return."""
    server, backend = own
    acknowledged: list[bytes] = []
    returned = first = 0.0
    async with backend.open(deadline=30) as log:
        stop = asyncio.Event()

        async def caller(number: int) -> None:
            nonlocal first
            n = 0
            while not stop.is_set():
                values = [b"%d %d" % (number, n + k) for k in range(10)]
                await log.append([Entry(value, value) for value in values])
                acknowledged.extend(values)
                n += 10
                if returned and not first:
                    first = time.monotonic()

        callers = [asyncio.ensure_future(caller(number)) for number in range(20)]
        await eventually(lambda: len(acknowledged) > 5000)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        returned = time.monotonic()
        await eventually(lambda: first, within=20)
        seen = len(acknowledged)
        await eventually(lambda: len(acknowledged) > seen + 5000, within=20)
        stop.set()
        await asyncio.gather(*callers)
    values = flat(await backend.contents())
    assert len(values) == len(set(values))
    assert set(acknowledged) == set(values)
    assert first - returned < 2


async def test_closing_without_a_broker_ends_and_says_what_was_not_taken(own: tuple[Kafka, KafkaBackend]) -> None:
    """With the broker gone, an append in flight is refused and leaving the log takes seconds, not for ever."""
    server, backend = own
    async with backend.open(deadline=1) as log:
        await log.append([Entry(b"key", b"before")])
        await asyncio.to_thread(server.kill)
        before = time.monotonic()
        with pytest.raises(LogUnavailable):
            await log.append([Entry(b"key", b"lost")])
    assert time.monotonic() - before < 15


async def test_one_of_three_brokers_may_die(start_kafka: Callable[..., Kafka]) -> None:
    """With three replicas: after SIGKILL of a broker appends go on by the others, nothing acknowledged is lost."""
    server = start_kafka(nodes=3)
    backend = KafkaBackend(server.bootstrap, "log")
    settings = backend.settings(replication=3, append_deadline=30)
    await setup_kafka(settings)
    acknowledged: list[bytes] = []
    stop = asyncio.Event()
    async with open_kafka_log(settings) as log:

        async def caller(number: int) -> None:
            n = 0
            while not stop.is_set():
                value = b"%d %d" % (number, n)
                await log.append([Entry(value, value)])
                acknowledged.append(value)
                n += 1

        callers = [asyncio.ensure_future(caller(number)) for number in range(20)]
        await eventually(lambda: len(acknowledged) > 2000)
        await asyncio.to_thread(server.nodes[0].kill)
        seen = len(acknowledged)
        await eventually(lambda: len(acknowledged) > seen + 2000, within=30)
        stop.set()
        await asyncio.gather(*callers)
    values = flat(await backend.contents())
    assert len(values) == len(set(values))
    assert set(acknowledged) == set(values)
