"""The log on Kafka: one topic, written by an idempotent producer whose batches all requests share.

Each broker has a lane of its own: one request to it is in flight while the next batches are gathered, and a broker
that is gone holds up only the partitions that it leads.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import zip_longest
from typing import Any
from zlib import crc32

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from shared.log.gather import Budget, Lane
from shared.log.kafka_reader import join_group, look_on
from shared.log.kafka_topic import BATCH_BYTES, check_kafka, setup_kafka
from shared.log.port import Entry, LogUnavailable, Reader
from shared.settings import Settings

__all__ = ["KafkaLog", "check_kafka", "open_kafka_log", "setup_kafka"]

#: Batch builders by partition; only the last of each is still open.
Batches = dict[int, list[Any]]

NO_HEADERS: list[Any] = []
#: A lane for partitions that have no leader at the moment.
NO_LEADER = -1
#: How long stopping waits for batches that a lost broker may never take, in seconds.
STOP = 3.0


@asynccontextmanager
async def open_kafka_log(settings: Settings) -> AsyncIterator["KafkaLog"]:
    """Checks the topic and connects. Raises LogMismatch or LogUnavailable.

    On leaving, what was appended is sent, as far as the brokers take it within the append deadline.
    """
    await check_kafka(settings)
    log = KafkaLog(settings)
    try:
        await log.connect()
        yield log
    finally:
        await log.close()


class KafkaLog:
    """A Log. Made by `open_kafka_log`."""

    def __init__(self, settings: Settings) -> None:
        self.partitions = settings.partitions
        self._settings, self._deadline = settings, settings.append_deadline
        self._partitions = [TopicPartition(settings.topic, number) for number in range(settings.partitions)]
        self._budget = Budget(settings.append_bytes)
        self._lanes: dict[int, Lane[Batches]] = {}
        self._producer = self._new_producer()
        self._broken = False
        self._replacing = asyncio.Lock()
        self._stopping: set[asyncio.Task[None]] = set()
        self._offsets = AIOKafkaConsumer(**self._client("offsets"))
        self._closed = False

    async def connect(self) -> None:
        await self._start(self._producer)
        try:
            await self._offsets.start()
        except KafkaError as error:
            raise self._unavailable(error) from error

    async def close(self) -> None:
        """Refuses further appends, then sends what was accepted, for as long as an append may take."""
        self._closed = True
        draining = [asyncio.ensure_future(lane.drain()) for lane in self._lanes.values()]
        if draining:
            _, late = await asyncio.wait(draining, timeout=self._deadline)
            for task in late:
                task.cancel()
        await _stop(self._producer)
        await self._offsets.stop()
        if self._stopping:
            await asyncio.wait(self._stopping)

    async def append(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        if self._closed:
            raise LogUnavailable("the log is being closed")
        self._budget.take(sum([len(value) for _, value in entries]))
        partitions = self.partitions
        parted: defaultdict[int, list[Entry]] = defaultdict(list)
        for entry in entries:
            parted[crc32(entry[0]) % partitions].append(entry)  # as partition_of does, without its call
        sizes: defaultdict[Lane[Batches], int] = defaultdict(int)
        for partition, part in parted.items():
            lane = self._lane(partition)
            self._add(lane.content.setdefault(partition, []), part)
            sizes[lane] += sum([len(value) for _, value in part])
        for waiter in [lane.join(size) for lane, size in sizes.items()]:
            if error := await waiter:
                raise error

    async def healthy(self) -> None:
        """Asks a broker for the topic's leaders."""
        producer = await self._unbroken()
        try:
            async with asyncio.timeout(self._deadline):
                reached = await producer.client.force_metadata_update()
        except (KafkaError, TimeoutError) as error:
            raise self._unavailable(error) from error
        if not reached:
            raise self._unavailable("no broker answers")
        if leaderless := [number for number in range(self.partitions) if self._leader(number) == NO_LEADER]:
            raise self._unavailable(f"partitions {leaderless} have no leader")

    async def start(self, partition: int) -> int:
        return (await self._bounds("beginning_offsets", [partition]))[partition]

    async def end(self, partition: int) -> int:
        return (await self.ends([partition]))[partition]

    async def ends(self, partitions: Sequence[int]) -> dict[int, int]:
        """The end of each of these partitions, now."""
        return await self._bounds("end_offsets", partitions)

    def reader(self, name: str) -> AbstractAsyncContextManager[Reader]:
        """Joins the consumer group `<topic>.stager`; returns once the group has assigned partitions."""
        return join_group(self, self._settings.topic, f"{self._settings.topic}.stager", self._client(name))

    def onlooker(self) -> AbstractAsyncContextManager[Reader]:
        return look_on(self, self._settings.topic, self.partitions, self._client("onlooker"))

    def _client(self, name: str) -> dict[str, Any]:
        """What all clients have in common. A silent broker is given up in half an append's deadline."""
        return {
            "bootstrap_servers": self._settings.kafka,
            "client_id": f"milepost-{name}",
            "request_timeout_ms": int(max(self._deadline / 2, 1) * 1000),
            "metadata_max_age_ms": 60_000,
        }

    def _new_producer(self) -> Any:
        return AIOKafkaProducer(
            **self._client("producer"),
            acks="all",
            enable_idempotence=True,
            # A third of zstd's time for twice the bytes; aiokafka's lz4 runs at its slowest level.
            compression_type="snappy",
            max_batch_size=BATCH_BYTES,
        )

    def _unavailable(self, reason: object) -> LogUnavailable:
        return LogUnavailable(f"Kafka at {self._settings.kafka}: {str(reason) or type(reason).__name__}")

    def _leader(self, partition: int) -> int:
        leader = self._producer.client.cluster.leader_for_partition(self._partitions[partition])
        return NO_LEADER if leader is None else int(leader)

    def _lane(self, partition: int) -> Lane[Batches]:
        leader = self._leader(partition)
        if leader not in self._lanes:
            self._lanes[leader] = Lane(dict, self._write, self._budget, self._deadline)
        return self._lanes[leader]

    def _add(self, batches: list[Any], entries: list[Entry]) -> None:
        """Puts the entries of one partition into its open batch, and into new ones where that is full.

        As the batch's own `append`, but for two calls of Python an entry, which took longer than the rest.
        """
        stamp = int(time.time() * 1000)
        if not batches:
            batches.append(self._producer.create_batch())
        batch = batches[-1]
        append, count = batch._builder.append, batch._relative_offset
        for key, value in entries:
            if append(count, stamp, key, value, NO_HEADERS) is None:
                batch._relative_offset = count
                batch = self._producer.create_batch()
                batches.append(batch)
                append, count = batch._builder.append, 0
                append(count, stamp, key, value, NO_HEADERS)
            count += 1
        batch._relative_offset = count

    async def _write(self, content: Batches) -> None:
        """Sends the batches of all partitions together; a partition's further ones follow in order."""
        producer = await self._unbroken()
        topic, acks = self._settings.topic, []
        try:
            # An idempotent producer never gives up by itself; when this ends, nobody waits any longer.
            async with asyncio.timeout(self._deadline):
                for batches in zip_longest(*content.values()):
                    for partition, batch in zip(content, batches, strict=True):
                        if batch is not None:
                            ack = await producer.send_batch(batch, topic, partition=partition)
                            ack.add_done_callback(_seen)
                            acks.append(ack)
                done, _ = await asyncio.wait(acks, return_when=asyncio.FIRST_EXCEPTION)
                for ack in done:
                    ack.result()
        except (KafkaError, TimeoutError) as error:
            # A batch that was given up leaves a hole in its partition's sequence numbers, and Kafka takes no
            # batch after a hole: only a new producer, with a new identity, can go on.
            self._broken = self._broken or producer is self._producer
            raise self._unavailable(error) from error

    async def _unbroken(self) -> Any:
        async with self._replacing:
            if self._broken:
                fresh = self._new_producer()
                try:
                    await self._start(fresh)
                except LogUnavailable:
                    await _stop(fresh)
                    raise
                old, self._producer, self._broken = self._producer, fresh, False
                task = asyncio.create_task(_stop(old))
                self._stopping.add(task)
                task.add_done_callback(self._stopping.discard)
            return self._producer

    async def _start(self, producer: Any) -> None:
        try:
            async with asyncio.timeout(self._deadline):
                await producer.start()
                await producer.partitions_for(self._settings.topic)
        except (KafkaError, TimeoutError) as error:
            raise self._unavailable(error) from error

    async def _bounds(self, which: str, partitions: Sequence[int]) -> dict[int, int]:
        asked = [self._partitions[number] for number in partitions]
        try:
            async with asyncio.timeout(self._deadline):
                offsets = await getattr(self._offsets, which)(asked)
        except (KafkaError, TimeoutError) as error:
            raise self._unavailable(error) from error
        return {partition.partition: offset for partition, offset in offsets.items()}


def _seen(ack: "asyncio.Future[Any]") -> None:
    """Marks a failed acknowledgement as noticed: after the first failure the others are not awaited."""
    if not ack.cancelled():
        ack.exception()


async def _stop(producer: Any) -> None:
    """Ends a producer also when its broker is gone: its own `stop` waits for batches that never expire."""
    try:
        async with asyncio.timeout(STOP):
            await producer.stop()
    except (TimeoutError, KafkaError):
        sender = producer._sender.sender_task  # nothing public ends it without waiting
        if sender is not None:
            # The first cancellation lets requests in flight end, the second ends them too.
            sender.cancel()
            await asyncio.sleep(0)
            sender.cancel()
            await asyncio.wait((sender,))
        waiting = producer._message_accumulator
        # Those that were to be sent again are missing from the set that a failure takes them from.
        waiting._pending_batches.update(*waiting._batches.values())
        waiting.fail_all(LogUnavailable("the log was closed"))
        await producer.client.close()
