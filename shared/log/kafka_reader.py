"""Reading the Kafka log as a member of the stager's consumer group.

Kafka's own offsets are not used: positions are those of whoever reads. They are committed now and then all the
same, for tools that show a group's lag.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from shared.log.port import Chunk, LogUnavailable, PositionLost, Reader

#: What one fetch may bring: enough for a full batch of one partition, and a bound on memory.
PARTITION_BYTES = 4 << 20
FETCH_BYTES = 16 << 20
#: How long a read waits for values that are known to be on the log but have not been fetched yet, in seconds.
BEHIND = 0.1
#: How often positions are committed for lag tools, in seconds.
HINT = 5.0
#: How long leaving the group may take, in seconds.
LEAVE = 5.0

FETCHING = {
    "enable_auto_commit": False,
    "auto_offset_reset": "none",
    "max_partition_fetch_bytes": PARTITION_BYTES,
    "fetch_max_bytes": FETCH_BYTES,
}

Fetched = dict[TopicPartition, list[Any]]


class Bounds(Protocol):
    """What the reader needs of the log."""

    async def start(self, partition: int) -> int: ...

    async def ends(self, partitions: Sequence[int]) -> dict[int, int]: ...


@asynccontextmanager
async def join_group(log: Bounds, topic: str, group: str, client: dict[str, Any]) -> AsyncIterator[Reader]:
    """Joins the group, and leaves it at the end. Raises LogUnavailable."""
    consumer = AIOKafkaConsumer(
        **client,
        **FETCHING,
        group_id=group,
        # The sticky assignor shares state between consumers of one process.
        partition_assignment_strategy=(RoundRobinPartitionAssignor,),
        # A member may be in the middle of a long batch.
        rebalance_timeout_ms=60_000,
        # A member learns that the group is changing from its heartbeat's answer.
        heartbeat_interval_ms=1000,
    )
    reader = KafkaReader(log, topic, consumer)
    consumer.subscribe([topic], listener=_Listener(reader))
    async with _started(consumer, client):
        hints = asyncio.create_task(reader.hint())
        try:
            yield reader
        finally:
            hints.cancel()


@asynccontextmanager
async def look_on(log: Bounds, topic: str, partitions: int, client: dict[str, Any]) -> AsyncIterator[Reader]:
    """Reads all partitions, in no group. Raises LogUnavailable."""
    consumer = AIOKafkaConsumer(**client, **FETCHING, group_id=None)
    reader = KafkaReader(log, topic, consumer)
    async with _started(consumer, client):
        consumer.assign([TopicPartition(topic, number) for number in range(partitions)])
        reader.assign(frozenset(range(partitions)))
        yield reader


@asynccontextmanager
async def _started(consumer: Any, client: dict[str, Any]) -> AsyncIterator[None]:
    try:
        try:
            await consumer.start()
        except KafkaError as error:
            raise LogUnavailable(f"Kafka at {client['bootstrap_servers']}: {error}") from error
        yield
    finally:
        await _leave(consumer)


class KafkaReader:
    """A Reader. The consumer's own position moves along with the caller's, and is set where the two part."""

    def __init__(self, log: Bounds, topic: str, consumer: Any) -> None:
        self._log, self._topic, self._consumer = log, topic, consumer
        self._assigned: frozenset[int] = frozenset()
        self._changed = asyncio.Event()
        self._change = 0
        # By partition: where the next read goes on without a seek; what a wait fetched from there; what was
        # found to lie outside the log; what has been staged, as the caller's position tells.
        self._next: dict[int, int] = {}
        self._ahead: dict[int, tuple[list[bytes], int]] = {}
        self._lost: set[int] = set()
        self._staged: dict[int, int] = {}

    def assigned(self) -> frozenset[int]:
        return self._assigned

    def assign(self, partitions: frozenset[int]) -> None:
        """The group has decided. The consumer forgets its positions then, so what was fetched is void."""
        self._assigned = partitions
        self._change += 1
        self._changed.set()
        for kept in (self._next, self._ahead, self._lost, self._staged):
            kept.clear()

    async def read(self, partition: int, position: int, limit: int) -> Chunk:
        if partition not in self._assigned:
            return Chunk([], position)
        change, tp = self._change, TopicPartition(self._topic, partition)
        if partition in self._lost:
            self._next.pop(partition, None)
            await self._check(tp, position)
        self._staged[partition] = position
        values, following = self._ahead.pop(partition, ([], position))
        try:
            # Taken out until the read has gone well: whatever cuts it short, the next one seeks.
            if self._next.pop(partition, None) != position:
                values, following = [], position
                self._consumer.seek(tp, position)
                self._consumer.resume(tp)
            while len(values) < limit:
                behind = following < (self._consumer.highwater(tp) or 0)
                fetched = await self._fetch((partition,), BEHIND if behind else 0, limit - len(values))
                if not (records := fetched.get(tp)):
                    break
                values += [record.value for record in records]
                following = records[-1].offset + 1
        except OffsetOutOfRangeError:
            await self._check(tp, position)
            return Chunk([], position)
        except NoOffsetForPartitionError:
            return Chunk([], position)  # it needs none: the next read seeks
        except IllegalStateError:
            return Chunk([], position)  # taken away between the check and the call
        except KafkaError as error:
            raise LogUnavailable(f"Kafka: {error}") from error
        if change != self._change:
            return Chunk([], position)
        self._next[partition] = following
        return Chunk(values, following)

    async def ends(self, partitions: Sequence[int]) -> dict[int, int]:
        return await self._log.ends(partitions)

    async def wait(self, seconds: float) -> None:
        """Fetches one value ahead, as the consumer has no other way to wait; the next read begins with it."""
        if not self._changed.is_set() and not self._ahead and not self._lost:
            change = asyncio.ensure_future(self._changed.wait())
            value = asyncio.ensure_future(self._fetch(tuple(self._next), seconds, 1))
            try:
                await asyncio.wait((change, value), return_when=asyncio.FIRST_COMPLETED)
            finally:
                change.cancel()
                if not value.cancel():
                    self._keep(value)
        self._changed.clear()

    async def hint(self) -> None:
        """Commits what has been staged, for tools that show a group's lag; nothing depends on it."""
        while True:
            await asyncio.sleep(HINT)
            if staged := {TopicPartition(self._topic, number): at for number, at in self._staged.items()}:
                with suppress(KafkaError):
                    await self._consumer.commit(staged)

    async def _fetch(self, partitions: Sequence[int], seconds: float, limit: int) -> Fetched:
        if not partitions:  # which would mean all of them to the consumer
            await asyncio.sleep(seconds)
            return {}
        asked = [TopicPartition(self._topic, partition) for partition in partitions]
        for tp in asked:
            _lighten(self._consumer, tp)
        fetched: Fetched = await self._consumer.getmany(*asked, timeout_ms=int(seconds * 1000), max_records=limit)
        return fetched

    def _keep(self, fetched: "asyncio.Task[Fetched]") -> None:
        try:
            for tp, records in fetched.result().items():
                if self._next.get(tp.partition) == records[0].offset:
                    self._ahead[tp.partition] = [record.value for record in records], records[-1].offset + 1
                else:
                    self._next.pop(tp.partition, None)
        except OffsetOutOfRangeError as error:
            self._lost |= {tp.partition for tp in error.args[0]}
        except KafkaError as error:
            raise LogUnavailable(f"Kafka: {error}") from error

    async def _check(self, tp: TopicPartition, position: int) -> None:
        """Whether a position that a broker refused is really lost, or that broker was behind for a moment."""
        self._lost.discard(tp.partition)
        start, end = await self._log.start(tp.partition), (await self._log.ends([tp.partition]))[tp.partition]
        if not start <= position <= end:
            with suppress(IllegalStateError):
                self._consumer.pause(tp)  # else it goes on asking the brokers for it
            raise PositionLost(tp.partition, position, start, end)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """Notes what is assigned and does nothing else: what a listener raises or awaits goes wrong in silence."""

    def __init__(self, reader: KafkaReader) -> None:
        self._reader = reader

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self._reader.assign(frozenset())

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._reader.assign(frozenset(tp.partition for tp in assigned))


def _lighten(consumer: Any, tp: TopicPartition) -> None:
    """Has the consumer hand out a partition's fetched records as it decoded them.

    It would copy each into an object of eleven fields first, which takes longer than all else about a record; a value
    and its offset are all that is read here. Where aiokafka has nothing fetched, or has it elsewhere, it does copy.
    """
    fetched = getattr(consumer._fetcher._records.get(tp), "_partition_records", None)
    if fetched is not None:
        fetched._consumer_record = _as_decoded


def _as_decoded(tp: TopicPartition, record: Any) -> Any:
    return record


async def _leave(consumer: Any) -> None:
    """Leaves the group. The consumer's own `stop` may never return if nothing was assigned."""
    try:
        async with asyncio.timeout(LEAVE):
            await consumer.stop()
    except (TimeoutError, KafkaError):
        await consumer._client.close()  # nothing public closes its connections
