"""The log: a partitioned, durable, replayable sequence of values. This docstring is the specification.

A log has a fixed number of partitions. Each holds values at rising positions, from `start` (the oldest kept) to
`end` (one past the newest). A value appended is never changed; old ones are dropped by retention alone.

- `append` returns when every value is durable (acknowledged by all in-sync replicas, or fsynced) and not before. If it
  raises, each value may or may not be there: the caller must treat them as not accepted, and a retry may append twice.
- One call's values that share a key keep their order; all values of one key lie in one partition (`partition_of`).
- A reader reads any partition from any position and remembers nothing: positions are kept by whoever reads, in the
  transaction that holds what was made of the values.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol
from zlib import crc32


class LogUnavailable(Exception):
    """The log did not acknowledge in time, or holds no more bytes in flight; nothing was accepted. Try again later."""


class LogMismatch(Exception):
    """The log is not what the settings say (missing, or other partitions, retention, stamps). Names the remedy."""


class PositionLost(Exception):
    """The position asked for is not on the log: older than `start` (retention) or newer than `end` (another log)."""

    def __init__(self, partition: int, position: int, start: int, end: int) -> None:
        super().__init__(
            f"partition {partition} of the log holds positions {start} to {end}, but the store goes on at {position}"
            + (f": {start - position} records are gone; see `milepost check --accept-lost`" if position < start else "")
        )
        self.partition, self.position, self.start, self.end = partition, position, start, end


class Entry(NamedTuple):
    """One value to append, with the key that chooses its partition."""

    key: bytes
    value: bytes


class Chunk(NamedTuple):
    """Values read in a row from one partition; `next` is the position to read from after them."""

    values: list[bytes]
    next: int


class Reader(Protocol):
    """Reads as a member of the stager's group: each partition is assigned to one living member at a time.

    An assignment is a hint of who should work, not a fence: the store's epochs are the fence.
    """

    def assigned(self) -> frozenset[int]:
        """The partitions that are this member's now. May change at any await."""
        ...

    async def read(self, partition: int, position: int, limit: int) -> Chunk:
        """Up to `limit` values from `position`, at once; no values if there are none yet.

        Raises PositionLost; LogUnavailable if the log cannot be reached.
        """
        ...

    async def ends(self, partitions: Sequence[int]) -> dict[int, int]:
        """The end of each of these partitions, now."""
        ...

    async def wait(self, seconds: float) -> None:
        """Returns when there may be new values or another assignment, at the latest after `seconds`."""
        ...


class Log(Protocol):
    """A log opened for appending and reading. Made by an adapter's `open`, an async context manager."""

    partitions: int

    async def append(self, entries: Sequence[Entry]) -> None:
        """Makes all entries durable. Raises LogUnavailable (after the deadline, or at once when overloaded)."""
        ...

    async def start(self, partition: int) -> int:
        """The oldest position kept."""
        ...

    async def end(self, partition: int) -> int:
        """One past the newest position."""
        ...

    def reader(self, name: str) -> AbstractAsyncContextManager[Reader]:
        """Joins the stager's group under a member name, for as long as the context lasts."""
        ...

    def onlooker(self) -> AbstractAsyncContextManager[Reader]:
        """Reads every partition without joining the group: nobody's work is disturbed."""
        ...

    async def healthy(self) -> None:
        """Returns if appends can be expected to succeed now; raises LogUnavailable with the reason."""
        ...


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key: CRC-32 modulo the number of partitions."""
    return crc32(key) % partitions
