"""The logs under contract: each makes a log of a test's own, which it can open again and again."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry

from shared.log.kafka import open_kafka_log
from shared.log.port import Entry, Log
from shared.log.spool import Bounds, SpooledLog, open_spooled_log
from shared.log.sqlite import open_sqlite_log
from shared.settings import Settings


class Backend(Protocol):
    """One empty log. `address` is what another process needs to open it (see log_child)."""

    @property
    def address(self) -> str: ...

    def open(
        self, deadline: float = 10, in_flight: int = 64 << 20, partitions: int = 4
    ) -> AbstractAsyncContextManager[Log]:
        """Opens it; several may be open at once."""

    async def contents(self) -> dict[int, list[bytes]]:
        """All values on the log by partition, read without the adapter's reader where that is possible."""


@dataclass
class SqliteBackend:
    """A log in a file of the test's own."""

    path: Path
    retention: float = 0.0
    clock: Callable[[], float] = field(default=lambda: 1e12)

    @property
    def address(self) -> str:
        return f"sqlite:{self.path}"

    @asynccontextmanager
    async def open(self, deadline: float = 10, in_flight: int = 64 << 20, partitions: int = 4) -> AsyncIterator[Log]:
        async with open_sqlite_log(self.path, partitions, self.retention, deadline, in_flight, self.clock) as log:
            yield log

    async def contents(self) -> dict[int, list[bytes]]:
        found = {}
        async with self.open() as log, log.reader("contents") as reader:
            for partition in range(log.partitions):
                found[partition] = (await reader.read(partition, await log.start(partition), 10**9)).values
        return found


@dataclass
class KafkaBackend:
    """A topic of the test's own."""

    bootstrap: str
    topic: str

    @property
    def address(self) -> str:
        return f"kafka:{self.bootstrap}/{self.topic}"

    def settings(self, **changed: Any) -> Settings:
        """The settings that this topic is made by."""
        return Settings.model_validate({"kafka": self.bootstrap, "topic": self.topic, "partitions": 4} | changed)

    @asynccontextmanager
    async def open(self, deadline: float = 10, in_flight: int = 64 << 20, partitions: int = 4) -> AsyncIterator[Log]:
        settings = self.settings(append_deadline=deadline, append_bytes=in_flight, partitions=partitions)
        async with open_kafka_log(settings) as log:
            yield log

    async def contents(self) -> dict[int, list[bytes]]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            partitions = [TopicPartition(self.topic, number) for number in range(4)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            found: dict[int, list[bytes]] = {number: [] for number in range(4)}
            while any(len(found[tp.partition]) < end for tp, end in ends.items()):
                for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                    found[tp.partition] += [record.value for record in records]
            return found
        finally:
            await consumer.stop()


@dataclass
class SpooledBackend:
    """An embedded log with a spool before it."""

    behind: SqliteBackend
    root: Path

    def come(self) -> None:
        """Makes the folder of the log behind, without which that log is away."""
        self.behind.path.parent.mkdir(exist_ok=True)

    @property
    def address(self) -> str:
        return f"spooled:{self.root}:{self.behind.address}"

    @asynccontextmanager
    async def open(
        self,
        deadline: float = 10,
        in_flight: int = 64 << 20,
        partitions: int = 4,
        on_disk: int = 1 << 30,
        start: float = 10,
        registry: CollectorRegistry | None = None,
    ) -> AsyncIterator[SpooledLog]:
        opening = partial(self.behind.open, deadline, in_flight, partitions)
        bounds = Bounds(on_disk, in_flight, start)
        async with open_spooled_log(opening, partitions, self.root, bounds, registry or CollectorRegistry()) as log:
            yield log

    async def contents(self) -> dict[int, list[bytes]]:
        return await self.behind.contents()


def open_backend(address: str) -> AbstractAsyncContextManager[Log]:
    """The log at the address of a backend, as another process opens it."""
    kind, _, rest = address.partition(":")
    if kind == "spooled":
        root, _, behind = rest.partition(":")
        return SpooledBackend(SqliteBackend(Path(behind.partition(":")[2])), Path(root)).open()
    if kind == "sqlite":
        return SqliteBackend(Path(rest)).open()
    bootstrap, _, topic = rest.rpartition("/")
    return KafkaBackend(bootstrap, topic).open()


def numbered(count: int, keys: int = 7, tag: str = "v") -> list[Entry]:
    """Entries whose values count up; each key holds every `keys`-th of them."""
    return [Entry(f"key-{n % keys}".encode(), f"{tag} {n}".encode()) for n in range(count)]


def flat(contents: dict[int, list[bytes]]) -> list[bytes]:
    """All values, partition by partition."""
    return [value for partition in sorted(contents) for value in contents[partition]]
